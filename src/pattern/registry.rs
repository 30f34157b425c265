//! An entry of a list of registries.

use crate::glob;
use crate::image::{Reference, Split};

use super::host::Host;
use super::{PatternError, Sense, path};

/// A host, or a host and a path on it: `ghcr.io`, `*.azurecr.io`, `registry.example.com/cache`.
///
/// A path covers what is at it and below it, on a segment boundary. It is taken as written:
/// `docker.io/library` gets no second `library/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPattern<'a> {
    text: &'a str,
    host: Host<'a>,
    path: Option<&'a str>,
}

impl<'a> RegistryPattern<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// Where the entry is no registry, or `sense` is [`Sense::Allow`] and its host is dangerous.
    pub fn parse(text: &'a str, sense: Sense) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err("an empty text is no registry".to_owned());
        }
        if let Some((_, rest)) = text.split_once("://") {
            return Err(format!(
                "a registry has no scheme, write `{}`",
                rest.trim_end_matches('/')
            ));
        }
        if let Some(rest) = text.strip_suffix('/') {
            return Err(format!(
                "ends with `/`, write `{}`",
                rest.trim_end_matches('/')
            ));
        }
        let (host, path) = match text.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (text, None),
        };
        let example = example(host, path.unwrap_or("a"));
        let reference = Reference::parse(&example).map_err(|error| error.to_string())?;
        if let Some(path) = path
            && (path.contains('@') || path.contains(':'))
        {
            let path = Split::of(path, |_| false).path;
            return Err(format!(
                "a registry has no tag or digest, write `{host}/{path}`"
            ));
        }
        if !is_host(host) {
            return Err(format!(
                "`{host}` is no host (no `.`, no port): write `docker.io/{text}` for images on Docker Hub"
            ));
        }
        debug_assert!(path.is_none() || reference.tag() == Some("latest"));
        let host = Host::new(host);
        if sense == Sense::Allow
            && let Some(danger) = host.danger()
        {
            return Err(danger);
        }
        Ok(Self { text, host, path })
    }

    /// The entry as written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Whether the entry matches the registry of an image.
    pub fn matches(&self, image: &Reference<'_>, sense: Sense) -> bool {
        self.host.matches(image.host(), sense)
            && self
                .path
                .is_none_or(|prefix| path::is_prefix(prefix, image.path(), sense))
    }

    /// Whether the entry, in a reject list, certainly matches each image that `other` matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.host.covers(&other.host)
            && match (self.path, other.path) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(prefix), Some(other)) => path::is_prefix(prefix, other, Sense::Reject),
            }
    }

    /// Whether the entry, in a reject list, certainly matches each image that an entry of a list of
    /// images matches.
    pub(crate) fn covers_image(&self, other: &super::ImagePattern<'_>) -> bool {
        self.host.covers(other.host())
            && self
                .path
                .is_none_or(|prefix| path::is_prefix(prefix, other.path(), Sense::Reject))
    }
}

/// Whether images can name this host: as in references, and anything with a wildcard.
fn is_host(host: &str) -> bool {
    host == "localhost"
        || host == "*"
        || host
            .bytes()
            .any(|byte| matches!(byte, b'.' | b':') || byte.is_ascii_uppercase())
}

/// A reference that fits a pattern, so that patterns are held to the grammar of references.
///
/// A host without `.` or port is not read as one, so it gets a domain.
pub(super) fn example(host: &str, path: &str) -> String {
    let (name, port) = crate::image::split_port(host);
    let name = name.replace(['*', '?'], "a");
    let port = port.map(|port| port.replace(['*', '?'], "1"));
    let host = match (name.as_str(), port) {
        (name, Some(port)) => format!("{name}:{port}"),
        (name, None) if is_host(name) => name.to_owned(),
        (name, None) => format!("{name}.a"),
    };
    let path = if glob::has_wildcard(path) {
        path.replace(['*', '?'], "a")
    } else {
        path.to_owned()
    };
    format!("{host}/{path}")
}
