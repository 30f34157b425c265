//! References with placeholders that are filled in later: `ghcr.io/org/$(params.app):1`.

use std::borrow::Cow;

use crate::glob::ANY_DEPTH;

use super::host::{DOCKER_HUB, OFFICIAL, Wild, normalize_host};
use super::reference::{LATEST, Reference, Split};

impl<'a> Reference<'a> {
    /// Reads what [`globs`] made of a text with placeholders. A part that is not known is [`ANY_DEPTH`], which
    /// only `*` matches; none if it is no reference whatever the placeholders become.
    ///
    /// Where a version stands elsewhere, no tag and no digest comes with a placeholder.
    pub(crate) fn open(text: &'a str, has_version_elsewhere: bool) -> Option<Self> {
        let split = Split::of(text, Wild::Never);
        // A digit may be anything but a digest.
        let name = text.split('@').next().unwrap_or_default();
        let digest = split.digest.filter(|digest| !is_open(digest));
        let digest = digest.map(|digest| ["@", digest].concat());
        let sample = name.replace(ANY_DEPTH, "1") + &digest.unwrap_or_default();
        Reference::parse(&sample).ok()?;

        let first = text.split('/').next().unwrap_or_default();
        let host = match split.host {
            Some(host) => normalize_host(host),
            // The tag decides nothing about the host.
            None if is_open(if text.contains('/') {
                first
            } else {
                split.path
            }) =>
            {
                Cow::Borrowed(ANY)
            }
            None => Cow::Borrowed(DOCKER_HUB),
        };
        let is_short = !split.path.contains('/');
        let (host, path) = if is_open(&host) {
            (Cow::Borrowed(ANY), Cow::Borrowed(ANY))
        } else if host == DOCKER_HUB && is_short && is_open(split.path) {
            (host, Cow::Borrowed(ANY))
        } else if host == DOCKER_HUB && is_short {
            (host, Cow::Owned([OFFICIAL, split.path].concat()))
        } else {
            (host, Cow::Borrowed(split.path))
        };
        let may_get_version = text.ends_with(ANY_DEPTH) && !has_version_elsewhere;
        let tag = match (split.tag, split.digest) {
            (None, None) if may_get_version => Some(ANY),
            (None, None) => Some(LATEST),
            (tag, _) => tag,
        };
        Some(Self {
            host,
            path,
            tag,
            has_tag: split.tag.is_some(),
            digest: split.digest,
            is_open: true,
            may_get_digest: may_get_version,
        })
    }
}

/// [`ANY_DEPTH`] alone.
const ANY: &str = ">";

fn is_open(part: &str) -> bool {
    part.contains(ANY_DEPTH)
}

/// A text with [`ANY_DEPTH`] in the place of each placeholder, which begins with one of `openers`; none where
/// there is none, or one does not end.
pub(crate) fn globs(text: &str, openers: &str) -> Option<String> {
    let mut globs = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let at = rest.bytes().position(|byte| matches!(byte, b'$' | b'{'));
        let (known, found) = rest.split_at_checked(at.unwrap_or(rest.len()))?;
        // No image has a wildcard in it.
        if known.contains([ANY_DEPTH, '*', '?']) {
            return None;
        }
        globs.push_str(known);
        if found.is_empty() {
            return is_open(&globs).then_some(globs);
        }
        // Nor one of these, but where a placeholder begins.
        let mut openers = openers.split(' ').filter(|opener| !opener.is_empty());
        let opener = openers.find(|opener| found.starts_with(opener))?;
        globs.push(ANY_DEPTH);
        rest = after_placeholder(found, opener)?;
    }
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
