//! `tags`: which tags may be used. Sees the tag alone.
//!
//! ```yaml
//! tags: { reject: [latest] }
//! ```
//!
//! Accepted: `redis:7.2`, and `redis@sha256:…`, which has no tag. Rejected: `redis:latest`, `redis`.

use crate::pattern::TagPattern;
use crate::settings::AllowReject;
use crate::shown::Shown;
use crate::violation::{Code, Outcome};

use super::{Objection, SOME_DIGEST, Seen, repository};

pub(super) fn check(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    object: &mut dyn FnMut(Objection),
) {
    let tag = seen.mirrored.unwrap_or(seen.written).tag();
    let rejecting = |tag: &str| list.reject.iter().find(|entry| entry.matches(tag));
    if let Some((tag, entry)) = tag.and_then(|tag| Some((tag, rejecting(tag)?))) {
        object(rejected(seen, list, entry, tag));
    } else if !list.allow.is_empty() && !tag.is_some_and(|tag| allows(list, tag)) {
        object(not_allowed(seen, list, tag));
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
) -> Objection {
    let code = Code::TagRejected;
    let pinned = || [&repository(seen.written), "@", SOME_DIGEST].concat();
    let instead = if entry.text() == "*" && seen.passes(&pinned(), code) {
        ", pin a digest instead of a tag".to_owned()
    } else if entry.text() == "*" {
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
    Objection {
        code,
        action: list.action,
        is_mirror: seen.mirrored.is_some(),
        problem: format!("tag `{}` is rejected{by}{instead}", Shown(tag)),
        outcome: Some(Outcome::REJECTED),
    }
}

#[cold]
fn not_allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<TagPattern<'_>>,
    tag: Option<&str>,
) -> Objection {
    let code = Code::TagNotAllowed;
    let (outcome, what) = match tag {
        Some(tag) => (
            Some(Outcome::NOT_ALLOWED),
            format!("tag `{}` is not allowed", Shown(tag)),
        ),
        None => (None, "it has no tag".to_owned()),
    };
    Objection {
        code,
        action: list.action,
        is_mirror: seen.mirrored.is_some(),
        problem: what + &allowed(seen, list, code),
        outcome,
    }
}

/// What else to write: the same image by an allowed tag.
fn allowed(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, code: Code) -> String {
    let texts: Vec<_> = list.allow.iter().map(TagPattern::text).collect();
    let image_of = |tag: &str| [&repository(seen.written), ":", tag].concat();
    seen.allowed(&texts, code, &image_of)
}
