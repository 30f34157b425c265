//! What `fix` and `drift` write where kustomize and Helm decide: proven by building before and after.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::command::{Outcome, Workshop, has, outcome, path_with_tools, pod};

const SETTINGS: &str = "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\n";

fn workshop(name: &str, files: &[(&str, &str)]) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("allow.yaml", "registries: { allow: [docker.io] }\n");
    for (name, contents) in files {
        workshop.file(name, contents);
    }
    workshop
}

fn fix(workshop: &Workshop, arguments: &str) -> Outcome {
    workshop.run(&format!("fix -s settings.yaml {arguments}"))
}

/// What kubectl builds of a folder, without the annotations of this command's own builds.
fn build(workshop: &Workshop, folder: &str) -> Option<String> {
    let output = Command::new("kubectl")
        .args(["kustomize", folder])
        .current_dir(&workshop.0)
        .env("PATH", path_with_tools())
        .output()
        .unwrap();
    let is_built = output.status.success();
    is_built.then(|| String::from_utf8(output.stdout).unwrap())
}

/// Every file of a folder, by its path.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().unwrap() != ".git" {
                folders.push(path);
            } else if path.is_file() {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.to_str().unwrap().to_owned(), text);
            }
        }
    }
    found
}

#[test]
fn a_kustomization_is_fixed_where_it_decides_and_builds_the_same_otherwise() {
    if !has("kubectl") {
        return;
    }
    let workshop = Workshop::repository("kustomize", "written-kustomize");
    let before = texts(&workshop.0);
    let diff = workshop.run("fix -s settings.yaml --diff .");
    assert_eq!(texts(&workshop.0), before);
    insta::assert_snapshot!("written_kustomize", diff.shown());
    let builds: Vec<_> = ["overlays/dev", "overlays/prod"]
        .map(|folder| build(&workshop, folder).unwrap())
        .into();
    let outcome = fix(&workshop, ".");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    for (folder, before) in ["overlays/dev", "overlays/prod"].iter().zip(builds) {
        let after = build(&workshop, folder).unwrap();
        let lines = before.lines().zip(after.lines());
        let changed: Vec<_> = lines.filter(|(before, after)| before != after).collect();
        assert!(!changed.is_empty());
        assert_eq!(before.lines().count(), after.lines().count());
        for (before, after) in changed {
            let image = before.split_once("image: ").unwrap().1;
            assert!(
                after.contains("image: registry.example.com/hub/")
                    && after.ends_with(image.rsplit('/').next().unwrap()),
                "{before} {after}"
            );
        }
    }
    // What was changed stays, and nothing more is changed.
    let after = texts(&workshop.0);
    assert_eq!(fix(&workshop, ".").code, 1);
    assert_eq!(texts(&workshop.0), after);
}

#[test]
fn entries_of_images_change_only_in_what_the_mirror_changes() {
    if !has("kubectl") {
        return;
    }
    let digest = "sha256:d2fbc4ec70d8aa2050dd91a91506e998765e86c96f32cffb56c503c9c34eed5b";
    for (before, after) in [
        (
            "images:\n- name: redis\n  newTag: \"7.2\"\n".to_owned(),
            "images:\n- name: redis\n  newName: ghcr.io/hub/library/redis\n  newTag: \"7.2\"\n".to_owned(),
        ),
        (
            "images:\n  # ours\n  - newTag: '7' # fixed\n    name: redis # from Docker Hub\nnamePrefix: a-\n".to_owned(),
            "images:\n  # ours\n  - newTag: '7' # fixed\n    name: redis # from Docker Hub\n    newName: ghcr.io/hub/library/redis\nnamePrefix: a-\n".to_owned(),
        ),
        (
            "images: [{ name: redis, newName: bitnami/redis }]\n".to_owned(),
            "images: [{ name: redis, newName: ghcr.io/hub/bitnami/redis }]\n".to_owned(),
        ),
        (
            "images: [{ name: redis, newTag: \"7\" }]\n".to_owned(),
            "images: [{ name: redis, newName: ghcr.io/hub/library/redis, newTag: \"7\" }]\n".to_owned(),
        ),
        (
            format!("images:\n- name: redis\n  digest: {digest}\n"),
            format!("images:\n- name: redis\n  newName: ghcr.io/hub/library/redis\n  digest: {digest}\n"),
        ),
        (
            "images:\r\n- name: redis\r\n  newTag: \"7.2\"\r\n".to_owned(),
            "images:\r\n- name: redis\r\n  newName: ghcr.io/hub/library/redis\r\n  newTag: \"7.2\"\r\n".to_owned(),
        ),
    ] {
        let workshop = workshop("written-entries", &[("a.yaml", &pod("a", "redis:6"))]);
        workshop.file("kustomization.yaml", format!("resources: [a.yaml]\n{before}"));
        let outcome = fix(&workshop, ".");
        assert_eq!(outcome.code, 0, "{before}: {outcome:?}");
        assert_eq!(workshop.read("kustomization.yaml"), format!("resources: [a.yaml]\n{after}"));
        assert_eq!(workshop.read("a.yaml"), pod("a", "redis:6"));
    }
}

