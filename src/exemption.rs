//! What the rules do not apply to.

mod read;

use std::borrow::Cow;

use crate::image::Reference;
use crate::pattern::{ImagePattern, Sense};
use crate::selector::Selector;

pub(crate) use read::read;

/// A part of the policy that an exemption can lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `registries`, `images`, `tags` and `digests`.
    Images,
    /// `mirrors`.
    Mirrors,
    /// `annotations`.
    Annotations,
    /// `changes`.
    Changes,
    /// `drift`.
    Drift,
}

impl Check {
    /// Whether it judges images, so that an exemption for some images can lift it.
    pub(crate) const fn is_about_images(self) -> bool {
        matches!(self, Self::Images | Self::Mirrors)
    }

    /// Every check, by the name that settings use.
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("images", Self::Images),
        ("mirrors", Self::Mirrors),
        ("annotations", Self::Annotations),
        ("changes", Self::Changes),
        ("drift", Self::Drift),
    ];
}

/// An item of `exemptions`.
#[derive(Clone, Debug)]
pub struct Exemption<'a> {
    /// The name, as audit annotations give it.
    pub name: Cow<'a, str>,
    /// Which requests.
    pub selector: Selector<'a>,
    /// Which images of them; all if there are none.
    pub images: Vec<ImagePattern<'a>>,
    /// Which checks.
    pub checks: Vec<Check>,
}

impl Exemption<'_> {
    /// Whether it covers an image; one that does not parse is covered only where all are, and one with
    /// placeholders where whatever they become is.
    pub(crate) fn covers(&self, image: Option<&Reference<'_>>) -> bool {
        let covers = |image: &Reference<'_>| {
            let is_open = image.is_open();
            let sense = if is_open { Sense::Reject } else { Sense::Allow };
            let mut patterns = self.images.iter();
            patterns.any(|pattern| pattern.matches(image, sense))
        };
        self.images.is_empty() || image.is_some_and(covers)
    }
}
