//! Changes values in the text of a manifest, and nothing else.
//!
//! What a change makes of the document is compared with what was wanted: where an alias or a merge
//! would carry it further, the text stays as it is and the reason is told.

use std::ops::Range;

use rollout_guard::json::{Location, Step, write_string};
use serde_json::Value as Json;

use crate::manifest::scalar::is_bare;
use crate::manifest::{self, Document, Lines, Position, Style, Value};

/// A change to a value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The document, by its position among those of the file that can be read.
    pub(crate) document: usize,
    /// The value, from the outermost one of the document.
    pub(crate) path: Location<'static>,
    /// What becomes of it.
    pub(crate) new: NewValue,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewValue {
    /// It is this text.
    Text(String),
    /// The map that holds it has it no more.
    Removed,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) change: Change,
    /// Where the value was in the file as it was given.
    pub(crate) at: Position,
    /// Why it has to be made by hand; none if it is made.
    pub(crate) refused: Option<&'static str>,
}

/// A file after its changes.
#[derive(Clone, Debug)]
pub(crate) struct Edited {
    pub(crate) text: String,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A piece of text that goes, and what stands there instead.
pub(crate) type Splice = (Range<usize>, String);

/// Makes changes to a file, as many as can be made safely.
pub(crate) fn apply(file: &str, changes: &[Change]) -> Edited {
    let lines = Lines::new(file);
    let documents = manifest::readable(file);
    let mut outcomes: Vec<_> = changes
        .iter()
        .map(|change| Outcome {
            change: change.clone(),
            at: lines.position(
                documents
                    .get(change.document)
                    .map_or(0, |document| start(document, &change.path)),
            ),
            refused: None,
        })
        .collect();
    // Most often all of them can be made at once.
    if let Some(text) = all_at_once(file, &documents, changes) {
        return Edited { text, outcomes };
    }
    let mut text = file.to_owned();
    for outcome in &mut outcomes {
        match one(&text, &outcome.change) {
            Ok(new) => text = new,
            Err(reason) => outcome.refused = Some(reason),
        }
    }
    Edited { text, outcomes }
}

/// The byte of a file at which the value is that a path of a document leads to.
pub(crate) fn start(document: &Document<'_>, path: &Location<'_>) -> usize {
    let place = document.tree.root().map(|root| root.locate(path));
    place.map_or(0, |place| document.in_file(&place.span).start)
}

/// The file with all changes, if they can be made and make what they should.
fn all_at_once(file: &str, documents: &[Document<'_>], changes: &[Change]) -> Option<String> {
    let mut splices = Vec::new();
    for change in changes {
        let document = documents.get(change.document)?;
        splices.push(splice(file, document, change).ok()?);
    }
    let text = with_splices(file, splices)?;
    is_as_wanted(documents, changes, &text).then_some(text)
}

fn one(file: &str, change: &Change) -> Result<String, &'static str> {
    let documents = manifest::readable(file);
    let Some(document) = documents.get(change.document) else {
        return Err("the document is not there");
    };
    let (range, new) = splice(file, document, change)?;
    let (Some(before), Some(behind)) = (file.get(..range.start), file.get(range.end..)) else {
        return Err("its place is not known");
    };
    let text = [before, &new, behind].concat();
    if is_as_wanted(&documents, std::slice::from_ref(change), &text) {
        Ok(text)
    } else {
        Err("its text stands for other values too, by an anchor or a merge")
    }
}

/// Whether a text says what the documents say after the changes.
fn is_as_wanted(documents: &[Document<'_>], changes: &[Change], text: &str) -> bool {
    let after = manifest::readable(text);
    if after.len() != documents.len() {
        return false;
    }
    let parse = |document: &Document<'_>| serde_json::from_str::<Json>(document.tree.json()).ok();
    documents
        .iter()
        .zip(&after)
        .enumerate()
        .all(|(position, (before, after))| {
            let mut of_document = changes
                .iter()
                .filter(|change| change.document == position)
                .peekable();
            if of_document.peek().is_none() {
                return before.tree.json() == after.tree.json();
            }
            let Some(mut wanted) = parse(before) else {
                return false;
            };
            of_document.all(|change| set(&mut wanted, change).is_some())
                && parse(after).as_ref() == Some(&wanted)
        })
}

/// The value that steps lead to.
pub(crate) fn value_at<'j>(root: &'j mut Json, steps: &[Step<'_>]) -> Option<&'j mut Json> {
    steps.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_ref()),
        Step::Index(index) => value.get_mut(*index),
        Step::Each => None,
    })
}

