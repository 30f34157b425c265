//! `oneOf`, `not` and `anyCase`: values held against globs.

use std::borrow::Cow;

use crate::glob;
use crate::schema::{Entry, SettingsErrors};

use super::cidr::Network;

/// Globs over a value.
#[derive(Clone, Debug)]
pub struct Globs<'a> {
    /// The globs, never none.
    pub all: Vec<&'a str>,
    /// Whether letter case does not count.
    pub ignores_case: bool,
}

impl<'n> Globs<'n> {
    /// Reads a list of globs; an empty one is as good as absent.
    pub(super) fn read(
        entry: Entry<'_, 'n>,
        ignores_case: bool,
        errors: &mut SettingsErrors,
    ) -> Option<Self> {
        let mut all = Vec::new();
        entry.list(errors, &mut |_, entry, errors| {
            all.extend(entry.string(errors));
        });
        (!all.is_empty()).then_some(Self { all, ignores_case })
    }

    /// Whether one of them matches.
    pub(super) fn match_any(&self, value: &str) -> bool {
        self.all.iter().any(|glob| self.matches(glob, value))
    }

    /// The first that matches what must not be: also in a letter that others take for one of ASCII, and where
    /// it is a network that lies in that of the value, however the two are written.
    pub(super) fn first_of_not(&self, value: &str) -> Option<&'n str> {
        let text = &self.folded(value);
        let network = Network::of(value).ok();
        let lies_in = |glob: &str| {
            let network = network.as_ref()?;
            Some(network.contains(&Network::of(glob).ok()?))
        };
        let mut all = self.all.iter().copied();
        all.find(|glob| self.matches(glob, text) || lies_in(glob) == Some(true))
    }

    /// A value with letters of ASCII for those that others take for them, where letter case does not count.
    pub(super) fn folded<'v>(&self, value: &'v str) -> Cow<'v, str> {
        if self.ignores_case && value.contains(is_folded) {
            Cow::Owned(value.chars().map(fold).collect())
        } else {
            Cow::Borrowed(value)
        }
    }

    fn matches(&self, glob: &str, value: &str) -> bool {
        if self.ignores_case {
            glob::matches_in_any_case(glob, value)
        } else {
            glob::matches(glob, value)
        }
    }
}

/// Whether Unicode folds a character to a letter of ASCII, as `strings.EqualFold` and `encoding/json` of Go
/// do: the Kelvin sign and the long `s`.
const fn is_folded(character: char) -> bool {
    matches!(character, '\u{212a}' | '\u{17f}')
}

/// A character in lower case, as far as it is a letter of ASCII or taken for one.
pub(super) const fn fold(character: char) -> char {
    match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        _ => character.to_ascii_lowercase(),
    }
}
