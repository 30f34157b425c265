//! The policies of a cluster as the settings to judge with.

use std::collections::BTreeMap;

use rollout_guard_manifests::label_selector::{Labels, labels};
use rollout_guard_manifests::policy_file::is_ours;
use serde_json::{Value, json};

use crate::cluster::{ClusterArguments, Kubectl, Resource, Unread};
use crate::failure::Failure;
use crate::input;
use crate::manifest;
use crate::object::objects;
use crate::settings_file::SettingsFile;

/// What `-s` begins with where it names a policy of the cluster.
pub(crate) const PREFIX: &str = "cluster:";

/// The API group of Kubewarden.
const GROUP: &str = "policies.kubewarden.io";

const NAMESPACES: &str = "namespaces";

const POLICIES: [&str; 4] = [
    "clusteradmissionpolicies.policies.kubewarden.io",
    "admissionpolicies.policies.kubewarden.io",
    "clusteradmissionpolicygroups.policies.kubewarden.io",
    "admissionpolicygroups.policies.kubewarden.io",
];

/// Policies, and what of a cluster decides whether they are asked.
pub(crate) struct ClusterPolicies {
    pub(crate) file: SettingsFile,
    /// The namespaces, with their labels; none where these could not be read.
    pub(crate) namespaces: Option<BTreeMap<String, Labels>>,
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
    resources.push(NAMESPACES);
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
    let mut found = Found::default();
    for text in &listed.texts {
        if !found.add(text, name) {
            problems.push("kubectl: an answer is no JSON".to_owned());
        }
    }
    let is_unread = |resource: &str| listed.failed.iter().any(|(failed, _)| failed == resource);
    let shown = match name {
        Some(name) => format!("{PREFIX}{name}"),
        None => "the cluster's policies".to_owned(),
    };
    Ok(ClusterPolicies {
        file: found.file(shown, name)?,
        namespaces: (!is_unread(NAMESPACES)).then_some(found.namespaces),
        problems,
    })
}

/// Reads the policies that run this module in a cluster that is read page by page, or was recorded; tells what
/// could not be read.
///
/// # Errors
///
/// Where there are none, or nothing can be read.
pub(crate) fn installed(
    cluster: &ClusterArguments,
    unread: &mut Vec<Unread>,
) -> Result<ClusterPolicies, Failure> {
    if cluster.cluster.iter().any(|path| input::is_stdin(path)) {
        return Err(Failure::wrong_use(
            "`--policies` reads the objects twice, which standard input cannot be: name a file",
        ));
    }
    let everywhere = ClusterArguments {
        namespaces: Vec::new(),
        ..cluster.clone()
    };
    let is_wanted = |resource: &Resource| match resource.group.as_str() {
        "" => ["*", NAMESPACES].contains(&resource.name.as_str()),
        group => group == GROUP && resource.name != "policyservers",
    };
    let mut found = Found::default();
    let missing = everywhere.read(&is_wanted, &mut |object| {
        if object.contains(GROUP) || object.contains("\"Namespace\"") {
            found.add(&object, None);
        }
        Ok(())
    })?;
    if found.policies.is_empty()
        && let Some(Unread { what, problem }) = missing
            .iter()
            .filter(|unread| unread.what != NAMESPACES)
            .min()
    {
        return Err(Failure::unreadable(format!(
            "no policy was read: {what}: {problem}"
        )));
    }
    if found.policies.is_empty() {
        return Err(Failure::wrong_use(format!(
            "{} has no policy that runs rollout-guard",
            cluster.name()
        )));
    }
    let are_namespaces_read = missing.iter().all(|unread| unread.what != NAMESPACES);
    unread.extend(missing);
    Ok(ClusterPolicies {
        file: found.file(format!("the policies of {}", cluster.name()), None)?,
        // A recording that has none says nothing of their labels.
        namespaces: (are_namespaces_read && !found.namespaces.is_empty())
            .then_some(found.namespaces),
        problems: Vec::new(),
    })
}

/// What was found among the objects of a cluster.
#[derive(Default)]
struct Found {
    policies: Vec<Value>,
    namespaces: BTreeMap<String, Labels>,
}

impl Found {
    /// Adds the namespaces in a text, and the policies: the one with a name, or those that run this module.
    /// Tells whether the text could be read.
    fn add(&mut self, text: &str, name: Option<&str>) -> bool {
        let mut is_readable = true;
        manifest::documents(text, &mut |part| {
            let Ok(document) = part else {
                is_readable = false;
                return;
            };
            for object in objects(&document.tree).into_iter().flatten() {
                if object.group.is_empty() && object.kind == "Namespace" {
                    self.namespaces
                        .insert(object.name.to_string(), labels(object.value));
                } else if object.group == GROUP
                    && name.is_none_or(|name| object.name == name)
                    && let Ok(policy) = serde_json::from_str::<Value>(object.value.json())
                    && (name.is_some() || runs_this_module(&policy))
                {
                    self.policies.push(policy);
                }
            }
        });
        is_readable
    }

    /// The policies as a file that holds them.
    fn file(&mut self, shown: String, name: Option<&str>) -> Result<SettingsFile, Failure> {
        if self.policies.is_empty() {
            return Err(Failure::wrong_use(match name {
                Some(name) => format!("{shown}: the cluster has no policy `{name}`"),
                None => "the cluster has no policy that runs rollout-guard".to_owned(),
            }));
        }
        let policies = std::mem::take(&mut self.policies);
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": policies });
        Ok(SettingsFile {
            name: shown,
            text: format!("{list:#}\n"),
        })
    }
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