/// Makes a change to a value.
fn set(root: &mut Json, change: &Change) -> Option<()> {
    let (last, way) = change.path.steps().split_last()?;
    let parent = value_at(root, way)?;
    match (&change.new, last) {
        (NewValue::Text(text), Step::Key(key)) => {
            *parent.get_mut(key.as_ref())? = Json::String(text.clone());
        }
        (NewValue::Text(text), Step::Index(index)) => {
            *parent.get_mut(*index)? = Json::String(text.clone());
        }
        (NewValue::Removed, Step::Key(key)) => {
            parent.as_object_mut()?.remove(key.as_ref())?;
        }
        _ => return None,
    }
    Some(())
}

/// What a change does to the text.
///
/// # Errors
///
/// Why it has to be made by hand.
pub(crate) fn splice(
    file: &str,
    document: &Document<'_>,
    change: &Change,
) -> Result<Splice, &'static str> {
    let root = document.tree.root().ok_or("the document is empty")?;
    let place = root.locate(&change.path);
    if !place.is_exact {
        return Err("it is not there");
    }
    if place.is_shared {
        return Err("it comes by an alias or a merge");
    }
    if place.is_repeated {
        return Err("a key on the way to it occurs twice");
    }
    let range = document.in_file(&place.span);
    match &change.new {
        NewValue::Text(new) => {
            let old = file.get(range.clone()).unwrap_or_default();
            if old.contains('\n') && place.style != Style::Block {
                return Err("it goes over several lines");
            }
            let text = match place.style {
                Style::Block => return Err("it is a block scalar"),
                Style::Flow | Style::Indented => return Err("it is a list or a map"),
                Style::Plain if old.is_empty() => return Err("it is empty"),
                Style::Plain if is_bare(new) => new.clone(),
                Style::Single if !new.contains(|mark: char| mark.is_control()) => {
                    format!("'{}'", new.replace('\'', "''"))
                }
                Style::Plain | Style::Single | Style::Double => {
                    let mut quoted = String::new();
                    write_string(&mut quoted, new);
                    quoted
                }
            };
            Ok((range, text))
        }
        NewValue::Removed => {
            let Some((Step::Key(key), way)) = change.path.steps().split_last() else {
                return Err("only a key of a map can be removed");
            };
            let map = root.at(&Location(way.to_vec())).ok_or("it is not there")?;
            if place.style == Style::Block {
                return Err("it is a block scalar");
            }
            removal(file, document, map, key)
        }
    }
}

/// A text with pieces of it replaced; none where they overlap.
pub(crate) fn with_splices(file: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut text = String::with_capacity(file.len());
    let mut copied = 0;
    for (range, new) in splices {
        text.push_str(file.get(copied..range.start)?);
        text.push_str(&new);
        copied = range.end;
    }
    text.push_str(file.get(copied..)?);
    Some(text)
}

