//! `each` and `count`: lists in a value.

use crate::schema::{Entry, SettingsErrors};
use crate::shown::quoted;
use crate::violation::Fate;

use super::number::Range;
use super::{Checks, Fields};

/// A list in a value.
#[derive(Clone, Debug, Default)]
pub struct List<'a> {
    /// What stands between two elements. Quotes mean nothing.
    pub separator: &'a str,
    /// Whether white space around an element does not belong to it.
    pub trim: bool,
    /// What each element may be, an empty one too.
    pub checks: Checks<'a>,
    /// How many there may be.
    pub count: Range,
}

const KEYS: [&str; 11] = [
    "separator",
    "trim",
    "oneOf",
    "pattern",
    "min",
    "max",
    "anyCase",
    "not",
    "cidr",
    "path",
    "startsWithPath",
];

impl<'n> List<'n> {
    /// Reads what is said of the elements.
    pub(super) fn read(entry: Entry<'_, 'n>, is_new: bool, errors: &mut SettingsErrors) -> Self {
        let before = errors.len();
        let mut list = Self::default();
        let (mut separator, mut trim) = ("", None);
        list.checks = Checks::read(
            entry,
            &KEYS,
            is_new,
            errors,
            &mut |key, entry, errors| match key {
                "separator" => separator = entry.string(errors).unwrap_or_default(),
                _ => trim = entry.boolean(errors),
            },
        );
        (list.separator, list.trim) = (separator, trim == Some(true));
        if is_new && separator.is_empty() && errors.len() == before {
            entry.error(
                errors,
                "`separator` is missing: what stands between two elements",
            );
        }
        list
    }

    /// Whether a list passes.
    pub(super) fn admits(&self, value: &str, fields: &Fields<'_>) -> bool {
        self.failing(value, fields).is_none() && self.count_problem(value).is_none()
    }

    /// Whether a list may pass: yes where a check cannot tell.
    pub(super) fn may_admit(&self, value: &str, fields: &Fields<'_>) -> bool {
        let mut elements = self.elements(value);
        elements.all(|element| self.checks.may_admit(element, fields))
            && self.count_problem(value).is_none()
    }

    /// The first element that does not pass, and which one it is.
    pub(super) fn failing<'c>(
        &'c self,
        value: &'c str,
        fields: &Fields<'_>,
    ) -> Option<(usize, &'c str)> {
        let mut elements = self.elements(value).enumerate();
        elements.find(|(_, element)| self.checks.failing(element, fields).is_some())
    }

    /// What is wrong with a list that does not pass.
    pub(super) fn problem(
        &self,
        value: &str,
        fields: &Fields<'_>,
        fate: Fate,
        shows: bool,
    ) -> String {
        let Some((at, element)) = self.failing(value, fields) else {
            return self.count_problem(value).unwrap_or_default();
        };
        let problem = self
            .checks
            .failing(element, fields)
            .map(|check| check.problem(element, fields, fate, shows));
        let text = if shows {
            quoted(&[element], "")
        } else {
            String::new()
        };
        let number = (at + 1).to_string();
        let name = ["element ", &number, " ", &text].concat();
        [name.trim_ascii_end(), ": ", &problem.unwrap_or_default()].concat()
    }

    fn count_problem(&self, value: &str) -> Option<String> {
        let Range { min, max } = self.count;
        if min.is_none() && max.is_none() {
            return None;
        }
        // Empty elements, which some readers pass over, make a list longer, but never long enough.
        let is_full = |element: &&str| !element.is_empty();
        let full = self.elements(value).filter(is_full).count();
        let all = self.elements(value).count();
        let is_below = |min: &i64| i64::try_from(full).is_ok_and(|full| full < *min);
        let is_above = |max: &i64| i64::try_from(all).is_ok_and(|all| all > *max);
        let (count, of, bound) = match (min.filter(is_below), max.filter(is_above)) {
            (Some(min), _) => (full, "least ", min),
            (None, Some(max)) => (all, "most ", max),
            (None, None) => return None,
        };
        Some(format!(
            "the number of elements must be at {of}{bound}, and is {count}"
        ))
    }

    /// The elements of a list.
    fn elements<'c>(&'c self, value: &'c str) -> impl Iterator<Item = &'c str> {
        let mut rest = Some(value);
        std::iter::from_fn(move || {
            let text = rest?;
            let separator = self.separator.as_bytes();
            let mut windows = text.as_bytes().windows(separator.len().max(1));
            let end = windows.position(|window| window == separator);
            rest = end.and_then(|end| text.get(end + separator.len()..));
            let element = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            Some(if self.trim { element.trim() } else { element })
        })
    }
}
