//! The host of a pattern.

use std::borrow::Cow;

use crate::glob;
use crate::image::{
    DEFAULT_PORT, DOCKER_HUB, DOCKER_HUB_ALIASES, Reference, normalize_host, split_port,
};

use super::Sense;

/// A host, possibly with wildcards, in the normal form of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// Exactly `*`.
    Any,
    /// No wildcard.
    Exact(Cow<'a, str>),
    /// `*` and `?` stand for any characters, of the port too: `ghcr.io:*` is every port of that
    /// host, with the default one, which hosts do not show.
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

    /// A host in its normal form without wildcards.
    pub(super) const fn plain(text: &'a str) -> Self {
        Self::Exact(Cow::Borrowed(text))
    }

    pub(super) fn matches(&self, host: &str, sense: Sense) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == host,
            Self::Glob(pattern) => {
                matches_on_some_port(pattern, host)
                    || (sense == Sense::Reject
                        && host == DOCKER_HUB
                        && DOCKER_HUB_ALIASES
                            .iter()
                            .any(|alias| matches_on_some_port(pattern, alias)))
            }
        }
    }

    /// Whether it may match the host of an image, in an allow list, once its placeholders are filled in.
    pub(super) fn may_match(&self, image: &Reference<'_>) -> bool {
        image.host().contains(glob::ANY_DEPTH) || self.matches(image.host(), Sense::Allow)
    }

    /// The host, or the glob over hosts.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Exact(host) | Self::Glob(host) => host,
        }
    }

    pub(super) fn is_docker_hub(&self) -> bool {
        matches!(self, Self::Exact(host) if host == DOCKER_HUB)
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (_, Self::Exact(other)) => self.matches(other, Sense::Reject),
            (Self::Exact(host), Self::Glob(other)) => glob::covers(host, other),
            (Self::Glob(host), Self::Glob(other)) => {
                glob::covers(host, other)
                    || (is_on_default_port(other)
                        && glob::covers(host, &format!("{other}:{DEFAULT_PORT}")))
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
                "a wildcard in the last part of a host allows hosts that anybody can register{}",
                foreign_domain(name)
            ));
        }
        match labels.next() {
            Some(second) if glob::has_wildcard(second) && second != "*" => Some(format!(
                "a wildcard that runs into the last two labels of a host admits hosts that anybody can register, such as `{}`{}",
                name.replace(['*', '?'], "evil"),
                // `*corp.io` most likely means the hosts below `corp.io`.
                match name.strip_prefix('*') {
                    Some(domain) if !glob::has_wildcard(domain) => format!(
                        ": write `*.{}{}`",
                        domain.trim_start_matches('-'),
                        pattern.get(name.len()..).unwrap_or_default()
                    ),
                    _ => String::new(),
                }
            )),
            _ => None,
        }
    }
}

/// Whether a pattern matches a host, be its default port written or not.
fn matches_on_some_port(pattern: &str, host: &str) -> bool {
    glob::matches(pattern, host)
        // Only what ends like this can end in `:443`; most patterns end in a name.
        || (pattern.ends_with(['*', '?', '3'])
            && split_port(host).1.is_none()
            && glob::matches(pattern, &format!("{host}:{DEFAULT_PORT}")))
}

/// Whether a pattern certainly matches hosts without a port only: its last label is a name.
fn is_on_default_port(pattern: &str) -> bool {
    pattern.rsplit_once('.').is_some_and(|(_, last)| {
        last.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
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
    fn a_wildcard_port_is_the_default_port_as_well() {
        for (pattern, host) in [
            ("ghcr.io:*", "ghcr.io"),
            ("ghcr.io:*", "ghcr.io:5000"),
            ("ghcr.io:44?", "ghcr.io"),
            ("ghcr.io?443", "ghcr.io"),
            ("*3", "ghcr.io"),
            ("[2001:db8::*]:*", "[2001:db8::1]"),
        ] {
            let pattern = Host::new(pattern, true);
            for sense in [Sense::Allow, Sense::Reject] {
                assert!(pattern.matches(host, sense), "{pattern:?} {host}");
            }
        }
        for (pattern, host) in [
            ("ghcr.io:*", "ghcr.iot"),
            ("ghcr.io:8*", "ghcr.io"),
            ("ghcr.io:???", "ghcr.io:80"),
            ("*:44?", "ghcr.io:5000"),
            ("[2001:db8::*]:*", "[2001:db9::1]"),
        ] {
            let pattern = Host::new(pattern, true);
            assert!(!pattern.matches(host, Sense::Reject), "{pattern:?} {host}");
        }
    }

    #[test]
    fn covering_knows_the_default_port() {
        for (pattern, other) in [
            ("ghcr.io:*", "ghcr.io"),
            ("ghcr.io:*", "ghcr.io:*"),
            ("*.io:*", "*.corp.io"),
            ("*:*", "a*.corp.io"),
        ] {
            let covers = Host::new(pattern, true).covers(&Host::new(other, true));
            assert!(covers, "{pattern} {other}");
        }
        for (pattern, other) in [
            ("ghcr.io", "ghcr.io:*"),
            ("ghcr.io:8*", "ghcr.io"),
            // It may be `ghcr:5000`.
            ("ghcr*:44?", "ghcr*"),
            ("*.io:44?", "*.io:*"),
        ] {
            let covers = Host::new(pattern, true).covers(&Host::new(other, true));
            assert!(!covers, "{pattern} {other}");
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
