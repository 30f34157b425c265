//! Reads the payload.

use std::borrow::Cow;

use crate::json::scan::{each_member, elements, kind_at, space_end, value_end};
use crate::json::{Kind, NO_JSON, Node, Scalar, kind_of, members};
use crate::kind::GroupKind;
use crate::workload::Object;

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
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
            // Which does not say where.
            let error = std::str::from_utf8(bytes).err();
            let place = error.map_or(0, |error| error.valid_up_to());
            RequestError::new("payload", format!("not UTF-8 at byte {place}"))
        })?;
        let (mut request, mut settings, mut twice) = (None, None, None);
        read_object("payload", text, &mut |key, start| match key {
            "request" => {
                let mut members = RequestMembers::default();
                let end = members.read(text, start)?;
                if request.replace(members).is_some() {
                    twice = Some("request");
                }
                Some(end)
            }
            "settings" => {
                let runs_nothing = request.as_ref().is_some_and(RequestMembers::runs_nothing);
                let (node, end) = match read_settings(text.get(start..)?, runs_nothing) {
                    Ok((node, length)) => (Ok(node), start + length),
                    Err(problem) => (Err(problem), value_end(text, start)?),
                };
                if settings.replace(node).is_some() {
                    twice = Some("settings");
                }
                Some(end)
            }
            _ => value_end(text, start),
        })?;
        if let Some(place) = twice {
            return Err(RequestError::new(place, "occurs twice"));
        }
        Ok(Self {
            request: match request {
                None => Err(RequestError::new("request", "missing")),
                Some(members) => members.request(text),
            },
            settings: settings
                .transpose()
                .map_err(|problem| RequestError::new("settings", problem))?,
        })
    }
}

/// Reads the settings that a text begins with, as far as it takes to see which rules apply, and says where
/// they end: rules about annotations may be many, and most of them are about other kinds; those about
/// images judge nothing in an object that `runs_nothing`.
fn read_settings(text: &str, runs_nothing: bool) -> Result<(Node<'_>, usize), String> {
    if runs_nothing {
        let read = Node::shallow(text, "annotations", &ABOUT_IMAGES)?;
        // With these there may be images all the same.
        if !read.0.has("imagePaths") {
            return Ok(read);
        }
    }
    Node::shallow(text, "annotations", &[])
}

/// The keys of the settings about images alone.
const ABOUT_IMAGES: [&str; 5] = ["registries", "images", "tags", "digests", "mirrors"];

/// Reads a bare request.
pub(super) fn request(text: &str) -> Result<Request<'_>, RequestError> {
    let mut members = RequestMembers::default();
    read_object("request", text, &mut |key, start| {
        members.member(text, key, start)
    })?;
    members.request(text)
}

/// Hands each member of the JSON object that a text is to `read`, which says where its value ends.
fn read_object(
    place: &'static str,
    text: &str,
    read: &mut dyn FnMut(&str, usize) -> Option<usize>,
) -> Result<(), RequestError> {
    let bytes = text.as_bytes();
    let start = space_end(bytes, 0);
    let end = if kind_at(text, start) == Kind::Map {
        each_member(text, start, &mut |key, start| read(&key, start))
    } else {
        value_end(text, start)
    };
    if end.is_none_or(|end| space_end(bytes, end) < bytes.len()) {
        return Err(RequestError::new(place, NO_JSON));
    }
    if kind_at(text, start) != Kind::Map {
        return Err(RequestError::new(place, "expected an object"));
    }
    Ok(())
}

/// The members of a request as they were written; each is read when all are there.
#[derive(Default)]
struct RequestMembers<'a> {
    operation: Option<&'a str>,
    kind: Option<&'a str>,
    sub_resource: Option<&'a str>,
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    user_info: Option<&'a str>,
    options: Option<&'a str>,
    old_object: Option<&'a str>,
    /// The object if the kind came before it, as in every host's requests.
    object: Option<Result<Object<'a>, String>>,
    /// Where the object starts if the kind came after it.
    object_start: Option<usize>,
    is_no_object: bool,
    twice: Option<&'static str>,
}

impl<'a> RequestMembers<'a> {
    /// Reads the request that starts here, and says where it ends.
    fn read(&mut self, text: &'a str, start: usize) -> Option<usize> {
        if kind_at(text, start) != Kind::Map {
            self.is_no_object = true;
            return value_end(text, start);
        }
        each_member(text, start, &mut |key, start| {
            self.member(text, &key, start)
        })
    }

    /// Reads a member, and says where its value ends.
    fn member(&mut self, text: &'a str, key: &str, start: usize) -> Option<usize> {
        if key == "object" {
            return self.object(text, start);
        }
        let end = value_end(text, start)?;
        let (slot, place) = match key {
            "operation" => (&mut self.operation, "request.operation"),
            "kind" => (&mut self.kind, "request.kind"),
            "subResource" | "sub_resource" => (&mut self.sub_resource, "request.subResource"),
            "name" => (&mut self.name, "request.name"),
            "namespace" => (&mut self.namespace, "request.namespace"),
            "userInfo" | "user_info" => (&mut self.user_info, "request.userInfo"),
            "options" => (&mut self.options, "request.options"),
            "oldObject" | "old_object" => (&mut self.old_object, "request.oldObject"),
            _ => return Some(end),
        };
        if slot.replace(text.get(start..end)?).is_some() {
            self.twice = Some(place);
        }
        Some(end)
    }

