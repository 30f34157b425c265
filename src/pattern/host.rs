//! The host of a pattern.

use std::borrow::Cow;

use crate::glob;
use crate::image::{DOCKER_HUB, DOCKER_HUB_ALIASES, normalize_host, split_port};

use super::Sense;

/// A host, possibly with wildcards, in the normal form of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// Exactly `*`.
    Any,
    /// No wildcard.
    Exact(Cow<'a, str>),
    /// `*` and `?` stand for any characters.
    Glob(Cow<'a, str>),
}

impl<'a> Host<'a> {
    /// A host that fits the grammar; `has_wildcard` may be true where only what is around it has one.
    pub(super) fn new(text: &'a str, has_wildcard: bool) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let normal = normalize_host(text);
        if has_wildcard && glob::has_wildcard(&normal) {
            Self::Glob(normal)
        } else {
            Self::Exact(normal)
        }
    }

    pub(super) fn matches(&self, host: &str, sense: Sense) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == host,
            Self::Glob(pattern) => {
                glob::matches(pattern, host)
                    || (sense == Sense::Reject
                        && host == DOCKER_HUB
                        && DOCKER_HUB_ALIASES
                            .iter()
                            .any(|alias| glob::matches(pattern, alias)))
            }
        }
    }

    pub(super) fn is_docker_hub(&self) -> bool {
        matches!(self, Self::Exact(host) if host == DOCKER_HUB)
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::Exact(host) | Self::Glob(host), Self::Exact(other) | Self::Glob(other)) => {
                glob::covers(host, other)
            }
        }
    }

    /// Why an allow list must not hold this host: it admits hosts that anybody can register.
    pub(super) fn danger(&self) -> Option<String> {
        let Self::Glob(pattern) = self else {
            return None;
        };
        let (name, _) = split_port(pattern);
        let mut labels = name.rsplit('.');
        let last = labels.next().unwrap_or_default();
        if glob::has_wildcard(last) {
            return Some(format!(
                "a wildcard in the last label of a host admits hosts that anybody can register{}",
                foreign_domain(name)
            ));
        }
        match labels.next() {
            Some(second) if glob::has_wildcard(second) && second != "*" => Some(format!(
                "a wildcard that runs into the last two labels of a host admits hosts that anybody can register, such as `{}`{}",
                name.replace(['*', '?'], "evil"),
                // `*corp.io` most likely means the hosts below `corp.io`.
                match name.strip_prefix('*') {
                    Some(domain) if !glob::has_wildcard(domain) =>
                        format!(": write `*.{}`", domain.trim_start_matches('-')),
                    _ => String::new(),
                }
            )),
            _ => None,
        }
    }
}

/// A host that a pattern such as `registry.corp*` admits, and that its author did not mean.
fn foreign_domain(name: &str) -> String {
    match name.strip_suffix('*') {
        Some(start) if !glob::has_wildcard(start) && !start.is_empty() && !start.contains('[') => {
            format!(", such as `{}.evil.com`", start.trim_end_matches('.'))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_must_not_reach_a_foreign_domain() {
        for dangerous in [
            "registry.corp*",
            "10.0.*",
            "*corp.io",
            "corp?.io",
            "re*y.io",
            "*:5000",
            "*:443",
            "registry.*",
            "a.*.c*:80",
        ] {
            assert!(Host::new(dangerous, true).danger().is_some(), "{dangerous}");
        }
        for meant in [
            "*",
            "*.corp.io",
            "*.io",
            "registry*.corp.io",
            "registry.*.aliyuncs.com",
            "ghcr.io",
            "*.corp.io:*",
        ] {
            assert_eq!(Host::new(meant, true).danger(), None, "{meant}");
        }
    }

    #[test]
    fn a_reject_entry_covers_the_aliases_of_docker_hub() {
        let hub = Host::new("*.docker.io", true);
        assert!(hub.matches("docker.io", Sense::Reject));
        assert!(!hub.matches("docker.io", Sense::Allow));
        assert!(Host::new("index.docker.io", false).matches("docker.io", Sense::Allow));
    }
}
