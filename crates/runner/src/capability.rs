//! Which host capabilities a policy is granted.
//!
//! A capability is `namespace/operation` of a host call, such as `oci/v1/manifest_digest`. The log
//! (`tracing/log`) is none: every policy may write it (`policy-evaluator`, `host_capabilities.rs`).

use std::{collections::BTreeSet, str::FromStr};

use thiserror::Error;

/// The capabilities of Kubewarden 1.36.
const KNOWN: [&str; 11] = [
    "crypto/v1/is_certificate_trusted",
    "kubernetes/can_i",
    "kubernetes/get_resource",
    "kubernetes/list_resources_all",
    "kubernetes/list_resources_by_namespace",
    "net/v1/dns_lookup_host",
    "oci/v1/manifest_digest",
    "oci/v1/oci_manifest",
    "oci/v1/oci_manifest_config",
    "oci/v1/verify",
    "oci/v2/verify",
];

/// The capabilities that a policy is granted: none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostCapabilities(Vec<CapabilityPattern>);

impl HostCapabilities {
    /// Every capability, as `*` grants it.
    pub fn all() -> Self {
        Self(vec![CapabilityPattern("*".to_owned())])
    }

    /// Whether one of the patterns grants the capability at this path.
    pub fn allow(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.covers(path))
    }
}

impl FromIterator<CapabilityPattern> for HostCapabilities {
    fn from_iter<I: IntoIterator<Item = CapabilityPattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

/// What kwctl takes for `--allowed-host-capabilities`: `*`, everything below a segment (`oci/*`,
/// `oci/v1/*`), or one capability (`oci/v1/verify`).
///
/// kwctl also takes `oci/*/*`, which then grants nothing: here it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityPattern(String);

/// Why something is no pattern.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum CapabilityPatternError {
    /// Nothing but spaces.
    #[error("the pattern is empty")]
    Empty,
    /// A `*` that is not the whole last segment.
    #[error("`*` stands for everything below a segment, at the end: `oci/*`")]
    Wildcard,
    /// Kubewarden has no such capability; the names that it has in that place.
    #[error("unknown segment `{segment}`, expected {expected}")]
    Unknown {
        /// What was written.
        segment: String,
        /// What could have been.
        expected: String,
    },
    /// A path that ends above the capabilities.
    #[error("no capability, only the beginning of some, write `{0}/*` for all of them")]
    Incomplete(String),
}

impl FromStr for CapabilityPattern {
    type Err = CapabilityPatternError;

    fn from_str(text: &str) -> Result<Self, CapabilityPatternError> {
        let text = text.trim();
        let path = match text.strip_suffix("/*") {
            _ if text.is_empty() => return Err(CapabilityPatternError::Empty),
            _ if text == "*" => return Ok(Self(text.to_owned())),
            Some(above) => above,
            None => text,
        };
        if path.contains('*') {
            return Err(CapabilityPatternError::Wildcard);
        }
        let mut above = String::new();
        for segment in path.split('/') {
            let expected = below(&above);
            if !expected.contains(segment) {
                return Err(CapabilityPatternError::Unknown {
                    segment: segment.to_owned(),
                    expected: alternatives(&expected),
                });
            }
            above.push_str(segment);
            above.push('/');
        }
        match (path == text, KNOWN.contains(&path)) {
            (true, false) => Err(CapabilityPatternError::Incomplete(path.to_owned())),
            (false, true) => Err(CapabilityPatternError::Unknown {
                segment: "*".to_owned(),
                expected: alternatives(&BTreeSet::new()),
            }),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl CapabilityPattern {
    fn covers(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(above) => path.starts_with(above),
            None => path == self.0,
        }
    }
}

/// Whether Kubewarden has a capability at this path.
pub(crate) fn is_known(path: &str) -> bool {
    KNOWN.contains(&path)
}

/// Whether Kubewarden has capabilities in this namespace.
pub(crate) fn is_known_namespace(namespace: &str) -> bool {
    below("").contains(namespace)
}

/// The segments that follow a path, which is empty or ends in `/`.
fn below(path: &str) -> BTreeSet<&'static str> {
    KNOWN
        .iter()
        .filter_map(|known| known.strip_prefix(path)?.split('/').next())
        .collect()
}

fn alternatives(segments: &BTreeSet<&str>) -> String {
    if segments.is_empty() {
        return "nothing after a capability".to_owned();
    }
    let quoted: Vec<_> = segments.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}
