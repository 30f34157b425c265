//! What differs of annotations and labels: those of the object and of its pod templates.

use serde_json::value::RawValue;

use crate::glob;
use crate::json::{Location, Step, find};
use crate::request::RequestError;

use super::compared::Compared;
use super::difference::{Differences, zip};

/// Compares the entries of `annotations` or `labels` whose keys match.
pub(super) fn compare(
    compared: &Compared<'_, '_>,
    map: &str,
    pattern: &str,
    differences: &mut Differences,
) -> Result<(), RequestError> {
    let wanted = |key: &str| glob::matches(pattern, key);
    for (was, is) in compared.member("metadata") {
        let was = was.map_or("{}", RawValue::get);
        let is = is.map_or("{}", RawValue::get);
        let place = [Step::key("metadata")];
        between(was, is, &place, &[Step::key(map)], &wanted, differences);
    }
    if !compared.is_body_changed() {
        return Ok(());
    }
    let (old, new) = (compared.old()?, compared.new_object());
    let mut places = Vec::new();
    if compared.is_cron_job() {
        places.push(Location(vec![Step::key("spec"), Step::key("jobTemplate")]));
    }
    for place in new.templates.iter().chain(&old.templates) {
        if !places.contains(place) {
            places.push(place.clone());
        }
    }
    for Location(mut place) in places {
        place.extend([Step::key("metadata"), Step::key(map)]);
        between(old.text, new.text, &[], &place, &wanted, differences);
    }
    Ok(())
}

/// Compares the entries of the maps at a path below two texts, which stand at `place`.
pub(crate) fn between(
    was: &str,
    is: &str,
    place: &[Step<'_>],
    path: &[Step<'_>],
    wanted: &dyn Fn(&str) -> bool,
    differences: &mut Differences,
) {
    let (was, is) = (values(was, path), values(is, path));
    for change in zip(&was, &is) {
        differences.below(place, &mut |this| {
            this.below(path, &mut |this| this.members_like(change, wanted));
        });
    }
}

fn values<'a>(text: &'a str, path: &[Step<'_>]) -> Vec<&'a RawValue> {
    let found = find(text, path).unwrap_or_default();
    found.into_iter().map(|(_, raw)| raw).collect()
}
