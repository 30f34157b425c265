//! The checks, one rule a file.
//!
//! A rule looks at what it is given and says what is wrong, in words and with a code. Where that
//! stands, whether it is new and what becomes of it is [`policy`](crate::policy)'s business.

mod digests;
mod images;
mod registries;
mod tags;

use crate::image::Reference;
use crate::settings::Settings;
use crate::shown::one_of;
use crate::violation::{Action, Code};

/// What a rule has against an image.
#[derive(Clone, Debug)]
pub(crate) struct Objection {
    pub(crate) code: Code,
    pub(crate) action: Action,
    pub(crate) problem: String,
}

/// Holds one image against every list of the settings, in their order.
pub(crate) fn image(
    image: &Reference<'_>,
    settings: &Settings<'_>,
    object: &mut impl FnMut(Objection),
) {
    registries::check(image, &settings.registries, object);
    images::check(image, &settings.images, object);
    tags::check(image, &settings.tags, object);
    digests::check(image, &settings.digests, object);
}