#[test]
fn nothing_is_written_that_another_root_would_notice() {
    if !has("kubectl") {
        return;
    }
    let shared = ("base/kustomization.yaml", "resources: [a.yaml]\n");
    let a = pod("a", "redis:6");
    for (files, told) in [
        // The entry of another overlay would no longer match.
        (
            &[
                ("o/dev/kustomization.yaml", "resources: [../../base]\n"),
                (
                    "o/prod/kustomization.yaml",
                    "resources: [../../base]\nimages: [{ name: redis, newName: quay.io/org/redis }]\n",
                ),
            ][..],
            "it would change what else `o/prod` builds",
        ),
        // In another namespace the mirror is not for it.
        (
            &[
                (
                    "o/dev/kustomization.yaml",
                    "resources: [../../base]\nnamespace: dev\n",
                ),
                (
                    "o/prod/kustomization.yaml",
                    "resources: [../../base]\nnamespace: exempt\n",
                ),
            ],
            "it would change what else `o/prod` builds",
        ),
        // What it becomes there nobody can say.
        (
            &[
                ("o/dev/kustomization.yaml", "resources: [../../base]\n"),
                (
                    "o/prod/kustomization.yaml",
                    "resources: [../../base, 'https://127.0.0.1:9/b.yaml']\n",
                ),
            ],
            "`o/prod` reads it too, and cannot be built",
        ),
        // The image is a part of another value, too.
        (
            &[(
                "o/dev/kustomization.yaml",
                "resources: [../../base]\nreplacements:\n- source: { kind: Pod, fieldPath: spec.containers.0.image }\n  targets: [{ select: { kind: Pod }, fieldPaths: [metadata.annotations.image], options: { create: true } }]\n",
            )],
            "it would change what else `o/dev` builds",
        ),
    ] {
        let workshop = workshop("written-shared", &[shared, ("base/a.yaml", &a)]);
        workshop.file(
            "settings.yaml",
            format!("{SETTINGS}exemptions: [{{ name: e, match: {{ namespaces: [exempt] }} }}]\n"),
        );
        for (name, contents) in files {
            workshop.file(name, contents);
        }
        for arguments in ["base o/dev", "base/a.yaml", "."] {
            let outcome = fix(&workshop, arguments);
            assert_ne!(outcome.code, 0, "{told}: {outcome:?}");
            assert!(outcome.stdout.contains(told), "{told}: {outcome:?}");
            assert_eq!(workshop.read("base/a.yaml"), a, "{told}");
        }
    }
}

#[test]
fn only_files_that_are_named_are_written() {
    if !has("kubectl") {
        return;
    }
    let overlay = "resources: [../base]\nimages: [{ name: redis, newTag: \"7\" }]\n";
    let workshop = workshop(
        "written-named",
        &[
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", &pod("a", "redis:6")),
            ("o/kustomization.yaml", overlay),
        ],
    );
    for arguments in ["base", ". --exclude o"] {
        let outcome = fix(&workshop, arguments);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(
            outcome
                .stdout
                .contains("`o/kustomization.yaml` is not among the paths"),
            "{outcome:?}"
        );
        assert_eq!(workshop.read("o/kustomization.yaml"), overlay);
    }
    assert_eq!(fix(&workshop, "o").code, 0);
    assert!(
        workshop
            .read("o/kustomization.yaml")
            .contains("newName: ghcr.io/hub/library/redis")
    );
    assert_eq!(workshop.read("base/a.yaml"), pod("a", "redis:6"));
}

