//! Reads a YAML document as kubectl does, with the place of every value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};
use rollout_guard::json::write_string;

use super::scalar;
use super::tree::{MOST_NODES, Node, RepeatedKey, Style, Tree, Value};

/// What aliases may add to a document in all, in bytes of JSON: what an API server takes of one
/// request (`DefaultMaxRequestSizeBytes`). Whatever needs more can be applied to no cluster.
const MOST_ALIASED: usize = 3 << 20;

/// The namespace of YAML's own tags.
const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// Why a document cannot be read, and at which byte of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The byte at which reading ended.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Unreadable {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }

    /// The same, in a text in which what was read begins at a byte.
    pub(super) fn moved(self, start: usize) -> Self {
        Self {
            at: start + self.at,
            ..self
        }
    }
}

/// Reads the documents of a text. Usually one; more where `...` ends one without a `---` after it.
///
/// # Errors
///
/// Where the text is not YAML, or holds what JSON has no words for.
pub(super) fn read(text: &str) -> Result<Vec<Tree<'static>>, Unreadable> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_scalar_eof_without_line_feed = true;
    options.bom_inside_document_as_content = true;
    let mut documents = Vec::new();
    let mut builder = Builder::new(text.len());
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or_default();
            Unreadable::new(at, error.info())
        })?;
        match event {
            Event::DocumentEnd => {
                let Builder { mut tree, json, .. } =
                    std::mem::replace(&mut builder, Builder::new(0));
                tree.json = Cow::Owned(json);
                tree.repeated.sort_by_key(|repeated| repeated.span.start);
                documents.push(tree);
            }
            event => builder.event(event, &span)?,
        }
    }
    Ok(documents)
}

struct Builder {
    tree: Tree<'static>,
    json: String,
    frames: Vec<Frame>,
    /// The keys of the maps that are open: a hash and the node.
    keys: Vec<(u64, usize)>,
    anchors: BTreeMap<usize, Anchored>,
    aliased: usize,
}

