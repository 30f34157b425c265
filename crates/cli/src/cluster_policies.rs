//! The policies of a cluster as the settings to judge with.

use std::collections::BTreeMap;

use rollout_guard_manifests::label_selector::{Labels, labels};
use rollout_guard_manifests::policy_file::is_ours;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::kubectl::Kubectl;
use crate::manifest;
use crate::object::objects;
use crate::settings_file::SettingsFile;

/// What `-s` begins with where it names a policy of the cluster.
pub(crate) const PREFIX: &str = "cluster:";

const POLICIES: [&str; 4] = [
    "clusteradmissionpolicies.policies.kubewarden.io",
    "admissionpolicies.policies.kubewarden.io",
    "clusteradmissionpolicygroups.policies.kubewarden.io",
    "admissionpolicygroups.policies.kubewarden.io",
];

/// Policies, and what of a cluster decides whether they are asked.
pub(crate) struct ClusterPolicies {
    pub(crate) file: SettingsFile,
    /// The namespaces, with their labels.
    pub(crate) namespaces: BTreeMap<String, Labels>,
    /// What could not be read, a line each.
    pub(crate) problems: Vec<String>,
}

/// Reads the policies of a cluster: the one with a name, or all that run this module.
///
/// # Errors
///
/// Where there are none, or they cannot be read.
pub(crate) fn read(kubectl: Kubectl<'_>, name: Option<&str>) -> Result<ClusterPolicies, Failure> {
    let mut resources = POLICIES.to_vec();
    resources.push("namespaces");
    let listed = kubectl.list(&resources, None);
    let mut problems = Vec::new();
    for (resource, problem) in &listed.failed {
        // Groups are of a later version of Kubewarden than policies.
        let is_missing = problem.contains("the server doesn't have a resource type");
        if listed.texts.is_empty() {
            return Err(Failure::unreadable(format!("kubectl: {problem}")));
        }
        if !is_missing {
            problems.push(format!("{resource} not read: {problem}"));
        }
    }
    let mut policies = Vec::new();
    let mut namespaces = BTreeMap::new();
    for text in &listed.texts {
        manifest::documents(text, &mut |part| {
            let Ok(document) = part else {
                return problems.push("kubectl: an answer is no JSON".to_owned());
            };
            for object in objects(&document.tree).into_iter().flatten() {
                if object.group.is_empty() && object.kind == "Namespace" {
                    namespaces.insert(object.name.to_string(), labels(object.value));
                } else if name.is_none_or(|name| object.name == name)
                    && let Ok(policy) = serde_json::from_str::<Value>(object.value.json())
                    && (name.is_some() || runs_this_module(&policy))
                {
                    policies.push(policy);
                }
            }
        });
    }
    let shown = match name {
        Some(name) => format!("{PREFIX}{name}"),
        None => "the cluster's policies".to_owned(),
    };
    if policies.is_empty() {
        return Err(Failure::wrong_use(match name {
            Some(name) => format!("{shown}: the cluster has no policy `{name}`"),
            None => "the cluster has no policy that runs rollout-guard".to_owned(),
        }));
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": policies });
    Ok(ClusterPolicies {
        file: SettingsFile {
            name: shown,
            text: format!("{list:#}\n"),
        },
        namespaces,
        problems,
    })
}

/// Whether the module of a policy, or of a member of a group, is this one.
pub(crate) fn runs_this_module(policy: &Value) -> bool {
    let is_this = |holder: &Value| {
        let module = holder.get("module").and_then(Value::as_str);
        module.is_some_and(is_ours)
    };
    let spec = policy.get("spec");
    let members = spec.and_then(|spec| spec.get("policies"));
    let members = members.and_then(Value::as_object).into_iter().flatten();
    spec.is_some_and(is_this) || members.map(|(_, member)| member).any(is_this)
}
