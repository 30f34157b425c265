//! Images in places that only the settings know.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::{FieldPath, Kind, Location, Scalar, find, kind_of};
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
///
/// # Errors
///
/// Where the object is not JSON.
pub(crate) fn add_images(
    paths: &[ImagePath<'_>],
    object: &mut Object<'_>,
    kind: &GroupKind<'_>,
) -> Result<(), serde_json::Error> {
    let mut paths = paths
        .iter()
        .filter(|path| path.kind.matches(kind))
        .peekable();
    if paths.peek().is_none() {
        return Ok(());
    }
    let start = object.text.as_ptr() as usize;
    let position = |text: &str| (text.as_ptr() as usize).saturating_sub(start);
    // What an escape keeps from telling its position stands behind what is before it.
    let mut last = 0;
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for known in object.found.drain(..) {
        if let Found::Image(image) = &known {
            seen.insert(format!("{:#}", image.exact_place()), 1);
            if let Cow::Borrowed(text) = image.text {
                last = position(text);
            }
        }
        found.push((last, known));
    }
    for path in paths {
        let mut values = Vec::new();
        for (place, raw) in find(object.text, path.path.steps())? {
            match kind_of(raw) {
                Kind::List => {
                    let elements: Vec<&RawValue> = serde_json::from_str(raw.get())?;
                    for (index, element) in elements.into_iter().enumerate() {
                        values.push((place.element(index), element));
                    }
                }
                _ => values.push((place, raw)),
            }
        }
        // A repeated key leads to one place twice: both its values count.
        values.retain(|(place, _)| !seen.contains_key(&format!("{place:#}")));
        for (place, raw) in values {
            seen.insert(format!("{place:#}"), 1);
            if let Some(value) = value(place, raw) {
                found.push((position(raw.get()), value));
            }
        }
    }
    found.sort_by_key(|(position, _)| *position);
    object.found = found.into_iter().map(|(_, found)| found).collect();
    Ok(())
}

fn value<'a>(place: Location<'a>, raw: &'a RawValue) -> Option<Found<'a>> {
    match Scalar::of(raw) {
        Scalar::Null => None,
        Scalar::Text(text) if text.is_empty() => None,
        Scalar::Text(text) => Some(Found::Image(ImageField {
            source: Source::Path,
            place,
            name: None,
            text,
        })),
        Scalar::Literal(_) | Scalar::Composite { .. } => Some(Found::Malformed(Malformed {
            place,
            expected: Kind::Text,
            found: kind_of(raw),
        })),
    }
}
