//! Reads the values of a YAML file that a person wrote, and shows each mistake in its line.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::Severity;
use crate::manifest::{Document, Lines, Value};
use crate::settings_file::SettingsFile;
use crate::snippet::Snippet;

/// Reads the values of one document, and collects the mistakes in it.
pub(crate) struct Reader<'f> {
    file: &'f SettingsFile,
    lines: Lines<'f>,
    offset: usize,
    errors: String,
}

impl<'f> Reader<'f> {
    pub(crate) fn new(file: &'f SettingsFile, document: &Document<'_>) -> Self {
        Self {
            file,
            lines: Lines::new(&file.text),
            offset: document.offset,
            errors: String::new(),
        }
    }

    /// What was read, if there was no mistake.
    pub(crate) fn finish<T>(self, read: T) -> Result<T, Failure> {
        if self.errors.is_empty() {
            Ok(read)
        } else {
            Err(Failure::laid_out(Exit::WrongUse, self.errors))
        }
    }

    /// The line of a value, counted from one.
    pub(crate) fn line(&self, value: Value<'_>) -> usize {
        self.lines.position(self.offset + value.span().start).line
    }

    /// Notes a mistake in a value.
    pub(crate) fn error(&mut self, value: Value<'_>, path: &str, problem: &str) {
        let span = value.span();
        let span = self.offset + span.start..self.offset + span.end;
        let excerpt = self.lines.excerpt(&span);
        let shown = Snippet::new(Severity::Error, problem)
            .at(&self.file.name, &excerpt, path)
            .render();
        // Writing to a string cannot fail.
        let _ = writeln!(self.errors, "{shown}");
    }

    /// A string that is not empty.
    pub(crate) fn text(&mut self, value: Value<'_>, path: &str) -> Option<String> {
        match value.text() {
            Some(text) if !text.is_empty() => return Some(text.into_owned()),
            Some(_) => self.error(value, path, "must not be empty"),
            None => self.error(value, path, &expected_a_string(value)),
        }
        None
    }

    /// Whether a value is a map; notes a mistake if it is not.
    pub(crate) fn is_map(&mut self, value: Value<'_>, path: &str) -> bool {
        if !value.is_map() {
            let problem = format!("expected a map, got {}", value.kind());
            self.error(value, path, &problem);
        }
        value.is_map()
    }

    /// Whether a value is a list; notes a mistake if it is not.
    pub(crate) fn is_list(&mut self, value: Value<'_>, path: &str) -> bool {
        if !value.is_list() {
            let problem = format!("expected a list, got {}", value.kind());
            self.error(value, path, &problem);
        }
        value.is_list()
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, value: Value<'_>, path: &str) -> Option<bool> {
        match value.json() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let problem = format!("expected `true` or `false`, got {}", value.kind());
                self.error(value, path, &problem);
                None
            }
        }
    }

    /// Strings that are not empty.
    pub(crate) fn texts(&mut self, value: Value<'_>, path: &str) -> Vec<String> {
        if !self.is_list(value, path) {
            return Vec::new();
        }
        let elements = value.elements().enumerate();
        elements
            .filter_map(|(index, element)| self.text(element, &format!("{path}[{index}]")))
            .collect()
    }

    /// One of these words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        value: Value<'_>,
        path: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let Some(word) = value.text() else {
            self.error(value, path, &expected_a_string(value));
            return None;
        };
        let known = words.iter().find(|(known, _)| *known == word);
        if known.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.error(value, path, &unknown("word", &word, &words));
        }
        known.map(|(_, meant)| *meant)
    }

    /// Notes a key that is none of these.
    pub(crate) fn unknown_key(&mut self, key: Value<'_>, path: &str, keys: &[&str]) {
        let name = key.text().unwrap_or_default();
        self.error(key, path, &unknown("key", &name, keys));
    }
}

fn expected_a_string(value: Value<'_>) -> String {
    let kind = value.kind();
    let advice = match kind {
        "a boolean" | "a number" => ", put it in quotes",
        _ => "",
    };
    format!("expected a string, got {kind}{advice}")
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(known) => format!("unknown {what}, did you mean `{known}`?"),
        None => format!("unknown {what}, expected `{}`", known.join("`, `")),
    }
}

/// The word that somebody who wrote another one probably meant.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let distances = known.iter().map(|known| {
        (
            strsim::damerau_levenshtein(&plain(known), &plain(word)),
            *known,
        )
    });
    let (distance, known) = distances.min()?;
    (distance <= 2).then_some(known)
}
