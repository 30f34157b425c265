//! Judges images with placeholders that are filled in later: by what is certain of them already.

use crate::check::{self, Lists};
use crate::exemption::Check;
use crate::glob::ANY_DEPTH;
use crate::hashing::Seen;
use crate::image::{Reference, globs};
use crate::mirror::Rewrite;
use crate::violation::{Action, Code, Reason};
use crate::workload::ImageField;

use super::context::Context;
use super::dated::Dated;
use super::exempted::Exempted;
use super::finding::{AboutImage, Findings, OfImage};

/// Judges an image that does not parse, if that is because of placeholders of its kind; says whether it is.
///
/// A list refuses it only if it will refuse whatever the placeholders become, so that no rejected registry
/// passes with a placeholder behind it. A mirror may make another image of it. `warned` are those of which
/// nothing is certain.
#[cold]
pub(super) fn judge(
    context: &Context<'_, '_, '_>,
    lists: &Lists<'_, '_>,
    image: &ImageField<'_>,
    warned: &mut Seen,
    exempted: &mut Exempted<'_, '_, '_>,
    put: &mut OfImage<'_, '_>,
    findings: &mut Findings<'_>,
) -> bool {
    let settings = context.settings;
    let known = (&image.text, image.is_artifact());
    if !warned.contains(&known) {
        // Braces stand around what is known of a tag that is chosen later.
        let of_parts = if image.is_in_parts() { " {" } else { "" };
        let Some(globs) = globs(&image.text, &[context.placeholders(), of_parts].concat()) else {
            return false;
        };
        let Some(open) = Reference::open(&globs, image.is_in_parts()) else {
            return false;
        };
        let may_be_mirrored = settings.rewrite != Rewrite::Never
            && !image.is_artifact()
            && (settings.mirrors.iter())
                .any(|mirror| !mirror.is_only_named && mirror.source.may_cover(&open));
        let seen = check::Seen {
            written: &open,
            mirrored: None,
            instead: None,
            field: Some(image),
            would_pass: &|_, _| false,
        };
        let mut passes = true;
        check::image(&seen, lists, &mut |of, objection| {
            // These two see it as it is written, whatever it runs as.
            let is_certain = matches!(objection.code, Code::ImageRejected | Code::DigestRequired);
            if may_be_mirrored && !is_certain {
                return;
            }
            passes = false;
            if !exempted.lifts(Check::Images, Some(&open), of.from.as_ref(), findings) {
                put.add(
                    &AboutImage {
                        code: objection.code,
                        action: objection.action,
                        runs: Err(&image.text),
                        is_mirror: false,
                        is_of_accepted: false,
                        position: of.position.unwrap_or_default(),
                        rule: &|| of.title(),
                        reason: &|fate| {
                            let mut reason = (objection.reason)(fate);
                            reason.problem = reason.problem.replace(ANY_DEPTH, "…");
                            reason
                        },
                    },
                    findings,
                );
            }
        });
        if !passes {
            return true;
        }
        warned.insert(&known);
    }
    findings.dated = Dated::default();
    warn(image, put, findings);
    true
}

/// Says that a placeholder is filled in later.
fn warn(image: &ImageField<'_>, put: &mut OfImage<'_, '_>, findings: &mut Findings<'_>) {
    let judged = if image.is_artifact() {
        "its placeholder is filled in later, what it becomes is not judged"
    } else {
        "its placeholder is filled in later, what it becomes is judged in Pods"
    };
    put.add(
        &AboutImage {
            code: Code::ImagePlaceholder,
            action: Action::Warn,
            runs: Err(&image.text),
            is_mirror: false,
            is_of_accepted: false,
            position: 0,
            rule: &|| None,
            reason: &|_| Reason::alone(judged.to_owned()),
        },
        findings,
    );
}
