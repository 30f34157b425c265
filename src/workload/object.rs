//! What was found in an object.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BinaryHeap;
use std::hash::{Hash, Hasher};
use std::mem;

use crate::hashing::{Index, hash_of};
use crate::image::{Split, Wild, after_scheme};
use crate::json::{Kind, Location, Place, Position, Step, Value};
use crate::shown::{Quoted, is_private};

/// An object of a request, with the images in it. Borrows from the payload.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// The object as it was written.
    pub value: Value<'a>,
    /// The object's own `metadata`.
    pub(crate) metadata: Option<Value<'a>>,
    /// The object of before, whose members but for `metadata` a write through `status` leaves as they are.
    before: Option<Value<'a>>,
    /// There is more than one `metadata`, and this is the last.
    pub(crate) is_metadata_repeated: bool,
    /// The images, and what has the wrong JSON type, in the order of the document.
    pub found: Vec<Found<'a>>,
    /// How many members of the wrong JSON type are among these.
    malformed: usize,
    /// How many of these are kept.
    pub(super) most_malformed: usize,
    /// How many more members have the wrong JSON type.
    pub(crate) more_malformed: usize,
    /// The pod templates: what holds a `spec` with a list of `containers`, but not the object itself.
    pub templates: Vec<Place<'a>>,
    /// Where pod templates, lists of containers and volumes, and the `metadata` of what is inside stand, and
    /// these.
    pub(crate) marks: Vec<(Place<'a>, Value<'a>)>,
    /// Where in this list the marks of a place are, by the hash of that; made when it is asked for.
    by_place: OnceCell<Index>,
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
    /// Where objects of a well-known kind have one.
    Known {
        /// How many steps below the named element of a list, if it is in one.
        below: usize,
        /// What the table says of it behind its path.
        signs: &'static str,
    },
}

/// An image in an object.
#[derive(Clone, Debug)]
pub struct ImageField<'a> {
    /// The string as it was written.
    pub(crate) raw: Value<'a>,
    /// What it is the image of.
    pub source: Source,
    /// The container or volume, or with [`Source::Path`] and [`Source::Known`] the image itself.
    pub place: Place<'a>,
    /// The name of the container or volume, or of the element of a list around it.
    pub name: Option<Cow<'a, str>>,
    /// The image as written; of one in parts, as they come together.
    pub text: Cow<'a, str>,
    /// Nodes never pull it: its pull policy is `Never`.
    pub is_never_pulled: bool,
}

/// A member of the wrong JSON type.
#[derive(Clone, Debug)]
pub struct Malformed<'a> {
    /// The member as it was written.
    pub(crate) raw: Value<'a>,
    /// Where it is; the root for the object itself.
    pub place: Place<'a>,
    /// The type that belongs there.
    pub expected: Kind,
    /// The type that was found.
    pub found: Kind,
}

impl<'a> Object<'a> {
    /// No object at all.
    pub(crate) const fn none() -> Object<'static> {
        Object::new(Value::NULL)
    }

    /// An object in which nothing has been looked for yet.
    pub(super) const fn new(value: Value<'a>) -> Self {
        Self {
            value,
            metadata: None,
            before: None,
            is_metadata_repeated: false,
            found: Vec::new(),
            malformed: 0,
            most_malformed: MOST_MALFORMED,
            more_malformed: 0,
            templates: Vec::new(),
            marks: Vec::new(),
            by_place: OnceCell::new(),
        }
    }
}

/// Of what has the wrong JSON type so much is kept: a message names no more.
pub(super) const MOST_MALFORMED: usize = 100;

impl<'a> Object<'a> {
    /// Notes one more member of the wrong JSON type, and says whether it is to be kept.
    pub(crate) const fn keeps_malformed(&mut self) -> bool {
        let keeps = self.malformed < self.most_malformed;
        if keeps {
            self.malformed += 1;
        } else {
            self.more_malformed += 1;
        }
        keeps
    }

    /// The object that a write through `status` makes of the `old` one, as far as rules judge it: the old one
    /// with other annotations and labels, without images and templates. Where there is no old one, all is new.
    pub(crate) fn through_status(self, old: Option<&Self>) -> Self {
        Self {
            metadata: self.metadata,
            is_metadata_repeated: self.is_metadata_repeated,
            before: old.map(|old| old.value),
            ..Self::new(self.value)
        }
    }

