//! Why a text cannot be read.

use super::scan::{space_end, value_end};

/// What is said of a text that is no JSON. Hosts write good JSON: a reader that says where the mistake
/// is would be there for nobody.
pub(crate) const NO_JSON: &str = "not JSON";

/// Holds a text to the grammar of JSON.
pub(crate) fn is_json(text: &str) -> bool {
    let start = space_end(text.as_bytes(), 0);
    value_end(text, start).is_some_and(|end| space_end(text.as_bytes(), end) == text.len())
}

/// That the value at `position` of a text is nested too deep.
pub(crate) fn too_deep(text: &str, position: usize) -> String {
    let before = text.get(..position).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
    format!("nested deeper than 128 levels at line {line} column {column}")
}
