//! Reading single values out of a JSON text without reading the rest into memory.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::location::{Location, Step};
use super::node::{Kind, Node};
use super::text::Text;

/// What a raw value is, as far as comparing it with a text needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// `null`
    Null,
    /// A string, without its quotes and escapes.
    Text(Cow<'a, str>),
    /// A number or boolean in its JSON spelling.
    Literal(&'a str),
    /// A list or a map.
    Composite {
        /// Whether it has no element or member.
        is_empty: bool,
    },
}

impl<'a> Scalar<'a> {
    /// Classifies a value by its first character; only strings are read.
    pub(crate) fn of(raw: &'a RawValue) -> Self {
        Self::of_text(raw.get())
    }

    /// As [`of`](Self::of), for the text of a value.
    pub(crate) fn of_text(text: &'a str) -> Self {
        match kind_of_text(text) {
            Kind::Null => Self::Null,
            Kind::Bool | Kind::Number => Self::Literal(text),
            Kind::Text => {
                match serde_json::from_str(text) {
                    Ok(Node::Text(text)) => Self::Text(text),
                    // A lone surrogate: valid to skip over, but no text.
                    _ => Self::Literal(text),
                }
            }
            Kind::List | Kind::Map => Self::Composite {
                is_empty: text.get(1..).is_some_and(|rest| {
                    matches!(rest.trim_start().as_bytes().first(), Some(b']' | b'}'))
                }),
            },
        }
    }
}

/// The type of a raw value, which its first character tells.
pub(crate) fn kind_of(raw: &RawValue) -> Kind {
    kind_of_text(raw.get())
}

/// As [`kind_of`], for the text of a value.
pub(crate) fn kind_of_text(text: &str) -> Kind {
    match text.as_bytes().first() {
        Some(b'"') => Kind::Text,
        Some(b'{') => Kind::Map,
        Some(b'[') => Kind::List,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// Every value that `path` leads to in the JSON value that `text` begins with.
///
/// A key that occurs twice leads to both its values. What does not have the shape that the path
/// expects leads nowhere.
///
/// # Errors
///
/// Where the text is not JSON, or is nested deeper than `serde_json` reads (128 levels).
pub fn find<'a>(
    text: &'a str,
    path: &[Step<'_>],
) -> Result<Vec<(Location<'a>, &'a RawValue)>, serde_json::Error> {
    let mut found = Vec::new();
    let mut way = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Descend {
        path,
        way: &mut way,
        found: &mut found,
    }
    .deserialize(&mut deserializer)?;
    Ok(found)
}

/// The text that a path leads to, the last one where a key is repeated; none where it leads to
/// nothing or to something else.
pub(crate) fn text_at<'a>(text: &'a str, path: &[Step<'_>]) -> Option<Cow<'a, str>> {
    match find(text, path)
        .ok()?
        .last()
        .map(|(_, raw)| Scalar::of(raw))
    {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

struct Descend<'p, 'f, 'de> {
    path: &'p [Step<'p>],
    way: &'f mut Vec<Step<'de>>,
    found: &'f mut Vec<(Location<'de>, &'de RawValue)>,
}

impl<'de> DeserializeSeed<'de> for Descend<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
            self.found.push((Location(self.way.clone()), raw));
            Ok(())
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Descend<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            return Ok(());
        };
        let mut index = 0;
        loop {
            let wanted = match step {
                Step::Each => true,
                Step::Index(wanted) => *wanted == index,
                Step::Key(_) => false,
            };
            let more = if wanted {
                self.way.push(Step::Index(index));
                let more = list.next_element_seed(Descend {
                    path: rest,
                    way: &mut *self.way,
                    found: &mut *self.found,
                })?;
                self.way.pop();
                more
            } else {
                list.next_element::<IgnoredAny>()?.map(|_| ())
            };
            if more.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            return Ok(());
        };
        while let Some(key) = map.next_key_seed(Text)? {
            if matches!(step, Step::Key(wanted) if *wanted == key) {
                self.way.push(Step::Key(key));
                map.next_value_seed(Descend {
                    path: rest,
                    way: &mut *self.way,
                    found: &mut *self.found,
                })?;
                self.way.pop();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, path: &[Step<'_>]) -> Vec<(String, String)> {
        find(text, path)
            .unwrap()
            .into_iter()
            .map(|(location, raw)| (location.to_string(), raw.get().to_owned()))
            .collect()
    }

    #[test]
    fn finds_every_element_and_both_values_of_a_repeated_key() {
        let text = r#"{"a":[{"b":1},{"c":0},{"b":"x"}],"a":[{"b":{ }}]} trailing"#;
        assert_eq!(
            at(text, &[Step::key("a"), Step::Each, Step::key("b")]),
            [
                ("a[0].b".into(), "1".into()),
                ("a[2].b".into(), "\"x\"".into()),
                ("a[0].b".into(), "{ }".into())
            ]
        );
        assert_eq!(
            at(text, &[Step::key("a"), Step::Index(2), Step::key("b")]).len(),
            1
        );
        assert_eq!(at(text, &[Step::key("a"), Step::key("b")]), []);
    }

    #[test]
    fn tells_scalars_apart() {
        let of = |text: &'static str| Scalar::of(serde_json::from_str(text).unwrap());
        assert_eq!(of("null"), Scalar::Null);
        assert_eq!(of("1e2"), Scalar::Literal("1e2"));
        assert_eq!(of("true"), Scalar::Literal("true"));
        assert_eq!(of(r#""a\tb""#), Scalar::Text("a\tb".into()));
        assert_eq!(of("[ ]"), Scalar::Composite { is_empty: true });
        assert_eq!(of("{ \"a\":1}"), Scalar::Composite { is_empty: false });
        assert_eq!(of(r#""\ud800""#), Scalar::Literal(r#""\ud800""#));
    }
}
