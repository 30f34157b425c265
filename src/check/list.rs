//! A list that admits and a list that restricts, which three sections of the settings are.

use crate::pattern::{PatternError, Sense};
use crate::schema::{Entry, SettingsErrors};
use crate::violation::Action;

use super::item::List;

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

/// What stands in such a list.
pub(crate) trait Pattern<'n>: Sized {
    /// Reads an entry.
    fn parse(text: &'n str, sense: Sense) -> Result<Self, PatternError>;
}

impl<'n, T: Pattern<'n>> List<'n> for AllowReject<T> {
    const KEYS: [&'static str; 5] = ["allow", "reject", "action", "name", "match"];

    fn read(&mut self, key: &'static str, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        match key {
            "allow" => self.allow = entry.texts(errors, |text| T::parse(text, Sense::Allow)),
            "reject" => self.reject = entry.texts(errors, |text| T::parse(text, Sense::Reject)),
            _ => self.action = entry.keyword(&Action::WORDS, errors).unwrap_or_default(),
        }
    }

    fn action(&self) -> Option<Action> {
        (!self.allow.is_empty() || !self.reject.is_empty()).then_some(self.action)
    }
}
