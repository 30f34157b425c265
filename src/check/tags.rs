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
    if let Some((tag, entry)) = rejected {
        let code = Code::TagRejected;
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
        object(Objection {
            code,
            action: list.action,
            is_mirror,
            problem: format!("tag `{}` is rejected{by}{instead}", Shown(tag)),
            outcome: Some(Outcome::REJECTED),
        });
    } else if !list.allow.is_empty() && !image.tag().is_some_and(allows) {
        let code = Code::TagNotAllowed;
        let (outcome, what) = match image.tag() {
            Some(tag) => (
                Some(Outcome::NOT_ALLOWED),
                format!("tag `{}` is not allowed", Shown(tag)),
            ),
            None => (None, "it has no tag".to_owned()),
        };
        object(Objection {
            code,
            action: list.action,
            is_mirror,
            problem: what + &allowed(code),
            outcome,
        });
    }
}
