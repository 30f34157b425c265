//! What Kubernetes itself changes in objects.

use crate::json::{LeftOut, Value, same_but_for};

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
