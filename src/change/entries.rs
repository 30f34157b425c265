//! What differs of annotations and labels: those of the object and of its pod templates.

use crate::glob;
use crate::json::{Step, Value, lookup};

use super::compared::Compared;
use super::difference::{Change, Differences, inside, zip};

/// Compares the entries of `annotations` or `labels` whose keys match.
pub(super) fn compare(
    compared: &Compared<'_, '_>,
    map: &str,
    pattern: &str,
    differences: &mut Differences,
) {
    let wanted = |key: &str| glob::matches(pattern, key);
    let path = [Step::key(map)];
    let mut all = |place: &[Step<'_>], metadata: Change<'_>| {
        for change in inside(metadata, &path) {
            differences.below(place, &mut |this| {
                this.below(&path, &mut |this| this.members_like(change, &wanted));
            });
        }
    };
    for change in compared.member("metadata") {
        all(&[Step::key("metadata")], change);
    }
    for (place, change) in compared.templates() {
        all(place.steps(), *change);
    }
}

/// Compares the entries of the maps that a path leads to from two objects.
pub(crate) fn between(
    was: Value<'_>,
    is: Value<'_>,
    path: &[Step<'_>],
    wanted: &dyn Fn(&str) -> bool,
    differences: &mut Differences,
) {
    for change in zip(&lookup(was, path), &lookup(is, path)) {
        differences.below(path, &mut |this| this.members_like(change, wanted));
    }
}
