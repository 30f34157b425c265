//! What differs of annotations and labels: those of the object and of its pod templates.

use crate::glob;
use crate::json::{Location, Step};
use crate::request::RequestError;

use super::compared::Compared;
use super::difference::{Differences, inside};

/// Compares the entries of `annotations` or `labels` whose keys match.
pub(super) fn compare(
    compared: &Compared<'_, '_>,
    map: &str,
    pattern: &str,
    differences: &mut Differences,
) -> Result<(), RequestError> {
    let wanted = |key: &str| glob::matches(pattern, key);
    for change in compared.member("metadata")? {
        let way = [Step::key("metadata"), Step::key(map)];
        for change in inside(change, &[Step::key(map)]) {
            differences.below(&way, |this| this.members_like(change, &wanted));
        }
    }
    if !compared.is_body_changed()? {
        return Ok(());
    }
    let mut places: Vec<&Location<'_>> = Vec::new();
    let job = [Step::key("spec"), Step::key("jobTemplate")];
    let job = Location(job.to_vec());
    if compared.is_cron_job() {
        places.push(&job);
    }
    for place in compared
        .new_object()
        .templates
        .iter()
        .chain(&compared.old()?.templates)
    {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    for place in places {
        let mut way = place.steps().to_vec();
        way.extend([Step::key("metadata"), Step::key(map)]);
        for change in compared.at(&way)? {
            differences.below(&way, |this| this.members_like(change, &wanted));
        }
    }
    Ok(())
}
