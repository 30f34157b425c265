//! Hosts of registries: which text is one, its grammar, and one spelling for each.

use std::borrow::Cow;

use super::grammar::{self, Checked};

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

/// Which wildcards the first part of a text may have, and what they say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wild {
    /// There are none.
    Never,
    /// `*` alone is any host.
    Alone,
    /// A part with a `*` in it is a host.
    Anywhere,
}

/// Whether the first part of a text is a host (`splitDockerDomain` of distribution/reference).
pub(crate) fn is_host(first: &str, wild: Wild) -> bool {
    let is_wild = match wild {
        Wild::Never => false,
        Wild::Alone => first == "*",
        Wild::Anywhere => first.contains('*'),
    };
    let marks = |byte| matches!(byte, b'.' | b':') || byte.is_ascii_uppercase();
    is_wild || first == "localhost" || first.bytes().any(marks)
}

/// Holds a host to its grammar, and says whether it is a domain.
///
/// A first part that is a path component as well (`a_b.io`) parses upstream, without a domain; runtimes then dial
/// it as the host, so that is what it is.
pub(crate) fn check(text: &str) -> Result<bool, (&'static str, usize)> {
    match domain(text) {
        Ok(()) => Ok(true),
        Err(_) if grammar::path(text, 0).is_ok() => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// `host [":" port-number]`, the host a domain name, an IPv4 address or an IPv6 address in brackets.
fn domain(text: &str) -> Checked {
    if is_plain_domain(text) {
        return Ok(());
    }
    let (host_length, port) = if let Some(inside) = text.strip_prefix('[') {
        let length = inside
            .bytes()
            .position(|byte| !(byte.is_ascii_hexdigit() || byte == b':'))
            .unwrap_or(inside.len());
        if inside.as_bytes().get(length) != Some(&b']') {
            return Err(("expected an IPv6 address and `]`", length + 1));
        }
        if length == 0 {
            return Err(("empty address in `[]`", 1));
        }
        (length + 2, inside.get(length + 1..).unwrap_or_default())
    } else {
        let length = text.find(':').unwrap_or(text.len());
        domain_name(text.get(..length).unwrap_or(text))?;
        (length, text.get(length..).unwrap_or_default())
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        None => Err(("expected `:` and a port", host_length)),
        Some("") => Err(("empty port after `:`", host_length + 1)),
        Some(digits) => match digits.bytes().position(|byte| !byte.is_ascii_digit()) {
            None => Ok(()),
            Some(at) => Err(("a port has digits only", host_length + 1 + at)),
        },
    }
}

/// Whether a text certainly is a domain, in one pass: what is not may still be one.
fn is_plain_domain(text: &str) -> bool {
    let mut previous = b'.';
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {}
            b'-' if previous != b'.' => {}
            b'.' if previous != b'.' && previous != b'-' => {}
            _ => return false,
        }
        previous = byte;
    }
    previous != b'.' && previous != b'-'
}

