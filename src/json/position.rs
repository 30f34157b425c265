//! Where a value stands in the input.

/// Where a text borrowed from the input stands, to be compared with others of the same input.
pub(crate) fn position(text: &str) -> usize {
    text.as_ptr() as usize
}
