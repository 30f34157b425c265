//! `values`: what the value of an annotation may be.
//!
//! ```yaml
//! values:
//!   address-type: { oneOf: [internet, intranet], default: internet }
//!   weight: { pattern: "[0-9]{1,3}" }
//! ```
//!
//! Accepted: `address-type: intranet`, `weight: "50"`, neither of them. Rejected:
//! `address-type: Internet`, `weight: "50%"`: a pattern matches the whole value.

use std::borrow::Cow;

use crate::glob;
use crate::json::{Key, Kind, Value};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::{Shown, quoted};
use crate::violation::{Code, Fate};

use super::allowed::not_allowed;
use super::reading::Reading;
use super::{AnnotationRule, Annotations, Name, Objection, Sink, pattern};

/// What the value of an annotation may be.
#[derive(Clone, Debug)]
pub struct ValueRule<'a> {
    /// The annotation.
    pub name: Name<'a>,
    /// If there are any, one must match. Globs.
    pub one_of: Vec<&'a str>,
    /// A regular expression that must match the whole value.
    pub pattern: Option<&'a str>,
    /// The value that counts where the annotation is absent.
    pub default: Option<Cow<'a, str>>,
}

/// Reads the map; for a request, what says something about it.
pub(super) fn read<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<ValueRule<'n>> {
    let mut rules: Vec<ValueRule<'n>> = Vec::new();
    let mut read = |key: Key<'n>, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| {
        let key = key.text();
        let mut rule = ValueRule {
            name: names.names.name(key),
            one_of: Vec::new(),
            pattern: None,
            default: None,
        };
        if let Err(problem) = names.name(key) {
            entry.error(errors, format!("`{}`: {problem}", Shown(key)));
        } else if names.there.is_none() && rules.iter().any(|other| other.name == rule.name) {
            entry.error(errors, "this annotation occurs twice");
        }
        let before = errors.len();
        let keys = ["oneOf", "pattern", "default"];
        entry.map(&keys, errors, &mut |key, entry, errors| match key {
            "oneOf" => entry.list(errors, &mut |_, entry, errors| {
                rule.one_of.extend(entry.string(errors));
            }),
            "pattern" => rule.pattern = entry.text(errors),
            _ => rule.default = entry.string(errors).map(Cow::Borrowed),
        });
        if rule.one_of.is_empty()
            && rule.pattern.is_none()
            && rule.default.is_none()
            && errors.len() == before
        {
            entry.error(
                errors,
                "says nothing: give it `oneOf`, `pattern` or `default`",
            );
        }
        rules.push(rule);
    };
    match names.there {
        Some(there) if entry.value.kind() == Kind::Map => {
            // Nothing is said of what is not there and has no default.
            let is_wanted = |key: Key<'n>, value: Value<'n>| {
                there(&names.names, names.names.name(key.text()))
                    || value.kind() != Kind::Map
                    || value.get("default").is_some()
            };
            entry.members_where(errors, &is_wanted, &mut read);
        }
        _ => entry.members(errors, &mut read),
    }
    rules
}

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for values in &rule.values {
        let found = rule.found(values.name, annotations);
        for annotation in &found {
            let Some(value) = annotation.value() else {
                continue;
            };
            if let Some(problem) = values.object_to(value) {
                let code = Code::AnnotationValueNotAllowed;
                sink(Objection::found(code, annotation, problem));
            }
        }
        if found.is_empty()
            && let Some(default) = values.default.as_deref()
            && let Some(problem) = values.object_to(default)
        {
            let code = Code::AnnotationValueNotAllowed;
            let key = rule.names.key(values.name);
            let problem = move |fate| {
                let default = quoted(&[default], "");
                ["it is absent, which means ", &default, ": ", &problem(fate)].concat()
            };
            sink(Objection::missing(code, key, problem));
        }
    }
}

impl ValueRule<'_> {
    /// Whether the annotation must be there, since its absence means a value that is refused.
    pub(crate) fn refuses_absence(&self) -> bool {
        let default = self.default.as_deref();
        default.is_some_and(|default| self.object_to(default).is_some())
    }

    /// What is wrong with a value.
    fn object_to(&self, value: &str) -> Option<Box<dyn Fn(Fate) -> String + '_>> {
        if !self.one_of.is_empty() && !self.one_of.iter().any(|glob| glob::matches(glob, value)) {
            return Some(Box::new(|fate| not_allowed(&self.one_of, fate)));
        }
        let pattern = self.pattern?;
        let shown = move || quoted(&[pattern], "");
        match pattern::matches(pattern, value) {
            Ok(true) => None,
            Ok(false) => Some(Box::new(move |_| {
                ["the whole value must match ", &shown()].concat()
            })),
            Err(problem) => Some(Box::new(move |_| {
                ["it cannot be held against ", &shown(), ": ", &problem].concat()
            })),
        }
    }
}

/// Notes a pattern that is none.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for values in &rule.values {
        if let Some(pattern) = values.pattern
            && let Err(problem) = pattern::check(pattern)
        {
            errors.contradiction(
                format!("{path}.values.{}.pattern", Shown(values.name.text())),
                &format!("`{}`: {problem}", Shown(pattern)),
            );
        }
    }
}
