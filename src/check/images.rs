//! `images`: which images may run.
//!
//! ```yaml
//! images: { allow: ["ghcr.io/org/*"], reject: ["ghcr.io/org/old:1.*"] }
//! ```
//!
//! Accepted: `ghcr.io/org/app:2`. Rejected: `ghcr.io/other/app:2`, `ghcr.io/org/old:1.3`.

use crate::image::Reference;
use crate::pattern::{ImagePattern, Sense};
use crate::settings::AllowReject;
use crate::shown::Shown;
use crate::violation::Code;

use super::{Objection, Seen, Sink, one_of};

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<ImagePattern<'_>>, object: Sink<'_>) {
    let rejecting = |image: &Reference<'_>| {
        let mut entries = list.reject.iter();
        entries.find(|entry| entry.matches(image, Sense::Reject))
    };
    let is_allowed = |image: &Reference<'_>| {
        let mut entries = list.allow.iter();
        entries.any(|entry| entry.matches(image, Sense::Allow))
    };
    let image = seen.mirrored.unwrap_or(seen.written);
    if let Some((entry, is_mirror)) = seen.find_in_both(rejecting) {
        object(Objection {
            code: Code::ImageRejected,
            action: list.action,
            is_mirror,
            problem: &|| {
                format!(
                    "it is rejected by `{}`, use {}",
                    Shown(entry.text()),
                    match seen.instead {
                        Some(mirror) => format!("`{}`", Shown(&mirror.to_string())),
                        None => "another image".to_owned(),
                    }
                )
            },
        });
    } else if !list.allow.is_empty() && !is_allowed(image) {
        let problem = || {
            let unpinned = image.without_digest();
            if let Some(tag) = unpinned.filter(|image| is_allowed(image)) {
                format!(
                    "its digest is not in the list, use `{}` without a digest, or have the digest allowed",
                    Shown(&tag.to_string())
                )
            } else {
                let instead = match seen.instead {
                    Some(mirror) => format!("`{}`", Shown(&mirror.to_string())),
                    None => one_of(
                        &list
                            .allow
                            .iter()
                            .map(ImagePattern::text)
                            .collect::<Vec<_>>(),
                    ),
                };
                format!("it is not allowed, use {instead}")
            }
        };
        object(Objection {
            code: Code::ImageNotAllowed,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            problem: &problem,
        });
    }
}
