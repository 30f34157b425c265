//! Images with placeholders that are filled in later.

use crate::glob::ANY_DEPTH;

use crate::image::{DOCKER_HUB, OFFICIAL, Split, Wild, normalize_host};

/// Stands for a part that is not known, in an image that is one all the same.
const SOME: &str = "placeholder";

/// A host that no registry has.
const SOME_HOST: &str = "placeholder.invalid";

/// Stands for a digest that is not known.
const SOME_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What is known of an image before its placeholders are filled in: `ghcr.io/org/$(params.app):1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partial {
    /// The host, in its normal form; none where a placeholder decides it.
    pub(crate) host: Option<String>,
    /// The path, for [`may_meet`](crate::glob::may_meet).
    pub(crate) path: String,
    /// The tag, for [`may_meet`](crate::glob::may_meet); none where only a digest can follow.
    pub(crate) tag: Option<String>,
    /// Whether the image has a digest, or may get one.
    pub(crate) may_have_digest: bool,
    /// An image that these could become, of words that no list names.
    pub(crate) sample: String,
}

impl Partial {
    /// Reads an image with placeholders, each of which begins with one of `openers`; none where there are none, or
    /// one does not end.
    pub(crate) fn read(text: &str, openers: &str) -> Option<Self> {
        let globs = globs(text, openers)?;
        let split = Split::of(&globs, Wild::Never);
        let first = globs.split('/').next().unwrap_or_default();
        let host = match split.host {
            Some(host) => Some(host),
            // The tag decides nothing about the host.
            None if globs.contains('/') => Some(DOCKER_HUB).filter(|_| !is_open(first)),
            None => Some(DOCKER_HUB).filter(|_| !is_open(split.path)),
        };
        let host = host.filter(|host| !is_open(host)).map(normalize_host);
        let is_short = !split.path.contains('/');
        let is_hub = host.as_deref() == Some(DOCKER_HUB);
        let path = match &host {
            None => ANY_DEPTH.to_string(),
            Some(_) if is_hub && is_short && is_open(split.path) => ANY_DEPTH.to_string(),
            Some(_) if is_hub && is_short => [OFFICIAL, split.path].concat(),
            Some(_) => split.path.to_owned(),
        };
        let ends_open = globs.ends_with(ANY_DEPTH);
        let tag = match (split.tag, split.digest) {
            (Some(tag), _) => Some(tag),
            (None, _) if split.path.ends_with(ANY_DEPTH) => Some("*"),
            (None, Some(_)) => None,
            (None, None) => Some("latest"),
        };
        let fill = |part: &str| part.replace([ANY_DEPTH, '*'], SOME);
        let mut sample = host.as_deref().unwrap_or(SOME_HOST).to_owned();
        sample.push('/');
        sample.push_str(&match (&host, split.host) {
            (None, None) => fill(split.path.split_once('/').map_or(SOME, |(_, path)| path)),
            _ => fill(split.path),
        });
        if let Some(tag) = tag {
            sample.push(':');
            sample.push_str(&fill(tag));
        }
        if let Some(digest) = split.digest {
            sample.push('@');
            sample.push_str(if is_open(digest) { SOME_DIGEST } else { digest });
        }
        Some(Self {
            host: host.map(Into::into),
            path,
            tag: tag.map(|tag| tag.replace(ANY_DEPTH, "*")),
            may_have_digest: ends_open || split.digest.is_some(),
            sample,
        })
    }
}

fn is_open(part: &str) -> bool {
    part.contains(ANY_DEPTH)
}

/// A text with [`ANY_DEPTH`] in the place of each placeholder, of which there is at least one.
fn globs(text: &str, openers: &str) -> Option<String> {
    let mut globs = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        // No image has a wildcard in it.
        if matches!(next, ANY_DEPTH | '*' | '?') {
            return None;
        }
        let opener = openers
            .split(' ')
            .find(|opener| rest.starts_with(opener) && !opener.is_empty());
        match opener {
            None => {
                globs.push(next);
                rest = rest.get(next.len_utf8()..)?;
            }
            Some(opener) => {
                globs.push(ANY_DEPTH);
                rest = after_placeholder(rest, opener)?;
            }
        }
    }
    is_open(&globs).then_some(globs)
}

/// What follows the placeholder that a text begins with.
fn after_placeholder<'t>(text: &'t str, opener: &str) -> Option<&'t str> {
    let inside = text.get(opener.len()..)?;
    // OpenShift has `${{x}}` besides; an expression of Argo Workflows may hold braces.
    let is_double = opener == "{{" || (opener == "${" && inside.starts_with('{'));
    if !is_double {
        let end = if opener == "$(" { ')' } else { '}' };
        return Some(inside.split_once(end)?.1);
    }
    let mut ends = inside.as_bytes().windows(2);
    let is_end = |pair: &[u8]| pair == b"}}";
    let end = if inside.starts_with('=') {
        ends.rposition(is_end)
    } else {
        ends.position(is_end)
    };
    inside.get(end? + 2..)
}
