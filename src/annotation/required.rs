//! `required` and `requireAny`: what must be there, and not empty.
//!
//! ```yaml
//! required: [team]
//! requireAny: [[cert-manager.io/issuer, cert-manager.io/cluster-issuer]]
//! ```
//!
//! Accepted: `team: shop` with `cert-manager.io/issuer: ca`. Rejected: `team: ""`, and an object with
//! neither issuer.

use crate::violation::{Code, Fate, Verb};

use super::{Annotation, AnnotationRule, Annotations, Name, Objection, Sink, listed, texts};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    let is_there = |name: &Name<'_>| rule.spelled(*name, annotations).any(Annotation::is_full);
    for name in &rule.required {
        if !is_there(name) {
            let (but, advice) = if rule.has(*name, annotations) {
                (" and empty", "give it a value")
            } else {
                ("", "set it")
            };
            let key = rule.names.key(*name);
            let problem = move |fate| ["it ", Verb::REQUIRED.of(fate), but].concat();
            sink(Objection::missing(Code::AnnotationRequired, key, problem).advising(advice));
        }
    }
    for group in &rule.require_any {
        if !group.iter().any(is_there) {
            let keys = rule.keys(group);
            let facts = texts(&keys).concat();
            let problem = move |fate| one_required(&keys, fate);
            let mut objection =
                Objection::all(Code::AnnotationRequired, problem).advising("set one");
            objection.facts = facts;
            sink(objection);
        }
    }
}

/// What is wrong where none of several annotations is there.
pub(super) fn one_required(keys: &[String], fate: Fate) -> String {
    let words = Verb::REQUIRED.of(fate);
    ["one of ", &listed(keys, " or "), " ", words].concat()
}
