//! `rollout-guard test`: suites, their coverage, and modules that say something else.

use serde_json::Value;

use crate::command::{Outcome, Workshop};

const SETTINGS: &str = "\
registries:
  allow: [registry.example.com, ghcr.io]
mirrors:
  - { source: docker.io/library, mirror: registry.example.com/hub, checkExists: true }
annotations:
  - { name: team, match: { kinds: [core/Service] }, required: [team] }
  - { name: snippets, match: { kinds: [networking.k8s.io/Ingress] }, denied: [\"*-snippet\"], action: remove }
changes:
  - { name: git, match: { kinds: [apps/Deployment] }, guard: [images], allowUsers: [argocd] }
exemptions:
  - { name: system, match: { namespaces: [kube-system] } }
";

const SUITE: &str = r#"settings: settings.yaml
cases:
  - name: a mirror
    manifest: &pod { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: redis }] } }
    expect: { images: [registry.example.com/hub/redis] }
  - name: a mirror that lacks the image
    manifest: *pod
    missing: [registry.example.com/hub/redis]
    expect:
      violations: [{ code: registry-not-allowed, at: "spec.containers[0].image", message: docker.io }]
      warnings: [mirror-missing]
  - name: another registry
    manifest: *pod
    patch: { "spec.containers[0].image": "ghcr.io/org/app:1" }
    expect: { accepted: true, warnings: [] }
  - name: a registry that nobody named, in a namespace that is exempt
    manifest: *pod
    patch: { "spec.containers[0].image": "quay.io/org/app:1" }
    request: { namespace: kube-system }
    expect: { accepted: true, exempted: [system] }
  - name: the same elsewhere
    manifest: *pod
    patch: { "spec.containers[0].image": "quay.io/org/app:1" }
    expect: { violations: [registry-not-allowed] }
  - name: a Service says its team
    manifest: manifests.yaml
    object: Service/web
    expect: { violations: [{ code: annotation-required, at: metadata.annotations.team }] }
  - name: a snippet goes
    manifest: manifests.yaml
    object: Ingress/web
    expect:
      annotations: { nginx.ingress.kubernetes.io/server-snippet: null, keep: me }
      fields: { spec.ingressClassName: nginx }
  - name: somebody changes an image
    manifest: &deployment
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: a }
      spec: { template: { spec: { containers: [{ name: a, image: "ghcr.io/org/app:1" }] } } }
    request: { operation: UPDATE, user: jane }
    patch: { "spec.template.spec.containers[0].image": "ghcr.io/org/app:2" }
    expect: { violations: [change-not-allowed] }
  - name: Argo CD changes an image
    manifest: *deployment
    request: { operation: UPDATE, user: argocd }
    patch: { "spec.template.spec.containers[0].image": "ghcr.io/org/app:2" }
    expect: { accepted: true }
  - name: the audit scanner asks
    manifest: *pod
    request: { audit: true }
    expect: { violations: [registry-not-allowed] }
  - name: a request of a cluster
    manifest: review.json
    expect: { accepted: true }
"#;

const MANIFESTS: &str = "\
apiVersion: v1
kind: Service
metadata: { name: web }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, annotations: { nginx.ingress.kubernetes.io/server-snippet: x, keep: me } }
spec: { ingressClassName: nginx }
";

const REVIEW: &str = r#"{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": { "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" }, "resource": { "group": "", "version": "v1", "resource": "pods" }, "operation": "CREATE", "userInfo": { "username": "jane" }, "object": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "a", "image": "ghcr.io/org/app" }] } } } }"#;

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("policy/settings.yaml", SETTINGS)
        .file("policy/manifests.yaml", MANIFESTS)
        .file("policy/review.json", REVIEW)
        .file("policy/suite.yaml", SUITE);
    workshop
}

#[test]
fn a_suite_passes_and_covers_everything() {
    let workshop = workshop("suite-passes");
    let report = workshop.run("test -v policy");
    insta::assert_snapshot!("suite_passes", report.shown());
    assert_eq!(report.code, 0);
    assert_eq!(workshop.run("test --fail-under 100").code, 0);
}

