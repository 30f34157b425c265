//! The Kubernetes objects of a document, and the request that admission would see for each.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use rollout_guard::json::{self, Location, Step, write_string};
use rollout_guard::kind::GroupKind;
use rollout_guard::request::{Operation, Request};

use crate::finding::ObjectName;
use crate::kind::{is_cluster_scoped, resource};
use crate::manifest::{Tree, Value};

/// Lists in lists in lists are no more than this.
const DEEPEST_LIST: usize = 8;

/// Who asks: as admission knows a person, or nobody, as in the audit scanner's requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Somebody.
    Person {
        /// The user name.
        name: String,
        /// The groups.
        groups: Vec<String>,
    },
    /// Nobody.
    Nobody,
}

impl Identity {
    /// A person in no group, whom no settings name.
    pub fn somebody() -> Self {
        Self::Person {
            name: "rollout-guard".to_owned(),
            groups: Vec::new(),
        }
    }
}

/// What is asked about an object, besides the object.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// What is done with it; on DELETE it is what goes.
    pub operation: Operation,
    /// Where it is if it names no namespace.
    pub namespace: &'a str,
    /// Who asks.
    pub identity: &'a Identity,
    /// The object as it was, as JSON.
    pub old: Option<&'a str>,
    /// What the client calls itself; may be empty.
    pub field_manager: &'a str,
}

/// An object of a document.
#[derive(Clone, Debug)]
pub struct Object<'d> {
    /// The object itself.
    pub value: Value<'d>,
    /// The way to it from the outermost value of its document.
    pub way: Location<'static>,
    /// The group of its kind; empty for the core group.
    pub group: Cow<'d, str>,
    /// The version of its kind.
    pub version: Cow<'d, str>,
    /// Its kind.
    pub kind: Cow<'d, str>,
    /// Empty where the API server makes it.
    pub name: Cow<'d, str>,
    /// The namespace that it names.
    pub namespace: Option<Cow<'d, str>>,
}

/// The objects of a document, those of a `List` each by itself. `None` if it is no Kubernetes object.
pub fn objects<'d>(tree: &'d Tree<'_>) -> Option<Vec<Object<'d>>> {
    let mut found = Vec::new();
    add(tree.root()?, None, &Location::default(), &mut found).then(|| {
        let objects = found.into_iter().filter_map(Result::ok);
        objects.collect()
    })
}

/// The items of a `List` that are no Kubernetes objects: kubectl applies none that has no kind.
pub fn items_without_kind<'d>(tree: &'d Tree<'_>) -> Vec<Value<'d>> {
    let is_list = |root: &Value<'d>| {
        let kind = root.text_at(&["kind"]);
        kind.is_some_and(|kind| kind.ends_with("List"))
    };
    let mut found = Vec::new();
    if let Some(root) = tree.root().filter(is_list) {
        add(root, None, &Location::default(), &mut found);
    }
    found.into_iter().filter_map(Result::err).collect()
}

/// A value as an object; `None` if it is no Kubernetes object.
pub fn object(value: Value<'_>) -> Option<Object<'_>> {
    let mut found = Vec::new();
    add(value, None, &Location::default(), &mut found);
    found.into_iter().find_map(Result::ok)
}

/// Adds the objects that a value is or lists, and the items that are none; tells whether it is one
/// or a list of them itself.
fn add<'d>(
    value: Value<'d>,
    list: Option<(&str, &str)>,
    way: &Location<'static>,
    found: &mut Vec<Result<Object<'d>, Value<'d>>>,
) -> bool {
    let text = |key| value.text_at(&[key]).filter(|text| !text.is_empty());
    // The items of a typed list may go without what the list says (`UnstructuredJSONScheme`).
    let (api_version, kind) = match (text("apiVersion"), text("kind"), list) {
        (Some(api_version), Some(kind), _) => (api_version, kind),
        (None, None, Some((api_version, kind))) => (
            Cow::Owned(api_version.to_owned()),
            Cow::Owned(kind.to_owned()),
        ),
        _ => return false,
    };
    if let Some(item) = kind.strip_suffix("List")
        && let Some(items) = value
            .get("items")
            .filter(|items| items.is_list() || items.is_null())
        && way.steps().len() < 2 * DEEPEST_LIST
    {
        let list = (!item.is_empty()).then_some((api_version.as_ref(), item));
        for (index, item) in items.elements().enumerate() {
            let way = way.below(Location(vec![Step::key("items"), Step::Index(index)]));
            if !add(item, list, &way, found) {
                found.push(Err(item));
            }
        }
        return true;
    }
    let (group, version) = match &api_version {
        Cow::Borrowed(text) => {
            let (group, version) = split(text);
            (Cow::Borrowed(group), Cow::Borrowed(version))
        }
        Cow::Owned(text) => {
            let (group, version) = split(text);
            (Cow::Owned(group.to_owned()), Cow::Owned(version.to_owned()))
        }
    };
    let name = value
        .text_at(&["metadata", "name"])
        .or_else(|| value.text_at(&["metadata", "generateName"]))
        .unwrap_or_default();
    found.push(Ok(Object {
        value,
        way: way.clone(),
        group,
        version,
        kind,
        name,
        namespace: value
            .text_at(&["metadata", "namespace"])
            .filter(|namespace| !namespace.is_empty()),
    }));
    true
}

fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl Object<'_> {
    /// The namespace that the object will be in, given the one for objects that name none.
    pub fn in_namespace<'n>(&'n self, default: &'n str) -> Option<&'n str> {
        if self.is_cluster_scoped() {
            None
        } else {
            Some(self.namespace.as_deref().unwrap_or(default))
        }
    }

    /// Whether it is in no namespace.
    pub fn is_cluster_scoped(&self) -> bool {
        self.namespace.is_none() && is_cluster_scoped(&self.group, &self.kind)
    }

    /// Its name, given the namespace for objects that name none.
    pub fn full_name(&self, default: &str) -> ObjectName {
        ObjectName {
            api_version: if self.group.is_empty() {
                self.version.to_string()
            } else {
                format!("{}/{}", self.group, self.version)
            },
            kind: self.kind.to_string(),
            name: self.name.to_string(),
            namespace: self.in_namespace(default).map(ToOwned::to_owned),
            built_by: Vec::new(),
        }
    }

    /// The resource in the API: `deployments`.
    pub fn resource(&self) -> String {
        resource(&self.kind)
    }

    /// Writes the request to create the object, as JSON.
    pub fn write_request(&self, namespace: &str, identity: &Identity, json: &mut String) {
        let asking = Asking {
            operation: Operation::Create,
            namespace,
            identity,
            old: None,
            field_manager: "",
        };
        self.write_request_as(&asking, json);
    }

    /// Writes a request about the object, as JSON.
    pub fn write_request_as(&self, asking: &Asking<'_>, json: &mut String) {
        let (object, old) = match asking.operation {
            Operation::Delete => (None, Some(self.value.json())),
            _ => (Some(self.value.json()), asking.old),
        };
        let subject = Subject {
            group: &self.group,
            version: &self.version,
            kind: &self.kind,
            name: self.value.text_at(&["metadata", "name"]),
            namespace: self.in_namespace(asking.namespace),
            object,
            old,
        };
        subject.write_request(asking, json);
    }

    /// Its group and kind, as the engine knows them.
    pub fn group_kind(&self) -> GroupKind<'_> {
        GroupKind {
            group: self.group.as_ref().into(),
            kind: self.kind.as_ref().into(),
        }
    }

    /// Where the templates of the Pods are that it will create; none for a Pod itself, and for what
    /// only looks like a workload.
    ///
    /// As the engine finds images: by the kind where that is Kubernetes' own, else by the shape.
    pub fn pod_templates(&self, namespace: &str) -> Vec<Location<'static>> {
        match self.group_kind().pod_spec() {
            // A PodTemplate is only kept.
            Some([] | ["spec"] | ["template", ..]) => Vec::new(),
            Some([template @ .., _]) => {
                let template = Location(template.iter().map(|key| Step::key(key)).collect());
                let is_there = self.value.at(&template).is_some_and(Value::is_map);
                is_there.then_some(template).into_iter().collect()
            }
            None => {
                let mut text = String::new();
                self.write_request(namespace, &Identity::Nobody, &mut text);
                let json = json::Document::of(&text);
                let request = Request::of(&json).ok();
                let object = request.and_then(|request| request.object);
                let templates = object.into_iter().flat_map(|object| object.templates);
                let templates = templates.map(|template| template.location().detached());
                templates.collect()
            }
        }
    }

    /// Writes the request to create a Pod from a template of the object, as JSON: as its controller
    /// asks for it.
    ///
    /// The labels and annotations are the template's; the namespace is the object's, and the API
    /// server makes the name.
    pub fn write_pod_request(
        &self,
        template: &Location<'static>,
        namespace: &str,
        identity: &Identity,
        json: &mut String,
    ) {
        let namespace = self.in_namespace(namespace).unwrap_or(namespace);
        let mut pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"#.to_owned();
        write_string(&mut pod, &format!("{}-", self.name));
        pod.push_str(r#","namespace":"#);
        write_string(&mut pod, namespace);
        // A key may occur twice, and whoever judges the Pod has to see both values.
        let templates = self.value.all_at(template);
        let members = || templates.iter().flat_map(|template| template.members());
        let mut malformed = String::new();
        for (key, value) in members() {
            if !key.is_text("metadata") {
                continue;
            }
            if !value.is_map() && !value.is_null() {
                malformed.push_str(r#","metadata":"#);
                malformed.push_str(value.json());
            }
            for (key, value) in value.members() {
                if !["name", "generateName", "namespace"]
                    .iter()
                    .any(|own| key.is_text(own))
                {
                    pod.extend([",", key.json(), ":", value.json()]);
                }
            }
        }
        pod.push('}');
        pod.push_str(&malformed);
        for (key, value) in members() {
            if key.is_text("spec") {
                pod.extend([",", key.json(), ":", value.json()]);
            }
        }
        pod.push('}');
        let controller = match identity {
            Identity::Nobody => Identity::Nobody,
            Identity::Person { .. } => self.controller(),
        };
        let asking = Asking {
            operation: Operation::Create,
            namespace: "",
            identity: &controller,
            old: None,
            field_manager: "",
        };
        let subject = Subject {
            group: "",
            version: "v1",
            kind: "Pod",
            name: None,
            namespace: Some(namespace),
            object: Some(&pod),
            old: None,
        };
        subject.write_request(&asking, json);
    }

    /// Who creates the Pods of the object: the controller of Kubernetes for its kind, by the name of
    /// its service account (`kube-controller-manager --use-service-account-credentials`, as kubeadm
    /// runs it); of other kinds somebody whom no settings name.
    fn controller(&self) -> Identity {
        let name = match (self.group.as_ref(), self.kind.as_ref()) {
            ("apps", "Deployment" | "ReplicaSet") => "replicaset-controller",
            ("apps", "StatefulSet") => "statefulset-controller",
            ("apps", "DaemonSet") => "daemon-set-controller",
            ("batch", "Job" | "CronJob") => "job-controller",
            ("", "ReplicationController") => "replication-controller",
            _ => return Identity::somebody(),
        };
        let groups = [
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
            "system:authenticated",
        ];
        Identity::Person {
            name: format!("system:serviceaccount:kube-system:{name}"),
            groups: groups.map(str::to_owned).to_vec(),
        }
    }

    /// Whether it is the same object at another time.
    pub fn is_same(&self, other: &Object<'_>, namespace: &str) -> bool {
        self.group == other.group
            && self.kind == other.kind
            && self.name == other.name
            && self.in_namespace(namespace) == other.in_namespace(namespace)
    }
}

/// What a request is about.
struct Subject<'s> {
    group: &'s str,
    version: &'s str,
    kind: &'s str,
    name: Option<Cow<'s, str>>,
    namespace: Option<&'s str>,
    /// As JSON.
    object: Option<&'s str>,
    old: Option<&'s str>,
}

