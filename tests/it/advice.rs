//! What a refusal suggests word for word would pass: on generated settings and images of few words.
//!
//! A suggestion is what stands in backticks behind `use`. Of a registry it is where the image comes
//! from, of a tag what stands behind its path; everything else is an image.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rollout_guard::image::Reference;
use rollout_guard::json::Document;
use rollout_guard::settings::Settings;
use rollout_guard::wire;
use serde_json::{Value, json};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A digest that no entry names: which one is meant is for the reader to say.
const OTHER_DIGEST: &str =
    "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

/// What a refusal suggests, with the code of its line.
fn suggestions(message: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in message.lines() {
        let Some((line, code)) = line.rsplit_once(" [") else {
            continue;
        };
        for marker in ["use ", "write "] {
            for (at, _) in line.match_indices(marker) {
                let mut rest = line.get(at + marker.len()..).unwrap();
                rest = rest.strip_prefix("one of ").unwrap_or(rest);
                while let Some((text, behind)) =
                    rest.strip_prefix('`').and_then(|rest| rest.split_once('`'))
                {
                    found.push((code.trim_end_matches(']').to_owned(), text.to_owned()));
                    rest = behind.strip_prefix(", ").unwrap_or(behind);
                }
            }
        }
    }
    found
}

/// The image that a suggestion makes of one.
fn put_in(image: &str, code: &str, suggestion: &str, lists: &Value) -> String {
    let read = Reference::parse(image).unwrap();
    let is_entry = |list: &Value| {
        list["allow"]
            .as_array()
            .is_some_and(|all| all.contains(&json!(suggestion)))
    };
    let tail = {
        let digest = read
            .digest()
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        let tag = read.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("{tag}{digest}")
    };
    match code {
        "registry-not-allowed" | "registry-rejected" if is_entry(&lists["registries"]) => {
            let path = if suggestion.contains('/') {
                read.path().rsplit('/').next().unwrap()
            } else {
                read.path()
            };
            format!("{suggestion}/{path}{tail}")
        }
        "tag-not-allowed" | "tag-rejected" if is_entry(&lists["tags"]) => {
            format!("{}/{}:{suggestion}", read.host(), read.path())
        }
        "digest-required" => suggestion.replace("sha256:…", OTHER_DIGEST),
        // An entry without a tag is the image by its own tag.
        "image-not-allowed" if is_entry(&lists["images"]) => {
            let entry = Reference::parse(suggestion).unwrap();
            if suggestion.ends_with(entry.path().rsplit('/').next().unwrap()) {
                format!("{suggestion}{tail}")
            } else {
                suggestion.to_owned()
            }
        }
        _ => suggestion.to_owned(),
    }
}

/// What requests hold an image in: each is judged, or rewritten, in another way.
const SHAPES: [&str; 9] = [
    "create",
    "never pulled",
    "update",
    "restored",
    "ephemeral",
    "volume",
    "template",
    "template update",
    "scanner",
];

