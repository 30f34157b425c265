//! A list that admits and a list that restricts, which three sections of the settings are.

use crate::pattern::{PatternError, Sense};
use crate::schema::{Entry, SettingsErrors};
use crate::violation::Action;

use super::item::{List, Says, entries};

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
    fn lists(&self) -> [&'static str; 2] {
        ["allow", "reject"]
    }

    fn read(
        &mut self,
        key: &'static str,
        entry: Entry<'_, 'n>,
        errors: &mut SettingsErrors,
        says: &mut Vec<Says<'n>>,
    ) {
        let mut read = |sense| entries((key, entry), errors, says, |text| T::parse(text, sense));
        match key {
            "allow" => self.allow = read(Sense::Allow),
            "reject" => self.reject = read(Sense::Reject),
            _ => self.action = entry.keyword(&Action::WORDS, errors).unwrap_or_default(),
        }
    }

    fn action(&self) -> Option<Action> {
        (!self.allow.is_empty() || !self.reject.is_empty()).then_some(self.action)
    }
}
