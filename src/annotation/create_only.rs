//! `createOnly`: what may be set when the object is created, and removed, but not added or changed
//! later.
//!
//! ```yaml
//! createOnly: [spec]
//! ```
//!
//! Accepted: an update that leaves or removes `spec: slb.s1.small`. Rejected: one that adds `spec`,
//! or makes it `slb.s2.small`.

use crate::schema::SettingsErrors;
use crate::shown::{Shown, quoted};
use crate::violation::Code;

use super::effective::Effective;
use super::{Annotation, AnnotationRule, Annotations, Objection, Sink};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    old: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for name in &rule.create_only {
        let (new, before) = (
            rule.effective(*name, annotations),
            rule.effective(*name, old),
        );
        if let Some(annotation) = new.found.first()
            && new.values().ne(before.values())
        {
            let is_new = before.found.is_empty();
            let advice = if is_new {
                "remove it"
            } else {
                "leave it as it was or remove it"
            };
            let problem = move |_| {
                if is_new {
                    "it can only be set when the object is created".to_owned()
                } else {
                    ["it must not change later", &was(&before)].concat()
                }
            };
            let mut objection =
                Objection::found(Code::AnnotationCreateOnly, annotation, problem).advising(advice);
            // Every spelling goes: what an older one says would else come into force.
            objection.removable = rule
                .spelled(*name, annotations)
                .map(Annotation::position)
                .collect();
            sink(objection);
        }
    }
}

/// What a value was that must stay so.
pub(super) fn was(before: &Effective<'_>) -> String {
    match before.found.first().map(|annotation| annotation.shown()) {
        Some(Some(value)) => [" (it was ", &quoted(&[value], ""), ")"].concat(),
        Some(None) => String::new(),
        None => " (it was absent)".to_owned(),
    }
}

/// Notes names that may be removed and may not.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for (at, name) in rule.create_only.iter().enumerate() {
        if let Some(other) = rule.immutable.iter().position(|other| other == name) {
            errors.contradiction(
                format!("{path}.createOnly[{at}]"),
                &format!(
                    "`{}` is in `immutable[{other}]` too: one lets it be removed, the other does not",
                    Shown(name.text())
                ),
            );
        }
    }
}
