//! Reads a node as what the settings say it should be, and notes what it is not.
//!
//! Callbacks are `dyn`: each place where settings are read would else get a reader of its own in the
//! module.

use std::borrow::Cow;

use crate::hashing::{Index, Seen};
use crate::json::scan::is_same;
use crate::json::{Node, Step, Trail};
use crate::shown::Shown;

use super::error::SettingsErrors;

/// A node of the settings and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t, 'n> {
    pub(super) node: &'n Node<'n>,
    trail: Option<&'t Trail<'t, 'n>>,
}

/// What people write for a key of ours.
const SYNONYMS: [(&str, &str); 17] = [
    ("allowed", "allow"),
    ("allowlist", "allow"),
    ("whitelist", "allow"),
    ("deny", "reject"),
    ("denied", "reject"),
    ("block", "reject"),
    ("blocked", "reject"),
    ("denylist", "reject"),
    ("blacklist", "reject"),
    ("required", "require"),
    ("forbidden", "forbid"),
    ("registry", "registries"),
    ("blocklist", "reject"),
    ("namespaces", "match"),
    ("kinds", "match"),
    ("users", "match"),
    ("groups", "match"),
];

impl<'t, 'n> Entry<'t, 'n> {
    pub(super) const fn root(node: &'n Node<'n>) -> Self {
        Self { node, trail: None }
    }

    pub(super) const fn at(node: &'n Node<'n>, trail: &'t Trail<'t, 'n>) -> Entry<'t, 'n> {
        Entry {
            node,
            trail: Some(trail),
        }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// Whether it says nothing.
    const fn is_empty(&self) -> bool {
        self.is_null() || self.node.is_empty()
    }

    /// Notes a mistake in this entry.
    pub(super) fn error(&self, errors: &mut SettingsErrors, problem: impl AsRef<str>) {
        let path = match self.trail {
            Some(trail) => trail.location().to_string(),
            None => "settings".to_owned(),
        };
        errors.push(path, problem.as_ref());
    }

    /// Notes that this entry has the wrong type.
    pub(super) fn mismatch(&self, errors: &mut SettingsErrors, expected: &str) {
        let found = self.node.kind();
        let instead = match self.node {
            // YAML 1.1 reads an unquoted `on` as a boolean, and any YAML `1.10` as a number.
            Node::Bool(_) | Node::Number(_) if expected == "a string" => ", put it in quotes",
            Node::Text(text)
                if expected == "`true` or `false`" && matches!(text.as_ref(), "true" | "false") =>
            {
                ", leave out the quotes"
            }
            Node::Text(_) if expected == "a list" => ", put it in brackets",
            _ => "",
        };
        self.error(errors, format!("expected {expected}, got {found}{instead}"));
    }

    /// Hands every member of a map to `read`, with its key if that is one of `keys`.
    ///
    /// Notes unknown and repeated keys. `null` is as good as absent.
    pub(super) fn map(
        &self,
        keys: &[&'static str],
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        self.members(errors, &mut |key, entry, errors| match keys
            .iter()
            .find(|known| is_same(known, key))
        {
            Some(key) => {
                if !entry.is_null() {
                    read(key, entry, errors);
                }
            }
            None => entry.error(errors, format!("unknown key{}", suggestion(key, keys))),
        });
    }

    /// As [`map`](Self::map), but `null` and what is empty are noted: a template that rendered to
    /// nothing must not match or exempt everything.
    pub(super) fn map_of_full(
        &self,
        keys: &[&'static str],
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        if matches!(self.node, Node::Map(members) if members.is_empty()) {
            self.error(errors, "must not be empty");
        }
        self.members(errors, &mut |key, entry, errors| match keys
            .iter()
            .find(|known| is_same(known, key))
        {
            Some(_) if entry.is_empty() => {
                entry.error(errors, "must not be empty, leave it out or fill it in");
            }
            Some(key) => read(key, entry, errors),
            None => entry.error(errors, format!("unknown key{}", suggestion(key, keys))),
        });
    }

    /// Hands every member of a map to `read`; notes repeated keys.
    pub(super) fn members(
        &self,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'n str, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        let Node::Map(members) = self.node else {
            if !self.is_null() {
                self.mismatch(errors, "an object");
            }
            return;
        };
        let mut seen = (members.len() > Index::FEW).then(Seen::default);
        for (position, (key, node)) in members.iter().enumerate() {
            let step = Step::Key(Cow::Borrowed(key.as_ref()));
            let trail = Trail::below(self.trail, &step);
            let entry = Entry {
                node,
                trail: Some(&trail),
            };
            let is_repeated = match &mut seen {
                Some(seen) => !seen.insert(key),
                None => (members.iter().take(position)).any(|(earlier, _)| earlier == key),
            };
            if is_repeated {
                entry.error(errors, "this key occurs twice");
            } else {
                read(key, entry, errors);
            }
        }
    }

    /// Hands every element of a list to `read`. `null` is as good as an empty list.
    pub(super) fn list(
        &self,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(usize, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        let elements = match self.node {
            Node::Null => return,
            Node::List(elements) => elements,
            _ => return self.mismatch(errors, "a list"),
        };
        for (index, node) in elements.iter().enumerate() {
            let step = Step::Index(index);
            let trail = Trail::below(self.trail, &step);
            read(
                index,
                Entry {
                    node,
                    trail: Some(&trail),
                },
                errors,
            );
        }
    }

    /// A string that is not empty and has no space around it.
    pub(super) fn text(&self, errors: &mut SettingsErrors) -> Option<&'n str> {
        let Node::Text(text) = self.node else {
            self.mismatch(errors, "a string");
            return None;
        };
        if text.is_empty() {
            self.error(errors, "must not be empty");
            return None;
        }
        // Comparing lengths: comparing the texts would read all of them.
        if text.trim().len() != text.len() {
            self.error(
                errors,
                format!("`{}` begins or ends with a space", Shown(text)),
            );
            return None;
        }
        Some(text)
    }

    /// A string, read by `parse`. What does not parse is noted.
    pub(super) fn parsed<T>(
        &self,
        errors: &mut SettingsErrors,
        parse: impl FnOnce(&'n str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(errors)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.error(errors, format!("`{}`: {problem}", Shown(text)));
                None
            }
        }
    }

    /// Any string.
    pub(super) fn string(&self, errors: &mut SettingsErrors) -> Option<&'n str> {
        let Node::Text(text) = self.node else {
            self.mismatch(errors, "a string");
            return None;
        };
        Some(text)
    }

