//! Entries that no image can satisfy together.

use crate::pattern::ImagePattern;
use crate::shown::Shown;
use crate::violation::Action;

use super::Settings;
use super::error::SettingsErrors;

const REJECTED: &str = "rejects all of it";

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
    // A section that only warns leaves what another section allows allowed.
    let refuses = |action| action == Action::Reject;
    for (index, allowed) in registries.allow.iter().enumerate() {
        let mut by = noting(errors, "registries.allow", index, allowed.text());
        let mut each = registries.reject.iter();
        by(
            "registries.reject",
            each.position(|entry| entry.covers(allowed)),
            REJECTED,
        );
        if refuses(images.action) {
            let mut each = images.reject.iter();
            by(
                "images.reject",
                each.position(|entry| entry.covers_registry(allowed)),
                REJECTED,
            );
        }
    }
    for (index, allowed) in images.allow.iter().enumerate() {
        let mut by = noting(errors, "images.allow", index, allowed.text());
        let covering =
            |list: &[ImagePattern<'_>]| list.iter().position(|entry| entry.covers(allowed));
        by("images.reject", covering(&images.reject), REJECTED);
        // Where it is exempt, it passes whatever the other sections say.
        if is_exempt(allowed, settings) {
            continue;
        }
        if refuses(registries.action) {
            let mut each = registries.reject.iter();
            by(
                "registries.reject",
                each.position(|entry| entry.covers_image(allowed)),
                REJECTED,
            );
        }
        // An entry with a tag covers that tag alone, without a digest; one with a digest covers
        // that digest alone, with or without a tag.
        let has_digest = allowed.digest().is_some();
        let tag = allowed.tag().filter(|_| !has_digest);
        if refuses(tags.action)
            && let Some(tag) = tag
        {
            let mut each = tags.reject.iter();
            by(
                "tags.reject",
                each.position(|entry| entry.covers(tag)),
                REJECTED,
            );
        }
        if refuses(digests.action) && tag.is_some() {
            by(
                "digests.require",
                covering(&digests.require),
                "requires a digest, name it or leave out the tag",
            );
        }
        if refuses(digests.action) && has_digest {
            by(
                "digests.forbid",
                covering(&digests.forbid),
                "forbids its digest",
            );
        }
    }
    for (index, allowed) in tags.allow.iter().enumerate() {
        let mut by = noting(errors, "tags.allow", index, allowed.text());
        let mut each = tags.reject.iter();
        by(
            "tags.reject",
            each.position(|entry| entry.covers(allowed.text())),
            REJECTED,
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

/// Whether an exemption names images that an entry allows.
fn is_exempt(allowed: &ImagePattern<'_>, settings: &Settings<'_>) -> bool {
    settings.exemptions.iter().any(|exemption| {
        let mut images = exemption.images.iter();
        images.any(|image| image.covers(allowed) || allowed.covers(image))
    })
}

/// Notes of an entry the list and the position of what covers it whole, and what that does to it.
fn noting<'e>(
    errors: &'e mut SettingsErrors,
    list: &'e str,
    index: usize,
    entry: &'e str,
) -> impl FnMut(&str, Option<usize>, &str) + 'e {
    move |by, covering, does| {
        if let Some(covering) = covering {
            errors.push(
                format!("{list}[{index}]"),
                &format!(
                    "`{}` allows nothing: `{by}[{covering}]` {does}",
                    Shown(entry)
                ),
            );
        }
    }
}
