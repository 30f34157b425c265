//! Objects as they were before: at a revision of Git, or in a cluster.
//!
//! With these an object is judged as its change: the request is an UPDATE, and has what `kubectl apply`
//! would make of the live object.

mod apply;

use std::collections::{BTreeMap, BTreeSet};

use rollout_guard::json::{Location, Step};

use crate::manifest::Value;
use crate::object::Object;

/// Objects as they were before.
#[derive(Debug, Default)]
pub struct Before {
    /// At a revision of Git.
    base: Objects,
    /// In a cluster.
    live: Objects,
    /// The kinds that the cluster was asked about: of these what it does not have is new.
    asked: BTreeSet<(String, String)>,
}

/// Group, kind, namespace and name.
type Key = (String, String, Option<String>, String);

/// Objects, each with the file that it is in and as JSON.
type Objects = BTreeMap<Key, Vec<(String, String)>>;

/// An object as it was, and as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'b> {
    /// As it was, as JSON.
    pub old: &'b str,
    /// As it will be, as JSON; none where that is what the manifest says.
    pub new: Option<String>,
}

impl Before {
    /// Adds an object of a revision, and the file that it was in.
    pub fn add_base(&mut self, object: &Object<'_>, file: &str, namespace: &str) {
        add(&mut self.base, object, file, namespace);
    }

    /// Adds an object of a cluster.
    pub fn add_live(&mut self, object: &Object<'_>, namespace: &str) {
        self.add_kind(&object.group, &object.kind);
        add(&mut self.live, object, "", namespace);
    }

    /// Adds what another one has.
    pub fn append(&mut self, other: Self) {
        for (key, mut objects) in other.base {
            self.base.entry(key).or_default().append(&mut objects);
        }
        for (key, mut objects) in other.live {
            self.live.entry(key).or_default().append(&mut objects);
        }
        self.asked.extend(other.asked);
    }

    /// Adds a kind that the cluster was asked about.
    pub fn add_kind(&mut self, group: &str, kind: &str) {
        self.asked.insert((group.to_owned(), kind.to_owned()));
    }

    /// Whether the cluster was asked about a kind.
    pub fn knows(&self, group: &str, kind: &str) -> bool {
        self.asked.contains(&(group.to_owned(), kind.to_owned()))
    }

    /// What an object of a file was, and will be; none where it is new. What is live wins.
    pub fn change(&self, object: &Object<'_>, file: &str, namespace: &str) -> Option<Change<'_>> {
        let base = find(&self.base, object, file, namespace);
        if let Some(live) = find(&self.live, object, "", namespace) {
            return Some(Change {
                old: live,
                new: apply::applied(object, live, base),
            });
        }
        if self.knows(&object.group, &object.kind) {
            return None;
        }
        base.map(|old| Change { old, new: None })
    }
}

fn add(objects: &mut Objects, object: &Object<'_>, file: &str, namespace: &str) {
    if object.value.text_at(&["metadata", "name"]).is_none() {
        // The API server makes its name: every one is new.
        return;
    }
    let of_key = objects.entry(key(object, namespace)).or_default();
    of_key.push((file.to_owned(), object.value.json().to_owned()));
}

/// The JSON of an object: the one in the same file, if it was in more than one.
fn find<'o>(
    objects: &'o Objects,
    object: &Object<'_>,
    file: &str,
    namespace: &str,
) -> Option<&'o str> {
    let key = key(object, namespace);
    let found = objects.get(&key).or_else(|| {
        // Nobody knows of a custom kind whether its objects are in a namespace.
        let (group, kind, _, name) = key;
        objects.get(&(group, kind, None, name))
    })?;
    let same = found.iter().find(|(known, _)| known == file);
    same.or_else(|| found.first())
        .map(|(_, json)| json.as_str())
}

fn key(object: &Object<'_>, namespace: &str) -> Key {
    (
        object.group.to_string(),
        object.kind.to_string(),
        object.in_namespace(namespace).map(str::to_owned),
        object.name.to_string(),
    )
}

/// The value that one in a newer object was, given the way to it there: elements of lists are the same by
/// their name, else by their position.
pub fn was<'o>(old: Value<'o>, new: Value<'_>, path: &Location<'_>) -> Option<Value<'o>> {
    let (mut old, mut new) = (old, Some(new));
    for step in path.steps() {
        match step {
            Step::Key(key) => {
                old = old.get(key)?;
                new = new.and_then(|new| new.get(key));
            }
            Step::Index(index) => {
                new = new.and_then(|new| new.elements().nth(*index));
                let name = new.and_then(|new| new.text_at(&["name"]));
                old = match name {
                    Some(name) => old
                        .elements()
                        .find(|element| element.text_at(&["name"]) == Some(name.clone()))?,
                    None => old.elements().nth(*index)?,
                };
            }
            Step::Each => return None,
        }
    }
    Some(old)
}