/// What an anchor names.
enum Anchored {
    /// A node of the document.
    Here(usize),
    /// What was a node of the document before a merge rebuilt the map around it.
    Apart(Tree<'static>),
}

/// A list or map that is being read.
struct Frame {
    node: usize,
    anchor: usize,
    kind: FrameKind,
    is_first: bool,
}

enum FrameKind {
    List,
    Map {
        /// Where its keys begin among those of all open maps.
        keys: usize,
        awaits_value: bool,
        has_merge: bool,
    },
}

impl Builder {
    fn new(capacity: usize) -> Self {
        Self {
            tree: Tree {
                json: Cow::Borrowed(""),
                nodes: Vec::with_capacity(capacity / 16),
                repeated: Vec::new(),
                long: OnceLock::new(),
            },
            json: String::with_capacity(capacity),
            frames: Vec::new(),
            keys: Vec::new(),
            anchors: BTreeMap::new(),
            aliased: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Unreadable> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_key = self.begin(range.start)?;
                let node = self.open(range.start, scalar_style(style))?;
                let is_merge = is_key
                    && text == "<<"
                    && match &tag {
                        None => style == ScalarStyle::Plain,
                        Some(tag) => core(tag).as_deref() == Some("merge"),
                    };
                if is_merge {
                    write_string(&mut self.json, &text);
                } else {
                    self.scalar(&text, style, tag.as_deref(), is_key)
                        .map_err(|problem| Unreadable::new(range.start, problem))?;
                }
                self.close(node, range.end);
                self.remember(anchor, node);
                self.end(node, is_key, is_merge);
            }
            Event::SequenceStart(style, anchor, _) => {
                self.start(range.start, style, anchor, FrameKind::List)?;
                self.json.push('[');
            }
            Event::MappingStart(style, anchor, _) => {
                let kind = FrameKind::Map {
                    keys: self.keys.len(),
                    awaits_value: false,
                    has_merge: false,
                };
                self.start(range.start, style, anchor, kind)?;
                self.json.push('{');
            }
            Event::SequenceEnd => self.finish(range.end, ']')?,
            Event::MappingEnd => self.finish(range.end, '}')?,
            Event::Alias(anchor) => {
                let is_key = self.begin(range.start)?;
                let node = self.copy(anchor, is_key, range.start)?;
                self.end(node, is_key, false);
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes room for the next key or value; tells whether it is a key.
    fn begin(&mut self, at: usize) -> Result<bool, Unreadable> {
        if self.tree.nodes.len() >= MOST_NODES {
            return Err(Unreadable::new(
                at,
                format!("more than {MOST_NODES} values in one document"),
            ));
        }
        let Some(frame) = self.frames.last_mut() else {
            return Ok(false);
        };
        match frame.kind {
            FrameKind::Map {
                awaits_value: true, ..
            } => {
                self.json.push(':');
                return Ok(false);
            }
            _ if frame.is_first => frame.is_first = false,
            _ => self.json.push(','),
        }
        Ok(matches!(frame.kind, FrameKind::Map { .. }))
    }

    fn open(&mut self, start: usize, style: Style) -> Result<usize, Unreadable> {
        let node = self.tree.nodes.len();
        let start = u32::try_from(start);
        let json = u32::try_from(self.json.len());
        let (Ok(start), Ok(json)) = (start, json) else {
            return Err(Unreadable::new(0, "a document of more than 4 GiB"));
        };
        self.tree.nodes.push(Node {
            start,
            end: start,
            json,
            json_end: json,
            next: 0,
            style,
            is_shared: false,
        });
        Ok(node)
    }

    fn close(&mut self, node: usize, end: usize) {
        let next = offset(self.tree.nodes.len());
        let json_end = offset(self.json.len());
        if let Some(node) = self.tree.nodes.get_mut(node) {
            node.end = offset(end).max(node.start);
            node.json_end = json_end;
            node.next = next;
        }
    }

    fn remember(&mut self, anchor: usize, node: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Here(node));
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        is_key: bool,
    ) -> Result<(), String> {
        let kind = tag.map(core);
        let is_plain = match &kind {
            None => style == ScalarStyle::Plain,
            // All other tags leave the text as it is.
            Some(None) => false,
            Some(Some(core)) => match core.as_ref() {
                "binary" => return Err("`!!binary` is not supported, write a string".to_owned()),
                "int" | "float" | "bool" | "null" | "timestamp" => true,
                _ => false,
            },
        };
        if !is_plain {
            write_string(&mut self.json, text);
            return Ok(());
        }
        if let Some(Some(kind)) = &kind {
            let found = scalar::kind_of(text);
            let is_kind = found == kind.as_ref()
                || (found, kind.as_ref()) == ("int", "float")
                || kind == "timestamp";
            if !is_kind {
                return Err(format!("this is no `!!{kind}`"));
            }
        }
        if is_key {
            scalar::write_plain_key(text, &mut self.json)?;
        } else {
            scalar::write_plain(text, &mut self.json)?;
        }
        Ok(())
    }

    fn start(
        &mut self,
        start: usize,
        style: StructureStyle,
        anchor: usize,
        kind: FrameKind,
    ) -> Result<(), Unreadable> {
        if self.begin(start)? {
            return Err(Unreadable::new(start, "a key must not be a list or a map"));
        }
        let style = match style {
            StructureStyle::Flow => Style::Flow,
            StructureStyle::Block => Style::Indented,
        };
        let node = self.open(start, style)?;
        self.frames.push(Frame {
            node,
            anchor,
            kind,
            is_first: true,
        });
        Ok(())
    }

    fn finish(&mut self, end: usize, bracket: char) -> Result<(), Unreadable> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        self.json.push(bracket);
        // A list or map by indentation ends where its last value does, not at the next token.
        let end = match self.tree.nodes.get(frame.node) {
            Some(node) if node.style == Style::Indented => self.last_end(frame.node),
            _ => end,
        };
        if let FrameKind::Map {
            keys, has_merge, ..
        } = frame.kind
        {
            self.note_repeated(keys);
            self.keys.truncate(keys);
            self.close(frame.node, end);
            if has_merge {
                self.merge(frame.node)?;
            }
        } else {
            self.close(frame.node, end);
        }
        self.remember(frame.anchor, frame.node);
        self.end(frame.node, false, false);
        Ok(())
    }

    /// Where the last value below a node ends that stands there itself.
    fn last_end(&self, node: usize) -> usize {
        self.tree
            .nodes
            .iter()
            .skip(node)
            .rev()
            .find(|node| !node.is_shared)
            .map_or(0, |node| node.end as usize)
    }

    /// Notes a key or value that is whole.
    fn end(&mut self, node: usize, is_key: bool, is_merge: bool) {
        let Some(Frame {
            kind:
                FrameKind::Map {
                    awaits_value,
                    has_merge,
                    ..
                },
            ..
        }) = self.frames.last_mut()
        else {
            return;
        };
        *awaits_value = is_key;
        if is_merge {
            *has_merge = true;
        } else if is_key {
            let hash = fnv(self.json_of(node).as_bytes());
            self.keys.push((hash, node));
        }
    }

