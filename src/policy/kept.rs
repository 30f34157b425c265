//! What Kubernetes itself changes in objects.

use crate::json::same_but_for;

/// Members of `metadata` that Kubernetes' own bookkeeping writes by plain UPDATE: Jobs remove their
/// Pods' finalizers, the garbage collector drops owners.
const BOOKKEEPING: [&str; 4] = [
    "finalizers",
    "ownerReferences",
    "managedFields",
    "resourceVersion",
];

/// Whether two objects differ in nothing but Kubernetes' own bookkeeping.
pub(super) fn is_bookkeeping(new: &str, old: &str) -> bool {
    same_but_for(new, old, &BOOKKEEPING)
}
