//! What was found in an object.

use std::borrow::Cow;

use crate::json::{Kind, Location, Position, Step, Value};
use crate::kind::GroupKind;
use crate::shown::{Quoted, is_private};

use super::walk;

/// An object of a request, with the images in it. Borrows from the payload.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// The object as it was written.
    pub(crate) value: Value<'a>,
    /// The object's own `metadata`.
    pub(crate) metadata: Option<Value<'a>>,
    /// There is more than one `metadata`, and this is the last.
    pub(crate) is_metadata_repeated: bool,
    /// The images, and what has the wrong JSON type, in the order of the document.
    pub found: Vec<Found<'a>>,
    /// The object of before, whose members but for `metadata` a write through `status` leaves as they are.
    before: Option<Value<'a>>,
    /// The pod templates: what holds a `spec` with a list of `containers`, but not the object itself.
    pub templates: Vec<Location<'a>>,
}

/// What a walk over an object finds.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// An image.
    Image(ImageField<'a>),
    /// A member of the wrong JSON type.
    Malformed(Malformed<'a>),
}

/// Where an image stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `image` of an element of a list of containers.
    Container,
    /// `image.reference` of an element of a list of volumes.
    Volume,
    /// Where the settings' `imagePaths` say.
    Path,
}

/// An image in an object.
#[derive(Clone, Debug)]
pub struct ImageField<'a> {
    /// The string as it was written.
    pub(crate) raw: Value<'a>,
    /// What it is the image of.
    pub source: Source,
    /// The container or volume, or with [`Source::Path`] the image itself.
    pub place: Location<'a>,
    /// The container's or volume's name.
    pub name: Option<Cow<'a, str>>,
    /// The image as written.
    pub text: Cow<'a, str>,
    /// Nodes never pull it: its pull policy is `Never`.
    pub is_never_pulled: bool,
}

/// A member of the wrong JSON type.
#[derive(Clone, Debug)]
pub struct Malformed<'a> {
    /// The member as it was written.
    pub(crate) raw: Value<'a>,
    /// Where it is; empty for the object itself.
    pub place: Location<'a>,
    /// The type that belongs there.
    pub expected: Kind,
    /// The type that was found.
    pub found: Kind,
}

impl<'a> Object<'a> {
    /// No object at all.
    pub(crate) const NONE: Object<'static> = Object::new(Value::NULL);

    /// An object in which nothing has been looked for yet.
    pub(super) const fn new(value: Value<'a>) -> Self {
        Self {
            value,
            before: None,
            metadata: None,
            is_metadata_repeated: false,
            found: Vec::new(),
            templates: Vec::new(),
        }
    }

    /// Finds what is in an object.
    ///
    /// # Errors
    ///
    /// Where it is nested too deep.
    pub(crate) fn read(value: Value<'a>, kind: &GroupKind<'_>) -> Result<Self, String> {
        walk::read(value, kind)
    }

    /// The object that a write through `status` makes of the `old` one, as far as rules judge it: the old one
    /// with other annotations and labels, without images and templates. Where there is no old one, all is new.
    pub(crate) fn through_status(self, old: Option<&Self>) -> Self {
        Self {
            before: old.map(|old| old.value),
            found: Vec::new(),
            templates: Vec::new(),
            ..self
        }
    }

    /// The object that a member of this one is in.
    pub(crate) fn holder(&self, key: &str) -> Value<'a> {
        self.before
            .filter(|_| key != "metadata")
            .unwrap_or(self.value)
    }

    /// Every image, in the order of the document.
    pub(crate) fn images(&self) -> Vec<&ImageField<'a>> {
        let found = self.found.iter().filter_map(|found| match found {
            Found::Image(image) => Some(image),
            Found::Malformed(_) => None,
        });
        found.collect()
    }
}

impl Found<'_> {
    /// Where it stands in the input.
    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Image(image) => image.raw.position(),
            Self::Malformed(malformed) => malformed.raw.position(),
        }
    }
}

impl<'a> ImageField<'a> {
    /// The pod template around a container or volume: none around those of a Pod itself, nor where
    /// the list is not in a `spec`.
    pub(crate) fn pod_template(&self) -> Option<&[Step<'a>]> {
        match self.place.steps() {
            [template @ .., Step::Key(spec), Step::Key(_), Step::Index(_)]
                if spec == "spec" && !template.is_empty() =>
            {
                Some(template)
            }
            _ => None,
        }
    }

    /// Whether this is what Istio's templates have where its injector fills the image in. An ephemeral
    /// container is added to a Pod that it is done with.
    pub(crate) fn is_istio_placeholder(&self) -> bool {
        self.source == Source::Container
            && self.text == "auto"
            && self.name.as_deref() == Some("istio-proxy")
            && !self.is_ephemeral()
    }

    /// Whether it is the image of an ephemeral container.
    pub(crate) fn is_ephemeral(&self) -> bool {
        matches!(self.place.steps(), [.., Step::Key(list), Step::Index(_)] if list == "ephemeralContainers")
    }

    /// Whether it is a text among an object's data that only the settings call an image: no message
    /// shows it.
    pub(crate) fn is_private(&self) -> bool {
        self.source == Source::Path && is_private(self.place.steps())
    }

    /// Where the text of the image stands.
    pub fn exact_place(&self) -> Location<'a> {
        let mut steps = self.place.steps().to_vec();
        let below: &[&str] = match self.source {
            Source::Container => &["image"],
            Source::Volume => &["image", "reference"],
            Source::Path => &[],
        };
        steps.extend(below.iter().map(|key| Step::key(key)));
        Location(steps)
    }

    /// The container or volume, as a message tells it.
    pub fn told_place(&self) -> String {
        match &self.name {
            Some(name) => format!("{} \"{}\"", self.place, Quoted(name)),
            None => self.place.to_string(),
        }
    }

    /// What pairs it with the image in another object: the list and the name, else the place.
    pub(crate) fn paired_by(&self) -> String {
        match &self.name {
            Some(name) => format!("{:#} {name}", self.list()),
            None => format!("{:#}", self.exact_place()),
        }
    }

    /// What makes a container or volume of the old object and one of the new object the same: its
    /// list and name, or where it has none its place.
    pub(crate) fn pairing(&self) -> String {
        match &self.name {
            Some(name) => format!("{:#} {} {name}", self.list(), name.len()),
            None => format!("{:#}", self.place),
        }
    }

    /// The list that a container or volume is in.
    pub(crate) fn list(&self) -> Location<'a> {
        match self.place.steps() {
            [list @ .., Step::Index(_)] => Location(list.to_vec()),
            all => Location(all.to_vec()),
        }
    }
}
