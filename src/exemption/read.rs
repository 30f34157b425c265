//! `exemptions`: reads [`Exemption`]s.

use std::borrow::Cow;

use crate::date::Date;
use crate::glob;
use crate::json::{Kind, Value};
use crate::pattern::{ImagePattern, Sense};
use crate::selector::{self, Purpose, Selector};

use super::{Check, Exemption};
use crate::schema::Entry;
use crate::schema::SettingsErrors;

/// The groups of everybody who is logged in, and of every service account: of those that controllers make
/// Pods with, too.
const EVERYBODY: [&str; 2] = ["system:authenticated", "system:serviceaccounts"];

pub(crate) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<Exemption<'n>> {
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
        checks: Vec::new(),
        until: None,
        warns_after_end: false,
    };
    let before = errors.len();
    let whole = entry.value;
    let keys = [
        "name", "match", "images", "checks", "until", "afterEnd", "reason",
    ];
    entry.map_of_full(&keys, errors, &mut |key, entry, errors| match key {
        "name" => {
            if let Some(name) = entry.text(errors) {
                exemption.name = Cow::Borrowed(name);
            }
        }
        "match" => exemption.selector = selector::read(entry, errors, Purpose::Lift),
        "images" => {
            exemption.images = entry.texts(errors, |text| ImagePattern::parse(text, Sense::Allow));
        }
        "checks" => {
            let is_for_images = has_images(whole);
            entry.list(errors, &mut |_, entry, errors| {
                let check = entry.keyword(&Check::ALL, errors);
                if is_for_images && check.is_some_and(|check| !check.is_about_images()) {
                    entry.error(errors, "has no images: leave out `images`, or this check");
                }
                exemption.checks.extend(check);
            });
        }
        "until" => exemption.until = Date::end(entry, errors),
        "afterEnd" => {
            let words = [("reject", false), ("warn", true)];
            exemption.warns_after_end = entry.keyword(&words, errors).unwrap_or_default();
            if whole.get("until").is_none() {
                entry.error(errors, "needs `until`: this exemption has no end");
            }
        }
        _ => {
            entry.text(errors);
        }
    });
    if exemption.checks.is_empty() {
        let is_for_images = has_images(whole);
        let checks = Check::ALL.iter().map(|(_, check)| *check);
        exemption.checks = checks
            .filter(|check| !is_for_images || check.is_about_images())
            .collect();
    }
    if !is_carried(whole) {
        entry.error(
            errors,
            "names no namespace, user, group or image: add `match.namespaces`, `match.users`, `match.groups` or `images`",
        );
    } else if errors.len() == before && names_all(&exemption) {
        entry.error(
            errors,
            "`*`, `system:authenticated` and `system:serviceaccounts` exempt everything: name the namespaces, users, groups or images that are exempt",
        );
    }
    exemption
}

/// Whether what carries an exemption is all there is: then it leaves no rule, or only what a tenant
/// can write narrows it.
fn names_all(exemption: &Exemption<'_>) -> bool {
    let Selector {
        namespaces,
        users,
        groups,
        ..
    } = &exemption.selector;
    let any = |globs: &Option<Vec<&str>>, is_all: fn(&str) -> bool| {
        globs
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|glob| is_all(glob)))
    };
    // A glob over users that matches all of them is an error of its own.
    users.is_none()
        && any(namespaces, |glob| {
            glob.contains('*') && glob.bytes().all(|byte| matches!(byte, b'*' | b'?'))
        })
        && any(groups, |glob| {
            EVERYBODY.iter().any(|group| glob::matches(glob, group))
        })
        && (exemption.images.is_empty() || exemption.images.iter().any(ImagePattern::is_everything))
}

/// Whether an exemption is for some images only.
fn has_images(exemption: Value<'_>) -> bool {
    exemption.get("images").is_some()
}

/// Whether an exemption names what a tenant cannot write. An empty `match` is reported elsewhere.
fn is_carried(exemption: Value<'_>) -> bool {
    const CARRYING: [&str; 3] = ["namespaces", "users", "groups"];
    let carries = |selector: Value<'_>| {
        selector.kind() == Kind::Map
            && (selector.is_empty() || CARRYING.iter().any(|key| selector.get(key).is_some()))
    };
    // If it is no object, that is all that is to be said.
    exemption.kind() != Kind::Map || has_images(exemption) || exemption.all("match").any(carries)
}
