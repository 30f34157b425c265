//! `immutable`: what may not be added, changed or removed later.
//!
//! ```yaml
//! immutable: [address-type]
//! ```
//!
//! Accepted: an update that leaves `address-type: intranet`, or spells it with an alias prefix.
//! Rejected: one that makes it `internet`, removes it, or adds it.

use crate::violation::Code;

use super::create_only::was;
use super::{AnnotationRule, Annotations, Objection, Sink};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    old: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for name in &rule.immutable {
        let (new, before) = (
            rule.effective(*name, annotations),
            rule.effective(*name, old),
        );
        if new.values().eq(before.values()) {
            continue;
        }
        let problem = move |_| ["it must not change", &was(&before)].concat();
        let objection = match new.found.first() {
            Some(annotation) => Objection::found(Code::AnnotationImmutable, annotation, problem),
            None => Objection::missing(Code::AnnotationImmutable, rule.names.key(*name), problem),
        };
        sink(objection.advising("leave it as it was"));
    }
}
