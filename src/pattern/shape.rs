//! Holds the parts of a pattern to the grammar of references.
//!
//! A part with wildcards is held to it with each wildcard filled in: what then fits no reference,
//! no image can match.

use std::borrow::Cow;

use crate::glob;
use crate::image::grammar;

use super::PatternError;

/// A registry host, with or without a port.
pub(super) fn host(text: &str) -> Result<(), PatternError> {
    let text = match crate::image::split_port(text) {
        (name, Some(port)) if glob::has_wildcard(port) => {
            Cow::Owned(format!("{}:{}", filled(name, "a"), filled(port, "1")))
        }
        _ => filled(text, "a"),
    };
    match grammar::domain(&text) {
        // As in references: what is a path component as well is dialled as a host.
        Err((problem, _)) if grammar::path(&text, 0).is_err() => {
            Err(format!("registry: {problem}"))
        }
        _ => Ok(()),
    }
}

/// A path on a registry.
pub(super) fn path(text: &str) -> Result<(), PatternError> {
    grammar::path(&filled(text, "a"), 0).map_err(|(problem, _)| format!("repository: {problem}"))
}

/// A tag.
pub(super) fn tag(text: &str) -> Result<(), PatternError> {
    grammar::tag(&filled(text, "a")).map_err(|(problem, _)| format!("tag: {problem}"))
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
    if glob::has_wildcard(text) {
        Cow::Owned(text.replace(['*', '?'], with))
    } else {
        Cow::Borrowed(text)
    }
}
