//! `keepAny`: groups of which one may not be the last to go.
//!
//! ```yaml
//! keepAny: [[limit-rps, limit-rpm, limit-connections]]
//! ```
//!
//! Accepted: an update from `limit-rps: "5"` to `limit-rpm: "300"`. Rejected: one that leaves none of the
//! three, or only empty ones.

use crate::shown::quoted;
use crate::violation::Code;

use super::{Annotation, AnnotationRule, Annotations, Objection, Sink, listed, texts};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    old: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for group in &rule.keep_any {
        let full_in = |place: &'o Annotations<'o>| {
            let mut names = group.iter();
            names.find_map(|name| rule.spelled(*name, place).find(|found| found.is_full()))
        };
        let Some(before) = full_in(old) else {
            continue;
        };
        if full_in(annotations).is_some() {
            continue;
        }
        let keys = rule.keys(group);
        let facts = texts(&keys).concat();
        let problem = move |_| {
            let was = match Annotation::shown(before) {
                Some(value) => [before.key, ": ", value].concat(),
                None => before.key.to_owned(),
            };
            let (keys, was) = (listed(&keys, " or "), quoted(&[&was], ""));
            ["one of ", &keys, " must stay (it was ", &was, ")"].concat()
        };
        let objection = Objection::all(Code::AnnotationKeep, problem).of("keepAny");
        let mut objection = objection.advising("leave it as it was or set another one");
        objection.facts = facts;
        sink(objection);
    }
}
