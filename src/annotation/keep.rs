//! `keep`: what may not be removed later.
//!
//! ```yaml
//! keep: [cert-id]
//! ```
//!
//! Accepted: an update that changes `cert-id`. Rejected: one that removes it.

use crate::violation::Code;

use super::create_only::was;
use super::{AnnotationRule, Annotations, Objection, Sink};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    old: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for name in &rule.keep {
        if !rule.has(*name, annotations) && rule.has(*name, old) {
            let problem = move |_| {
                let before = rule.effective(*name, old);
                ["it must not be removed", &was(&before)].concat()
            };
            sink(
                Objection::missing(Code::AnnotationKeep, rule.names.key(*name), problem)
                    .advising("leave it as it was or change it"),
            );
        }
    }
}
