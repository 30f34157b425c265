//! What an image comes to when it runs.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::exemption::Check;
use crate::image::Reference;
use crate::json::position;
use crate::mirror::{self, Mirrored, Rewrite};
use crate::request::{Operation, Request};
use crate::selector::Selector;
use crate::settings::Settings;
use crate::workload::{Found, ImageField, Object, Source};

use super::is_filled_in_by_istio;

/// The old object of a request, read once, and not before it is needed.
#[derive(Default)]
pub(super) struct Old<'a> {
    object: OnceCell<Option<Object<'a>>>,
    /// What each of its containers and volumes runs. A set would be a map of its own in the module.
    images: OnceCell<BTreeMap<String, usize>>,
}

impl<'a> Old<'a> {
    fn object(&self, request: &Request<'a>) -> Option<&Object<'a>> {
        let read = || {
            let text = request.old_object?;
            Object::read(text, &request.kind).ok()
        };
        self.object.get_or_init(read).as_ref()
    }

    /// Whether it runs the mirror in that container, so that the image becomes it again.
    fn runs(&self, request: &Request<'a>, image: &ImageField<'_>, mirrored: &str) -> bool {
        let read = || {
            let mut images = BTreeMap::new();
            for found in self.object(request).map_or(&[][..], |old| &old.found) {
                if let Found::Image(image) = found {
                    images.insert(pair(image, &as_written(image)), 1);
                }
            }
            images
        };
        let images = self.images.get_or_init(read);
        images.contains_key(&pair(image, mirrored))
    }
}

/// A container or volume and what it runs.
fn pair(image: &ImageField<'_>, runs: &str) -> String {
    [runs, &image.pairing()].join(" ")
}

/// The image in the one spelling that `changes` and `drift` compare: two images that come to the
/// same, be it from a mirror, are no change. What is no reference stays as it is written.
///
/// A Pod runs what it says, but for the images that this request rewrites.
pub(super) fn as_it_will_run<'a>(
    settings: &Settings<'_>,
    request: &Request<'a>,
    object: &Object<'a>,
    image: &ImageField<'_>,
    old: &Old<'a>,
) -> String {
    let is_pod = request.kind.is_pod();
    let is_old = is_in(request.old_object, image);
    let is_written = is_pod && (is_old || request.user.is_none());
    let mirrored = if is_written {
        None
    } else {
        let judged = if is_old { old.object(request) } else { None };
        let judged = judged.unwrap_or(object);
        mirrored(settings, request, judged, image)
    };
    match mirrored {
        Some(mirrored)
            if !is_pod
                || request.operation == Operation::Create
                || old.runs(request, image, &mirrored) =>
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

/// The mirror that the image of an object is pulled from, wherever it stands.
pub(super) fn mirrored(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
) -> Option<String> {
    let is_left = settings.rewrite == Rewrite::Never
        || image.is_never_pulled
        || is_filled_in_by_istio(request, image)
        || (image.source == Source::Path && settings.rewrite == Rewrite::Pods);
    if is_left || settings.mirrors.is_empty() {
        return None;
    }
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

/// Whether an image stands in a part of the payload.
fn is_in(text: Option<&str>, image: &ImageField<'_>) -> bool {
    text.is_some_and(|text| {
        (position(text)..position(text) + text.len()).contains(&position(image.raw))
    })
}
