//! Manifests: YAML and JSON as kubectl reads them, with the place of every value.
//!
//! | module | what it owns |
//! |---|---|
//! | `yaml`, `json` | one document as JSON, and where its values stand |
//! | [`scalar`] | what a plain YAML scalar means |
//! | `tree` | the values of a document, and the way from a field path to a place |
//! | `text` | lines and columns of a text |
//! | [`writer`] | JSON as YAML that a person would write |

mod json;
pub mod scalar;
mod text;
mod tree;
pub mod writer;
mod yaml;

use std::ops::Range;

pub use text::{Excerpt, Lines, Position};
pub use tree::{Place, RepeatedKey, Style, Tree, Value};
pub use yaml::Unreadable;

/// A document of a file.
#[derive(Debug)]
pub struct Document<'t> {
    /// Where the text that its places count from begins in the file.
    pub offset: usize,
    /// Its values.
    pub tree: Tree<'t>,
}

/// A part of a file that holds documents, or why it cannot be read.
pub type Part<'t> = Result<Document<'t>, Unreadable>;

impl Document<'_> {
    /// Where a place of the document is in the file.
    pub const fn in_file(&self, span: &Range<usize>) -> Range<usize> {
        self.offset + span.start..self.offset + span.end
    }
}

/// The documents of a file that can be read, in order.
pub fn readable(file: &str) -> Vec<Document<'_>> {
    let mut readable = Vec::new();
    documents(file, &mut |part| readable.extend(part));
    readable
}

/// The documents of a file, in order. One that cannot be read does not hide the others.
pub fn documents<'t>(file: &'t str, found: &mut dyn FnMut(Part<'t>)) {
    let start = if file.starts_with('\u{feff}') { 3 } else { 0 };
    let text = file.get(start..).unwrap_or_default();
    // As kubectl guesses: what begins with a brace is JSON, and YAML if it is not.
    let may_be_json = text.trim_ascii_start().starts_with(['{', '[']);
    if may_be_json && json_values(text, start, found) {
        return;
    }
    for part in split(text) {
        let offset = start + part.start;
        let part = text.get(part).unwrap_or_default();
        if is_blank(part) {
            continue;
        }
        match yaml::read(part) {
            Ok(trees) => {
                for tree in trees {
                    found(Ok(Document { offset, tree }));
                }
            }
            Err(error) => found(Err(error.moved(offset))),
        }
    }
}

/// Finds the JSON values of a text, one after another. Where one cannot be read, the next one is
/// that which begins a line: `jq -c` and log files have one on each. `false` where the text is YAML
/// instead, and nothing was found.
fn json_values<'t>(text: &'t str, start: usize, found: &mut dyn FnMut(Part<'t>)) -> bool {
    let mut at = 0;
    loop {
        let (values, error) = json::read(text.get(at..).unwrap_or_default());
        if error.is_some() && at == 0 {
            let is_yaml = values.is_empty() && yaml::read(text).is_ok();
            if is_yaml || text.contains("\n---") {
                return false;
            }
        }
        for (offset, tree) in values {
            let offset = start + at + offset;
            found(Ok(Document { offset, tree }));
        }
        let Some(error) = error else { return true };
        let error = error.moved(at);
        let behind = text.get(error.at..).unwrap_or_default();
        let next = behind.find("\n{").map(|next| error.at + next + 1);
        found(Err(error.moved(start)));
        match next {
            Some(next) => at = next,
            None => return true,
        }
    }
}

/// The parts of a text that begin with `---` on a line of its own, as kubectl splits a file: so one
/// that cannot be read does not hide the others.
fn split(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut rest = Some(0);
    std::iter::from_fn(move || {
        let start = rest?;
        let mut from = start + 1;
        rest = loop {
            let Some(found) = text.get(from..).and_then(|text| text.find("\n---")) else {
                break None;
            };
            let marker = from + found + 1;
            let behind = text.as_bytes().get(marker + 3);
            if matches!(behind, None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
                break Some(marker);
            }
            from = marker;
        };
        Some(start..rest.unwrap_or(text.len()))
    })
}

/// Where a value within the text of a scalar is in the file; the scalar as a whole where its text is
/// written in another way than it reads.
pub fn within_scalar(
    raw: &str,
    text: &str,
    within: &Range<usize>,
    value: &str,
) -> Option<Range<usize>> {
    let before = text.get(..within.start)?.matches(value).count();
    let is_alike = raw.matches(value).count() == text.matches(value).count();
    let (at, _) = raw.match_indices(value).nth(before).filter(|_| is_alike)?;
    Some(at..at + value.len())
}

/// Whether a text may be a manifest, although it cannot be read: the word `kind` is in it.
pub fn may_be_manifest(text: &str) -> bool {
    let is_word = |mark: char| mark.is_alphanumeric() || mark == '_';
    text.match_indices("kind").any(|(at, kind)| {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + kind.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !behind.starts_with(is_word)
    })
}

/// Nothing but white space, comments, directives and markers.
fn is_blank(part: &str) -> bool {
    part.lines().all(|line| {
        let line = line.trim();
        line.is_empty()
            || line.starts_with('#')
            || line.starts_with('%')
            || line == "---"
            || line == "..."
    })
}
