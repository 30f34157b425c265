//! Holds every image of an object against the lists, as it will run.

use crate::check::{self, Lists};
use crate::exemption::Check;
use crate::hashing::Seen;
use crate::image::Reference;
use crate::splice;
use crate::violation::{Action, Code, Reason};
use crate::workload::{Found, ImageField, Object};

use super::Judged;
use super::context::Context;
use super::exempted::Exempted;
use super::finding::{AboutImage, OfImage};
use super::mirrors::{Asking, Mirrors, Runs, is_removed};
use super::placeholders;

/// Everything wrong with the images of an object that no exemption covers, and what is rewritten.
///
/// Images for which a registry must be asked come last, and nothing is asked any more once something
/// refuses the request.
pub(super) fn judge(
    context: &Context<'_, '_, '_>,
    object: &Object<'_>,
    mirrors: &mut Mirrors<'_, '_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged<'_>,
) {
    let settings = context.settings;
    let lists = settings.lists(context.request, object);
    // No list is about the object, and nothing else is about images.
    let Some(strictest) = settings.strictest(&lists) else {
        return;
    };
    // An image that occurs again is judged once, where it has no mirror; a few are judged sooner than noted.
    let may_recur = object.found.len() > FEW && settings.mirrors.is_empty();
    let mut passed = may_recur.then(Seen::default);
    let mut placeholders = Seen::default();
    let removes_some = judged.annotations.removes.len() > 0;
    let mut open = Vec::new();
    let mut mirror = String::new();
    for found in &object.found {
        let image = match found {
            // An annotation that is removed is no image.
            Found::Image(image) if removes_some && is_removed(image, judged) => continue,
            Found::Image(image) => image,
            Found::Malformed(malformed) => {
                if !exempted.lifts(Check::Images, None, None, &mut judged.findings) {
                    judged.findings.add_malformed(malformed, strictest);
                }
                continue;
            }
        };
        let is_known = |passed: &Seen| passed.contains(&image.text);
        if passed.as_ref().is_some_and(is_known) {
            continue;
        }
        match one(
            &lists,
            image,
            &mut mirror,
            &mut placeholders,
            mirrors,
            exempted,
            judged,
        ) {
            Outcome::Passes => {
                if let Some(passed) = &mut passed {
                    passed.insert(&image.text);
                }
            }
            Outcome::Objected => {}
            Outcome::Open => open.push(image),
        }
    }
    if object.more_malformed > 0 && !exempted.lifts(Check::Images, None, None, &mut judged.findings)
    {
        judged
            .findings
            .add_more_malformed(object.more_malformed, strictest);
    }
    if open.is_empty() {
        return;
    }
    let edits = std::mem::take(&mut judged.edits);
    for image in open {
        mirrors.asking = if judged.refuses() {
            Asking::Never
        } else {
            Asking::Now
        };
        one(
            &lists,
            image,
            &mut mirror,
            &mut placeholders,
            mirrors,
            exempted,
            judged,
        );
    }
    splice::merge(&mut judged.edits, edits);
}

/// So many images are judged without asking whether they occur twice.
const FEW: usize = 32;

/// What came of judging one image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// No list has anything against it.
    Passes,
    /// Something is wrong with it.
    Objected,
    /// A registry must be asked first, and nothing is noted.
    Open,
}

/// Judges one image. `mirror` is for the image on its mirror.
fn one(
    lists: &Lists<'_, '_>,
    image: &ImageField<'_>,
    mirror: &mut String,
    placeholders: &mut Seen,
    mirrors: &mut Mirrors<'_, '_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged<'_>,
) -> Outcome {
    let context = mirrors.context();
    let mut put = OfImage::new(image, context.is_filled_in_by_istio(image));
    let written = match Reference::parse(&image.text) {
        Ok(written) => written,
        Err(error) => {
            let findings = &mut judged.findings;
            if placeholders::judge(
                context,
                lists,
                image,
                placeholders,
                exempted,
                &mut put,
                findings,
            ) {
                return Outcome::Objected;
            }
            if !exempted.lifts(Check::Images, None, None, &mut judged.findings) {
                put.add(
                    &AboutImage {
                        code: Code::ImageUnparsable,
                        action: context.settings.strictest(lists).unwrap_or_default(),
                        runs: Err(&image.text),
                        is_mirror: false,
                        is_of_accepted: false,
                        position: 0,
                        rule: &|| None,
                        reason: &|_| {
                            Reason::alone(format!("it is not a valid image reference: {error}"))
                        },
                    },
                    &mut judged.findings,
                );
            }
            return Outcome::Objected;
        }
    };
    let mut runs = mirrors.runs(image, &written, mirror, exempted);
    if runs.is_open {
        return Outcome::Open;
    }
    // What would be refused as well is no help.
    let is_help = runs.instead().is_none_or(|mirror| {
        if runs.is_only_named {
            return would_pass(lists, mirrors, mirror, None);
        }
        passes(lists, mirror, None, None)
    });
    if !is_help {
        runs.forget_mirror();
    }
    let passes = held_against_lists(lists, &written, &runs, mirrors, exempted, &mut put, judged);
    mirrors.note(&written, &runs, exempted, judged, &mut put);
    if runs.is_edited {
        mirrors.change(image, std::mem::take(mirror), judged);
    }
    if passes {
        Outcome::Passes
    } else {
        Outcome::Objected
    }
}

