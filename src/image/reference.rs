//! The parsed reference.

use std::borrow::Cow;
use std::fmt;

use super::error::{Part, ReferenceError};
use super::grammar;
use super::host::{
    self, DEFAULT_PORT, DOCKER_HUB, DOCKER_HUB_ALIASES, OFFICIAL, Wild, is_host, normalize_host,
};

/// An image reference in its normal form.
///
/// # Syntax
///
/// That of distribution/reference, which the container runtimes use:
///
/// ```text
/// reference := [ host [ ":" port ] "/" ] path [ ":" tag ] [ "@" digest ]
/// ```
///
/// The first part is a host if it holds a `.` or `:`, is `localhost`, or has an upper-case letter;
/// otherwise the image is on Docker Hub.
///
/// # Normal form
///
/// Docker Hub is `docker.io`, whichever of its names was written, and `library/` is added there to
/// a path of one part. Hosts are lower case, the default port 443 is left out. Without tag and
/// digest the tag is `latest`; a reference with a digest alone has no tag.
///
/// ```
/// use rollout_guard::image::Reference;
///
/// let redis = Reference::parse("INDEX.docker.io/redis").unwrap();
/// assert_eq!(redis.to_string(), "docker.io/library/redis:latest");
/// assert_eq!(
///     Reference::parse("nginx:").unwrap_err().to_string(),
///     "tag: empty tag after `:` at character 7"
/// );
/// ```
#[derive(Clone, Debug, Eq)]
pub struct Reference<'a> {
    pub(super) host: Cow<'a, str>,
    pub(super) path: Cow<'a, str>,
    pub(super) tag: Option<&'a str>,
    /// The tag was written.
    pub(super) has_tag: bool,
    pub(super) digest: Option<&'a str>,
    /// It has placeholders.
    pub(super) is_open: bool,
    /// A placeholder may bring a digest.
    pub(super) may_get_digest: bool,
}

/// The tag of an image without tag and digest.
pub(super) const LATEST: &str = "latest";

/// A reference cut into its parts, each as written and not yet looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split<'a> {
    /// What stands before the first `/`, if that is a host.
    pub(crate) host: Option<&'a str>,
    /// What is left without host, tag and digest.
    pub(crate) path: &'a str,
    /// What stands behind the `:` of the last part.
    pub(crate) tag: Option<&'a str>,
    /// What stands behind the first `@`.
    pub(crate) digest: Option<&'a str>,
}

impl<'a> Split<'a> {
    /// Cuts a text as distribution/reference does; `wild` says which first parts are hosts besides.
    ///
    /// In one pass: every entry of the settings is cut on every request.
    pub(crate) fn of(text: &'a str, wild: Wild) -> Self {
        let (mut slash, mut colon, mut end) = (None, None, None);
        for (position, byte) in text.bytes().enumerate() {
            match byte {
                b'@' => {
                    end = Some(position);
                    break;
                }
                b'/' if slash.is_none() => {
                    // A colon before it is in the first part, which makes that a host.
                    colon = None;
                    slash = Some(position);
                }
                b':' if colon.is_none() => colon = Some(position),
                _ => {}
            }
        }
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let name_end = end.unwrap_or(text.len());
        let host = slash
            .map(|slash| part(0, slash))
            .filter(|first| is_host(first, wild));
        let path_start = host.map_or(0, |host| host.len() + 1);
        Self {
            host,
            path: part(path_start, colon.unwrap_or(name_end)),
            tag: colon.map(|colon| part(colon + 1, name_end)),
            digest: end.map(|end| part(end + 1, text.len())),
        }
    }

    /// As [`of`](Self::of), but a single segment may be a host.
    pub(crate) fn of_place(text: &'a str, wild: Wild) -> Self {
        if text.contains(['/', '@']) || !is_host(text, wild) {
            return Self::of(text, wild);
        }
        Self {
            host: Some(text),
            path: "",
            tag: None,
            digest: None,
        }
    }

