//! Images in places that only the settings know.

use std::borrow::Cow;

use crate::json::{FieldPath, Kind, Place, Spot, Step, Value, each_at};
use crate::kind::{GroupKind, KindPattern};

use super::object::{Found, ImageField, Malformed, Object, Source};

/// Where objects of a kind hold an image, or a list of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePath<'a> {
    /// The kinds.
    pub kind: KindPattern<'a>,
    /// The path in these objects.
    pub path: FieldPath<'a>,
}

/// Adds the images at these paths to those of an object, in the order of the document.
///
/// What its shape or an earlier path has shown is not added again, and what is neither a string nor
/// a list of strings is reported.
pub fn add_images<'a>(paths: &[ImagePath<'_>], object: &mut Object<'a>, kind: &GroupKind<'_>) {
    for path in paths.iter().filter(|path| path.kind.matches(kind)) {
        let object_value = object.value;
        let mut added = Vec::new();
        let mut add = |place: &dyn Fn() -> Place<'a>, raw: Value<'a>| {
            let known = (object.found).binary_search_by_key(&raw.position(), Found::position);
            if known.is_err() {
                added.extend(value(place, raw, object));
            }
        };
        each_at(object_value, path.path.steps(), &mut |spot, raw| {
            let place = || spot.map(Spot::place).unwrap_or_default();
            if raw.kind() != Kind::List {
                return add(&place, raw);
            }
            for (index, raw) in raw.elements().enumerate() {
                add(&|| place().below(Step::Index(index)), raw);
            }
        });
        if !added.is_empty() {
            object.found = merge(std::mem::take(&mut object.found), added);
        }
    }
}

/// Merges two lists that are each in the order of the document.
fn merge<'a>(one: Vec<Found<'a>>, other: Vec<Found<'a>>) -> Vec<Found<'a>> {
    if one.is_empty() {
        return other;
    }
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let mut other = other.into_iter().peekable();
    for found in one {
        while let Some(earlier) = other.next_if(|candidate| candidate.position() < found.position())
        {
            merged.push(earlier);
        }
        merged.push(found);
    }
    merged.extend(other);
    merged
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