/// Whatever a case expects, something else is told, with its line.
#[test]
fn what_is_not_as_expected_is_told() {
    let workshop = workshop("suite-fails");
    let wrong = SUITE
        .replace(
            "images: [registry.example.com/hub/redis]",
            "images: [redis]",
        )
        .replace("warnings: [mirror-missing]", "warnings: []")
        .replace("message: docker.io", "message: quay.io")
        .replace("exempted: [system]", "exempted: []")
        .replace(
            "keep: me }\n      fields: { spec.ingressClassName: nginx",
            "keep: null }\n      fields: { spec.ingressClassName: other",
        )
        .replace(
            "expect: { violations: [change-not-allowed] }",
            "expect: { accepted: true }",
        )
        .replace(
            "user: argocd }\n    patch",
            "user: argocd }\n    old: null\n    patch",
        )
        .replace(
            "expect: { violations: [{ code: annotation-required, at: metadata.annotations.team }] }",
            "expect: { violations: [{ code: annotation-required, at: spec }] }",
        );
    workshop.file("policy/suite.yaml", wrong);
    let report = workshop.run("test policy");
    assert_eq!(report.code, 1);
    insta::assert_snapshot!("suite_fails", report.shown());
    let json = workshop.json("test policy");
    assert_eq!(json["failed"], 7, "{json:#}");
    let junit = workshop.run("test --format junit policy").stdout;
    assert!(junit.contains("failures=\"7\""), "{junit}");
}

#[test]
fn entries_that_no_case_would_miss_are_told() {
    let workshop = workshop("suite-coverage");
    let settings = SETTINGS.replace(
        "ghcr.io]",
        "ghcr.io, quay.io/other, registry.example.com/below]",
    );
    workshop.file("policy/settings.yaml", settings);
    let report = workshop.run("test --fail-under 90 policy");
    assert_eq!(report.code, 1);
    insta::assert_snapshot!("suite_coverage", report.shown());
    assert_eq!(workshop.run("test --fail-under 80 policy").code, 0);
    assert_eq!(workshop.run("test --fail-under 101 policy").code, 2);
}

/// Names of annotations are relative to the prefix, everywhere in a suite.
#[test]
fn annotations_are_named_as_in_a_rule() {
    let workshop = Workshop::new("suite-annotations");
    let suite = |expect: &str| {
        format!(
            "settings: {{ annotations: [{{ name: lb, prefix: example.com/lb-, denied: [old, ancient], required: [team] }}, {{ name: rest, denied: [plain] }}] }}\n\
             prefix: example.com/lb-\n\
             cases:\n  \
             - name: a\n    \
             manifest: {{ apiVersion: v1, kind: Service, metadata: {{ name: a, annotations: {{ example.com/lb-size: s }} }} }}\n    \
             annotations: {{ old: \"1\", ancient: \"2\", size: null, example.org/other: \"3\" }}\n    \
             expect: {expect}\n"
        )
    };
    let afterwards = "annotations: { old: \"1\", size: null, example.org/other: \"3\" }";
    let violations = |first: &str, second: &str| {
        format!(
            "{{ {afterwards}, violations: [{{ code: annotation-denied, annotation: {first} }}, {{ code: annotation-required, annotation: {second} }}] }}"
        )
    };
    for (expect, code) in [
        (violations("[old, example.com/lb-ancient]", "team"), 0),
        // Each name in a list stands for a violation of its own.
        (violations("old", "team"), 1),
        (violations("[old, ancient]", "old"), 1),
        (violations("[]", "team"), 2),
        (violations("[old, ancient], at: spec", "team"), 2),
        (
            "{ accepted: false, annotations: { size: s } }".to_owned(),
            1,
        ),
    ] {
        workshop.file("suite.yaml", suite(&expect));
        let told = workshop.run("test");
        assert_eq!(told.code, code, "{expect}\n{told:?}");
    }
}

#[test]
fn mistakes_in_a_suite_are_shown_in_their_lines() {
    let workshop = workshop("suite-mistakes");
    workshop.file(
        "policy/suite.yaml",
        "settings: [settings.yaml]\ncase: []\ncases:\n  - nme: a\n    manifest: nowhere.yaml\n    request: { operation: CHANGE, groups: [a], audit: yes please }\n    patch: { spec..x: 1 }\n    expect: {}\n  - name: b\n    manifest: manifests.yaml\n    expect: { accepted: true, violations: [tag-rejectd, { at: x }] }\n  - name: c\n    manifest: manifests.yaml\n    object: Service/other\n    expect: { accepted: yes, annotations: { a: 1 } }\n",
    );
    let report = workshop.run("test policy");
    assert_eq!(report.code, 2);
    insta::assert_snapshot!("suite_mistakes", report.shown());
}

