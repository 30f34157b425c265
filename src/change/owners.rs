//! Owners that an object gets: who names a dying owner has the garbage collector delete the object.

use crate::hashing::Seen;
use crate::json::{Kind, Step, Value};

use super::difference::{Change, Difference, Differences, Shows, inside};

/// Compares the `ownerReferences` of two `metadata`: one that was not there as it is differs. One
/// that goes does not: an object without owners stays.
pub(super) fn compare(metadata: Change<'_>, differences: &mut Differences) {
    let owners = [Step::key("ownerReferences")];
    for (was, is) in inside(metadata, &owners) {
        let Some(is) = is.filter(|is| !was.is_some_and(|was| was.is_written_as(*is))) else {
            continue;
        };
        let mut known = Seen::default();
        for owner in was.into_iter().flat_map(Value::elements) {
            known.insert(&identity(owner));
        }
        if !matches!(is.kind(), Kind::List | Kind::Null) {
            note(None, differences);
            continue;
        }
        for (index, owner) in is.elements().enumerate() {
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
fn identity(owner: Value<'_>) -> Option<String> {
    let parts = ["apiVersion", "kind", "name", "uid"].map(|key| text(owner, key));
    if parts.contains(&"") {
        return None;
    }
    Some(parts.join(" "))
}

/// A member of an owner; empty if there is no such text.
fn text<'a>(owner: Value<'a>, key: &str) -> &'a str {
    owner.get(key).and_then(Value::string).unwrap_or_default()
}
