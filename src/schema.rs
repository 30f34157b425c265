//! Reads a value as what the settings say it should be, and notes what it is not.
//!
//! Callbacks are `dyn`: each place where settings are read would else get a reader of its own in the
//! module. They are `dyn` traits of this file, since a table of `FnMut` holds a function besides that nobody calls.

mod error;

use crate::hashing::Seen;
use crate::json::{Key, Kind, Spot, Step, Value, repeats_a_key};
use crate::shown::Shown;

pub use error::{SettingsError, SettingsErrorKind, SettingsErrors};

/// A value of the settings and the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'t, 'n> {
    pub(crate) value: Value<'n>,
    spot: Option<&'t Spot<'t, 'n>>,
}

/// Takes a member of a map whose key is one of ours.
trait OnKnown<'n> {
    fn take(&mut self, key: &'static str, entry: Entry<'_, 'n>, errors: &mut SettingsErrors);
}

impl<'n, F: FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors)> OnKnown<'n> for F {
    fn take(&mut self, key: &'static str, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        self(key, entry, errors);
    }
}

/// Takes a member of a map.
trait OnMember<'n> {
    fn take(&mut self, key: Key<'n>, entry: Entry<'_, 'n>, errors: &mut SettingsErrors);
}

impl<'n, F: FnMut(Key<'n>, Entry<'_, 'n>, &mut SettingsErrors)> OnMember<'n> for F {
    fn take(&mut self, key: Key<'n>, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        self(key, entry, errors);
    }
}

/// Takes an element of a list.
trait OnElement<'n> {
    fn take(&mut self, index: usize, entry: Entry<'_, 'n>, errors: &mut SettingsErrors);
}

impl<'n, F: FnMut(usize, Entry<'_, 'n>, &mut SettingsErrors)> OnElement<'n> for F {
    fn take(&mut self, index: usize, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        self(index, entry, errors);
    }
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
    pub(crate) const fn root(value: Value<'n>) -> Self {
        Self { value, spot: None }
    }

    pub(crate) const fn at(value: Value<'n>, spot: &'t Spot<'t, 'n>) -> Self {
        let spot = Some(spot);
        Self { value, spot }
    }

    /// Whether it says nothing.
    fn says_nothing(&self) -> bool {
        self.value.is_null() || self.value.is_empty()
    }

    /// Notes a mistake in this entry.
    pub(crate) fn error(&self, errors: &mut SettingsErrors, problem: impl AsRef<str>) {
        self.note(errors, SettingsErrorKind::Invalid, problem.as_ref());
    }

    fn note(&self, errors: &mut SettingsErrors, kind: SettingsErrorKind, problem: &str) {
        let path = match self.spot {
            Some(spot) => spot.place().location().to_string(),
            None => "settings".to_owned(),
        };
        errors.push(path, kind, problem);
    }

    /// Notes that this entry has the wrong type.
    pub(crate) fn mismatch(&self, errors: &mut SettingsErrors, expected: &str) {
        let found = self.value.kind();
        let instead = match (found, expected) {
            // YAML 1.1 reads an unquoted `on` as a boolean, and any YAML `1.10` as a number.
            (Kind::Bool | Kind::Number, "a string") => ", put it in quotes",
            (Kind::Text, "`true` or `false`")
                if matches!(self.value.string(), Some("true" | "false")) =>
            {
                ", leave out the quotes"
            }
            (Kind::Text, "a list") => ", put it in brackets",
            _ => "",
        };
        let problem = format!("expected {expected}, got {found}{instead}");
        self.note(errors, SettingsErrorKind::WrongType, &problem);
    }

