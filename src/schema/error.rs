//! Mistakes in the settings.

use std::fmt;

use crate::shown::OneLine;

/// A mistake in the settings, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The path of the entry: `images.allow[3]`.
    pub path: String,
    /// What kind of mistake.
    pub kind: SettingsErrorKind,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// What kind of mistake is in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsErrorKind {
    /// There is no such key.
    UnknownKey,
    /// The key stands there twice.
    RepeatedKey,
    /// A value of another JSON type is due.
    WrongType,
    /// The value means nothing, or something else is missing.
    Invalid,
    /// Another entry leaves nothing of this one.
    Contradiction,
}

impl SettingsErrorKind {
    /// Whether it is about the key of an entry and not its value.
    pub const fn is_about_key(self) -> bool {
        matches!(self, Self::UnknownKey | Self::RepeatedKey)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// Every mistake in the settings, in their order.
///
/// Shown as one line for one mistake, else a count and a line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsErrors(Vec<SettingsError>);

impl SettingsErrors {
    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &SettingsError> {
        self.0.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes an entry of which another one leaves nothing.
    pub(crate) fn contradiction(&mut self, path: String, problem: &str) {
        self.push(path, SettingsErrorKind::Contradiction, problem);
    }

    pub(crate) fn push(&mut self, path: String, kind: SettingsErrorKind, problem: &str) {
        self.0.push(SettingsError {
            path,
            kind,
            problem: OneLine(problem).to_string(),
        });
    }

    pub(crate) fn into_result<T>(self, settings: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(settings)
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return write!(f, "{only}");
        }
        write!(f, "{} errors:", self.0.len())?;
        for error in &self.0 {
            write!(f, "\n{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsErrors {}
