//! What is asked of a request again and again: its settings, and the object as it was, read once and not before
//! somebody asks.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::hashing::{ByHash, hash_of};
use crate::json::{Step, lookup};
use crate::registry::Registry;
use crate::request::{Operation, Request, RequestError};
use crate::settings::Settings;
use crate::workload::{Found, ImageField, Object};

/// A request with the settings that it is judged by.
pub(super) struct Context<'p, 's, 'r> {
    pub(super) settings: &'p Settings<'s>,
    pub(super) request: &'p Request<'r>,
    /// So many findings are told of an object; the others are counted.
    pub(super) most: usize,
    /// The object as it was, or why it cannot be read.
    old: OnceCell<Result<Object<'r>, String>>,
    /// Where in it the image of a container or volume is found, by the hash of what it is paired by.
    images_before: OnceCell<ByHash>,
    /// What placeholders in images of this kind begin with.
    placeholders: OnceCell<&'static str>,
}

/// Which object is judged.
#[derive(Clone, Copy)]
pub(super) enum Subject<'p> {
    /// That of the request. This registry is asked about its images.
    New(&'p dyn Registry),
    /// The one before it, in which nothing changes.
    Old,
}

impl<'p, 's, 'r> Context<'p, 's, 'r> {
    pub(super) const fn new(
        settings: &'p Settings<'s>,
        request: &'p Request<'r>,
        most: usize,
    ) -> Self {
        Self {
            settings,
            request,
            most,
            old: OnceCell::new(),
            images_before: OnceCell::new(),
            placeholders: OnceCell::new(),
        }
    }

    /// Whether there is a rule about images, of which none goes through `status`.
    pub(super) fn has_images(&self) -> bool {
        !self.request.is_through_status() && self.settings.has_rules_about_images()
    }

    /// Adds the images in well-known and named places to those that an object shows by its shape.
    pub(super) fn add_images(&self, object: &mut Object<'_>) {
        if self.has_images() {
            self.settings
                .image_places
                .add_images(object, &self.request.kind);
        }
    }

    /// The object as it was, with its images; none where there is none.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(super) fn old(&self) -> Result<Option<&Object<'r>>, RequestError> {
        let Some(value) = self.request.old_object else {
            return Ok(None);
        };
        let read = || {
            let mut old = Object::read_up_to(value, &self.request.kind, self.most)?;
            if self.request.is_through_status() {
                old = old.through_status(None);
            }
            self.add_images(&mut old);
            Ok(old)
        };
        match self.old.get_or_init(read) {
            Ok(old) => Ok(Some(old)),
            Err(problem) => Err(RequestError::new("request.oldObject", problem.as_str())),
        }
    }

    /// The image of the same container or volume in the object as it was.
    pub(super) fn image_before(&self, image: &ImageField<'_>) -> Option<&ImageField<'r>> {
        let old = self.old().ok().flatten()?;
        let images = self.images_before.get_or_init(|| {
            let mut images = ByHash::default();
            images.reserve(old.found.len());
            for (position, found) in old.found.iter().enumerate() {
                if let Found::Image(image) = found {
                    images.entry(hash_of(&image.pairing())).or_insert(position);
                }
            }
            images
        });
        if images.is_empty() {
            return None;
        }
        match old.found.get(*images.get(&hash_of(&image.pairing()))?)? {
            Found::Image(image) => Some(image),
            Found::Malformed(_) => None,
        }
    }

    /// What placeholders begin with that are filled in later in objects of this kind, with spaces between them.
    pub(super) fn placeholders(&self) -> &'static str {
        let places = &self.settings.image_places;
        let placeholders = || places.placeholders(&self.request.kind);
        self.placeholders.get_or_init(placeholders)
    }

    /// Whether Istio's injector fills an image in. It does when a Pod is created; afterwards a node pulls the
    /// image of that name.
    pub(super) fn is_filled_in_by_istio(&self, image: &ImageField<'_>) -> bool {
        let request = self.request;
        image.is_istio_placeholder()
            && (request.operation == Operation::Create || !request.kind.is_pod())
    }

    /// Whether the object mirrors a static Pod, which runs whatever becomes of its mirror: its kubelet
    /// says so (annotation `kubernetes.io/config.mirror`), and it is the kubelet that says so.
    pub(super) fn is_static_pod(&self, object: &Object<'_>) -> bool {
        let is_nodes = |group: &Cow<'_, str>| group == "system:nodes";
        let user = self.request.user.as_ref();
        let annotation = [
            Step::key("annotations"),
            Step::key("kubernetes.io/config.mirror"),
        ];
        user.is_some_and(|user| user.groups.iter().any(is_nodes))
            && self.request.kind.is_pod()
            && object
                .metadata
                .is_some_and(|metadata| !lookup(metadata, &annotation).is_empty())
    }
}
