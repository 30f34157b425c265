//! What holds for every rule, image and Pod: rewriting twice is rewriting once, and nothing changes
//! but images and pull secrets.

use json_patch::PatchOperation;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use rollout_guard::json::Document;
use rollout_guard::settings::Settings;
use rollout_guard::wire;
use serde_json::{Map, Value, json};

use crate::registry::Answers;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        // Many drawn settings contradict themselves.
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

const HOSTS: [&str; 9] = [
    "docker.io",
    "index.docker.io",
    "quay.io",
    "a.io",
    "A.io:443",
    "b.io:5000",
    "localhost",
    "CORP",
    "x.corp.io",
];

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A path of few words, so that rules and images meet.
fn path(shortest: usize) -> impl Strategy<Value = String> {
    let segments = select(vec![
        "library",
        "a",
        "b",
        "a-b",
        "cache",
        "docker.io",
        "quay.io",
    ]);
    proptest::collection::vec(segments, shortest..4).prop_map(|segments| segments.join("/"))
}

fn version() -> impl Strategy<Value = String> {
    select(vec!["", "", ":1", ":1-final", ":latest", ":2"]).prop_flat_map(|tag| {
        select(vec![
            tag.to_owned(),
            tag.to_owned(),
            format!("{tag}@{DIGEST}"),
        ])
    })
}

fn image() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        1 => Just(String::new()),
        5 => select(HOSTS.to_vec()).prop_map(|host| format!("{host}/")),
    ];
    (host, path(1), version()).prop_map(|(host, path, version)| format!("{host}{path}{version}"))
}

fn source() -> impl Strategy<Value = String> {
    let host = || select([&HOSTS[..], &["*.io", "*", "*.corp.io"]].concat());
    prop_oneof![
        1 => Just("*".to_owned()),
        2 => host().prop_map(str::to_owned),
        4 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}")),
        1 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}/*")),
        1 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/*/{path}")),
        1 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}*")),
        1 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/**/{path}")),
        2 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}:1")),
        1 => path(2),
    ]
}

fn mirror() -> impl Strategy<Value = String> {
    let host = || {
        select(vec![
            "m.io",
            "M.io:443",
            "quay.io",
            "docker.io",
            "n.io:5000",
            "a.io",
        ])
    };
    let template = select(vec![
        "{registry}/{repository}",
        "{repository}",
        "{name}",
        "{name}:{tag}",
        "p-{name}:{tag}-final",
        "{tag}/{name}",
        "{repository}:1-final",
        "cache/{registry}/{repository}",
        "a/{repository}",
        "{repository}/a",
    ]);
    prop_oneof![
        2 => host().prop_map(str::to_owned),
        4 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}")),
        2 => (host(), path(1)).prop_map(|(host, path)| format!("{host}/{path}:1-final")),
        4 => (host(), template).prop_map(|(host, template)| format!("{host}/{template}")),
        1 => select(vec!["{registry}/m/{repository}", "m-{registry}/{repository}", "a/{name}", "a"])
            .prop_map(str::to_owned),
    ]
}

fn rule() -> impl Strategy<Value = Value> {
    let digest = select(vec!["keep", "drop", "skip"]);
    let selector = select(vec![
        Value::Null,
        json!({ "namespaces": ["default"] }),
        json!({ "namespaces": ["other"] }),
    ]);
    let secrets = select(vec![json!([]), json!(["one"]), json!(["one", "two"])]);
    (source(), mirror(), digest, selector, secrets).prop_map(
        |(source, mirror, digest, selector, secrets)| {
            json!({
                "source": source, "mirror": mirror, "digest": digest, "match": selector,
                "pullSecrets": secrets,
            })
        },
    )
}

/// One to four rules that are valid together.
fn settings() -> impl Strategy<Value = Value> {
    proptest::collection::vec(rule(), 1..5).prop_filter_map("contradictory", |mut rules| {
        for rule in &mut rules {
            let rule = rule.as_object_mut()?;
            rule.retain(|_, value| !value.is_null());
        }
        let settings = json!({ "mirrors": rules });
        let text = settings.to_string();
        Settings::validate(Document::of(&text).ok()?.root()).ok()?;
        Some(settings)
    })
}

