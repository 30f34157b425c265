//! What differs of images: each by the name of its container or volume, not by its position.

use std::collections::BTreeMap;

use crate::workload::{ImageField, Object};

use super::difference::{Difference, Differences, Shows};

/// Compares the images of two objects. Those written alike are equal; others are equal if they come
/// to the same when they run.
pub(crate) fn compare(
    was: &Object<'_>,
    is: &Object<'_>,
    as_it_will_run: &dyn Fn(&ImageField<'_>) -> String,
    differences: &mut Differences,
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
    let (mut known, mut seen) = (BTreeMap::new(), BTreeMap::new());
    let before = changed(&was);
    for index in &before {
        if let Some(image) = was.get(*index) {
            known.insert(key(image, &mut seen), *index);
        }
    }
    let mut is_left = vec![false; was.len()];
    let mut seen = BTreeMap::new();
    for image in changed(&is).into_iter().filter_map(|index| is.get(index)) {
        let index = known.get(&key(image, &mut seen)).copied();
        if let Some(left) = index.and_then(|index| is_left.get_mut(index)) {
            *left = true;
        }
        let before = index.and_then(|index| was.get(index)).copied();
        let is_same = before.is_some_and(|before| {
            before.text == image.text || as_it_will_run(before) == as_it_will_run(image)
        });
        if !is_same {
            note(image, before, Some(image), differences);
        }
    }
    for index in before {
        if is_left.get(index) == Some(&false)
            && let Some(image) = was.get(index)
        {
            note(image, Some(image), None, differences);
        }
    }
}

/// What an image is paired by. Where names occur twice, the first is paired with the first.
fn key(image: &ImageField<'_>, seen: &mut BTreeMap<String, usize>) -> String {
    let key = image.paired_by();
    let count = seen.entry(key.clone()).or_default();
    *count += 1;
    format!("{count} {key}")
}

/// Notes an image that is another one, new or gone, where `image` stands.
fn note(
    image: &ImageField<'_>,
    was: Option<&ImageField<'_>>,
    is: Option<&ImageField<'_>>,
    differences: &mut Differences,
) {
    let text = |image: &ImageField<'_>| image.text.clone().into_owned();
    differences.found.push(Difference {
        path: image.exact_place().detached(),
        place: Some(image.told_place()),
        paired_by: Some(image.paired_by()),
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
