//! Changes to a JSON text that leave every other byte as it is.
//!
//! An object that goes through types, or through a map, loses what these do not know: members of a
//! newer Kubernetes, the spelling of numbers, the order of keys. A change here replaces the bytes of
//! one value and no others.

use std::collections::HashSet;
use std::ops::Range;

use rollout_guard_json::write_string;

use crate::json::{Location, Step, members, position};

/// A change to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What changes.
    pub path: Location<'static>,
    /// What becomes of it.
    pub change: Change,
    /// The bytes of the object that go.
    pub(crate) span: Range<usize>,
    /// What stands there instead, where the change is not to a text.
    pub(crate) text: String,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The text is another one.
    Set(String),
    /// The list gets more elements, or is made.
    PullSecrets,
    /// The member of a map is gone.
    Remove,
}

/// Adds a change to others, in the order of the document.
pub(crate) fn add(edits: &mut Vec<Edit>, edit: Edit) {
    // Changes come in this order, all but a few.
    let after = edits
        .iter()
        .rposition(|earlier| earlier.span.start <= edit.span.start)
        .map_or(0, |last| last + 1);
    // A repeated key may ask twice for one change.
    let is_there = after
        .checked_sub(1)
        .and_then(|last| edits.get(last))
        .is_some_and(|last| last.span == edit.span);
    if !is_there {
        edits.insert(after, edit);
    }
}

/// Adds changes to others, both in the order of the document. What both ask for is done once.
pub(crate) fn merge(edits: &mut Vec<Edit>, others: Vec<Edit>) {
    let mut earlier = std::mem::take(edits).into_iter().peekable();
    for edit in others {
        while let Some(first) = earlier.next_if(|first| first.span.start <= edit.span.start) {
            edits.push(first);
        }
        if edits.last().is_none_or(|last| last.span != edit.span) {
            edits.push(edit);
        }
    }
    edits.extend(earlier);
}

/// Lists of changes as one, each and all in the order of the document.
pub(crate) fn merge_all(mut lists: Vec<Vec<Edit>>) -> Vec<Edit> {
    while lists.len() > 1 {
        let mut merged = Vec::with_capacity(lists.len().div_ceil(2));
        let mut left = lists.into_iter();
        while let Some(mut edits) = left.next() {
            merge(&mut edits, left.next().unwrap_or_default());
            merged.push(edits);
        }
        lists = merged;
    }
    lists.pop().unwrap_or_default()
}

/// A text with these changes, which are in the order of the document.
///
/// `None` where two changes meet, or one is beyond the end: then nothing is known to be right.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut changed = String::with_capacity(text.len() + 64 * edits.len());
    let mut copied = 0;
    for edit in edits {
        changed.push_str(text.get(copied..edit.span.start)?);
        if let Change::Set(text) = &edit.change {
            write_string(&mut changed, text);
        } else {
            changed.push_str(&edit.text);
        }
        copied = edit.span.end;
    }
    changed.push_str(text.get(copied..)?);
    Some(changed)
}

/// The changes that remove members of a map, each with exactly one comma: all but the bytes of these
/// members, their commas and the space up to the next member stay as they are.
///
/// `map` is part of `text`; `removed` are the positions of the members' values.
///
/// `None` where that cannot be told.
pub(crate) fn remove_members(
    text: &str,
    map: &str,
    place: &Location<'_>,
    removed: &HashSet<usize>,
) -> Option<Vec<Edit>> {
    let offset = |part: &str| position(part).checked_sub(position(text));
    let map_start = offset(map)?;
    // Each member with the bytes of its key and value.
    let mut members_found = Vec::new();
    let mut read = map_start + 1;
    for (key, value) in members(map)? {
        let start = read + text.get(read..)?.find('"')?;
        read = offset(value)? + value.len();
        members_found.push((key, start..read, removed.contains(&position(value))));
    }
    let mut edits = Vec::new();
    let last_kept = members_found
        .iter()
        .rposition(|(_, _, is_removed)| !is_removed);
    for (index, (key, span, is_removed)) in members_found.iter().enumerate() {
        if !is_removed {
            continue;
        }
        let before = index
            .checked_sub(1)
            .and_then(|index| members_found.get(index));
        let span = match (members_found.get(index + 1), before) {
            // With the comma behind it.
            (Some((_, next, _)), _) if last_kept.is_some_and(|last| index < last) => {
                span.start..next.start
            }
            // The last ones, with the comma before them.
            (_, Some((_, before, _))) => before.end..span.end,
            (_, None) => span.clone(),
        };
        let mut path = place.detached();
        path.0.push(Step::Key(key.to_string().into()));
        edits.push(Edit {
            path,
            change: Change::Remove,
            span,
            text: String::new(),
        });
    }
    Some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit {
            path: Location::default(),
            change: Change::PullSecrets,
            span,
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_these_bytes_and_no_others() {
        let text = r#"{ "a" : "x", "n":1e2,"b":"y" }"#;
        let mut edits = Vec::new();
        add(&mut edits, edit(25..28, r#""long""#));
        add(&mut edits, edit(8..11, r#""""#));
        assert_eq!(
            apply(text, &edits).unwrap(),
            r#"{ "a" : "", "n":1e2,"b":"long" }"#
        );
    }

    /// The text without the members of its only map that have these values.
    fn without(text: &str, values: &[&str]) -> String {
        let members = members(text).unwrap();
        let removed: HashSet<_> = members
            .iter()
            .filter(|(_, value)| values.contains(value))
            .map(|(_, value)| position(value))
            .collect();
        let edits = remove_members(text, text, &Location::default(), &removed).unwrap();
        assert_eq!(edits.len(), removed.len());
        apply(text, &edits).unwrap()
    }

    #[test]
    fn a_removed_member_takes_exactly_one_comma_with_it() {
        let text = r#"{ "a" : 1 , "b":2,"c": 3 ,  "d":4 }"#;
        for (values, left) in [
            (&["1"][..], r#"{ "b":2,"c": 3 ,  "d":4 }"#),
            (&["2"], r#"{ "a" : 1 , "c": 3 ,  "d":4 }"#),
            (&["4"], r#"{ "a" : 1 , "b":2,"c": 3 }"#),
            (&["1", "2"], r#"{ "c": 3 ,  "d":4 }"#),
            (&["2", "3"], r#"{ "a" : 1 , "d":4 }"#),
            (&["3", "4"], r#"{ "a" : 1 , "b":2 }"#),
            (&["1", "4"], r#"{ "b":2,"c": 3 }"#),
            (&["1", "3"], r#"{ "b":2,"d":4 }"#),
            (&["1", "3", "4"], r#"{ "b":2 }"#),
            (&["1", "2", "3", "4"], "{  }"),
            (&[], text),
        ] {
            assert_eq!(without(text, values), left, "{values:?}");
        }
    }

    #[test]
    fn a_member_is_removed_whatever_its_key_and_value_look_like() {
        for (text, left) in [
            (r#"{"a":0}"#, "{}"),
            (r#"{"\"a\u0022":0,"b":1}"#, r#"{"b":1}"#),
            (r#"{"{\",":0,"b":"}"}"#, r#"{"b":"}"}"#),
            (r#"{"a":"\",","b":0}"#, r#"{"a":"\","}"#),
            (r#"{"a":0,"a":1,"a":0}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(without(text, &["0"]), left);
        }
    }

    #[test]
    fn changes_that_meet_change_nothing() {
        let text = r#"{"a":"xy"}"#;
        assert_eq!(apply(text, &[edit(5..8, ""), edit(7..9, "")]), None);
        assert_eq!(apply(text, &[edit(5..80, "")]), None);
    }
}
