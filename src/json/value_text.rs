//! Where a value stands in the input.

use std::borrow::Cow;

use serde::de::Error;

/// Where a text borrowed from the input stands, to be compared with others of the same input.
pub(crate) fn position(text: &str) -> usize {
    text.as_ptr() as usize
}

/// The input from the first character of a value on, given the input and the value's key.
///
/// `serde_json` does not tell where it stands, but a key that it borrows does.
///
/// # Errors
///
/// Where the key is written with escapes, as no host writes it.
pub(crate) fn value_text<'de, E: Error>(
    text: &'de str,
    key: &Cow<'de, str>,
) -> Result<&'de str, E> {
    let find = || {
        let Cow::Borrowed(key) = key else {
            return None;
        };
        let start = (key.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let after_key = text.get(start + key.len()..)?.strip_prefix('"')?;
        Some(after_key.trim_start().strip_prefix(':')?.trim_start())
    };
    find().ok_or_else(|| E::custom(format_args!("the key `{key}` is written with escapes")))
}
