//! `exemptions`: reads [`Exemption`]s.

use std::borrow::Cow;

use crate::exemption::{Check, Exemption};
use crate::json::Node;
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
    let by_image = names(entry.node, &["images"]);
    if by_image {
        exemption.checks.retain(|check| check.is_by_image());
    }
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
                let check = entry.keyword(&Check::ALL, errors);
                if by_image && check.is_some_and(|check| !check.is_by_image()) {
                    entry.error(
                        errors,
                        "looks at more than images, and this exemption names `images`: write an exemption of its own",
                    );
                }
                exemption.checks.extend(check);
            });
        }
        _ => {
            entry.text(errors);
        }
    });
    if !is_carried(entry.node) {
        entry.error(
            errors,
            "names no namespace, user, group or image: add `match.namespaces`, `match.users`, `match.groups` or `images`",
        );
    }
    exemption
}

fn names(node: &Node<'_>, keys: &[&str]) -> bool {
    match node {
        Node::Map(members) => members.iter().any(|(key, _)| keys.contains(&key.as_ref())),
        _ => false,
    }
}

/// Whether an exemption names what a tenant cannot write. An empty `match` is reported elsewhere.
fn is_carried(node: &Node<'_>) -> bool {
    names(node, &["images"])
        || match node {
            Node::Map(members) => members.iter().any(|(key, value)| {
                key == "match"
                    && (*value == Node::Map(Vec::new())
                        || names(value, &["namespaces", "users", "groups"]))
            }),
            // That it is no object is all that is to be said.
            _ => true,
        }
}
