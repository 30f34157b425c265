//! The one reader of JSON: an index over a text, and cursors into it.
//!
//! [`Document::read`] holds a text to RFC 8259 and notes where each key and value stands, in one pass. A
//! [`Value`] is a cursor: it borrows from the text, is as small as a reference, and passes over what is
//! below it in one step. Nothing is copied, but for strings with escapes once somebody asks for them.
//!
//! ```
//! use rollout_guard_json::{Document, Kind};
//!
//! let document = Document::read(br#"{"spec": {"containers": [{"im\u0061ge": "redis"}]}}"#)?;
//! let containers = document.root().get("spec").and_then(|spec| spec.get("containers")).unwrap();
//! assert_eq!(containers.kind(), Kind::List);
//! let images = containers.elements().filter_map(|container| container.get("image")?.string());
//! assert_eq!(images.collect::<Vec<_>>(), ["redis"]);
//! assert_eq!(Document::read(b"{]").unwrap_err().to_string(), "not JSON at byte 1");
//! # Ok::<_, rollout_guard_json::Mistake>(())
//! ```
//!
//! A crate of its own because it is compiled for speed and the rest for size: most of what a request
//! costs is spent here.

#![expect(
    clippy::inline_always,
    reason = "what looks at every character is called from a crate that is compiled for size"
)]

mod bytes;
mod index;
mod string;
mod value;

use std::fmt;

use index::Index;

pub use bytes::{has_any, is_same};
pub use string::write_string;
pub use value::{Elements, Key, Kind, Members, Position, Value};

/// A text that is JSON, with the places of its values.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    index: Index,
}

/// Why bytes are no JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The byte begins no character.
    NotUtf8(usize),
    /// No JSON goes on with this byte.
    NotJson(usize),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(at) => write!(f, "not UTF-8 at byte {at}"),
            Self::NotJson(at) => write!(f, "not JSON at byte {at}"),
        }
    }
}

impl std::error::Error for Mistake {}

impl<'a> Document<'a> {
    /// `null`, which needs no index.
    pub const NULL: Document<'static> = Document {
        text: "null",
        index: Index::EMPTY,
    };

    /// Reads bytes that are one JSON value.
    ///
    /// Lists and maps may be nested as deep as memory goes: who follows them asks for [`depth`](Self::depth).
    ///
    /// # Errors
    ///
    /// Where they stop being JSON: a text of more than a gibibyte does so there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Mistake> {
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
            // Which does not say where.
            let error = std::str::from_utf8(bytes).err();
            Mistake::NotUtf8(error.map_or(0, |error| error.valid_up_to()))
        })?;
        Self::of(text)
    }

    /// Reads a text that is one JSON value.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn of(text: &'a str) -> Result<Self, Mistake> {
        let index = Index::read(text, false).map_err(Mistake::NotJson)?;
        Ok(Self { text, index })
    }

    /// Reads the JSON value that a text begins with, whatever stands behind it: `01` begins with `0`.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn first(text: &'a str) -> Result<Self, Mistake> {
        let index = Index::read(text, true).map_err(Mistake::NotJson)?;
        Ok(Self { text, index })
    }

    /// The value.
    pub const fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// How deep lists and maps are nested: 0 for a string.
    pub const fn depth(&self) -> usize {
        self.index.depth
    }
}
