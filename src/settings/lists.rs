//! The lists of the settings, and what is as simple as a list.

use std::borrow::Cow;

use crate::json::FieldPath;
use crate::kind::KindPattern;
use crate::pattern::{ImagePattern, PatternError, Sense};
use crate::shown::Shown;
use crate::violation::Action;
use crate::workload::ImagePath;

use super::error::SettingsErrors;
use super::reader::Entry;
use super::{AllowReject, Digests};

pub(super) const ACTIONS: [(&str, Action); 2] =
    [("reject", Action::Reject), ("warn", Action::Warn)];

/// `{ allow, reject, action }`
pub(super) fn allow_reject<'n, T>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
    parse: impl Fn(&'n str, Sense) -> Result<T, PatternError>,
) -> AllowReject<T> {
    let mut list = AllowReject::default();
    entry.map(
        &["allow", "reject", "action"],
        errors,
        &mut |key, entry, errors| match key {
            "allow" => list.allow = entry.texts(errors, |text| parse(text, Sense::Allow)),
            "reject" => list.reject = entry.texts(errors, |text| parse(text, Sense::Reject)),
            _ => list.action = entry.keyword(&ACTIONS, errors).unwrap_or_default(),
        },
    );
    list
}

/// `{ require, forbid, action }`
pub(super) fn digests<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Digests<'n> {
    let mut list = Digests::default();
    let parse = |text| ImagePattern::parse(text, Sense::Reject);
    entry.map(
        &["require", "forbid", "action"],
        errors,
        &mut |key, entry, errors| match key {
            "require" => list.require = entry.texts(errors, parse),
            "forbid" => list.forbid = entry.texts(errors, parse),
            _ => list.action = entry.keyword(&ACTIONS, errors).unwrap_or_default(),
        },
    );
    list
}

/// `[{ kind, path }]`
pub(super) fn image_paths<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<ImagePath<'n>> {
    let mut paths = Vec::new();
    entry.list(errors, &mut |_, entry, errors| {
        let before = errors.len();
        let (mut kind, mut path) = (None, None);
        entry.map(&["kind", "path"], errors, &mut |key, entry, errors| {
            let Some(text) = entry.text(errors) else {
                return;
            };
            let result = match key {
                "kind" => KindPattern::parse(text).map(|parsed| kind = Some(parsed)),
                _ => FieldPath::parse(text)
                    .map(|parsed| path = Some(parsed))
                    .map_err(|error| error.to_string()),
            };
            if let Err(problem) = result {
                entry.error(errors, format!("`{}`: {problem}", Shown(text)));
            }
        });
        match (kind, path) {
            (Some(kind), Some(path)) => paths.push(ImagePath { kind, path }),
            _ if errors.len() > before => {}
            (None, _) => entry.error(errors, "`kind` is missing"),
            (_, None) => entry.error(errors, "`path` is missing"),
        }
    });
    paths
}

/// A link that a person can open.
pub(super) fn docs_url<'n>(
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Option<Cow<'n, str>> {
    let text = entry.text(errors)?;
    let is_link = ["https://", "http://"].iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    });
    if is_link
        && !text.contains(|character: char| character.is_whitespace() || character.is_control())
    {
        return Some(Cow::Borrowed(text));
    }
    entry.error(
        errors,
        format!("`{}` is no link, write `https://…`", Shown(text)),
    );
    None
}
