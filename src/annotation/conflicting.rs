//! `conflicting`: what must not be there together.
//!
//! ```yaml
//! conflicting: [[id, spec]]
//! ```
//!
//! Accepted: `id: lb-1`, `spec: slb.s1.small`. Rejected: both on one object.

use crate::hashing::hash_of;
use crate::schema::SettingsErrors;
use crate::violation::Code;

use super::{AnnotationRule, Annotations, Name, Objection, Sink, listed};

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
        let group_facts = identity(group);
        let first_member = member(rule, &group_facts, *first, annotations);
        // One objection to each of the others: the first is the one that stays.
        for name in group
            .iter()
            .filter(|name| *name != first && is_there(**name))
        {
            let member = member(rule, &group_facts, *name, annotations);
            for annotation in rule.spelled(*name, annotations) {
                let problem = |_| {
                    let keys = rule.keys(&[*first, *name]);
                    [&listed(&keys, " and "), " must not be set together"].concat()
                };
                let mut objection =
                    Objection::found(Code::AnnotationConflicting, annotation, problem)
                        .advising("keep one of them");
                objection.facts.clone_from(&group_facts);
                objection.members = vec![first_member, member];
                objection.removable.push(annotation.position());
                sink(objection);
            }
        }
    }
}

/// What tells a group from the other groups of the rule, of which not all are read for each object.
fn identity(group: &[Name<'_>]) -> String {
    let names = group.iter().map(Name::text);
    hash_of(&names.collect::<Vec<_>>()).to_string()
}

/// A name of a group and what it is set to.
fn member(
    rule: &AnnotationRule<'_>,
    group: &str,
    name: Name<'_>,
    annotations: &Annotations<'_>,
) -> u64 {
    let spelled = rule.spelled(name, annotations);
    let values = spelled.map(|annotation| annotation.value().unwrap_or_default());
    hash_of(&(group, name.text(), values.collect::<Vec<_>>()))
}

/// Notes groups of which more than one must be there.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for (at, group) in rule.conflicting.iter().enumerate() {
        let required = group.iter().filter(|name| rule.required.contains(name));
        if required.count() > 1 {
            errors.contradiction(
                format!("{path}.conflicting[{at}]"),
                "more than one of these is required, and at most one may be there",
            );
        }
    }
}
