//! The field manager of a request: a hint, for the client says it itself.

use crate::json::{Step, Value, lookup};
use crate::request::Request;

/// The field manager that the request's options name, else that of the newest entry of
/// `managedFields`, given the object's own `metadata`.
///
/// The API server notes the manager before it asks a policy. Entries for sub-resources are left out: what
/// goes through them is not judged, or by what its options say.
pub(crate) fn field_manager<'a>(
    request: &'a Request<'_>,
    metadata: Option<Value<'a>>,
) -> Option<&'a str> {
    if let Some(manager) = &request.field_manager {
        return Some(manager);
    }
    if request.is_through_status() {
        return None;
    }
    let mut newest: Option<(&str, &str)> = None;
    for entry in lookup(metadata?, &[Step::key("managedFields"), Step::Each]) {
        let member = |key| entry.get(key).and_then(Value::string);
        if member("subresource").is_some_and(|name| !name.is_empty()) {
            continue;
        }
        // Times are written alike, in UTC: their order is that of their texts.
        let time = member("time").unwrap_or_default();
        if let Some(manager) = member("manager")
            && newest.is_none_or(|(latest, _)| latest <= time)
        {
            newest = Some((time, manager));
        }
    }
    newest.map(|(_, manager)| manager)
}
