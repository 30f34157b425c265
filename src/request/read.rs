//! Reads the payload.

use crate::json::{Document, Kind, Value};
use crate::kind::GroupKind;
use crate::workload::{Object, known};

use super::{Operation, Request, RequestError, User};

/// The payload of `validate`: `{"request": …, "settings": …}`.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The request, or why it cannot be judged.
    pub request: Result<Request<'a>, RequestError>,
    /// The settings as the host handed them over; `null` where it handed over none.
    pub settings: Value<'a>,
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// Where it is no JSON object of that form at all.
    pub fn read(document: &'a Document<'a>) -> Result<Self, RequestError> {
        let root = document.root();
        if root.kind() != Kind::Map {
            return Err(RequestError::new("payload", "expected an object"));
        }
        let request = member(root, &["request"], "request")?;
        let settings = member(root, &["settings"], "settings")?;
        let settings = settings.unwrap_or(Value::NULL);
        let request = match request {
            None => Err(RequestError::new("request", "missing")),
            Some(value) => self::request(value).map(|request| Request {
                // No host writes the settings first.
                runs_nothing: request.runs_nothing && value.position() < settings.position(),
                ..request
            }),
        };
        Ok(Self { request, settings })
    }
}

/// Reads a request.
pub(super) fn request(value: Value<'_>) -> Result<Request<'_>, RequestError> {
    if value.kind() != Kind::Map {
        return Err(RequestError::new("request", "expected an object"));
    }
    let (mut object, mut old_object, mut kind, mut operation) = (None, None, None, None);
    let (mut sub_resource, mut name, mut namespace) = (None, None, None);
    let (mut user_info, mut options) = (None, None);
    for (key, value) in value.members() {
        let (slot, place) = match key.text() {
            "object" => (&mut object, "request.object"),
            "oldObject" | "old_object" => (&mut old_object, "request.oldObject"),
            "kind" => (&mut kind, "request.kind"),
            "operation" => (&mut operation, "request.operation"),
            "subResource" | "sub_resource" => (&mut sub_resource, "request.subResource"),
            "name" => (&mut name, "request.name"),
            "namespace" => (&mut namespace, "request.namespace"),
            "userInfo" | "user_info" => (&mut user_info, "request.userInfo"),
            "options" => (&mut options, "request.options"),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(RequestError::new(place, "occurs twice"));
        }
    }
    let kind_at = kind.map(Value::position);
    let kind = match kind.filter(|kind: &Value<'_>| !kind.is_null()) {
        None => return Err(RequestError::new("request.kind", "missing")),
        Some(kind) => group_kind(kind).ok_or_else(|| {
            RequestError::new(
                "request.kind",
                "expected an object with the strings `group` and `kind`",
            )
        })?,
    };
    let operation = match optional_text(operation, "request.operation")? {
        None => return Err(RequestError::new("request.operation", "missing")),
        Some(text) => *Operation::ALL
            .iter()
            .find(|operation| operation.as_str() == text)
            .ok_or_else(|| {
                RequestError::new(
                    "request.operation",
                    format!("must be `CREATE`, `UPDATE`, `DELETE` or `CONNECT`, not `{text}`"),
                )
            })?,
    };
    let object = object.filter(|object: &Value<'_>| !object.is_null());
    let is_in_order = kind_at < object.map(Value::position);
    let mut request = Request {
        operation,
        sub_resource: optional_text(sub_resource, "request.subResource")?.map(Into::into),
        name: optional_text(name, "request.name")?.map(Into::into),
        namespace: optional_text(namespace, "request.namespace")?.map(Into::into),
        user: user(user_info)?,
        field_manager: field_manager(options)?.map(Into::into),
        object: object
            .map(|object| Object::read(object, &kind))
            .transpose()
            .map_err(|problem| RequestError::new("request.object", problem))?,
        old_object: old_object.filter(|object: &Value<'_>| !object.is_null()),
        kind,
        runs_nothing: false,
    };
    let is_known = || known::find(&request.kind.group, &request.kind.kind).is_some();
    // Of marked volumes and templates more is known than their shape shows.
    let runs_nothing =
        |object: &Object<'_>| object.found.is_empty() && object.marks.is_empty() && !is_known();
    request.runs_nothing = is_in_order
        && request.old_object.is_none()
        && request.object.as_ref().is_some_and(runs_nothing);
    Ok(request)
}

fn group_kind(value: Value<'_>) -> Option<GroupKind<'_>> {
    let text = |key| match value.all(key).collect::<Vec<_>>().as_slice() {
        [] => Some(""),
        [only] if only.is_null() => Some(""),
        [only] => only.string(),
        _ => None,
    };
    if value.kind() != Kind::Map {
        return None;
    }
    Some(GroupKind {
        group: text("group")?.into(),
        kind: text("kind").filter(|kind| !kind.is_empty())?.into(),
    })
}

/// A string; `null` and the empty string are as good as absent.
fn optional_text<'a>(
    value: Option<Value<'a>>,
    place: &'static str,
) -> Result<Option<&'a str>, RequestError> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match value.string() {
        Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        None => Err(unexpected(value, place, "a string")),
    }
}

fn unexpected(value: Value<'_>, place: &'static str, expected: &str) -> RequestError {
    RequestError::new(place, format!("expected {expected}, got {}", value.kind()))
}

/// The member with one of these keys, which may occur once.
fn member<'a>(
    object: Value<'a>,
    keys: &[&str],
    place: &'static str,
) -> Result<Option<Value<'a>>, RequestError> {
    let mut found = None;
    for (key, value) in object.members() {
        if keys.iter().any(|known| key.is(known)) && found.replace(value).is_some() {
            return Err(RequestError::new(place, "occurs twice"));
        }
    }
    Ok(found)
}

/// A member of an object that may be absent or `null`.
fn optional_member<'a>(
    object: Option<Value<'a>>,
    object_place: &'static str,
    keys: &[&str],
    place: &'static str,
) -> Result<Option<Value<'a>>, RequestError> {
    match object.map(|object| (object, object.kind())) {
        None | Some((_, Kind::Null)) => Ok(None),
        Some((object, Kind::Map)) => member(object, keys, place),
        Some((object, _)) => Err(unexpected(object, object_place, "an object")),
    }
}

fn user(info: Option<Value<'_>>) -> Result<Option<User<'_>>, RequestError> {
    const NAME: &str = "request.userInfo.username";
    const GROUPS: &str = "request.userInfo.groups";
    let name = optional_member(info, "request.userInfo", &["username"], NAME)?;
    let groups = optional_member(info, "request.userInfo", &["groups"], GROUPS)?;
    let groups = match groups.map(|groups| (groups, groups.kind())) {
        None | Some((_, Kind::Null)) => Vec::new(),
        Some((groups, Kind::List)) => groups
            .elements()
            .map(|group| match group.string() {
                Some(group) => Ok(group.into()),
                None => Err(unexpected(group, GROUPS, "strings")),
            })
            .collect::<Result<_, _>>()?,
        Some((groups, _)) => return Err(unexpected(groups, GROUPS, "a list")),
    };
    Ok(optional_text(name, NAME)?.map(|name| User {
        name: name.into(),
        groups,
    }))
}

/// The field manager in the options, which are of another kind for each operation.
fn field_manager(options: Option<Value<'_>>) -> Result<Option<&str>, RequestError> {
    const PLACE: &str = "request.options.fieldManager";
    let keys = ["fieldManager", "field_manager"];
    optional_text(
        optional_member(options, "request.options", &keys, PLACE)?,
        PLACE,
    )
}
