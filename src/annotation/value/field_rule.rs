//! `fields`: what values of the object's own fields may be.
//!
//! ```yaml
//! fields:
//!   "spec.rules[*].host": { pattern: "[a-z-]+\\.example\\.com" }
//! ```
//!
//! Accepted: `host: shop.example.com`, no host. Rejected: `host: example.org`, a list instead of a host.

use crate::json::{FieldPath, Kind, Location, Step, Value, each_at};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::{Quoted, Shown, is_hidden};
use crate::violation::Fate;
use crate::workload::Object;

use super::{Checks, Fields, KEYS};

/// What the values at a path may be.
#[derive(Clone, Debug)]
pub struct FieldRule<'a> {
    /// The path as it is written.
    pub text: &'a str,
    /// The path.
    pub path: FieldPath<'a>,
    /// What must hold.
    pub checks: Checks<'a>,
}

/// A value that a rule does not admit.
pub(crate) struct FieldValue<'f> {
    pub(crate) at: Location<'f>,
    pub(crate) value: Value<'f>,
    /// The value as a text; none where it is a list or a map.
    pub(crate) text: Option<&'f str>,
    /// Whether a message may show it.
    pub(crate) is_shown: bool,
}

/// Reads the map.
pub(in crate::annotation) fn read<'n>(
    entry: Entry<'_, 'n>,
    is_new: bool,
    errors: &mut SettingsErrors,
) -> Vec<FieldRule<'n>> {
    let mut rules = Vec::new();
    entry.members(errors, &mut |key, entry, errors| {
        let (text, before) = (key.text(), errors.len());
        let checks = Checks::read(entry, &KEYS, is_new, errors, &mut |_, _, _| {});
        if checks.is_empty() && errors.len() == before {
            entry.error(errors, "says nothing: give it `oneOf`, `pattern`, `min`, …");
        }
        match FieldPath::parse(text) {
            Ok(path) => rules.push(FieldRule { text, path, checks }),
            Err(error) => entry.error(errors, format!("`{}`: {error}", Shown(text))),
        }
    });
    rules
}

impl FieldRule<'_> {
    /// Hands over every value at the path that is not admitted. `null` is as good as absent.
    pub(crate) fn each_mismatch<'f>(
        &self,
        object: &Object<'f>,
        fields: &Fields<'_>,
        sink: &mut dyn FnMut(FieldValue<'f>),
    ) {
        let steps = self.path.steps();
        let first = steps.first().and_then(Step::as_key);
        let holder = first.map_or(object.value, |first| object.holder(first));
        let is_shown = !is_hidden(steps.iter().filter_map(Step::as_key));
        each_at(holder, steps, &mut |spot, value| {
            let text = match value.kind() {
                Kind::Null => return,
                Kind::Number | Kind::Bool => Some(value.text()),
                _ => value.string(),
            };
            if text.is_none_or(|text| self.checks.failing(text, fields).is_some()) {
                sink(FieldValue {
                    at: spot.map(|spot| spot.place().location()).unwrap_or_default(),
                    value,
                    text,
                    is_shown,
                });
            }
        });
    }

    /// What is wrong with a value.
    pub(crate) fn problem(
        &self,
        found: &FieldValue<'_>,
        fields: &Fields<'_>,
        fate: Fate,
    ) -> String {
        let Some(text) = found.text else {
            return format!("expected a string, got {}", found.value.kind());
        };
        let check = self.checks.failing(text, fields);
        let problem = check.map(|check| check.problem(text, fields, fate, found.is_shown));
        problem.unwrap_or_default()
    }

    /// Notes patterns that are none.
    pub(in crate::annotation) fn find_contradictions(
        &self,
        path: &str,
        errors: &mut SettingsErrors,
    ) {
        let path = format!("{path}.fields[\"{}\"]", Quoted(self.text));
        self.checks.find_contradictions(&path, errors);
    }
}
