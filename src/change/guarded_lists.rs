//! Guards whose path leads through a list of Kubernetes' own kinds as if it were a map, where nothing
//! can be: they would guard nothing.
//!
//! ```yaml
//! guard: ["spec.template.spec.containers.resources"]   # write spec.template.spec.containers[*].resources
//! ```

use std::borrow::Cow;

use super::{ChangeRule, Guard};
use crate::json::{FieldPath, Location, Step};
use crate::kind::{GroupKind, KindPattern};
use crate::shown::Shown;

use crate::schema::SettingsErrors;

/// Lists in a pod spec.
const OF_POD_SPECS: [&str; 33] = [
    "containers",
    "containers[*].env",
    "containers[*].envFrom",
    "containers[*].ports",
    "containers[*].volumeMounts",
    "containers[*].volumeDevices",
    "containers[*].resizePolicy",
    "containers[*].resources.claims",
    "initContainers",
    "initContainers[*].env",
    "initContainers[*].envFrom",
    "initContainers[*].ports",
    "initContainers[*].volumeMounts",
    "initContainers[*].volumeDevices",
    "initContainers[*].resources.claims",
    "ephemeralContainers",
    "ephemeralContainers[*].env",
    "ephemeralContainers[*].envFrom",
    "ephemeralContainers[*].volumeMounts",
    "volumes",
    "volumes[*].projected.sources",
    "volumes[*].configMap.items",
    "volumes[*].secret.items",
    "volumes[*].downwardAPI.items",
    "tolerations",
    "imagePullSecrets",
    "hostAliases",
    "topologySpreadConstraints",
    "readinessGates",
    "resourceClaims",
    "schedulingGates",
    "securityContext.sysctls",
    "dnsConfig.options",
];

/// Other lists of objects: the group, a kind, the path.
///
/// Source: the API types of Kubernetes (`k8s.io/api`, and `apiextensions` for definitions of kinds).
const OTHERS: [(&str, &str, &str); 57] = [
    ("", "Service", "spec.ports"),
    ("", "ServiceAccount", "secrets"),
    ("", "ServiceAccount", "imagePullSecrets"),
    ("", "Endpoints", "subsets"),
    ("", "Endpoints", "subsets[*].addresses"),
    ("", "Endpoints", "subsets[*].notReadyAddresses"),
    ("", "Endpoints", "subsets[*].ports"),
    ("", "LimitRange", "spec.limits"),
    ("", "Node", "spec.taints"),
    ("", "ResourceQuota", "spec.scopeSelector.matchExpressions"),
    ("apps", "DaemonSet", "spec.selector.matchExpressions"),
    ("apps", "Deployment", "spec.selector.matchExpressions"),
    ("apps", "ReplicaSet", "spec.selector.matchExpressions"),
    ("apps", "StatefulSet", "spec.selector.matchExpressions"),
    ("apps", "StatefulSet", "spec.volumeClaimTemplates"),
    ("autoscaling", "HorizontalPodAutoscaler", "spec.metrics"),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        "spec.behavior.scaleDown.policies",
    ),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        "spec.behavior.scaleUp.policies",
    ),
    ("batch", "Job", "spec.podFailurePolicy.rules"),
    ("batch", "Job", "spec.successPolicy.rules"),
    (
        "batch",
        "CronJob",
        "spec.jobTemplate.spec.podFailurePolicy.rules",
    ),
    (
        "batch",
        "CronJob",
        "spec.jobTemplate.spec.successPolicy.rules",
    ),
    ("networking.k8s.io", "Ingress", "spec.rules"),
    ("networking.k8s.io", "Ingress", "spec.rules[*].http.paths"),
    ("networking.k8s.io", "Ingress", "spec.tls"),
    ("networking.k8s.io", "NetworkPolicy", "spec.egress"),
    ("networking.k8s.io", "NetworkPolicy", "spec.egress[*].ports"),
    ("networking.k8s.io", "NetworkPolicy", "spec.egress[*].to"),
    ("networking.k8s.io", "NetworkPolicy", "spec.ingress"),
    ("networking.k8s.io", "NetworkPolicy", "spec.ingress[*].from"),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        "spec.ingress[*].ports",
    ),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        "spec.podSelector.matchExpressions",
    ),
    (
        "policy",
        "PodDisruptionBudget",
        "spec.selector.matchExpressions",
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRole",
        "aggregationRule.clusterRoleSelectors",
    ),
    ("rbac.authorization.k8s.io", "ClusterRole", "rules"),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        "subjects",
    ),
    ("rbac.authorization.k8s.io", "Role", "rules"),
    ("rbac.authorization.k8s.io", "RoleBinding", "subjects"),
    ("storage.k8s.io", "StorageClass", "allowedTopologies"),
    ("storage.k8s.io", "CSINode", "spec.drivers"),
    ("discovery.k8s.io", "EndpointSlice", "endpoints"),
    ("discovery.k8s.io", "EndpointSlice", "ports"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "spec.rules"),
    (
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        "spec.rules[*].subjects",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "webhooks",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "webhooks[*].rules",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "webhooks[*].matchConditions",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "webhooks",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "webhooks[*].rules",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "webhooks[*].matchConditions",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "spec.validations",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "spec.variables",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "spec.matchConditions",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "spec.auditAnnotations",
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.versions",
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.versions[*].additionalPrinterColumns",
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.names.shortNames",
    ),
];