#[test]
fn values_are_written_if_rendering_again_proves_them() {
    if !has("helm") {
        return;
    }
    let workshop = Workshop::repository("helm", "written-helm");
    let diff = workshop.run("fix --diff .");
    insta::assert_snapshot!("written_helm", diff.shown());
    assert_eq!(workshop.run("fix charts/web charts/edge").code, 0);
    let report = workshop.json("check charts/web charts/edge");
    let left = report["findings"].as_array().unwrap().iter();
    let left: Vec<_> = left
        .map(|found| found["message"].as_str().unwrap())
        .collect();
    assert!(
        left.iter()
            .all(|message| !message.contains("use `registry.example.com")),
        "{left:?}"
    );
    // A template that makes something else of the value, too.
    let template = "apiVersion: v1\nkind: Pod\nmetadata: { name: a, labels: { of: \"{{ .Values.image.repository }}\" } }\nspec: { containers: [{ name: a, image: \"{{ .Values.image.repository }}:1\" }] }\n";
    let workshop = workshop_chart("written-label", template, "image: { repository: redis }\n");
    let outcome = fix(&workshop, ".");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("it would change what else `c` builds"),
        "{outcome:?}"
    );
    assert_eq!(
        workshop.read("c/values.yaml"),
        "image: { repository: redis }\n"
    );
}

fn workshop_chart(name: &str, template: &str, values: &str) -> Workshop {
    workshop(
        name,
        &[
            ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
            ("c/templates/a.yaml", template),
            ("c/values.yaml", values),
        ],
    )
}

/// A workload and its Pod, as a cluster has them.
fn live(name: &str, namespace: &str, image: &str) -> [Value; 2] {
    let spec = json!({ "containers": [{ "name": "app", "image": image }] });
    [
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": namespace }, "spec": { "selector": {}, "template": { "spec": spec } } }),
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("{name}-1"), "namespace": namespace, "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": "1", "controller": true }] }, "spec": spec,
            "status": { "containerStatuses": [{ "name": "app", "image": image, "imageID": "redis@sha256:1", "ready": true, "restartCount": 0, "state": { "running": {} } }] } }),
    ]
}

fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name} }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          image: {image}\n"
    )
}

#[test]
fn drift_compares_builds_and_writes_into_the_images_of_the_root() {
    if !has("kubectl") {
        return;
    }
    let base = deployment("web", "redis:6.0");
    for (own, wanted) in [
        ("", "images:\n  - name: redis\n    newTag: \"7.2\"\n"),
        (
            "images:\n- name: redis\n  newTag: \"7.0\"\n",
            "images:\n- name: redis\n  newTag: \"7.2\"\n",
        ),
        (
            "images:\n- name: other\n  newTag: \"1\" # last\nnameSuffix: ''\n",
            "images:\n- name: other\n  newTag: \"1\" # last\n- name: redis\n  newTag: \"7.2\"\nnameSuffix: ''\n",
        ),
        (
            "images: [{ name: other, newTag: '1' }]\n",
            "images: [{ name: other, newTag: '1' }, { name: redis, newTag: \"7.2\" }]\n",
        ),
        (
            "images: []\n",
            "images: [{ name: redis, newTag: \"7.2\" }]\n",
        ),
    ] {
        let head = "resources: [../base]\nnamespace: prod\n";
        let workshop = workshop(
            "written-drift",
            &[
                ("base/kustomization.yaml", "resources: [web.yaml]\n"),
                ("base/web.yaml", &base),
                (
                    "dev/kustomization.yaml",
                    "resources: [../base]\nnamespace: dev\n",
                ),
            ],
        );
        workshop.file("prod/kustomization.yaml", format!("{head}{own}"));
        let mut items = live("web", "prod", "redis:7.2").to_vec();
        items.extend(live("web", "dev", "redis:6.0"));
        workshop.file(
            "live.json",
            json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string(),
        );
        let report = workshop.json("drift --git . --exclude live.json --cluster live.json");
        let rows = report["rows"].as_array().unwrap();
        let states: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row["namespace"].as_str().unwrap(),
                    row["isDifference"].as_bool().unwrap(),
                )
            })
            .collect();
        assert_eq!(states, [("dev", false), ("prod", true)], "{report}");
        let outcome = workshop
            .run("drift -s allow.yaml --git . --exclude live.json --cluster live.json --write");
        assert!(
            outcome
                .stderr
                .contains("written: `redis:7.2` in `images` of prod/kustomization.yaml"),
            "{outcome:?}"
        );
        assert_eq!(
            workshop.read("prod/kustomization.yaml"),
            format!("{head}{wanted}")
        );
        assert_eq!(workshop.read("base/web.yaml"), base);
        assert_eq!(
            workshop
                .run("drift --git . --exclude live.json --cluster live.json")
                .code,
            0
        );
    }
}

