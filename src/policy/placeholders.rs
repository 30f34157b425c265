//! Judges images with placeholders that are filled in later: by what is certain of them already.

use crate::check::{self, Lists};
use crate::exemption::Check;
use crate::image::Reference;
use crate::mirror::Rewrite;
use crate::pattern::{ImagePattern, Partial, RegistryPattern};
use crate::violation::{Action, Code, Reason};
use crate::workload::ImageField;

use super::context::Context;
use super::exempted::Exempted;
use super::finding::{AboutImage, Findings, OfImage};

/// Judges an image that does not parse, if that is because of placeholders of its kind; says whether it is.
///
/// A list refuses it only if it will refuse whatever the placeholders become, so that no rejected registry
/// passes with a placeholder behind it. A mirror may make another image of it.
#[cold]
pub(super) fn judge(
    context: &Context<'_, '_, '_>,
    image: &ImageField<'_>,
    exempted: &mut Exempted<'_, '_, '_>,
    put: &mut OfImage<'_, '_>,
    findings: &mut Findings<'_>,
) -> bool {
    let settings = context.settings;
    let Some(partial) = Partial::read(&image.text, context.placeholders()) else {
        return false;
    };
    let Ok(sample) = Reference::parse(&partial.sample) else {
        return false;
    };
    let may_be_mirrored = settings.rewrite != Rewrite::Never
        && !image.is_artifact()
        && (settings.mirrors.iter()).any(|mirror| mirror.source.may_cover(&partial));
    let lists = settings.lists();
    let seen = check::Seen {
        written: &sample,
        mirrored: None,
        instead: None,
        would_pass: &|_, _| false,
    };
    let mut passes = true;
    check::image(&seen, lists, &mut |objection| {
        if !is_certain(objection.code, &partial, lists, may_be_mirrored) {
            return;
        }
        passes = false;
        if !exempted.cover(Check::Images, Some(&sample)) {
            put.add(
                &AboutImage {
                    code: objection.code,
                    action: objection.action,
                    runs: Err(&image.text),
                    is_mirror: false,
                    is_of_accepted: false,
                    reason: objection.reason,
                },
                findings,
            );
        }
    });
    if passes {
        put.add(
            &AboutImage {
                code: Code::ImagePlaceholder,
                action: Action::Warn,
                runs: Err(&image.text),
                is_mirror: false,
                is_of_accepted: false,
                reason: &|_| {
                    let later = "its placeholder is filled in later, ";
                    let judged = if image.is_artifact() {
                        "what it becomes is not judged"
                    } else {
                        "what it becomes is judged in Pods"
                    };
                    Reason::alone([later, judged].concat())
                },
            },
            findings,
        );
    }
    true
}

/// Whether what a list objects to holds whatever the placeholders become.
fn is_certain(code: Code, partial: &Partial, lists: Lists<'_, '_>, may_be_mirrored: bool) -> bool {
    match code {
        Code::ImageRejected => true,
        Code::DigestRequired => !partial.may_have_digest,
        _ if may_be_mirrored => false,
        Code::RegistryNotAllowed => {
            let may_match = |entry: &RegistryPattern<'_>| entry.may_match(partial);
            !lists.registries.allow.iter().any(may_match)
        }
        Code::ImageNotAllowed => {
            let may_match = |entry: &ImagePattern<'_>| entry.may_match(partial);
            !lists.images.allow.iter().any(may_match)
        }
        Code::TagNotAllowed => {
            let tag = partial.tag.as_deref();
            let may_match = |tag: &str| {
                let mut entries = lists.tags.allow.iter();
                entries.any(|entry| entry.may_match(tag))
            };
            !tag.is_some_and(may_match)
        }
        _ => true,
    }
}
