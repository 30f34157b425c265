//! The value that a name has, whichever way it is spelled.

use crate::glob;
use crate::hashing::{ByHash, hash_of};
use crate::selector::Condition;

use super::{Annotation, AnnotationRule, Annotations, Name, ValueRule};

/// The value of a name at a place.
#[derive(Debug, Default)]
pub(super) struct Effective<'o> {
    /// The annotations of the first spelling that is there: one, or more where it occurs twice.
    pub(super) found: Vec<&'o Annotation<'o>>,
    /// The names that are not there, with what counts instead: of one name one at most, of a glob one for each
    /// name.
    pub(super) defaults: Vec<(Name<'o>, &'o str)>,
}

impl<'a> AnnotationRule<'a> {
    /// The value of a name.
    #[inline(never)]
    pub(super) fn effective<'o>(
        &'o self,
        name: Name<'a>,
        annotations: &'o Annotations<'o>,
    ) -> Effective<'o> {
        let mut best = usize::MAX;
        let mut found = Vec::new();
        for annotation in annotations.candidates(&self.names, name) {
            match self.names.spelling(name, annotation.key) {
                Some(rank) if rank < best => {
                    best = rank;
                    found.clear();
                    found.push(annotation);
                }
                Some(rank) if rank == best => found.push(annotation),
                _ => {}
            }
        }
        let mut defaults = Vec::new();
        if found.is_empty() {
            defaults.extend(self.default_of(name).map(|default| (name, default)));
        }
        Effective { found, defaults }
    }

    /// The names that have a default and are not there in any spelling.
    pub(super) fn defaulted(&self, annotations: &Annotations<'_>) -> Vec<&ValueRule<'a>> {
        let values = self.values.iter();
        values
            .filter(|rule| rule.default.is_some() && !self.has(rule.name, annotations))
            .collect()
    }

    /// The value that counts where a name is absent.
    fn default_of(&self, name: Name<'a>) -> Option<&str> {
        let rule = self.values.iter().find(|rule| rule.name == name)?;
        rule.default.as_deref()
    }

    /// The values of all names that a glob matches, those that are only [`defaulted`](Self::defaulted)
    /// included.
    #[inline(never)]
    pub(super) fn effective_of_all<'o>(
        &'o self,
        glob: Name<'a>,
        annotations: &'o Annotations<'o>,
        defaulted: &[&'o ValueRule<'a>],
    ) -> Effective<'o> {
        if !glob.is_glob() {
            return self.effective(glob, annotations);
        }
        let spelled = |annotation: &'o Annotation<'o>| self.names.matching(glob, annotation.key);
        let mut effective = Effective::default();
        // The best spelling of each name, where there is more than one.
        let mut best: ByHash<usize> = ByHash::default();
        if !self.names.aliases.is_empty() {
            for (rank, name) in annotations.all.iter().filter_map(spelled) {
                let best = best.entry(hash_of(name)).or_insert(rank);
                *best = rank.min(*best);
            }
        }
        for annotation in &annotations.all {
            if let Some((rank, name)) = spelled(annotation)
                && (best.is_empty() || best.get(&hash_of(name)) == Some(&rank))
            {
                effective.found.push(annotation);
            }
        }
        for rule in defaulted {
            if self.names.is_name_of(glob, rule.name) {
                let default = rule.default.as_deref();
                (effective.defaults).extend(default.map(|default| (rule.name, default)));
            }
        }
        effective
    }
}

impl<'o> Effective<'o> {
    /// Every value that counts. `None` stands for one that is no string.
    pub(super) fn values(&self) -> Vec<Option<&'o str>> {
        let mut values: Vec<_> = self
            .found
            .iter()
            .map(|annotation| annotation.value())
            .collect();
        let defaults = self.defaults.iter();
        values.extend(defaults.map(|(_, default)| Some(*default)));
        values
    }

    /// Whether a condition holds, for all values if a name occurs twice: or else for any.
    pub(super) fn meets(&self, condition: Condition<'_>, all: bool) -> bool {
        let values = self.values();
        let holds = |value: Option<&str>| is_met(condition, value);
        match condition {
            Condition::Absent => values.is_empty(),
            _ if all => !values.is_empty() && values.into_iter().all(holds),
            _ => values.into_iter().any(holds),
        }
    }

    /// The values as text, to compare with.
    pub(super) fn facts(&self) -> String {
        let mut facts = String::new();
        for value in self.values() {
            match value {
                Some(value) => {
                    facts += &[" ", &value.len().to_string(), "=", value].concat();
                }
                None => facts += " -",
            }
        }
        facts
    }
}

/// Whether a value meets a condition.
pub(crate) fn is_met(condition: Condition<'_>, value: Option<&str>) -> bool {
    match (condition, value) {
        (Condition::Present, Some(value)) => !value.is_empty(),
        (Condition::Like(glob), Some(value)) => glob::matches(glob, value),
        _ => false,
    }
}
