//! Holds every image of an object against the lists, as it will run.

use crate::check::{self, Seen};
use crate::exemption::Check;
use crate::image::Reference;
use crate::request::Request;
use crate::settings::Settings;
use crate::violation::{Action, Code};
use crate::workload::{self, Found, ImageField, Object};

use super::exempted::Exempted;
use super::finding::{self, Finding, only_warn};
use super::mirrors::{Asking, Cause, Mirrors, Runs};
use super::{Judged, is_filled_in_by_istio};

/// Adds the images that only the settings know to those that an object shows by its shape.
pub(super) fn add(settings: &Settings<'_>, request: &Request<'_>, object: &mut Object<'_>) {
    workload::add_images(&settings.image_paths, object, &request.kind);
}

/// Everything wrong with the images of an object that no exemption covers, and what is rewritten.
///
/// Images for which a registry must be asked come last, and nothing is asked any more once something
/// `refuses` the request.
pub(super) fn judge(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    mirrors: &mut Mirrors<'_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
    refuses: &mut dyn FnMut(&[Finding]) -> bool,
) {
    let strictest = settings.strictest().unwrap_or_default();
    let mut open = Vec::new();
    for found in &object.found {
        match found {
            Found::Image(image) => {
                if !one(settings, request, image, mirrors, exempted, judged) {
                    open.push(image);
                }
            }
            Found::Malformed(malformed) => {
                if !exempted.cover(Check::Images, None) {
                    judged
                        .findings
                        .push(Finding::malformed(Check::Images, malformed, strictest));
                }
            }
        }
    }
    if open.is_empty() {
        return;
    }
    let mut seen = 0;
    mirrors.asking = Asking::Now;
    for image in open {
        let new = judged.findings.get(seen..).unwrap_or_default();
        if mirrors.asking == Asking::Now && refuses(new) {
            mirrors.asking = Asking::Never;
        }
        seen = judged.findings.len();
        one(settings, request, image, mirrors, exempted, judged);
    }
    finding::sort(&mut judged.findings);
}

/// Judges one image; `false`, and nothing is noted, where a registry must be asked first.
fn one(
    settings: &Settings<'_>,
    request: &Request<'_>,
    image: &ImageField<'_>,
    mirrors: &mut Mirrors<'_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) -> bool {
    let first = judged.findings.len();
    match Reference::parse(&image.text) {
        Err(error) => {
            if !exempted.cover(Check::Images, None) {
                judged.findings.push(Finding::image(
                    image,
                    &image.text,
                    false,
                    Code::ImageUnparsable,
                    settings.strictest().unwrap_or_default(),
                    format!("it is no image reference: {error}"),
                ));
            }
        }
        Ok(written) => {
            let mut runs = mirrors.runs(image, &written, exempted);
            if runs.is_open {
                return false;
            }
            // What would be refused as well is no help.
            let instead = runs.instead.take();
            runs.instead = instead.filter(|mirror| {
                parsed(mirror).is_some_and(|mirror| passes(settings, &mirror, None, None))
            });
            held_against_lists(settings, image, &written, &runs, mirrors, exempted, judged);
            mirrors.change(image, &written, runs, exempted, judged, first);
        }
    }
    if is_filled_in_by_istio(request, image) {
        // One warning says enough.
        judged.findings.truncate(first + 1);
        only_warn(&mut judged.findings, first);
    }
    true
}

fn held_against_lists(
    settings: &Settings<'_>,
    image: &ImageField<'_>,
    written: &Reference<'_>,
    runs: &Runs,
    mirrors: &Mirrors<'_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) {
    let mirrored = runs.mirrored.as_deref().and_then(parsed);
    let would_pass = |image: &Reference<'_>, code| would_pass(settings, mirrors, image, code);
    let instead = runs.instead.as_deref().and_then(parsed);
    let seen = Seen {
        written,
        mirrored: mirrored.as_ref(),
        instead: instead.as_ref(),
        would_pass: &would_pass,
    };
    check::image(&seen, settings, &mut |mut objection| {
        if let Some(cause) = &runs.cause
            && is_because(settings, written, cause, objection.code)
        {
            objection.problem += ": ";
            objection.problem += &cause.text;
        }
        // What is rejected as it was written is exempt as that.
        let as_run = mirrored.as_ref().unwrap_or(written);
        let judged_as = if objection.is_mirror { as_run } else { written };
        if !exempted.cover(Check::Images, Some(judged_as)) {
            let mut finding = Finding::image(
                image,
                &as_run.to_string(),
                objection.is_mirror,
                objection.code,
                objection.action,
                objection.problem,
            );
            finding.outcome = objection.outcome.map(|outcome| (outcome, 0));
            judged.findings.push(finding);
        }
    });
}

/// Whether a list is against an image since it is not pulled from its mirror.
#[cold]
fn is_because(settings: &Settings<'_>, written: &Reference<'_>, cause: &Cause, code: Code) -> bool {
    // These two see it as it is written, whatever it runs as.
    if matches!(code, Code::ImageRejected | Code::DigestRequired) {
        return false;
    }
    let Some(mirrored) = cause.mirror.as_deref().and_then(parsed) else {
        return true;
    };
    let mut is_because = true;
    let seen = Seen {
        written,
        mirrored: Some(&mirrored),
        instead: None,
        would_pass: &|_, _| false,
    };
    check::image(&seen, settings, &mut |objection| {
        is_because &= objection.code != code;
    });
    is_because
}

/// Whether an image would pass if it were written instead: as it is, and as its mirror where it has
/// one. The list that a code is of must not even warn.
#[cold]
fn would_pass(
    settings: &Settings<'_>,
    mirrors: &Mirrors<'_, '_, '_>,
    image: &Reference<'_>,
    code: Code,
) -> bool {
    let Ok(mirror) = mirrors.of(image) else {
        return false;
    };
    let mirrored = mirror.as_deref().and_then(parsed);
    passes(settings, image, None, Some(code))
        && mirrored.is_none_or(|mirrored| passes(settings, image, Some(&mirrored), Some(code)))
}

/// Whether no list refuses an image, pulled from a mirror or not, and one does not even warn.
#[cold]
fn passes(
    settings: &Settings<'_>,
    image: &Reference<'_>,
    mirrored: Option<&Reference<'_>>,
    code: Option<Code>,
) -> bool {
    let mut passes = true;
    let seen = Seen {
        written: image,
        mirrored,
        instead: None,
        // Nobody reads these objections.
        would_pass: &|_, _| false,
    };
    check::image(&seen, settings, &mut |objection| {
        passes &= objection.action == Action::Warn
            && code.is_none_or(|code| !code.is_of_the_list_of(objection.code));
    });
    passes
}

/// A mirror; what does not parse was reported as that.
fn parsed(mirror: &str) -> Option<Reference<'_>> {
    Reference::parse(mirror).ok()
}
