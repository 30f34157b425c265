//! A small JSON value, borrowed where it can be, that keeps what a map would lose.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

pub use rollout_guard_json::Kind;

use super::check::{NO_JSON, too_deep};
use super::scan::{
    DEEPEST, balanced_end, each_element, each_member, kind_at, kind_of, space_end, string_at,
    value_end,
};

/// A JSON value with its keys in their order, and each key as often as it was written.
///
/// For values that are small or in doubt, and read whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number.
    Number(Number<'a>),
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
    /// JSON as it was written, to be read when it is needed.
    Raw(&'a str),
}

/// A JSON number as it was written. Equal if the values are: `1`, `1.0` and `10e-1`.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a>(pub &'a str);

impl Number<'_> {
    /// Whether it is negative, its digits without zeros around them, and the power of ten that the last
    /// of these counts.
    fn value(self) -> (bool, String, i64) {
        let (mantissa, power) = self.0.split_once(['e', 'E']).unwrap_or((self.0, "0"));
        let is_negative = mantissa.starts_with('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole.trim_start_matches('-'), fraction].concat();
        let all = digits.trim_start_matches('0');
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return (false, String::new(), 0);
        }
        // A power that is too large for an integer is like no other.
        let power = power.parse::<i64>().unwrap_or(i64::MAX / 2);
        let count = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX / 4);
        let power = power + count(all) - count(digits) - count(fraction);
        (is_negative, digits.to_owned(), power)
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Whole numbers without an exponent have one spelling, but for `-0`.
        let is_plain = |number: &str| {
            number != "-0"
                && number
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'-')
        };
        let are_plain = is_plain(self.0) && is_plain(other.0);
        self.0 == other.0 || (!are_plain && self.value() == other.value())
    }
}

impl Node<'_> {
    /// The type of this value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Raw(text) => kind_of(text),
        }
    }
}

impl<'a> Node<'a> {
    /// Reads the value that a text is.
    ///
    /// # Errors
    ///
    /// Where it is no JSON, or nested too deep.
    pub(crate) fn read(text: &'a str) -> Result<Self, String> {
        let start = space_end(text.as_bytes(), 0);
        let (node, end) = Reader::read(text, start, None)?;
        if space_end(text.as_bytes(), end) == text.len() {
            Ok(node)
        } else {
            Err(NO_JSON.to_owned())
        }
    }

    /// Reads the map that a text begins with, but these members of it and those of the objects in its
    /// list `list` as [`Raw`](Self::Raw) only; says where it ends.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub(crate) fn shallow(
        text: &'a str,
        list: &'static str,
        members: &'static [&'static str],
    ) -> Result<(Self, usize), String> {
        Reader::read(text, 0, Some(Shallow::Around { list, members }))
    }

    /// Whether it is a list or map of nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            _ => false,
        }
    }

    /// Whether it is a map with this member.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Map(members) if members.iter().any(|(key, _)| key == name))
    }

    /// The same node with the members read that were left as they were written.
    ///
    /// # Errors
    ///
    /// Where it is nested too deep.
    pub(crate) fn deepened(&self) -> Result<Self, String> {
        match self {
            Self::Raw(text) => Node::read(text),
            Self::Map(members) => {
                let mut deepened = Vec::with_capacity(members.len());
                for (key, value) in members {
                    deepened.push((key.clone(), value.deepened()?));
                }
                Ok(Self::Map(deepened))
            }
            other => Ok(other.clone()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Node::read(raw.get()).map_err(D::Error::custom)
    }
}

/// Where in a shallow node a value stands.
#[derive(Clone, Copy)]
enum Shallow {
    /// The map around a list and members.
    Around {
        list: &'static str,
        members: &'static [&'static str],
    },
    /// The list.
    List,
    /// One of its elements.
    Element,
    /// One of its members.
    Member,
}

struct Reader<'a> {
    text: &'a str,
    /// Where the value begins that is nested too deep.
    too_deep: Option<usize>,
}

