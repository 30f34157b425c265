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

use super::{Objection, one_of};

pub(super) fn check(
    image: &Reference<'_>,
    list: &AllowReject<ImagePattern<'_>>,
    object: &mut impl FnMut(Objection),
) {
    if let Some(entry) = list
        .reject
        .iter()
        .find(|entry| entry.matches(image, Sense::Reject))
    {
        object(Objection {
            code: Code::ImageRejected,
            action: list.action,
            problem: format!(
                "it is rejected by `{}`, use another image",
                Shown(entry.text())
            ),
        });
    } else if !list.allow.is_empty()
        && !list
            .allow
            .iter()
            .any(|entry| entry.matches(image, Sense::Allow))
    {
        let unpinned = Reference::without_digest(image);
        let would_do = unpinned.as_ref().filter(|image| {
            list.allow
                .iter()
                .any(|entry| entry.matches(image, Sense::Allow))
        });
        let problem = match would_do {
            Some(tag) => format!(
                "its digest is not in the list, use `{}` without a digest, or have the digest allowed",
                Shown(&tag.to_string())
            ),
            None => format!(
                "it is not allowed, use {}",
                one_of(
                    &list
                        .allow
                        .iter()
                        .map(ImagePattern::text)
                        .collect::<Vec<_>>()
                )
            ),
        };
        object(Objection {
            code: Code::ImageNotAllowed,
            action: list.action,
            problem,
        });
    }
}