#[test]
fn drift_writes_nothing_that_would_change_another_image() {
    if !has("kubectl") {
        return;
    }
    let workshop = workshop(
        "written-drift-two",
        &[
            (
                "kustomization.yaml",
                "resources: [a.yaml, b.yaml]\nnamespace: prod\n",
            ),
            ("a.yaml", &deployment("a", "redis:6.0")),
            ("b.yaml", &deployment("b", "redis:6.0")),
        ],
    );
    let mut items = live("a", "prod", "redis:7.2").to_vec();
    items.extend(live("b", "prod", "redis:6.0"));
    workshop.file(
        "live.json",
        json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string(),
    );
    let before = texts(&workshop.0);
    let outcome =
        workshop.run("drift -s allow.yaml --git . --exclude live.json --cluster live.json --write");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("a.yaml:9:18: `redis:7.2` to write by hand: an entry in `images` would change other images too"), "{outcome:?}");
    assert_eq!(texts(&workshop.0), before);
}

#[test]
fn without_a_tool_fix_and_drift_say_so_and_write_nothing() {
    let workshop = workshop(
        "written-no-tool",
        &[
            ("kustomization.yaml", "resources: [a.yaml]\n"),
            ("a.yaml", &deployment("a", "redis:6.0")),
            (
                "live.json",
                "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}",
            ),
        ],
    );
    let before = texts(&workshop.0);
    for arguments in [
        "fix -s settings.yaml .",
        "drift -s allow.yaml --git . --exclude live.json --cluster live.json --write",
    ] {
        let mut command = workshop.command(".", arguments);
        let outcome = outcome(command.env("PATH", "/none"), "");
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(
            outcome.stderr.contains("1 kustomization is not built"),
            "{outcome:?}"
        );
        assert_eq!(texts(&workshop.0), before);
    }
}

