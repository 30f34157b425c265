//! A small JSON value, borrowed where it can be, that keeps what a map would lose.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::lookup::kind_of_text;
use super::text::Text;

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
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
    /// JSON as it was written, to be read when it is needed.
    Raw(&'a str),
}

/// A JSON number. Equal if the values are: `1` and `1.0`.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer.
    Integer(i128),
    /// What has a fraction or an exponent, or is beyond 64 bits.
    Float(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::Integer(integer), Self::Float(float))
            | (Self::Float(float), Self::Integer(integer)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "the other side has no more precision"
                )]
                let integer = integer as f64;
                integer == float
            }
        }
    }
}

/// The type of a JSON value, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map, which Kubernetes calls an object.
    Map,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Map => "an object",
        })
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
            Self::Raw(text) => kind_of_text(text),
        }
    }
}

impl<'a> Node<'a> {
    /// Reads a map, but of the objects in its list `list` the members as [`Raw`](Self::Raw) only.
    pub(crate) fn shallow<'de: 'a, D: Deserializer<'de>>(
        deserializer: D,
        list: &'static str,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shallow::Around(list))
    }

    /// The same node with the members read that were left as they were written.
    ///
    /// # Errors
    ///
    /// None, since they were read over before.
    pub(crate) fn deepened(&self) -> Result<Self, serde_json::Error> {
        match self {
            Self::Raw(text) => serde_json::from_str(text),
            Self::Map(members) => {
                let members = members.iter();
                let deepened = members.map(|(key, value)| Ok((key.clone(), value.deepened()?)));
                deepened.collect::<Result<_, _>>().map(Self::Map)
            }
            other => Ok(other.clone()),
        }
    }
}

/// Where in a shallow node a value stands.
#[derive(Clone, Copy)]
enum Shallow {
    /// The map around the list with this key.
    Around(&'static str),
    /// The list.
    List,
    /// One of its elements.
    Element,
}

impl<'de> DeserializeSeed<'de> for Shallow {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shallow {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        NodeVisitor.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        NodeVisitor.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        NodeVisitor.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        NodeVisitor.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        NodeVisitor.visit_f64(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        NodeVisitor.visit_borrowed_str(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        NodeVisitor.visit_str(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self::List = self else {
            return NodeVisitor.visit_seq(list);
        };
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(Self::Element)? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Text)? {
            let value = match self {
                Self::Around(list) if key == list => map.next_value_seed(Self::List)?,
                Self::Element => Node::Raw(map.next_value::<&RawValue>()?.get()),
                Self::Around(_) | Self::List => map.next_value()?,
            };
            members.push((key, value));
        }
        Ok(Node::Map(members))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(Number::Integer(value.into())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(Number::Integer(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Node::Number(Number::Float(value)))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Text)? {
            members.push((key, map.next_value()?));
        }
        Ok(Node::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_repeated_keys_and_borrowed_text() {
        let node: Node<'_> =
            serde_json::from_str(r#"{"b":["x",1.5,null],"a":"\n","b":true}"#).unwrap();
        let Node::Map(members) = node else {
            panic!("expected a map")
        };
        let keys: Vec<_> = members.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        let Node::List(elements) = &members[0].1 else {
            panic!("expected a list")
        };
        assert!(matches!(elements[0], Node::Text(Cow::Borrowed("x"))));
        assert_eq!(elements[1], Node::Number(Number::Float(1.5)));
        assert!(matches!(&members[1].1, Node::Text(Cow::Owned(text)) if text == "\n"));
    }
}