/// What a new member does to the text of a map: it stands behind the member with another key.
///
/// # Errors
///
/// Why it has to be made by hand.
pub(crate) fn insertion(
    file: &str,
    document: &Document<'_>,
    map: &Location<'_>,
    behind: &str,
    member: (&str, &str),
) -> Result<Splice, &'static str> {
    let root = document.tree.root().ok_or("the document is empty")?;
    let place = root.locate(map);
    let map = root.at(map).ok_or("it is not there")?;
    if place.is_shared || place.is_repeated {
        return Err("it comes by an alias or a merge");
    }
    let known = map.members().find(|(key, _)| key.is_text(behind));
    let (key, value) = known.ok_or("it is not there")?;
    let (key, value) = (
        document.in_file(&key.span()),
        document.in_file(&value.span()),
    );
    let mut text = String::new();
    let is_json = file
        .get(key.clone())
        .is_some_and(|key| key.starts_with('"'));
    if is_json || !is_bare(member.1) {
        write_string(&mut text, member.1);
    } else {
        text.push_str(member.1);
    }
    let quote = if is_json { "\"" } else { "" };
    let text = format!("{quote}{}{quote}: {text}", member.0);
    if map.style() != Style::Indented {
        return Ok((value.end..value.end, format!(", {text}")));
    }
    let before = file.get(..key.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |line| line + 1);
    let lead = before.get(line..).unwrap_or_default();
    if !lead.chars().all(|mark| mark == ' ' || mark == '-') {
        return Err("its key does not begin its line");
    }
    let rest = file.get(value.end..).unwrap_or_default();
    let line_end = rest.find('\n').ok_or("its line does not end")?;
    let is_alone = |rest: &str| rest.trim().is_empty() || rest.trim_start().starts_with('#');
    if !rest.get(..line_end).is_some_and(is_alone) {
        return Err("something else is on its line");
    }
    let end = if rest
        .get(..line_end)
        .is_some_and(|rest| rest.ends_with('\r'))
    {
        "\r\n"
    } else {
        "\n"
    };
    let at = value.end + line_end + 1;
    Ok((at..at, format!("{}{text}{end}", " ".repeat(lead.len()))))
}

/// What a new map at the end of a list does to the text. The list is a member of the outermost map, which
/// gets it if it has none.
///
/// # Errors
///
/// Why it has to be made by hand.
pub(crate) fn element(
    file: &str,
    document: &Document<'_>,
    key: &str,
    members: &[(&str, &str)],
) -> Result<Splice, &'static str> {
    let root = document.tree.root().ok_or("the document is empty")?;
    let place = root.locate(&Location(vec![Step::Key(key.to_owned().into())]));
    if place.is_shared || place.is_repeated {
        return Err("it comes by an alias or a merge");
    }
    let quoted = |text: &str| {
        let mut quoted = String::new();
        write_string(&mut quoted, text);
        quoted
    };
    let plain = |text: &str| {
        if is_bare(text) {
            text.to_owned()
        } else {
            quoted(text)
        }
    };
    let end_of_line = if file.contains("\r\n") { "\r\n" } else { "\n" };
    let block = |indent: &str| {
        let lines = members.iter().enumerate().map(|(position, (key, value))| {
            let lead = if position == 0 { "- " } else { "  " };
            format!("{indent}{lead}{key}: {}{end_of_line}", plain(value))
        });
        lines.collect::<String>()
    };
    let list = root.get(key).filter(|list| !list.is_null());
    let Some(list) = list else {
        if root.style() != Style::Indented || root.get(key).is_some() {
            return Err("the list is not there");
        }
        let before = if file.ends_with('\n') {
            ""
        } else {
            end_of_line
        };
        let text = format!("{before}{key}:{end_of_line}{}", block("  "));
        return Ok((file.len()..file.len(), text));
    };
    let final_one = list.elements().last();
    if list.style() == Style::Flow {
        let members = members.iter().map(|(key, value)| {
            let is_json = root.style() == Style::Flow;
            if is_json {
                format!("{}: {}", quoted(key), quoted(value))
            } else {
                format!("{key}: {}", plain(value))
            }
        });
        let members = members.collect::<Vec<_>>().join(", ");
        return Ok(match final_one {
            Some(final_one) => {
                let at = document.in_file(&final_one.span()).end;
                (at..at, format!(", {{ {members} }}"))
            }
            None => (document.in_file(&list.span()), format!("[{{ {members} }}]")),
        });
    }
    let (Some(final_one), true) = (final_one, list.is_list()) else {
        return Err("it is no list");
    };
    let first = list.elements().next().unwrap_or(final_one);
    let start = document.in_file(&first.span()).start;
    let before = file.get(..start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |line| line + 1);
    let lead = before.get(line..).unwrap_or_default();
    let indent = lead
        .strip_suffix("- ")
        .filter(|indent| indent.chars().all(|mark| mark == ' '));
    let indent = indent.ok_or("its elements do not begin their lines")?;
    let end = document.in_file(&(0..end_of(final_one))).end;
    let rest = file.get(end..).unwrap_or_default();
    Ok(match rest.find('\n') {
        Some(line_end) => (end + line_end + 1..end + line_end + 1, block(indent)),
        None => (
            file.len()..file.len(),
            format!("{end_of_line}{}", block(indent)),
        ),
    })
}