impl Subject<'_> {
    fn write_request(&self, asking: &Asking<'_>, json: &mut String) {
        json.clear();
        let mut member = |key: &str, text: &str| {
            json.push_str(key);
            write_string(json, text);
        };
        member(r#"{"uid":"","kind":{"group":"#, self.group);
        member(r#","version":"#, self.version);
        member(r#","kind":"#, self.kind);
        member(r#"},"resource":{"group":"#, self.group);
        member(r#","version":"#, self.version);
        member(r#","resource":"#, &resource(self.kind));
        member(r#"},"operation":"#, asking.operation.as_str());
        if let Some(name) = &self.name {
            member(r#","name":"#, name);
        }
        if let Some(namespace) = self.namespace {
            member(r#","namespace":"#, namespace);
        }
        json.push_str(r#","userInfo":{"#);
        if let Identity::Person { name, groups } = asking.identity {
            json.push_str(r#""username":"#);
            write_string(json, name);
            json.push_str(r#","groups":["#);
            for (position, group) in groups.iter().enumerate() {
                if position > 0 {
                    json.push(',');
                }
                write_string(json, group);
            }
            json.push(']');
        }
        json.push('}');
        if !asking.field_manager.is_empty() {
            json.push_str(r#","options":{"fieldManager":"#);
            write_string(json, asking.field_manager);
            json.push('}');
        }
        for (key, value) in [
            (r#","object":"#, self.object),
            (r#","oldObject":"#, self.old),
        ] {
            if let Some(value) = value {
                json.push_str(key);
                json.push_str(value);
            }
        }
        json.push('}');
    }
}

/// `Deployment prod/web`.
impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        f.write_char(' ')?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}
