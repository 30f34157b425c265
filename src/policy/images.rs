//! Holds every image of an object against the lists.

use crate::check;
use crate::exemption::Check;
use crate::image::Reference;
use crate::request::{Request, RequestError};
use crate::settings::Settings;
use crate::violation::Code;
use crate::workload::{self, Found, Object};

use super::Judged;
use super::exempted::Exempted;
use super::finding::{Finding, only_warn};

/// Adds the images that only the settings know to those that an object shows by its shape.
pub(super) fn add(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &mut Object<'_>,
) -> Result<(), RequestError> {
    workload::add_images(&settings.image_paths, object, &request.kind)
        .map_err(|error| RequestError::unreadable("request.object", &error))
}

/// Everything wrong with the images of an object that no exemption covers.
pub(super) fn judge(
    settings: &Settings<'_>,
    object: &Object<'_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) {
    let Some(strictest) = settings.strictest() else {
        return;
    };
    let findings = &mut judged.findings;
    for found in &object.found {
        let image = match found {
            Found::Image(image) => image,
            Found::Malformed(malformed) => {
                if !exempted.cover(Check::Images, None) {
                    findings.push(Finding::malformed(malformed, strictest));
                }
                continue;
            }
        };
        let first = findings.len();
        match Reference::parse(&image.text) {
            Err(error) => {
                if !exempted.cover(Check::Images, None) {
                    findings.push(Finding::image(
                        image,
                        &image.text,
                        Code::ImageUnparsable,
                        strictest,
                        format!("it is no image reference: {error}"),
                    ));
                }
            }
            Ok(reference) => check::image(&reference, settings, &mut |objection| {
                if !exempted.cover(Check::Images, Some(&reference)) {
                    findings.push(Finding::image(
                        image,
                        &reference.to_string(),
                        objection.code,
                        objection.action,
                        objection.problem,
                    ));
                }
            }),
        }
        if image.is_filled_in_by_istio() {
            // One warning says enough.
            findings.truncate(first + 1);
            only_warn(findings, first);
        }
    }
}