    /// Cuts a text that certainly is a host in its normal form, a path and perhaps a tag, in one pass, or a path
    /// of one part without a host: host and path fit the grammar, the tag is not looked at. What is not plain
    /// may still be a reference.
    pub(crate) fn plain(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut slash, mut colon) = (None, None);
        let (mut at, mut has_dot) = (0, false);
        loop {
            let start = at;
            while matches!(bytes.get(at), Some(b'a'..=b'z' | b'0'..=b'9')) {
                at += 1;
            }
            // What separates stands between letters or digits.
            if at == start {
                return None;
            }
            match bytes.get(at) {
                None => break,
                Some(b'.') => has_dot = true,
                Some(b'-') => {}
                Some(b'_') if slash.is_some() => {}
                Some(b'/') if has_dot => slash = slash.or(Some(at)),
                Some(b':') => {
                    colon = Some(at);
                    break;
                }
                _ => return None,
            }
            at += 1;
        }
        let (host, path_start) = match slash {
            Some(slash) => (Some(text.get(..slash)?), slash + 1),
            // What is as long as a digest may be an identifier.
            None if text.len() < 64 => (None, 0),
            None => return None,
        };
        let path = text.get(path_start..colon.unwrap_or(text.len()))?;
        let tag = match colon {
            Some(colon) => Some(text.get(colon + 1..)?),
            None => None,
        };
        if path.len() >= PLAIN_PATH || host.is_some_and(|host| DOCKER_HUB_ALIASES.contains(&host)) {
            return None;
        }
        Some(Self {
            host,
            path,
            tag,
            digest: None,
        })
    }

    /// Whether the tag, if there is one, fits the grammar.
    pub(crate) fn has_good_tag(&self) -> bool {
        self.tag.is_none_or(|tag| grammar::tag(tag).is_ok())
    }
}

/// Shorter paths are not too long, whatever counts with them.
const PLAIN_PATH: usize = 200;

impl<'a> Reference<'a> {
    /// Reads a reference.
    ///
    /// # Errors
    ///
    /// Where the text is no reference: which part, what is wrong with it, and where.
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        Self::parse_parts(text).map_err(|error| plainer(text).unwrap_or(error))
    }

    fn parse_parts(text: &'a str) -> Result<Self, ReferenceError> {
        let fail = |part, problem, byte: usize| {
            let before = text.char_indices().take_while(|(at, _)| *at < byte).count();
            ReferenceError {
                part,
                problem,
                position: before + 1,
            }
        };
        if let Some(split) = Split::plain(text).filter(Split::has_good_tag) {
            let host = split.host.unwrap_or(DOCKER_HUB);
            return Ok(Self::of(&split, Cow::Borrowed(host)));
        }
        if let Some(problem) = grammar::identifier(text) {
            return Err(fail(Part::Reference, problem, 0));
        }
        let split = Split::of(text, Wild::Never);
        let mut start = 0;
        // What distribution/reference counts with the path.
        let mut added = match split.host {
            None | Some(DOCKER_HUB | "index.docker.io") if !split.path.contains('/') => {
                OFFICIAL.len()
            }
            _ => 0,
        };
        if let Some(host) = split.host {
            let checked = host::check(host);
            if !checked.map_err(|(problem, at)| fail(Part::Registry, problem, at))? {
                added = host.len() + 1;
            }
            start = host.len() + 1;
        }
        grammar::path(split.path, added)
            .map_err(|(problem, at)| fail(Part::Repository, problem, start + at))?;
        start += split.path.len() + 1;
        if let Some(tag) = split.tag {
            grammar::tag(tag).map_err(|(problem, at)| fail(Part::Tag, problem, start + at))?;
            start += tag.len() + 1;
        }
        if let Some(digest) = split.digest {
            grammar::digest(digest)
                .map_err(|(problem, at)| fail(Part::Digest, problem, start + at))?;
        }

        let host = split.host.map_or(Cow::Borrowed(DOCKER_HUB), normalize_host);
        Ok(Self::of(&split, host))
    }

    /// The reference of parts that fit the grammar, and the normal form of its host.
    fn of(split: &Split<'a>, host: Cow<'a, str>) -> Self {
        let path = if host == DOCKER_HUB && !split.path.contains('/') {
            // `library/` counts for the length of the name, as it is part of it.
            Cow::Owned([OFFICIAL, split.path].concat())
        } else {
            Cow::Borrowed(split.path)
        };
        let tag = match (split.tag, split.digest) {
            (None, None) => Some(LATEST),
            (tag, _) => tag,
        };
        Self {
            host,
            path,
            tag,
            has_tag: split.tag.is_some(),
            digest: split.digest,
            is_open: false,
            may_get_digest: false,
        }
    }

    /// The registry: host, and port where it is not the default one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository's path on its registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag; none if a digest stands alone.
    pub const fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// The tag as it was written; none where it is only understood.
    pub(crate) fn written_tag(&self) -> Option<&'a str> {
        self.tag.filter(|_| self.has_tag)
    }

    /// Whether it has placeholders, so that some of it is not known yet.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether it has a digest, or may get one.
    pub(crate) const fn may_have_digest(&self) -> bool {
        self.digest.is_some() || self.may_get_digest
    }

    /// The same image by its tag alone, for one that has a tag and a digest.
    #[must_use]
    pub fn without_digest(&self) -> Option<Self> {
        (self.tag.is_some() && self.digest.is_some()).then(|| Self {
            digest: None,
            ..self.clone()
        })
    }

    /// The normal form as a text, made sooner than by `to_string`.
    pub(crate) fn text(&self) -> String {
        self.pieces().concat()
    }

    /// What the normal form consists of.
    fn pieces(&self) -> [&str; 9] {
        // In lower case and without a port it would be read as a part of the path.
        let (colon, port) = if is_host(&self.host, Wild::Never) {
            ("", "")
        } else {
            (":", DEFAULT_PORT)
        };
        let marked = |mark, text: Option<&'a str>| text.map_or(["", ""], |text| [mark, text]);
        let [before_tag, tag] = marked(":", self.tag);
        let [before_digest, digest] = marked("@", self.digest);
        [
            &self.host,
            colon,
            port,
            "/",
            &self.path,
            before_tag,
            tag,
            before_digest,
            digest,
        ]
    }

    /// The digest, with its algorithm.
    pub const fn digest(&self) -> Option<&'a str> {
        self.digest
    }
}

