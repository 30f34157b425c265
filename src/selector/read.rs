//! `match`: reads a [`Selector`].

use crate::glob;
use crate::json::FieldPath;
use crate::kind::KindPattern;
use crate::request::Operation;
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;

use super::{Condition, Selector, service_accounts};

/// The keys of a `match`, the exception last.
const KEYS: [&str; 10] = [
    "kinds",
    "namespaces",
    "fields",
    "oldFields",
    "names",
    "operations",
    "users",
    "groups",
    "labels",
    "except",
];

/// What a `match` is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A rule is about what it matches.
    Apply,
    /// Something is lifted for what it matches: who that is must be sure.
    Lift,
}

impl Purpose {
    /// What an exception to it is there for.
    const fn reversed(self) -> Self {
        match self {
            Self::Apply => Self::Lift,
            Self::Lift => Self::Apply,
        }
    }
}

/// Reads a `match`, but for conditions on fields and labels, which take longest, and say nothing about a request
/// that [may not match](Selector::may_match) by the rest.
pub(crate) fn read_without_fields<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Selector<'n> {
    read_keys(entry, errors, Purpose::Apply, Depth::WithoutFields)
}

/// Reads a `match`.
pub(crate) fn read<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    purpose: Purpose,
) -> Selector<'n> {
    read_keys(entry, errors, purpose, Depth::Whole)
}

/// How much of a `match` is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Neither labels nor fields nor `except`.
    WithoutFields,
    /// All of it.
    Whole,
    /// All of an `except`.
    Except,
}

fn read_keys<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    purpose: Purpose,
    depth: Depth,
) -> Selector<'n> {
    let user = |text| match purpose {
        Purpose::Apply => Ok(text),
        Purpose::Lift => service_accounts::user(text),
    };
    let group = |text| match purpose {
        Purpose::Apply => Ok(text),
        Purpose::Lift => service_accounts::group(text),
    };
    let mut selector = Selector::default();
    let keys = match (depth, KEYS.split_last()) {
        // An exception has none of its own.
        (Depth::Except, Some((_, conditions))) => conditions,
        _ => &KEYS,
    };
    entry.map_of_full(keys, errors, &mut |key, entry, errors| match key {
        "kinds" => selector.kinds = Some(entry.texts(errors, KindPattern::parse)),
        "namespaces" => selector.namespaces = Some(entry.texts(errors, Ok)),
        "names" => selector.names = Some(entry.texts(errors, Ok)),
        "users" => selector.users = Some(entry.texts(errors, user)),
        "groups" => selector.groups = Some(entry.texts(errors, group)),
        "operations" => selector.operations = Some(entry.texts(errors, operation)),
        _ if depth == Depth::WithoutFields => {}
        "fields" => selector.fields = fields(entry, errors),
        "oldFields" => selector.old_fields = fields(entry, errors),
        "labels" => entry.members(errors, &mut |key, entry, errors| {
            if let Some(condition) = condition(entry, errors) {
                selector.labels.push((key.text(), condition));
            }
        }),
        _ => {
            let except = read_keys(entry, errors, purpose.reversed(), Depth::Except);
            selector.except = Some(Box::new(except));
        }
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
        let key = key.text();
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

pub(crate) fn condition<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Option<Condition<'n>> {
    if entry.value.is_null() {
        return Some(Condition::Absent);
    }
    entry.string(errors).map(Condition::of)
}