    fn json_of(&self, node: usize) -> &str {
        self.tree
            .nodes
            .get(node)
            .and_then(|node| self.json.get(node.json as usize..node.json_end as usize))
            .unwrap_or_default()
    }

    /// Notes the keys of the map that was just read, from this one on, that it holds already.
    fn note_repeated(&mut self, from: usize) {
        if let Some(keys) = self.keys.get_mut(from..) {
            keys.sort_unstable();
        }
        let keys = self.keys.get(from..).unwrap_or_default();
        let repeated = keys
            .array_windows()
            .filter(|[(one, first), (other, second)]| {
                one == other && self.json_of(*first) == self.json_of(*second)
            });
        let repeated: Vec<_> = repeated
            .filter_map(|[_, (_, node)]| {
                let key = serde_json::from_str(self.json_of(*node)).ok()?;
                let node = self.tree.nodes.get(*node)?;
                let span = node.start as usize..node.end as usize;
                Some(RepeatedKey { span, key })
            })
            .collect();
        self.tree.repeated.extend(repeated);
    }

    /// Writes what an anchor stands for; tells the node.
    fn copy(&mut self, anchor: usize, is_key: bool, at: usize) -> Result<usize, Unreadable> {
        let (copy, length) = (self.tree.nodes.len(), self.json.len());
        let source = match self.anchors.get(&anchor) {
            Some(Anchored::Here(node)) => self
                .tree
                .nodes
                .get(*node)
                .map(|source| (source.next as usize - node, self.json_of(*node))),
            Some(Anchored::Apart(tree)) => Some((tree.nodes.len(), tree.json())),
            None => None,
        };
        let Some((count, text)) = source else {
            return Err(Unreadable::new(
                at,
                "this alias is part of what it stands for",
            ));
        };
        let aliased = self.aliased + text.len();
        if aliased > MOST_ALIASED || copy + count > MOST_NODES {
            return Err(Unreadable::new(
                at,
                "aliases make this document larger than 3 MiB",
            ));
        }
        if is_key && !text.starts_with('"') {
            if text.starts_with(['{', '[']) || text == "null" {
                return Err(Unreadable::new(at, "a key must be a string"));
            }
            let key = format!("\"{text}\"");
            let copied = self.open(at, Style::Plain)?;
            self.json.push_str(&key);
            self.close(copied, at);
            return Ok(copied);
        }
        self.aliased = aliased;
        match self.anchors.remove(&anchor) {
            Some(Anchored::Here(node)) => {
                if let Some(source) = self.tree.nodes.get(node) {
                    let json = source.json as usize..source.json_end as usize;
                    let moved = (json.start, node);
                    let nodes = node..source.next as usize;
                    self.json.extend_from_within(json);
                    self.tree.nodes.extend_from_within(nodes);
                    self.move_nodes(copy, moved, (length, copy));
                }
                self.anchors.insert(anchor, Anchored::Here(node));
            }
            Some(Anchored::Apart(tree)) => {
                self.graft(&tree, 0);
                self.anchors.insert(anchor, Anchored::Apart(tree));
            }
            None => {}
        }
        for node in self.tree.nodes.iter_mut().skip(copy) {
            node.is_shared = true;
        }
        Ok(copy)
    }

    /// Makes the nodes from `first` on, which were copied, say where they stand now: each `from` and
    /// `to` is a place in the JSON and an index.
    fn move_nodes(&mut self, first: usize, from: (usize, usize), to: (usize, usize)) {
        for node in self.tree.nodes.iter_mut().skip(first) {
            node.json = offset(node.json as usize - from.0 + to.0);
            node.json_end = offset(node.json_end as usize - from.0 + to.0);
            node.next = offset(node.next as usize - from.1 + to.1);
        }
    }

    /// Resolves the merge keys of the map that was just read, as `gopkg.in/yaml.v2` does: in the
    /// order of the text, each key over those before it.
    fn merge(&mut self, map: usize) -> Result<(), Unreadable> {
        let Some(&node) = self.tree.nodes.get(map) else {
            return Ok(());
        };
        let old = detach(&self.tree.nodes, &self.json, map);
        self.json.truncate(node.json as usize);
        self.tree.nodes.truncate(map);
        for anchored in self.anchors.values_mut() {
            if let Anchored::Here(inside) = *anchored
                && inside > map
            {
                *anchored = Anchored::Apart(detach(&old.nodes, &old.json, inside - map));
            }
        }
        let mut members = Members::default();
        if let Some(root) = old.root() {
            for (key, value) in root.members() {
                // Only a plain `<<` is one; `"<<"` is a key like any other.
                if key.json() == r#""<<""# && key.style() == Style::Plain {
                    members.merge(value)?;
                } else {
                    members.set(key, value, false);
                }
            }
        }
        self.json.push('{');
        self.tree.nodes.push(node);
        for (position, (key, value)) in members.in_order.into_iter().enumerate() {
            if position > 0 {
                self.json.push(',');
            }
            self.graft(&old, key);
            self.json.push(':');
            self.graft(&old, value);
        }
        self.json.push('}');
        self.close(map, node.end as usize);
        Ok(())
    }

