//! `digests`: which images must be pinned, and which must not be.
//!
//! ```yaml
//! digests: { require: ["ghcr.io/*"], forbid: ["registry.cn-hangzhou.aliyuncs.com/*"] }
//! ```
//!
//! Accepted: `ghcr.io/org/app:1@sha256:…`. Rejected: `ghcr.io/org/app:1`. A mirror that copies
//! images under new digests cannot serve a pinned one, hence `forbid`.

use crate::image::Reference;
use crate::pattern::Sense;
use crate::settings::Digests;
use crate::shown::Shown;
use crate::violation::Code;

use super::{Objection, Seen, Sink};

pub(super) fn check(seen: &Seen<'_, '_>, list: &Digests<'_>, object: Sink<'_>) {
    let requiring = |image: &Reference<'_>| {
        if image.digest().is_some() {
            return None;
        }
        let mut entries = list.require.iter();
        entries.find(|entry| entry.matches(image, Sense::Reject))
    };
    if let Some((entry, is_mirror)) = seen.find_in_both(requiring) {
        let requiring = if is_mirror { seen.mirrored } else { None };
        let image = requiring.unwrap_or(seen.written);
        object(Objection {
            code: Code::DigestRequired,
            action: list.action,
            is_mirror,
            problem: &|| {
                format!(
                    "a digest is required by `{}`, use `{}@sha256:…`",
                    Shown(entry.text()),
                    Shown(&image.to_string())
                )
            },
        });
    }
    let image = seen.mirrored.unwrap_or(seen.written);
    if image.digest().is_none() {
        return;
    }
    let mut entries = list.forbid.iter();
    if let Some(entry) = entries.find(|entry| entry.matches(image, Sense::Reject)) {
        object(Objection {
            code: Code::DigestForbidden,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            problem: &|| {
                let instead = match image.without_digest() {
                    Some(unpinned) => format!("use `{}`", Shown(&unpinned.to_string())),
                    None => "name a tag".to_owned(),
                };
                let entry = Shown(entry.text());
                format!("a digest is forbidden by `{entry}`, {instead}")
            },
        });
    }
}
