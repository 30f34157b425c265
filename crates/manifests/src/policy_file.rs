//! The settings to judge with: a file of their own, or what is in policies of Kubewarden.

use std::collections::BTreeMap;
use std::fmt;

use rollout_guard::json::{Location, Step};

use crate::kind::resource;
use crate::label_selector::{LabelSelector, Labels, labels};
use crate::manifest::{self, Document, Place, Value};
use crate::object::{Object, objects};

/// The group of Kubewarden's policies.
const POLICIES: &str = "policies.kubewarden.io";

/// What our module is called in a registry, and as a file.
const MODULE: &str = "rollout-guard";

/// Parts of a policy that only a cluster can answer.
const ONLY_IN_A_CLUSTER: [&str; 4] = [
    "namespaceSelector",
    "objectSelector",
    "matchConditions",
    "contextAwareResources",
];

/// Something in a policy that works differently in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// This part of it can only be answered by a cluster.
    OnlyInCluster(&'static str),
    /// The namespaces of the cluster, and with them what `namespaceSelector` selects, are not known.
    NamespacesUnread,
    /// `mode: monitor`.
    Monitor,
    /// The `expression` of a group.
    GroupExpression,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyInCluster("matchConditions") => f.write_str(
                "`matchConditions` is not evaluated (CEL): objects are judged whatever it says",
            ),
            Self::OnlyInCluster(key) => write!(
                f,
                "`{key}` is for a cluster to decide: objects are judged whatever it says"
            ),
            Self::NamespacesUnread => f.write_str(
                "`namespaceSelector` is not considered, since the namespaces were not read: objects are judged whatever it says",
            ),
            Self::Monitor => {
                f.write_str("`mode` is `monitor`: a cluster would only tell, not refuse")
            }
            Self::GroupExpression => f.write_str(
                "the `expression` of the group is not considered: each member is judged by itself",
            ),
        }
    }
}

/// The settings in the documents.
///
/// # Errors
///
/// Where there are none.
pub fn sources<'d>(documents: &'d [Document<'_>]) -> Result<Vec<Source<'d>>, String> {
    let mut policies = Vec::new();
    let mut others = 0;
    for document in documents {
        match objects(&document.tree) {
            Some(found) if !found.is_empty() => {
                for object in found {
                    if object.group == POLICIES {
                        add_policies(&object, document.offset, &mut policies);
                    } else {
                        others += 1;
                    }
                }
            }
            _ => {}
        }
    }
    if policies.is_empty() {
        if others > 0 {
            return Err("neither settings nor a policy of Kubewarden".to_owned());
        }
        return match documents {
            [only] => Ok(vec![Source::alone(only)]),
            [] => Err("no settings in it".to_owned()),
            _ => Err(format!(
                "{} documents, expected one with settings",
                documents.len()
            )),
        };
    }
    let ours = policies.iter().filter(|policy| policy.is_ours).count();
    match policies.as_slice() {
        // A module may be mirrored under any name.
        [_] => {}
        _ if ours > 0 => policies.retain(|policy| policy.is_ours),
        _ => {
            return Err(format!(
                "none of its {} policies has a module called `{MODULE}`",
                policies.len()
            ));
        }
    }
    Ok(policies.into_iter().map(|policy| policy.source).collect())
}

/// Settings in a file.
#[derive(Debug)]
pub struct Source<'d> {
    /// The policy that holds them: `ClusterAdmissionPolicy images`. None for a file of settings alone.
    pub policy: Option<String>,
    /// The settings; none where the policy has none.
    pub value: Option<Value<'d>>,
    /// What to show where there is no value.
    fallback: Place,
    /// Where the text that places count from begins in the file.
    offset: usize,
    /// What the policy is asked about; none means everything.
    pub rules: Option<Vec<Rule>>,
    /// The only namespace that the policy is asked about.
    pub namespace: Option<String>,
    /// Whether the policy may change objects, where it says so.
    pub is_mutating: Option<bool>,
    /// Whether its rules are about the versions that they name alone: `matchPolicy: Exact`.
    is_exact: bool,
    /// What is not as in a cluster.
    pub notes: Vec<Note>,
    /// The labels that the namespace of an object must have.
    namespace_selector: Option<LabelSelector>,
    /// The labels that an object must have.
    object_selector: Option<LabelSelector>,
    /// The policy is read from a cluster, whose objects have the labels that they have.
    is_in_cluster: bool,
    /// The namespaces of that cluster, with their labels; none where they are not known.
    namespaces: Option<BTreeMap<String, Labels>>,
}

