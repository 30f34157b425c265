//! `rollout-guard settings`: mistakes, oddities, sentences.

use crate::command::Workshop;

#[test]
fn mistakes_are_shown_in_their_lines() {
    let workshop = Workshop::new("settings-mistakes");
    workshop.file(
        "settings.yaml",
        "# with a comment\nregistry: {}\ntags:\n  reject: [1.10, latest]\n  foo: 1\nimages: { allow: [ghcr.io], reject: [\"ghcr.io/org/App\"] }\nexemptions:\n  - name: x\n    match: { names: [y] }\n",
    );
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.code, 2);
    insta::assert_snapshot!("mistakes", outcome.shown());
}

#[test]
fn what_is_odd_is_told_and_valid() {
    let workshop = Workshop::new("settings-odd");
    workshop.file(
        "settings.yaml",
        "registries:\n  allow: [\"*.azurecr.io\", ghcr.io, ghcr.io/org]\nimages:\n  allow: [\"*\"]\ntags:\n  reject: [latest, \"lat*\", latest]\nmirrors:\n  - { source: quay.io, mirror: mirror.example.com/quay }\n  - { source: docker.io, mirror: example.azurecr.io/hub }\n",
    );
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!("odd", outcome.shown());
}

#[test]
fn a_policy_that_may_not_mutate_is_told() {
    let workshop = Workshop::new("settings-policy");
    workshop.file(
        "policy.yaml",
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: mirrors }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  mutating: false\n  rules:\n    - { apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE] }\n  settings:\n    mirrors:\n      - { source: docker.io, mirror: registry.example.com/hub }\n",
    );
    let outcome = workshop.run("settings policy.yaml");
    insta::assert_snapshot!("not_mutating", outcome.shown());
}

#[test]
fn a_policy_that_is_never_asked_about_what_it_guards_is_told() {
    let workshop = Workshop::new("settings-guard-delete");
    let policy = |operations: &str| {
        format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: git }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  mutating: false\n  rules:\n    - {{ apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [{operations}] }}\n  settings:\n    changes:\n      - {{ guard: [images] }}\n      - {{ match: {{ kinds: [apps/Deployment] }}, guardDelete: true }}\n"
        )
    };
    workshop.file("policy.yaml", policy("CREATE, UPDATE"));
    let outcome = workshop.run("settings policy.yaml");
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!("guard_delete", outcome.shown());
    for operations in ["UPDATE, DELETE", "\"*\""] {
        workshop.file("policy.yaml", policy(operations));
        let outcome = workshop.run("settings policy.yaml");
        let valid = "policy.yaml: valid (ClusterAdmissionPolicy git)\n";
        assert_eq!(outcome.stdout, valid, "{operations}");
    }
    // A file of settings alone does not say what it is asked about.
    workshop.file(
        "settings.yaml",
        "changes: [{ match: { kinds: [apps/Deployment] }, guardDelete: true }]\n",
    );
    assert_eq!(
        workshop.run("settings settings.yaml").stdout,
        "settings.yaml: valid\n"
    );
}

#[test]
fn settings_are_said_in_sentences() {
    let workshop = Workshop::new("settings-explain");
    workshop.file(
        "settings.yaml",
        "registries: { allow: [\"*.azurecr.io\"], action: warn }\nimages: { reject: [\"docker.io/library/redis:6*\"] }\ntags: { reject: [latest] }\ndigests: { require: [\"ghcr.io/*\"], forbid: [\"registry.example.com/*\"] }\nmirrors:\n  - { source: docker.io/library, mirror: registry.example.com/library, digest: drop, pullSecrets: [pull], checkExists: true, match: { namespaces: [\"prod-*\"] } }\n  - { source: \"*\", mirror: \"registry.example.com/cache/{registry}/{repository}\" }\nonUpdate: all\nimagePaths: [{ kind: apps.kruise.io/ImagePullJob, path: spec.image }]\nexemptions:\n  - { name: system, match: { namespaces: [kube-system] }, images: [\"registry.k8s.io/*\"], reason: bootstrap }\ndocsUrl: https://wiki.example.com/images\n",
    );
    let outcome = workshop.run("settings --explain settings.yaml");
    insta::assert_snapshot!("explained", outcome.shown());
}

#[test]
fn every_settings_file_of_the_examples_is_explained() {
    let workshop = Workshop::new("settings-examples");
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut count = 0;
    for example in std::fs::read_dir(examples).unwrap() {
        let file = example.unwrap().path().join("settings.yaml");
        let outcome = workshop.run(&format!("settings --explain --validate {}", file.display()));
        assert_eq!(outcome.code, 0, "{}: {outcome:?}", file.display());
        assert!(outcome.stdout.starts_with("- "), "{outcome:?}");
        count += 1;
    }
    assert!(count > 0);
}