/// A part of a random repository: kustomizations over one another, with whatever may decide images. Most have an
/// entry that would not make an image any more, or would make another one too, once it is changed below.
fn repository() -> impl Strategy<Value = Vec<(String, String)>> {
    let image = prop::sample::select(vec![
        "redis:6",
        "redis:6",
        "redis:6",
        "nginx",
        "ghcr.io/org/app:1",
        "bitnami/redis:7",
        "quay.io/a/b@sha256:d2fbc4ec70d8aa2050dd91a91506e998765e86c96f32cffb56c503c9c34eed5b",
    ]);
    let entry = prop::sample::select(vec![
        "{ name: redis, newTag: '7' }",
        "{ name: redis, newName: nginx }",
        "{ name: nginx, newName: bitnami/nginx, newTag: '1' }",
        "{ name: ghcr.io/hub/library/redis, newTag: x }",
        "{ name: ghcr.io/hub/library/redis, newTag: x }",
        "{ name: bitnami/redis, newName: ghcr.io/org/redis }",
    ]);
    let layer = (
        prop::collection::vec(entry, 0..3),
        prop::option::of((0..2usize, image.clone())),
        prop::bool::weighted(0.7),
    );
    let base = prop::collection::vec(image, 1..3);
    (base, prop::collection::vec(layer, 1..5)).prop_map(|(images, layers)| {
        let mut files = vec![("settings.yaml".to_owned(), SETTINGS.to_owned())];
        let containers = images.iter().enumerate();
        let containers: Vec<_> = containers.map(|(index, image)| format!("  - name: c{index}\n    image: {image}\n")).collect();
        let containers = containers.concat();
        files.push(("k0/a.yaml".to_owned(), format!("apiVersion: v1\nkind: Pod\nmetadata: {{ name: a }}\nspec:\n  containers:\n{containers}")));
        for (index, (entries, patch, on_base)) in layers.into_iter().enumerate() {
            let below = match index {
                0 => "a.yaml".to_owned(),
                _ if on_base => "../k0".to_owned(),
                _ => format!("../k{}", index - 1),
            };
            let mut text = format!("resources: [{below}]\nnamePrefix: p{index}-\nimages: [{}]\n", entries.join(", "));
            if let Some((container, image)) = patch.filter(|(container, _)| *container < images.len()) {
                let target = "target: { kind: Pod }";
                text.extend([format!("patches:\n- {target}\n  patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata: {{ name: x }}\n    spec: {{ containers: [{{ name: c{container}, image: '{image}' }}] }}\n")]);
            }
            files.push((format!("k{index}/kustomization.yaml"), text));
        }
        files
    })
}

/// The builds of a repository with every image mirrored, where it has a mirror.
fn mirrored(build: &str) -> String {
    let lines = build.lines().map(|line| match line.split_once("image: ") {
        Some((lead, image)) => {
            let first = image.split('/').next().unwrap();
            let is_elsewhere = first.contains('.') && image.contains('/');
            match (is_elsewhere, image.contains('/')) {
                (true, _) => line.to_owned(),
                (false, true) => format!("{lead}image: ghcr.io/hub/{image}"),
                (false, false) => format!("{lead}image: ghcr.io/hub/library/{image}"),
            }
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_fix_leaves_each_root_equal_but_for_mirrored_images() {
    if !has("kubectl") {
        return;
    }
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let (written, left) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    runner
        .run(&repository(), |files| {
            let workshop = Workshop::work_tree("written-random");
            for (name, contents) in &files {
                workshop.file(name, contents);
            }
            let folders: Vec<_> = files
                .iter()
                .filter_map(|(name, _)| name.strip_suffix("/kustomization.yaml"))
                .collect();
            let before: Vec<_> = folders
                .iter()
                .map(|folder| build(&workshop, folder))
                .collect();
            let texts_before = texts(&workshop.0);
            let outcome = fix(&workshop, ".");
            prop_assert!(
                outcome.code < 2 || before.iter().any(Option::is_none),
                "{outcome:?}"
            );
            written.set(written.get() + usize::from(texts(&workshop.0) != texts_before));
            let is_left = outcome.stdout.contains("it would change what else");
            left.set(left.get() + usize::from(is_left));
            // Roots are those that no other includes.
            for (folder, before) in folders.iter().zip(before) {
                let is_included = files
                    .iter()
                    .any(|(_, text)| text.contains(&format!("../{folder}]")));
                let (false, Some(before)) = (is_included, before) else {
                    continue;
                };
                let after = build(&workshop, folder);
                prop_assert!(after.is_some(), "{folder}: {outcome:?}");
                let after = after.unwrap();
                for ((before, after), mirror) in before
                    .lines()
                    .zip(after.lines())
                    .zip(mirrored(&before).lines())
                {
                    prop_assert!(
                        before == after || after == mirror,
                        "{folder}: {before} became {after}, not {mirror}: {outcome:?}"
                    );
                }
                prop_assert_eq!(before.lines().count(), after.lines().count());
            }
            Ok(())
        })
        .unwrap();
    // It is the comparison of the builds that leaves them equal.
    assert!(written.get() > 5 && left.get() > 0, "{written:?} {left:?}");
}