/// A request as the rules of a webhook see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Such as `CREATE`.
    pub operation: &'a str,
    /// The group of the kind.
    pub group: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Such as `pods`.
    pub resource: &'a str,
    /// Such as `ephemeralcontainers`.
    pub sub_resource: Option<&'a str>,
    /// Where the object is.
    pub namespace: Option<&'a str>,
}

/// A rule of a policy, as in a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
}

impl<'d> Source<'d> {
    /// A file of settings alone.
    fn alone(document: &'d Document<'_>) -> Self {
        Self::at(document.tree.root(), document.offset)
    }

    /// Settings that stand in something else, whose document begins at `offset` in its file.
    pub fn of(value: Value<'d>, offset: usize) -> Self {
        Self::at(Some(value), offset)
    }

    fn at(value: Option<Value<'d>>, offset: usize) -> Self {
        Self {
            policy: None,
            value,
            fallback: place_of(value),
            offset,
            rules: None,
            namespace: None,
            is_mutating: None,
            notes: Vec::new(),
            namespace_selector: None,
            object_selector: None,
            is_in_cluster: false,
            is_exact: false,
            namespaces: None,
        }
    }

    /// The settings as JSON.
    pub fn json(&self) -> &'d str {
        self.value.map_or("null", Value::json)
    }

    /// Where in the file the settings begin.
    pub fn start(&self) -> usize {
        self.offset
            + self.value.map_or(self.fallback.span.start, |value| {
                place_of(Some(value)).span.start
            })
    }

    /// Where in the file a path of the settings is, or its key.
    pub fn span(&self, path: &str, is_about_key: bool) -> std::ops::Range<usize> {
        let place = self
            .value
            .map_or_else(|| self.fallback.clone(), |value| nearest(value, path));
        let span = match place.key {
            Some(key) if is_about_key || place.style == manifest::Style::Indented => key,
            _ => place.span,
        };
        self.offset + span.start..self.offset + span.end
    }

    /// Whether a cluster would ask the policy about the creation of an object.
    pub fn covers(&self, object: &Object<'_>, namespace: &str) -> bool {
        self.covers_change(object, None, "CREATE", namespace)
    }

    /// The policy as a cluster has it, given the namespaces there: its selectors count. Where the namespaces
    /// could not be read, objects are judged whatever `namespaceSelector` says.
    pub fn in_cluster(&mut self, namespaces: Option<&BTreeMap<String, Labels>>) {
        let [by_namespace, by_object] =
            ["namespaceSelector", "objectSelector"].map(Note::OnlyInCluster);
        let has_selector = self.notes.contains(&by_namespace);
        self.notes
            .retain(|note| ![by_namespace, by_object].contains(note));
        if has_selector && namespaces.is_none() {
            self.notes.push(Note::NamespacesUnread);
        }
        self.is_in_cluster = true;
        self.namespaces = namespaces.cloned();
    }

    /// Whether the labels of a namespace are those that the policy wants; of one that the cluster does not
    /// have nothing is known but its name.
    fn selects_namespace(&self, namespace: &str) -> bool {
        let (Some(selector), Some(known)) = (&self.namespace_selector, &self.namespaces) else {
            return true;
        };
        if let Some(labels) = known.get(namespace) {
            return selector.matches(labels);
        }
        let name = "kubernetes.io/metadata.name".to_owned();
        selector.matches(&Labels::from([(name, namespace.to_owned())]))
    }

    /// Whether the selectors of the policy take an object, as it is or as it was.
    fn selects(&self, object: &Object<'_>, old: Option<Value<'_>>, namespace: &str) -> bool {
        if !self.is_in_cluster {
            return true;
        }
        let takes = |selector: &LabelSelector| {
            let old = old.map(labels).unwrap_or_default();
            selector.matches(&labels(object.value)) || selector.matches(&old)
        };
        let is_namespace = object.group.is_empty() && object.kind == "Namespace";
        let is_in_reach = match object.in_namespace(namespace) {
            Some(namespace) => self.selects_namespace(namespace),
            None if is_namespace => self.namespace_selector.as_ref().is_none_or(takes),
            None => true,
        };
        is_in_reach && self.object_selector.as_ref().is_none_or(takes)
    }

    /// Whether a cluster would ask the policy about something that is done with an object.
    pub fn covers_change(
        &self,
        object: &Object<'_>,
        old: Option<Value<'_>>,
        operation: &str,
        namespace: &str,
    ) -> bool {
        self.selects(object, old, namespace)
            && self.is_asked(&Asked {
                operation,
                group: &object.group,
                version: &object.version,
                resource: &object.resource(),
                sub_resource: None,
                namespace: object.in_namespace(namespace),
            })
    }

    /// Whether the labels that Pods get from a template of an object are those that the policy wants.
    pub fn selects_pods_from(&self, object: &Object<'_>, template: &Location<'_>) -> bool {
        let takes = |selector: &LabelSelector| {
            let template = object.value.at(template);
            selector.matches(&template.map(labels).unwrap_or_default())
        };
        !self.is_in_cluster || self.object_selector.as_ref().is_none_or(takes)
    }

    /// Whether a cluster would ask the policy about the creation of a Pod, as far as its labels do not decide.
    pub fn covers_pods(&self, namespace: Option<&str>) -> bool {
        let is_in_reach = namespace.is_none_or(|namespace| self.selects_namespace(namespace));
        is_in_reach
            && self.is_asked(&Asked {
                operation: "CREATE",
                group: "",
                version: "v1",
                resource: "pods",
                sub_resource: None,
                namespace,
            })
    }

    /// Whether a rule of the policy names a resource; of the resource `*`, any of its group. What has no
    /// rules names none.
    pub fn names(&self, group: &str, resource: &str) -> bool {
        let rules = self.rules.iter().flatten();
        let mut of_group = rules.filter(|rule| has(&rule.groups, group));
        of_group.any(|rule| resource == "*" || rule.has_resource(resource))
    }

    /// Whether a cluster would ask the policy about a request.
    pub fn is_asked(&self, request: &Asked<'_>) -> bool {
        let is_in_reach = self
            .namespace
            .as_deref()
            .is_none_or(|only| request.namespace == Some(only));
        is_in_reach
            && self
                .rules
                .as_deref()
                .is_none_or(|rules| rules.iter().any(|rule| rule.covers(request, self.is_exact)))
    }
}

