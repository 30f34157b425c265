//! An entry of a list of tags.

use crate::glob;
use crate::image::Reference;

use super::PatternError;

/// A glob over tags: `latest`, `*-rc*`, `1.?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPattern<'a>(&'a str);

impl<'a> TagPattern<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// Where no tag can match: a tag has up to 128 letters, digits, `_`, `.` and `-`.
    pub fn parse(text: &'a str) -> Result<Self, PatternError> {
        if let Some(tag) = text.strip_prefix(':') {
            return Err(format!("a tag has no `:`, write `{tag}`"));
        }
        check_tag(text).map_err(|problem| format!("no tag can match it: {problem}"))?;
        Ok(Self(text))
    }

    /// The entry as written.
    pub const fn text(&self) -> &'a str {
        self.0
    }

    /// Whether the entry matches a tag.
    pub fn matches(&self, tag: &str) -> bool {
        self.0 == tag || glob::matches(self.0, tag)
    }

    /// Whether the entry certainly matches each tag that `other` matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        glob::covers(self.0, other.0)
    }
}

/// Whether some tag fits a glob: one that does stands for all of them in a reference.
pub(super) fn check_tag(glob: &str) -> Result<(), String> {
    let example = format!("x:{}", glob.replace(['*', '?'], "a"));
    match Reference::parse(&example) {
        Ok(reference) if reference.digest().is_none() => Ok(()),
        Ok(_) => Err("a tag has no digest".to_owned()),
        Err(error) => Err(error.without_position()),
    }
}
