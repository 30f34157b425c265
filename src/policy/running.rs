//! What an image comes to when it runs.

use crate::image::Reference;
use crate::workload::ImageField;

/// The image in the one spelling that `changes` and `drift` compare: two images that come to the
/// same are no change. What is no reference stays as it is written.
pub(super) fn as_it_will_run(image: &ImageField<'_>) -> String {
    match Reference::parse(&image.text) {
        Ok(reference) => reference.to_string(),
        Err(_) => image.text.clone().into_owned(),
    }
}