impl Rule {
    fn read(rule: Value<'_>) -> Self {
        let texts = |key| {
            rule.get(key)
                .into_iter()
                .flat_map(Value::elements)
                .filter_map(|value| value.text().map(std::borrow::Cow::into_owned))
                .collect()
        };
        Self {
            groups: texts("apiGroups"),
            versions: texts("apiVersions"),
            resources: texts("resources"),
            operations: texts("operations"),
        }
    }

    /// An API server converts an object of another version to one that the rule names, unless told not
    /// to.
    fn covers(&self, request: &Asked<'_>, is_exact: bool) -> bool {
        self.asks(request.operation)
            && has(&self.groups, request.group)
            && (!is_exact || has(&self.versions, request.version))
            && self.resources.iter().any(|entry| request.is_of(entry))
    }

    /// Whether it asks about an operation.
    pub fn asks(&self, operation: &str) -> bool {
        has(&self.operations, operation)
    }

    /// Whether it may be about what a `match.kinds` names: `apps/Deployment`. Of a glob nobody can
    /// say.
    pub fn may_be_about(&self, kinds: &str) -> bool {
        let (group, kind) = match kinds.rsplit_once('/') {
            Some(("core", kind)) => (Some(""), kind),
            Some((group, kind)) => (Some(group), kind),
            None => (None, kinds),
        };
        let is_glob = |text: &str| text.contains(['*', '?']);
        group.is_none_or(|group| is_glob(group) || has(&self.groups, group))
            && (is_glob(kind) || self.has_resource(&resource(kind)))
    }

    fn has_resource(&self, resource: &str) -> bool {
        has(&self.resources, resource) || self.resources.iter().any(|entry| entry == "*/*")
    }
}

impl Asked<'_> {
    /// Whether an entry of `resources` is about it, as in a webhook.
    fn is_of(&self, entry: &str) -> bool {
        let (resource, sub_resource) = match entry.split_once('/') {
            Some((resource, sub_resource)) => (resource, Some(sub_resource)),
            None => (entry, None),
        };
        let is_sub_resource = match (sub_resource, self.sub_resource) {
            (Some("*"), _) => true,
            (one, other) => one == other,
        };
        is_sub_resource && (resource == "*" || resource == self.resource)
    }
}

