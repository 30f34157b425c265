//! One spelling for every host.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The registry of an image that names none.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Other names under which nodes reach Docker Hub.
pub(crate) const DOCKER_HUB_ALIASES: [&str; 3] = [
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
];

/// Where Docker Hub keeps the images that are named without a namespace.
pub(crate) const OFFICIAL: &str = "library/";

/// The port of a registry that names none.
pub(crate) const DEFAULT_PORT: &str = "443";

/// A host (and port) in its normal form; wildcards stay as they are.
///
/// Lower case; Docker Hub's aliases become `docker.io`; the default port goes, other ports lose
/// leading zeros (a node dials the number); an IPv6 address is in its shortest form, and is an
/// IPv4 address where it only wraps one. Borrowed where nothing changes.
pub(crate) fn normalize_host(host: &str) -> Cow<'_, str> {
    if host
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
    {
        return Cow::Borrowed(if DOCKER_HUB_ALIASES.contains(&host) {
            DOCKER_HUB
        } else {
            host
        });
    }
    let (name, port) = split_port(host);
    let name = normalize_name(name);
    let port = port.map(|port| match port.trim_start_matches('0') {
        "" => "0",
        port => port,
    });
    let name = if DOCKER_HUB_ALIASES.contains(&name.as_ref())
        && matches!(port, None | Some(DEFAULT_PORT))
    {
        Cow::Borrowed(DOCKER_HUB)
    } else {
        name
    };
    match port {
        None | Some(DEFAULT_PORT) => name,
        Some(port) => {
            let normal = format!("{name}:{port}");
            if normal == host {
                Cow::Borrowed(host)
            } else {
                Cow::Owned(normal)
            }
        }
    }
}

/// The host's name or address, and its port where it names one.
pub(crate) fn split_port(host: &str) -> (&str, Option<&str>) {
    let after_address = host.rfind(']').map_or(0, |at| at + 1);
    match host.rfind(':') {
        Some(at) if at >= after_address => match (host.get(..at), host.get(at + 1..)) {
            (Some(name), Some(port)) => (name, Some(port)),
            _ => (host, None),
        },
        _ => (host, None),
    }
}

fn normalize_name(name: &str) -> Cow<'_, str> {
    if let Some(address) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        && let Ok(address) = address.parse::<Ipv6Addr>()
    {
        return Cow::Owned(match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => format!("[{address}]"),
        });
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_every_host() {
        for (host, normal) in [
            ("ghcr.io", "ghcr.io"),
            ("GHCR.io:443", "ghcr.io"),
            ("ghcr.io:0443", "ghcr.io"),
            ("ghcr.io:05000", "ghcr.io:5000"),
            ("ghcr.io:000", "ghcr.io:0"),
            ("Index.Docker.IO", "docker.io"),
            ("registry-1.docker.io:443", "docker.io"),
            ("registry.hub.docker.com", "docker.io"),
            ("registry-1.docker.io:5000", "registry-1.docker.io:5000"),
            ("[2001:DB8:0:0::1]:5000", "[2001:db8::1]:5000"),
            ("[::ffff:a00:1]", "10.0.0.1"),
            ("[:::]", "[:::]"),
            ("*.CORP.io:443", "*.corp.io"),
            ("*:5000", "*:5000"),
        ] {
            assert_eq!(normalize_host(host), normal, "{host}");
        }
    }

    #[test]
    fn borrows_what_is_normal() {
        assert!(matches!(normalize_host("ghcr.io"), Cow::Borrowed(_)));
        assert!(matches!(normalize_host("ghcr.io:5000"), Cow::Borrowed(_)));
    }
}
