//! What Kubernetes' own controllers change in the course of their work.
//!
//! A guard that stops them breaks the control plane; one that lets a whole group of service accounts
//! pass is none. So each passes by its own user name, and only for what it needs.
//!
//! Source: `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go` and
//! `namespace_policy.go` of Kubernetes, which name the accounts and what they may do, and the
//! controllers in `pkg/controller`, which say what of it they do by a plain UPDATE, PATCH or DELETE.
//! What goes through a sub-resource needs no row, but for annotations and labels through `status`.

use crate::kind::GroupKind;
use crate::request::{Operation, User};

/// What a controller may do to objects of a kind.
struct Duty {
    /// The service account in `kube-system`, or a component's own user name.
    who: &'static str,
    /// The API group; `*` with the kind `*`: everything.
    group: &'static str,
    kind: &'static str,
    updates: bool,
    deletes: bool,
}

/// A duty to write objects and to delete them.
const fn both(who: &'static str, group: &'static str, kind: &'static str) -> Duty {
    Duty {
        who,
        group,
        kind,
        updates: true,
        deletes: true,
    }
}

/// A duty to write objects.
const fn update(who: &'static str, group: &'static str, kind: &'static str) -> Duty {
    Duty {
        who,
        group,
        kind,
        updates: true,
        deletes: false,
    }
}

/// A duty to delete objects.
const fn delete(who: &'static str, group: &'static str, kind: &'static str) -> Duty {
    Duty {
        who,
        group,
        kind,
        updates: false,
        deletes: true,
    }
}

const DEPLOYMENT_CONTROLLER: &str = "deployment-controller";
const GARBAGE_COLLECTOR: &str = "generic-garbage-collector";
const NAMESPACE_CONTROLLER: &str = "namespace-controller";
const KUBE_CONTROLLER_MANAGER: &str = "kube-controller-manager";
const SCHEDULER: &str = "system:kube-scheduler";
const API_SERVER: &str = "system:apiserver";
const RBAC: &str = "rbac.authorization.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const COORDINATION: &str = "coordination.k8s.io";
const NETWORKING: &str = "networking.k8s.io";

/// Each duty has a row in `docs/changes.md`, with its source.
const DUTIES: [Duty; 55] = [
    both(DEPLOYMENT_CONTROLLER, "apps", "ReplicaSet"),
    both("replicaset-controller", "", "Pod"),
    both("replication-controller", "", "Pod"),
    both("statefulset-controller", "", "Pod"),
    both("statefulset-controller", "apps", "ControllerRevision"),
    both("statefulset-controller", "", "PersistentVolumeClaim"),
    both("daemon-set-controller", "", "Pod"),
    both("daemon-set-controller", "apps", "ControllerRevision"),
    both("job-controller", "", "Pod"),
    delete("cronjob-controller", "batch", "Job"),
    delete("ttl-after-finished-controller", "batch", "Job"),
    delete("pod-garbage-collector", "", "Pod"),
    delete("node-controller", "", "Pod"),
    both("node-controller", "", "Node"),
    delete("device-taint-eviction-controller", "", "Pod"),
    update("ttl-controller", "", "Node"),
    both("endpoint-controller", "", "Endpoints"),
    both(
        "endpointslice-controller",
        "discovery.k8s.io",
        "EndpointSlice",
    ),
    both(
        "endpointslicemirroring-controller",
        "discovery.k8s.io",
        "EndpointSlice",
    ),
    both("persistent-volume-binder", "", "PersistentVolume"),
    update("persistent-volume-binder", "", "PersistentVolumeClaim"),
    delete("persistent-volume-binder", "", "Pod"),
    update("expand-controller", "", "PersistentVolume"),
    delete(
        "attachdetach-controller",
        "storage.k8s.io",
        "VolumeAttachment",
    ),
    both(
        "resource-claim-controller",
        "resource.k8s.io",
        "ResourceClaim",
    ),
    update("root-ca-cert-publisher", "", "ConfigMap"),
    update("bootstrap-signer", "", "ConfigMap"),
    delete("token-cleaner", "", "Secret"),
    both("legacy-service-account-token-cleaner", "", "Secret"),
    update("clusterrole-aggregation-controller", RBAC, "ClusterRole"),
    delete(
        "certificate-controller",
        CERTIFICATES,
        "CertificateSigningRequest",
    ),
    delete(
        "podcertificaterequestcleaner",
        CERTIFICATES,
        "PodCertificateRequest",
    ),
    both(
        "kube-apiserver-serving-clustertrustbundle-publisher",
        CERTIFICATES,
        "ClusterTrustBundle",
    ),
    both(
        "storage-version-garbage-collector",
        "internal.apiserver.k8s.io",
        "StorageVersion",
    ),
    update("leader-election-controller", COORDINATION, "Lease"),
    delete(GARBAGE_COLLECTOR, "*", "*"),
    delete(NAMESPACE_CONTROLLER, "*", "*"),
    both(SCHEDULER, "", "Pod"),
    update(SCHEDULER, "", "PersistentVolumeClaim"),
    update(SCHEDULER, "", "PersistentVolume"),
    update(SCHEDULER, COORDINATION, "Lease"),
    update(API_SERVER, RBAC, "ClusterRole"),
    both(API_SERVER, RBAC, "ClusterRoleBinding"),
    update(API_SERVER, RBAC, "Role"),
    both(API_SERVER, RBAC, "RoleBinding"),
    both(API_SERVER, FLOW, "FlowSchema"),
    both(API_SERVER, FLOW, "PriorityLevelConfiguration"),
    both(API_SERVER, "apiregistration.k8s.io", "APIService"),
    update(API_SERVER, "", "Endpoints"),
    both(API_SERVER, "discovery.k8s.io", "EndpointSlice"),
    both(API_SERVER, "", "ConfigMap"),
    update(API_SERVER, "", "Secret"),
    both(API_SERVER, COORDINATION, "Lease"),
    delete(API_SERVER, NETWORKING, "IPAddress"),
    update(API_SERVER, NETWORKING, "ServiceCIDR"),
];

