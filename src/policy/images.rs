//! Holds every image of an object against the lists, as it will run.

use std::collections::HashSet;

use crate::check::{self, Seen};
use crate::exemption::Check;
use crate::image::Reference;
use crate::request::Request;
use crate::settings::Settings;
use crate::violation::{Action, Code};
use crate::workload::{self, Found, ImageField, Object};

use super::Judged;
use super::exempted::Exempted;
use super::finding::AboutImage;
use super::mirrors::{Mirrors, Runs};

/// Adds the images that only the settings know to those that an object shows by its shape.
pub(super) fn add(settings: &Settings<'_>, request: &Request<'_>, object: &mut Object<'_>) {
    workload::add_images(&settings.image_paths, object, &request.kind);
}

/// Everything wrong with the images of an object that no exemption covers, and what is rewritten.
pub(super) fn judge(
    settings: &Settings<'_>,
    object: &Object<'_>,
    mirrors: &mut Mirrors<'_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged<'_>,
) {
    let strictest = settings.strictest().unwrap_or_default();
    // An image that occurs again is judged once, where it has no mirror; a few are judged sooner than noted.
    let mut passed = (object.found.len() > FEW).then(HashSet::new);
    for found in &object.found {
        let image = match found {
            Found::Image(image) => image,
            Found::Malformed(malformed) => {
                if !exempted.cover(Check::Images, None) {
                    judged.findings.add_malformed(malformed, strictest);
                }
                continue;
            }
        };
        let is_known = |passed: &HashSet<&str>| passed.contains(image.text.as_ref());
        if settings.mirrors.is_empty() && passed.as_ref().is_some_and(is_known) {
            continue;
        }
        let mut put = Put::new(image);
        match Reference::parse(&image.text) {
            Err(error) => {
                if !exempted.cover(Check::Images, None) {
                    put.add(
                        &AboutImage {
                            code: Code::ImageUnparsable,
                            action: strictest,
                            runs: &image.text,
                            is_mirror: false,
                            is_of_accepted: false,
                            problem: &|| format!("it is no image reference: {error}"),
                        },
                        judged,
                    );
                }
            }
            Ok(written) => {
                let runs = mirrors.runs(image, &written, exempted);
                let is_clean =
                    held_against_lists(settings, &written, &runs, exempted, &mut put, judged);
                if is_clean && let Some(passed) = &mut passed {
                    passed.insert(image.text.as_ref());
                }
                mirrors.change(&written, runs, exempted, judged, &mut put);
            }
        }
    }
    if object.more_malformed > 0 && !exempted.cover(Check::Images, None) {
        judged
            .findings
            .add_more_malformed(object.more_malformed, strictest);
    }
}

/// So many images are judged without asking whether they occur twice.
const FEW: usize = 32;

/// Where findings about one image are put.
pub(super) struct Put<'i, 'r> {
    pub(super) image: &'i ImageField<'r>,
    /// Something refuses it.
    pub(super) is_refused: bool,
    is_filled_in_by_istio: bool,
    is_told: bool,
}

impl<'i, 'r> Put<'i, 'r> {
    fn new(image: &'i ImageField<'r>) -> Self {
        Self {
            image,
            is_refused: false,
            is_filled_in_by_istio: image.is_filled_in_by_istio(),
            is_told: false,
        }
    }

    pub(super) fn add(&mut self, about: &AboutImage<'_>, judged: &mut Judged<'_>) {
        self.is_refused |= about.action == Action::Reject;
        if !self.is_filled_in_by_istio {
            judged.findings.add_image(self.image, about);
        } else if !std::mem::replace(&mut self.is_told, true) {
            // One warning says enough.
            let action = Action::Warn;
            judged
                .findings
                .add_image(self.image, &AboutImage { action, ..*about });
        }
    }
}

/// Whether no list has anything against an image.
fn held_against_lists(
    settings: &Settings<'_>,
    written: &Reference<'_>,
    runs: &Runs,
    exempted: &mut Exempted<'_, '_, '_>,
    put: &mut Put<'_, '_>,
    judged: &mut Judged<'_>,
) -> bool {
    let mirrored = runs.mirrored.as_deref().and_then(parsed);
    // What would be refused as well is no help.
    let instead = runs.instead.as_deref().and_then(parsed);
    let instead = instead.filter(|instead| passes(settings, instead));
    let seen = Seen {
        written,
        mirrored: mirrored.as_ref(),
        instead: instead.as_ref(),
    };
    let mut passes = true;
    check::image(&seen, settings, &mut |objection| {
        passes = false;
        // What is rejected as it was written is exempt as that.
        let as_run = mirrored.as_ref().unwrap_or(written);
        let judged_as = if objection.is_mirror { as_run } else { written };
        if !exempted.cover(Check::Images, Some(judged_as)) {
            put.add(
                &AboutImage {
                    code: objection.code,
                    action: objection.action,
                    runs: as_run,
                    is_mirror: objection.is_mirror,
                    is_of_accepted: false,
                    problem: objection.problem,
                },
                judged,
            );
        }
    });
    passes
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
