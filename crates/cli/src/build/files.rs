//! The files that builds read, parsed once.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::input;
use crate::manifest::{self, Document, Lines};
use crate::object::objects;
use crate::secret::SecretData;

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
    files: BTreeMap<&'t Path, File<'t>>,
}

#[derive(Debug)]
struct File<'t> {
    text: &'t str,
    documents: OnceCell<Vec<Document<'t>>>,
    lines: OnceCell<Lines<'t>>,
    secret_lines: OnceCell<BTreeSet<usize>>,
    keys: RefCell<HashMap<String, Rc<LinesOfKey>>>,
}

/// The lines of a template that set a key, from the key on.
#[derive(Debug, Default)]
pub(crate) struct LinesOfKey {
    pub(crate) all: Vec<Range<usize>>,
    /// Those that set it to a value, which is written there.
    by_value: HashMap<String, Vec<Range<usize>>>,
}

impl LinesOfKey {
    fn find(text: &str, key: &str) -> Self {
        let mut found = Self::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let at = start;
            start += line.len();
            let content = line.trim_start_matches([' ', '-']);
            let rest = content.trim_start_matches('"').strip_prefix(key);
            let Some(value) = rest.and_then(|rest| rest.trim_start_matches('"').strip_prefix(':'))
            else {
                continue;
            };
            let line = at + line.len() - content.len()..at + line.trim_end().len();
            let value = value.trim().trim_matches(['"', '\'']);
            found.all.push(line.clone());
            found
                .by_value
                .entry(value.to_owned())
                .or_default()
                .push(line);
        }
        found
    }

    /// The one line that sets the key to a value.
    pub(crate) fn only(&self, value: &str) -> Option<Range<usize>> {
        match self.by_value.get(value)?.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }
}

impl<'t> Files<'t> {
    pub(crate) fn new(texts: &'t Texts) -> Self {
        let files = texts.0.iter();
        let file = |text| File {
            text,
            documents: OnceCell::new(),
            lines: OnceCell::new(),
            secret_lines: OnceCell::new(),
            keys: RefCell::default(),
        };
        let files = files.map(|(path, text)| (path.as_path(), file(text)));
        Self {
            files: files.collect(),
        }
    }

    pub(crate) fn text(&self, path: &Path) -> Option<&'t str> {
        self.files.get(path).map(|file| file.text)
    }

    /// The lines of a file; of one that is not there, none.
    pub(crate) fn lines(&self, path: &Path) -> Option<&Lines<'t>> {
        let file = self.files.get(path)?;
        Some(file.lines.get_or_init(|| Lines::new(file.text)))
    }

    /// Whether a line of a file has the data of a Secret.
    pub(crate) fn is_secret(&self, path: &Path, line: usize) -> bool {
        let (Some(file), Some(lines)) = (self.files.get(path), self.lines(path)) else {
            return false;
        };
        let secret_lines = file.secret_lines.get_or_init(|| {
            let mut secrets = SecretData::default();
            for document in self.documents(path) {
                let objects = objects(&document.tree).unwrap_or_default();
                secrets.add(document, &objects);
            }
            secrets.lines(file.text, lines)
        });
        secret_lines.contains(&line)
    }

    /// The lines of a file that set a key; of one that is not there, none.
    pub(crate) fn lines_of_key(&self, path: &Path, key: &str) -> Rc<LinesOfKey> {
        let Some(file) = self.files.get(path) else {
            return Rc::default();
        };
        let mut keys = file.keys.borrow_mut();
        let found = keys
            .entry(key.to_owned())
            .or_insert_with(|| Rc::new(LinesOfKey::find(file.text, key)));
        Rc::clone(found)
    }

    /// The documents of a file that can be read.
    pub(crate) fn documents(&self, path: &Path) -> &[Document<'t>] {
        let Some(file) = self.files.get(path) else {
            return &[];
        };
        file.documents.get_or_init(|| manifest::readable(file.text))
    }
}
