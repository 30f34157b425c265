//! What an image comes to when it runs.

use std::cell::OnceCell;

use crate::exemption::Check;
use crate::hashing::Seen;
use crate::image::Reference;
use crate::mirror::{self, Mirrored, Rewrite};
use crate::request::Operation;
use crate::workload::{Found, ImageField, Object, Source};

use super::applies::Applies;
use super::context::Context;
use super::{is_filled_in_by_istio, mirrors};

/// What is taken of a mirror that a registry has to be asked for first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unasked {
    /// The registry has it.
    There,
    /// Nobody knows: the image is compared as it is written, unless it is restored without asking.
    Unknown,
}

/// The mirror that an image is pulled from.
struct Pulled {
    from: String,
    /// Whether its registry is asked for it first.
    is_asked: bool,
}

/// The images of an object, of the old one and of what was last applied, as they run.
pub(super) struct Running<'p, 's, 'c, 'r> {
    context: &'p Context<'p, 's, 'c>,
    object: &'p Object<'r>,
    applies: Applies,
    old_applies: Applies,
    /// What each of its containers and volumes runs.
    old_images: OnceCell<Seen>,
    /// Whether images become those that the old object runs, where that is their mirror.
    edits_what_changes: OnceCell<bool>,
}

impl<'p, 's, 'c, 'r> Running<'p, 's, 'c, 'r> {
    pub(super) fn new(context: &'p Context<'p, 's, 'c>, object: &'p Object<'r>) -> Self {
        Self {
            context,
            object,
            applies: Applies::new(context.settings),
            old_applies: Applies::new(context.settings),
            old_images: OnceCell::new(),
            edits_what_changes: OnceCell::new(),
        }
    }

    fn old(&self) -> Option<&Object<'c>> {
        self.context.old().ok().flatten()
    }

    /// Whether the old object runs the mirror in that container, so that the image becomes it again.
    fn ran(&self, image: &ImageField<'_>, mirrored: &str) -> bool {
        let images = self.old_images.get_or_init(|| {
            let mut images = Seen::default();
            for found in self.old().map_or(&[][..], |old| &old.found) {
                if let Found::Image(image) = found {
                    let written = as_written(image);
                    let pair = (image.pairing(), written.as_str());
                    images.insert(&pair);
                }
            }
            images
        });
        images.contains(&(image.pairing(), mirrored))
    }

    /// The image in the one spelling that `changes` and `drift` compare: two images that come to the
    /// same, be it from a mirror, are no change. What is no reference stays as it is written.
    ///
    /// A Pod runs what it says, but for the images that this request rewrites.
    pub(super) fn as_it_will_run(&self, image: &ImageField<'_>, unasked: Unasked) -> String {
        let request = self.context.request;
        let is_pod = request.kind.is_pod();
        let is_old = request.old_object.is_some_and(|old| old.holds(image.raw));
        let is_written = is_pod && (is_old || request.user.is_none());
        let mirrored = match (is_written, self.old()) {
            (true, _) => None,
            (false, Some(old)) if is_old => self.mirrored_in(old, &self.old_applies, image),
            (false, _) => self.mirrored_in(self.object, &self.applies, image),
        };
        let is_rewritten = |mirrored: &Pulled| {
            if is_pod {
                request.operation == Operation::Create || self.ran(image, &mirrored.from)
            } else {
                !mirrored.is_asked
                    || unasked == Unasked::There
                    || (self.edits_what_changes() && self.ran(image, &mirrored.from))
            }
        };
        match mirrored {
            Some(mirrored) if is_rewritten(&mirrored) => mirrored.from,
            _ => as_written(image),
        }
    }

    fn edits_what_changes(&self) -> bool {
        let edits = || {
            let (settings, request) = (self.context.settings, self.context.request);
            mirrors::edits_what_changes(settings.rewrite, request, self.object)
        };
        *self.edits_what_changes.get_or_init(edits)
    }

    /// The mirror that an image is pulled from, wherever it stands.
    pub(super) fn mirrored(&self, image: &ImageField<'_>) -> Option<String> {
        let pulled = self.mirrored_in(self.object, &self.applies, image);
        pulled.map(|pulled| pulled.from)
    }

    fn mirrored_in(
        &self,
        object: &Object<'_>,
        applies: &Applies,
        image: &ImageField<'_>,
    ) -> Option<Pulled> {
        let (settings, request) = (self.context.settings, self.context.request);
        let is_left = settings.rewrite == Rewrite::Never
            || image.is_never_pulled
            || is_filled_in_by_istio(request, image)
            || (image.source == Source::Path && settings.rewrite == Rewrite::Pods);
        if is_left || settings.mirrors.is_empty() {
            return None;
        }
        let reference = Reference::parse(&image.text).ok()?;
        let mirror = mirror::find(&settings.mirrors, &reference, |index, mirror| {
            applies.mirror(index, &mirror.selector, request, object)
        })?;
        let mut exemptions = settings.exemptions.iter().enumerate();
        let is_exempt = exemptions.any(|(index, exemption)| {
            exemption.checks.contains(&Check::Mirrors)
                && exemption.covers(Some(&reference))
                && applies.exemption(index, &exemption.selector, request, object)
        });
        match mirror.mirrored(&reference) {
            Mirrored::To(text) if !is_exempt => Some(Pulled {
                from: Reference::parse(&text).ok()?.text(),
                is_asked: mirror.check_exists,
            }),
            _ => None,
        }
    }
}

/// The image as it is written, in its normal form.
pub(super) fn as_written(image: &ImageField<'_>) -> String {
    match Reference::parse(&image.text) {
        Ok(reference) => reference.text(),
        Err(_) => image.text.to_string(),
    }
}
