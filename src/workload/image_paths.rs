//! Images in places that only the settings know.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::{FieldPath, Kind, Location, Step, Value, find};
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
pub fn add_images(paths: &[ImagePath<'_>], object: &mut Object<'_>, kind: &GroupKind<'_>) {
    let mut paths = paths
        .iter()
        .filter(|path| path.kind.matches(kind))
        .peekable();
    if paths.peek().is_none() {
        return;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for found in &object.found {
        if let Found::Image(image) = found {
            seen.insert(format!("{:#}", image.exact_place()), 1);
        }
    }
    for path in paths {
        let mut values = Vec::new();
        for (place, raw) in find(object.value, path.path.steps()) {
            if raw.kind() == Kind::List {
                for (element, raw) in find(raw, &[Step::Each]) {
                    values.push((place.below(element), raw));
                }
            } else {
                values.push((place, raw));
            }
        }
        // A repeated key leads to one place twice: both its values count.
        values.retain(|(place, _)| !seen.contains_key(&format!("{place:#}")));
        let mut found = Vec::new();
        for (place, raw) in values {
            seen.insert(format!("{place:#}"), 1);
            found.extend(value(place, raw));
        }
        object.found = merge(std::mem::take(&mut object.found), found);
    }
}

/// Merges two lists that are each in the order of the document.
fn merge<'a>(one: Vec<Found<'a>>, other: Vec<Found<'a>>) -> Vec<Found<'a>> {
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

fn value<'a>(place: Location<'a>, raw: Value<'a>) -> Option<Found<'a>> {
    match (raw.kind(), raw.string()) {
        (Kind::Null, _) | (_, Some("")) => None,
        (_, Some(text)) => Some(Found::Image(ImageField {
            raw,
            source: Source::Path,
            place,
            name: None,
            is_never_pulled: false,
            text: Cow::Borrowed(text),
        })),
        (found, None) => Some(Found::Malformed(Malformed {
            raw,
            place,
            expected: Kind::Text,
            found,
        })),
    }
}