fn answer(settings: &Value, shape: &str, image: &str) -> Value {
    let pod = |image: &str| json!({ "containers": [{ "name": "a", "image": image }] });
    let mut request = json!({
        "uid": "1", "operation": "CREATE", "userInfo": { "username": "jane" },
        "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "object": { "spec": pod(image) },
    });
    let template = |image: &str| json!({ "spec": { "template": { "spec": pod(image) } } });
    match shape {
        "never pulled" => {
            request["object"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Never");
        }
        "update" | "restored" => {
            request["operation"] = json!("UPDATE");
            let old = if shape == "update" {
                "quay.io/old/app:5"
            } else {
                "m.io/hub/library/redis:7"
            };
            request["oldObject"] = json!({ "spec": pod(old) });
        }
        "ephemeral" => {
            request["operation"] = json!("UPDATE");
            request["subResource"] = json!("ephemeralcontainers");
            request["object"] =
                json!({ "spec": { "ephemeralContainers": [{ "name": "e", "image": image }] } });
            request["oldObject"] = json!({ "spec": {} });
        }
        "volume" => {
            request["object"] = json!({ "spec": { "volumes": [{ "name": "v", "image": { "reference": image } }] } });
        }
        "template" | "template update" => {
            request["kind"] = json!({ "group": "apps", "version": "v1", "kind": "Deployment" });
            request["object"] = template(image);
            if shape != "template" {
                request["operation"] = json!("UPDATE");
                request["oldObject"] = template("quay.io/old/app:5");
            }
        }
        "scanner" => request["userInfo"] = json!({}),
        _ => {}
    }
    let payload = json!({ "request": request, "settings": settings });
    serde_json::from_slice(&wire::validate(payload.to_string().as_bytes())).unwrap()
}

fn some(entries: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(entries, 0..=2)
}

fn settings() -> impl Strategy<Value = Value> {
    let registries = [
        "docker.io",
        "ghcr.io",
        "m.io",
        "m.io/hub",
        "*.corp.io",
        "docker.io/library",
    ];
    let images = [
        "redis:7",
        "redis",
        "ghcr.io/library/redis",
        "ghcr.io/*",
        "m.io/hub/*",
        "docker.io/*",
        "m.io/hub/library/redis:7",
        "docker.io/library/redis:7@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    let tags = ["7", "8", "7*", "latest", "v*", "*"];
    let digests = ["docker.io/**", "ghcr.io/*", "m.io/**", "*", "redis"];
    let registries: &'static [_] = Vec::leak(registries.to_vec());
    let images: &'static [_] = Vec::leak(images.to_vec());
    let tags: &'static [_] = Vec::leak(tags.to_vec());
    let digests: &'static [_] = Vec::leak(digests.to_vec());
    let source = select(vec![
        "docker.io",
        "docker.io/library",
        "redis:7",
        "ghcr.io",
        "ghcr.io/library",
        "*",
    ]);
    let target = select(vec![
        "m.io/hub",
        "x.corp.io/hub",
        "m.io/hub/{name}:{tag}",
        "m.io/{registry}/{repository}",
    ]);
    let mirrors = proptest::collection::vec(
        (source, target, select(vec!["keep", "drop", "skip"])),
        0..=2,
    );
    (
        (some(registries), some(registries)),
        (some(images), some(images)),
        (some(tags), some(tags)),
        (some(digests), some(digests)),
        mirrors,
        select(vec!["pods", "workloads", "never"]),
        proptest::collection::vec(select(vec!["reject", "reject", "warn"]), 4),
        select(vec![json!([]), json!([{ "images": ["quay.io/*"] }]), json!([{ "images": ["docker.io/*"], "checks": ["mirrors"] }]), json!([{ "images": ["m.io/**"], "checks": ["images"] }])]),
    )
        .prop_map(|(registries, images, tags, digests, mirrors, rewrite, actions, exemptions)| {
            let mirrors: Vec<_> = mirrors
                .into_iter()
                .map(|(source, mirror, digest)| {
                    json!({ "source": source, "mirror": mirror, "digest": digest })
                })
                .collect();
            json!({
                "registries": { "allow": registries.0, "reject": registries.1, "action": actions[0] },
                "images": { "allow": images.0, "reject": images.1, "action": actions[1] },
                "tags": { "allow": tags.0, "reject": tags.1, "action": actions[2] },
                "digests": { "require": digests.0, "forbid": digests.1, "action": actions[3] },
                "mirrors": mirrors,
                "rewrite": rewrite,
                "exemptions": exemptions,
            })
        })
        .prop_filter("settings with a mistake", |settings| {
            let text = settings.to_string();
            let document = Document::of(&text).unwrap();
            Settings::validate(document.root()).is_ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_global_rejects: 1_000_000,
        max_local_rejects: 1_000_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_suggested_passes(
        settings in settings(),
        name in select(vec!["redis", "ghcr.io/library/redis", "quay.io/org/app", "x.corp.io/redis", "m.io/hub/library/redis"]),
        tag in select(vec!["", ":7", ":8", ":latest", ":v1"]),
        is_pinned in proptest::bool::weighted(0.3),
        shape in select(SHAPES.to_vec()),
    ) {
        let digest = if is_pinned { format!("@{DIGEST}") } else { String::new() };
        let image = format!("{name}{tag}{digest}");
        let refused = answer(&settings, shape, &image);
        let message = refused["message"].as_str().unwrap_or_default();
        for (code, suggestion) in suggestions(message) {
            let instead = put_in(&image, &code, &suggestion, &settings);
            let answer = answer(&settings, shape, &instead);
            prop_assert_eq!(
                &answer["accepted"], &json!(true),
                "{}: {} → {}: {}\n{}", shape, image, instead, message, answer["message"]
            );
        }
    }
}

#[test]
fn suggestions_are_found() {
    let found = suggestions(
        "2 problems:\na: it is bad, use one of `x`, `y` [tag-rejected]\nb: it is bad (allowed: `z`), use another [image-rejected]",
    );
    assert_eq!(
        found,
        [
            ("tag-rejected".to_owned(), "x".to_owned()),
            ("tag-rejected".to_owned(), "y".to_owned())
        ]
    );
}
