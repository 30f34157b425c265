//! `createOnly`: what may be set when the object is created, and removed, but not added or changed
//! later.
//!
//! ```yaml
//! createOnly: [spec]
//! ```
//!
//! Accepted: an update that leaves or removes `spec: slb.s1.small`. Rejected: one that adds `spec`,
//! or makes it `slb.s2.small`.

use crate::shown::quoted;
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
            && new.values() != before.values()
        {
            let problem = move || {
                if before.found.is_empty() {
                    "it may be set only when the object is created, remove it".to_owned()
                } else {
                    ["it may not change later, ", &was(&before), " or remove it"].concat()
                }
            };
            let mut objection = Objection::found(Code::AnnotationCreateOnly, annotation, problem);
            // Every spelling goes: what an older one says would else come into force.
            objection.removable = rule
                .spelled(*name, annotations)
                .map(Annotation::position)
                .collect();
            sink(objection);
        }
    }
}

/// What to write instead of a value that must stay as it was.
pub(super) fn was(before: &Effective<'_>) -> String {
    match before.found.first().map(|annotation| annotation.value()) {
        Some(Some(value)) => ["leave it ", &quoted(&[&value], "")].concat(),
        Some(None) => "leave it as it was".to_owned(),
        None => "leave it absent".to_owned(),
    }
}
