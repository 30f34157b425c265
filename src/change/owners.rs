//! Owners that an object gets: who names a dying owner has the garbage collector delete the object.

use std::borrow::Cow;

use crate::hashing::Seen;
use crate::json::{Kind, Step, kind_of, scan, text_at};

use super::difference::{Change, Difference, Differences, Shows, inside};

/// Compares the `ownerReferences` of two `metadata`: one that was not there as it is differs. One
/// that goes does not: an object without owners stays.
pub(super) fn compare(metadata: Change<'_>, differences: &mut Differences) {
    let owners = [Step::key("ownerReferences")];
    for (was, is) in inside(metadata, &owners) {
        let Some(is) = is.filter(|is| was != Some(*is)) else {
            continue;
        };
        let mut known = Seen::default();
        for owner in was.into_iter().flat_map(scan::elements) {
            known.insert(&identity(owner));
        }
        if !matches!(kind_of(is), Kind::List | Kind::Null) {
            note(None, differences);
            continue;
        }
        for (index, owner) in scan::elements(is).into_iter().enumerate() {
            // What has no identity is like nothing else.
            let identity = identity(owner);
            if identity.is_none() || !known.contains(&identity) {
                note(Some(index), differences);
            }
        }
    }
}

fn note(index: Option<usize>, differences: &mut Differences) {
    let mut way = vec![Step::key("metadata"), Step::key("ownerReferences")];
    way.extend(index.map(Step::Index));
    differences.below(&way, &mut |this| {
        this.add_here(&|path| Difference {
            path,
            place: None,
            noun: "owner",
            shows: Shows::Change,
            was: None,
            is: Some(String::new()),
        });
    });
}

/// What the garbage collector goes by. `blockOwnerDeletion` it takes back itself.
fn identity(owner: &str) -> Option<String> {
    let parts = ["apiVersion", "kind", "name", "uid"].map(|key| text(owner, key));
    if parts.iter().any(String::is_empty) {
        return None;
    }
    Some(parts.each_ref().map(String::as_str).join(" "))
}

/// A member of an owner; empty if there is no such text.
fn text(owner: &str, key: &str) -> String {
    text_at(owner, &[Step::key(key)]).map_or_else(String::new, Cow::into_owned)
}