    /// The strings of a list, each read by `parse`. What does not parse is noted and left out.
    pub(super) fn texts<T>(
        &self,
        errors: &mut SettingsErrors,
        mut parse: impl FnMut(&'n str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut parsed = Vec::with_capacity(if let Node::List(list) = self.node {
            list.len()
        } else {
            0
        });
        self.each_text(errors, &mut |text| {
            parse(text).map(|value| parsed.push(value))
        });
        parsed
    }

    /// The strings of a list that `check` lets pass, as they are.
    pub(super) fn strings(
        &self,
        errors: &mut SettingsErrors,
        check: fn(&'n str) -> Result<&'n str, String>,
    ) -> Vec<&'n str> {
        let mut strings = Vec::new();
        self.each_text(errors, &mut |text| {
            check(text).map(|text| strings.push(text))
        });
        strings
    }

    /// Hands every string of a list to `read`, and notes what is wrong with it.
    pub(super) fn each_text(
        &self,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'n str) -> Result<(), String>,
    ) {
        self.list(errors, &mut |_, entry, errors| {
            if let Some(text) = entry.text(errors)
                && let Err(problem) = read(text)
            {
                entry.error(errors, format!("`{}`: {problem}", Shown(text)));
            }
        });
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, errors: &mut SettingsErrors) -> Option<bool> {
        if let Node::Bool(value) = self.node {
            return Some(*value);
        }
        self.mismatch(errors, "`true` or `false`");
        None
    }

    /// One of a few words.
    pub(super) fn keyword<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        errors: &mut SettingsErrors,
    ) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.word(&names, errors)
            .and_then(|index| words.get(index))
            .map(|(_, value)| *value)
    }

    /// The position of one of a few words.
    fn word(&self, words: &[&str], errors: &mut SettingsErrors) -> Option<usize> {
        let text = self.text(errors)?;
        let found = words.iter().position(|word| *word == text);
        if found.is_none() {
            let problem = match (suggestion(text, words), words) {
                (meant, _) if !meant.is_empty() => format!("is unknown{meant}"),
                (_, [only]) => format!("is not `{only}`"),
                (_, all) => format!("is none of `{}`", all.join("`, `")),
            };
            self.error(errors, format!("`{}` {problem}", Shown(text)));
        }
        found
    }
}

/// `, did you mean …?` for a word that is not known.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let lower = word.to_ascii_lowercase();
    let synonym = SYNONYMS
        .iter()
        .find(|(written, _)| *written == lower)
        .and_then(|(_, meant)| known.iter().find(|known| *known == meant));
    let near = || {
        known
            .iter()
            .map(|known| {
                (
                    strsim::levenshtein(&lower, &known.to_ascii_lowercase()),
                    known,
                )
            })
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .min()
            .map(|(_, known)| known)
    };
    synonym
        .or_else(near)
        .map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
}
