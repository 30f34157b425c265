//! An entry of a list of tags.

use crate::glob;

use super::{PatternError, shape};

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
        shape::tag(text, glob::has_wildcard(text))?;
        Ok(Self(text))
    }

    /// The entry as written.
    pub const fn text(&self) -> &'a str {
        self.0
    }

    /// Whether the entry matches a tag; certainly, where that has placeholders.
    pub fn matches(&self, tag: &str) -> bool {
        self.0 == tag || glob::matches(self.0, tag)
    }

    /// Whether the entry may match a tag that the glob `tags` matches.
    pub(crate) fn may_match(&self, tags: &str) -> bool {
        glob::may_meet(self.0, (tags, ""))
    }

    /// Whether the entry certainly matches each tag that the glob `tags` matches.
    pub fn covers(&self, tags: &str) -> bool {
        glob::covers(self.0, tags)
    }
}