#[test]
fn nothing_tested_is_no_success() {
    let workshop = Workshop::new("suite-nothing");
    workshop.file("a.yaml", "a: 1\n");
    let code = |arguments: &str| workshop.run(arguments).code;
    assert_eq!(code("test"), 3);
    assert_eq!(code("test nowhere"), 2);
    workshop.file(
        "suite.yaml",
        "settings: { tags: { reject: [latest] } }\ncases: []\n",
    );
    assert_eq!(code("test"), 3);
    workshop.file(
        "suite.yaml",
        "settings: { tags: { rejct: [latest] } }\ncases: []\n",
    );
    assert_eq!(code("test"), 2);
}

/// A policy that no rule of is about a request accepts it for another reason than a suite may think.
#[test]
fn what_no_rule_asks_about_has_to_be_expected() {
    let workshop = Workshop::new("suite-rules");
    let policy = |mutating: bool| {
        format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: a }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  mutating: {mutating}\n  rules: [{{ apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE] }}]\n  settings:\n    mirrors: [{{ source: docker.io, mirror: registry.example.com/hub }}]\n"
        )
    };
    let suite = |settings: &str, expect: &str| {
        format!(
            "settings: {settings}\ncases:\n  - name: a\n    manifest: {{ apiVersion: v1, kind: Service, metadata: {{ name: a }} }}\n    expect: {expect}\n"
        )
    };
    workshop
        .file("mutating.yaml", policy(true))
        .file("validating.yaml", policy(false))
        .file("suite.yaml", suite("mutating.yaml", "{ accepted: true }"));
    let told = workshop.run("test");
    assert_eq!(told.code, 1);
    assert!(told.stdout.contains("write `asked: false`"), "{told:?}");
    workshop.file("suite.yaml", suite("mutating.yaml", "{ asked: false }"));
    assert_eq!(workshop.run("test").code, 0);

    // The validating policy sees what the mutating one made of the Pod; alone it would be refused.
    let pod = "manifest: { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: redis }] } }";
    let case = |settings: &str, expect: &str| {
        format!("settings: {settings}\ncases:\n  - name: a\n    {pod}\n    expect: {expect}\n")
    };
    workshop.file(
        "suite.yaml",
        case(
            "[validating.yaml, mutating.yaml]",
            "{ images: [registry.example.com/hub/library/redis] }",
        ),
    );
    let told = workshop.run("test");
    assert_eq!(told.code, 0, "{told:?}");
    workshop.file("suite.yaml", case("validating.yaml", "{ accepted: true }"));
    let told = workshop.run("test");
    assert!(told.stdout.contains("`mutating` is false"), "{told:?}");
}

#[test]
fn a_first_suite_is_what_the_settings_do() {
    let workshop = workshop("suite-init");
    let exists = workshop.run("test --init policy");
    assert_eq!(exists.code, 3);
    assert!(
        exists.stderr.contains("there is a suite already"),
        "{exists:?}"
    );
    std::fs::remove_file(workshop.0.join("policy/suite.yaml")).unwrap();
    let told = workshop.run("test --init policy");
    assert_eq!(told.code, 0, "{told:?}");
    insta::assert_snapshot!("suite_init", workshop.read("policy/suite.yaml"));
    let report = workshop.json("test policy");
    assert_eq!(report["failed"], 0, "{report:#}");
    assert_eq!(report["covered"], report["entries"], "{report:#}");
}

fn with_host(workshop: &Workshop, script: &str) -> Outcome {
    workshop
        .program("kwctl", script)
        .run_with_programs("test --module policy.wasm suite.yaml")
}

#[test]
fn a_module_that_says_something_else_is_told() {
    let workshop = Workshop::new("suite-module");
    workshop.file("policy.wasm", "").file(
        "suite.yaml",
        "settings: { tags: { reject: [latest] } }\ncases:\n  - name: a\n    manifest: { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: \"a:1\" }] } }\n    expect: { accepted: true }\n",
    );
    let same = with_host(
        &workshop,
        "echo '{\"uid\":\"\",\"allowed\":true,\"auditAnnotations\":null,\"warnings\":null}'",
    );
    assert_eq!(same.code, 0, "{same:?}");
    let other = with_host(
        &workshop,
        "echo '{\"uid\":\"\",\"allowed\":false,\"status\":{\"message\":\"no\",\"code\":403},\"warnings\":[\"no\"]}'",
    );
    assert_eq!(other.code, 1);
    for told in [
        "the module differs: accepted false, here true",
        "the module differs: message \"no\", here null",
        "the module differs: warnings [\"no\"], here []",
    ] {
        assert!(other.stdout.contains(told), "{other:?}");
    }
    let none = with_host(
        &workshop,
        "[ \"$1\" = --version ] || { echo 'no wasm' >&2; exit 1; }",
    );
    assert!(
        none.stdout.contains("the module gave no answer: no wasm"),
        "{none:?}"
    );
    assert_eq!(none.code, 1);
    let missing = workshop.run("test --module nowhere.wasm suite.yaml");
    assert_eq!(missing.code, 3);
}