    /// Appends a value of another tree.
    fn graft(&mut self, old: &Tree<'_>, value: usize) {
        let Some(source) = old.nodes.get(value) else {
            return;
        };
        let (length, first) = (self.json.len(), self.tree.nodes.len());
        let json = source.json as usize..source.json_end as usize;
        let moved = (json.start, value);
        self.json.push_str(old.json.get(json).unwrap_or_default());
        let nodes = old.nodes.get(value..source.next as usize);
        self.tree.nodes.extend_from_slice(nodes.unwrap_or_default());
        self.move_nodes(first, moved, (length, first));
    }
}

/// A node and all below it as a tree of its own.
fn detach(nodes: &[Node], json: &str, index: usize) -> Tree<'static> {
    let mut apart = Builder::new(0);
    let Some(source) = nodes.get(index) else {
        return apart.tree;
    };
    let text = json.get(source.json as usize..source.json_end as usize);
    let below = nodes.get(index..source.next as usize).unwrap_or_default();
    apart.tree.nodes.extend_from_slice(below);
    apart.move_nodes(0, (source.json as usize, index), (0, 0));
    apart.tree.json = Cow::Owned(text.unwrap_or_default().to_owned());
    apart.tree
}

/// The members of a map after its merges: nodes of keys and values. A key that the map itself holds
/// twice stays there twice.
#[derive(Default)]
struct Members {
    in_order: Vec<(usize, usize)>,
    /// Where a key is in that order, and whether a merge brought it.
    positions: BTreeMap<String, (usize, bool)>,
}

impl Members {
    fn set(&mut self, key: Value<'_>, value: Value<'_>, is_merged: bool) {
        let member = (key.index(), value.index());
        match self.positions.get_mut(key.json()) {
            Some((position, was_merged)) if is_merged || *was_merged => {
                *was_merged = is_merged;
                if let Some(earlier) = self.in_order.get_mut(*position) {
                    *earlier = member;
                }
            }
            _ => {
                let position = self.in_order.len();
                self.positions
                    .insert(key.json().to_owned(), (position, is_merged));
                self.in_order.push(member);
            }
        }
    }

    /// Takes over the members of a map, or of the maps in a list: there the first ones count most.
    fn merge(&mut self, value: Value<'_>) -> Result<(), Unreadable> {
        let mut maps: Vec<_> = if value.is_list() {
            value.elements().collect()
        } else {
            vec![value]
        };
        maps.reverse();
        for map in maps {
            if !map.is_map() {
                return Err(Unreadable::new(
                    map.span().start,
                    "a merge takes a map or a list of maps",
                ));
            }
            for (key, value) in map.members() {
                self.set(key, value, true);
            }
        }
        Ok(())
    }
}

const fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

/// The name of one of YAML's own tags: `str`.
fn core(tag: &Tag) -> Option<Cow<'_, str>> {
    tag.suffix_in_namespace(YAML_TAGS)
}

