//! What differs of images: each by the name of its container or volume, not by its position.

use crate::hashing::{Index, hash_of};
use crate::workload::{ImageField, Object};

use super::difference::{Difference, Differences, Shows};

/// Takes an image as it was and as it is, of which one may be missing.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Option<&ImageField<'_>>, Option<&ImageField<'_>>);

/// Compares the images of two objects, and hands over those that differ. Those written alike are equal;
/// others are equal if `comes_to_the_same` says so.
pub(crate) fn compare(
    was: &Object<'_>,
    is: &Object<'_>,
    comes_to_the_same: &dyn Fn(&ImageField<'_>, &ImageField<'_>) -> bool,
    found: Sink<'_>,
) {
    let (was, is) = (was.images(), is.images());
    // Mostly each is where it was.
    let is_kept = |index: usize| match (was.get(index), is.get(index)) {
        (Some(was), Some(is)) => {
            was.text == is.text && was.name == is.name && was.place == is.place
        }
        _ => false,
    };
    let changed = |list: &[&ImageField<'_>]| -> Vec<usize> {
        (0..list.len()).filter(|index| !is_kept(*index)).collect()
    };
    // Where names occur twice, the first is paired with the first.
    let before = changed(&was);
    let mut known = Index::new(before.len(), &|at| {
        let image = was.get(*before.get(at)?)?;
        Some(hash_of(&image.pairing()))
    });
    let mut is_left = vec![false; was.len()];
    for image in changed(&is).into_iter().filter_map(|index| is.get(index)) {
        let taken = known.take(hash_of(&image.pairing()));
        let index = taken.and_then(|at| before.get(at).copied());
        if let Some(left) = index.and_then(|index| is_left.get_mut(index)) {
            *left = true;
        }
        let before = index.and_then(|index| was.get(index)).copied();
        let is_same = before
            .is_some_and(|before| before.text == image.text || comes_to_the_same(before, image));
        if !is_same {
            found(before, Some(image));
        }
    }
    for index in before {
        if is_left.get(index) == Some(&false)
            && let Some(image) = was.get(index)
        {
            found(Some(image), None);
        }
    }
}

/// Notes an image that is another one, new or gone.
pub(super) fn note(
    was: Option<&ImageField<'_>>,
    is: Option<&ImageField<'_>>,
    differences: &mut Differences,
) {
    let text = |image: &ImageField<'_>| image.text.clone().into_owned();
    if let Some(image) = is.or(was) {
        differences.add(&|| image.exact_place(), &|path| Difference {
            path,
            place: Some(image.told_place()),
            noun: "image",
            shows: if image.is_private() {
                Shows::Change
            } else {
                Shows::Values
            },
            was: was.map(text),
            is: is.map(text),
        });
    }
}
