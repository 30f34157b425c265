//! `requires`: what must hold where something else does.
//!
//! ```yaml
//! requires:
//!   - when: { spec: "*" }
//!     then: { instance-charge-type: PayBySpec }
//!   - when: { id: null }
//!     then: { zone-maps: "*" }
//! ```
//!
//! Accepted: `spec: slb.s1.small` with `instance-charge-type: PayBySpec`. Rejected: `spec` alone.

use std::borrow::Cow;

use crate::selector::Condition;
use crate::shown::quoted;
use crate::violation::Code;

use super::effective::is_met;
use super::{AnnotationRule, Annotations, Name, Objection, Sink};

/// If all of `when` holds, all of `then` must.
#[derive(Clone, Debug, Default)]
pub struct Requirement<'a> {
    /// Names or globs, and what their values are.
    pub when: Vec<(Name<'a>, Condition<'a>)>,
    /// Names or globs, and what their values must be.
    pub then: Vec<(Name<'a>, Condition<'a>)>,
}

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for requirement in &rule.requires {
        let holds = requirement.when.iter().all(|(name, condition)| {
            rule.effective_of_all(*name, annotations)
                .meets(*condition, false)
        });
        if !holds {
            continue;
        }
        for (name, condition) in &requirement.then {
            let effective = rule.effective_of_all(*name, annotations);
            // Of several names that a glob matches one is enough; of one name every value counts.
            if effective.meets(*condition, !name.is_glob()) {
                continue;
            }
            let is_unmet = |value: Option<&str>| match condition {
                Condition::Like(glob) => {
                    value.is_none_or(|value| !crate::glob::matches(glob, value))
                }
                _ => true,
            };
            let culprit = effective
                .found
                .iter()
                .find(|annotation| is_unmet(annotation.value().as_deref()));
            let problem = move || {
                let instead = match condition {
                    Condition::Absent => "must not be set, remove it".to_owned(),
                    Condition::Present => "must be set, set it or remove the former".to_owned(),
                    Condition::Like(glob) => {
                        let glob = quoted(&[glob], "");
                        ["must be ", &glob, ", write that or remove the former"].concat()
                    }
                };
                [
                    "with ",
                    &given(rule, requirement, annotations),
                    " it ",
                    &instead,
                ]
                .concat()
            };
            let mut objection = if let Some(annotation) = culprit {
                Objection::found(Code::AnnotationRequirement, annotation, problem)
            } else {
                let key = rule.names.key(*name);
                Objection::missing(Code::AnnotationRequirement, key, problem)
            };
            for (name, condition) in requirement.when.iter().chain([&(*name, *condition)]) {
                objection.facts += &[" ", name.text(), "=", condition.written()].concat();
                objection.facts += &rule.effective_of_all(*name, annotations).facts();
            }
            sink(objection);
        }
    }
}

/// What makes a requirement apply, in words.
fn given(
    rule: &AnnotationRule<'_>,
    requirement: &Requirement<'_>,
    annotations: &Annotations<'_>,
) -> String {
    let mut text = String::new();
    for (name, condition) in &requirement.when {
        if !text.is_empty() {
            text += " and ";
        }
        let effective = rule.effective_of_all(*name, annotations);
        let mut found = effective.found.iter();
        let met = found.find(|annotation| is_met(*condition, annotation.value().as_deref()));
        let key = match met {
            Some(annotation) => annotation.key.to_string(),
            None => rule.names.key(*name),
        };
        let value = match met {
            Some(annotation) => annotation.value(),
            None => effective.default.map(Cow::Borrowed),
        };
        let given = match value {
            Some(value) => [&key, ": ", &value].concat(),
            None => key,
        };
        if *condition == Condition::Absent {
            text += "no ";
        }
        text += &quoted(&[&given], "");
    }
    text
}
