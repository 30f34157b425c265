//! `docs/install.md`: its manifests are what Kubewarden and the policy take.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::docs::{blocks, only, yaml};
use crate::manifest;

const PAGE: &str = include_str!("../../docs/install.md");
const LIVE: &str = include_str!("../../docs/live-cluster.md");

#[test]
fn every_manifest_fits_its_schema_and_its_settings_are_valid() {
    let mut kinds = BTreeSet::new();
    for block in blocks(PAGE)
        .iter()
        .chain(&blocks(LIVE))
        .filter(|block| block.info == "yaml manifest")
    {
        let manifest = yaml(block.text);
        assert_eq!(
            manifest::problems(&manifest),
            [""; 0],
            "line {}",
            block.line
        );
        kinds.insert(manifest["kind"].as_str().unwrap().to_owned());
    }
    let all = manifest::KINDS.map(|(kind, ..)| kind);
    assert!(kinds.iter().eq(all), "{kinds:?}");
}

#[test]
fn a_manifest_that_does_not_fit_is_told_from_one_that_does() {
    let manifests: Vec<_> = blocks(PAGE)
        .iter()
        .filter(|block| block.info == "yaml manifest")
        .map(|block| yaml(block.text))
        .collect();
    let of = |kind: &str| {
        manifests
            .iter()
            .find(|manifest| manifest["kind"] == kind)
            .unwrap()
    };
    for (kind, pointer, value) in [
        ("ClusterAdmissionPolicy", "/spec/mode", json!("watch")),
        ("ClusterAdmissionPolicy", "/spec/mutating", Value::Null),
        (
            "ClusterAdmissionPolicy",
            "/spec/settings/tags",
            json!({ "rejct": ["latest"] }),
        ),
        (
            "ClusterAdmissionPolicy",
            "/spec/settings/annotations",
            json!([{ "match": { "labels": { "a": null } }, "required": ["b"] }]),
        ),
        (
            "ClusterAdmissionPolicy",
            "/metadata/namespace",
            json!("shop"),
        ),
        ("AdmissionPolicy", "/spec/namespaceSelector", json!({})),
        (
            "AdmissionPolicy",
            "/spec/rules/0/resources",
            json!(["nodes"]),
        ),
        ("AdmissionPolicyGroup", "/spec/message", json!(1)),
        (
            "AdmissionPolicyGroup",
            "/spec/policies/ours/modul",
            json!("x"),
        ),
        (
            "ClusterAdmissionPolicyGroup",
            "/spec/policies/ours/module",
            json!("x"),
        ),
        (
            "ClusterAdmissionPolicyGroup",
            "/spec/policies/tagged/settings",
            json!({ "tags": 1 }),
        ),
        ("PolicyServer", "/spec/replicas", json!("two")),
        ("PolicyServer", "/spec/verificationConfig", json!({})),
        ("PolicyServer", "/kind", json!("Policyserver")),
        ("OCIRepository", "/spec/verify/provider", json!("nobody")),
        ("OCIRepository", "/spec/ref/tags", json!("v1")),
        ("OCIRepository", "/spec/url", json!("https://ghcr.io/x")),
        ("Kustomization", "/spec/prune", Value::Null),
        (
            "Kustomization",
            "/apiVersion",
            json!("kustomize.config.k8s.io/v1beta1"),
        ),
    ] {
        let mut broken = of(kind).clone();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        broken.pointer_mut(parent).unwrap()[last] = value;
        assert_ne!(manifest::problems(&broken), [""; 0], "{kind}{pointer}");
    }
}

/// policy-server's own form (`policy-server`, `config.rs`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ServerPolicy {
    module: String,
    policy_mode: Mode,
    allowed_to_mutate: bool,
    settings: Value,
    timeout_eval_seconds: u64,
    host_capabilities: Vec<String>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Monitor,
    Protect,
}

#[test]
fn policies_yml_is_what_policy_server_reads() {
    let policies: BTreeMap<String, ServerPolicy> =
        yaml_serde::from_str(only(PAGE, "yaml policies")).unwrap();
    for (name, policy) in policies {
        let problems = manifest::problems_of_policy(
            &json!({ "module": policy.module, "settings": policy.settings }),
        );
        assert_eq!(problems, [""; 0], "{name}");
        assert_ne!(
            policy.policy_mode,
            Mode::Protect,
            "{name}: the page begins with monitor"
        );
        assert!(policy.allowed_to_mutate && !policy.settings["mirrors"].is_null());
        assert!((2..=30).contains(&policy.timeout_eval_seconds));
        let metadata = yaml(include_str!("../../metadata.yml"));
        assert_eq!(
            json!(policy.host_capabilities),
            metadata["hostCapabilities"]
        );
    }
}

/// Kubewarden's own form (`policy-fetcher`, `verify/config.rs`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Verification {
    api_version: String,
    all_of: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", tag = "kind")]
enum Signature {
    GithubAction { owner: String, repo: String },
}

#[test]
fn verification_yml_names_this_repository() {
    let verification: Verification = yaml_serde::from_str(only(PAGE, "yaml verification")).unwrap();
    assert_eq!(verification.api_version, "v1");
    let [Signature::GithubAction { owner, repo }] = verification.all_of.as_slice() else {
        panic!("one signature");
    };
    assert_eq!(
        format!("https://github.com/{owner}/{repo}"),
        env!("CARGO_PKG_REPOSITORY")
    );
}

/// The workflow whose identity is verified is the one that signs.
#[test]
fn what_is_verified_is_what_the_release_signs() {
    let identity = r"^https://github\.com/rollout-guard/rollout-guard/\.github/workflows/release\.yml@refs/tags/v";
    assert_eq!(PAGE.matches(identity).count(), 2);
    let workflow = yaml(include_str!("../../.github/workflows/release.yml"));
    assert_eq!(workflow["on"]["push"]["tags"], json!(["v*"]));
    assert_eq!(workflow["env"]["REGISTRY"], "ghcr.io/rollout-guard");
}
