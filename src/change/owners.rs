//! Owners that an object gets: who names a dying owner has the garbage collector delete the object.

use serde_json::value::RawValue;

use crate::json::{Kind, Node, Scalar, Step, find, kind_of};

use super::difference::{Change, Difference, Differences, inside};

/// Compares the `ownerReferences` of two `metadata`: one that was not there as it is differs. One
/// that goes does not: an object without owners stays.
pub(super) fn compare(metadata: Change<'_>, differences: &mut Differences) {
    let owners = [Step::key("ownerReferences")];
    for (was, is) in inside(metadata, &owners) {
        let Some(is) = is.filter(|is| was.is_none_or(|was| was.get() != is.get())) else {
            continue;
        };
        let known: Vec<_> = was.into_iter().flat_map(each).map(identity).collect();
        if kind_of(is) != Kind::List && kind_of(is) != Kind::Null {
            note(is, None, differences);
            continue;
        }
        for (index, owner) in each(is).into_iter().enumerate() {
            if !known.contains(&identity(owner)) {
                note(owner, Some(index), differences);
            }
        }
    }
}

fn note(owner: &RawValue, index: Option<usize>, differences: &mut Differences) {
    let text = |key| match find(owner.get(), &[Step::key(key)]).as_deref() {
        Ok([(_, raw)]) => match Scalar::of(raw) {
            Scalar::Text(text) => text.into_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let is = match text("kind") {
        kind if kind.is_empty() => owner.get().to_owned(),
        kind => format!("{kind}/{}", text("name")),
    };
    let mut way = vec![Step::key("metadata"), Step::key("ownerReferences")];
    way.extend(index.map(Step::Index));
    differences.below(&way, |this| {
        let path = this.here();
        this.found.push(Difference {
            path,
            place: None,
            noun: "owner",
            was: None,
            is: Some(is),
        });
    });
}

fn each(list: &RawValue) -> Vec<&RawValue> {
    let found = find(list.get(), &[Step::Each]).unwrap_or_default();
    found.into_iter().map(|(_, raw)| raw).collect()
}

/// An owner without `blockOwnerDeletion`, which the garbage collector itself takes back. None for
/// what is no map, which is like nothing else.
fn identity(owner: &RawValue) -> Option<Vec<(String, String)>> {
    let Ok(Node::Map(members)) = serde_json::from_str(owner.get()) else {
        return None;
    };
    let mut texts: Vec<_> = Vec::new();
    for (key, value) in members {
        if key == "blockOwnerDeletion" {
            continue;
        }
        let value = match value {
            Node::Text(text) => text.into_owned(),
            Node::Bool(is) => is.to_string(),
            _ => return None,
        };
        texts.push((key.into_owned(), value));
    }
    texts.sort_unstable();
    Some(texts)
}
