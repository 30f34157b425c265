//! What the old object has as well.

use std::collections::BTreeMap;

use crate::json::{LeftOut, Location, Value, lookup, same, same_but_for};
use crate::violation::{Action, Kept};

use super::finding::Finding;

/// Members of `metadata` that Kubernetes' own bookkeeping writes by plain UPDATE: Jobs remove their
/// Pods' finalizers, the garbage collector drops owners, and the API server counts generations.
const BOOKKEEPING: [&str; 5] = [
    "finalizers",
    "ownerReferences",
    "managedFields",
    "resourceVersion",
    "generation",
];

/// Members of `spec` that make no Pod another one. The deployment controller writes them in the
/// `ReplicaSet`s of former images during each rollout, by plain UPDATE, and people scale so, too.
///
/// Source: `pkg/controller/deployment/sync.go` of Kubernetes.
const SCALING: [&str; 3] = ["replicas", "paused", "minReadySeconds"];

/// What the annotations begin with that the deployment controller writes.
///
/// Source: `pkg/controller/deployment/util/deployment_util.go` of Kubernetes.
const BY_DEPLOYMENTS: &str = "deployment.kubernetes.io/";

/// Whether two objects differ in nothing but Kubernetes' own bookkeeping, and how many Pods there are.
pub(super) fn is_bookkeeping(new: Value<'_>, old: Value<'_>) -> bool {
    let metadata: LeftOut<'_> = &|key| BOOKKEEPING.contains(&key);
    let spec: LeftOut<'_> = &|key| SCALING.contains(&key);
    let annotations: LeftOut<'_> = &|key| key.starts_with(BY_DEPLOYMENTS);
    same_but_for(
        new,
        old,
        &[
            (&["metadata"], metadata),
            (&["metadata", "annotations"], annotations),
            (&["spec"], spec),
        ],
    )
}

/// Marks the findings that are among those of the old object: at the same place, with the same value.
/// Notes among them go: they were told when they were new.
pub(super) fn mark(findings: &mut Vec<Finding>, was: Vec<Finding>, new: Value<'_>, old: Value<'_>) {
    let mut before: BTreeMap<String, usize> = BTreeMap::new();
    let mut members: BTreeMap<String, usize> = BTreeMap::new();
    for finding in was {
        *before.entry(finding.key).or_default() += 1;
        for member in finding.members {
            *members.entry(member).or_default() += 1;
        }
    }
    // Findings come in the order of the document: those of one template side by side.
    let mut last: Option<(Location<'_>, bool)> = None;
    for finding in findings.iter_mut() {
        if !finding.members.iter().all(|it| members.contains_key(it)) {
            continue;
        }
        let Some(count) = before.get_mut(&finding.key).filter(|count| **count > 0) else {
            continue;
        };
        *count -= 1;
        let template_changes = match (finding.template.take(), &last) {
            (None, _) => false,
            (Some(template), Some((known, changes))) if *known == template => *changes,
            (Some(template), _) => {
                let changes = differs(&template, new, old);
                last = Some((template, changes));
                changes
            }
        };
        finding.violation.kept = Some(
            if template_changes && finding.action == Action::Reject && finding.removes.is_empty() {
                Kept::TemplateChanges
            } else {
                Kept::Unchanged
            },
        );
    }
    findings
        .retain(|finding| finding.violation.kept.is_none() || !finding.violation.code.is_note());
}

/// Whether the value at a place is another one in the old object.
fn differs(place: &Location<'_>, new: Value<'_>, old: Value<'_>) -> bool {
    match (
        lookup(new, place.steps()).as_slice(),
        lookup(old, place.steps()).as_slice(),
    ) {
        ([new], [old]) => !same(*new, *old),
        _ => true,
    }
}
