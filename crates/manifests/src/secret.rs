//! The lines of a file in which the data of Secrets stands: no report shows them.

use std::collections::BTreeSet;
use std::ops::Range;

use rollout_guard::json::{Location, Step};

use crate::finding::ObjectName;
use crate::manifest::{Document, Lines};
use crate::object::Object;

/// What of a Secret is secret.
const DATA: [&str; 3] = ["data", "stringData", "binaryData"];

/// The data of Secrets in a file.
#[derive(Clone, Debug, Default)]
pub struct SecretData(Vec<Range<usize>>);

impl SecretData {
    /// Adds the data of those objects of a document that are Secrets.
    pub fn add(&mut self, document: &Document<'_>, objects: &[Object<'_>]) {
        for object in objects
            .iter()
            .filter(|object| is_secret(&object.group, &object.kind))
        {
            let members = object.value.members();
            let data = members.filter(|(key, _)| DATA.iter().any(|data| key.is_text(data)));
            self.0
                .extend(data.map(|(_, value)| document.in_file(&value.span())));
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

/// Whether a path leads into the data of an object that is a Secret.
pub fn is_data(object: &ObjectName, path: &Location<'_>) -> bool {
    let is_in_data =
        matches!(path.steps().first(), Some(Step::Key(key)) if DATA.contains(&key.as_ref()));
    let (group, _) = object.api_version.split_once('/').unwrap_or_default();
    is_in_data && is_secret(group, &object.kind)
}

fn is_secret(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Secret"
}