/// Labels of letters, digits and inner hyphens, joined by single dots.
fn domain_name(text: &str) -> Checked {
    let mut start = 0;
    for label in text.split('.') {
        if label.is_empty() {
            return Err(("empty label in a host name", start));
        }
        if let Some(at) = label
            .bytes()
            .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-'))
        {
            return Err((
                "a host name has letters, digits, `-` and `.` only",
                start + at,
            ));
        }
        if label.starts_with('-') {
            return Err(("a host name's label begins with a letter or digit", start));
        }
        if label.ends_with('-') {
            return Err((
                "a host name's label ends with a letter or digit",
                start + label.len() - 1,
            ));
        }
        start += label.len() + 1;
    }
    Ok(())
}

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
        && let Some(groups) = ipv6_groups(address)
    {
        return Cow::Owned(shortest_address(groups));
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The eight groups of an IPv6 address in hexadecimal digits; none where it is no address.
///
/// References have no dotted form in brackets. The standard library's reader has, and brings along
/// much code for it.
pub(crate) fn ipv6_groups(address: &str) -> Option<[u16; 8]> {
    let mut groups = [0; 8];
    let mut length = 0;
    // Where `::` stands.
    let mut gap = None;
    let mut rest = address;
    if let Some(after) = rest.strip_prefix(':') {
        rest = after.strip_prefix(':')?;
        gap = Some(0);
    }
    while !rest.is_empty() {
        let (digits, after) = match rest.split_once(':') {
            Some((digits, after)) => (digits, Some(after)),
            None => (rest, None),
        };
        if digits.len() > 4 || digits.starts_with('+') {
            return None;
        }
        *groups.get_mut(length)? = u16::from_str_radix(digits, 16).ok()?;
        length += 1;
        rest = match after {
            None => "",
            Some(after) => match after.strip_prefix(':') {
                Some(_) if gap.is_some() => return None,
                Some(after) => {
                    gap = Some(length);
                    after
                }
                // A colon ends no address.
                None if after.is_empty() => return None,
                None => after,
            },
        };
    }
    match gap {
        // It stands for one group at least.
        Some(gap) if length < 8 => {
            groups.get_mut(gap..)?.rotate_right(8 - length);
            Some(groups)
        }
        None if length == 8 => Some(groups),
        _ => None,
    }
}

/// An address in its shortest form: that of RFC 5952 in brackets, or the IPv4 address that it wraps.
fn shortest_address(groups: [u16; 8]) -> String {
    if let [0, 0, 0, 0, 0, 0xffff, high, low] = groups {
        let (high, low) = (usize::from(high), usize::from(low));
        return format!("{}.{}.{}.{}", high >> 8, high & 0xff, low >> 8, low & 0xff);
    }
    // The first of the longest runs of zeros, if it is longer than one.
    let (mut gap, mut longest) = (8, 1);
    for start in 0..8 {
        let run = groups.iter().skip(start).take_while(|group| **group == 0);
        let length = run.count();
        if length > longest {
            (gap, longest) = (start, length);
        }
    }
    let mut text = "[".to_owned();
    for (position, group) in groups.iter().enumerate() {
        if position == gap {
            text.push_str(if position == 0 { "::" } else { ":" });
        }
        if position >= gap && position < gap + longest {
            continue;
        }
        let mut is_leading = true;
        for shift in [12, 8, 4, 0] {
            let digit = u32::from(group >> shift) & 0xf;
            is_leading &= digit == 0 && shift > 0;
            if !is_leading {
                text.extend(char::from_digit(digit, 16));
            }
        }
        if position < 7 {
            text.push(':');
        }
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

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
    fn an_address_is_read_and_written_as_the_standard_library_does() {
        let words = [
            "", "0", "00", "1", "ffff", "a0b", "::", ":", "12345", "g", "+1",
        ];
        let mut count = 0;
        for code in 0..words.len().pow(4) {
            // Four words among groups: at the start, in the middle and at the end.
            let word = |place: u32| words[code / words.len().pow(place) % words.len()];
            for text in [
                format!("{}:{}:{}:{}", word(0), word(1), word(2), word(3)),
                format!("{}:{}:1:2:3:0:{}:{}", word(0), word(1), word(2), word(3)),
                format!("{}{}{}{}", word(0), word(1), word(2), word(3)),
                format!("::ffff:{}:{}{}{}", word(0), word(1), word(2), word(3)),
            ] {
                let wanted = text.parse::<Ipv6Addr>().ok();
                count += usize::from(wanted.is_some());
                let wanted = wanted.map(|address| match address.to_ipv4_mapped() {
                    Some(address) => address.to_string(),
                    None => format!("[{address}]"),
                });
                let read = ipv6_groups(&text).map(shortest_address);
                assert_eq!(read, wanted, "{text}");
            }
        }
        assert!(count > 1000, "{count}");
    }

    #[test]
    fn borrows_what_is_normal() {
        assert!(matches!(normalize_host("ghcr.io"), Cow::Borrowed(_)));
        assert!(matches!(normalize_host("ghcr.io:5000"), Cow::Borrowed(_)));
    }
}
