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

/// An image as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'i, 't> {
    /// As it was written.
    pub(crate) written: &'i Reference<'t>,
    /// As it will run, where it is pulled from a mirror.
    pub(crate) mirrored: Option<&'i Reference<'i>>,
    /// Its mirror, where it is not pulled from there: what may be written instead.
    pub(crate) instead: Option<&'i Reference<'i>>,
}

impl Seen<'_, '_> {
    /// What is held against both: a mirror must not launder an image that must not run.
    fn find_in_both<T>(
        &self,
        mut find: impl FnMut(&Reference<'_>) -> Option<T>,
    ) -> Option<(T, bool)> {
        find(self.written)
            .map(|found| (found, false))
            .or_else(|| self.mirrored.and_then(find).map(|found| (found, true)))
    }
}

/// What a rule has against an image.
pub(crate) struct Objection<'p> {
    pub(crate) code: Code,
    pub(crate) action: Action,
    /// It is about the image's mirror.
    pub(crate) is_mirror: bool,
    /// What is wrong, and what to write instead.
    pub(crate) problem: &'p dyn Fn() -> String,
}

/// Where a rule puts what it objects to.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Objection<'_>);

/// Holds one image against every list of the settings, in their order.
///
/// `images.reject` and `digests.require` see it as it was written and as it will run, everything else
/// only as it will run.
pub(crate) fn image(seen: &Seen<'_, '_>, settings: &Settings<'_>, object: Sink<'_>) {
    registries::check(seen, &settings.registries, object);
    images::check(seen, &settings.images, object);
    tags::check(seen, &settings.tags, object);
    digests::check(seen, &settings.digests, object);
}