    /// Hands every member of a map to `read`, with its key if that is one of `keys`.
    ///
    /// Notes unknown and repeated keys. `null` is as good as absent.
    pub(crate) fn map(
        &self,
        keys: &[&'static str],
        errors: &mut SettingsErrors,
        read: &mut impl FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        self.known_members(keys, false, errors, read);
    }

    /// As [`map`](Self::map), but `null` and what is empty are noted: a template that rendered to
    /// nothing must not match or exempt everything.
    pub(crate) fn map_of_full(
        &self,
        keys: &[&'static str],
        errors: &mut SettingsErrors,
        read: &mut impl FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        if self.value.kind() == Kind::Map && self.value.is_empty() {
            self.error(errors, "must not be empty");
        }
        self.known_members(keys, true, errors, read);
    }

    fn known_members(
        &self,
        keys: &[&'static str],
        is_full: bool,
        errors: &mut SettingsErrors,
        read: &mut dyn OnKnown<'n>,
    ) {
        self.members(
            errors,
            &mut |key, entry: Entry<'_, 'n>, errors| match known(key, keys) {
                Some(_) if is_full && entry.says_nothing() => {
                    entry.error(errors, "must not be empty, leave it out or fill it in");
                }
                Some(_) if entry.value.is_null() => {}
                Some(key) => read.take(key, entry, errors),
                None => entry.unknown(key, keys, errors),
            },
        );
    }

    /// Notes a key that is none of ours.
    fn unknown(&self, key: Key<'_>, keys: &[&str], errors: &mut SettingsErrors) {
        let problem = format!("unknown key{}", suggestion(key.text(), keys));
        self.note(errors, SettingsErrorKind::UnknownKey, &problem);
    }

    /// Hands every member of a map to `read`; notes repeated keys.
    pub(crate) fn members(
        &self,
        errors: &mut SettingsErrors,
        read: &mut impl FnMut(Key<'n>, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        self.all_members(errors, read);
    }

    fn all_members(&self, errors: &mut SettingsErrors, read: &mut dyn OnMember<'n>) {
        if self.value.kind() != Kind::Map {
            if !self.value.is_null() {
                self.mismatch(errors, "an object");
            }
            return;
        }
        let mut seen = repeats_a_key(self.value).then(Seen::default);
        for (key, value) in self.value.members() {
            let spot = Spot::below(self.spot, Step::key(key.text()));
            let entry = Entry::at(value, &spot);
            if seen.as_mut().is_some_and(|seen| !seen.insert(key.text())) {
                entry.note(
                    errors,
                    SettingsErrorKind::RepeatedKey,
                    "this key occurs twice",
                );
            } else {
                read.take(key, entry, errors);
            }
        }
    }

    /// Hands the first member of this name to `read`.
    pub(crate) fn member(
        &self,
        name: &'static str,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        if let Some(value) = self.value.all(name).next() {
            let spot = Spot::below(self.spot, Step::key(name));
            read(Entry::at(value, &spot), errors);
        }
    }

    /// Hands those members of a map to `read` that are wanted, a repeated one as often as it is written.
    pub(crate) fn members_where(
        &self,
        errors: &mut SettingsErrors,
        is_wanted: &dyn Fn(Key<'n>, Value<'n>) -> bool,
        read: &mut dyn FnMut(Key<'n>, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        for (key, value) in self.value.members() {
            if is_wanted(key, value) {
                let spot = Spot::below(self.spot, Step::key(key.text()));
                read(key, Entry::at(value, &spot), errors);
            }
        }
    }

    /// Hands every element of a list to `read`. `null` is as good as an empty list.
    pub(crate) fn list(
        &self,
        errors: &mut SettingsErrors,
        read: &mut impl FnMut(usize, Entry<'_, 'n>, &mut SettingsErrors),
    ) {
        self.all_elements(errors, read);
    }

    fn all_elements(&self, errors: &mut SettingsErrors, read: &mut dyn OnElement<'n>) {
        match self.value.kind() {
            Kind::Null => return,
            Kind::List => {}
            _ => return self.mismatch(errors, "a list"),
        }
        for (index, value) in self.value.elements().enumerate() {
            let spot = Spot::below(self.spot, Step::Index(index));
            read.take(index, Entry::at(value, &spot), errors);
        }
    }

    /// A string that is not empty and has no space around it.
    pub(crate) fn text(&self, errors: &mut SettingsErrors) -> Option<&'n str> {
        let text = self.string(errors)?;
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
    pub(crate) fn parsed<T>(
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
    pub(crate) fn string(&self, errors: &mut SettingsErrors) -> Option<&'n str> {
        let text = self.value.string();
        if text.is_none() {
            self.mismatch(errors, "a string");
        }
        text
    }

    /// The strings of a list, each read by `parse`. What does not parse is noted and left out.
    pub(crate) fn texts<T>(
        &self,
        errors: &mut SettingsErrors,
        mut parse: impl FnMut(&'n str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut parsed = Vec::with_capacity(self.value.elements().count());
        self.each_text(errors, &mut |text| {
            parse(text).map(|value| parsed.push(value))
        });
        parsed
    }

    /// The strings of a list that `check` lets pass, as they are.
    pub(crate) fn strings(
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
    pub(crate) fn each_text(
        &self,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'n str) -> Result<(), String>,
    ) {
        self.list(errors, &mut |_, entry, errors| entry.each(errors, read));
    }

    /// Hands a string to `read`, and notes what is wrong with it.
    pub(crate) fn each(
        &self,
        errors: &mut SettingsErrors,
        read: &mut dyn FnMut(&'n str) -> Result<(), String>,
    ) {
        if let Some(text) = self.text(errors)
            && let Err(problem) = read(text)
        {
            self.error(errors, format!("`{}`: {problem}", Shown(text)));
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, errors: &mut SettingsErrors) -> Option<bool> {
        if self.value.kind() == Kind::Bool {
            return Some(self.value.text() == "true");
        }
        self.mismatch(errors, "`true` or `false`");
        None
    }

    /// One of a few words.
    pub(crate) fn keyword<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        errors: &mut SettingsErrors,
    ) -> Option<T> {
        let text = self.text(errors)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.unknown_word(text, &names, errors);
        }
        found.map(|(_, value)| *value)
    }

    #[cold]
    fn unknown_word(&self, text: &str, words: &[&str], errors: &mut SettingsErrors) {
        let problem = match (suggestion(text, words), words) {
            (meant, _) if !meant.is_empty() => format!("is unknown{meant}"),
            (_, [only]) => format!("is not `{only}`"),
            (_, all) => format!("is not one of `{}`", all.join("`, `")),
        };
        self.error(errors, format!("`{}` {problem}", Shown(text)));
    }
}

/// A member of a map; what is `null` is as good as absent.
pub(crate) fn member<'n>(map: Value<'n>, name: &str) -> Option<Value<'n>> {
    map.all(name).next().filter(|value| !value.is_null())
}

/// The one of some keys that a key is.
fn known(key: Key<'_>, keys: &[&'static str]) -> Option<&'static str> {
    let text = key.text();
    // Most are told by their lengths.
    let is_it = |known: &&str| known.len() == text.len() && *known == text;
    keys.iter().copied().find(is_it)
}

/// `, did you mean …?` for a word that is not known.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let lower = word.to_ascii_lowercase();
    let synonym = SYNONYMS
        .iter()
        .find(|(written, _)| *written == lower)
        .and_then(|(_, meant)| known.iter().find(|known| *known == meant));
    synonym
        .or_else(|| nearest(&lower, known))
        .map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
}

/// The one of some words that a word, in lower case, is most like; none if none is like it.
pub(crate) fn nearest<'k, 'w>(lower: &str, known: &'k [&'w str]) -> Option<&'k &'w str> {
    let like = |known: &'k &'w str| {
        let most = 1 + known.len() / 4;
        let is_near = known.len().abs_diff(lower.len()) <= most;
        let distance = || strsim::levenshtein(lower, &known.to_ascii_lowercase());
        Some((is_near.then(distance)?, known)).filter(|(distance, _)| *distance <= most)
    };
    known.iter().filter_map(like).min().map(|(_, known)| known)
}
