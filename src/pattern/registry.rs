//! An entry of a list of registries.

use crate::glob;
use crate::image::{Reference, is_host};

use super::host::Host;
use super::path::Path;
use super::{PatternError, Sense, part_of, shape};

/// A host, or a host and a path on it: `ghcr.io`, `*.azurecr.io`, `registry.example.com/cache`.
///
/// A path covers what is at it and below it, on a segment boundary. It is taken as written:
/// `docker.io/library` gets no second `library/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPattern<'a> {
    text: &'a str,
    host: Host<'a>,
    path: Option<Path<'a>>,
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
        let has_wildcard = glob::has_wildcard(text);
        let (host, path) = match text.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (text, None),
        };
        path.map_or(Ok(()), |path| shape::path(path, has_wildcard))
            .and_then(|()| shape::host(host, has_wildcard))
            .map_err(|problem| plainer(text).unwrap_or(problem))?;
        if !has_wildcard && !is_host(host) {
            return Err(format!(
                "{}is no host (no `.`, no port): write `docker.io/{text}` for images on Docker Hub",
                part_of(text, host)
            ));
        }
        let host = Host::new(host, has_wildcard);
        if sense == Sense::Allow
            && let Some(danger) = host.danger()
        {
            return Err(danger);
        }
        Ok(Self {
            text,
            host,
            path: path.map(|path| Path::new(path, has_wildcard)),
        })
    }

    /// The entry as written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Whether the entry names a path on its host.
    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// Whether the entry matches the registry of an image.
    ///
    /// In an allow list it may match one with placeholders; in a reject list it certainly does.
    pub fn matches(&self, image: &Reference<'_>, sense: Sense) -> bool {
        if image.is_open() && sense == Sense::Allow {
            return self.may_match(image);
        }
        self.host.matches(image.host(), sense)
            && self
                .path
                .as_ref()
                .is_none_or(|prefix| prefix.is_prefix(image.path(), sense))
    }

    /// Whether the entry, in an allow list, may match an image once its placeholders are filled in.
    #[cold]
    fn may_match(&self, image: &Reference<'_>) -> bool {
        let path = self.path.as_ref();
        let may_be =
            |path: &Path<'_>| path.may_be_at(image.path()) || path.may_be_below(image.path());
        self.host.may_match(image) && path.is_none_or(may_be)
    }

    /// Whether the entry, in a reject list, certainly matches each image that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        self.host.covers(&other.host)
            && match (&self.path, &other.path) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(prefix), Some(other)) => prefix.covers_below(other),
            }
    }

    /// The host.
    pub(super) const fn host(&self) -> &Host<'a> {
        &self.host
    }

    /// The path on it.
    pub(super) const fn path(&self) -> Option<&Path<'a>> {
        self.path.as_ref()
    }

    /// Whether the entry, in a reject list, certainly matches each image that an entry of a list of
    /// images matches.
    pub(crate) fn covers_image(&self, other: &super::ImagePattern<'_>) -> bool {
        self.host.covers(other.host())
            && self.path.as_ref().is_none_or(|prefix| {
                prefix.covers_below(other.path())
                    && other
                        .official_path()
                        .is_none_or(|path| prefix.covers_below(&path))
            })
    }
}

/// What to write instead of a text that is no registry, where that can be told.
#[cold]
fn plainer(text: &str) -> Option<PatternError> {
    let hint = super::plainer("a registry", text);
    if hint.is_some() {
        return hint;
    }
    let (host, path) = text.split_once('/')?;
    if !path.contains(['@', ':']) {
        return None;
    }
    let path = path.split(['@', ':']).next().unwrap_or_default();
    Some(format!(
        "a registry must not contain a tag or digest, write `{host}/{path}`"
    ))
}
