//! `conflicting`: what must not be there together.
//!
//! ```yaml
//! conflicting: [[id, spec]]
//! ```
//!
//! Accepted: `id: lb-1`, `spec: slb.s1.small`. Rejected: both on one object.

use crate::violation::Code;

use super::{AnnotationRule, Annotations, Objection, Sink, listed};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for group in &rule.conflicting {
        let is_there = |name| rule.has(name, annotations);
        let mut there = group.iter().filter(|name| is_there(**name));
        let (Some(first), Some(_)) = (there.next(), there.next()) else {
            continue;
        };
        let mut facts = String::new();
        for annotation in rule.spelled(*first, annotations) {
            facts += &annotation.value().unwrap_or_default();
        }
        // One objection to each of the others: the first is the one that stays.
        for name in group
            .iter()
            .filter(|name| *name != first && is_there(**name))
        {
            for annotation in rule.spelled(*name, annotations) {
                let problem = || {
                    let keys = rule.keys(&[*first, *name]);
                    [
                        &listed(&keys, " and "),
                        " must not be set together, keep one of them",
                    ]
                    .concat()
                };
                let mut objection =
                    Objection::found(Code::AnnotationConflicting, annotation, problem);
                objection.facts.clone_from(&facts);
                objection.removable.push(annotation.position());
                sink(objection);
            }
        }
    }
}
