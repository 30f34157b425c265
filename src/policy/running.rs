//! What an image comes to when it runs.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::exemption::Check;
use crate::image::Reference;
use crate::mirror::{self, Mirrored, Rewrite};
use crate::request::{Operation, Request};
use crate::selector::Selector;
use crate::settings::Settings;
use crate::workload::{Found, ImageField, Object, Source};

use super::{is_filled_in_by_istio, mirrors};

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
            let value = request.old_object?;
            Object::read(value, &request.kind).ok()
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

/// What is taken of a mirror that a registry has to be asked for first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unasked {
    /// The registry has it.
    There,
    /// Nobody knows: the image is compared as it is written, unless it is restored without asking.
    Unknown,
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
    unasked: Unasked,
) -> String {
    let is_pod = request.kind.is_pod();
    let is_old = request.old_object.is_some_and(|old| old.holds(image.raw));
    let is_written = is_pod && (is_old || request.user.is_none());
    let mirrored = if is_written {
        None
    } else {
        let judged = if is_old { old.object(request) } else { None };
        let judged = judged.unwrap_or(object);
        find(settings, request, judged, image)
    };
    let is_rewritten = |mirrored: &Pulled| {
        if is_pod {
            request.operation == Operation::Create || old.runs(request, image, &mirrored.from)
        } else {
            !mirrored.is_asked
                || unasked == Unasked::There
                || (mirrors::edits_what_changes(settings.rewrite, request, object)
                    && old.runs(request, image, &mirrored.from))
        }
    };
    match mirrored {
        Some(mirrored) if is_rewritten(&mirrored) => mirrored.from,
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

/// The mirror that an image is pulled from.
struct Pulled {
    from: String,
    /// Whether its registry is asked for it first.
    is_asked: bool,
}

/// The mirror that the image of an object is pulled from, wherever it stands.
pub(super) fn mirrored(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
) -> Option<String> {
    find(settings, request, object, image).map(|pulled| pulled.from)
}

fn find(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
) -> Option<Pulled> {
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
        Mirrored::To(text) if !is_exempt => Some(Pulled {
            from: Reference::parse(&text).ok()?.to_string(),
            is_asked: mirror.check_exists,
        }),
        _ => None,
    }
}
