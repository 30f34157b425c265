//! What differs of annotations and labels: those of the object and of its pod templates.

use crate::glob;
use crate::json::{Place, Step, Value};

use super::difference::{Change, Differences, inside, is_unlike, zip};

/// Compares the entries of `annotations` or `labels` whose keys match: those of the object's own metadata, and of
/// that of its `templates`, each with its place.
pub(super) fn compare(
    own: &[Change<'_>],
    templates: &[(Place<'_>, Change<'_>)],
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
    for change in own {
        all(&[Step::key("metadata")], *change);
    }
    for (place, change) in templates {
        if is_unlike(*change) {
            all(place.location().steps(), *change);
        }
    }
}

/// Compares the annotations in the `metadata` at a place of two objects.
pub(crate) fn between(
    was: &[Value<'_>],
    is: &[Value<'_>],
    metadata: &Place<'_>,
    wanted: &dyn Fn(&str) -> bool,
    differences: &mut Differences,
) {
    let path = [Step::key("annotations")];
    for change in zip(was, is).into_iter().filter(|change| is_unlike(*change)) {
        for change in inside(change, &path) {
            differences.below(metadata.location().steps(), &mut |this| {
                this.below(&path, &mut |this| this.members_like(change, wanted));
            });
        }
    }
}
