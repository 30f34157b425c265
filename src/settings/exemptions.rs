//! `exemptions`: reads [`Exemption`]s.

use std::borrow::Cow;

use crate::exemption::{Check, Exemption};
use crate::pattern::{ImagePattern, Sense};
use crate::selector::Selector;

use super::error::SettingsErrors;
use super::matching;
use super::reader::Entry;

pub(super) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<Exemption<'n>> {
    let mut exemptions = Vec::new();
    entry.list(errors, &mut |index, entry, errors| {
        exemptions.push(exemption(index, entry, errors));
    });
    exemptions
}

fn exemption<'n>(index: usize, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Exemption<'n> {
    let mut exemption = Exemption {
        name: Cow::Owned(format!("exemptions[{index}]")),
        selector: Selector::default(),
        images: Vec::new(),
        checks: Check::ALL.iter().map(|(_, check)| *check).collect(),
    };
    let before = errors.len();
    let keys = ["name", "match", "images", "checks", "reason"];
    entry.map_of_full(&keys, errors, &mut |key, entry, errors| match key {
        "name" => {
            if let Some(name) = entry.text(errors) {
                exemption.name = Cow::Borrowed(name);
            }
        }
        "match" => exemption.selector = matching::read(entry, errors),
        "images" => {
            exemption.images = entry.texts(errors, |text| ImagePattern::parse(text, Sense::Allow));
        }
        "checks" => {
            exemption.checks.clear();
            entry.list(errors, &mut |_, entry, errors| {
                exemption.checks.extend(entry.keyword(&Check::ALL, errors));
            });
        }
        _ => {
            entry.text(errors);
        }
    });
    let selector = &exemption.selector;
    let is_carried = selector.namespaces.is_some()
        || selector.users.is_some()
        || selector.groups.is_some()
        || !exemption.images.is_empty();
    if errors.len() == before && !is_carried {
        entry.error(
            errors,
            "name at least one of `match.namespaces`, `match.users`, `match.groups` or `images`: what else it names, a tenant can write",
        );
    }
    exemption
}
