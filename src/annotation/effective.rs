//! The value that a name has, whichever way it is spelled.

use std::cell::OnceCell;

use crate::glob::{self, Ends};
use crate::hashing::{ByHash, Seen, hash_of};

use super::{Annotation, AnnotationRule, Annotations, Name, Names, ValueRule};

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
    pub(super) fn effective<'o>(
        &'o self,
        name: Name<'a>,
        annotations: &'o Annotations<'o>,
    ) -> Effective<'o> {
        let found = self.found(name, annotations);
        let mut defaults = Vec::new();
        if found.is_empty() {
            defaults.extend(self.default_of(name).map(|default| (name, default)));
        }
        Effective { found, defaults }
    }

    /// The annotations of the first spelling of a name that is there.
    #[inline(never)]
    pub(super) fn found<'o>(
        &self,
        name: Name<'a>,
        annotations: &'o Annotations<'o>,
    ) -> Vec<&'o Annotation<'o>> {
        let mut best = usize::MAX;
        let mut found = Vec::new();
        for (rank, annotation) in annotations.spelled(&self.names, name) {
            if rank < best {
                best = rank;
                found.clear();
            }
            if rank == best {
                found.push(annotation);
            }
        }
        found
    }

    /// Hands over the names that one stands for: itself, or those that a glob over names matches, each once.
    #[inline(never)]
    pub(super) fn each_name<'o>(
        &'o self,
        name: Name<'o>,
        places: [&'o Annotations<'o>; 2],
        sink: &mut dyn FnMut(Name<'o>),
    ) {
        if !name.is_glob() {
            return sink(name);
        }
        let names: &Names<'o> = &self.names;
        let mut seen = Seen::default();
        for annotation in places.into_iter().flat_map(|place| &place.all) {
            if names.matches(name, annotation.key) {
                let name = names.name(annotation.key).literal();
                if seen.insert(&(name.is_relative(), name.text())) {
                    sink(name);
                }
            }
        }
    }

    /// The value that counts where a name is absent.
    fn default_of(&self, name: Name<'a>) -> Option<&str> {
        let rule = self.values.iter().find(|rule| rule.name == name)?;
        rule.default.as_deref()
    }
}

/// The annotations of a place as the globs of a rule see them: read when the first glob asks.
pub(super) struct Globbed<'o, 'a> {
    rule: &'o AnnotationRule<'a>,
    annotations: &'o Annotations<'o>,
    /// Which spelling of the prefix an annotation begins with, and what stands behind it.
    rests: OnceCell<Vec<(Ends, Spelled<'o>)>>,
    /// The names that have a default and are not there in any spelling.
    defaulted: OnceCell<Vec<&'o ValueRule<'a>>>,
}

/// An annotation, its name, and which spelling of that it is.
type Spelled<'o> = (usize, &'o str, &'o Annotation<'o>);

impl<'o, 'a> Globbed<'o, 'a> {
    pub(super) const fn new(
        rule: &'o AnnotationRule<'a>,
        annotations: &'o Annotations<'o>,
    ) -> Self {
        Self {
            rule,
            annotations,
            rests: OnceCell::new(),
            defaulted: OnceCell::new(),
        }
    }

    /// The value of a name, or the values of all names that a glob matches.
    pub(super) fn effective(&self, name: Name<'a>) -> Effective<'o> {
        if !name.is_glob() {
            return self.rule.effective(name, self.annotations);
        }
        let spelled = self.spelled(name);
        // The best spelling of each name, where there is more than one.
        let mut best: ByHash = ByHash::default();
        let names = &self.rule.names;
        if !(names.aliases.is_empty() && names.other_names.is_empty()) {
            for (rank, name, _) in &spelled {
                let best = best.entry(hash_of(name)).or_insert(*rank);
                *best = (*best).min(*rank);
            }
        }
        let is_best = |(rank, name, _): &Spelled<'_>| {
            best.is_empty() || best.get(&hash_of(name)) == Some(rank)
        };
        let names = &self.rule.names;
        let defaulted = self.defaulted().iter();
        let defaulted = defaulted.filter(|rule| names.is_name_of(name, rule.name));
        Effective {
            defaults: defaulted
                .filter_map(|rule| Some((rule.name, rule.default.as_deref()?)))
                .collect(),
            found: spelled
                .into_iter()
                .filter(is_best)
                .map(|(_, _, annotation)| annotation)
                .collect(),
        }
    }

    /// The annotations that a glob matches, each in its first spelling that it does.
    #[inline(never)]
    fn spelled(&self, glob: Name<'a>) -> Vec<Spelled<'o>> {
        let mut found: Vec<Spelled<'o>> = Vec::new();
        let skips_empty = self.rule.names.empty_is_absent;
        let is_there = |it: &&'o Annotation<'o>| !(skips_empty && it.value() == Some(""));
        if !glob.is_relative() {
            let names = &self.rule.names;
            for annotation in self.annotations.all.iter().filter(is_there) {
                if let Some((rank, first)) = names.first_name(annotation.key)
                    && !first.is_relative()
                    && glob::matches(glob.text(), first.text())
                {
                    found.push((rank, first.text(), annotation));
                } else if glob::matches(glob.text(), annotation.key) {
                    found.push((0, annotation.key, annotation));
                }
            }
            return found;
        }
        let rests = self.rests.get_or_init(|| {
            let mut rests = Vec::new();
            for annotation in self.annotations.all.iter().filter(is_there) {
                if let Some((rank, first)) = self.rule.names.first_name(annotation.key)
                    && first.is_relative()
                {
                    rests.push((Ends::of(first.text()), (rank, first.text(), annotation)));
                }
                for (rank, rest) in self.rule.names.rests(annotation.key) {
                    rests.push((Ends::of(rest), (rank, rest, annotation)));
                }
            }
            rests
        });
        let ends = Ends::of(glob.text());
        for (rest_ends, spelled) in rests {
            if !ends.may_match(*rest_ends) {
                continue;
            }
            let is_new = |last: &Spelled<'_>| !std::ptr::eq(last.2, spelled.2);
            if glob::matches(glob.text(), spelled.1) && found.last().is_none_or(is_new) {
                found.push(*spelled);
            }
        }
        found
    }

    fn defaulted(&self) -> &[&'o ValueRule<'a>] {
        self.defaulted.get_or_init(|| {
            let rule = self.rule;
            let values = rule.values.iter().filter(|values| values.default.is_some());
            values
                .filter(|values| !rule.has(values.name, self.annotations))
                .collect()
        })
    }
}

impl<'o> Effective<'o> {
    /// Every value that counts. `None` stands for one that is no string.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&'o str>> {
        let found = self.found.iter().map(|annotation| annotation.value());
        found.chain(self.defaults.iter().map(|(_, default)| Some(*default)))
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
