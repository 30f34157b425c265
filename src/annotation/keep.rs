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
        if rule.spelled(*name, annotations).next().is_none()
            && rule.spelled(*name, old).next().is_some()
        {
            let before = rule.effective(*name, old);
            let problem = format!("it may not be removed, {} or change it", was(&before));
            sink(Objection::missing(
                Code::AnnotationKeep,
                rule.names.key(*name),
                problem,
            ));
        }
    }
}
