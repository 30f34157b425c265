//! Entries that no image can satisfy together.

use crate::check::{AllowReject, Item, Lists};
use crate::pattern::{ImagePattern, RegistryPattern};
use crate::shown::Shown;
use crate::violation::Action;

use super::Settings;
use crate::schema::SettingsErrors;

const REJECTED: &str = "rejects all of it";

/// Notes every entry that another one of its item makes meaningless; sections that are one map for all requests
/// are one item.
///
/// Compares each pair: for settings that are validated once, not for each request.
pub(super) fn find(settings: &Settings<'_>, errors: &mut SettingsErrors) {
    let everywhere = settings.lists_where(&|item| item.is_everywhere());
    among(settings, &everywhere, &everywhere, errors);
    settings.each_item(&mut |scope| {
        if !scope.is_everywhere() {
            let alone = settings.lists_where(&|item| item.is(scope));
            among(settings, &alone, &alone, errors);
        }
    });
}

/// Notes every entry of which other items that apply as well leave nothing.
pub(super) fn find_across(settings: &Settings<'_>, errors: &mut SettingsErrors) {
    settings.each_item(&mut |scope| {
        let alone = settings.lists_where(&|item| item.is(scope));
        let beside = settings.lists_where(&|item| {
            let is_known = item.is_everywhere() && scope.is_everywhere();
            !item.is(scope) && !is_known && item.covers(scope)
        });
        among(settings, &alone, &beside, errors);
        allowed_by_others(&alone, &beside, errors);
    });
}

/// Notes what an item allows and another item of its section, which must be satisfied as well, does not.
fn allowed_by_others(lists: &Lists<'_, '_>, beside: &Lists<'_, '_>, errors: &mut SettingsErrors) {
    fn note<'a, T>(
        items: &[&Item<'a, AllowReject<T>>],
        beside: &[&Item<'a, AllowReject<T>>],
        text: &dyn Fn(&T) -> String,
        meets: &dyn Fn(&T, &T) -> bool,
        errors: &mut SettingsErrors,
    ) {
        for item in items {
            let path = item.head.path();
            for (index, entry) in item.list.allow.iter().enumerate() {
                let refuses = |by: &&&Item<'_, AllowReject<T>>| {
                    let mut allowed = by.list.allow.iter();
                    !by.list.allow.is_empty() && !allowed.any(|allowed| meets(allowed, entry))
                };
                if let Some(by) = beside.iter().find(refuses) {
                    let by = by.head.path();
                    errors.contradiction(
                        format!("{path}.allow[{index}]"),
                        &format!(
                            "`{}` allows nothing: `{by}` applies as well and does not allow it, take this `match` out of it with `except`",
                            Shown(&text(entry)),
                        ),
                    );
                }
            }
        }
    }
    note(
        &lists.registries,
        &beside.registries,
        &|entry| entry.text().to_owned(),
        &|one, other| one.covers(other) || other.covers(one),
        errors,
    );
    note(
        &lists.images,
        &beside.images,
        &|entry| entry.text().to_owned(),
        &|one, other| one.covers(other) || other.covers(one),
        errors,
    );
    note(
        &lists.tags,
        &beside.tags,
        &|entry| entry.text().to_owned(),
        &|one, other| one.covers(other.text()) || other.covers(one.text()),
        errors,
    );
}

/// Notes every entry that allows, and every digest that is required, of which what applies beside it leaves nothing.
fn among(
    settings: &Settings<'_>,
    lists: &Lists<'_, '_>,
    beside: &Lists<'_, '_>,
    errors: &mut SettingsErrors,
) {
    for item in &lists.registries {
        registries(item, beside, errors);
    }
    for item in &lists.images {
        images(settings, item, beside, errors);
    }
    for item in &lists.tags {
        let list = [&item.head.path(), ".allow"].concat();
        for (index, allowed) in item.list.allow.iter().enumerate() {
            let mut entry = Allowed::new(&list, index, allowed.text(), errors);
            for by in &beside.tags {
                entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                    Some(by.list.reject.get(index)?.covers(allowed.text()))
                });
            }
        }
    }
    for item in &lists.digests {
        let list = [&item.head.path(), ".require"].concat();
        for by in &beside.digests {
            let forbid = [&by.head.path(), ".forbid"].concat();
            for (index, required) in item.list.require.iter().enumerate() {
                for (forbidden_index, forbidden) in by.list.forbid.iter().enumerate() {
                    if forbidden.covers(required) || required.covers(forbidden) {
                        errors.contradiction(
                            format!("{list}[{index}]"),
                            &format!(
                                "`{}` contradicts `{forbid}[{forbidden_index}]` (`{}`): an image cannot have a digest and have none",
                                Shown(required.text()),
                                Shown(forbidden.text())
                            ),
                        );
                    }
                }
            }
        }
    }
}

