//! An entry of a list of images.

use crate::glob;
use crate::image::{DOCKER_HUB, OFFICIAL, Reference, Split, Wild, grammar::identifier};

use super::host::Host;
use super::path::Path;
use super::{PatternError, RegistryPattern, Sense, part_of, shape, without_scheme};

/// An image, or many: `nginx`, `ghcr.io/org/*`, `docker.io/library/redis:6*`, `*`.
///
/// # Syntax
///
/// That of references, with `*`, `**` and `?`. `*` alone is every image, and a first segment that
/// is exactly `*` is any host; otherwise a bare name is on Docker Hub, as in references. Without tag
/// and digest an entry means any.
///
/// ```
/// use rollout_guard::image::Reference;
/// use rollout_guard::pattern::{ImagePattern, Sense};
///
/// let entry = ImagePattern::parse("ghcr.io/org/*", Sense::Allow).unwrap();
/// assert!(entry.matches(&Reference::parse("ghcr.io/org/app:1").unwrap(), Sense::Allow));
/// assert!(!entry.matches(&Reference::parse("evil.io/ghcr.io/org/app:1").unwrap(), Sense::Allow));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern<'a> {
    text: &'a str,
    host: Host<'a>,
    path: Path<'a>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    /// The path has one segment, which on Docker Hub means `library/` and itself as well.
    is_familiar: bool,
}

impl<'a> ImagePattern<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// Where the entry is no image, is only a host, or `sense` is [`Sense::Allow`] and its host is
    /// dangerous.
    pub fn parse(text: &'a str, sense: Sense) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err("an empty text is no image".to_owned());
        }
        match Self::plain(text) {
            Some(entry) => Ok(entry),
            None => Self::by_parts(text, sense),
        }
    }

    /// Reads an entry as most are: without wildcards, but for a final `/*` or in the tag.
    fn plain(text: &'a str) -> Option<Self> {
        let above = text.strip_suffix("/*");
        let mut split = shape::plain(above.unwrap_or(text))?;
        let host = split.host?;
        if above.is_some() {
            if split.tag.is_some() {
                return None;
            }
            split.path = text.get(host.len() + 1..)?;
        }
        Some(Self::of(text, &split, Host::plain(host), above.is_some()))
    }

    /// Reads any entry.
    fn by_parts(text: &'a str, sense: Sense) -> Result<Self, PatternError> {
        let has_wildcard = glob::has_wildcard(text);
        let split = Split::of(text, Wild::Alone);
        check(text, &split, has_wildcard)
            .map_err(|problem| plainer(text, &split).unwrap_or(problem))?;
        if split.host.is_none() {
            check_first_segment(text, &split)?;
        }
        let host = match split.host {
            Some(host) => Host::new(host, has_wildcard),
            None if split.path == "*" => Host::Any,
            None => Host::new(DOCKER_HUB, false),
        };
        if sense == Sense::Allow
            && let Some(danger) = host.danger()
        {
            return Err(danger);
        }
        let has_wildcard = has_wildcard && glob::has_wildcard(split.path);
        Ok(Self::of(text, &split, host, has_wildcard))
    }

    /// The entry of parts that fit the grammar; `has_wildcard` is about its path.
    fn of(text: &'a str, split: &Split<'a>, host: Host<'a>, has_wildcard: bool) -> Self {
        let is_short = !split.path.contains('/');
        let is_official = is_short && host.is_docker_hub() && !has_wildcard;
        let path = if is_official {
            Path::new(format!("{OFFICIAL}{}", split.path), false)
        } else {
            Path::new(split.path, has_wildcard)
        };
        Self {
            text,
            is_familiar: is_short && !is_official,
            host,
            path,
            tag: split.tag,
            digest: split.digest,
        }
    }

    /// The entry as written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The glob over tags that it names.
    pub(crate) const fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// The glob over digests that it names.
    pub(crate) const fn digest(&self) -> Option<&'a str> {
        self.digest
    }

    /// Whether it matches every image.
    pub(crate) fn is_everything(&self) -> bool {
        self.host == Host::Any
            && self.path.is_everything()
            && self.tag.is_none()
            && self.digest.is_none()
    }

    /// Whether the entry matches an image.
    ///
    /// In an allow list a tag does not cover that tag pinned to a digest that the entry does not
    /// name: the digest decides what runs. In a reject list it does, and a digest decides alone.
    pub fn matches(&self, image: &Reference<'_>, sense: Sense) -> bool {
        if image.is_open() && sense == Sense::Allow {
            return self.may_match(image);
        }
        // Most entries have the host of most images: a path that is compared at once comes first.
        let is_exact = self.path.is_exact();
        (!is_exact || self.matches_path(image, sense))
            && self.host.matches(image.host(), sense)
            && (is_exact || self.matches_path(image, sense))
            && self.matches_version(image, sense)
    }

    /// Whether the entry, in an allow list, may match an image once its placeholders are filled in.
    #[cold]
    fn may_match(&self, image: &Reference<'_>) -> bool {
        let may_have_tag = |wanted| {
            let may_meet = |tag| glob::may_meet(wanted, (tag, ""));
            self.digest.is_some() || image.tag().is_some_and(may_meet)
        };
        self.host.may_match(image)
            && (self.is_familiar || self.path.may_be_at(image.path()))
            && self.tag.is_none_or(may_have_tag)
    }

    fn matches_path(&self, image: &Reference<'_>, sense: Sense) -> bool {
        self.path.matches(image.path(), sense)
            || (self.is_familiar
                && image.host() == DOCKER_HUB
                && image
                    .path()
                    .strip_prefix(OFFICIAL)
                    .is_some_and(|name| self.path.matches(name, sense)))
    }

    fn matches_version(&self, image: &Reference<'_>, sense: Sense) -> bool {
        let tag = |otherwise| {
            self.tag.is_none_or(|wanted| {
                image
                    .tag()
                    .map_or(otherwise, |tag| glob::matches(wanted, tag))
            })
        };
        match (self.digest, sense) {
            (Some(wanted), Sense::Allow) => {
                image
                    .digest()
                    .is_some_and(|digest| glob::matches(wanted, digest))
                    && tag(true)
            }
            (Some(wanted), Sense::Reject) => image
                .digest()
                .is_some_and(|digest| glob::matches(wanted, digest)),
            (None, Sense::Allow) => self.tag.is_none() || (image.digest().is_none() && tag(false)),
            (None, Sense::Reject) => tag(false),
        }
    }

    /// Whether the entry, in a reject list, certainly matches each image that the entry `other` of
    /// an allow list matches.
    pub fn covers(&self, other: &Self) -> bool {
        let covers_version = match (self.tag, self.digest) {
            (_, Some(digest)) => other
                .digest
                .is_some_and(|other| glob::covers(digest, other)),
            (Some(tag), None) => {
                other.digest.is_none() && other.tag.is_some_and(|other| glob::covers(tag, other))
            }
            (None, None) => true,
        };
        self.host.covers(&other.host) && self.path.covers(&other.path) && covers_version
    }

    /// Whether the entry, in a reject list, certainly matches each image of the registry `other`.
    pub(crate) fn covers_registry(&self, other: &RegistryPattern<'_>) -> bool {
        self.tag.is_none()
            && self.digest.is_none()
            && self.host.covers(other.host())
            && other.path().map_or_else(
                || self.path.is_everything(),
                |path| self.path.covers_subtree(path),
            )
    }

    pub(super) const fn host(&self) -> &Host<'a> {
        &self.host
    }

    /// The path with `library/`, where the entry means that as well: one segment, on Docker Hub.
    pub(super) fn official_path(&self) -> Option<Path<'static>> {
        (self.is_familiar && self.host.matches(DOCKER_HUB, Sense::Reject))
            .then(|| self.path.below(OFFICIAL))
            .flatten()
    }

    pub(super) const fn path(&self) -> &Path<'a> {
        &self.path
    }
}

