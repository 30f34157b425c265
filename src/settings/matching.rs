//! `match`: reads a [`Selector`].

use crate::glob;
use crate::json::{FieldPath, Node};
use crate::kind::KindPattern;
use crate::request::Operation;
use crate::selector::{Condition, Selector};
use crate::shown::Shown;

use super::error::SettingsErrors;
use super::reader::Entry;
use super::service_accounts;

/// The keys of a `match`.
const KEYS: [&str; 9] = [
    "namespaces",
    "kinds",
    "names",
    "operations",
    "users",
    "groups",
    "labels",
    "fields",
    "oldFields",
];

/// Reads the `match` of an exemption.
pub(super) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Selector<'n> {
    selector(entry, errors, service_accounts::user)
}

/// Reads the `match` of a rule: the more users it matches, the more it restricts.
pub(super) fn of_rule<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Selector<'n> {
    selector(entry, errors, Ok)
}

fn selector<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    user: fn(&'n str) -> Result<&'n str, String>,
) -> Selector<'n> {
    let mut selector = Selector::default();
    entry.map_of_full(&KEYS, errors, &mut |key, entry, errors| match key {
        "namespaces" => selector.namespaces = Some(entry.strings(errors, Ok)),
        "names" => selector.names = Some(entry.strings(errors, Ok)),
        "users" => selector.users = Some(entry.strings(errors, user)),
        "groups" => selector.groups = Some(entry.strings(errors, service_accounts::group)),
        "kinds" => selector.kinds = Some(entry.texts(errors, KindPattern::parse)),
        "operations" => selector.operations = Some(entry.strings(errors, operation)),
        "labels" => entry.members(errors, &mut |key, entry, errors| {
            if let Some(condition) = condition(entry, errors) {
                selector.labels.push((key, condition));
            }
        }),
        "fields" => selector.fields = fields(entry, errors),
        _ => selector.old_fields = fields(entry, errors),
    });
    selector
}

fn operation(text: &str) -> Result<&str, String> {
    let names = Operation::ALL.map(Operation::as_str);
    if names.iter().any(|name| glob::matches(text, name)) {
        return Ok(text);
    }
    Err(
        match names.iter().find(|name| name.eq_ignore_ascii_case(text)) {
            Some(name) => format!("is no operation, write `{name}`"),
            None => "matches none of `CREATE`, `UPDATE`, `DELETE`, `CONNECT`".to_owned(),
        },
    )
}

fn fields<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<(FieldPath<'n>, Condition<'n>)> {
    let mut fields = Vec::new();
    entry.members(errors, &mut |key, entry, errors| {
        let condition = condition(entry, errors);
        match FieldPath::parse(key) {
            Ok(path) => fields.extend(condition.map(|condition| (path, condition))),
            Err(error) => entry.error(
                errors,
                format!("`{}` is no field path: {error}", Shown(key)),
            ),
        }
    });
    fields
}

fn condition<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Option<Condition<'n>> {
    match entry.node {
        Node::Null => Some(Condition::Absent),
        Node::Text(text) if text == "*" => Some(Condition::Present),
        Node::Text(text) => Some(Condition::Like(text)),
        _ => {
            entry.mismatch(errors, "a string");
            None
        }
    }
}
