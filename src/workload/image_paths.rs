//! Images in places that their shape does not show.

use std::borrow::Cow;

use crate::json::{FieldPath, Kind, Place, Spot, Step, Value, each_at};
use crate::kind::{GroupKind, KindPattern};

use super::known;
use super::object::{Found, ImageField, Malformed, Object, Source};

/// Where objects of a kind hold an image, or a list of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePath<'a> {
    /// The kinds.
    pub kind: KindPattern<'a>,
    /// The path in these objects.
    pub path: FieldPath<'a>,
}

/// Where objects hold images that their shape does not show.
#[derive(Clone, Debug, Default)]
pub struct ImagePlaces<'a> {
    /// Where the settings say.
    pub paths: Vec<ImagePath<'a>>,
    /// Well-known kinds are kinds like all others.
    pub without_known_kinds: bool,
}

impl ImagePlaces<'_> {
    /// Adds the images there to those of an object, in the order of the document. What the settings name is what
    /// they say, also in a well-known kind.
    pub fn add_images(&self, object: &mut Object<'_>, kind: &GroupKind<'_>) {
        add_at_paths(&self.paths, object, kind);
        if !self.without_known_kinds {
            add_known(object, kind);
        }
    }

    /// Whether there may be images in `metadata`.
    pub(crate) fn reach_metadata(&self, kind: &GroupKind<'_>) -> bool {
        !self.paths.is_empty()
            || (!self.without_known_kinds
                && (kind.is_pod() || kind.group == "operators.coreos.com"))
    }

    /// What placeholders begin with that are filled in later in objects of a kind, with spaces between them.
    pub(crate) fn placeholders(&self, kind: &GroupKind<'_>) -> &'static str {
        let known = (!self.without_known_kinds).then(|| known::find(&kind.group, &kind.kind));
        known.flatten().map_or("", |known| known.placeholders)
    }
}

/// Adds what is known of the object's kind, and of pods.
fn add_known(object: &mut Object<'_>, kind: &GroupKind<'_>) {
    let mut added = known::images(object, kind);
    added.retain(|found| matches!(found, Found::Image(_)) || object.keeps_malformed());
    object.add(added);
}

/// Adds the images at these paths to those of an object, in the order of the document.
///
/// What its shape or an earlier path has shown is not added again, and what is neither a string nor
/// a list of strings is reported.
fn add_at_paths<'a>(paths: &[ImagePath<'_>], object: &mut Object<'a>, kind: &GroupKind<'_>) {
    for path in paths.iter().filter(|path| path.kind.matches(kind)) {
        let object_value = object.value;
        let mut added = Vec::new();
        let mut found = |place: &dyn Fn() -> Place<'a>, raw: Value<'a>| {
            let known = (object.found).binary_search_by_key(&raw.position(), Found::position);
            if known.is_err() {
                added.extend(value(place, raw, object));
            }
        };
        each_at(object_value, path.path.steps(), &mut |spot, raw| {
            let place = || spot.map(Spot::place).unwrap_or_default();
            if raw.kind() != Kind::List {
                return found(&place, raw);
            }
            for (index, raw) in raw.elements().enumerate() {
                found(&|| place().below(Step::Index(index)), raw);
            }
        });
        object.add(added);
    }
}

fn value<'a>(
    place: &dyn Fn() -> Place<'a>,
    raw: Value<'a>,
    object: &mut Object<'a>,
) -> Option<Found<'a>> {
    match (raw.kind(), raw.string()) {
        (Kind::Null, _) | (_, Some("")) => None,
        (_, Some(text)) => Some(Found::Image(ImageField {
            raw,
            source: Source::Path,
            place: place(),
            name: None,
            is_never_pulled: false,
            text: Cow::Borrowed(text),
        })),
        (found, None) => object.keeps_malformed().then(|| {
            Found::Malformed(Malformed {
                raw,
                place: place(),
                expected: Kind::Text,
                found,
            })
        }),
    }
}