impl<'a> Reader<'a> {
    fn read(
        text: &'a str,
        start: usize,
        shallow: Option<Shallow>,
    ) -> Result<(Node<'a>, usize), String> {
        let mut reader = Self {
            text,
            too_deep: None,
        };
        reader
            .value(start, shallow, DEEPEST)
            .ok_or_else(|| match reader.too_deep {
                Some(position) => too_deep(text, position),
                None => NO_JSON.to_owned(),
            })
    }

    /// The value that begins here, and where it ends.
    fn value(
        &mut self,
        start: usize,
        shallow: Option<Shallow>,
        deeper: usize,
    ) -> Option<(Node<'a>, usize)> {
        let text = self.text;
        if let Some(Shallow::Member) = shallow {
            let end = balanced_end(text, start)?;
            return Some((Node::Raw(text.get(start..end)?), end));
        }
        let kind = kind_at(text, start);
        if deeper == 0 && matches!(kind, Kind::List | Kind::Map) {
            self.too_deep = Some(start);
            return None;
        }
        match kind {
            Kind::Map => {
                let mut members = Vec::with_capacity(match shallow {
                    Some(Shallow::Element) => 10,
                    _ => 0,
                });
                let end = each_member(text, start, &mut |key, start| {
                    let shallow = match shallow {
                        Some(Shallow::Around { list, .. }) if key == list => Some(Shallow::List),
                        Some(Shallow::Around { members, .. })
                            if members.contains(&key.as_ref()) =>
                        {
                            Some(Shallow::Member)
                        }
                        Some(Shallow::Element) => Some(Shallow::Member),
                        _ => None,
                    };
                    let (value, end) = self.value(start, shallow, deeper - 1)?;
                    members.push((key, value));
                    Some(end)
                })?;
                Some((Node::Map(members), end))
            }
            Kind::List => {
                let mut elements = Vec::new();
                let end = each_element(text, start, &mut |start| {
                    let shallow = match shallow {
                        Some(Shallow::List) => Some(Shallow::Element),
                        _ => None,
                    };
                    let (value, end) = self.value(start, shallow, deeper - 1)?;
                    elements.push(value);
                    Some(end)
                })?;
                Some((Node::List(elements), end))
            }
            Kind::Text => {
                let (string, end) = string_at(text, start)?;
                Some((Node::Text(string), end))
            }
            scalar => {
                let end = value_end(text, start)?;
                let value = text.get(start..end)?;
                let node = match scalar {
                    Kind::Null => Node::Null,
                    Kind::Bool => Node::Bool(value == "true"),
                    _ => Node::Number(Number(value)),
                };
                Some((node, end))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_repeated_keys_and_borrowed_text() {
        let node = Node::read(r#" {"b":["x",1.5,null],"a":"\n","b":true} "#).unwrap();
        let Node::Map(members) = node else {
            panic!("expected a map")
        };
        let keys: Vec<_> = members.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        let Node::List(elements) = &members[0].1 else {
            panic!("expected a list")
        };
        assert!(matches!(elements[0], Node::Text(Cow::Borrowed("x"))));
        assert_eq!(elements[1], Node::Number(Number("1.5")));
        assert!(matches!(&members[1].1, Node::Text(Cow::Owned(text)) if text == "\n"));
    }

    #[test]
    fn numbers_are_equal_by_their_value() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("-0.0", "0"),
            ("1.50", "150e-2"),
            ("0.001", "1E-3"),
            ("12300", "1.23e+4"),
        ] {
            assert_eq!(Number(one), Number(other));
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("18446744073709551615", "18446744073709551614"),
            ("0.1", "0.01"),
            ("1e99999999999999999999", "1"),
        ] {
            assert_ne!(Number(one), Number(other));
        }
    }

    #[test]
    fn says_where_it_is_nested_too_deep() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Node::read(&deep(128)).is_ok());
        assert_eq!(
            Node::read(&deep(129)).unwrap_err(),
            "nested deeper than 128 levels at line 1 column 129"
        );
    }
}
