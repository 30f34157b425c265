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
use crate::shown::quoted;
use crate::violation::{Code, Fate};

use super::allowed::not_allowed;
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

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for values in &rule.values {
        let effective = rule.effective(values.name, annotations);
        for annotation in &effective.found {
            let Some(value) = annotation.value() else {
                continue;
            };
            if let Some(problem) = values.object_to(value) {
                let code = Code::AnnotationValueNotAllowed;
                sink(Objection::found(code, annotation, problem));
            }
        }
        if let Some((_, default)) = effective.defaults.first().copied()
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
