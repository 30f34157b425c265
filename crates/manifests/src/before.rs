//! Objects as they were before: at a revision of Git, or in a cluster.
//!
//! With these an object is judged as its change: the request is an UPDATE, and has what `kubectl apply`
//! would make of the live object.

mod apply;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rollout_guard::json::{Location, Step};

use crate::manifest::{self, Value};
use crate::object::{Object, objects};

/// Objects as they were before.
#[derive(Debug, Default)]
pub struct Before {
    /// At a revision of Git, in files that are not as they were.
    base: Objects,
    /// Files that are as they were at that revision, by their names.
    unchanged: BTreeMap<String, Unchanged>,
    /// At that revision, what kustomize and Helm built, by the name of the build.
    built: BTreeMap<String, Objects>,
    /// In a cluster.
    live: Objects,
    /// The kinds that the cluster was asked about: of these what it does not have is new.
    asked: BTreeSet<(String, String)>,
}

/// Group, kind, namespace and name.
type Key = (String, String, Option<String>, String);

/// Objects, each with the file that it is in and as JSON.
type Objects = BTreeMap<Key, Vec<(String, String)>>;

/// A file that is as it was.
#[derive(Debug, Default)]
struct Unchanged {
    text: String,
    /// Its objects, read when an object of another file may be among them.
    objects: OnceLock<Objects>,
}

impl Unchanged {
    /// The objects of the file, if one of them may have a name.
    fn objects(&self, name: &str, file: &str, namespace: &str) -> Option<&Objects> {
        // An escape may spell the name.
        let may_have = self.text.contains(name) || self.text.contains('\\');
        let read = || {
            let mut found = Objects::new();
            manifest::documents(&self.text, &mut |part| {
                let Ok(document) = part else { return };
                for object in objects(&document.tree).into_iter().flatten() {
                    add(&mut found, &object, file, namespace);
                }
            });
            found
        };
        may_have.then(|| self.objects.get_or_init(read))
    }
}

/// Where an object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'s> {
    /// The name of a file.
    File(&'s str),
    /// The name of a build.
    Build(&'s str),
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'b> {
    /// It is new.
    Created,
    /// It stays as it is.
    Unchanged,
    /// It is there already.
    Updated {
        /// As it was, as JSON.
        old: &'b str,
        /// As it will be, as JSON; none where that is what the manifest says.
        new: Option<String>,
    },
}

impl Before {
    /// Adds an object of a revision, and the file that it was in.
    pub fn add_base(&mut self, object: &Object<'_>, file: &str, namespace: &str) {
        add(&mut self.base, object, file, namespace);
    }

    /// Adds a file that is as it was at the revision.
    pub fn add_unchanged(&mut self, file: &str, text: &str) {
        let unchanged = Unchanged {
            text: text.to_owned(),
            objects: OnceLock::new(),
        };
        self.unchanged.insert(file.to_owned(), unchanged);
    }

    /// Adds a build that was there at the revision, whether or not it can be built.
    pub fn add_build(&mut self, build: &str) {
        self.built.entry(build.to_owned()).or_default();
    }

    /// Adds an object that was built at the revision, and the name of the build.
    pub fn add_built(&mut self, object: &Object<'_>, build: &str, namespace: &str) {
        let objects = self.built.entry(build.to_owned()).or_default();
        add(objects, object, build, namespace);
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
        self.unchanged.extend(other.unchanged);
        self.built.extend(other.built);
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

    /// What becomes of an object. What is live wins.
    pub fn change(&self, object: &Object<'_>, source: Source<'_>, namespace: &str) -> Change<'_> {
        let key = key(object, namespace);
        let base = || self.base(object, &key, source, namespace);
        if let Some(live) = find(&self.live, &key, "") {
            return Change::Updated {
                old: live,
                new: apply::applied(object, live, base().as_deref()),
            };
        }
        if self.knows(&object.group, &object.kind) {
            return Change::Created;
        }
        match base() {
            None => Change::Created,
            Some(Cow::Borrowed(old)) if old != object.value.json() => {
                Change::Updated { old, new: None }
            }
            Some(_) => Change::Unchanged,
        }
    }

    /// What an object was at the revision, as JSON: the one in the same file, if there was more than one; owned
    /// where it is as it was.
    ///
    /// Builds may be for different clusters: of another build an object is never taken, and of a plain manifest
    /// only where the build is new.
    fn base(
        &self,
        object: &Object<'_>,
        key: &Key,
        source: Source<'_>,
        namespace: &str,
    ) -> Option<Cow<'_, str>> {
        if !has_name(object) {
            return None;
        }
        let file = match source {
            Source::Build(build) => {
                if let Some(objects) = self.built.get(build) {
                    return find(objects, key, build).map(Cow::Borrowed);
                }
                ""
            }
            Source::File(file) if self.unchanged.contains_key(file) => {
                return Some(Cow::Owned(object.value.json().to_owned()));
            }
            Source::File(file) => file,
        };
        if let Some((in_file, json)) = find_in(&self.base, key, file)
            && in_file == file
        {
            return Some(Cow::Borrowed(json));
        }
        let mut unchanged = self.unchanged.iter();
        let mut built = self.built.values();
        find(&self.base, key, file)
            .or_else(|| {
                unchanged.find_map(|(file, unchanged)| {
                    let objects = unchanged.objects(&object.name, file, namespace)?;
                    find(objects, key, file)
                })
            })
            .or_else(|| match source {
                Source::Build(_) => None,
                Source::File(_) => built.find_map(|objects| find(objects, key, file)),
            })
            .map(Cow::Borrowed)
    }
}

/// Whether an object says its name: the API server makes those of others, and every one is new.
fn has_name(object: &Object<'_>) -> bool {
    object.value.text_at(&["metadata", "name"]).is_some()
}

fn add(objects: &mut Objects, object: &Object<'_>, file: &str, namespace: &str) {
    if has_name(object) {
        let of_key = objects.entry(key(object, namespace)).or_default();
        of_key.push((file.to_owned(), object.value.json().to_owned()));
    }
}

/// The JSON of an object: the one in the same file, if it is in more than one.
fn find<'o>(objects: &'o Objects, key: &Key, file: &str) -> Option<&'o str> {
    find_in(objects, key, file).map(|(_, json)| json)
}

/// As [`find`], with the file.
fn find_in<'o>(objects: &'o Objects, key: &Key, file: &str) -> Option<(&'o str, &'o str)> {
    let found = objects.get(key).or_else(|| {
        // Nobody knows of a custom kind whether its objects are in a namespace.
        let (group, kind, _, name) = key.clone();
        objects.get(&(group, kind, None, name))
    })?;
    let same = found.iter().find(|(known, _)| known == file);
    let (file, json) = same.or_else(|| found.first())?;
    Some((file, json))
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
                new = new.and_then(|new| new.element(*index));
                let name = new.and_then(|new| new.text_at(&["name"]));
                old = match name {
                    Some(name) => old.element(old.position_of(&name)?)?,
                    None => old.element(*index)?,
                };
            }
            Step::Each => return None,
        }
    }
    Some(old)
}
