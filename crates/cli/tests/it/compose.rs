//! `rollout-guard compose`: settings that extend others, and what a change of settings does.

use crate::command::Workshop;

const PAGE: &str = include_str!("../../../../docs/cli.md");
const ACK: &str = include_str!("../../../../bundles/ack/settings.yaml");

const BUNDLE: &str = r#"registries:
  allow:
    - ghcr.io/org
    - acme.example.com
  reject: ["*/*/evil"]
tags: { reject: [latest] }
mirrors:
  - { source: docker.io/library, mirror: acme.example.com/library }
annotations:
  - name: no-snippets
    match: { kinds: [networking.k8s.io/Ingress] }
    denied: ["nginx.ingress.kubernetes.io/*-snippet"]
  - name: scheme
    prefix: example.com/
    values: { scheme: { oneOf: [internal] } }
"#;

const OWN: &str = r"registries:
  allow: [registry.example.com, ghcr.io/org]
tags: { reject: [edge], action: warn }
mirrors:
  - { source: docker.io, mirror: registry.example.com/hub }
annotations:
  - name: no-snippets
    disabled: true
    reason: the team of the ingress controller reviews them
  - name: scheme
    prefix: example.com/
    values: { scheme: { oneOf: [internal, internet-facing] } }
  - name: owner
    target: podTemplate
    required: [example.com/owner]
exemptions:
  - { name: platform, match: { namespaces: [kube-system] }, reason: must start first }
";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop.file("bundle.yaml", BUNDLE).file("own.yaml", OWN);
    workshop
}

#[test]
fn later_files_add_replace_and_disable() {
    let workshop = workshop("compose");
    let told = workshop.run("compose bundle.yaml own.yaml");
    assert_eq!(told.code, 0, "{told:?}");
    insta::assert_snapshot!("compose", told.shown());
    // What is written is what is meant.
    workshop.file("whole.yaml", &told.stdout);
    let whole = workshop.run("settings whole.yaml");
    assert_eq!(whole.code, 0, "{whole:?}");
    // Nothing is added a second time.
    let twice = workshop.run("compose whole.yaml bundle.yaml");
    assert_eq!(twice.stdout.matches("ghcr.io/org").count(), 1, "{twice:?}");
}

#[test]
fn weaker_settings_can_fail() {
    let workshop = workshop("compose-weaker");
    let told = workshop.run("compose --fail-on-weaker -o out.yaml bundle.yaml own.yaml");
    assert_eq!(told.code, 1);
    assert!(
        told.stderr.contains("weaker than bundle.yaml in 6 places"),
        "{told:?}"
    );
    workshop.file(
        "own.yaml",
        "registries: { reject: [\"*/*/worse\"] }\ntags: { reject: [edge], action: reject }\n",
    );
    let told = workshop.run("compose --fail-on-weaker -o out.yaml bundle.yaml own.yaml");
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
}

#[test]
fn the_page_extends_the_bundle_that_it_says() {
    let (_, own) = PAGE.split_once("\n```yaml own\n").unwrap();
    let (own, _) = own.split_once("\n```\n").unwrap();
    let workshop = Workshop::new("compose-page");
    workshop.file("bundle.yaml", ACK).file("own.yaml", own);
    let told = workshop.run("compose -o out.yaml bundle.yaml own.yaml");
    assert_eq!(told.code, 0, "{told:?}");
    for weaker in [
        "`registries.allow` also has `registry.example.com/team`",
        "`annotations`: `preserved` is disabled: our load balancers outlive their Services",
        "`annotations`: `reused-load-balancer` is replaced",
    ] {
        assert!(told.stderr.contains(weaker), "{told:?}");
    }
}

#[test]
fn what_lets_pass_what_others_refuse_is_weaker() {
    let workshop = workshop("compose-lifts");
    workshop.file(
        "own.yaml",
        "mirrors:\n  - { source: docker.io/library/redis, mirror: acme.example.com/redis }\n  - { source: quay.io, mirror: acme.example.com/quay, rewrite: never }\nannotations:\n  - { name: strip, denied: [\"nginx.ingress.kubernetes.io/*-snippet\"], action: remove }\n  - { denied: [a], action: remove }\n",
    );
    let told = workshop.run("compose --fail-on-weaker -o out.yaml bundle.yaml own.yaml");
    assert_eq!(told.code, 1, "{told:?}");
    insta::assert_snapshot!("compose_lifts", told.shown());
}

#[test]
fn scoped_sections_keep_their_items_apart() {
    let workshop = workshop("compose-scopes");
    workshop.file(
        "own.yaml",
        "registries:\n  - name: payments\n    match: { namespaces: [payments] }\n    allow: [ghcr.io/org/payments]\n",
    );
    let told = workshop.run("compose bundle.yaml own.yaml");
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    insta::assert_snapshot!("compose_scopes", told.stdout.split("tags:").next().unwrap());
}

