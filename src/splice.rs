//! Changes to a JSON text that leave every other byte as it is.
//!
//! An object that goes through types, or through a map, loses what these do not know: members of a
//! newer Kubernetes, the spelling of numbers, the order of keys. A change here replaces the bytes of
//! one value and no others.

use std::ops::Range;

use crate::hashing::Seen;
use crate::json::{Location, Step, Value, write_string};

/// A change to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where in the object the value starts that changes; of a list that is made, the map that it is made in.
    /// The path to it is told by [`paths`].
    pub(crate) at: usize,
    /// What becomes of it.
    pub change: Change,
    /// The bytes of the object that go.
    pub(crate) span: Range<usize>,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The text is another one.
    Set(String),
    /// The list gets more elements, or is made, by this JSON.
    PullSecrets(String),
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
    // Two quotes more than a text has, which is written without escapes.
    let added = edits.iter().map(|edit| match &edit.change {
        Change::Set(text) | Change::PullSecrets(text) => text.len() + 2,
        Change::Remove => 0,
    });
    let mut changed = String::with_capacity(text.len() + added.sum::<usize>());
    let mut copied = 0;
    for edit in edits {
        changed.push_str(text.get(copied..edit.span.start)?);
        match &edit.change {
            Change::Set(text) => write_string(&mut changed, text),
            Change::PullSecrets(json) => changed.push_str(json),
            Change::Remove => {}
        }
        copied = edit.span.end;
    }
    changed.push_str(text.get(copied..)?);
    Some(changed)
}

/// The changes that remove members of a map, each with exactly one comma: all but the bytes of these
/// members, their commas and the space up to the next member stay as they are.
///
/// `removed` are the positions of the members' values. Spans are those of `object`, which the map
/// is part of.
pub(crate) fn remove_members(object: Value<'_>, map: Value<'_>, removed: &Seen) -> Vec<Edit> {
    let offset = object.span().start;
    let mut edits: Vec<Edit> = Vec::new();
    // Where the last member that stays ends, and the first of those that go behind it.
    let (mut last_kept, mut first) = (None, 0);
    for (key, value) in map.members() {
        let span = key.span().start - offset..value.span().end - offset;
        if removed.contains(&value.position()) {
            edits.push(Edit {
                at: value.span().start - offset,
                change: Change::Remove,
                span,
            });
        } else {
            // What goes before it goes with the comma behind.
            let mut next = span.start;
            for edit in edits.iter_mut().skip(first).rev() {
                edit.span.end = next;
                next = edit.span.start;
            }
            (last_kept, first) = (Some(span.end), edits.len());
        }
    }
    // The last ones go with the comma before them.
    for edit in edits.iter_mut().skip(first) {
        let end = edit.span.end;
        edit.span.start = last_kept.replace(end).unwrap_or(edit.span.start);
    }
    edits
}

/// Where in an object the values stand that these changes to it are about.
pub fn paths(object: Value<'_>, edits: &[Edit]) -> Vec<Location<'static>> {
    let offset = object.span().start;
    let mut paths: Vec<_> = edits
        .iter()
        .map(|edit| (offset + edit.at, Location::default()))
        .collect();
    find(object, &Location::default(), &mut paths);
    paths.into_iter().map(|(_, path)| path).collect()
}

/// Says of changes, of which each is given by where it is, the path from a value that all of them are in.
fn find(
    value: Value<'_>,
    here: &Location<'static>,
    mut changes: &mut [(usize, Location<'static>)],
) {
    let members = value
        .members()
        .map(|(key, value)| (Step::key(key.text()), value));
    let elements = value.elements().enumerate();
    let elements = elements.map(|(index, value)| (Step::Index(index), value));
    for (step, value) in members.chain(elements) {
        let span = value.span();
        let count = changes.iter().take_while(|(at, _)| *at < span.end).count();
        let Some((inside, rest)) = std::mem::take(&mut changes).split_at_mut_checked(count) else {
            return;
        };
        changes = rest;
        if inside.is_empty() {
            continue;
        }
        let here = here.below(Location(vec![step.detached()]));
        for (_, path) in inside.iter_mut().filter(|(at, _)| *at == span.start) {
            path.clone_from(&here);
        }
        find(value, &here, inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit {
            at: span.start,
            change: Change::PullSecrets(text.to_owned()),
            span,
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
        let document = Document::of(text).unwrap();
        let map = document.root();
        let values_of = map.members().map(|(_, value)| value);
        let mut gone = values_of.filter(|value| values.contains(&value.text()));
        let mut removed = Seen::default();
        assert!(gone.all(|value| removed.insert(&value.position())));
        let edits = remove_members(map, map, &removed);
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
    fn says_where_changes_are() {
        let text = r#"{"a":[{"b":"x"},"y"],"b.c":{"d":{}},"e":1}"#;
        let at = |value: &str| edit(text.find(value).unwrap()..0, "");
        let edits = [at(r#"{"b""#), at(r#""x""#), at(r#""y""#), at("{}")];
        let document = Document::of(text).unwrap();
        let paths: Vec<_> = paths(document.root(), &edits)
            .iter()
            .map(Location::to_string)
            .collect();
        assert_eq!(paths, ["a[0]", "a[0].b", "a[1]", r#"["b.c"].d"#]);
    }

    #[test]
    fn changes_that_meet_change_nothing() {
        let text = r#"{"a":"xy"}"#;
        assert_eq!(apply(text, &[edit(5..8, ""), edit(7..9, "")]), None);
        assert_eq!(apply(text, &[edit(5..80, "")]), None);
    }
}