/// A section that only warns leaves what another section allows allowed.
fn refuses(action: Action) -> bool {
    action == Action::Reject
}

fn registries(
    item: &Item<'_, AllowReject<RegistryPattern<'_>>>,
    beside: &Lists<'_, '_>,
    errors: &mut SettingsErrors,
) {
    let list = [&item.head.path(), ".allow"].concat();
    for (index, allowed) in item.list.allow.iter().enumerate() {
        let mut entry = Allowed::new(&list, index, allowed.text(), errors);
        for by in &beside.registries {
            entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                Some(by.list.reject.get(index)?.covers(allowed))
            });
        }
        for by in beside.images.iter().filter(|by| refuses(by.list.action)) {
            entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                Some(by.list.reject.get(index)?.covers_registry(allowed))
            });
        }
    }
}

fn images(
    settings: &Settings<'_>,
    item: &Item<'_, AllowReject<ImagePattern<'_>>>,
    beside: &Lists<'_, '_>,
    errors: &mut SettingsErrors,
) {
    let list = [&item.head.path(), ".allow"].concat();
    let refusing = || beside.digests.iter().filter(|by| refuses(by.list.action));
    for (index, allowed) in item.list.allow.iter().enumerate() {
        let mut entry = Allowed::new(&list, index, allowed.text(), errors);
        for by in &beside.images {
            entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                Some(by.list.reject.get(index)?.covers(allowed))
            });
        }
        // Where it is exempt, it passes whatever the other sections say.
        if is_exempt(allowed, settings) {
            continue;
        }
        for by in beside
            .registries
            .iter()
            .filter(|by| refuses(by.list.action))
        {
            entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                Some(by.list.reject.get(index)?.covers_image(allowed))
            });
        }
        // An entry with a digest covers that digest alone, with a tag or without.
        if allowed.digest().is_some() {
            for by in refusing() {
                entry.covered_by(&by.head.path(), "forbid", "forbids its digest", &|index| {
                    Some(by.list.forbid.get(index)?.covers(allowed))
                });
            }
        } else if let Some(tag) = allowed.tag() {
            // And one with a tag that tag alone, without a digest.
            for by in beside.tags.iter().filter(|by| refuses(by.list.action)) {
                entry.covered_by(&by.head.path(), "reject", REJECTED, &|index| {
                    Some(by.list.reject.get(index)?.covers(tag))
                });
            }
            for by in refusing() {
                let does = "requires a digest, name it or leave out the tag";
                entry.covered_by(&by.head.path(), "require", does, &|index| {
                    Some(by.list.require.get(index)?.covers(allowed))
                });
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
    list: &'e str,
    index: usize,
    text: &'e str,
    errors: &'e mut SettingsErrors,
}

impl<'e> Allowed<'e> {
    const fn new(
        list: &'e str,
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
    fn covered_by(
        &mut self,
        item: &str,
        list: &str,
        does: &str,
        covers: &dyn Fn(usize) -> Option<bool>,
    ) {
        let mut index = 0;
        while let Some(is_covered) = covers(index) {
            if is_covered {
                return self.errors.contradiction(
                    format!("{}[{}]", self.list, self.index),
                    &format!(
                        "`{}` allows nothing: `{item}.{list}[{index}]` {does}",
                        Shown(self.text)
                    ),
                );
            }
            index += 1;
        }
    }
}
