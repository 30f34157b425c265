//! A document as JSON, and where each of its values stands in the text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use rollout_guard::json::{Location, Step};

/// At most this many values in one document: 24 bytes are kept of each.
pub(super) const MOST_NODES: usize = 4_000_000;

/// Lists and maps with more than this are looked up in [`Long`].
const MANY: usize = 64;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// After `|` or `>`.
    Block,
    /// A list or map in brackets.
    Flow,
    /// A list or map by indentation.
    Indented,
}

/// A value or a key of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The first byte of it in the text.
    pub(super) start: u32,
    /// The byte behind it in the text.
    pub(super) end: u32,
    /// Its first byte in the JSON.
    pub(super) json: u32,
    /// The byte behind it in the JSON.
    pub(super) json_end: u32,
    /// The node behind it and everything below it.
    pub(super) next: u32,
    pub(super) style: Style,
    /// It stands elsewhere in the text: an alias leads to it.
    pub(super) is_shared: bool,
}

/// A document: its JSON, and its values in the order of the text, keys and values of a map in turn.
///
/// A map may hold a key more than once. The last one counts, as for kubectl; the JSON has them all, so
/// that whoever judges it sees every value.
#[derive(Debug)]
pub struct Tree<'t> {
    pub(super) json: Cow<'t, str>,
    pub(super) nodes: Vec<Node>,
    pub(super) repeated: Vec<RepeatedKey>,
    pub(super) long: OnceLock<Box<Long>>,
}

/// Where the values of long lists and maps are, by the list or map: to go through all of them for each of thousands
/// of findings would take minutes.
#[derive(Debug, Default)]
pub(super) struct Long {
    elements: HashMap<usize, Vec<usize>>,
    /// The position of the first element with a name.
    named: HashMap<usize, HashMap<String, usize>>,
    /// The last key and value, as that is the one that counts.
    members: HashMap<usize, HashMap<String, (usize, usize)>>,
}

/// A key that its map holds already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedKey {
    /// Where it stands in the text.
    pub span: Range<usize>,
    /// The key.
    pub key: String,
}

/// One value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    tree: &'d Tree<'d>,
    index: usize,
    node: &'d Node,
}

/// Where a path leads in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The value, or what is nearest to it.
    pub span: Range<usize>,
    /// The key of the value, if a map holds it.
    pub key: Option<Range<usize>>,
    /// How the value is written.
    pub style: Style,
    /// An alias is on the way: the text belongs to more than one value.
    pub is_shared: bool,
    /// A key on the way occurs more than once in its map, and this is the last one.
    pub is_repeated: bool,
    /// The path leads to a value; else it ends early, and this is as far as it leads.
    pub is_exact: bool,
}

impl Tree<'_> {
    /// The document as JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Keys that their maps hold already, in the order of the text.
    pub fn repeated_keys(&self) -> &[RepeatedKey] {
        &self.repeated
    }

    /// The outermost value; none of an empty document.
    pub fn root(&self) -> Option<Value<'_>> {
        self.value(0)
    }

    fn long(&self) -> &Long {
        self.long.get_or_init(|| {
            let mut long = Long::default();
            let values = (0..self.nodes.len()).filter_map(|index| self.value(index));
            for value in values.filter(|value| value.below().nth(MANY).is_some()) {
                let mut named = HashMap::new();
                for (position, element) in value.elements().enumerate() {
                    // Not looked up in what is being made.
                    let own = element.members().filter(|(key, _)| key.is_text("name"));
                    if let Some(name) = own.last().and_then(|(_, name)| name.text()) {
                        named.entry(name.into_owned()).or_insert(position);
                    }
                }
                let elements = value.elements().map(|element| element.index);
                long.elements.insert(value.index, elements.collect());
                long.named.insert(value.index, named);
                let members = value.members().filter_map(|(key, value)| {
                    Some((key.text()?.into_owned(), (key.index, value.index)))
                });
                long.members.insert(value.index, members.collect());
            }
            Box::new(long)
        })
    }

    fn value(&self, index: usize) -> Option<Value<'_>> {
        let node = self.nodes.get(index)?;
        Some(Value {
            tree: self,
            index,
            node,
        })
    }
}

