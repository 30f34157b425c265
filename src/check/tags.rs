//! `tags`: which tags may be used. Sees the tag alone.
//!
//! ```yaml
//! tags: { reject: [latest] }
//! ```
//!
//! Accepted: `redis:7.2`, and `redis@sha256:…`, which has no tag. Rejected: `redis:latest`, `redis`.

use crate::glob;
use crate::pattern::TagPattern;
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;
use crate::violation::{Code, Fate, Reason, Verb};

use super::{AllowReject, Objection, SOME_DIGEST, Seen, Sink, repository};

/// Reads the section.
pub(crate) fn read<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> AllowReject<TagPattern<'n>> {
    AllowReject::read(entry, errors, |text, _| TagPattern::parse(text))
}

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, object: Sink<'_>) {
    let image = seen.mirrored.unwrap_or(seen.written);
    let tag = image.tag();
    let mut refuse = |code, reason: &dyn Fn(Fate) -> Reason| {
        object(Objection {
            code,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            reason,
        });
    };
    let rejecting = |tag: &str| list.reject.iter().find(|entry| entry.matches(tag));
    if let Some((tag, entry)) = tag.and_then(|tag| Some((tag, rejecting(tag)?))) {
        refuse(Code::TagRejected, &|fate| {
            rejected(seen, list, entry, tag, fate)
        });
    } else if !list.allow.is_empty()
        && !tag.is_some_and(|tag| allows(list, tag) || (image.is_open() && may_allow(list, tag)))
    {
        refuse(Code::TagNotAllowed, &|fate| {
            not_allowed(seen, list, tag, fate)
        });
    }
}

fn allows(list: &AllowReject<TagPattern<'_>>, tag: &str) -> bool {
    list.allow.iter().any(|entry| entry.matches(tag))
}

/// Whether a tag with placeholders may become one that is allowed.
#[cold]
fn may_allow(list: &AllowReject<TagPattern<'_>>, tag: &str) -> bool {
    list.allow.iter().any(|entry| entry.may_match(tag))
}

#[cold]
fn rejected(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    entry: &TagPattern<'_>,
    tag: &str,
    fate: Fate,
) -> Reason {
    let code = Code::TagRejected;
    let pinned = || [&repository(seen.written), "@", SOME_DIGEST].concat();
    let by = if entry.text() == tag {
        String::new()
    } else {
        format!(" by `{}`", Shown(entry.text()))
    };
    let problem = format!("tag `{}` {}{by}", Shown(tag), Verb::REJECTED.of(fate));
    if is_every_tag(entry) && seen.passes(&pinned(), code) {
        Reason::new(problem, "pin a digest instead of a tag")
    } else if is_every_tag(entry) {
        Reason::new(problem, &seen.another("image"))
    } else if !list.allow.is_empty() && !allows(list, tag) {
        allowed(seen, list, code, problem)
    } else if tag.bytes().any(|byte| byte.is_ascii_digit()) {
        Reason::new(problem, "use another tag")
    } else {
        Reason::new(problem, "name a version")
    }
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
) -> Reason {
    let what = match tag {
        Some(tag) => format!("tag `{}` {}", Shown(tag), Verb::NOT_ALLOWED.of(fate)),
        None => "it has no tag".to_owned(),
    };
    allowed(seen, list, Code::TagNotAllowed, what)
}

/// A problem with what else to write: the same image by an allowed tag.
fn allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    code: Code,
    problem: String,
) -> Reason {
    let texts: Vec<_> = list.allow.iter().map(TagPattern::text).collect();
    let image_of = |tag: &str| [&repository(seen.written), ":", tag].concat();
    seen.allowed(problem, &texts, code, &image_of)
}
