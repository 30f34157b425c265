//! Finds the values of a JSON text.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::tree::{MOST_NODES, Node, RepeatedKey, Style, Tree};
use super::yaml::Unreadable;

/// Reads the JSON values that a text holds one after another, each with where it begins; and why
/// what follows them cannot be read.
pub(super) fn read(text: &str) -> (Vec<(usize, Tree<'_>)>, Option<Unreadable>) {
    let mut values = Vec::new();
    let mut at = 0;
    loop {
        let behind = text.get(at..).unwrap_or_default();
        let rest = behind.trim_ascii_start();
        at += behind.len() - rest.len();
        if rest.is_empty() {
            return (values, None);
        }
        match first(rest) {
            Ok((tree, end)) => {
                values.push((at, tree));
                at += end;
            }
            Err(error) => {
                let error = Unreadable::new(at + error.at, error.problem);
                return (values, Some(error));
            }
        }
    }
}

/// The value that a text begins with, and the byte behind it.
fn first(text: &str) -> Result<(Tree<'_>, usize), Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut reader).map_err(|error| unreadable(text, &error))?;
    let end = reader.into_iter::<IgnoredAny>().byte_offset();
    Ok((tree(text.get(..end).unwrap_or_default())?, end))
}

fn unreadable(text: &str, error: &serde_json::Error) -> Unreadable {
    let line: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let problem = error.to_string();
    // The place is told apart.
    let problem = problem.split(" at line ").next().unwrap_or_default();
    Unreadable::new(line + error.column().saturating_sub(1), problem)
}

/// A list or map that is open.
struct Frame<'t> {
    node: usize,
    /// The keys of a map so far.
    keys: Option<BTreeSet<Cow<'t, str>>>,
    awaits_value: bool,
}

/// The values of a text that is one JSON value.
fn tree(text: &str) -> Result<Tree<'_>, Unreadable> {
    let mut nodes: Vec<Node> = Vec::with_capacity(text.len() / 24);
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut repeated = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'{' | b'[' => at + 1,
            b'}' | b']' => {
                at += 1;
                if let Some(frame) = frames.pop() {
                    close(&mut nodes, frame.node, at);
                }
                ended(&mut frames);
                continue;
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => literal_end(bytes, at),
            _ => {
                at += 1;
                continue;
            }
        };
        if nodes.len() >= MOST_NODES {
            let problem = format!("more than {MOST_NODES} values in one document");
            return Err(Unreadable::new(at, problem));
        }
        let (Ok(start), Ok(behind)) = (u32::try_from(at), u32::try_from(end)) else {
            return Err(Unreadable::new(0, "a document of more than 4 GiB"));
        };
        let node = nodes.len();
        nodes.push(Node {
            start,
            end: behind,
            json: start,
            json_end: behind,
            next: u32::try_from(node + 1).unwrap_or(u32::MAX),
            style: match byte {
                b'"' => Style::Double,
                b'{' | b'[' => Style::Flow,
                _ => Style::Plain,
            },
            is_shared: false,
        });
        if matches!(byte, b'{' | b'[') {
            frames.push(Frame {
                node,
                keys: (*byte == b'{').then(BTreeSet::new),
                awaits_value: false,
            });
        } else {
            let string = text.get(at..end).unwrap_or_default();
            if let Some(frame) = frames.last_mut()
                && let Some(keys) = &mut frame.keys
                && !frame.awaits_value
            {
                frame.awaits_value = true;
                let key = key(string);
                if keys.contains(&key) {
                    let (span, key) = (at..end, key.into_owned());
                    repeated.push(RepeatedKey { span, key });
                } else {
                    keys.insert(key);
                }
            } else {
                ended(&mut frames);
            }
        }
        at = end;
    }
    Ok(Tree {
        json: Cow::Borrowed(text),
        nodes,
        repeated,
    })
}

/// A value is whole: in a map, a key comes next.
fn ended(frames: &mut [Frame<'_>]) {
    if let Some(frame) = frames.last_mut() {
        frame.awaits_value = false;
    }
}

fn close(nodes: &mut [Node], node: usize, end: usize) {
    let next = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let end = u32::try_from(end).unwrap_or(u32::MAX);
    if let Some(node) = nodes.get_mut(node) {
        node.end = end;
        node.json_end = end;
        node.next = next;
    }
}

fn key(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\')
        && let Ok(text) = serde_json::from_str(quoted)
    {
        return Cow::Owned(text);
    }
    Cow::Borrowed(quoted.trim_matches('"'))
}

/// The byte behind the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        end += match byte {
            b'\\' => 2,
            b'"' => return end + 1,
            _ => 1,
        };
    }
    bytes.len()
}

/// The byte behind the number or word that begins at `at`.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E'))
        .unwrap_or(rest.len());
    at + length
}
