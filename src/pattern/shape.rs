//! Holds the parts of a pattern to the grammar of references.
//!
//! A part with wildcards is held to it with each wildcard filled in: what then fits no reference,
//! no image can match.

use std::borrow::Cow;

use crate::glob;
use crate::image::{self, Split, grammar, split_port};

use super::PatternError;

/// A text that certainly fits, without wildcards but in its tag, cut into its parts.
pub(super) fn plain(text: &str) -> Option<Split<'_>> {
    let split = Split::plain(text)?;
    let fits = split
        .tag
        .is_none_or(|wanted| tag(wanted, glob::has_wildcard(wanted)).is_ok());
    fits.then_some(split)
}

/// A registry host, with or without a port.
pub(super) fn host(text: &str, has_wildcard: bool) -> Result<(), PatternError> {
    let text = match split_port(text) {
        (name, Some(port)) if has_wildcard => {
            Cow::Owned(format!("{}:{}", filled(name, "a"), filled(port, "1")))
        }
        (name, None) if has_wildcard => filled(name, "a"),
        _ => Cow::Borrowed(text),
    };
    image::host::check(&text)
        .map(|_| ())
        .map_err(|(problem, _)| format!("registry: {problem}"))
}

/// A path on a registry.
pub(super) fn path(text: &str, has_wildcard: bool) -> Result<(), PatternError> {
    let text = if has_wildcard {
        filled(text, "a")
    } else {
        Cow::Borrowed(text)
    };
    grammar::path(&text, 0).map_err(|(problem, _)| format!("repository: {problem}"))
}

/// A tag.
pub(super) fn tag(text: &str, has_wildcard: bool) -> Result<(), PatternError> {
    let text = if has_wildcard {
        filled(text, "a")
    } else {
        Cow::Borrowed(text)
    };
    grammar::tag(&text).map_err(|(problem, _)| format!("tag: {problem}"))
}

/// A digest; one with wildcards is held to its characters only.
pub(super) fn digest(text: &str) -> Result<(), PatternError> {
    if !glob::has_wildcard(text) {
        return grammar::digest(text).map_err(|(problem, _)| format!("digest: {problem}"));
    }
    let fits = text
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b':' | b'*' | b'?'));
    if fits {
        Ok(())
    } else {
        Err("digest: expected an algorithm, `:` and lower-case hexadecimal digits".to_owned())
    }
}

fn filled<'t>(text: &'t str, with: &str) -> Cow<'t, str> {
    Cow::Owned(text.replace(['*', '?'], with))
}

/// Texts that look like entries, for tests.
#[cfg(test)]
pub(super) fn texts() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::strategy::Strategy as _;

    let parts = proptest::sample::select(vec![
        "ghcr.io",
        "docker.io",
        "a",
        "library",
        "/",
        "/",
        ":",
        "1",
        "*",
        "/*",
        "-",
        "_",
        ".",
        "?",
        "A",
        "@",
    ]);
    proptest::collection::vec(parts, 1..8).prop_map(|parts| parts.concat())
}
