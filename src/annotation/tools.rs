//! The keys that Kubernetes, Helm and `GitOps` tools write themselves.
//!
//! An exact list: a domain would let everything through that anybody writes under it. Each key, who
//! writes it and where that was read is in `docs/annotations.md`.

/// The keys, in order.
pub const KEYS: [&str; 64] = [
    "apf.kubernetes.io/autoupdate-spec",
    "applyset.kubernetes.io/additional-namespaces",
    "applyset.kubernetes.io/contains-group-kinds",
    "applyset.kubernetes.io/tooling",
    "argocd.argoproj.io/application-set-refresh",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    "argocd.argoproj.io/tracking-id",
    "autoscaling.alpha.kubernetes.io/behavior",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "autoscaling.alpha.kubernetes.io/metrics",
    "batch.kubernetes.io/cronjob-scheduled-timestamp",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-index-failure-count",
    "batch.kubernetes.io/job-index-ignored-failure-count",
    "config.k8s.io/owning-inventory",
    "control-plane.alpha.kubernetes.io/leader",
    "cronjob.kubernetes.io/instantiate",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deprecated.daemonset.template.generation",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "endpoints.kubernetes.io/over-capacity",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    "kubernetes.io/change-cause",
    "kubernetes.io/config.hash",
    "kubernetes.io/config.mirror",
    "kubernetes.io/config.seen",
    "kubernetes.io/config.source",
    "kubernetes.io/limit-ranger",
    "kubernetes.io/service-account.name",
    "kubernetes.io/service-account.uid",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "notified.notifications.argoproj.io",
    "objectset.rio.cattle.io/applied",
    "objectset.rio.cattle.io/id",
    "objectset.rio.cattle.io/owner-gvk",
    "objectset.rio.cattle.io/owner-name",
    "objectset.rio.cattle.io/owner-namespace",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/migrated-to",
    "pv.kubernetes.io/provisioned-by",
    "rbac.authorization.kubernetes.io/autoupdate",
    "reconcile.fluxcd.io/forceAt",
    "reconcile.fluxcd.io/requestedAt",
    "reconcile.fluxcd.io/resetAt",
    "resource.kubernetes.io/pod-claim-name",
    "rollout.argoproj.io/desired-replicas",
    "rollout.argoproj.io/revision",
    "rollout.argoproj.io/revision-history",
    "rollout.argoproj.io/workload-generation",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-resizer",
];

/// Whether one of these tools writes a key.
pub(super) fn write(key: &str) -> bool {
    KEYS.binary_search(&key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_in_order_each_once() {
        assert!(KEYS.is_sorted_by(|one, next| one < next));
    }
}
