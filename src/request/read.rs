//! Reads the payload in one pass.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Node, Text, value_text};
use crate::kind::GroupKind;
use crate::workload::{Object, Walk};

use super::{Operation, Request, RequestError, User};

/// The payload of `validate`: `{"request": …, "settings": …}`.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The request, or why it cannot be judged.
    pub request: Result<Request<'a>, RequestError>,
    /// The settings as the host handed them over; none where it handed over none.
    pub settings: Option<Node<'a>>,
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// Where the bytes are no JSON object of that form at all.
    pub fn read(bytes: &'a [u8]) -> Result<Self, RequestError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            RequestError::new(
                "payload",
                format!("not UTF-8 at byte {}", error.valid_up_to()),
            )
        })?;
        whole("payload", text, PayloadReader { text })?
    }
}

/// Reads a bare request.
pub(super) fn request(text: &str) -> Result<Request<'_>, RequestError> {
    whole("request", text, RequestReader { text })?.request()
}

/// Reads a text that is one JSON object.
fn whole<'de, M: Members<'de>>(
    place: &'static str,
    text: &'de str,
    members: M,
) -> Result<M::Value, RequestError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    OnlyObject(members)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| RequestError::unreadable(place, &error))?
        .ok_or_else(|| RequestError::new(place, "expected an object"))
}

/// What reads the members of an object.
trait Members<'de>: Sized {
    type Value;

    fn read<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error>;
}

/// Reads an object, and reads over what is none.
///
/// serde's own way is an error that shows the value, with all the code that takes.
struct OnlyObject<M>(M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for OnlyObject<M> {
    type Value = Option<M::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for OnlyObject<M> {
    type Value = Option<M::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.read(map).map(Some)
    }
}

struct PayloadReader<'de> {
    text: &'de str,
}

impl<'de> Members<'de> for PayloadReader<'de> {
    type Value = Result<Payload<'de>, RequestError>;

    fn read<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut request, mut settings, mut twice) = (None, None, None);
        while let Some(key) = map.next_key_seed(Text)? {
            match key.as_ref() {
                "request" if request.is_none() => {
                    let reader = OnlyObject(RequestReader { text: self.text });
                    request = Some(map.next_value_seed(reader)?);
                }
                "settings" if settings.is_none() => {
                    settings = Some(map.next_value_seed(SettingsReader)?);
                }
                name => {
                    twice = match name {
                        "request" => Some("request"),
                        "settings" => Some("settings"),
                        _ => twice,
                    };
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let Some(place) = twice {
            return Ok(Err(RequestError::new(place, "occurs twice")));
        }
        Ok(Ok(Payload {
            request: match request {
                None => Err(RequestError::new("request", "missing")),
                Some(None) => Err(RequestError::new("request", "expected an object")),
                Some(Some(members)) => members.request(),
            },
            settings,
        }))
    }
}

/// Reads settings, the rules about annotations only as far as it takes to see whether they apply:
/// they may be many, and most of them are about other kinds.
struct SettingsReader;

impl<'de> DeserializeSeed<'de> for SettingsReader {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Node::shallow(deserializer, "annotations")
    }
}

/// The members of a request as they were read; each is checked when all are there.
#[derive(Default)]
struct RequestMembers<'de> {
    operation: Option<Node<'de>>,
    kind: Option<Node<'de>>,
    sub_resource: Option<Node<'de>>,
    name: Option<Node<'de>>,
    namespace: Option<Node<'de>>,
    user_info: Option<Node<'de>>,
    options: Option<Node<'de>>,
    old_object: Option<&'de str>,
    /// The object if the kind came before it, as in every host's requests.
    object: Option<Object<'de>>,
    /// The object if the kind came after it.
    object_text: Option<&'de str>,
    twice: Option<&'static str>,
}

struct RequestReader<'de> {
    /// What the deserializer reads: the object's place in it is told by its key's.
    text: &'de str,
}