/// The answer to creating an object, given as text.
fn create(object: &str, settings: &Value) -> (Value, Vec<u8>) {
    let payload = format!(
        r#"{{"request":{{"uid":"1","kind":{{"group":"","version":"v1","kind":"Pod"}},"operation":"CREATE","namespace":"default","userInfo":{{"username":"jane"}},"object":{object}}},"settings":{settings}}}"#
    );
    let answer = wire::validate(payload.as_bytes());
    (serde_json::from_slice(&answer).unwrap(), answer)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rewriting_twice_is_rewriting_once(
        settings in settings(),
        images in proptest::collection::vec(image(), 1..6),
    ) {
        let containers: Vec<_> = images.iter().map(|image| json!({ "image": image })).collect();
        let pod = json!({ "spec": { "containers": containers } });
        let (answer, _) = create(&pod.to_string(), &settings);
        if let Some(mutated) = answer.get("mutated_object") {
            prop_assert_ne!(mutated, &pod, "a mutation of nothing");
            let (again, _) = create(&mutated.to_string(), &settings);
            prop_assert_eq!(&again["accepted"], true, "{}", again);
            prop_assert_eq!(again.get("mutated_object"), None, "{} becomes {}", mutated, again);
        }
    }
}

/// JSON that goes through every reader unchanged: unknown fields, odd numbers, escapes.
fn anything() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        select(vec![
            "null",
            "true",
            "1e2",
            "1E+2",
            "-0",
            "1.50",
            "0.1",
            "100000000000000000000",
            "{}",
            "[]",
            "[ ]",
            "18446744073709551615",
            r#""\u00e9\n\/\\\"""#,
            r#""\uD83D\ude00""#,
            "\"\u{e9}\u{1f600}\"",
            "\"\"",
            r#""docker.io/library/redis:7""#,
            "{\"image\":\"redis\"}",
            " { \"a\" :\t1 } ",
        ])
        .prop_map(str::to_owned),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
            members(inner).prop_map(|members| format!("{{{members}}}")),
        ]
    })
}

/// Members of a map, with keys that nobody knows.
fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let keys = vec!["futureField", "x-\\u0041", "é", "a.b/c", "", "sp ace"];
    (
        proptest::sample::subsequence(keys, 0..4),
        proptest::collection::vec(value, 4),
    )
        .prop_map(|(keys, values)| {
            let members: Vec<_> = keys
                .iter()
                .zip(values)
                .map(|(key, value)| format!("\"{key}\": {value}"))
                .collect();
            members.join(" , ")
        })
}