/// A place in a text of at most 4 GiB, which [`Builder::open`] holds.
fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The hash FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use rollout_guard::json::{Location, Step};

    use super::*;

    fn json(text: &str) -> Result<String, String> {
        match read(text) {
            Ok(trees) => Ok(trees.iter().map(Tree::json).collect::<Vec<_>>().join(" ")),
            Err(error) => Err(format!("{}: {}", error.at, error.problem)),
        }
    }

    #[test]
    fn a_merge_goes_over_what_is_before_it_and_under_what_is_behind() {
        for (text, wanted) in [
            (
                "a: &a {x: 1, w: 2}\nb: {<<: *a, w: 3}",
                r#"{"a":{"x":1,"w":2},"b":{"x":1,"w":3}}"#,
            ),
            (
                "a: &a {x: 1}\nb: {x: 3, <<: *a}",
                r#"{"a":{"x":1},"b":{"x":1}}"#,
            ),
            (
                "a: &a {x: 1}\nb: &b {x: 2, z: 4}\nc: {<<: [*a, *b]}",
                r#"{"a":{"x":1},"b":{"x":2,"z":4},"c":{"x":1,"z":4}}"#,
            ),
            ("a: {<<: {x: 1}, w: 2}", r#"{"a":{"x":1,"w":2}}"#),
            ("a: {\"<<\": 1}", r#"{"a":{"<<":1}}"#),
            // Anchors in a map that a merge rebuilds still stand for what they did.
            (
                "a: {<<: &d {x: &e 1}, v: &f [2]}\nb: {<<: *d, z: *e, w: *f}",
                r#"{"a":{"x":1,"v":[2]},"b":{"x":1,"z":1,"w":[2]}}"#,
            ),
        ] {
            assert_eq!(json(text).unwrap(), wanted, "{text}");
        }
        assert_eq!(
            json("a: {<<: 1}").unwrap_err(),
            "8: a merge takes a map or a list of maps"
        );
    }

    #[test]
    fn a_key_that_occurs_twice_is_noted_and_its_last_value_counts() {
        for (text, wanted, at, key) in [
            ("a: 1\nb: 2\na: 3\n", r#"{"a":1,"b":2,"a":3}"#, 10, "a"),
            ("{1: a, '1': b}", r#"{"1":"a","1":"b"}"#, 7, "1"),
            (
                "b: {<<: {x: 1}, a: 1, a: 3}",
                r#"{"b":{"x":1,"a":1,"a":3}}"#,
                22,
                "a",
            ),
        ] {
            let trees = read(text).unwrap();
            let tree = trees.first().unwrap();
            assert_eq!(tree.json(), wanted);
            let noted = RepeatedKey {
                span: at..at + text.get(at..).unwrap().find(':').unwrap(),
                key: key.to_owned(),
            };
            assert_eq!(tree.repeated_keys(), [noted], "{text}");
        }
        let trees = read("m: {a: 1, a: {x: 2}}\n").unwrap();
        let map = trees.first().unwrap().root().unwrap().get("m").unwrap();
        assert_eq!(map.get("a").unwrap().json(), r#"{"x":2}"#);
        let path = Location(vec![Step::key("a")]);
        assert!(map.locate(&path).is_repeated);
        let all: Vec<_> = map.all_at(&path).into_iter().map(Value::json).collect();
        assert_eq!(all, ["1", r#"{"x":2}"#]);
    }

    #[test]
    fn keys_are_strings() {
        assert_eq!(json("on: 1\n2: x\n").unwrap(), r#"{"true":1,"2":"x"}"#);
        for (text, problem) in [
            ("? [a]\n: b\n", "2: a key must not be a list or a map"),
            ("~: a\n", "0: a key must not be null, put it in quotes"),
            (
                "a: &a [*a]\n",
                "7: this alias is part of what it stands for",
            ),
            (
                "a: !!binary eA==\n",
                "12: `!!binary` is not supported, write a string",
            ),
            ("a: !!int x\n", "9: this is no `!!int`"),
            (
                "a: -.inf\n",
                "3: a number that is not finite, which JSON cannot hold",
            ),
        ] {
            assert_eq!(json(text).unwrap_err(), problem, "{text}");
        }
    }

    #[test]
    fn tags_decide_before_the_spelling() {
        for (text, wanted) in [
            ("!!str 1", "\"1\""),
            ("!!int '1'", "1"),
            ("!!float 1", "1"),
            ("! 1", "\"1\""),
            ("!mine 1", "\"1\""),
            ("!!python/name:a.b x", "\"x\""),
        ] {
            assert_eq!(json(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn the_json_of_every_value_is_where_its_node_says() {
        let text = "a: &a {x: [1, {w: z}]}\nb: {<<: *a, k: *a}\nc:\n- é\n- \"q\\n\"\n";
        let trees = read(text).unwrap();
        let tree = trees.first().unwrap();
        let root = tree.root().unwrap();
        let at = |way: &[&str]| {
            let value = way.iter().fold(root, |value, key| value.get(key).unwrap());
            value.json()
        };
        assert_eq!(at(&["b", "k", "x"]), r#"[1,{"w":"z"}]"#);
        assert_eq!(at(&["b", "x"]), r#"[1,{"w":"z"}]"#);
        let element = root.get("b").unwrap().get("x").unwrap().elements().nth(1);
        let shared = element.unwrap().get("w").unwrap();
        assert_eq!(text.get(shared.span()), Some("z"));
        let last = root.get("c").unwrap().elements().nth(1).unwrap();
        assert_eq!(last.text().unwrap(), "q\n");
        assert_eq!(text.get(last.span()), Some("\"q\\n\""));
    }
}