#[test]
fn a_policy_stays_what_it_is_around_its_settings() {
    let workshop = workshop("compose-policy");
    workshop.file(
        "policy.yaml",
        "# Ours.\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: images }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  settings:\n    tags: { reject: [latest] }\n  rules: []\n  mutating: false\n",
    );
    workshop.file("own.yaml", "tags: { reject: [edge] }\n");
    let told = workshop.run("compose policy.yaml own.yaml");
    insta::assert_snapshot!("compose_policy", told.shown());
    // Comments with the key in them, and one that stands further left than what it is about.
    workshop.file(
        "policy.yaml",
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: images }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  settings: &all # these settings: ours\n    # settings: of images\n    registries:\n      allow: [ghcr.io]\n# the tags\n    tags: { reject: [latest] }\n  # not of the settings:\n  rules: []\n",
    );
    let told = workshop.run("compose policy.yaml own.yaml");
    insta::assert_snapshot!("compose_policy_comments", told.shown());
    let both = workshop.run("compose policy.yaml policy.yaml");
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn mistakes_are_shown_where_they_were_written() {
    let workshop = workshop("compose-mistakes");
    workshop.file(
        "own.yaml",
        "annotations:\n  - { name: no-snipets, disabled: true, reason: x }\n  - { name: scheme, disabled: true }\n  - { name: scheme, disabled: false, reason: x }\n  - { name: scheme, disabled: true, reason: x, denied: [a] }\n  - { disabled: true, reason: x }\n",
    );
    let told = workshop.run("compose bundle.yaml own.yaml");
    assert_eq!(told.code, 2);
    insta::assert_snapshot!("compose_mistakes", told.shown());
    workshop.file(
        "own.yaml",
        "registries: { alow: [x], allow: [\"https://ghcr.io\"] }\n",
    );
    let told = workshop.run("compose bundle.yaml own.yaml");
    assert_eq!(told.code, 2);
    insta::assert_snapshot!("compose_invalid", told.shown());
    for wrong in [
        "compose bundle.yaml",
        "compose --compare bundle.yaml own.yaml",
        "compose nowhere.yaml own.yaml",
    ] {
        let told = workshop.run(wrong);
        assert_eq!(told.code, 2, "{wrong}: {told:?}");
        assert_eq!(told.stderr.lines().count(), 1, "{wrong}: {told:?}");
    }
}

#[test]
fn two_versions_are_compared_over_manifests() {
    let workshop = workshop("compose-compare");
    let pod = |name: &str, image: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: {name}, annotations: {{ team: a }} }}\nspec: {{ containers: [{{ name: a, image: \"{image}\" }}] }}\n"
        )
    };
    workshop
        .file("deploy/all.yaml", [
            pod("stays", "ghcr.io/org/app:1"),
            pod("moves", "redis:7"),
            pod("opens", "registry.example.com/app:1"),
            pod("closes", "ghcr.io/org/app:edge"),
            pod("never", "quay.io/a/b:1"),
        ].concat())
        .file("old.yaml", "registries: { allow: [ghcr.io/org, a.example.com, b.example.com] }\nmirrors: [{ source: docker.io, mirror: a.example.com/hub }]\n")
        .file("new.yaml", "registries: { allow: [ghcr.io/org, a.example.com, b.example.com, registry.example.com] }\ntags: { reject: [edge] }\nmirrors: [{ source: docker.io, mirror: b.example.com/hub }]\n");
    let told = workshop.run("compose --compare old.yaml new.yaml deploy");
    assert_eq!(told.code, 0);
    insta::assert_snapshot!("compose_compare", told.shown());
    let told = workshop
        .run("compose --compare --format markdown --fail-on-weaker old.yaml new.yaml deploy");
    assert_eq!(told.code, 1);
    insta::assert_snapshot!("compose_compare_markdown", told.stdout);
    let same = workshop.run("compose --compare --fail-on-weaker old.yaml old.yaml deploy");
    assert_eq!(same.stdout, "No difference for 5 objects.\n");
    // Of what is still refused, what is refused no more; of two objects of a name, each.
    workshop
        .file(
            "twice/all.yaml",
            [
                pod("a", "redis:7"),
                pod("a", "quay.io/a:7"),
                pod("b", "redis:edge"),
            ]
            .concat(),
        )
        .file(
            "old.yaml",
            "registries: { reject: [docker.io, quay.io] }\ntags: { reject: [edge] }\n",
        )
        .file(
            "new.yaml",
            "registries: { reject: [docker.io] }\ntags: { reject: [never] }\n",
        );
    let told = workshop.run("compose --compare --fail-on-weaker old.yaml new.yaml twice");
    assert_eq!(told.code, 1);
    insta::assert_snapshot!("compose_compare_less", told.shown());
    workshop.file("deploy/bad.yaml", "kind: [\n");
    let part = workshop.run("compose --compare old.yaml new.yaml deploy");
    assert_eq!(part.code, 3, "{part:?}");
}
