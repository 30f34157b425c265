//! `conflicting`: what must not be there together.
//!
//! ```yaml
//! conflicting: [[id, spec]]
//! ```
//!
//! Accepted: `id: lb-1`, `spec: slb.s1.small`. Rejected: both on one object.

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
        let mut keys = vec![rule.names.key(*first)];
        let group_facts = identity(group);
        let first_member = member(rule, &group_facts, *first, annotations);
        // One objection to each of the others: the first is the one that stays.
        for name in group
            .iter()
            .filter(|name| *name != first && is_there(**name))
        {
            keys.truncate(1);
            keys.push(rule.names.key(*name));
            let member = member(rule, &group_facts, *name, annotations);
            for annotation in rule.spelled(*name, annotations) {
                let problem = [&listed(&keys, " and "), " must not be set together"].concat();
                let mut objection =
                    Objection::found(Code::AnnotationConflicting, annotation, problem)
                        .advising("keep one of them");
                objection.facts.clone_from(&group_facts);
                objection.members = vec![first_member.clone(), member.clone()];
                objection.removable.push(annotation.position());
                sink(objection);
            }
        }
    }
}

/// What tells a group from the other groups of the rule, of which not all are read for each object.
///
/// A hash (FNV-1a), since a group may be long and each member of a conflict carries it.
fn identity(group: &[Name<'_>]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for name in group {
        for byte in name.text().bytes().chain([b' ']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash.to_string()
}

/// A name of a group and what it is set to.
fn member(
    rule: &AnnotationRule<'_>,
    group: &str,
    name: Name<'_>,
    annotations: &Annotations<'_>,
) -> String {
    let mut text = [group, " ", name.text()].concat();
    for annotation in rule.spelled(name, annotations) {
        let value = annotation.value().unwrap_or_default();
        text += &[" ", &value.len().to_string(), "=", value].concat();
    }
    text
}
