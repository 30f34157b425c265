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
        "registries:\n  allow: [\"*.azurecr.io\", ghcr.io, ghcr.io/org]\nimages:\n  allow: [\"*\"]\ntags:\n  reject: [latest, \"lat*\", latest]\ndigests:\n  require: [\"quay.io/*\", quay.io/org/app]\nmirrors:\n  - { source: quay.io, mirror: mirror.example.com/quay }\n  - { source: docker.io, mirror: example.azurecr.io/hub }\n",
    );
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!("odd", outcome.shown());
}

#[test]
fn the_placeholder_of_a_bundle_is_told_as_long_as_it_stands() {
    let workshop = Workshop::new("settings-placeholder");
    let bundle = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../bundles/ack/settings.yaml"
    );
    let text = std::fs::read_to_string(bundle).unwrap();
    workshop.file("settings.yaml", &text);
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!("placeholder", outcome.shown());
    // Also with a port, in other letters, and in a list of images; not in another name.
    workshop.file(
        "settings.yaml",
        "registries: { allow: [\"EXAMPLE.azurecr.io:443\", myexample.azurecr.io, example.azurecr.io.example.com] }\nimages: { allow: [\"example.azurecr.io/*\"] }\n",
    );
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.stdout.matches("stands for a registry").count(), 2);
    workshop.file(
        "settings.yaml",
        text.replace("example.azurecr.io", "acme.azurecr.io"),
    );
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.stdout, "settings.yaml: valid\n");
}

/// An API server has `match: { fields: {} }` of this, once `kubectl apply` has made it.
#[test]
fn a_null_that_kubectl_apply_drops_from_a_policy_is_told() {
    let workshop = Workshop::new("settings-null");
    let settings = "annotations:\n  - match: { fields: { spec.loadBalancerClass: null } }\n    requires: [{ when: { example.com/id: null }, then: { example.com/spec: \"!*\" } }]\n";
    let indented = settings.replace('\n', "\n    ");
    workshop
        .file("settings.yaml", settings)
        .file("policy.yaml", format!("apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: class }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  mutating: false\n  rules:\n    - {{ apiGroups: [\"\"], apiVersions: [v1], resources: [services], operations: [CREATE] }}\n  settings:\n    {indented}"));
    let outcome = workshop.run("settings policy.yaml");
    insta::assert_snapshot!("null", outcome.shown());
    // A file of settings is read as it stands.
    let outcome = workshop.run("settings settings.yaml");
    assert_eq!(outcome.stdout, "settings.yaml: valid\n");
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
    let others = "    - { apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [DELETE] }\n  settings:";
    workshop.file(
        "policy.yaml",
        policy("UPDATE").replace("  settings:", others),
    );
    let outcome = workshop.run("settings policy.yaml");
    let told = "warning: the rules of the policy lack `DELETE` for `apps/Deployment`, so that it is never asked\n  --> policy.yaml:13:61\n";
    assert!(outcome.stdout.starts_with(told), "{outcome:?}");
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
        "registries: { allow: [\"*.azurecr.io\"], action: warn }\nimages: { reject: [\"docker.io/library/redis:6*\"] }\ntags: { reject: [latest] }\ndigests: { require: [\"ghcr.io/*\"], forbid: [\"registry.example.com/*\"] }\nmirrors:\n  - { source: docker.io/library, mirror: registry.example.com/library, digest: drop, pullSecrets: [pull], checkExists: true, match: { namespaces: [\"prod-*\"] } }\n  - { source: \"*\", mirror: \"registry.example.com/cache/{registry}/{repository}\" }\nonUpdate: all\nimagePaths: [{ kind: apps.kruise.io/ImagePullJob, path: spec.image }]\nexemptions:\n  - { name: system, match: { namespaces: [kube-system] }, images: [\"registry.k8s.io/*\"], reason: bootstrap }\ndocsUrl: https://wiki.example.com/images\nannotations:\n  - name: load-balancers\n    match: { kinds: [core/Service], fields: { spec.type: LoadBalancer, spec.loadBalancerClass: null }, oldFields: { \"status.loadBalancer.ingress\": \"*\" }, labels: { tier: edge } }\n    prefix: example.com/\n    aliasPrefixes: [old.example.com/]\n    required: [team]\n    requireAny: [[a, b]]\n    denied: [\"*-snippet\"]\n    allowed: [team, a, b, c, d, e]\n    values: { c: { oneOf: [v, w], default: v }, d: { pattern: \"[0-9]+\" }, e: { default: z } }\n    conflicting: [[a, b]]\n    requires: [{ when: { a: \"*\" }, then: { b: null, c: \"x*\" } }]\n    immutable: [a]\n    createOnly: [b]\n    keep: [c]\n    action: remove\n    message: ask us\n  - { target: podTemplate, criteria: containsAllOf, values: [team], action: warn }\n  - { target: both, allowed: [team], action: warn }\nchanges:\n  - name: git\n    match: { kinds: [apps/Deployment], namespaces: [prod], names: [web], operations: [UPDATE], users: [jane], groups: [ops] }\n    guard: [images, \"annotations:*\"]\n    allowUsers: [\"preset:argocd\"]\n    allowGroups: [break-glass]\n    denyFieldManagers: [kubectl-edit]\n    requireAnnotations: [example.com/why]\n    allowRestart: true\n    guardDelete: true\n    action: warn\n    message: say why\n  - { guard: [spec] }\n  - { match: { kinds: [core/Secret] }, guardDelete: true }\ndrift: { lastApplied: reject }\n",
    );
    let outcome = workshop.run("settings --explain settings.yaml");
    insta::assert_snapshot!("explained", outcome.shown());
}

#[test]
fn items_of_lists_are_explained_and_held_against_each_other() {
    let workshop = Workshop::new("settings-items");
    workshop.file(
        "settings.yaml",
        "registries:\n  - { name: all, match: { except: { namespaces: [lab], labels: { tier: batch } } }, allow: [ghcr.io] }\n  - { name: lab, match: { namespaces: [lab] }, allow: [ghcr.io, quay.io, \"*\"] }\nimages:\n  - { reject: [redis] }\n  - { match: { namespaces: [prod] }, allow: [redis, \"ghcr.io/*\"] }\ntags:\n  - { allow: [\"v*\"] }\n  - { name: team, match: { namespaces: [team] }, allow: [stable], reject: [a, \"*a\"], action: warn }\ndigests: { name: pinned, match: { kinds: [Pod] }, require: [\"ghcr.io/*\"] }\nmirrors:\n  - { source: docker.io/bitnami, mirror: docker.io/bitnamilegacy, rewrite: never }\n",
    );
    let outcome = workshop.run("settings --explain --validate settings.yaml");
    insta::assert_snapshot!("items", outcome.shown());
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