impl<'de> Members<'de> for RequestReader<'de> {
    type Value = RequestMembers<'de>;

    fn read<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = RequestMembers::default();
        while let Some(key) = map.next_key_seed(Text)? {
            let mut once = |member: &mut Option<Node<'de>>, name| -> Result<(), A::Error> {
                if member.replace(map.next_value()?).is_some() {
                    members.twice = Some(name);
                }
                Ok(())
            };
            match key.as_ref() {
                "operation" => once(&mut members.operation, "request.operation")?,
                "kind" => once(&mut members.kind, "request.kind")?,
                "subResource" | "sub_resource" => {
                    once(&mut members.sub_resource, "request.subResource")?;
                }
                "name" => once(&mut members.name, "request.name")?,
                "namespace" => once(&mut members.namespace, "request.namespace")?,
                "userInfo" | "user_info" => once(&mut members.user_info, "request.userInfo")?,
                "options" => once(&mut members.options, "request.options")?,
                "oldObject" | "old_object" => {
                    let value = map.next_value::<&RawValue>()?;
                    if members.old_object.replace(value.get()).is_some() {
                        members.twice = Some("request.oldObject");
                    }
                }
                "object" => {
                    if members.object.is_some() || members.object_text.is_some() {
                        members.twice = Some("request.object");
                    }
                    let kind = members.kind.as_ref().and_then(group_kind);
                    match (kind, value_text(self.text, &key)) {
                        (Some(kind), Some(text)) => {
                            let mut object = Object::new(text);
                            map.next_value_seed(Walk::object(&kind, &mut object, &mut None))?;
                            members.object = Some(object);
                        }
                        _ => members.object_text = Some(map.next_value::<&RawValue>()?.get()),
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

fn group_kind<'de>(node: &Node<'de>) -> Option<GroupKind<'de>> {
    let Node::Map(members) = node else {
        return None;
    };
    let mut group = None;
    let mut kind = None;
    for (key, value) in members {
        let slot = match key.as_ref() {
            "group" => &mut group,
            "kind" => &mut kind,
            _ => continue,
        };
        let text = match value {
            Node::Text(text) => text.clone(),
            Node::Null => Cow::Borrowed(""),
            _ => return None,
        };
        if slot.replace(text).is_some() {
            return None;
        }
    }
    Some(GroupKind {
        group: group.unwrap_or_default(),
        kind: kind.filter(|kind| !kind.is_empty())?,
    })
}

impl<'de> RequestMembers<'de> {
    fn request(self) -> Result<Request<'de>, RequestError> {
        if let Some(place) = self.twice {
            return Err(RequestError::new(place, "occurs twice"));
        }
        let kind = match self.kind {
            None | Some(Node::Null) => return Err(RequestError::new("request.kind", "missing")),
            Some(node) => group_kind(&node).ok_or_else(|| {
                RequestError::new(
                    "request.kind",
                    "expected an object with the strings `group` and `kind`",
                )
            })?,
        };
        let operation = match optional_text(self.operation, "request.operation")? {
            None => return Err(RequestError::new("request.operation", "missing")),
            Some(text) => *Operation::ALL
                .iter()
                .find(|operation| operation.as_str() == text)
                .ok_or_else(|| {
                    RequestError::new(
                        "request.operation",
                        format!("`{text}` is none of `CREATE`, `UPDATE`, `DELETE`, `CONNECT`"),
                    )
                })?,
        };
        let object = match (self.object, self.object_text) {
            (Some(object), _) => Some(object),
            (None, Some(text)) => Some(
                Object::read(text, &kind)
                    .map_err(|error| RequestError::unreadable("request.object", &error))?,
            ),
            (None, None) => None,
        };
        Ok(Request {
            operation,
            kind,
            sub_resource: optional_text(self.sub_resource, "request.subResource")?,
            name: optional_text(self.name, "request.name")?,
            namespace: optional_text(self.namespace, "request.namespace")?,
            user: user(self.user_info)?,
            field_manager: field_manager(self.options)?,
            object: object.filter(|object| !object.is_null && !object.text.starts_with("null")),
            old_object: self.old_object.filter(|text| !text.starts_with("null")),
        })
    }
}

/// A string; `null` and the empty string are as good as absent.
fn optional_text<'de>(
    node: Option<Node<'de>>,
    place: &'static str,
) -> Result<Option<Cow<'de, str>>, RequestError> {
    match node {
        None | Some(Node::Null) => Ok(None),
        Some(Node::Text(text)) if text.is_empty() => Ok(None),
        Some(Node::Text(text)) => Ok(Some(text)),
        Some(other) => Err(RequestError::new(
            place,
            format!("expected a string, got {}", other.kind()),
        )),
    }
}

fn user(node: Option<Node<'_>>) -> Result<Option<User<'_>>, RequestError> {
    let members = match node {
        None | Some(Node::Null) => return Ok(None),
        Some(Node::Map(members)) => members,
        Some(other) => {
            return Err(RequestError::new(
                "request.userInfo",
                format!("expected an object, got {}", other.kind()),
            ));
        }
    };
    let (mut name, mut groups) = (None, None);
    for (key, value) in members {
        let (slot, place) = match key.as_ref() {
            "username" => (&mut name, "request.userInfo.username"),
            "groups" => (&mut groups, "request.userInfo.groups"),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(RequestError::new(place, "occurs twice"));
        }
    }
    let groups = match groups {
        None | Some(Node::Null) => Vec::new(),
        Some(Node::List(groups)) => groups
            .into_iter()
            .map(|group| match group {
                Node::Text(group) => Ok(group),
                other => Err(RequestError::new(
                    "request.userInfo.groups",
                    format!("expected strings, got {}", other.kind()),
                )),
            })
            .collect::<Result<_, _>>()?,
        Some(other) => {
            return Err(RequestError::new(
                "request.userInfo.groups",
                format!("expected a list, got {}", other.kind()),
            ));
        }
    };
    Ok(optional_text(name, "request.userInfo.username")?.map(|name| User { name, groups }))
}

/// The field manager in the options, which are of another kind for each operation.
fn field_manager(node: Option<Node<'_>>) -> Result<Option<Cow<'_, str>>, RequestError> {
    let members = match node {
        None | Some(Node::Null) => return Ok(None),
        Some(Node::Map(members)) => members,
        Some(other) => {
            return Err(RequestError::new(
                "request.options",
                format!("expected an object, got {}", other.kind()),
            ));
        }
    };
    let mut manager = None;
    for (key, value) in members {
        if matches!(key.as_ref(), "fieldManager" | "field_manager")
            && manager.replace(value).is_some()
        {
            return Err(RequestError::new(
                "request.options.fieldManager",
                "occurs twice",
            ));
        }
    }
    optional_text(manager, "request.options.fieldManager")
}
