//! The live object beside the configuration that was last applied to it.
//!
//! `kubectl apply` keeps in an annotation what it applied. Where the object now says something else,
//! somebody changed it in the cluster, and the next apply changes it back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::{Location, Scalar, Step, find, members, same};
use crate::kind::GroupKind;
use crate::workload::{ImageField, Object};

/// The annotation in which `kubectl apply` keeps what it applied.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The last applied configuration in the object's own `metadata`: none if there is none.
///
/// # Errors
///
/// What is wrong with it where it is no text.
pub(crate) fn last_applied(metadata: &str) -> Result<Option<Cow<'_, str>>, &'static str> {
    let way = [Step::key("annotations"), Step::key(LAST_APPLIED)];
    let found = find(metadata, &way).unwrap_or_default();
    match found.last().map(|(_, raw)| Scalar::of(raw)) {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(_) => Err("it is no string"),
    }
}

/// Reads a last applied configuration as the object that it is.
///
/// # Errors
///
/// Why it says nothing about this object.
pub(crate) fn read<'a>(
    text: &'a str,
    kind: &GroupKind<'_>,
    live: &Object<'_>,
) -> Result<Object<'a>, &'static str> {
    let object = Object::read(text, kind).map_err(|_| "it is not JSON")?;
    let is_other = |path: &[Step<'_>], known: Option<Cow<'_, str>>| {
        let said = string(text, path);
        said.is_none() || said != known
    };
    let group = string(text, &[Step::key("apiVersion")]).map(|version| {
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        group == kind.group
    });
    let metadata = |key| [Step::key("metadata"), Step::key(key)];
    let namespace = string(text, &metadata("namespace"));
    if group != Some(true)
        || is_other(&[Step::key("kind")], Some(Cow::Borrowed(&kind.kind)))
        || is_other(&metadata("name"), string(live.text, &metadata("name")))
        || (namespace.is_some() && namespace != string(live.text, &metadata("namespace")))
    {
        return Err("it is another object's");
    }
    Ok(object)
}

/// Whether somebody else than `kubectl` applied the object on the server, which leaves the
/// configuration in the annotation as it was.
pub(crate) fn is_history(metadata: &str) -> bool {
    let entries = find(metadata, &[Step::key("managedFields"), Step::Each]).unwrap_or_default();
    entries.iter().any(|(_, entry)| {
        let says = |key| string(entry.get(), &[Step::key(key)]);
        says("operation").as_deref() == Some("Apply")
            && says("manager").as_deref() != Some("kubectl")
            && says("subresource").is_none_or(|name| name.is_empty())
    })
}

/// An image of the last applied configuration, and that of the live object in its place.
pub(crate) struct Image<'p, 'a, 'l> {
    pub(crate) applied: &'p ImageField<'l>,
    pub(crate) live: Option<&'p ImageField<'a>>,
}

/// Every image that the last applied configuration names, by container and volume. What else the
/// live object runs is no drift: injectors add containers.
pub(crate) fn images<'p, 'a, 'l>(
    applied: &'p Object<'l>,
    live: &'p Object<'a>,
) -> Vec<Image<'p, 'a, 'l>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let live = live.images();
    for (index, image) in live.iter().enumerate() {
        known.insert(image.paired_by(), index);
    }
    applied
        .images()
        .into_iter()
        .map(|applied| Image {
            applied,
            live: known
                .get(&applied.paired_by())
                .and_then(|index| live.get(*index))
                .copied(),
        })
        .collect()
}

/// An annotation that the last applied configuration names and the live object has not as it says.
pub(crate) struct Annotation {
    pub(crate) path: Location<'static>,
    pub(crate) applied: String,
    pub(crate) live: Option<String>,
}

/// Every annotation of the object or of its pod templates that is wanted, is named by the last
/// applied configuration, and is another one in the live object.
pub(crate) fn annotations(
    applied: &Object<'_>,
    live: &Object<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Annotation> {
    let mut found = Vec::new();
    let object = Location::default();
    for place in std::iter::once(&object).chain(&applied.templates) {
        let mut way = place.steps().to_vec();
        way.extend([Step::key("metadata"), Step::key("annotations")]);
        for (_, map) in find(applied.text, &way).unwrap_or_default() {
            for (key, value) in members(map.get()).unwrap_or_default() {
                // What was applied does not name itself.
                if key == LAST_APPLIED || !wanted(&key) {
                    continue;
                }
                let mut way = way.clone();
                way.push(Step::Key(key));
                let said = find(live.text, &way).unwrap_or_default();
                let live = said.last().map(|(_, raw)| *raw);
                if live.is_none_or(|live| !same(live, value)) {
                    found.push(Annotation {
                        path: Location(way).detached(),
                        applied: shown(value),
                        live: live.map(shown),
                    });
                }
            }
        }
    }
    found
}

fn shown(value: &RawValue) -> String {
    match Scalar::of(value) {
        Scalar::Text(text) => text.into_owned(),
        _ => value.get().to_owned(),
    }
}

/// The text that a path leads to; none where it leads to nothing or to something else.
fn string<'a>(text: &'a str, path: &[Step<'_>]) -> Option<Cow<'a, str>> {
    let found = find(text, path).ok()?;
    match found.last().map(|(_, raw)| Scalar::of(raw)) {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}
