//! Just enough JSON: values borrowed from the payload, and the places in it.
//!
//! Everything is read straight from the bytes that the host handed over, and nothing here builds a tree
//! of an object. Only what is small and read whole
//! (the settings, and the members of the request around the object) becomes a [`Node`].

mod check;
mod field_path;
mod location;
mod node;
mod position;
mod same;
mod scalar;
pub(crate) mod scan;

pub(crate) use check::{NO_JSON, is_json, too_deep};
pub use field_path::{FieldPath, FieldPathError};
pub(crate) use location::Spot;
pub use location::{Location, Place, Step, Trail};
pub use node::{Kind, Node, Number};
pub(crate) use position::position;
pub(crate) use same::{LeftOut, same, same_but_for};
pub(crate) use scalar::Scalar;
pub(crate) use scan::{DEEPEST, Member, each_at, kind_of, members, text_at};