/// Whether a list of a rule has an entry, or all.
fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|entry| entry == wanted || entry == "*")
}

/// A policy, or a member of a group.
struct Policy<'d> {
    source: Source<'d>,
    is_ours: bool,
}

fn add_policies<'d>(object: &Object<'d>, offset: usize, policies: &mut Vec<Policy<'d>>) {
    let Some(spec) = object.value.get("spec") else {
        return;
    };
    let rules: Vec<_> = spec
        .get("rules")
        .into_iter()
        .flat_map(Value::elements)
        .map(Rule::read)
        .collect();
    let namespace = matches!(
        object.kind.as_ref(),
        "AdmissionPolicy" | "AdmissionPolicyGroup"
    )
    .then(|| object.namespace.as_deref().map(str::to_owned))
    .flatten();
    let mut notes: Vec<_> = ONLY_IN_A_CLUSTER
        .iter()
        .filter(|key| spec.get(key).is_some_and(|value| !value.is_null()))
        .map(|key| Note::OnlyInCluster(key))
        .collect();
    if spec.text_at(&["mode"]).as_deref() == Some("monitor") {
        notes.push(Note::Monitor);
    }
    // A group may not change anything.
    let is_mutating = match spec.get("mutating").map(Value::json) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ if spec.get("policies").is_some() => Some(false),
        _ => None,
    };
    let source = |name: String, holder: Value<'d>, notes: Vec<Note>| Policy {
        is_ours: holder
            .text_at(&["module"])
            .is_some_and(|module| is_ours(&module)),
        source: Source {
            policy: Some(name),
            value: holder.get("settings").filter(|value| !value.is_null()),
            fallback: place_of(Some(holder)),
            offset,
            rules: Some(rules.clone()),
            namespace: namespace.clone(),
            is_mutating,
            notes,
            namespace_selector: spec.get("namespaceSelector").map(LabelSelector::read),
            object_selector: spec.get("objectSelector").map(LabelSelector::read),
            is_in_cluster: false,
            is_exact: spec.text_at(&["matchPolicy"]).as_deref() == Some("Exact"),
            namespaces: None,
        },
    };
    match object.kind.as_ref() {
        "ClusterAdmissionPolicy" | "AdmissionPolicy" => {
            policies.push(source(object.to_string(), spec, notes));
        }
        "ClusterAdmissionPolicyGroup" | "AdmissionPolicyGroup" => {
            notes.push(Note::GroupExpression);
            for (name, member) in spec.get("policies").into_iter().flat_map(Value::members) {
                let name = name.text().unwrap_or_default();
                let notes = std::mem::take(&mut notes);
                policies.push(source(format!("{object}, member {name}"), member, notes));
            }
        }
        _ => {}
    }
}

/// Whether a module is called as ours: `registry://ghcr.io/rollout-guard/rollout-guard:v1`.
pub fn is_ours(module: &str) -> bool {
    let path = module.split('@').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    name.strip_suffix(".wasm").unwrap_or(name) == MODULE
}

fn place_of(value: Option<Value<'_>>) -> Place {
    let root = Location::default();
    value.map_or(
        Place {
            span: 0..0,
            key: None,
            style: manifest::Style::Plain,
            is_shared: false,
            is_repeated: false,
            is_exact: false,
        },
        |value| value.locate(&root),
    )
}

/// The value with the longest path that begins as `path` does, which is a path as messages show it.
fn nearest(root: Value<'_>, path: &str) -> Place {
    let mut way = Vec::new();
    let mut at = root;
    'down: loop {
        let steps: Vec<_> = at
            .members()
            .map(|(key, value)| (Step::Key(key.text().unwrap_or_default()), value))
            .chain(
                at.elements()
                    .enumerate()
                    .map(|(index, value)| (Step::Index(index), value)),
            )
            .collect();
        for (step, value) in steps {
            way.push(step);
            let shown = Location(way.clone()).to_string();
            let is_on_the_way = path
                .strip_prefix(&shown)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']));
            if is_on_the_way {
                at = value;
                continue 'down;
            }
            way.pop();
        }
        return root.locate(&Location(way));
    }
}
