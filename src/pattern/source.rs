//! What a mirror stands in for.

use crate::glob;
use crate::image::{DOCKER_HUB, OFFICIAL, Reference, Split, Wild};

use super::host::Host;
use super::path::Path;
use super::{PatternError, Sense, shape};

/// The `source` of a mirror: `docker.io/library/redis:7.2`, `docker.io/library`, `quay.io`, `*`.
///
/// # Syntax
///
/// A path as written: `docker.io/library` gets no second `library/`. Without a tag it covers the
/// repository and everything below it, on a segment boundary, and a final `/*` only what is below; a
/// single segment with `.` or `:`, or `localhost`, is a host, any other single segment an official
/// image of Docker Hub. With a tag it covers that tag. `*` is every image.
///
/// ```
/// use rollout_guard::image::Reference;
/// use rollout_guard::pattern::SourcePattern;
///
/// let source = SourcePattern::parse("docker.io/library").unwrap();
/// assert_eq!(source.rest(&Reference::parse("redis:7").unwrap()), Some("redis"));
/// assert_eq!(source.rest(&Reference::parse("library.io/redis:7").unwrap()), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePattern<'a> {
    text: &'a str,
    host: Host<'a>,
    path: Option<Path<'a>>,
    tag: Option<&'a str>,
    /// Only what is below the path, not what is at it.
    is_below: bool,
}

impl<'a> SourcePattern<'a> {
    /// Reads a source.
    ///
    /// # Errors
    ///
    /// Where the text names no images: what is wrong, and what to write instead.
    pub fn parse(text: &'a str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self {
                text,
                host: Host::Any,
                path: None,
                tag: None,
                is_below: false,
            });
        }
        match Self::plain(text) {
            Some(source) => Ok(source),
            None => Self::by_parts(text),
        }
    }

    /// Reads a source as most are: without wildcards but in the tag.
    fn plain(text: &'a str) -> Option<Self> {
        let split = shape::plain(text)?;
        Some(Self::of(text, &split, Host::plain(split.host?), false))
    }

    /// Reads any source but `*`.
    fn by_parts(text: &'a str) -> Result<Self, PatternError> {
        let trimmed = text.strip_suffix("/*").unwrap_or(text);
        let split = Split::of_place(trimmed, Wild::Alone);
        let has_wildcard = glob::has_wildcard(trimmed);
        let checked = if trimmed.ends_with('/') {
            Err("ends with `/`".to_owned())
        } else {
            check(&split, has_wildcard)
        };
        checked.map_err(|problem| plainer(text, &split).unwrap_or(problem))?;
        let host = Host::new(split.host.unwrap_or(DOCKER_HUB), has_wildcard);
        Ok(Self {
            is_below: trimmed.len() != text.len(),
            ..Self::of(text, &split, host, has_wildcard)
        })
    }

    /// The source of parts that fit the grammar.
    fn of(text: &'a str, split: &Split<'a>, host: Host<'a>, has_wildcard: bool) -> Self {
        let has_wildcard = |path| has_wildcard && glob::has_wildcard(path);
        // A tag makes it an image, which Docker Hub keeps in `library/` if it has no other path.
        let is_official =
            !split.path.contains('/') && (split.host.is_none() || split.tag.is_some());
        let path = match split.path {
            "" => None,
            path if is_official && host.is_docker_hub() => {
                Some(Path::new(format!("{OFFICIAL}{path}"), has_wildcard(path)))
            }
            path => Some(Path::new(path, has_wildcard(path))),
        };
        Self {
            text,
            host,
            path,
            tag: split.tag,
            is_below: false,
        }
    }

    /// The source as written.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The tag, if it covers only one.
    pub const fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// Whether it is every image.
    pub fn is_everything(&self) -> bool {
        self.text == "*"
    }

    /// Whether what it covers can be told by how it begins: no wildcard but `*` and a final `/*`.
    pub fn is_plain(&self) -> bool {
        self.is_everything()
            || !glob::has_wildcard(self.text.strip_suffix("/*").unwrap_or(self.text))
    }

    /// What follows the source in an image's path; `None` if it does not cover the image. Nothing
    /// follows where the source has wildcards: what they stand for is not told apart.
    ///
    /// A digest is not looked at.
    pub fn rest<'i>(&self, image: &'i Reference<'_>) -> Option<&'i str> {
        if !self.host.matches(image.host(), Sense::Allow)
            || !self
                .tag
                .is_none_or(|wanted| image.tag().is_some_and(|tag| glob::matches(wanted, tag)))
        {
            return None;
        }
        let Some(prefix) = &self.path else {
            return Some(image.path());
        };
        if self.tag.is_some() {
            return prefix.matches(image.path(), Sense::Allow).then_some("");
        }
        let rest = prefix.rest(image.path())?;
        (!self.is_below || prefix.is_above(image.path())).then_some(rest)
    }

    /// Whether it may cover an image once its placeholders are filled in.
    #[cold]
    pub(crate) fn may_cover(&self, image: &Reference<'_>) -> bool {
        let may_be = |path: &Path<'_>| {
            (!self.is_below && path.may_be_at(image.path()))
                || (self.tag.is_none() && path.may_be_below(image.path()))
        };
        let may_have = |wanted| {
            image
                .tag()
                .is_none_or(|tag| glob::may_meet(wanted, (tag, "")))
        };
        self.host.may_match(image)
            && self.path.as_ref().is_none_or(may_be)
            && self.tag.is_none_or(may_have)
    }

    /// Whether an image may be at it, not only below it.
    pub(crate) fn may_be_at(&self) -> bool {
        // On Docker Hub no image has a path of one part.
        !self.is_below
            && self
                .path
                .as_ref()
                .is_some_and(|path| !self.host.is_docker_hub() || path.text().contains('/'))
    }

    /// Whether it certainly covers each image that `other` covers, whatever their tags.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if self.is_everything() {
            return true;
        }
        let covers_path = match (&self.path, &other.path) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(path), Some(other_path)) if self.tag.is_some() => path == other_path,
            (Some(path), Some(other_path)) => {
                path.certainly_above(other_path)
                    && (!self.is_below || other.is_below || path != other_path)
            }
        };
        let covers_tag = match (self.tag, other.tag) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(tag), Some(other)) => glob::covers(tag, other),
        };
        self.host.covers(&other.host) && covers_path && covers_tag
    }

    /// What matches whatever this covers, for [`glob::may_meet`]: host, path (one of them) and tag.
    pub(crate) fn globs(&self) -> (&str, Vec<String>, &'a str) {
        let at = self.path.as_ref().map(|path| {
            let (text, end) = path.glob();
            [text, end].concat()
        });
        let below = |at: &str| format!("{at}/{}", glob::ANY_DEPTH);
        let paths = match at {
            None => vec![glob::ANY_DEPTH.to_string()],
            Some(at) if self.tag.is_some() => vec![at],
            Some(at) if self.is_below => vec![below(&at)],
            Some(at) => vec![below(&at), at],
        };
        (self.host.text(), paths, self.tag.unwrap_or("*"))
    }

    /// Images that it covers, as far as they can be told: each wildcard filled in.
    pub(crate) fn samples(&self) -> Vec<String> {
        let fill = |text: &str| text.replace(['*', '?'], "a");
        let host = match &self.host {
            Host::Any => "registry.example.com".to_owned(),
            host => fill(host.text()),
        };
        let version = self.tag.map(fill);
        let version = version.as_deref().unwrap_or("1");
        let at = self.path.as_ref().map(|path| fill(path.text()));
        let mut samples = Vec::new();
        if let Some(at) = &at
            && !self.is_below
        {
            samples.push(format!("{host}/{at}:{version}"));
        }
        if self.tag.is_none() {
            let at = at.map(|at| format!("/{at}")).unwrap_or_default();
            samples.push(format!("{host}{at}/a:{version}"));
            samples.push(format!("{host}{at}/a/b:{version}"));
        }
        samples
    }
}

