//! Which kinds of a cluster matter.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Resource;
use crate::policy_file::Source;

/// What runs Pods in every cluster.
const WORKLOADS: [(&str, &str); 8] = [
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
];

/// What settings without rules are about besides: as in the metadata of the policy.
const DEFAULT: [(&str, &str); 3] = [
    ("", "podtemplates"),
    ("", "services"),
    ("networking.k8s.io", "ingresses"),
];

/// The groups of well-known kinds that run images, each where it is installed.
const WELL_KNOWN: [&str; 30] = [
    "agent.k8s.elastic.co",
    "apps.kruise.io",
    "apps.openshift.io",
    "argoproj.io",
    "batch.volcano.sh",
    "beat.k8s.elastic.co",
    "cdi.kubevirt.io",
    "ceph.rook.io",
    "elasticsearch.k8s.elastic.co",
    "extensions.istio.io",
    "jobset.x-k8s.io",
    "kafka.strimzi.io",
    "kibana.k8s.elastic.co",
    "kubeflow.org",
    "kubevirt.io",
    "leaderworkerset.x-k8s.io",
    "logstash.k8s.elastic.co",
    "minio.min.io",
    "monitoring.coreos.com",
    "numaflow.numaproj.io",
    "opentelemetry.io",
    "pool.kubevirt.io",
    "postgresql.cnpg.io",
    "rabbitmq.com",
    "ray.io",
    "serving.knative.dev",
    "serving.kserve.io",
    "sparkoperator.k8s.io",
    "tekton.dev",
    "workload.codeflare.dev",
];

/// The kinds that settings and policies are about, and what runs Pods.
pub(crate) struct Wanted<'s> {
    sources: &'s [Source<'s>],
    /// Kinds that settings name: group, where one is named, and kind.
    named: BTreeSet<(Option<String>, String)>,
    /// Settings alone are about what the metadata of the policy names.
    has_settings_alone: bool,
}

impl<'s> Wanted<'s> {
    pub(crate) fn new(sources: &'s [Source<'s>]) -> Self {
        let mut named = BTreeSet::new();
        for source in sources {
            let settings: Value = serde_json::from_str(source.json()).unwrap_or_default();
            add_kinds(&settings, &mut named);
        }
        Self {
            sources,
            named,
            has_settings_alone: sources.iter().any(|source| source.rules.is_none()),
        }
    }

    /// Whether the objects of a resource matter; of the resource `*`, whether any of its group do.
    pub(crate) fn is(&self, resource: &Resource) -> bool {
        let (group, name) = (resource.group.as_str(), resource.name.as_str());
        let is_any = name == "*";
        let is_of = |list: &[(&str, &str)]| {
            list.iter()
                .any(|(known, resource)| *known == group && (is_any || *resource == name))
        };
        let is_named = || {
            self.named.iter().any(|(of, kind)| {
                of.as_ref().is_none_or(|of| of == group) && (is_any || *kind == resource.kind)
            })
        };
        is_of(&WORKLOADS)
            || WELL_KNOWN.contains(&group)
            || (self.has_settings_alone && (is_of(&DEFAULT) || is_named()))
            || self.sources.iter().any(|source| source.names(group, name))
    }
}

/// Collects the kinds that `match.kinds` and `imagePaths` name, but for globs.
fn add_kinds(value: &Value, named: &mut BTreeSet<(Option<String>, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("kinds", Value::Array(kinds)) => {
                        named.extend(kinds.iter().filter_map(Value::as_str).filter_map(kind));
                    }
                    ("kind", Value::String(name)) => named.extend(kind(name)),
                    _ => add_kinds(value, named),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| add_kinds(value, named)),
        _ => {}
    }
}

/// The group and kind that an entry names; none for a glob.
fn kind(entry: &str) -> Option<(Option<String>, String)> {
    let (group, kind) = match entry.rsplit_once('/') {
        Some(("core", kind)) => (Some(""), kind),
        Some((group, kind)) => (Some(group), kind),
        None => (None, entry),
    };
    let is_plain = !entry.contains(['*', '?']);
    is_plain.then(|| (group.map(ToOwned::to_owned), kind.to_owned()))
}
