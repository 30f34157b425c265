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
use crate::violation::Code;

use super::{Objection, Seen, Sink, one_of};

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, object: Sink<'_>) {
    let image = seen.mirrored.unwrap_or(seen.written);
    let is_mirror = seen.mirrored.is_some();
    let allows = |tag: &str| list.allow.iter().any(|entry| entry.matches(tag));
    let allowed = || one_of(&list.allow.iter().map(TagPattern::text).collect::<Vec<_>>());
    let rejected = image
        .tag()
        .and_then(|tag| Some((tag, list.reject.iter().find(|entry| entry.matches(tag))?)));
    let mut refuse = |code, problem: &dyn Fn() -> String| {
        object(Objection {
            code,
            action: list.action,
            is_mirror,
            problem,
        });
    };
    if let Some((tag, entry)) = rejected {
        refuse(Code::TagRejected, &|| {
            let instead = if entry.text() == "*" {
                "pin a digest instead of a tag".to_owned()
            } else if list.allow.is_empty() || allows(tag) {
                "name a version".to_owned()
            } else {
                format!("use {}", allowed())
            };
            let by = if entry.text() == tag {
                String::new()
            } else {
                format!(" by `{}`", Shown(entry.text()))
            };
            format!("tag `{}` is rejected{by}, {instead}", Shown(tag))
        });
    } else if !list.allow.is_empty() && !image.tag().is_some_and(allows) {
        refuse(Code::TagNotAllowed, &|| {
            let what = match image.tag() {
                Some(tag) => format!("tag `{}` is not allowed", Shown(tag)),
                None => "it has no tag".to_owned(),
            };
            format!("{what}, use a tag that matches {}", allowed())
        });
    }
}