/// What a container's image is written as, and what becomes of it.
fn written() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        (r#""redis:7""#, r#""m.io/hub/library/redis:7""#),
        (r#""redis\u003a7""#, r#""m.io/hub/library/redis:7""#),
        (r#""docker.io\/org\/app""#, r#""m.io/hub/org/app""#),
        (r#""m.io/hub/a:1""#, r#""m.io/hub/a:1""#),
        (r#""ghcr.io/a:1""#, r#""ghcr.io/a:1""#),
        (r#""""#, r#""""#),
    ])
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(",")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_changes_but_images_and_secrets(
        containers in proptest::collection::vec((members(anything()), written(), members(anything())), 1..4),
        (spec_before, spec_after) in (members(anything()), members(anything())),
        secrets in select(vec![
            ("", r#""imagePullSecrets":[{"name":"pull"}],"#),
            (r#""imagePullSecrets": null,"#, r#""imagePullSecrets": [{"name":"pull"}],"#),
            (r#""imagePullSecrets":[ ],"#, r#""imagePullSecrets":[ {"name":"pull"}],"#),
            (r#""imagePullSecrets":[{"name":"a","x":1e2} ],"#, r#""imagePullSecrets":[{"name":"a","x":1e2} ,{"name":"pull"}],"#),
            (r#""imagePullSecrets":[{"name":"\u0070ull"}],"#, r#""imagePullSecrets":[{"name":"\u0070ull"}],"#),
        ]),
        metadata in members(anything()),
    ) {
        let pod = |secrets: &str, image: fn(&(&'static str, &'static str)) -> &'static str| {
            let containers: Vec<_> = containers
                .iter()
                .map(|(before, written, after)| {
                    format!("{{{}}}", joined(&[before, &format!("\"image\" : {}", image(written)), after]))
                })
                .collect();
            // The list of secrets that is made stands first.
            let (first, rest) = if secrets.contains(":[{\"name\":\"pull\"}]") && !secrets.contains("null") {
                (secrets, "")
            } else {
                ("", secrets)
            };
            format!(
                " {{\"metadata\":{{{metadata}}},\"spec\":{{{first}{}{rest}\"containers\": [{}]{}}} ,\"kind\":\"Pod\"}}",
                if spec_before.is_empty() { String::new() } else { format!("{spec_before},") },
                containers.join(","),
                if spec_after.is_empty() { String::new() } else { format!(",{spec_after}") },
            )
        };
        let settings = json!({
            "mirrors": [{ "source": "docker.io", "mirror": "m.io/hub", "pullSecrets": ["pull"] }]
        });
        let needs_secret = containers.iter().any(|(_, (_, after), _)| after.contains("m.io"));
        let text = pod(secrets.0, |written| written.0);
        let wanted = pod(if needs_secret { secrets.1 } else { secrets.0 }, |written| written.1);
        let (answer, bytes) = create(&text, &settings);
        prop_assert_eq!(&answer["accepted"], true, "{}", answer);
        if text == wanted {
            prop_assert_eq!(answer.get("mutated_object"), None);
            return Ok(());
        }
        // The answer ends with the object: every byte of it is known.
        let answer_text = String::from_utf8(bytes).unwrap();
        let object = answer_text.split_once("\"mutated_object\":").unwrap().1;
        prop_assert_eq!(object, &format!("{}}}", wanted.trim_start()));

        // And so is every operation of the patch that the host makes of it.
        let before: Value = serde_json::from_str(&text).unwrap();
        let patch = json_patch::diff(&before, &answer["mutated_object"]);
        for operation in &patch.0 {
            let path = match operation {
                PatchOperation::Replace(replace) => replace.path.to_string(),
                PatchOperation::Add(add) => add.path.to_string(),
                other => return Err(TestCaseError::fail(format!("{other}"))),
            };
            prop_assert!(
                path.starts_with("/spec/imagePullSecrets")
                    || (path.starts_with("/spec/containers/") && path.ends_with("/image")),
                "{}", path
            );
        }
        let mut patched = before.clone();
        json_patch::patch(&mut patched, &patch).unwrap();
        prop_assert_eq!(&patched, &answer["mutated_object"]);
    }
}

/// `serde_json` reads some numbers back unequal from its own text: what the host makes of them is
/// not the policy's doing, and its answer has them as they came.
#[test]
fn numbers_are_answered_as_they_came() {
    let numbers = "[1e2,100000000000000000001,0.1000000000000000055511151231257827,1.0,-0.0,1E400]";
    // What is beyond every number is no JSON number to the host either.
    let numbers = numbers.replace(",1E400", "");
    let pod =
        format!(r#"{{"spec":{{"x":{numbers},"containers":[{{"name":"a","image":"redis:7"}}]}}}}"#);
    let settings = json!({ "mirrors": [{ "source": "docker.io", "mirror": "m.io/hub" }] });
    let (_, answer) = create(&pod, &settings);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains(&format!(r#""x":{numbers}"#)), "{answer}");
}

#[test]
fn enough_generated_settings_are_valid() {
    let mut runner = proptest::test_runner::TestRunner::new(config());
    let mut rules: Map<String, Value> = Map::new();
    for _ in 0..64 {
        let settings = settings().new_tree(&mut runner).unwrap().current();
        rules.insert(settings["mirrors"][0]["source"].to_string(), Value::Null);
    }
    assert!(rules.len() > 8, "{rules:?}");
}

#[test]
fn registries_are_asked_for_a_hundred_images_at_most() {
    let names: Vec<_> = (0..150).map(|index| format!("a{}", index % 120)).collect();
    let containers: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, image)| json!({ "name": format!("c{index}"), "image": image }))
        .collect();
    let object = json!({ "spec": { "containers": containers } });
    let mirror = |name: &str| format!("m.example.com/{name}");
    let answers = names.iter().map(|name| (mirror(name), "there".to_owned()));
    let answer = |on_error: &str| -> (Value, Vec<String>) {
        let registry = Answers::new(answers.clone().collect());
        let payload = json!({
            "settings": { "mirrors": [
                { "source": "docker.io/library", "mirror": "m.example.com", "checkExists": true, "onCheckError": on_error },
            ] },
            "request": {
                "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "operation": "CREATE",
                "userInfo": { "username": "jane" },
                "object": object,
            },
        });
        let answer = wire::validate_with(payload.to_string().as_bytes(), &registry);
        (
            serde_json::from_slice(&answer).unwrap(),
            registry.asked.take(),
        )
    };
    let image = |answer: &Value, index: usize| {
        answer["mutated_object"]["spec"]["containers"][index]["image"].clone()
    };

    let (kept, asked) = answer("keep");
    let first: Vec<_> = names.iter().take(100).map(|name| mirror(name)).collect();
    assert_eq!(asked, first);
    assert_eq!(image(&kept, 99), "m.example.com/a99");
    assert_eq!(image(&kept, 100), "a100");
    // It was asked for before.
    assert_eq!(image(&kept, 120), "m.example.com/a0");

    let (rewritten, asked) = answer("rewrite");
    assert_eq!(asked, first);
    assert_eq!(image(&rewritten, 100), "m.example.com/a100");

    let (refused, asked) = answer("reject");
    assert_eq!(asked, Vec::<String>::new());
    assert_eq!(refused["accepted"], false);
    let message = refused["message"].as_str().unwrap();
    let problem = "spec.containers[100] \"c100\": image `a100`: its mirror `m.example.com/a100` cannot be asked for it (only 100 images of a request are asked for), try again later [mirror-unchecked]";
    assert!(message.contains(problem), "{message}");
}
