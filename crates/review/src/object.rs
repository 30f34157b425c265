//! The Kubernetes objects of a document, and the request that admission would see for each.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use rollout_guard::json::{Location, Step};
use rollout_guard::request::Operation;

use crate::finding::ObjectName;
use crate::kind::{is_cluster_scoped, resource};
use crate::manifest::scalar::write_text;
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
    /// The object as it was.
    pub old: Option<Value<'a>>,
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
    let mut objects = Vec::new();
    add(tree.root()?, None, &Location::default(), &mut objects).then_some(objects)
}

/// A value as an object; `None` if it is no Kubernetes object.
pub fn object(value: Value<'_>) -> Option<Object<'_>> {
    let mut objects = Vec::new();
    add(value, None, &Location::default(), &mut objects);
    objects.into_iter().next()
}

fn add<'d>(
    value: Value<'d>,
    list: Option<(&str, &str)>,
    way: &Location<'static>,
    objects: &mut Vec<Object<'d>>,
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
        let mut all = true;
        for (index, item) in items.elements().enumerate() {
            let way = way.below(Location(vec![Step::key("items"), Step::Index(index)]));
            all &= add(item, list, &way, objects);
        }
        return all;
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
    objects.push(Object {
        value,
        way: way.clone(),
        group,
        version,
        kind,
        name,
        namespace: value
            .text_at(&["metadata", "namespace"])
            .filter(|namespace| !namespace.is_empty()),
    });
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
        json.clear();
        let mut member = |key: &str, text: &str| {
            json.push_str(key);
            write_text(text, json);
        };
        member(r#"{"uid":"","kind":{"group":"#, &self.group);
        member(r#","version":"#, &self.version);
        member(r#","kind":"#, &self.kind);
        member(r#"},"resource":{"group":"#, &self.group);
        member(r#","version":"#, &self.version);
        member(r#","resource":"#, &self.resource());
        member(r#"},"operation":"#, asking.operation.as_str());
        if let Some(name) = self.value.text_at(&["metadata", "name"]) {
            member(r#","name":"#, &name);
        }
        if let Some(namespace) = self.in_namespace(asking.namespace) {
            member(r#","namespace":"#, namespace);
        }
        json.push_str(r#","userInfo":{"#);
        if let Identity::Person { name, groups } = asking.identity {
            json.push_str(r#""username":"#);
            write_text(name, json);
            json.push_str(r#","groups":["#);
            for (position, group) in groups.iter().enumerate() {
                if position > 0 {
                    json.push(',');
                }
                write_text(group, json);
            }
            json.push(']');
        }
        json.push('}');
        if !asking.field_manager.is_empty() {
            json.push_str(r#","options":{"fieldManager":"#);
            write_text(asking.field_manager, json);
            json.push('}');
        }
        let (object, old) = match asking.operation {
            Operation::Delete => (None, Some(self.value)),
            _ => (Some(self.value), asking.old),
        };
        for (key, value) in [(r#","object":"#, object), (r#","oldObject":"#, old)] {
            if let Some(value) = value {
                json.push_str(key);
                json.push_str(value.json());
            }
        }
        json.push('}');
    }

    /// Whether it is the same object at another time.
    pub fn is_same(&self, other: &Object<'_>, namespace: &str) -> bool {
        self.group == other.group
            && self.kind == other.kind
            && self.name == other.name
            && self.in_namespace(namespace) == other.in_namespace(namespace)
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
