//! The images of an object, before and after.

use rollout_guard::json::Location;
use rollout_guard::request::Request;
use rollout_guard::settings::Settings;
use rollout_guard::workload::Found;

/// An image in an object.
pub(super) struct Image {
    /// The container or volume, as a message tells it.
    pub(super) told: String,
    /// Where its text stands in the object.
    pub(super) place: Location<'static>,
    pub(super) text: String,
}

/// Every image of a request, as the policy finds them.
pub(super) fn find(settings: &Settings<'_>, request: &Request<'_>) -> Vec<Image> {
    let Some(mut object) = request.object.clone() else {
        return Vec::new();
    };
    settings.image_places.add_images(&mut object, &request.kind);
    let images = object.found.iter().filter_map(|found| match found {
        Found::Image(image) => Some(Image {
            told: image.told_place(),
            place: image.exact_place().detached(),
            text: image.text.to_string(),
        }),
        Found::Malformed(_) => None,
    });
    images.collect()
}
