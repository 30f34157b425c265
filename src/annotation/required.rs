//! `required` and `requireAny`: what must be there, and not empty.
//!
//! ```yaml
//! required: [team]
//! requireAny: [[cert-manager.io/issuer, cert-manager.io/cluster-issuer]]
//! ```
//!
//! Accepted: `team: shop` with `cert-manager.io/issuer: ca`. Rejected: `team: ""`, and an object with
//! neither issuer.

use crate::violation::Code;

use super::{Annotation, AnnotationRule, Annotations, Name, Objection, Sink, listed, texts};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    let is_there = |name: &Name<'_>| rule.spelled(*name, annotations).any(Annotation::is_full);
    for name in &rule.required {
        if !is_there(name) {
            let problem = if rule.has(*name, annotations) {
                "it is required and empty, give it a value"
            } else {
                "it is required, set it"
            };
            let key = rule.names.key(*name);
            sink(Objection::missing(Code::AnnotationRequired, key, || {
                problem.to_owned()
            }));
        }
    }
    for group in &rule.require_any {
        if !group.iter().any(is_there) {
            let keys = rule.keys(group);
            let facts = texts(&keys).concat();
            let problem =
                move || ["one of ", &listed(&keys, " or "), " is required, set one"].concat();
            let mut objection = Objection::all(Code::AnnotationRequired, problem);
            objection.facts = facts;
            sink(objection);
        }
    }
}
