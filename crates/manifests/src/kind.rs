//! What is known of a kind without asking a cluster.

/// The kinds of Kubernetes (`kubectl api-resources --namespaced=false`, 1.35) and of Kubewarden that
/// are in no namespace.
const CLUSTER_SCOPED: [(&str, &str); 38] = [
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    (
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicyBinding",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("cert-manager.io", "ClusterIssuer"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("internal.apiserver.k8s.io", "StorageVersion"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policies.kubewarden.io", "ClusterAdmissionPolicy"),
    ("policies.kubewarden.io", "ClusterAdmissionPolicyGroup"),
    ("policies.kubewarden.io", "PolicyServer"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    ("storagemigration.k8s.io", "StorageVersionMigration"),
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
];

/// Whether objects of a kind are in no namespace, as far as that is known: most custom kinds are in
/// one.
pub(crate) fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&(group, kind))
}

/// The resource of a kind, as `meta.UnsafeGuessKindToResource` guesses it, but `gateways`.
pub(crate) fn resource(kind: &str) -> String {
    let mut resource = kind.to_ascii_lowercase();
    if resource == "endpoints" {
        return resource;
    }
    let last = resource.pop();
    let is_after_vowel = resource.ends_with(['a', 'e', 'i', 'o', 'u']);
    match last {
        Some('y') if !is_after_vowel => resource.push_str("ies"),
        Some('s') => resource.push_str("ses"),
        Some(last) => {
            resource.push(last);
            resource.push('s');
        }
        None => {}
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_the_plural_of_its_kind() {
        for (kind, plural) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("EndpointSlice", "endpointslices"),
            ("CronJob", "cronjobs"),
        ] {
            assert_eq!(resource(kind), plural);
        }
    }
}
