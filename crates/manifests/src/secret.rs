//! The lines of a file in which the data of Secrets stands: no report shows them.

use std::collections::BTreeSet;
use std::ops::Range;

use rollout_guard::is_hidden;
use rollout_guard::json::{Location, Step};

use crate::finding::ObjectName;
use crate::manifest::{Document, Lines, Value};
use crate::object::Object;

/// The data of Secrets in a file.
#[derive(Clone, Debug, Default)]
pub struct SecretData(Vec<Range<usize>>);

impl SecretData {
    /// Adds the data of those objects of a document that are Secrets, and the annotations in which tools keep
    /// it.
    pub fn add(&mut self, document: &Document<'_>, objects: &[Object<'_>]) {
        let hides = |way: &[&str], key: Value<'_>| {
            let key = key.text();
            key.is_some_and(|key| is_hidden(way.iter().copied().chain([&*key])))
        };
        let secrets = objects.iter();
        for object in secrets.filter(|object| is_secret(&object.group, &object.kind)) {
            let data = object.value.members();
            let data = data.filter(|(key, _)| hides(&[], *key));
            let metadata = object.value.get("metadata");
            let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
            let records = annotations.into_iter().flat_map(Value::members);
            let records = records.filter(|(key, _)| hides(&["metadata", "annotations"], *key));
            let hidden = data.chain(records);
            self.0
                .extend(hidden.map(|(_, value)| document.in_file(&value.span())));
        }
    }

    /// The lines that it is in.
    pub fn lines(&self, text: &str, lines: &Lines<'_>) -> BTreeSet<usize> {
        let of_span = |span: &Range<usize>| {
            let data = text.get(span.clone()).unwrap_or_default().trim_end();
            lines.position(span.start).line..=lines.position(span.start + data.len()).line
        };
        self.0.iter().flat_map(of_span).collect()
    }
}

/// Whether a path leads to what of a Secret is secret.
pub fn is_data(object: &ObjectName, path: &Location<'_>) -> bool {
    let (group, _) = object.api_version.split_once('/').unwrap_or_default();
    is_secret(group, &object.kind) && leads_to_hidden(path)
}

/// Whether a path leads to what no message shows of any object.
pub(crate) fn leads_to_hidden(path: &Location<'_>) -> bool {
    is_hidden(path.steps().iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_ref()),
        Step::Index(_) | Step::Each => None,
    }))
}

/// Whether there may be a Secret in a text that cannot be read: a word of it begins so.
pub fn may_be_in(text: &str) -> bool {
    text.match_indices("Secret").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        !before.ends_with(char::is_alphanumeric)
    })
}

fn is_secret(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Secret"
}
