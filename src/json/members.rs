//! The members of a map, each as it was written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::Text;

/// A member of a map: its key, and its value as it was written.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// The members of the map that `text` is, in their order, a repeated key as often as it was written.
///
/// # Errors
///
/// Where the text is no JSON map.
pub(crate) fn members(text: &str) -> Result<Vec<Member<'_>>, serde_json::Error> {
    Members.deserialize(&mut serde_json::Deserializer::from_str(text))
}

struct Members;

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Text)? {
            members.push((key, map.next_value()?));
        }
        Ok(members)
    }
}
