//! Entries that no image can satisfy together.

use crate::shown::Shown;
use crate::violation::Action;

use super::Settings;
use super::error::SettingsErrors;

/// Notes every entry that another one makes meaningless.
///
/// Compares each pair: for settings that are validated once, not for each request.
pub(super) fn find(settings: &Settings<'_>, errors: &mut SettingsErrors) {
    let Settings {
        registries,
        images,
        tags,
        digests,
        ..
    } = settings;
    // A list that only warns leaves what another list allows allowed.
    let refuses = |action| action == Action::Reject;
    for (index, allowed) in registries.allow.iter().enumerate() {
        let covering = registries
            .reject
            .iter()
            .position(|rejected| rejected.covers(allowed));
        rejected(
            errors,
            "registries.allow",
            index,
            allowed.text(),
            "registries.reject",
            covering,
        );
        let covering = images
            .reject
            .iter()
            .position(|rejected| refuses(images.action) && rejected.covers_registry(allowed));
        rejected(
            errors,
            "registries.allow",
            index,
            allowed.text(),
            "images.reject",
            covering,
        );
    }
    for (index, allowed) in images.allow.iter().enumerate() {
        let covering = images
            .reject
            .iter()
            .position(|rejected| rejected.covers(allowed));
        rejected(
            errors,
            "images.allow",
            index,
            allowed.text(),
            "images.reject",
            covering,
        );
        let covering = registries
            .reject
            .iter()
            .position(|rejected| refuses(registries.action) && rejected.covers_image(allowed));
        rejected(
            errors,
            "images.allow",
            index,
            allowed.text(),
            "registries.reject",
            covering,
        );
    }
    for (index, allowed) in tags.allow.iter().enumerate() {
        let covering = tags
            .reject
            .iter()
            .position(|rejected| rejected.covers(allowed));
        rejected(
            errors,
            "tags.allow",
            index,
            allowed.text(),
            "tags.reject",
            covering,
        );
    }
    for (index, required) in digests.require.iter().enumerate() {
        for (forbidden_index, forbidden) in digests.forbid.iter().enumerate() {
            if forbidden.covers(required) || required.covers(forbidden) {
                errors.push(
                    format!("digests.require[{index}]"),
                    &format!(
                        "`{}` contradicts `digests.forbid[{forbidden_index}]` (`{}`): an image cannot have a digest and have none",
                        Shown(required.text()),
                        Shown(forbidden.text())
                    ),
                );
            }
        }
    }
}

fn rejected(
    errors: &mut SettingsErrors,
    list: &str,
    index: usize,
    entry: &str,
    by: &str,
    covering: Option<usize>,
) {
    if let Some(covering) = covering {
        errors.push(
            format!("{list}[{index}]"),
            &format!(
                "`{}` allows nothing: `{by}[{covering}]` rejects all of it",
                Shown(entry)
            ),
        );
    }
}
