//! Values borrowed from the payload, and the places in it.
//!
//! Whatever is read is a cursor into the index of a [`Document`]: nothing here builds a tree.

mod field_path;
mod find;
mod location;
mod same;

pub use rollout_guard_json::{Document, Key, Kind, Mistake, Position, Value, write_string};

pub use field_path::{FieldPath, FieldPathError};
pub(crate) use find::{DEEPEST, each_at, lookup, repeats_a_key, text_at, too_deep};
pub(crate) use location::Spot;
pub use location::{Location, Place, Step};
pub(crate) use same::{LeftOut, same, same_but_for};
