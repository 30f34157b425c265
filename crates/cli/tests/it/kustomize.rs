//! Files that kustomize decides about are never written where kustomizations are not built.

use serde_json::json;

use crate::command::{Outcome, Workshop};

const SETTINGS: &str = "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\n";

fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name}, namespace: prod }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          image: {image}\n"
    )
}

/// A work tree with settings and files, each with the image `redis:6.0`.
fn workshop(name: &str, files: &[&str]) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file(".rollout-guard.yaml", "kustomize: off\nhelm: off\n");
    for (position, file) in files.iter().enumerate() {
        workshop.file(file, deployment(&format!("d{position}"), "redis:6.0"));
    }
    workshop
}

fn is_written(workshop: &Workshop, file: &str) -> bool {
    workshop
        .read(file)
        .contains("ghcr.io/hub/library/redis:6.0")
}

fn fix(workshop: &Workshop, arguments: &str) -> Outcome {
    workshop.run(&format!("fix -s settings.yaml {arguments}"))
}

#[test]
fn a_base_is_left_with_the_command_that_shows_the_build() {
    let workshop = workshop("kustomize-base", &["base/redis.yaml", "other/plain.yaml"]);
    workshop
        .file("base/kustomization.yaml", "resources: [redis.yaml]\n")
        .file(
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\nimages: [{ name: redis, newTag: \"7.2\" }]\n",
        );
    let outcome = fix(&workshop, ".");
    assert!(!is_written(&workshop, "base/redis.yaml"));
    assert!(is_written(&workshop, "other/plain.yaml"));
    insta::assert_snapshot!("kustomize", outcome.shown());
    // Wherever it is asked from, and however the file is named.
    for (folder, path) in [
        ("base", "."),
        ("base", "redis.yaml"),
        (".", "base/redis.yaml"),
        ("overlays", "../base"),
    ] {
        let outcome = workshop.run_in(
            folder,
            &format!("fix -s {}/settings.yaml {path}", workshop.0.display()),
        );
        assert_eq!(outcome.code, 1, "{folder} {path}: {outcome:?}");
        assert!(!is_written(&workshop, "base/redis.yaml"));
        let command = if folder == "." {
            "kustomize build overlays/prod"
        } else {
            "kustomize build "
        };
        assert!(outcome.stdout.contains(command), "{outcome:?}");
    }
    let outcome = workshop.run_in("base", "fix -s ../settings.yaml . --diff");
    assert_eq!(outcome.stdout, "");
    // Nothing to change there is nothing to report.
    workshop.file("base/redis.yaml", deployment("d", "ghcr.io/org/redis:6"));
    assert_eq!(fix(&workshop, "base").code, 0);
}

#[test]
fn every_field_that_includes_files_counts() {
    for (field, included) in [
        ("resources: [a.yaml]", true),
        ("resources:\n- ./sub/../a.yaml", true),
        ("components: [c]", true),
        ("bases: [c]", true),
        (
            "patches: [{ path: a.yaml, target: { kind: Deployment } }]",
            true,
        ),
        ("patchesStrategicMerge: [a.yaml]", true),
        ("patchesJson6902: [{ path: a.yaml }]", true),
        ("replacements: [{ path: a.yaml }]", true),
        ("transformers: [a.yaml]", true),
        ("generators: [a.yaml]", true),
        (
            "configMapGenerator: [{ name: x, files: [app.yaml=a.yaml] }]",
            true,
        ),
        ("{\"resources\": [\"a.yaml\"]}", true),
        ("resources: [b.yaml]\nresources: [a.yaml]", true),
        ("resources: [a.yaml]\nresources: [b.yaml]", true),
        ("{{ if .x }}\nresources:\n- a.yaml\n", true),
        ("resources: [b.yaml]", false),
        ("resources: [https://example.com/a.yaml]", false),
        ("namePrefix: a.yaml", false),
        ("patches: [{ patch: \"a.yaml\" }]", false),
    ] {
        for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
            let workshop = workshop("kustomize-fields", &["a.yaml"]);
            workshop
                .file(name, field)
                .file("sub/x", "")
                .file("c/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [../a.yaml]\n");
            if !field.contains("[c]") {
                std::fs::remove_dir_all(workshop.0.join("c")).unwrap();
            }
            let outcome = fix(&workshop, "a.yaml");
            assert_eq!(
                is_written(&workshop, "a.yaml"),
                !included,
                "{name}: {field}: {outcome:?}"
            );
            assert_eq!(
                outcome.code,
                i32::from(included),
                "{name}: {field}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_chart_that_a_kustomization_renders_is_left() {
    let workshop = workshop(
        "kustomize-chart",
        &[
            "charts/web/templates/a.yaml",
            "charts/other/templates/b.yaml",
            "values.yaml",
        ],
    );
    workshop.file(
        "kustomization.yaml",
        "helmCharts: [{ name: web, valuesFile: values.yaml }]\n",
    );
    let outcome = fix(&workshop, ".");
    assert_eq!(outcome.code, 1);
    assert!(!is_written(&workshop, "charts/web/templates/a.yaml"));
    assert!(!is_written(&workshop, "values.yaml"));
    assert!(is_written(&workshop, "charts/other/templates/b.yaml"));
}

#[test]
fn untracked_and_unlisted_kustomizations_count_too() {
    let workshop = workshop("kustomize-untracked", &["base/a.yaml", "deep/b.yaml"]);
    workshop
        .file(".gitignore", "hidden/\n")
        .file("base/kustomization.yaml", "resources: [a.yaml]\n")
        .file("overlay/kustomization.yaml", "components: [../hidden]\n")
        .file("hidden/kustomization.yaml", "resources: [../deep/b.yaml]\n")
        .link("base/a.yaml", "link.yaml");
    assert_eq!(
        fix(&workshop, "base link.yaml deep --exclude overlay").code,
        1
    );
    assert!(!is_written(&workshop, "base/a.yaml"));
    assert!(!is_written(&workshop, "deep/b.yaml"));
}

#[test]
fn drift_does_not_write_into_a_base() {
    let workshop = workshop("kustomize-drift", &["base/a.yaml", "plain/b.yaml"]);
    workshop
        .file("allow.yaml", "registries: { allow: [docker.io] }\n")
        .file("base/kustomization.yaml", "resources: [a.yaml]\n")
        .file(
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\n",
        );
    let live: Vec<_> = ["d0", "d1"]
        .iter()
        .flat_map(|name| {
            let spec = json!({ "containers": [{ "name": "app", "image": "redis:7.2" }] });
            [
                json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "prod" }, "spec": { "selector": {}, "template": { "spec": spec } } }),
                json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("{name}-1"), "namespace": "prod", "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": "1", "controller": true }] }, "spec": spec,
                    "status": { "containerStatuses": [{ "name": "app", "image": "redis:7.2", "imageID": "redis@sha256:1", "ready": true, "restartCount": 0, "state": { "running": {} } }] } }),
            ]
        })
        .collect();
    workshop.file(
        "live.json",
        json!({ "apiVersion": "v1", "kind": "List", "items": live }).to_string(),
    );
    for write in ["--write", "--write=spec"] {
        let outcome = workshop.run(&format!(
            "drift -s allow.yaml --git base plain --cluster live.json {write}"
        ));
        assert_eq!(workshop.read("base/a.yaml"), deployment("d0", "redis:6.0"));
        assert_eq!(workshop.read("plain/b.yaml"), deployment("d1", "redis:7.2"));
        assert!(
            outcome
                .stderr
                .contains("base/a.yaml:9:18: `redis:7.2` is not written: Kustomize decides"),
            "{outcome:?}"
        );
        assert!(
            outcome.stderr.contains("`kustomize build overlays/prod`"),
            "{outcome:?}"
        );
    }
}
