//! What an image comes to when it runs.

use crate::image::Reference;
use crate::mirror::{self, Mirrored, Rewrite};
use crate::request::Request;
use crate::settings::Settings;
use crate::workload::{ImageField, Object};

/// The image in the one spelling that `changes` and `drift` compare: two images that come to the
/// same, be it from a mirror, are no change. What is no reference stays as it is written.
pub(super) fn as_it_will_run(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    image: &ImageField<'_>,
) -> String {
    let Ok(reference) = Reference::parse(&image.text) else {
        return image.text.to_string();
    };
    let is_left = settings.rewrite == Rewrite::Never
        || image.is_never_pulled
        || image.is_filled_in_by_istio();
    let mirror = mirror::find(&settings.mirrors, &reference, |mirror| {
        !is_left && mirror.selector.matches(request, object)
    });
    if let Some(Mirrored::To(text)) = mirror.map(|mirror| mirror.mirrored(&reference))
        && let Ok(mirrored) = Reference::parse(&text)
    {
        return mirrored.to_string();
    }
    reference.to_string()
}
