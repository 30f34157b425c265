//! Entries that no image can satisfy together.

use crate::pattern::ImagePattern;
use crate::shown::Shown;
use crate::violation::Action;

use super::Settings;
use crate::schema::SettingsErrors;

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
        let mut entry = Allowed::new("registries.allow", index, allowed.text(), errors);
        entry.covered_by("registries.reject", REJECTED, &|index| {
            Some(registries.reject.get(index)?.covers(allowed))
        });
        if refuses(images.action) {
            entry.covered_by("images.reject", REJECTED, &|index| {
                Some(images.reject.get(index)?.covers_registry(allowed))
            });
        }
    }
    for (index, allowed) in images.allow.iter().enumerate() {
        let mut entry = Allowed::new("images.allow", index, allowed.text(), errors);
        entry.covered_by("images.reject", REJECTED, &|index| {
            Some(images.reject.get(index)?.covers(allowed))
        });
        // Where it is exempt, it passes whatever the other sections say.
        if is_exempt(allowed, settings) {
            continue;
        }
        if refuses(registries.action) {
            entry.covered_by("registries.reject", REJECTED, &|index| {
                Some(registries.reject.get(index)?.covers_image(allowed))
            });
        }
        // An entry with a digest covers that digest alone, with a tag or without.
        if allowed.digest().is_some() {
            if refuses(digests.action) {
                entry.covered_by("digests.forbid", "forbids its digest", &|index| {
                    Some(digests.forbid.get(index)?.covers(allowed))
                });
            }
        } else if let Some(tag) = allowed.tag() {
            // And one with a tag that tag alone, without a digest.
            if refuses(tags.action) {
                entry.covered_by("tags.reject", REJECTED, &|index| {
                    Some(tags.reject.get(index)?.covers(tag))
                });
            }
            if refuses(digests.action) {
                let does = "requires a digest, name it or leave out the tag";
                entry.covered_by("digests.require", does, &|index| {
                    Some(digests.require.get(index)?.covers(allowed))
                });
            }
        }
    }
    for (index, allowed) in tags.allow.iter().enumerate() {
        let mut entry = Allowed::new("tags.allow", index, allowed.text(), errors);
        entry.covered_by("tags.reject", REJECTED, &|index| {
            Some(tags.reject.get(index)?.covers(allowed.text()))
        });
    }
    for (index, required) in digests.require.iter().enumerate() {
        for (forbidden_index, forbidden) in digests.forbid.iter().enumerate() {
            if forbidden.covers(required) || required.covers(forbidden) {
                errors.contradiction(
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

/// An entry that allows.
struct Allowed<'e> {
    list: &'static str,
    index: usize,
    text: &'e str,
    errors: &'e mut SettingsErrors,
}

impl<'e> Allowed<'e> {
    const fn new(
        list: &'static str,
        index: usize,
        text: &'e str,
        errors: &'e mut SettingsErrors,
    ) -> Self {
        Self {
            list,
            index,
            text,
            errors,
        }
    }

    /// Notes that nothing is left of the entry, if the first entry of another list to which `covers`
    /// says yes covers it whole; it says `None` behind the last one.
    fn covered_by(&mut self, list: &str, does: &str, covers: &dyn Fn(usize) -> Option<bool>) {
        let mut index = 0;
        while let Some(is_covered) = covers(index) {
            if is_covered {
                return self.errors.contradiction(
                    format!("{}[{}]", self.list, self.index),
                    &format!(
                        "`{}` allows nothing: `{list}[{index}]` {does}",
                        Shown(self.text)
                    ),
                );
            }
            index += 1;
        }
    }
}
