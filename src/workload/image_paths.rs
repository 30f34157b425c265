//! Images in places that only the settings know.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::{FieldPath, Kind, Location, Scalar, Step, find, kind_of};
use crate::kind::{GroupKind, KindPattern};

use super::object::{ImageField, Malformed, Object, Source};

/// Where objects of a kind hold an image, or a list of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePath<'a> {
    /// The kinds.
    pub kind: KindPattern<'a>,
    /// The path in these objects.
    pub path: FieldPath<'a>,
}

/// Adds the images at these paths to those of an object.
///
/// What its shape shows already is not added again, and what is neither a string nor a list of
/// strings is reported.
///
/// # Errors
///
/// Where the object is not JSON.
pub(crate) fn add_images(
    paths: &[ImagePath<'_>],
    object: &mut Object<'_>,
    kind: &GroupKind<'_>,
) -> Result<(), serde_json::Error> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.kind.matches(kind)) {
        for (place, raw) in find(object.text, path.path.steps())? {
            if seen.insert(place.to_string(), 1).is_some()
                || (kind.may_run_images() && shows_by_shape(&place))
            {
                continue;
            }
            add(object, place, raw)?;
        }
    }
    Ok(())
}

fn add<'a>(
    object: &mut Object<'a>,
    place: Location<'a>,
    raw: &'a RawValue,
) -> Result<(), serde_json::Error> {
    let elements = match kind_of(raw) {
        Kind::List => {
            let elements: Vec<&RawValue> = serde_json::from_str(raw.get())?;
            let places = (0..elements.len()).map(|index| place.element(index));
            places.zip(elements).collect()
        }
        _ => vec![(place, raw)],
    };
    for (place, raw) in elements {
        match Scalar::of(raw) {
            Scalar::Null => {}
            Scalar::Text(text) if text.is_empty() => {}
            Scalar::Text(text) => object.images.push(ImageField {
                source: Source::Path,
                place,
                name: None,
                text,
            }),
            Scalar::Literal(_) | Scalar::Composite { .. } => object.malformed.push(Malformed {
                place,
                expected: Kind::Text,
                found: kind_of(raw),
            }),
        }
    }
    Ok(())
}

/// Whether the walk over the object finds what stands at this place.
fn shows_by_shape(place: &Location<'_>) -> bool {
    let is = |step: &Step<'_>, names: &[&str]| matches!(step, Step::Key(key) if names.contains(&key.as_ref()));
    if place
        .steps()
        .first()
        .is_some_and(|first| is(first, &["metadata", "status"]))
    {
        return false;
    }
    match place.steps() {
        [.., list, Step::Index(_), image, reference]
            if is(image, &["image"]) && is(reference, &["reference"]) =>
        {
            is(list, &["volumes"])
        }
        [.., list, Step::Index(_), image] if is(image, &["image"]) => is(
            list,
            &["containers", "initContainers", "ephemeralContainers"],
        ),
        _ => false,
    }
}
