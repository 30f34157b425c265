//! The field manager of a request: a hint, for the client says it itself.

use std::borrow::Cow;

use crate::json::{Scalar, Step, find};
use crate::request::Request;

/// The field manager that the request's options name, else that of the newest entry of
/// `managedFields`, given the object's own `metadata`.
///
/// The API server notes the manager before it asks a policy. Entries for sub-resources are left out:
/// those requests are not judged.
pub(crate) fn field_manager<'a>(
    request: &'a Request<'_>,
    metadata: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    if let Some(manager) = &request.field_manager {
        return Some(Cow::Borrowed(manager));
    }
    let mut newest: Option<(Cow<'a, str>, Cow<'a, str>)> = None;
    for (_, entry) in find(metadata?, &[Step::key("managedFields"), Step::Each]).ok()? {
        if member(entry.get(), "subresource").is_some_and(|name| !name.is_empty()) {
            continue;
        }
        let Some(manager) = member(entry.get(), "manager") else {
            continue;
        };
        // Times are written alike, in UTC: their order is that of their texts.
        let time = member(entry.get(), "time").unwrap_or_default();
        if newest.as_ref().is_none_or(|(latest, _)| *latest <= time) {
            newest = Some((time, manager));
        }
    }
    newest.map(|(_, manager)| manager)
}

fn member<'a>(map: &'a str, key: &str) -> Option<Cow<'a, str>> {
    find(map, &[Step::key(key)])
        .ok()?
        .into_iter()
        .find_map(|(_, raw)| match Scalar::of(raw) {
            Scalar::Text(text) => Some(text),
            _ => None,
        })
}
