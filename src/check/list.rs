//! A list that admits and a list that restricts, which three sections of the settings are.

use crate::pattern::{PatternError, Sense};
use crate::schema::{Entry, SettingsErrors};
use crate::violation::Action;

/// A list that admits and a list that restricts.
#[derive(Clone, Debug)]
pub struct AllowReject<T> {
    /// If there are any, one must match.
    pub allow: Vec<T>,
    /// None may match.
    pub reject: Vec<T>,
    /// What happens otherwise.
    pub action: Action,
}

impl<T> Default for AllowReject<T> {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            reject: Vec::new(),
            action: Action::default(),
        }
    }
}

impl<T> AllowReject<T> {
    /// What happens to an image that breaks it; none where there is nothing to break.
    pub(crate) fn action(&self) -> Option<Action> {
        (!self.allow.is_empty() || !self.reject.is_empty()).then_some(self.action)
    }

    /// Reads `{ allow, reject, action }`.
    pub(super) fn read<'n>(
        entry: Entry<'_, 'n>,
        errors: &mut SettingsErrors,
        parse: impl Fn(&'n str, Sense) -> Result<T, PatternError>,
    ) -> Self {
        let mut list = Self::default();
        let keys = ["allow", "reject", "action"];
        entry.map(&keys, errors, &mut |key, entry, errors| match key {
            "allow" => list.allow = entry.texts(errors, |text| parse(text, Sense::Allow)),
            "reject" => list.reject = entry.texts(errors, |text| parse(text, Sense::Reject)),
            _ => list.action = entry.keyword(&Action::WORDS, errors).unwrap_or_default(),
        });
        list
    }
}
