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

use index::{LONGEST, Place, Stop};
use string::Meaning;

pub use bytes::{has_any, is_same};
pub use string::write_string;
pub use value::{Key, Kind, Position, Value};

/// A text that is JSON, with the places of its values.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    /// Where its keys and values stand, in their order.
    places: Vec<Place>,
    /// Its strings with escapes.
    escaped: Vec<Meaning>,
    /// How deep lists and maps are nested.
    depth: usize,
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
        places: Vec::new(),
        escaped: Vec::new(),
        depth: 0,
    };

    /// Reads bytes that are one JSON value.
    ///
    /// Lists and maps may be nested as deep as memory goes: see [`Value::may_be_as_deep_as`].
    ///
    /// # Errors
    ///
    /// Where they stop being JSON: a text of more than half a gibibyte does so there.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Mistake> {
        // The former is fast, the latter says where the mistake is.
        let text = simdutf8::basic::from_utf8(bytes).or_else(|_| str::from_utf8(bytes));
        Self::of(text.map_err(|error| Mistake::NotUtf8(error.valid_up_to()))?)
    }

    /// Reads a text that is one JSON value.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn of(text: &'a str) -> Result<Self, Mistake> {
        match Self::first(text)? {
            (document, behind) if behind == text.len() => Ok(document),
            (_, behind) => Err(Mistake::NotJson(behind)),
        }
    }

    /// Reads the JSON value that a text begins with, whatever stands behind it, and says at which byte that
    /// starts: `01` begins with `0`.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn first(text: &'a str) -> Result<(Self, usize), Mistake> {
        if text.len() >= LONGEST {
            return Err(Mistake::NotJson(LONGEST));
        }
        // Mostly that is enough. Memory is never given back in the module: a vector that grows would leave
        // more behind.
        let mut room = text.len() / 4;
        loop {
            let mut document = Self {
                text,
                places: Vec::with_capacity(room),
                ..Self::NULL
            };
            match document.fill() {
                Ok(behind) => return Ok((document, behind)),
                Err(Stop::NotJson(at)) => return Err(Mistake::NotJson(at)),
                // No two places start at one byte.
                Err(Stop::Full) => room = text.len(),
            }
        }
    }

    /// The value.
    pub const fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }
}