/// Controllers of Kubernetes' own that write annotations through `status`, and the kinds. Each has a row in
/// `docs/changes.md`, with its source.
const THROUGH_STATUS: [(&str, &str, &str); 4] = [
    (DEPLOYMENT_CONTROLLER, "apps", "Deployment"),
    ("expand-controller", "", "PersistentVolumeClaim"),
    (
        "horizontal-pod-autoscaler",
        "autoscaling",
        "HorizontalPodAutoscaler",
    ),
    ("service-controller", "", "Service"),
];

/// Controllers of clouds that write `status`, by their user names, and whether they do so of Ingresses as well
/// as of Services. Each has a row in `docs/changes.md`, with its source.
const CLOUD_CONTROLLERS: [(&str, bool); 10] = [
    ("system:cloud-controller-manager", false),
    (
        "system:serviceaccount:kube-system:cloud-controller-manager",
        true,
    ),
    ("system:serviceaccount:kube-system:cloud-provider", false),
    ("system:serviceaccount:kube-system:glbc", true),
    ("system:controller:glbc", true),
    ("system:l4-lb-controller", false),
    ("system:l7-lb-controller", true),
    ("system:l7-lb-controller-neg", false),
    ("eks:cloud-controller-manager", false),
    (
        "system:serviceaccount:kube-system:aws-load-balancer-controller",
        true,
    ),
];

/// Whether this user writes the annotations and labels of such objects through `status` in the course of its
/// work.
pub(crate) fn may_through_status(user: &User<'_>, kind: &GroupKind<'_>) -> bool {
    let is = |group: &str, name: &str| kind.group == group && kind.kind == name;
    // Kubelets annotate their Nodes.
    if is("", "Node") && is_kubelet(user) {
        return true;
    }
    let is_own = controller(&user.name).is_some_and(|name| {
        THROUGH_STATUS.iter().any(|(who, group, kind)| {
            (name == *who || name == KUBE_CONTROLLER_MANAGER) && is(group, kind)
        })
    });
    let is_clouds = || {
        CLOUD_CONTROLLERS.iter().any(|(who, writes_ingresses)| {
            user.name == *who
                && (is("", "Service") || (*writes_ingresses && is("networking.k8s.io", "Ingress")))
        })
    };
    is_own || is_clouds() || may(user, kind, Operation::Update)
}

/// A kubelet is told by its group, which only its certificate gives.
fn is_kubelet(user: &User<'_>) -> bool {
    user.groups.iter().any(|group| group == "system:nodes")
}

/// Whether the deployment controller asks.
pub(crate) fn is_deployment_controller(user: Option<&User<'_>>) -> bool {
    user.and_then(|user| controller(&user.name))
        .is_some_and(|name| name == KUBE_CONTROLLER_MANAGER || name == DEPLOYMENT_CONTROLLER)
}

/// Whether a controller asks that unties objects from their owners: the garbage collector does so for
/// `kubectl delete --cascade=orphan`, by a plain PATCH of the dependents.
pub(crate) fn unties_owners(user: &User<'_>) -> bool {
    matches!(
        controller(&user.name),
        Some(KUBE_CONTROLLER_MANAGER | GARBAGE_COLLECTOR | NAMESPACE_CONTROLLER)
    )
}

/// The controller that a user is: its account in `kube-system`, or else the one name under which all of
/// them act where they have no accounts of their own.
fn controller(user: &str) -> Option<&str> {
    let name = user.strip_prefix("system:")?;
    match name.strip_prefix("serviceaccount:kube-system:") {
        // No account has this name.
        Some(account) => (account != KUBE_CONTROLLER_MANAGER).then_some(account),
        None => (name == KUBE_CONTROLLER_MANAGER).then_some(name),
    }
}

/// Whether this request is the duty of a controller of Kubernetes' own, of the scheduler or of a
/// kubelet.
pub(crate) fn may(user: &User<'_>, kind: &GroupKind<'_>, operation: Operation) -> bool {
    if kind.is_pod() && is_kubelet(user) {
        return true;
    }
    if !user.name.starts_with("system:") {
        return false;
    }
    let controller = controller(&user.name);
    DUTIES.iter().any(|duty| {
        let is_component = duty.who == SCHEDULER || duty.who == API_SERVER;
        let is_theirs = if is_component {
            user.name == duty.who
        } else {
            controller.is_some_and(|name| name == KUBE_CONTROLLER_MANAGER || name == duty.who)
        };
        is_theirs
            && match operation {
                Operation::Update => duty.updates,
                Operation::Delete => duty.deletes,
                Operation::Create | Operation::Connect => false,
            }
            && (duty.kind == "*" || (duty.group == kind.group && duty.kind == kind.kind))
    })
}
