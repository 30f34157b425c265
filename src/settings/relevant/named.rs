//! Where the names of an item are.

use std::cell::OnceCell;

use rollout_guard_json::{has_any, is_same};

use crate::annotation::{Annotation, Names, below};
use crate::glob;
use crate::hashing::{Index, hash_of};
use crate::json::{Kind, Value};

use super::super::reader::member;

/// Annotations, as the names of an item call them.
pub(super) struct Named<'k, 'n> {
    /// The annotations of all places.
    annotations: Vec<Annotation<'k>>,
    /// Where in this list a key is; made when it is asked for.
    by_key: OnceCell<Index>,
    /// There is one place only: what is there is absent nowhere.
    is_one_place: bool,
    /// The prefix and its other spellings, as the last item has them.
    written: Option<[&'n str; 2]>,
    /// The same, read.
    names: Names<'n>,
    /// The spellings of the prefix that a name without a `/` may begin with.
    open_prefixes: Vec<&'n str>,
    /// The keys of the annotations without one of the spellings of the prefix, and which they are.
    rests: Vec<(&'k str, usize)>,
    /// Where in this list a rest is; made when it is asked for.
    by_rest: OnceCell<Index>,
    /// The marks of all.
    marks: u64,
}

/// Where a name is.
pub(super) enum Found<'a, 'k> {
    /// Nowhere; it may be written without the prefix, and be one annotation.
    Nowhere { is_plain: bool },
    /// At one annotation, in the one place that there is.
    Once(&'a Annotation<'k>),
    /// At more, or at one of more places; or it is none.
    Somewhere,
}

/// A bit that few texts share, by length and last character.
fn mark(text: &str) -> u64 {
    let last = text.as_bytes().last().map_or(0, |last| usize::from(*last));
    1 << ((text.len() * 7 + last) & 63)
}

impl<'k, 'n> Named<'k, 'n> {
    pub(super) const fn new(annotations: Vec<Annotation<'k>>, is_one_place: bool) -> Self {
        Self {
            annotations,
            by_key: OnceCell::new(),
            is_one_place,
            written: None,
            names: Names {
                prefix: "",
                aliases: Vec::new(),
            },
            open_prefixes: Vec::new(),
            rests: Vec::new(),
            by_rest: OnceCell::new(),
            marks: 0,
        }
    }

    /// Reads what the names of an item are relative to; none where that cannot be told easily.
    pub(super) fn read(&mut self, item: Value<'n>) -> Option<()> {
        let (prefix, aliases) = (member(item, "prefix"), member(item, "aliasPrefixes"));
        let written = [prefix, aliases].map(|part| part.map_or("", Value::text));
        if let Some(known) = self.written
            && known
                .iter()
                .zip(written)
                .all(|(known, written)| is_same(known, written))
        {
            return Some(());
        }
        let mut names = Names::default();
        if let Some(prefix) = prefix {
            names.prefix = prefix.string()?;
        }
        if let Some(aliases) = aliases {
            if aliases.kind() != Kind::List {
                return None;
            }
            for alias in aliases.elements() {
                names.aliases.push(alias.string()?);
            }
        }
        (self.rests, self.by_rest, self.marks) = (Vec::new(), OnceCell::new(), 0);
        self.open_prefixes.clear();
        for prefix in names.spellings() {
            if !prefix.is_empty() && !prefix.contains('/') {
                self.open_prefixes.push(prefix);
            }
            for (index, annotation) in self.annotations.iter().enumerate() {
                if let Some(rest) = below(annotation.key, prefix) {
                    self.marks |= mark(rest);
                    self.rests.push((rest, index));
                }
            }
        }
        self.names = names;
        self.written = Some(written);
        Some(())
    }

    /// Whether a name is one annotation, and is written without the prefix.
    pub(super) fn is_plain(&self, name: &str) -> bool {
        let may_be_open = |prefix: &&str| name.starts_with(*prefix);
        !has_any(name, *b"/*?") && !self.open_prefixes.iter().any(may_be_open)
    }

    /// Where a name is, or what a glob over names matches.
    pub(super) fn find(&self, name: &str) -> Found<'_, 'k> {
        let is_odd = |end: Option<&u8>| !end.is_some_and(u8::is_ascii_graphic);
        if is_odd(name.as_bytes().first()) || is_odd(name.as_bytes().last()) {
            // A mistake, which is told where the name is read.
            return Found::Somewhere;
        }
        let (mut found, mut count) = (None, 0);
        let mut add = |index: &usize| {
            found = self.annotations.get(*index);
            count += 1;
        };
        let is_plain = self.is_plain(name);
        if is_plain {
            if self.rests.len() > Index::FEW {
                let hash_at = |at| self.rests.get(at).map(|(rest, _)| hash_of(rest));
                let index = || Index::new(self.rests.len(), &hash_at);
                let by_rest = self.by_rest.get_or_init(index).get(hash_of(name));
                for (_, index) in by_rest.filter_map(|at| self.rests.get(at)) {
                    add(index);
                }
            } else if self.marks & mark(name) != 0 {
                for (rest, index) in &self.rests {
                    if is_same(rest, name) {
                        add(index);
                    }
                }
            }
        } else {
            let names: &Names<'_> = &self.names;
            let name = names.name(name);
            if name.is_glob() && !name.text().contains('/') {
                for (rest, index) in &self.rests {
                    if glob::matches(name.text(), rest) {
                        add(index);
                    }
                }
            } else if !name.is_glob() && self.annotations.len() > Index::FEW {
                let hash_at = |at: usize| Some(hash_of(&self.annotations.get(at)?.key));
                let index = || Index::new(self.annotations.len(), &hash_at);
                let by_key = self.by_key.get_or_init(index);
                names.each_key(name, &mut |key| {
                    by_key.get(hash_of(key)).for_each(|index| add(&index));
                });
            } else {
                for (index, annotation) in self.annotations.iter().enumerate() {
                    if names.matching(name, annotation.key).is_some() {
                        add(&index);
                    }
                }
            }
        }
        match found {
            None => Found::Nowhere { is_plain },
            Some(annotation) if count == 1 && self.is_one_place => Found::Once(annotation),
            Some(_) => Found::Somewhere,
        }
    }

    /// Whether a name is somewhere.
    pub(super) fn has(&self, name: &str) -> bool {
        !matches!(self.find(name), Found::Nowhere { .. })
    }

    /// Whether a name is one of these others, or a glob over names matches one.
    pub(super) fn is_name_of_any(&self, name: &str, others: &[&str]) -> bool {
        let names: &Names<'_> = &self.names;
        let name = names.name(name);
        let mut others = others.iter();
        others.any(|other| names.is_name_of(name, names.name(other)))
    }
}
