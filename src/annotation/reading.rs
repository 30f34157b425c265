//! How the names of an item are read.

use crate::json::Value;
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;

use super::{Name, Names};

/// The names of an item, and what is asked of them.
pub(super) struct Reading<'t, 'n> {
    pub(super) names: Names<'n>,
    /// Which of them are there, for a request; none where settings are validated.
    pub(super) there: Option<There<'t>>,
}

/// Whether an annotation is there that spells a name.
pub(crate) type There<'t> = &'t dyn Fn(&Names<'_>, Name<'_>) -> bool;

impl<'t, 'n> Reading<'t, 'n> {
    /// The names of this item.
    pub(super) fn of(item: Value<'n>, there: Option<There<'t>>) -> Self {
        let mut names = Names::default();
        let mut other_names = None;
        for (key, value) in item.members() {
            match key.text() {
                "prefix" => names.prefix = value.string().unwrap_or_default(),
                "aliasPrefixes" => {
                    names.aliases = value.elements().filter_map(Value::string).collect();
                }
                "aliases" => other_names = Some(value),
                "emptyIsAbsent" => names.empty_is_absent = value.text() == "true",
                _ => {}
            }
        }
        for (first, others) in other_names.into_iter().flat_map(Value::members) {
            let others = others.elements().filter_map(Value::string);
            let others = others.map(|other| names.written(other).literal()).collect();
            let first = names.written(first.text()).literal();
            names.other_names.push((first, others));
        }
        Self { names, there }
    }

    /// A name.
    pub(super) fn name(&self, text: &'n str) -> Result<Name<'n>, String> {
        self.checked(self.names.name(text).literal(), false)
    }

    /// A name, or a glob over names.
    pub(super) fn glob(&self, text: &'n str) -> Result<Name<'n>, String> {
        self.checked(self.names.name(text), true)
    }

    fn checked(&self, name: Name<'n>, may_be_glob: bool) -> Result<Name<'n>, String> {
        // That annotations can have the names was asked where the settings were validated.
        if self.there.is_none() {
            self.names.check(name, may_be_glob)?;
        }
        Ok(name)
    }

    /// A list of names.
    pub(super) fn list(&self, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<Name<'n>> {
        entry.texts(errors, |text| self.name(text))
    }

    /// A list of names and globs over names.
    pub(super) fn globs(&self, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<Name<'n>> {
        entry.texts(errors, |text| self.glob(text))
    }

    /// A list of groups of names.
    pub(super) fn groups(
        &self,
        entry: Entry<'_, 'n>,
        errors: &mut SettingsErrors,
    ) -> Vec<Vec<Name<'n>>> {
        let mut groups = Vec::new();
        entry.list(errors, &mut |_, entry, errors| {
            let before = errors.len();
            let group = self.list(entry, errors);
            if group.len() < 2 && errors.len() == before {
                entry.error(errors, "a group names at least two annotations");
            }
            groups.push(group);
        });
        groups
    }

    /// Notes other names of annotations that cannot be meant: none, one of two annotations, or one with others.
    pub(super) fn check_other_names(&self, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        let names = &self.names;
        entry.members(errors, &mut |key, entry, errors| {
            let first = names.written(key.text()).literal();
            if let Err(problem) = names.check(first, false) {
                entry.error(errors, format!("`{}`: {problem}", Shown(key.text())));
            } else if entry.value.is_null() || entry.value.is_empty() {
                entry.error(errors, "must not be empty, leave it out or fill it in");
            }
            entry.each_text(errors, &mut |text| {
                let other = names.written(text).literal();
                names.check(other, false)?;
                let all = names.other_names.iter();
                let meant = all.clone().flat_map(|(_, others)| others);
                if meant.filter(|meant| **meant == other).count() > 1 {
                    return Err("is another name of two annotations, or twice of one".to_owned());
                }
                if all.clone().any(|(first, _)| *first == other) {
                    return Err("has other names itself".to_owned());
                }
                Ok(())
            });
        });
    }

    /// Notes a prefix that no annotation can begin with.
    pub(super) fn check_prefix(&self, entry: Entry<'_, '_>, errors: &mut SettingsErrors) {
        let Some(text) = entry.text(errors).filter(|_| self.there.is_none()) else {
            return;
        };
        let names = Names {
            prefix: text,
            ..Names::default()
        };
        // A name that any prefix can stand before.
        if let Err(problem) = names.check(names.name("a"), false) {
            entry.error(errors, format!("`{}`: {problem}", Shown(text)));
        } else if text.contains('.') && !text.contains('/') {
            entry.error(
                errors,
                format!("`{0}`: a domain needs its `/`, write `{0}/`", Shown(text)),
            );
        }
    }
}
