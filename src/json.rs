//! Just enough JSON: values borrowed from the payload, and the places in it.
//!
//! Everything is read with `serde_json` straight from the bytes that the host handed over; nothing
//! here builds a tree of an object. Only what is small and read whole (the settings, and the
//! members of the request around the object) becomes a [`Node`].

mod field_path;
mod location;
mod lookup;
mod members;
mod node;
mod same;
pub(crate) mod scan;
mod text;
mod unreadable;
mod value_text;

pub use field_path::{FieldPath, FieldPathError};
pub use location::{Location, Step, Trail};
pub use lookup::find;
pub(crate) use lookup::{Scalar, kind_of, kind_of_text, text_at};
pub(crate) use members::{Member, members};
pub use node::{Kind, Node, Number};
pub(crate) use same::{same, same_but_for, same_texts};
pub(crate) use text::Text;
pub(crate) use unreadable::unreadable;
pub(crate) use value_text::{position, value_text};