/// Holds an entry to the grammar of references.
fn check(text: &str, split: &Split<'_>, has_wildcard: bool) -> Result<(), PatternError> {
    if let Some(problem) = identifier(text) {
        return Err(if text.contains(':') {
            format!("{problem}: write `*@{text}` for an image with this digest")
        } else {
            problem.to_owned()
        });
    }
    split
        .host
        .map_or(Ok(()), |host| shape::host(host, has_wildcard))?;
    shape::path(split.path, has_wildcard)?;
    split
        .tag
        .map_or(Ok(()), |tag| shape::tag(tag, has_wildcard))?;
    split.digest.map_or(Ok(()), shape::digest)
}

/// What to write instead of a text that is no image, where that can be told.
#[cold]
fn plainer(text: &str, split: &Split<'_>) -> Option<PatternError> {
    let hint = without_scheme("an image", text);
    if hint.is_some() {
        return hint;
    }
    let rest = text.strip_suffix('/')?;
    Some(if split.host.is_none() || split.path.is_empty() {
        format!("ends with `/`, write `{rest}/*`")
    } else {
        format!("ends with `/`, write `{rest}` or `{rest}/*`")
    })
}

/// An entry without a host must not be one, nor leave open whether it names one.
fn check_first_segment(text: &str, split: &Split<'_>) -> Result<(), String> {
    let (first, below) = match split.path.split_once('/') {
        Some((first, below)) => (first, Some(below)),
        None => (split.path, None),
    };
    if below.is_none() && (first.contains('.') || first == "localhost") {
        // `localhost:5000` reads like a tag; what follows the colon is the port.
        let host = match split.tag {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{first}:{port}")
            }
            _ => first.to_owned(),
        };
        let is_image_name = !glob::has_wildcard(&host) && host == first && split.tag.is_none();
        let library = if is_image_name {
            format!(" (or `docker.io/library/{text}` for an image of that name)")
        } else {
            String::new()
        };
        return Err(format!(
            "{}is only a host, write `{host}/*` for all its images{library}",
            part_of(text, &host)
        ));
    }
    if glob::has_wildcard(first) && split.path != "*" {
        // A name is meant at any depth; in an allow list `*/re*` is at the first only.
        let (library, depth) = if below.is_none() {
            ("library/", "**/")
        } else {
            ("", "")
        };
        return Err(format!(
            "{}could be a host or a path: write `docker.io/{library}{text}` for Docker Hub, or `*/{depth}{text}` for any host",
            part_of(text, first)
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_read_at_once_is_read_the_same_by_parts(text in shape::texts()) {
            if let Some(entry) = ImagePattern::plain(&text) {
                for sense in [Sense::Allow, Sense::Reject] {
                    proptest::prop_assert_eq!(ImagePattern::by_parts(&text, sense), Ok(entry.clone()));
                }
            }
        }
    }

    #[test]
    fn most_entries_are_read_at_once() {
        for text in [
            "ghcr.io/a",
            "ghcr.io/a/b:1.2",
            "ghcr.io/a/*",
            "ghcr.io/a:*",
            "docker.io/a:1*",
        ] {
            let entry = ImagePattern::plain(text);
            assert!(entry.is_some(), "{text}");
            assert_eq!(
                entry,
                ImagePattern::by_parts(text, Sense::Allow).ok(),
                "{text}"
            );
        }
    }
}
