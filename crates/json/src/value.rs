//! Cursors.

use std::fmt;
use std::iter;
use std::ops::Range;

use super::Document;
use super::bytes::is_same;
use super::index::Place;

/// The type of a JSON value, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map, which Kubernetes calls an object.
    Map,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Map => "an object",
        })
    }
}

/// A value of a [`Document`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document<'a>,
    /// Its place in the index.
    at: usize,
}

/// Where a value stands in the text of its document: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub usize);

/// The key of a member.
#[derive(Clone, Copy)]
pub struct Key<'a>(Value<'a>);

static NULL: Document<'static> = Document::NULL;

impl<'a> Value<'a> {
    /// `null`, for what is not there.
    pub const NULL: Value<'static> = Value::new(&NULL, 0);

    pub(crate) const fn new(document: &'a Document<'a>, at: usize) -> Self {
        Self { document, at }
    }

    #[inline(always)]
    fn place(self) -> Place {
        let places = &self.document.places;
        places.get(self.at).copied().unwrap_or(Place::NULL)
    }

    /// The type, which the first character tells.
    #[inline]
    pub fn kind(self) -> Kind {
        match self.document.text.as_bytes().get(self.place().start()) {
            Some(b'"') => Kind::Text,
            Some(b'{') => Kind::Map,
            Some(b'[') => Kind::List,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Whether it is `null`, which Kubernetes reads as if it were absent.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The bytes of the document's text that it takes.
    pub fn span(self) -> Range<usize> {
        let Document {
            places, escaped, ..
        } = self.document;
        let place = self.place();
        let end = if place.is_bracket() {
            places.get(place.end()).map_or(0, |end| end.start() + 1)
        } else if place.is_escaped() {
            escaped.get(place.end()).map_or(0, |string| string.end)
        } else {
            place.end()
        };
        place.start()..end
    }

    /// The line and the column of the document in which it stands, counted from 1.
    pub fn line_and_column(self) -> (usize, usize) {
        let before = self.document.text.get(..self.place().start());
        let lines = before.unwrap_or_default().split('\n');
        let last = lines.clone().next_back().unwrap_or_default();
        (lines.count(), last.len() + 1)
    }

    /// The value as it is written.
    pub fn text(self) -> &'a str {
        self.document.text.get(self.span()).unwrap_or_default()
    }

    /// Whether another value is written the same, to the byte.
    pub fn is_written_as(self, other: Value<'_>) -> bool {
        is_same(self.text(), other.text())
    }

    /// Where it stands.
    pub fn position(self) -> Position {
        Position(self.place().start())
    }

    /// The string that it is; none if it is something else.
    pub fn string(self) -> Option<&'a str> {
        let place = self.place();
        if self.kind() != Kind::Text {
            return None;
        }
        if place.is_escaped() {
            let string = self.document.escaped.get(place.end())?;
            let written = self.document.text.get(place.start() + 1..string.end - 1)?;
            return Some(string.text(written));
        }
        self.document.text.get(place.start() + 1..place.end() - 1)
    }

    /// Whether it is a list or a map.
    #[inline]
    pub fn is_composite(self) -> bool {
        self.place().is_bracket()
    }

    /// Whether it is a list without elements or a map without members.
    pub fn is_empty(self) -> bool {
        let place = self.place();
        place.is_bracket() && place.end() == self.at + 1
    }

    /// The members of the map that it is, in their order, a repeated key as often as it is written; none
    /// if it is something else.
    #[inline]
    pub fn members(self) -> impl Iterator<Item = (Key<'a>, Self)> + Clone {
        let mut inside = self.inside(Kind::Map);
        iter::from_fn(move || Some((Key(inside.next()?), inside.next()?)))
    }

    /// The elements of the list that it is; none if it is something else.
    #[inline]
    pub fn elements(self) -> impl Iterator<Item = Self> + Clone {
        self.inside(Kind::List)
    }

    /// What is inside a value of this type.
    #[inline(always)]
    fn inside(self, kind: Kind) -> Inside<'a> {
        let end = if self.kind() == kind {
            self.place().end()
        } else {
            0
        };
        let next = Self::new(self.document, self.at + 1);
        Inside { next, end }
    }

    /// Whether one of the keys `containers`, `initContainers`, `ephemeralContainers`, `volumes` and `metadata` may
    /// stand in it, at any depth: always where one does, and where a string in it has escapes.
    #[inline]
    pub fn may_hold_pods(self) -> bool {
        self.place().holds_noted()
    }

    /// Whether something in it may be nested as deep as this.
    pub const fn may_be_as_deep_as(self, levels: usize) -> bool {
        self.document.depth >= levels
    }

    /// The last member with this key, which is the one that Kubernetes reads; none if it is no map or has
    /// no such member.
    pub fn get(self, key: &str) -> Option<Self> {
        let mut last = None;
        self.each(key, &mut |_, value| last = Some(value));
        last
    }

    /// Hands over the members with this key.
    pub fn each(self, key: &str, found: &mut dyn FnMut(Key<'a>, Self)) {
        for (name, value) in self.members().filter(|(name, _)| name.is(key)) {
            found(name, value);
        }
    }

    /// The members with this key.
    pub fn all(self, key: &str) -> impl Iterator<Item = Self> {
        self.members()
            .filter_map(move |(name, value)| name.is(key).then_some(value))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl<'a> Key<'a> {
    /// The key, without its escapes.
    pub fn text(self) -> &'a str {
        self.0.string().unwrap_or_default()
    }

    /// The bytes of the document's text that it takes, with its quotes.
    pub fn span(self) -> Range<usize> {
        self.0.span()
    }

    /// Its length and its first byte, which tell most keys apart.
    #[inline]
    pub fn length_and_first(self) -> (usize, Option<u8>) {
        let place = self.0.place();
        if place.is_escaped() {
            let text = self.text();
            return (text.len(), text.bytes().next());
        }
        let length = place.end() - place.start() - 2;
        let first = self.0.document.text.as_bytes().get(place.start() + 1);
        (length, first.copied().filter(|_| length > 0))
    }

    /// Whether it is this one.
    #[inline]
    pub fn is(self, key: &str) -> bool {
        let place = self.0.place();
        // Most are told by their lengths.
        if place.is_escaped() {
            return self.text() == key;
        }
        let start = place.start() + 1;
        place.end() - 1 - start == key.len() && {
            let written = self.0.document.text.as_bytes().get(start..);
            written.is_some_and(|written| written.starts_with(key.as_bytes()))
        }
    }
}

/// Keys and values that stand side by side.
#[derive(Clone)]
struct Inside<'a> {
    next: Value<'a>,
    end: usize,
}

impl<'a> Iterator for Inside<'a> {
    type Item = Value<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Value<'a>> {
        let value = self.next;
        if value.at >= self.end {
            return None;
        }
        let place = value.place();
        self.next.at = 1 + if place.is_bracket() {
            place.end()
        } else {
            value.at
        };
        Some(value)
    }
}