impl<'d> Value<'d> {
    /// The value as JSON.
    pub fn json(self) -> &'d str {
        self.tree
            .json
            .get(self.node.json as usize..self.node.json_end as usize)
            .unwrap_or_default()
    }

    /// The text of a string.
    pub fn text(self) -> Option<Cow<'d, str>> {
        let quoted = self.json();
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(quoted).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// Whether it is a map.
    pub fn is_map(self) -> bool {
        self.json().starts_with('{')
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        self.json().starts_with('[')
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.json() == "null"
    }

    /// What it is, in words.
    pub fn kind(self) -> &'static str {
        match self.json().bytes().next() {
            Some(b'{') => "a map",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') | None => "null",
            Some(_) => "a number",
        }
    }

    /// Where it stands in the text.
    pub const fn span(self) -> Range<usize> {
        self.node.start as usize..self.node.end as usize
    }

    /// Its place among the nodes of its tree.
    pub(super) const fn index(self) -> usize {
        self.index
    }

    /// How it is written.
    pub const fn style(self) -> Style {
        self.node.style
    }

    /// The values directly below: the elements of a list, or keys and values in turn.
    fn below(self) -> impl Iterator<Item = Value<'d>> {
        let end = self.node.next as usize;
        let is_collection = self.is_map() || self.is_list();
        let mut index = if is_collection { self.index + 1 } else { end };
        std::iter::from_fn(move || {
            let value = (index < end).then(|| self.tree.value(index)).flatten()?;
            index = (value.node.next as usize).max(index + 1);
            Some(value)
        })
    }

    /// The elements of a list.
    pub fn elements(self) -> impl Iterator<Item = Value<'d>> {
        let is_list = self.is_list();
        self.below().take_while(move |_| is_list)
    }

    /// An element of a list.
    pub fn element(self, index: usize) -> Option<Value<'d>> {
        if index < MANY {
            return self.elements().nth(index);
        }
        let elements = self.tree.long().elements.get(&self.index)?;
        self.tree.value(*elements.get(index)?)
    }

    /// The position of the first element of a list that has a `name`.
    pub fn position_of(self, name: &str) -> Option<usize> {
        if self.elements().nth(MANY).is_some() {
            return self.tree.long().named.get(&self.index)?.get(name).copied();
        }
        let is_it = |element: Value<'_>| element.text_at(&["name"]).as_deref() == Some(name);
        self.elements().position(is_it)
    }

    /// Keys and values of a map.
    pub fn members(self) -> impl Iterator<Item = (Value<'d>, Value<'d>)> {
        let is_map = self.is_map();
        let mut below = self.below();
        std::iter::from_fn(move || {
            let key = below.next().filter(|_| is_map)?;
            Some((key, below.next()?))
        })
    }

    /// The value of a key; of the last one where the key occurs more than once.
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.member(key).map(|(_, value)| value)
    }

    fn member(self, key: &str) -> Option<(Value<'d>, Value<'d>)> {
        let mut found = None;
        for (count, member) in self.members().enumerate() {
            if count == MANY {
                let members = self.tree.long().members.get(&self.index)?;
                let (key, value) = members.get(key)?;
                return Some((self.tree.value(*key)?, self.tree.value(*value)?));
            }
            if member.0.is_text(key) {
                found = Some(member);
                if self.tree.repeated.is_empty() {
                    break;
                }
            }
        }
        found
    }

    fn holds_twice(self, key: &str) -> bool {
        let is_key = |(found, _): &(Value<'_>, Value<'_>)| found.is_text(key);
        !self.tree.repeated.is_empty() && self.members().filter(is_key).nth(1).is_some()
    }

    /// The text at the end of a way of keys.
    pub fn text_at(self, way: &[&str]) -> Option<Cow<'d, str>> {
        way.iter()
            .try_fold(self, |value, key| value.get(key))?
            .text()
    }

    /// Whether it is this string.
    pub fn is_text(self, wanted: &str) -> bool {
        self.text().is_some_and(|text| text == wanted)
    }

    /// The value that a path leads to.
    pub fn at(self, path: &Location<'_>) -> Option<Value<'d>> {
        path.steps()
            .iter()
            .try_fold(self, |value, step| match step {
                Step::Key(key) => value.get(key),
                Step::Index(index) => value.element(*index),
                Step::Each => None,
            })
    }

    /// Where a path leads from here.
    pub fn locate(self, path: &Location<'_>) -> Place {
        let mut at = self;
        let mut key = None;
        let mut is_shared = self.node.is_shared;
        let mut is_repeated = false;
        let mut is_exact = true;
        for step in path.steps() {
            let next = match step {
                Step::Key(wanted) => at.member(wanted).map(|(found, value)| (Some(found), value)),
                Step::Index(wanted) => at.element(*wanted).map(|value| (None, value)),
                Step::Each => None,
            };
            let Some((found, value)) = next else {
                is_exact = false;
                break;
            };
            is_repeated |= matches!(step, Step::Key(key) if at.holds_twice(key));
            key = found.map(Value::span);
            at = value;
            is_shared |= value.node.is_shared;
        }
        Place {
            span: at.span(),
            key,
            style: at.style(),
            is_shared,
            is_repeated,
            is_exact,
        }
    }

    /// Every value that a path leads to: more than one where keys on the way occur more than once.
    pub fn all_at(self, path: &Location<'_>) -> Vec<Value<'d>> {
        let mut found = vec![self];
        for step in path.steps() {
            found = found
                .into_iter()
                .flat_map(|value| -> Vec<_> {
                    match step {
                        Step::Key(key) => value
                            .members()
                            .filter(|(found, _)| found.is_text(key))
                            .map(|(_, value)| value)
                            .collect(),
                        Step::Index(index) => value.element(*index).into_iter().collect(),
                        Step::Each => Vec::new(),
                    }
                })
                .collect();
        }
        found
    }

    /// Whether a key occurs more than once somewhere in its document.
    pub const fn has_repeated_keys(self) -> bool {
        !self.tree.repeated.is_empty()
    }
}
