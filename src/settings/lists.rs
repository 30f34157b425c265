//! `imagePaths` and `docsUrl`.

use std::borrow::Cow;

use crate::json::FieldPath;
use crate::kind::KindPattern;
use crate::shown::Shown;
use crate::workload::ImagePath;

use crate::schema::Entry;
use crate::schema::SettingsErrors;

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
