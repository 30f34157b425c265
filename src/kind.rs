//! The kind of an object, and what is known of it by its kind.

use std::borrow::Cow;
use std::fmt;

use crate::glob;

/// API group and kind of an object; the core group is empty. Versions do not matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKind<'a> {
    /// The API group, empty for the core group.
    pub group: Cow<'a, str>,
    /// The kind.
    pub kind: Cow<'a, str>,
}

impl GroupKind<'_> {
    /// A Pod.
    pub(crate) const POD: GroupKind<'static> = GroupKind {
        group: Cow::Borrowed(""),
        kind: Cow::Borrowed("Pod"),
    };

    /// Whether this is what asks for a Pod to be evicted.
    pub(crate) fn is_eviction(&self) -> bool {
        self.group == "policy" && self.kind == "Eviction"
    }

    /// Where Kubernetes' own workloads keep their pod spec; `None` for every other kind.
    ///
    /// Source: the API types of Kubernetes (`k8s.io/api`): core/v1, apps/v1, batch/v1.
    pub fn pod_spec(&self) -> Option<&'static [&'static str]> {
        match (self.group.as_ref(), self.kind.as_ref()) {
            ("", "Pod") => Some(&["spec"]),
            ("", "PodTemplate") => Some(&["template", "spec"]),
            ("", "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch", "Job") => Some(&["spec", "template", "spec"]),
            ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
            _ => None,
        }
    }

    /// Whether this is a Pod.
    pub(crate) fn is_pod(&self) -> bool {
        self.group.is_empty() && self.kind == "Pod"
    }

    /// Whether this is a `CronJob`, whose objects hold the `metadata` of Jobs.
    pub(crate) fn is_cron_job(&self) -> bool {
        self.group == "batch" && self.kind == "CronJob"
    }

    /// Whether this is a `ReplicaSet`.
    pub(crate) fn is_replica_set(&self) -> bool {
        self.group == "apps" && self.kind == "ReplicaSet"
    }

    /// Whether objects of this kind may run images.
    ///
    /// Policies and webhook configurations hold patterns that look like workloads, and a
    /// `ControllerRevision` holds what a workload once was.
    pub(crate) fn may_run_images(&self) -> bool {
        let group = self.group.as_ref();
        !(group == "kyverno.io"
            || group.ends_with(".kyverno.io")
            || group.ends_with(".gatekeeper.sh")
            || matches!(
                group,
                "policies.kubewarden.io" | "admissionregistration.k8s.io"
            )
            || (group == "apps" && self.kind == "ControllerRevision"))
    }
}

impl fmt::Display for GroupKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_ref() {
            "" => write!(f, "core/{}", self.kind),
            group => write!(f, "{group}/{}", self.kind),
        }
    }
}

/// A glob over kinds.
///
/// # Syntax
///
/// `Kind` is that kind in any group, `group/Kind` in one, `core/Kind` in the core group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindPattern<'a> {
    group: Option<&'a str>,
    kind: &'a str,
}

impl<'a> KindPattern<'a> {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to write instead.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let (group, kind) = match text.rsplit_once('/') {
            Some((group, kind)) => (Some(group), kind),
            None => (None, text),
        };
        if kind.is_empty() || group == Some("") {
            return Err("expected `Kind`, `group/Kind` or `core/Kind`".to_owned());
        }
        match group {
            Some(version) if is_version(version) => {
                Err(format!("`{version}` is a version, write `core/{kind}`"))
            }
            Some(group) if group.contains('/') => {
                let group = group.split('/').next().unwrap_or_default();
                Err(format!("a kind has no version, write `{group}/{kind}`"))
            }
            Some("core") => Ok(Self {
                group: Some(""),
                kind,
            }),
            group => Ok(Self { group, kind }),
        }
    }

    /// Whether a kind matches.
    pub fn matches(&self, kind: &GroupKind<'_>) -> bool {
        self.group
            .is_none_or(|group| glob::matches(group, &kind.group))
            && glob::matches(self.kind, &kind.kind)
    }
}

/// `v1`, `v1beta1`: no API group is called so.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        && !text.contains(['.', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &'static str, kind: &'static str) -> GroupKind<'static> {
        GroupKind {
            group: group.into(),
            kind: kind.into(),
        }
    }

    #[test]
    fn a_kind_is_in_any_group_unless_it_names_one() {
        let matches = |pattern, group, name| {
            KindPattern::parse(pattern)
                .unwrap()
                .matches(&kind(group, name))
        };
        assert!(matches("Deployment", "apps", "Deployment"));
        assert!(matches("Deployment", "example.com", "Deployment"));
        assert!(matches("apps/*", "apps", "DaemonSet"));
        assert!(matches(
            "*.knative.dev/Service",
            "serving.knative.dev",
            "Service"
        ));
        assert!(matches("core/Pod", "", "Pod"));
        assert!(matches("*/Pod", "", "Pod"));
        assert!(!matches("core/Pod", "example.com", "Pod"));
        assert!(!matches("apps/Deployment", "", "Deployment"));
        assert!(!matches("pod", "", "Pod"));
    }

    #[test]
    fn a_version_is_no_group() {
        for (text, error) in [
            ("v1/Pod", "`v1` is a version, write `core/Pod`"),
            (
                "apps/v1/Deployment",
                "a kind has no version, write `apps/Deployment`",
            ),
            ("/Pod", "expected `Kind`, `group/Kind` or `core/Kind`"),
            ("apps/", "expected `Kind`, `group/Kind` or `core/Kind`"),
        ] {
            assert_eq!(KindPattern::parse(text).unwrap_err(), error);
        }
    }
}