    /// The object that a member of this one is in.
    pub(crate) fn holder(&self, key: &str) -> Value<'a> {
        self.before
            .filter(|_| key != "metadata")
            .unwrap_or(self.value)
    }

    /// What a walk noted at a place: more than one value where a key is repeated.
    pub(crate) fn marked(&self, place: &Place<'_>) -> Vec<Value<'a>> {
        let is_there = |(mark, _): &&(Place<'a>, Value<'a>)| mark == place;
        let value = |(_, value): &(Place<'a>, Value<'a>)| *value;
        if self.marks.len() <= Index::FEW {
            return self.marks.iter().filter(is_there).map(value).collect();
        }
        let hash_at = |index| self.marks.get(index).map(|(mark, _)| hash_of(mark));
        let index = || Index::new(self.marks.len(), &hash_at);
        let by_place = self.by_place.get_or_init(index);
        let marks = by_place.get(hash_of(place));
        let marks = marks.filter_map(|index| self.marks.get(index));
        marks.filter(is_there).map(value).collect()
    }

    /// Adds what else was found, each in its place in the document.
    pub(super) fn add(&mut self, added: Vec<Found<'a>>) {
        if added.is_empty() {
            return;
        }
        if self.found.is_empty() {
            self.found = added;
        } else {
            self.found.extend(added);
        }
        if !self.found.is_sorted_by_key(Found::position) {
            // A heap of their positions, since the module has no other sort of its own, which takes two kilobytes.
            let positions = self.found.iter().map(Found::position).zip(0_usize..);
            let positions: BinaryHeap<_> = positions.collect();
            let mut found: Vec<_> = mem::take(&mut self.found).into_iter().map(Some).collect();
            let sorted = positions.into_sorted_vec().into_iter();
            self.found = sorted
                .filter_map(|(_, at)| found.get_mut(at)?.take())
                .collect();
        }
        self.found.dedup_by_key(|found| found.position());
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

/// How many elements of a list are such.
pub(super) fn count_of<'a>(list: Value<'a>, is_such: fn(Value<'a>) -> bool) -> usize {
    list.elements().filter(|element| is_such(*element)).count()
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
    /// The container, volume or other named element of a list that it is the image of.
    fn owner(&self) -> &Place<'a> {
        let Source::Known { below, .. } = self.source else {
            return &self.place;
        };
        (0..below).fold(&self.place, |place, _| place.above().unwrap_or(place))
    }

    /// What the table of well-known kinds says of it behind its path.
    const fn signs(&self) -> &'static str {
        match self.source {
            Source::Known { signs, .. } => signs,
            _ => "",
        }
    }

    /// Whether it is pulled for no Pod: mirrors are not used for it.
    pub(crate) fn is_artifact(&self) -> bool {
        self.signs().starts_with(['~', ':', '%'])
    }

    /// Whether its tag or digest stands elsewhere: nothing is written here.
    pub(crate) fn is_in_parts(&self) -> bool {
        self.signs().contains(['+', '%'])
    }

    /// The field beside it that its digest belongs into, if it is in parts.
    pub(crate) fn digest_field(&self) -> Option<&'static str> {
        let signs = self.signs();
        (["sha", "ref.digest"].into_iter()).find(|field| !signs.is_empty() && signs.contains(field))
    }

    /// What to write here for another image: with the scheme that is here, and without what stands elsewhere.
    pub(crate) fn spelling_of(&self, image: &str) -> String {
        if self.signs().is_empty() {
            return image.to_owned();
        }
        let written = self.raw.string().unwrap_or_default();
        let scheme = after_scheme(written).filter(|_| self.is_artifact());
        let scheme = scheme.and_then(|name| written.strip_suffix(name));
        let split = Split::of(image, Wild::Never);
        let name = split.host.map_or(0, |host| host.len() + 1) + split.path.len();
        let name = image.get(..name).filter(|_| self.is_in_parts());
        [scheme.unwrap_or_default(), name.unwrap_or(image)].concat()
    }

    /// The pod template around a container or volume: none around those of a Pod itself, nor where
    /// the list is not in a `spec`.
    pub(crate) fn pod_template(&self) -> Option<&Place<'a>> {
        if matches!(self.source, Source::Known { .. }) {
            return None;
        }
        let list = self.place.above()?;
        let spec = list.above()?;
        let is_template = matches!(self.place.step(), Some(Step::Index(_)))
            && matches!(list.step(), Some(Step::Key(_)))
            && matches!(spec.step(), Some(Step::Key(key)) if key == "spec");
        spec.above()
            .filter(|template| is_template && template.step().is_some())
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
        let list = self.place.above().and_then(Place::step);
        matches!(list, Some(Step::Key(list)) if list == "ephemeralContainers")
            && matches!(self.place.step(), Some(Step::Index(_)))
    }

    /// Whether it stands among an object's data, of which no message shows anything.
    pub(crate) fn is_private(&self) -> bool {
        let first = self.place.first().and_then(Step::as_key);
        first.is_some_and(is_private)
    }

    /// Where the text of the image stands.
    pub fn exact_place(&self) -> Location<'a> {
        let mut exact = self.place.location();
        let below: &[&str] = match self.source {
            Source::Container => &["image"],
            Source::Volume => &["image", "reference"],
            Source::Path | Source::Known { .. } => &[],
        };
        exact.0.extend(below.iter().map(|key| Step::key(key)));
        exact
    }

    /// The container, volume or other named element of a list, as a message tells it.
    pub fn told_place(&self) -> String {
        let place = self.owner().location();
        match &self.name {
            Some(name) if !self.is_private() => format!("{place} \"{}\"", Quoted(name)),
            _ => place.to_string(),
        }
    }

    /// What makes an image of the old object and one of the new object the same: the list and name of the
    /// container or volume, or of another element, and the way from there; where it has no name, its place.
    pub(crate) fn pairing(&self) -> Pairing<'_> {
        let owner = self.owner();
        let list = match (owner.step(), owner.above(), &self.name) {
            (Some(Step::Index(_)), Some(list), Some(_)) => list,
            _ => owner,
        };
        let below = match self.source {
            Source::Known { below, .. } => below,
            _ => 0,
        };
        Pairing {
            list,
            name: self.name.as_deref(),
            place: &self.place,
            below,
        }
    }
}

/// What pairs an image with that in another object.
pub(crate) struct Pairing<'p> {
    list: &'p Place<'p>,
    name: Option<&'p str>,
    place: &'p Place<'p>,
    /// How many of the last steps to the place are below the element of the list.
    below: usize,
}

impl Hash for Pairing<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.list, self.name).hash(state);
        let below = std::iter::successors(Some(self.place), |place| place.above());
        for place in below.take(self.below) {
            place.step().hash(state);
        }
    }
}
