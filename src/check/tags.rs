//! `tags`: which tags may be used. Sees the tag alone.
//!
//! ```yaml
//! tags: { reject: [latest] }
//! ```
//!
//! Accepted: `redis:7.2`, and `redis@sha256:…`, which has no tag. Rejected: `redis:latest`, `redis`.

use crate::glob;
use crate::pattern::{PatternError, Sense, TagPattern};
use crate::shown::Shown;
use crate::violation::{Code, Fate, Outcome};

use super::{AllowReject, Objection, Pattern, SOME_DIGEST, Seen, Sink, repository};

impl<'n> Pattern<'n> for TagPattern<'n> {
    fn parse(text: &'n str, _: Sense) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, object: Sink<'_>) {
    let tag = seen.mirrored.unwrap_or(seen.written).tag();
    let mut refuse = |code, problem: &dyn Fn(Fate) -> String| {
        object(Objection {
            code,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            problem,
        });
    };
    let rejecting = |tag: &str| list.reject.iter().find(|entry| entry.matches(tag));
    if let Some((tag, entry)) = tag.and_then(|tag| Some((tag, rejecting(tag)?))) {
        refuse(Code::TagRejected, &|fate| {
            rejected(seen, list, entry, tag, fate)
        });
    } else if !list.allow.is_empty() && !tag.is_some_and(|tag| allows(list, tag)) {
        refuse(Code::TagNotAllowed, &|fate| {
            not_allowed(seen, list, tag, fate)
        });
    }
}

fn allows(list: &AllowReject<TagPattern<'_>>, tag: &str) -> bool {
    list.allow.iter().any(|entry| entry.matches(tag))
}

#[cold]
fn rejected(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    entry: &TagPattern<'_>,
    tag: &str,
    fate: Fate,
) -> String {
    let code = Code::TagRejected;
    let pinned = || [&repository(seen.written), "@", SOME_DIGEST].concat();
    let instead = if is_every_tag(entry) && seen.passes(&pinned(), code) {
        ", pin a digest instead of a tag".to_owned()
    } else if is_every_tag(entry) {
        seen.another("image")
    } else if !list.allow.is_empty() && !allows(list, tag) {
        allowed(seen, list, code)
    } else if tag.bytes().any(|byte| byte.is_ascii_digit()) {
        ", use another tag".to_owned()
    } else {
        ", name a version".to_owned()
    };
    let by = if entry.text() == tag {
        String::new()
    } else {
        format!(" by `{}`", Shown(entry.text()))
    };
    let words = Outcome::REJECTED.words(fate);
    format!("tag `{}` {words}{by}{instead}", Shown(tag))
}

/// Whether an entry is every tag: no tag is empty, so `?*` is as much as `*`.
fn is_every_tag(entry: &TagPattern<'_>) -> bool {
    glob::covers(entry.text(), "?*")
}

#[cold]
fn not_allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    tag: Option<&str>,
    fate: Fate,
) -> String {
    let what = match tag {
        Some(tag) => format!("tag `{}` {}", Shown(tag), Outcome::NOT_ALLOWED.words(fate)),
        None => "it has no tag".to_owned(),
    };
    what + &allowed(seen, list, Code::TagNotAllowed)
}

/// What else to write: the same image by an allowed tag.
fn allowed(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, code: Code) -> String {
    let texts: Vec<_> = list.allow.iter().map(TagPattern::text).collect();
    let image_of = |tag: &str| [&repository(seen.written), ":", tag].concat();
    seen.allowed(&texts, code, &image_of)
}
