//! `json`: JSON in a value.

use std::hash::{Hash, Hasher};

use crate::hashing::Seen;
use crate::json::{DEEPEST, Document, Kind, Value};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::quoted;

use super::text::fold;

/// The type of a JSON text, by the word of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A map.
    Object,
    /// A list.
    Array,
}

const TYPES: [(&str, JsonType); 2] = [("object", JsonType::Object), ("array", JsonType::Array)];

/// Reads the type.
pub(super) fn read(entry: Entry<'_, '_>, errors: &mut SettingsErrors) -> Option<JsonType> {
    entry.keyword(&TYPES, errors)
}

/// What is wrong with a text that must be JSON of a type; a key of it is named if `shows`.
pub(super) fn problem(wanted: JsonType, text: &str, shows: bool) -> Option<String> {
    let (kind, name) = match wanted {
        JsonType::Object => (Kind::Map, "object"),
        JsonType::Array => (Kind::List, "array"),
    };
    let but = match Document::of(text) {
        Err(mistake) => format!(", and is {mistake}"),
        Ok(document) if document.root().kind() != kind => String::new(),
        Ok(document) if document.root().may_be_as_deep_as(DEEPEST + 1) => {
            ", and is nested too deep".to_owned()
        }
        Ok(document) => {
            let key = ambiguous_key(document.root())?;
            let key = if shows {
                quoted(&[&key], "")
            } else {
                String::new()
            };
            [
                ", and a key occurs twice in one map, letter case aside ",
                &key,
            ]
            .concat()
        }
    };
    Some(["it must be a JSON ", name, but.trim_ascii_end()].concat())
}

/// A key, in any letter case the same.
struct Folded<'a>(&'a str);

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for character in self.0.chars() {
            fold(character).hash(state);
        }
    }
}

/// A key that stands in a map twice, for readers to which letter case does not count.
fn ambiguous_key(value: Value<'_>) -> Option<String> {
    let mut seen = Seen::default();
    for (key, below) in value.members() {
        if !seen.insert(&Folded(key.text())) {
            return Some(key.text().to_owned());
        }
        if let Some(key) = ambiguous_key(below) {
            return Some(key);
        }
    }
    value.elements().find_map(ambiguous_key)
}