/// Whether no list has anything against an image as it is written, and as its mirror where it is pulled from
/// there.
fn held_against_lists(
    lists: &Lists<'_, '_>,
    written: &Reference<'_>,
    runs: &Runs<'_, '_, '_>,
    mirrors: &Mirrors<'_, '_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    put: &mut OfImage<'_, '_>,
    judged: &mut Judged<'_>,
) -> bool {
    let would_pass = |image: &Reference<'_>, code| would_pass(lists, mirrors, image, Some(code));
    let mirrored = runs.mirrored();
    let seen = check::Seen {
        written,
        mirrored,
        instead: runs.instead(),
        field: Some(put.image),
        would_pass: &would_pass,
    };
    let mut passes = true;
    check::image(&seen, lists, &mut |of, objection| {
        passes = false;
        // What is rejected as it was written is exempt as that.
        let as_run = mirrored.unwrap_or(written);
        let judged_as = if objection.is_mirror { as_run } else { written };
        let findings = &mut judged.findings;
        if exempted.lifts(Check::Images, Some(judged_as), of.from.as_ref(), findings) {
            return;
        }
        let cause = || {
            let (cause, mirror) = runs.cause()?;
            is_because(lists, written, mirror, objection.code).then_some(cause)
        };
        put.add(
            &AboutImage {
                code: objection.code,
                action: objection.action,
                runs: Ok(as_run),
                is_mirror: objection.is_mirror,
                is_of_accepted: false,
                position: of.position.unwrap_or_default(),
                rule: &|| of.title(),
                reason: &|fate| {
                    let reason = (objection.reason)(fate);
                    match cause() {
                        Some(cause) => because(reason, cause),
                        None => reason,
                    }
                },
            },
            &mut judged.findings,
        );
    });
    passes
}

/// With why the image is not pulled from its mirror.
#[cold]
fn because(mut reason: Reason, cause: Reason) -> Reason {
    reason.problem += ": ";
    reason.problem += &cause.problem;
    Reason {
        advice: cause.advice.or(reason.advice),
        ..reason
    }
}

/// Whether a list is against an image since it is not pulled from its mirror.
#[cold]
fn is_because(
    lists: &Lists<'_, '_>,
    written: &Reference<'_>,
    mirror: Option<&Reference<'_>>,
    code: Code,
) -> bool {
    // These two see it as it is written, whatever it runs as.
    if matches!(code, Code::ImageRejected | Code::DigestRequired) {
        return false;
    }
    if mirror.is_none() {
        return true;
    }
    let mut is_because = true;
    let seen = check::Seen {
        written,
        mirrored: mirror,
        instead: None,
        field: None,
        would_pass: &|_, _| false,
    };
    check::image(&seen, lists, &mut |_, objection| {
        is_because &= objection.code != code;
    });
    is_because
}

/// Whether an image would pass if it were written instead: as it is, and as its mirror where it has
/// one. The list that a code is of must not even warn.
#[cold]
fn would_pass(
    lists: &Lists<'_, '_>,
    mirrors: &Mirrors<'_, '_, '_, '_>,
    image: &Reference<'_>,
    code: Option<Code>,
) -> bool {
    let mut text = String::new();
    let Ok(mirrored) = mirrors.of(image, &mut text) else {
        return false;
    };
    passes(lists, image, None, code)
        && mirrored.is_none_or(|mirrored| passes(lists, image, Some(&mirrored), code))
}

/// Whether no list refuses an image, pulled from a mirror or not, and one does not even warn.
#[cold]
fn passes(
    lists: &Lists<'_, '_>,
    image: &Reference<'_>,
    mirrored: Option<&Reference<'_>>,
    code: Option<Code>,
) -> bool {
    let mut passes = true;
    let seen = check::Seen {
        written: image,
        mirrored,
        instead: None,
        field: None,
        // Nobody reads these objections.
        would_pass: &|_, _| false,
    };
    check::image(&seen, lists, &mut |_, objection| {
        passes &= objection.action == Action::Warn
            && code.is_none_or(|code| !code.is_of_the_section_of(objection.code));
    });
    passes
}
