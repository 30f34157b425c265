//! What a policy says about itself: `metadata.yml`, and the custom section made of it.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The custom section that holds the metadata, as JSON.
pub const SECTION: &str = "io.kubewarden.metadata";

/// The annotation that holds the policy's documentation, in Markdown.
pub const USAGE: &str = "io.kubewarden.policy.usage";

/// The annotation that holds the address of the sources.
pub const SOURCE: &str = "io.kubewarden.policy.source";

/// The annotation that holds the version of the policy.
pub const VERSION: &str = "io.kubewarden.policy.version";
/// The annotation that holds the name of the policy.
pub const TITLE: &str = "io.kubewarden.policy.title";
/// The annotation that holds what the policy does, in a sentence.
pub const DESCRIPTION: &str = "io.kubewarden.policy.description";
/// The annotation that holds the authors, with their addresses.
pub const AUTHOR: &str = "io.kubewarden.policy.author";
/// The annotation that holds the address of the home page.
pub const URL: &str = "io.kubewarden.policy.url";
/// The annotation that holds the place in a registry, without a tag.
pub const OCI_URL: &str = "io.kubewarden.policy.ociUrl";
/// The annotation that holds the licence.
pub const LICENSE: &str = "io.kubewarden.policy.license";
/// The annotation that holds the title on Artifact Hub.
pub const DISPLAY_NAME: &str = "io.artifacthub.displayName";
/// The annotation that holds keywords, separated by commas.
pub const KEYWORDS: &str = "io.artifacthub.keywords";
/// The annotation that holds the kinds that the policy is about.
pub const RESOURCES: &str = "io.artifacthub.resources";
/// The annotation that hides the policy in Rancher's UI.
pub const HIDDEN_UI: &str = "io.kubewarden.hidden-ui";
/// The annotation that holds the tag of the release on GitHub.
pub const RELEASE_TAG: &str = "com.github.release.tag";

/// The annotation that names what annotated the policy. kwctl writes its bare version; the value
/// written here names this tool too, so that nobody takes it for a version of kwctl.
pub const ANNOTATOR: &str = "io.kubewarden.kwctl";

/// The metadata of a policy (`policy-evaluator`, `policy_metadata.rs`). Unknown keys are ignored,
/// as Kubewarden ignores them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "the metadata of a policy")]
pub struct Metadata {
    /// What the policy answers to `protocol_version`. Absent in `metadata.yml`.
    pub protocol_version: Option<ProtocolVersion>,
    /// Which requests the policy wants to see.
    pub rules: Vec<Rule>,
    /// Free texts by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Whether the policy changes objects.
    pub mutating: bool,
    /// Whether the audit scanner may run it.
    #[serde(default = "yes")]
    pub background_audit: bool,
    /// How the module is run.
    #[serde(default)]
    pub execution_mode: ExecutionMode,
    /// What it judges.
    #[serde(default)]
    pub policy_type: PolicyType,
    /// The Kubernetes resources that it reads.
    #[serde(default)]
    pub context_aware_resources: BTreeSet<ContextAwareResource>,
    /// The host capabilities that it uses. This informs, it grants nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_capabilities: Option<BTreeSet<String>>,
    /// The oldest Kubewarden that can run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_kubewarden_version: Option<Version>,
}

/// Kubewarden's protocol between policy and host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// The policy speaks none, as Rego policies do.
    Unknown,
    /// The only one there is.
    #[serde(rename = "v1")]
    V1,
}

/// How a module is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionMode {
    /// By waPC calls: the only mode of this host.
    #[default]
    #[serde(rename = "kubewarden-wapc")]
    KubewardenWapc,
    /// As Rego for Open Policy Agent.
    #[serde(rename = "opa")]
    Opa,
    /// As Rego for Gatekeeper.
    #[serde(rename = "gatekeeper")]
    Gatekeeper,
    /// As a WASI command.
    #[serde(rename = "wasi")]
    Wasi,
}

/// What a policy judges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyType {
    /// Requests to the Kubernetes API.
    #[default]
    Kubernetes,
    /// Any JSON.
    Raw,
}

/// The requests that a policy wants to see, as in a webhook configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a rule")]
pub struct Rule {
    /// `""` is the core group, `*` is all.
    pub api_groups: Vec<String>,
    /// Such as `v1`.
    pub api_versions: Vec<String>,
    /// Such as `pods`, `pods/status`, `*/scale`.
    pub resources: Vec<String>,
    /// What is done to them.
    pub operations: Vec<Operation>,
}

/// An operation of the Kubernetes API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// `CREATE`
    Create,
    /// `UPDATE`
    Update,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// All of them.
    #[serde(rename = "*")]
    All,
}

/// A kind that a policy reads from the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextAwareResource {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
}

/// What is wrong with metadata: every problem, each with its place.
#[derive(Debug, Error)]
#[error("{}", .0.join("; "))]
pub struct MetadataProblems(Vec<String>);

fn yes() -> bool {
    true
}

impl Metadata {
    /// Checks what `kwctl annotate` checks: the rules and the context-aware resources. kwctl asks
    /// for no annotation; Artifact Hub does, and `kwctl scaffold artifacthub` looks after it.
    ///
    /// # Errors
    ///
    /// With all that is wrong.
    pub fn check(&self) -> Result<(), MetadataProblems> {
        let mut problems = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let mut report = |field: &str, problem: String| {
                problems.push(format!("rules[{index}].{field}: {problem}"));
            };
            for (field, values) in [
                ("apiGroups", &rule.api_groups),
                ("apiVersions", &rule.api_versions),
            ] {
                if let Some(problem) = wildcard_problem(values, &"*".to_owned()) {
                    report(field, problem);
                }
            }
            for problem in resource_problems(&rule.resources) {
                report("resources", problem);
            }
            if let Some(problem) = wildcard_problem(&rule.operations, &Operation::All) {
                report("operations", problem);
            }
        }
        for resource in &self.context_aware_resources {
            if resource.api_version.is_empty() || resource.kind.is_empty() {
                problems.push(
                    "contextAwareResources: `apiVersion` and `kind` must not be empty".to_owned(),
                );
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(MetadataProblems(problems))
        }
    }

    /// One annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }
}

fn wildcard_problem<T: PartialEq>(values: &[T], wildcard: &T) -> Option<String> {
    if values.is_empty() {
        Some("must not be empty".to_owned())
    } else if values.len() > 1 && values.contains(wildcard) {
        Some("`*` stands alone".to_owned())
    } else {
        None
    }
}

/// The API server's rules for the resources of a webhook. There they depend on the order of the
/// list; here a wildcard excludes what it covers wherever it stands.
fn resource_problems(resources: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    if resources.is_empty() {
        problems.push("must not be empty".to_owned());
    }
    if resources.iter().any(String::is_empty) {
        problems.push("an empty resource".to_owned());
    }
    if resources.len() > 1 && resources.iter().any(|resource| resource == "*/*") {
        problems.push("`*/*` stands alone".to_owned());
        return problems;
    }
    for wildcard in resources {
        for covered in resources {
            let covers = match (wildcard.split_once('/'), covered.split_once('/')) {
                (None, None) => wildcard == "*",
                (Some((resource, "*")), Some((other, _))) => resource == other,
                (Some(("*", sub)), Some((_, other))) => sub == other,
                _ => false,
            };
            if covers && wildcard != covered && !covered.is_empty() {
                problems.push(format!("`{wildcard}` covers `{covered}`"));
            }
        }
    }
    problems
}
