//! Changes to the `images` of a kustomization.

use rollout_guard::json::{Location, Step};

use super::decision::makes;
use crate::edit::{self, Change, NewValue, Splice};
use crate::image::Parts;
use crate::manifest::{Document, Value};

/// What makes an entry make another image.
///
/// # Errors
///
/// Why it has to be made by hand.
pub(crate) fn change(
    text: &str,
    document: &Document<'_>,
    way: &Location<'static>,
    old: &str,
    new: &str,
) -> Result<Vec<Splice>, &'static str> {
    let entry = document.tree.root().and_then(|root| root.at(way));
    let entry = entry.ok_or("the entry of `images` is not there")?;
    let mut splices = Vec::new();
    for (key, value) in entry_changes(old, new) {
        let new = match (entry.get(key), value) {
            (Some(_), Some(value)) => NewValue::Text(value.to_owned()),
            (Some(_), None) => NewValue::Removed,
            (None, Some(value)) => {
                splices.push(edit::insertion(text, document, way, "name", (key, value))?);
                continue;
            }
            (None, None) => continue,
        };
        let change = Change {
            document: 0,
            path: way.below(Location(vec![Step::key(key)])),
            new,
        };
        splices.push(edit::splice(text, document, &change)?);
    }
    Ok(splices)
}

/// What makes a kustomization make another image: its own entry changes, or it gets one.
///
/// # Errors
///
/// Why it has to be made by hand.
pub(crate) fn change_or_add(
    text: &str,
    document: &Document<'_>,
    old: &str,
    new: &str,
) -> Result<Vec<Splice>, &'static str> {
    let images = document.tree.root().and_then(|root| root.get("images"));
    let entries: Vec<_> = images
        .into_iter()
        .flat_map(Value::elements)
        .enumerate()
        .collect();
    let own = entries.iter().rev().find(|(_, entry)| makes(*entry, old));
    if let Some((index, _)) = own {
        let way = Location(vec![Step::key("images"), Step::Index(*index)]);
        return change(text, document, &way, old, new);
    }
    let mut members = vec![("name", Parts::of(old).name)];
    let changes = entry_changes(old, new).into_iter();
    members.extend(changes.filter_map(|(key, value)| Some((key, value?))));
    Ok(vec![edit::element(text, document, "images", &members)?])
}

/// What the keys of an entry of `images` become after which it makes another image.
fn entry_changes<'i>(old: &'i str, new: &'i str) -> Vec<(&'static str, Option<&'i str>)> {
    let (old, new) = (Parts::of(old), Parts::of(new));
    let mut changes = Vec::new();
    if old.name != new.name {
        changes.push(("newName", Some(new.name)));
    }
    // A tag without a digest takes the place of both, and the other way round.
    if old.tag != new.tag || (old.digest.is_some() && new.digest.is_none()) {
        changes.push(("newTag", new.tag));
    }
    if old.digest != new.digest {
        changes.push(("digest", new.digest));
    }
    changes
}