/// The byte behind the last scalar of a value.
fn end_of(value: Value<'_>) -> usize {
    let last = value.members().last().map(|(_, value)| value);
    match last.or_else(|| value.elements().last()) {
        Some(last) if value.style() == Style::Indented => end_of(last),
        _ => value.span().end,
    }
}

/// The text that goes with a member of a map.
fn removal(
    file: &str,
    document: &Document<'_>,
    map: Value<'_>,
    key: &str,
) -> Result<Splice, &'static str> {
    let members: Vec<_> = map
        .members()
        .map(|(key, value)| {
            let (start, end) = (key.span().start, value.span().end.max(key.span().end));
            (key.text(), document.in_file(&(start..end)))
        })
        .collect();
    let position = members
        .iter()
        .position(|(found, _)| found.as_deref() == Some(key));
    let Some((position, (_, member))) = position.and_then(|at| Some((at, members.get(at)?))) else {
        return Err("it is not there");
    };
    let before = file.get(..member.start).unwrap_or_default();
    let behind = file.get(member.end..).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |line| line + 1);
    let lead = before.get(line..).unwrap_or_default();
    if map.style() == Style::Indented {
        if !lead.chars().all(|mark| mark == ' ') {
            return Err("its key does not begin its line");
        }
        if members.len() == 1 {
            return Ok((member.clone(), "{}".to_owned()));
        }
        let line_end = behind.find('\n').map_or(behind.len(), |end| end + 1);
        let rest = behind.get(..line_end).unwrap_or_default().trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err("something else is on its line");
        }
        return Ok((line..member.end + line_end, String::new()));
    }
    if members.len() == 1 {
        return Ok((member.clone(), String::new()));
    }
    // One comma goes with it: the one behind it, or before it if it is the last.
    let neighbour = if let Some((_, next)) = members.get(position + 1) {
        member.start..next.start
    } else {
        let previous = position.checked_sub(1).and_then(|at| members.get(at));
        previous.map_or(member.start, |(_, previous)| previous.end)..member.end
    };
    if file
        .get(neighbour.clone())
        .is_some_and(|text| text.contains('#'))
    {
        return Err("a comment is beside it");
    }
    Ok((neighbour, String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> Location<'static> {
        let step = |step: &&str| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key((*step).to_owned().into()),
        };
        Location(steps.iter().map(step).collect())
    }

    fn change(steps: &[&str], new: Option<&str>) -> Change {
        Change {
            document: 0,
            path: path(steps),
            new: new.map_or(NewValue::Removed, |text| NewValue::Text(text.to_owned())),
        }
    }

    fn edited(text: &str, steps: &[&str], new: Option<&str>) -> Result<String, &'static str> {
        let edited = apply(text, &[change(steps, new)]);
        match edited.outcomes.first().unwrap().refused {
            None => Ok(edited.text),
            Some(reason) => {
                assert_eq!(edited.text, text);
                Err(reason)
            }
        }
    }

    #[test]
    fn keeps_the_style_of_the_value_and_all_other_bytes() {
        for (before, new, after) in [
            ("a: b # c\r\nd: e\r\n", "x:1", "a: x:1 # c\r\nd: e\r\n"),
            ("a: 'b'\n", "it's", "a: 'it''s'\n"),
            ("a: \"b\"\n", "x\"y", "a: \"x\\\"y\"\n"),
            ("{a: b, c: d}\n", "x:1", "{a: x:1, c: d}\n"),
            (
                "{\"a\":\"b\",\n\t\"c\":1}",
                "x",
                "{\"a\":\"x\",\n\t\"c\":1}",
            ),
            ("a: b\n", "on", "a: \"on\"\n"),
            ("a: b\n", "1.10", "a: \"1.10\"\n"),
            ("a: b\n", "x: y", "a: \"x: y\"\n"),
            ("\u{feff}# é\n---\na:   b", "x", "\u{feff}# é\n---\na:   x"),
            ("a: !!str b\n", "x", "a: !!str x\n"),
        ] {
            assert_eq!(
                edited(before, &["a"], Some(new)).unwrap(),
                after,
                "{before}"
            );
        }
    }

    #[test]
    fn removes_a_member_with_its_line_or_its_comma() {
        for (before, after) in [
            ("m:\n  k: v\n  a: b # c\n  x: y\n", "m:\n  k: v\n  x: y\n"),
            ("m:\n  a: b\nn: o\n", "m:\n  {}\nn: o\n"),
            ("m:\n  x: y\n  a: b", "m:\n  x: y\n"),
            ("m: {a: b, c: d}\n", "m: {c: d}\n"),
            ("m: {c: d, a: b}\n", "m: {c: d}\n"),
            ("m: { a: b }\n", "m: {  }\n"),
            (
                "{\"m\": {\n  \"c\": 1,\n  \"a\": 2\n}}",
                "{\"m\": {\n  \"c\": 1\n}}",
            ),
            ("m:\r\n  a: b\r\n  c: d\r\n", "m:\r\n  c: d\r\n"),
        ] {
            assert_eq!(
                edited(before, &["m", "a"], None).unwrap(),
                after,
                "{before}"
            );
        }
    }

    #[test]
    fn refuses_what_would_change_more_or_is_not_one_value() {
        for (before, steps, reason) in [
            (
                "a: b\na: c\n",
                &["a"][..],
                "a key on the way to it occurs twice",
            ),
            (
                "x: &i b\na: *i\n",
                &["a"],
                "it comes by an alias or a merge",
            ),
            (
                "a: &i b\nx: *i\n",
                &["a"],
                "its text stands for other values too, by an anchor or a merge",
            ),
            (
                "x: &x {i: b}\na:\n  <<: *x\n",
                &["a", "i"],
                "it comes by an alias or a merge",
            ),
            ("a: |\n  b\n", &["a"], "it is a block scalar"),
            ("a:\n  b\n  c\n", &["a"], "it goes over several lines"),
            ("a:\nb: c\n", &["a"], "it is empty"),
            ("a: [b]\n", &["a"], "it is a list or a map"),
            ("a: b\n", &["c"], "it is not there"),
        ] {
            assert_eq!(
                edited(before, steps, Some("x")).unwrap_err(),
                reason,
                "{before}"
            );
        }
    }

    #[test]
    fn a_change_that_cannot_be_made_does_not_hold_up_the_others() {
        let text = "a: &i b\nx: *i\nw: z\n";
        let edited = apply(
            text,
            &[change(&["a"], Some("new")), change(&["w"], Some("new"))],
        );
        assert_eq!(edited.text, "a: &i b\nx: *i\nw: new\n");
        let refused: Vec<_> = edited
            .outcomes
            .iter()
            .map(|outcome| outcome.refused.is_some())
            .collect();
        assert_eq!(refused, [true, false]);
    }

    #[test]
    fn removes_neighbours_of_one_map() {
        let text = "m: {a: 1, b: 2, c: 3}\n";
        let changes = [change(&["m", "b"], None), change(&["m", "c"], None)];
        let edited = apply(text, &changes);
        assert_eq!(edited.text, "m: {a: 1}\n");
    }
}
