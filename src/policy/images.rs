//! Holds every image of an object against the lists, as it will run.

use crate::check::{self, Seen};
use crate::exemption::Check;
use crate::image::Reference;
use crate::request::Request;
use crate::settings::Settings;
use crate::violation::{Action, Code};
use crate::workload::{self, Found, ImageField, Object};

use super::exempted::Exempted;
use super::finding::{Finding, only_warn};
use super::mirrors::{Mirrors, Runs};
use super::{Judged, is_filled_in_by_istio};

/// Adds the images that only the settings know to those that an object shows by its shape.
pub(super) fn add(settings: &Settings<'_>, request: &Request<'_>, object: &mut Object<'_>) {
    workload::add_images(&settings.image_paths, object, &request.kind);
}

/// Everything wrong with the images of an object that no exemption covers, and what is rewritten.
pub(super) fn judge(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    mirrors: &mut Mirrors<'_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) {
    let strictest = settings.strictest().unwrap_or_default();
    for found in &object.found {
        let image = match found {
            Found::Image(image) => image,
            Found::Malformed(malformed) => {
                if !exempted.cover(Check::Images, None) {
                    judged
                        .findings
                        .push(Finding::malformed(Check::Images, malformed, strictest));
                }
                continue;
            }
        };
        let first = judged.findings.len();
        match Reference::parse(&image.text) {
            Err(error) => {
                if !exempted.cover(Check::Images, None) {
                    judged.findings.push(Finding::image(
                        image,
                        &image.text,
                        false,
                        Code::ImageUnparsable,
                        strictest,
                        format!("it is no image reference: {error}"),
                    ));
                }
            }
            Ok(written) => {
                let runs = mirrors.runs(image, &written, exempted);
                held_against_lists(settings, image, &written, &runs, exempted, judged);
                mirrors.change(image, &written, runs, exempted, judged, first);
            }
        }
        if is_filled_in_by_istio(request, image) {
            // One warning says enough.
            judged.findings.truncate(first + 1);
            only_warn(&mut judged.findings, first);
        }
    }
}

fn held_against_lists(
    settings: &Settings<'_>,
    image: &ImageField<'_>,
    written: &Reference<'_>,
    runs: &Runs,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) {
    let mirrored = runs.mirrored.as_deref().and_then(parsed);
    // What would be refused as well is no help.
    let instead = runs.instead.as_deref().and_then(parsed);
    let instead = instead.filter(|instead| passes(settings, instead));
    let seen = Seen {
        written,
        mirrored: mirrored.as_ref(),
        instead: instead.as_ref(),
    };
    check::image(&seen, settings, &mut |objection| {
        // What is rejected as it was written is exempt as that.
        let as_run = mirrored.as_ref().unwrap_or(written);
        let judged_as = if objection.is_mirror { as_run } else { written };
        if !exempted.cover(Check::Images, Some(judged_as)) {
            judged.findings.push(Finding::image(
                image,
                &as_run.to_string(),
                objection.is_mirror,
                objection.code,
                objection.action,
                objection.problem,
            ));
        }
    });
}

/// Whether no list refuses an image.
fn passes(settings: &Settings<'_>, image: &Reference<'_>) -> bool {
    let mut passes = true;
    let seen = Seen {
        written: image,
        mirrored: None,
        instead: None,
    };
    check::image(&seen, settings, &mut |objection| {
        passes &= objection.action == Action::Warn;
    });
    passes
}

/// A mirror; what does not parse was reported as that.
fn parsed(mirror: &str) -> Option<Reference<'_>> {
    Reference::parse(mirror).ok()
}
