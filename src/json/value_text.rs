//! Where a value stands in the input.

use std::borrow::Cow;

/// Where a text borrowed from the input stands, to be compared with others of the same input.
pub(crate) fn position(text: &str) -> usize {
    text.as_ptr() as usize
}

/// The input from the first character of a value on, given the input and the value's key.
///
/// `serde_json` does not tell where it stands, but a key that it borrows does: one without escapes,
/// as hosts write it.
pub(crate) fn value_text<'de>(text: &'de str, key: &Cow<'de, str>) -> Option<&'de str> {
    let Cow::Borrowed(key) = key else {
        return None;
    };
    let start = (key.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let after_key = text.get(start + key.len()..)?.strip_prefix('"')?;
    Some(after_key.trim_start().strip_prefix(':')?.trim_start())
}
