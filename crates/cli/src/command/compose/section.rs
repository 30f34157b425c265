//! The parts of settings, each with where it was written.

use rollout_guard::json::{Key, Kind, Value};

/// The sections that a map fills, or a list of such maps.
const LISTS: [&str; 4] = ["registries", "images", "tags", "digests"];

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The file, by its position.
    pub(super) file: usize,
    /// The path in its settings.
    pub(super) path: String,
}

/// A value, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Written<'d> {
    pub(super) value: Value<'d>,
    pub(super) origin: Origin,
}

/// A part of a section that is a map.
#[derive(Clone, Debug)]
pub(super) enum Part<'d> {
    Value(Written<'d>),
    Entries(Vec<Written<'d>>),
}

/// A map, such as `registries: { allow, reject }`, by its keys.
pub(super) type Parts<'d> = Vec<(&'d str, Part<'d>)>;

/// An element of a section that is a list.
#[derive(Clone, Debug)]
pub(super) enum Item<'d> {
    Whole(Written<'d>),
    /// Of several files.
    Parts(Parts<'d>),
}

/// A section of the settings.
#[derive(Clone, Debug)]
pub(super) enum Section<'d> {
    Value(Written<'d>),
    Parts(Parts<'d>),
    Items(Vec<Item<'d>>),
}

/// Tells the path of each part of a map, and where it was written.
pub(super) fn each_part(path: &str, parts: &Parts<'_>, consider: &mut dyn FnMut(&str, &Origin)) {
    for (name, part) in parts {
        let here = format!("{path}.{name}");
        match part {
            Part::Value(written) => consider(&here, &written.origin),
            Part::Entries(entries) => {
                for (position, entry) in entries.iter().enumerate() {
                    consider(&format!("{here}[{position}]"), &entry.origin);
                }
                // What is wrong with the list is where it begins.
                if let Some(Origin { file, path }) = entries.first().map(|entry| &entry.origin) {
                    let list = path
                        .rsplit_once('[')
                        .map_or(path.as_str(), |(list, _)| list);
                    let list = Origin {
                        file: *file,
                        path: list.to_owned(),
                    };
                    consider(&here, &list);
                }
            }
        }
    }
}

/// A section as a file has it.
pub(super) fn section<'d>(key: &str, value: Value<'d>, origin: &Origin) -> Section<'d> {
    match value.kind() {
        Kind::List => Section::Items(elements(value, origin).map(Item::Whole).collect()),
        Kind::Map if LISTS.contains(&key) => Section::Parts(parts(value, origin)),
        _ => Section::Value(Written {
            value,
            origin: origin.clone(),
        }),
    }
}

fn parts<'d>(map: Value<'d>, origin: &Origin) -> Parts<'d> {
    let part = |(name, value): (Key<'d>, Value<'d>)| {
        let origin = Origin {
            path: format!("{}.{}", origin.path, name.text()),
            ..*origin
        };
        let part = match value.kind() {
            Kind::List => Part::Entries(elements(value, &origin).collect()),
            _ => Part::Value(Written { value, origin }),
        };
        (name.text(), part)
    };
    map.members().map(part).collect()
}

fn elements<'d>(list: Value<'d>, origin: &Origin) -> impl Iterator<Item = Written<'d>> {
    list.elements()
        .enumerate()
        .map(|(position, value)| Written {
            value,
            origin: Origin {
                path: format!("{}[{position}]", origin.path),
                ..*origin
            },
        })
}
