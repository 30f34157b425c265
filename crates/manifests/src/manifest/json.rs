//! Finds the values of a JSON text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use rollout_guard::json::{Document, Key, Kind, Value};
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
    let (document, _) = Document::first(text).map_err(|_| unreadable(text))?;
    let (root, span) = (document.root(), document.root().span());
    let tree = Tree {
        json: Cow::Borrowed(text.get(span.clone()).unwrap_or_default()),
        nodes: Vec::with_capacity(span.len() / 24),
        repeated: Vec::new(),
        long: OnceLock::new(),
    };
    Ok((tree_of(root, tree)?, span.end))
}

/// Where and why a text does not begin with JSON, in the words of `serde_json`.
fn unreadable(text: &str) -> Unreadable {
    let mut reader = serde_json::Deserializer::from_str(text);
    let Err(error) = IgnoredAny::deserialize(&mut reader) else {
        return Unreadable::new(0, "no JSON");
    };
    let lines = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let line: usize = lines.map(str::len).sum();
    let problem = error.to_string();
    // The place is told apart.
    let problem = problem.split(" at line ").next().unwrap_or_default();
    Unreadable::new(line + error.column().saturating_sub(1), problem)
}

/// A list or map that is open: its node, what is left in it, and the keys so far.
struct Frame<'d, I> {
    node: usize,
    rest: I,
    keys: BTreeSet<&'d str>,
}

/// Fills a tree with a value and all that is in it. Without recursion: nesting has no bound.
fn tree_of<'t>(root: Value<'_>, mut tree: Tree<'t>) -> Result<Tree<'t>, Unreadable> {
    let start = root.span().start;
    let mut open = Vec::new();
    let (mut key, mut value): (Option<Key<'_>>, _) = (None, root);
    loop {
        if let Some(key) = key {
            let span = key.span();
            add(
                &mut tree,
                span.start - start..span.end - start,
                Style::Double,
            )?;
        }
        let span = value.span();
        let style = match value.kind() {
            Kind::Text => Style::Double,
            Kind::Map | Kind::List => Style::Flow,
            Kind::Null | Kind::Bool | Kind::Number => Style::Plain,
        };
        let node = add(&mut tree, span.start - start..span.end - start, style)?;
        if value.is_composite() {
            open.push(Frame {
                node,
                rest: inside(value),
                keys: BTreeSet::new(),
            });
        }
        (key, value) = loop {
            let count = u32::try_from(tree.nodes.len()).unwrap_or(u32::MAX);
            let Some(frame) = open.last_mut() else {
                return Ok(tree);
            };
            if let Some(next) = frame.rest.next() {
                break next;
            }
            if let Some(node) = tree.nodes.get_mut(frame.node) {
                node.next = count;
            }
            open.pop();
        };
        if let (Some(key), Some(frame)) = (key, open.last_mut())
            && !frame.keys.insert(key.text())
        {
            let span = key.span();
            tree.repeated.push(RepeatedKey {
                span: span.start - start..span.end - start,
                key: key.text().to_owned(),
            });
        }
    }
}

/// What is in a list or map, with the key of each member.
fn inside(value: Value<'_>) -> impl Iterator<Item = (Option<Key<'_>>, Value<'_>)> {
    let members = value.members().map(|(key, value)| (Some(key), value));
    members.chain(value.elements().map(|value| (None, value)))
}

/// Adds a node, and says which one it is.
fn add(tree: &mut Tree<'_>, span: Range<usize>, style: Style) -> Result<usize, Unreadable> {
    let node = tree.nodes.len();
    if node >= MOST_NODES {
        let problem = format!("more than {MOST_NODES} values in one document");
        return Err(Unreadable::new(span.start, problem));
    }
    let (Ok(start), Ok(end)) = (u32::try_from(span.start), u32::try_from(span.end)) else {
        return Err(Unreadable::new(0, "a document of more than 4 GiB"));
    };
    tree.nodes.push(Node {
        start,
        end,
        json: start,
        json_end: end,
        next: u32::try_from(node + 1).unwrap_or(u32::MAX),
        style,
        is_shared: false,
    });
    Ok(node)
}