    fn object(&mut self, text: &'a str, start: usize) -> Option<usize> {
        if self.object.is_some() || self.object_start.is_some() {
            self.twice = Some("request.object");
        }
        let Some(kind) = self.kind.and_then(group_kind) else {
            self.object_start = Some(start);
            return value_end(text, start);
        };
        match Object::read_at(text, start, &kind) {
            Ok((object, end)) => {
                self.object = Some(Ok(object));
                Some(end)
            }
            Err(problem) => {
                self.object = Some(Err(problem));
                value_end(text, start)
            }
        }
    }

    /// Whether there is no image in the object, nor one that was there before.
    fn runs_nothing(&self) -> bool {
        matches!(&self.object, Some(Ok(object)) if object.found.is_empty())
            && self.old_object.is_none_or(|text| text == "null")
    }

    fn request(self, text: &'a str) -> Result<Request<'a>, RequestError> {
        if self.is_no_object {
            return Err(RequestError::new("request", "expected an object"));
        }
        if let Some(place) = self.twice {
            return Err(RequestError::new(place, "occurs twice"));
        }
        let kind = match self.kind {
            None | Some("null") => return Err(RequestError::new("request.kind", "missing")),
            Some(kind) => group_kind(kind).ok_or_else(|| {
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
        let object = match (self.object, self.object_start) {
            (Some(object), _) => Some(object),
            (None, Some(start)) => {
                Some(Object::read_at(text, start, &kind).map(|(object, _)| object))
            }
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
            object: object
                .transpose()
                .map_err(|problem| RequestError::new("request.object", problem))?
                .filter(|object| !object.is_null),
            old_object: self.old_object.filter(|text| *text != "null"),
        })
    }
}

fn group_kind(text: &str) -> Option<GroupKind<'_>> {
    let mut group = None;
    let mut kind = None;
    for (key, value) in members(text)? {
        let slot = match key.as_ref() {
            "group" => &mut group,
            "kind" => &mut kind,
            _ => continue,
        };
        let text = match Scalar::of(value) {
            Scalar::Text(text) => text,
            Scalar::Null => Cow::Borrowed(""),
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

/// A string; `null` and the empty string are as good as absent.
fn optional_text<'a>(
    value: Option<&'a str>,
    place: &'static str,
) -> Result<Option<Cow<'a, str>>, RequestError> {
    let Some(value) = value else {
        return Ok(None);
    };
    match Scalar::of(value) {
        Scalar::Null => Ok(None),
        Scalar::Text(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        _ => Err(unexpected(value, place, "a string")),
    }
}

fn unexpected(value: &str, place: &'static str, expected: &str) -> RequestError {
    RequestError::new(
        place,
        format!("expected {expected}, got {}", kind_of(value)),
    )
}

/// A member of an object that may be absent or `null`.
fn optional_member<'a>(
    object: Option<&'a str>,
    object_place: &'static str,
    keys: &[&str],
    place: &'static str,
) -> Result<Option<&'a str>, RequestError> {
    let Some(object) = object.filter(|object| *object != "null") else {
        return Ok(None);
    };
    let members = members(object).ok_or_else(|| unexpected(object, object_place, "an object"))?;
    let mut found = None;
    for (key, value) in members {
        if keys.contains(&key.as_ref()) && found.replace(value).is_some() {
            return Err(RequestError::new(place, "occurs twice"));
        }
    }
    Ok(found)
}

fn user(info: Option<&str>) -> Result<Option<User<'_>>, RequestError> {
    const NAME: &str = "request.userInfo.username";
    const GROUPS: &str = "request.userInfo.groups";
    let name = optional_member(info, "request.userInfo", &["username"], NAME)?;
    let groups = optional_member(info, "request.userInfo", &["groups"], GROUPS)?;
    let groups = match groups.map(|groups| (kind_of(groups), groups)) {
        None | Some((Kind::Null, _)) => Vec::new(),
        Some((Kind::List, groups)) => elements(groups)
            .into_iter()
            .map(|group| match Scalar::of(group) {
                Scalar::Text(group) => Ok(group),
                _ => Err(unexpected(group, GROUPS, "strings")),
            })
            .collect::<Result<_, _>>()?,
        Some((_, groups)) => return Err(unexpected(groups, GROUPS, "a list")),
    };
    Ok(optional_text(name, NAME)?.map(|name| User { name, groups }))
}

/// The field manager in the options, which are of another kind for each operation.
fn field_manager(options: Option<&str>) -> Result<Option<Cow<'_, str>>, RequestError> {
    const PLACE: &str = "request.options.fieldManager";
    let keys = ["fieldManager", "field_manager"];
    optional_text(
        optional_member(options, "request.options", &keys, PLACE)?,
        PLACE,
    )
}
