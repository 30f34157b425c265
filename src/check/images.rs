//! `images`: which images may run.
//!
//! ```yaml
//! images: { allow: ["ghcr.io/org/*"], reject: ["ghcr.io/org/old:1.*"] }
//! ```
//!
//! Accepted: `ghcr.io/org/app:2`. Rejected: `ghcr.io/other/app:2`, `ghcr.io/org/old:1.3`.

use crate::image::Reference;
use crate::pattern::{ImagePattern, Sense};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;
use crate::violation::{Code, Fate, Reason, Verb};

use super::{AllowReject, Objection, Seen, Sink, version};

/// Reads the section.
pub(crate) fn read<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> AllowReject<ImagePattern<'n>> {
    AllowReject::read(entry, errors, ImagePattern::parse)
}

pub(super) fn check(seen: &Seen<'_, '_>, list: &AllowReject<ImagePattern<'_>>, object: Sink<'_>) {
    let rejecting = |image: &Reference<'_>| {
        let mut entries = list.reject.iter();
        entries.find(|entry| entry.matches(image, Sense::Reject))
    };
    let image = seen.mirrored.unwrap_or(seen.written);
    if let Some((entry, is_mirror)) = seen.find_in_both(rejecting) {
        object(Objection {
            code: Code::ImageRejected,
            action: list.action,
            is_mirror,
            reason: &|fate| rejected(seen, entry, fate),
        });
    } else if !list.allow.is_empty() && !is_allowed(list, image) {
        object(Objection {
            code: Code::ImageNotAllowed,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            reason: &|fate| not_allowed(seen, list, image, fate),
        });
    }
}

fn is_allowed(list: &AllowReject<ImagePattern<'_>>, image: &Reference<'_>) -> bool {
    let mut entries = list.allow.iter();
    entries.any(|entry| entry.matches(image, Sense::Allow))
}

#[cold]
fn rejected(seen: &Seen<'_, '_>, entry: &ImagePattern<'_>, fate: Fate) -> Reason {
    let advice = match seen.instead {
        Some(mirror) => seen.advise(&mirror.to_string()),
        None => seen.another("image"),
    };
    let (verb, entry) = (Verb::REJECTED.of(fate), Shown(entry.text()));
    Reason::new(format!("it {verb} by `{entry}`"), &advice)
}

#[cold]
fn not_allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<ImagePattern<'_>>,
    image: &Reference<'_>,
    fate: Fate,
) -> Reason {
    let code = Code::ImageNotAllowed;
    let by_tag = image
        .without_digest()
        .filter(|image| is_allowed(list, image));
    let unpinned = seen.written.without_digest();
    let unpinned = unpinned.filter(|image| (seen.would_pass)(image, code));
    let not_in_list = || "its digest is not in `images.allow`".to_owned();
    match (by_tag, unpinned) {
        (Some(_), Some(unpinned)) => {
            let advice = seen.advise(&unpinned.to_string());
            let advice = advice + " without a digest, or have the digest allowed";
            Reason::new(not_in_list(), &advice)
        }
        (Some(_), None) => Reason::new(not_in_list(), "have the digest allowed"),
        (None, _) => {
            let texts: Vec<_> = list.allow.iter().map(ImagePattern::text).collect();
            // An entry without a tag is the image by the tag that it has.
            let image_of = |entry: &str| match Reference::parse(entry) {
                Ok(image) if image.written_tag().is_none() && image.digest().is_none() => {
                    [entry, &version(seen.written)].concat()
                }
                _ => entry.to_owned(),
            };
            let problem = format!("it {}", Verb::NOT_ALLOWED.of(fate));
            seen.allowed(problem, &texts, code, &image_of)
        }
    }
}