/// The bundles of this repository do what their suites say, and their suites would miss every entry.
#[test]
fn the_bundles_do_what_their_suites_say() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let workshop = Workshop::new("suite-bundles");
    let told = workshop.run(&format!(
        "test --fail-under 100 --format json {root}/bundles"
    ));
    assert_eq!(told.code, 0, "{}", told.stdout);
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let tested = report["suites"].as_array().unwrap().len();
    let bundles = std::fs::read_dir(format!("{root}/bundles"))
        .unwrap()
        .count();
    assert_eq!(tested, bundles);
}

#[test]
fn the_suite_in_the_documentation_passes() {
    const PAGE: &str = include_str!("../../../../docs/cli.md");
    let (_, suite) = PAGE.split_once("\n```yaml suite\n").unwrap();
    let workshop = Workshop::new("suite-docs");
    workshop
        .file("suite.yaml", suite.split_once("```").unwrap().0)
        .file(
            "settings.yaml",
            "registries: { allow: [registry.example.com] }\nmirrors: [{ source: docker.io, mirror: registry.example.com }]\n\
             changes: [{ name: git, guard: [images], allowUsers: [argocd] }]\n\
             annotations: [{ name: lb, prefix: service.beta.kubernetes.io/, values: { aws-load-balancer-internal: { oneOf: [\"true\"] } } }]\n",
        )
        .file(
            "deploy/web.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: \
             [{ name: web, image: registry.example.com/web:1 }] } } }\n---\n{ apiVersion: v1, kind: Service, metadata: { name: web } }\n",
        );
    let told = workshop.run("test");
    assert_eq!(told.code, 0, "{told:?}");
}

/// What the playground writes passes, and fails once the settings say something else.
#[test]
fn a_suite_of_the_playground_passes() {
    let trial = |more: &str| {
        let json = format!(
            r#"{{ "settings": "registries: {{ allow: [ghcr.io] }}\nchanges: [{{ name: git, guard: [images], allowUsers: [argocd] }}]\n", "namespace": "prod", {more} }}"#
        );
        rollout_guard_manifests::trial::Trial::read(&json)
            .unwrap()
            .files()
            .suite
            .unwrap()
    };
    let pod = |image: &str| {
        format!(
            "apiVersion: v1\\nkind: Pod\\nmetadata: {{ name: a }}\\nspec: {{ containers: [{{ name: a, image: \\\"{image}\\\" }}] }}\\n"
        )
    };
    let (good, bad) = (pod("ghcr.io/a/b:1"), pod("redis"));
    let review = REVIEW.replace('"', "\\\"");
    let workshop = Workshop::new("suite-playground");
    for trial in [
        trial(&format!(
            r#""manifest": "{good}---\n{bad}", "user": "jane", "groups": ["dev"]"#
        )),
        trial(&format!(r#""manifest": "{bad}""#)),
        trial(&format!(
            r#""manifest": "{bad}", "old": "{good}", "operation": "UPDATE", "user": "jane""#
        )),
        trial(&format!(
            r#""manifest": "{bad}", "operation": "UPDATE", "user": "jane""#
        )),
        trial(&format!(
            r#""manifest": "{bad}", "operation": "DELETE", "user": "jane""#
        )),
        trial(&format!(r#""manifest": "{review}""#)),
    ] {
        workshop.file("suite.yaml", &trial);
        let told = workshop.run("test");
        assert_eq!(told.code, 0, "{trial}\n{told:?}");
        workshop.file(
            "suite.yaml",
            trial
                .replace("[ghcr.io]", "[ghcr.io, docker.io]")
                .replace("allow: [ghcr.io, docker.io]", "reject: [ghcr.io]"),
        );
        let told = workshop.run("test");
        assert!(
            told.code == 1 || trial.contains("DELETE"),
            "{trial}\n{told:?}"
        );
    }
}