/// Kubernetes' own workloads.
const WORKLOADS: [(&str, &str); 9] = [
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ReplicationController"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
];

/// Notes every guard that takes a list for a map.
pub(crate) fn find(rules: &[ChangeRule<'_>], errors: &mut SettingsErrors) {
    for (index, rule) in rules.iter().enumerate() {
        let kinds = rule.selector.kinds.as_deref();
        for (at, guard) in rule.guards.iter().enumerate() {
            let Guard::Field(path) = guard else {
                continue;
            };
            let written = path.steps();
            let mut meant = written.to_vec();
            // Each mended list may show the next one.
            while let Some(list) = through_a_list(&meant, kinds) {
                meant.insert(list, Step::Each);
            }
            if meant.len() > written.len() {
                let problem = format!(
                    "`{}` leads through a list, did you mean `{}`?",
                    Shown(&Location(written.to_vec()).to_string()),
                    Shown(&Location(meant).to_string())
                );
                errors.contradiction(format!("changes[{index}].guard[{at}]"), &problem);
            }
        }
    }
}

/// Behind how many steps a path goes on by a key where a list is.
fn through_a_list(path: &[Step<'_>], kinds: Option<&[KindPattern<'_>]>) -> Option<usize> {
    let leads_through = |list: &[Step<'_>]| {
        path.starts_with(list) && matches!(path.get(list.len()), Some(Step::Key(_)))
    };
    let is_about = |group: &'static str, kind: &'static str| {
        let kind = GroupKind {
            group: Cow::Borrowed(group),
            kind: Cow::Borrowed(kind),
        };
        kinds.is_none_or(|kinds| kinds.iter().any(|pattern| pattern.matches(&kind)))
    };
    let is_owners = [Step::key("metadata"), Step::key("ownerReferences")];
    if leads_through(&is_owners) {
        return Some(is_owners.len());
    }
    for (group, kind) in WORKLOADS {
        let own = GroupKind {
            group: Cow::Borrowed(group),
            kind: Cow::Borrowed(kind),
        };
        let Some(way) = own.pod_spec().filter(|_| is_about(group, kind)) else {
            continue;
        };
        for list in OF_POD_SPECS {
            let mut steps: Vec<_> = way.iter().map(|key| Step::key(key)).collect();
            steps.extend(FieldPath::parse(list).ok()?.steps().iter().cloned());
            if leads_through(&steps) {
                return Some(steps.len());
            }
        }
    }
    for (group, kind, list) in OTHERS {
        let list = FieldPath::parse(list).ok()?;
        if is_about(group, kind) && leads_through(list.steps()) {
            return Some(list.steps().len());
        }
    }
    None
}