fn check(split: &Split<'_>, has_wildcard: bool) -> Result<(), PatternError> {
    if split.digest.is_some() {
        return Err(
            "a source has no digest: write the tag, and what becomes of a digest in `digest`"
                .to_owned(),
        );
    }
    if let Some(host) = split.host {
        shape::host(host, has_wildcard)?;
    }
    if split.host.is_none() || !split.path.is_empty() {
        shape::path(split.path, has_wildcard)?;
    }
    split
        .tag
        .map_or(Ok(()), |tag| shape::tag(tag, has_wildcard))?;
    match split.host {
        // Nobody runs a registry there, but `redis:7` is what people write for a tag.
        Some(host) if split.path.is_empty() && !host.contains(['.', '[']) => {
            match host.split_once(':') {
                Some((name, port))
                    if port.len() < 4 && !matches!(port, "80" | "443") && name != "localhost" =>
                {
                    Err(format!(
                        "is read as the host `{name}` with port {port}: write `{DOCKER_HUB}/{OFFICIAL}{host}` for the tag"
                    ))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// What to write instead of a text that is no source, where that can be told.
#[cold]
fn plainer(text: &str, split: &Split<'_>) -> Option<PatternError> {
    let hint = super::plainer("a source", text);
    if hint.is_some() {
        return hint;
    }
    // `redis:7.2` is no host with a port: its author means a tag.
    let host = split
        .host
        .filter(|host| split.path.is_empty() && host.contains(':'))?;
    Some(format!(
        "a source of one part is a host: write `{DOCKER_HUB}/{OFFICIAL}{host}` for a tag on Docker Hub"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_read_at_once_is_read_the_same_by_parts(text in shape::texts()) {
            if let Some(source) = SourcePattern::plain(&text) {
                proptest::prop_assert_eq!(SourcePattern::by_parts(&text), Ok(source));
            }
        }
    }
}
