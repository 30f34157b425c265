//! Changes to a JSON text that leave every other byte as it is.
//!
//! An object that goes through types, or through a map, loses what these do not know: members of a
//! newer Kubernetes, the spelling of numbers, the order of keys. A change here replaces the bytes of
//! one value and no others.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::json::Location;

/// A change to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What changes.
    pub path: Location<'static>,
    /// What becomes of it.
    pub change: Change,
    /// The bytes of the object that go, and what stands there instead.
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The text is another one.
    Set(String),
    /// The list gets more elements, or is made.
    PullSecrets,
}

/// Adds a change to others, in the order of the document.
pub(crate) fn add(edits: &mut Vec<Edit>, edit: Edit) {
    // Changes come in this order, all but a few.
    let after = edits
        .iter()
        .rposition(|earlier| earlier.span.start <= edit.span.start)
        .map_or(0, |last| last + 1);
    edits.insert(after, edit);
}

/// The object that `text` begins with, with these changes, which are in the order of the document.
///
/// `None` where the text is no JSON value, or two changes meet: then nothing is known to be right.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut values = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut values).ok()?;
    let end = values.into_iter::<IgnoredAny>().byte_offset();
    let mut changed = String::with_capacity(end + 64 * edits.len());
    let mut copied = 0;
    for edit in edits {
        changed.push_str(text.get(copied..edit.span.start)?);
        changed.push_str(&edit.text);
        copied = edit.span.end;
    }
    changed.push_str(text.get(copied..end)?);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit {
            path: Location::default(),
            change: Change::Set(text.to_owned()),
            span,
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_these_bytes_and_no_others() {
        let text = r#"{ "a" : "x", "n":1e2,"b":"y" } , "rest""#;
        let mut edits = Vec::new();
        add(&mut edits, edit(25..28, r#""long""#));
        add(&mut edits, edit(8..11, r#""""#));
        assert_eq!(
            apply(text, &edits).unwrap(),
            r#"{ "a" : "", "n":1e2,"b":"long" }"#
        );
    }

    #[test]
    fn changes_that_meet_change_nothing() {
        let text = r#"{"a":"xy"}"#;
        assert_eq!(apply(text, &[edit(5..8, ""), edit(7..9, "")]), None);
        assert_eq!(apply(text, &[edit(5..80, "")]), None);
        assert_eq!(apply("{", &[]), None);
    }
}
