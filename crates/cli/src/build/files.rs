//! The files that builds read, parsed once.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::input;
use crate::manifest::{self, Document};

/// Files by their paths without links; those that are no text are not there.
#[derive(Debug, Default)]
pub(crate) struct Texts(BTreeMap<PathBuf, String>);

impl Texts {
    pub(crate) fn read<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Self {
        let texts = paths.into_iter().filter_map(|path| {
            let read = input::read(path).ok()?;
            Some((path.clone(), read.text))
        });
        Self(texts.collect())
    }
}

/// The same, with the documents in them.
#[derive(Debug)]
pub(crate) struct Files<'t> {
    files: BTreeMap<&'t Path, (&'t str, OnceCell<Vec<Document<'t>>>)>,
}

impl<'t> Files<'t> {
    pub(crate) fn new(texts: &'t Texts) -> Self {
        let files = texts.0.iter();
        let files = files.map(|(path, text)| (path.as_path(), (text.as_str(), OnceCell::new())));
        Self {
            files: files.collect(),
        }
    }

    pub(crate) fn text(&self, path: &Path) -> Option<&'t str> {
        self.files.get(path).map(|(text, _)| *text)
    }

    /// The documents of a file that can be read.
    pub(crate) fn documents(&self, path: &Path) -> &[Document<'t>] {
        let Some((text, documents)) = self.files.get(path) else {
            return &[];
        };
        documents.get_or_init(|| {
            let mut documents = Vec::new();
            manifest::documents(text, &mut |part| documents.extend(part));
            documents
        })
    }
}
