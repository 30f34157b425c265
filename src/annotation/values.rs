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
use crate::shown::{one_of, quoted};
use crate::violation::Code;

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
            if let Some(problem) = values.object_to(&value) {
                sink(Objection::found(
                    Code::AnnotationValueNotAllowed,
                    annotation,
                    move || problem.clone(),
                ));
            }
        }
        if let Some(default) = effective.default
            && let Some(problem) = values.object_to(default)
        {
            let problem = move || {
                let default = quoted(&[default], "");
                ["it is absent, which means ", &default, ": ", &problem].concat()
            };
            let key = rule.names.key(values.name);
            sink(Objection::missing(
                Code::AnnotationValueNotAllowed,
                key,
                problem,
            ));
        }
    }
}

impl ValueRule<'_> {
    /// What is wrong with a value.
    fn object_to(&self, value: &str) -> Option<String> {
        if !self.one_of.is_empty() && !self.one_of.iter().any(|glob| glob::matches(glob, value)) {
            return Some(["it is not allowed, use ", &one_of(&self.one_of)].concat());
        }
        let pattern = self.pattern?;
        let shown = || quoted(&[pattern], "");
        match pattern::matches(pattern, value) {
            Ok(true) => None,
            Ok(false) => Some(
                [
                    "it does not match, write what ",
                    &shown(),
                    " matches as a whole",
                ]
                .concat(),
            ),
            Err(problem) => Some(["it cannot be held against ", &shown(), ": ", &problem].concat()),
        }
    }
}
