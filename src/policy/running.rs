//! What an image comes to when it runs.

use crate::exemption::Check;
use crate::image::Reference;
use crate::json::position;
use crate::mirror::{self, Mirrored, Rewrite};
use crate::request::{Operation, Request};
use crate::selector::Selector;
use crate::settings::Settings;
use crate::workload::{Found, ImageField, Object, Source};

/// The image in the one spelling that `changes` and `drift` compare: two images that come to the
/// same, be it from a mirror, are no change. What is no reference stays as it is written.
///
/// A Pod runs what it says, but for the images that this request rewrites.
pub(super) fn as_it_will_run(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
) -> String {
    let is_pod = request.kind.is_pod();
    let is_old = is_in(request.old_object, image);
    let is_written = is_pod && (is_old || request.user.is_none());
    let mirrored = if is_written {
        None
    } else {
        mirrored(settings, request, object, image, is_old)
    };
    match mirrored {
        Some(mirrored)
            if !is_pod
                || request.operation == Operation::Create
                || is_restored(request, image, &mirrored) =>
        {
            mirrored
        }
        _ => as_written(image),
    }
}

/// The image as it is written, in its normal form.
pub(super) fn as_written(image: &ImageField<'_>) -> String {
    match Reference::parse(&image.text) {
        Ok(reference) => reference.to_string(),
        Err(_) => image.text.to_string(),
    }
}

/// The mirror that the image is pulled from, wherever it stands.
pub(super) fn mirrored(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
    is_old: bool,
) -> Option<String> {
    let is_left = settings.rewrite == Rewrite::Never
        || image.is_never_pulled
        || image.is_filled_in_by_istio()
        || (image.source == Source::Path && settings.rewrite == Rewrite::Pods);
    if is_left || settings.mirrors.is_empty() {
        return None;
    }
    let old = request
        .old_object
        .filter(|_| is_old)
        .and_then(|text| Object::read(text, &request.kind).ok());
    let object = old.as_ref().unwrap_or(object);
    let reference = Reference::parse(&image.text).ok()?;
    let mirror = mirror::find(&settings.mirrors, &reference, |mirror| {
        mirror.selector == Selector::default() || mirror.selector.matches(request, object)
    })?;
    let is_exempt = settings.exemptions.iter().any(|exemption| {
        exemption.checks.contains(&Check::Mirrors)
            && exemption.covers(Some(&reference))
            && exemption.selector.matches(request, object)
    });
    match mirror.mirrored(&reference) {
        Mirrored::To(text) if !is_exempt => Some(Reference::parse(&text).ok()?.to_string()),
        _ => None,
    }
}

/// Whether the old object runs the mirror in that container, so that the image becomes it again.
fn is_restored(request: &Request<'_>, image: &ImageField<'_>, mirrored: &str) -> bool {
    let old = request
        .old_object
        .and_then(|text| Object::read(text, &request.kind).ok());
    old.is_some_and(|old| {
        old.found.iter().any(|found| match found {
            Found::Image(old) => old.pairing() == image.pairing() && as_written(old) == mirrored,
            Found::Malformed(_) => false,
        })
    })
}

/// Whether an image stands in a part of the payload.
fn is_in(text: Option<&str>, image: &ImageField<'_>) -> bool {
    text.is_some_and(|text| {
        (position(text)..position(text) + text.len()).contains(&position(image.raw))
    })
}
