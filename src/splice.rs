//! Changes to a JSON text that leave every other byte as it is.
//!
//! An object that goes through types, or through a map, loses what these do not know: members of a
//! newer Kubernetes, the spelling of numbers, the order of keys. A change here replaces the bytes of
//! one value and no others.

use std::ops::Range;

use rollout_guard_json::write_string;

use crate::hashing::Seen;
use crate::json::scan::{balanced_end, each_element, each_member, kind_at};
use crate::json::{Kind, Location, Step, position};

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
/// `map` is part of `text`; `removed` are the positions of the members' values.
///
/// `None` where that cannot be told.
pub(crate) fn remove_members(text: &str, map: &str, removed: &Seen) -> Option<Vec<Edit>> {
    let offset = position(map).checked_sub(position(text))?;
    let mut edits: Vec<Edit> = Vec::new();
    // Where what was read ends, the last member that stays, and the first of those that go behind it.
    let (mut read, mut last_kept, mut first) = (offset + 1, None, 0);
    each_member(map, 0, &mut |_, at| {
        let start = read + text.get(read..)?.find('"')?;
        let end = balanced_end(map, at)?;
        read = offset + end;
        if removed.contains(&(position(map) + at)) {
            edits.push(Edit {
                at: offset + at,
                change: Change::Remove,
                span: start..read,
            });
        } else {
            // What goes before it goes with the comma behind.
            let mut next = start;
            for edit in edits.get_mut(first..)?.iter_mut().rev() {
                edit.span.end = next;
                next = edit.span.start;
            }
            (last_kept, first) = (Some(read), edits.len());
        }
        Some(end)
    })?;
    // The last ones go with the comma before them.
    for edit in edits.get_mut(first..)? {
        let end = edit.span.end;
        edit.span.start = last_kept.replace(end).unwrap_or(edit.span.start);
    }
    Some(edits)
}

/// Where in an object the values stand that these changes to it are about.
pub fn paths(object: &str, edits: &[Edit]) -> Vec<Location<'static>> {
    let mut paths = vec![Location::default(); edits.len()];
    find(object, 0, &Location::default(), edits, &mut paths);
    paths
}

/// Says of changes where below a value they are: of those that are in the value that starts here, which are
/// all in the order of the document.
fn find(
    text: &str,
    start: usize,
    here: &Location<'static>,
    edits: &[Edit],
    paths: &mut [Location<'static>],
) -> Option<usize> {
    let mut next = 0;
    let mut below = |step: Step<'static>, start: usize| {
        let end = balanced_end(text, start)?;
        let rest = edits.get(next..)?;
        let count = rest.iter().take_while(|edit| edit.at < end).count();
        let inside = next..next + count;
        if count > 0 {
            let here = here.below(Location(vec![step]));
            for (edit, path) in edits
                .get(inside.clone())?
                .iter()
                .zip(paths.get_mut(inside.clone())?)
            {
                if edit.at == start {
                    path.clone_from(&here);
                }
            }
            find(
                text,
                start,
                &here,
                edits.get(inside.clone())?,
                paths.get_mut(inside.clone())?,
            )?;
        }
        next = inside.end;
        Some(end)
    };
    match kind_at(text, start) {
        Kind::Map => each_member(text, start, &mut |key, start| {
            below(Step::Key(key.into_owned().into()), start)
        }),
        Kind::List => {
            let mut index = 0;
            each_element(text, start, &mut |start| {
                index += 1;
                below(Step::Index(index - 1), start)
            })
        }
        _ => balanced_end(text, start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::members;

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
        let members = members(text).unwrap();
        let mut removed = Seen::default();
        let mut gone = members.iter().filter(|(_, value)| values.contains(value));
        let count = gone.clone().count();
        assert!(gone.all(|(_, value)| removed.insert(&position(value))));
        let edits = remove_members(text, text, &removed).unwrap();
        assert_eq!(edits.len(), count);
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
        let paths: Vec<_> = paths(text, &edits)
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
