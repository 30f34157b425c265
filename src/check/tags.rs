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
use crate::violation::{Code, Fate, Outcome};

use super::{Objection, SOME_DIGEST, Seen, Sink, repository};

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<TagPattern<'_>>, object: Sink<'_>) {
    let image = seen.mirrored.unwrap_or(seen.written);
    let is_mirror = seen.mirrored.is_some();
    let allows = |tag: &str| list.allow.iter().any(|entry| entry.matches(tag));
    let allowed = |code| {
        let texts: Vec<_> = list.allow.iter().map(TagPattern::text).collect();
        let image_of = |tag: &str| [&repository(seen.written), ":", tag].concat();
        seen.allowed(&texts, code, &image_of)
    };
    let rejected = image
        .tag()
        .and_then(|tag| Some((tag, list.reject.iter().find(|entry| entry.matches(tag))?)));
    let mut refuse = |code, problem: &dyn Fn(Fate) -> String| {
        object(Objection {
            code,
            action: list.action,
            is_mirror,
            problem,
        });
    };
    if let Some((tag, entry)) = rejected {
        let code = Code::TagRejected;
        refuse(code, &|fate| {
            let pinned = || [&repository(seen.written), "@", SOME_DIGEST].concat();
            let instead = if entry.text() == "*" && seen.passes(&pinned(), code) {
                ", pin a digest instead of a tag".to_owned()
            } else if entry.text() == "*" {
                seen.another("image")
            } else if !list.allow.is_empty() && !allows(tag) {
                allowed(code)
            } else if tag.contains(|character: char| character.is_ascii_digit()) {
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
        });
    } else if !list.allow.is_empty() && !image.tag().is_some_and(allows) {
        let code = Code::TagNotAllowed;
        refuse(code, &|fate| {
            let what = match image.tag() {
                Some(tag) => format!("tag `{}` {}", Shown(tag), Outcome::NOT_ALLOWED.words(fate)),
                None => "it has no tag".to_owned(),
            };
            what + &allowed(code)
        });
    }
}
