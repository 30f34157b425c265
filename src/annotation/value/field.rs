//! `path` and `startsWithPath`: values held against those of the object itself.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use crate::hashing::{ByHash, Seen, hash_of};
use crate::json::{FieldPath, Kind, Step, Value};
use crate::request::Request;
use crate::schema::{Entry, SettingsErrors};
use crate::selector::namespace;
use crate::shown::{is_hidden, listed, quoted};
use crate::workload::Object;

use super::super::texts;

/// The path of the namespace, which a manifest may leave to the request.
const NAMESPACE: &str = "metadata.namespace";

/// What the object that is judged has at field paths, each looked up once.
#[derive(Default)]
pub(crate) struct Fields<'f> {
    /// None where settings are validated.
    object: Option<&'f Object<'f>>,
    namespace: Option<Cow<'f, str>>,
    /// Where the paths stand in what is known.
    positions: RefCell<ByHash>,
    known: RefCell<Vec<Rc<Found<'f>>>>,
}

/// The strings, numbers and booleans at a path, as they are written.
#[derive(Default)]
struct Found<'f> {
    texts: Vec<Cow<'f, str>>,
    all: Seen,
    is_private: bool,
}

/// Reads a field path, which leads to one value if it must be `single`.
pub(super) fn read<'n>(
    entry: Entry<'_, 'n>,
    single: bool,
    errors: &mut SettingsErrors,
) -> Option<&'n str> {
    entry.parsed(errors, |text| match FieldPath::parse(text) {
        Ok(path) if single && path.steps().contains(&Step::Each) => {
            Err("must lead to one value: no `[*]` here".to_owned())
        }
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    })
}

impl<'f> Fields<'f> {
    pub(crate) fn of(request: &'f Request<'_>, object: &'f Object<'f>) -> Self {
        Self {
            object: Some(object),
            namespace: namespace(request, object),
            positions: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Whether a value is one that the object has at a path.
    pub(super) fn has(&self, path: &str, value: &str) -> bool {
        self.at(path).is_none_or(|found| found.all.contains(value))
    }

    /// Whether a value begins with one that the object has at a path, and `-` or `/`.
    pub(super) fn begins(&self, path: &str, value: &str) -> bool {
        let begins = |text: &Cow<'_, str>| {
            let rest = value.strip_prefix(text.as_ref());
            rest.is_some_and(|rest| rest.starts_with(['-', '/']))
        };
        self.at(path)
            .is_none_or(|found| found.texts.iter().any(begins))
    }

    /// What is wrong with a value that the object does not have at a path.
    pub(super) fn missing(&self, path: &str) -> String {
        let words = ["it must be one of the values of ", &quoted(&[path], "")].concat();
        match self.at(path) {
            Some(found) if found.texts.is_empty() => words + ", which has none",
            Some(found) if !found.is_private => {
                let texts: Vec<_> = found.texts.iter().map(AsRef::as_ref).collect();
                [&words, " (", &listed(&texts), ")"].concat()
            }
            _ => words,
        }
    }

    /// What is wrong with a value that does not begin with that at a path.
    pub(super) fn misses_start(&self, path: &str) -> String {
        let path_words = quoted(&[path], "");
        let found = self.at(path).filter(|found| !found.is_private);
        match found.as_ref().map(|found| found.texts.first()) {
            Some(Some(text)) => {
                let starts = [[text.as_ref(), "-"].concat(), [text.as_ref(), "/"].concat()];
                let starts = quoted(&texts(&starts), " or ");
                [
                    "it must begin with ",
                    &starts,
                    ", the value of ",
                    &path_words,
                ]
                .concat()
            }
            Some(None) => [
                "it must begin with the value of ",
                &path_words,
                ", which has none",
            ]
            .concat(),
            None => [
                "it must begin with the value of ",
                &path_words,
                " and `-` or `/`",
            ]
            .concat(),
        }
    }

    /// What the object has at a path; none where there is no object.
    fn at(&self, path: &str) -> Option<Rc<Found<'f>>> {
        let object = self.object?;
        let mut known = self.known.borrow_mut();
        let look_up = || {
            let mut found = Found::default();
            let mut texts = Vec::new();
            if path == NAMESPACE {
                texts.extend(self.namespace.clone());
            } else if let Ok(path) = FieldPath::parse(path) {
                let first = path.steps().first().and_then(Step::as_key);
                let holder = first.map_or(object.value, |first| object.holder(first));
                found.is_private = is_hidden(path.steps().iter().filter_map(Step::as_key));
                if !collect(holder, path.steps(), &mut texts) {
                    texts.clear();
                }
            }
            for text in texts.iter().filter(|text| !text.is_empty()) {
                found.all.insert(text.as_ref());
            }
            texts.retain(|text| !text.is_empty());
            found.texts = texts;
            Rc::new(found)
        };
        let mut positions = self.positions.borrow_mut();
        let position = *positions.entry(hash_of(path)).or_insert(known.len());
        if position == known.len() {
            known.push(look_up());
        }
        known.get(position).cloned()
    }
}

/// Collects what a path leads to; `false` where a key on the way occurs twice: nobody knows which one counts.
fn collect<'f>(value: Value<'f>, path: &[Step<'_>], texts: &mut Vec<Cow<'f, str>>) -> bool {
    match path.split_first() {
        None => {
            let is_written = matches!(value.kind(), Kind::Number | Kind::Bool);
            let text = value.string().or(is_written.then(|| value.text()));
            texts.extend(text.map(Cow::Borrowed));
            true
        }
        Some((Step::Key(key), rest)) => {
            let mut all = value.all(key);
            match (all.next(), all.next()) {
                (Some(below), None) => collect(below, rest, texts),
                (below, _) => below.is_none(),
            }
        }
        Some((_, rest)) => value.elements().all(|below| collect(below, rest, texts)),
    }
}