/// What is wrong with a text as a whole, where that says more than what is wrong with its first bad
/// part.
#[cold]
fn plainer(text: &str) -> Option<ReferenceError> {
    let whole = |problem, position| ReferenceError {
        part: Part::Reference,
        problem,
        position,
    };
    if after_scheme(text).is_some() {
        return Some(whole("unexpected scheme (`https://` or the like)", 1));
    }
    let space = text.chars().position(char::is_whitespace)?;
    Some(whole("unexpected space", space + 1))
}

/// What follows `https://` or the like.
///
/// Looks for the one character first: a search for the three builds tables on every request.
pub(crate) fn after_scheme(text: &str) -> Option<&str> {
    text.split_once(':')?.1.strip_prefix("//")
}

/// References are equal if their normal forms are: a tag that was written and one that is understood
/// are the same.
impl PartialEq for Reference<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, &self.path, self.tag, self.digest)
            == (&other.host, &other.path, other.tag, other.digest)
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces()
            .iter()
            .try_for_each(|piece| f.write_str(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text is when it is read part by part.
    fn read_by_parts(text: &str) -> Option<Split<'_>> {
        let split = Split::of(text, Wild::Never);
        let fits = split
            .host
            .is_none_or(|host| host::check(host) == Ok(true) && normalize_host(host) == host)
            && grammar::identifier(text).is_none()
            && grammar::path(split.path, OFFICIAL.len()).is_ok()
            && split.digest.is_none();
        fits.then_some(split)
    }

    #[test]
    fn what_is_cut_at_once_is_cut_the_same_by_parts() {
        for text in [
            "ghcr.io/a",
            "a.b-c.io/a/b_c/d-e.f:1",
            "docker.io/library/redis:7.2-Alpine_x",
            "1.2/3",
            "redis",
            "redis:7.2-Alpine_x",
            "re-dis.io",
        ] {
            assert_eq!(Split::plain(text), read_by_parts(text), "{text}");
            assert!(Split::plain(text).is_some(), "{text}");
        }
        let long = format!("ghcr.io/{}", "a".repeat(256));
        for text in [
            "",
            "a/b",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "ghcr.io/",
            "ghcr.io/a@sha256:1",
            "ghcr.io:443/a",
            "index.docker.io/a",
            "registry.hub.docker.com/a",
            "ghcr.io/A",
            "ghcr.io/a//b",
            ".ghcr.io/a",
            "ghcr..io/a",
            "ghcr.io/a/",
            "a_b.io/a",
            "ghcr.io/*",
            "https://ghcr.io/a",
            &long,
        ] {
            let plain = Split::plain(text).filter(Split::has_good_tag);
            assert_eq!(plain, None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_cut_at_once_is_a_reference(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "ghcr", "io", ".", "/", ":", "-", "_", "a", "1", "A", "@", "docker.io", "__", "*",
            ]), 0..9),
        ) {
            let text = parts.concat();
            if let Some(split) = Split::plain(&text).filter(Split::has_good_tag) {
                proptest::prop_assert_eq!(Some(split), read_by_parts(&text), "{}", text);
            }
        }
    }
}
