//! What of an item of `annotations` matters to a request: not what names nothing that is there, nor what
//! is certainly met.

use std::borrow::Cow;

use crate::annotation::{Annotation, Annotations, Names, below, matches_pattern};
use crate::glob;
use crate::json::scan::{
    Wanted, balanced_end, each_element, each_member, has_any, is_same, kind_at, kind_of, plain_end,
    string, string_at, text_at,
};
use crate::json::{Kind, Node, Step};

use super::annotations::member;

/// What is there that items of `annotations` may name.
pub(crate) struct There<'k, 'n> {
    /// The annotations of all places.
    annotations: Vec<Annotation<'k>>,
    /// There is one place only: what is there is absent nowhere.
    is_one_place: bool,
    /// Something has the wrong JSON type, which counts against every rule.
    is_malformed: bool,
    /// There are annotations of before to compare with.
    compares: bool,
    /// The prefix and its other spellings, as the last item has them.
    written: Option<[&'n str; 2]>,
    /// The same, read.
    names: Names<'n>,
    /// The spellings of the prefix that a name without a `/` may begin with.
    open_prefixes: Vec<&'n str>,
    /// The keys of the annotations without one of the spellings of the prefix, and which they are.
    rests: Vec<(Cow<'k, str>, usize)>,
    /// The marks of these.
    marks: u64,
    defaults: Defaults<'n>,
}

/// What may be absent and has a default in an item.
struct Defaults<'n> {
    names: Vec<Cow<'n, str>>,
    /// All of them are written without the prefix.
    are_plain: bool,
}

impl Defaults<'_> {
    const fn none() -> Self {
        Self {
            names: Vec::new(),
            are_plain: true,
        }
    }
}

/// Where a name is.
enum Found<'a, 'k> {
    /// Nowhere; it may be written without the prefix, and be one annotation.
    Nowhere { is_plain: bool },
    /// At one annotation, in the one place that there is.
    Once(&'a Annotation<'k>),
    /// At more, or at one of more places.
    Somewhere,
}

/// What compares with annotations of before.
const COMPARED: [&str; 3] = ["immutable", "createOnly", "keep"];

/// What forbids nothing by itself.
const SAID: [&str; 6] = [
    "name",
    "message",
    "action",
    "target",
    "prefix",
    "aliasPrefixes",
];

/// The key of a default.
const DEFAULT: Wanted<'static> = Wanted {
    lengths: 1 << 7,
    is_wanted: &|key| key == b"default",
};

/// A bit that few texts share, by length and last character.
fn mark(text: &str) -> u64 {
    let last = text.as_bytes().last().map_or(0, |last| usize::from(*last));
    1 << ((text.len() * 7 + last) & 63)
}

/// Says whether what starts here matters, and where it ends.
type Sift<'s> = &'s mut dyn FnMut(usize) -> Option<(bool, usize)>;

impl<'k, 'n> There<'k, 'n> {
    /// The annotations of some places; `compares` if there are others to compare them with.
    pub(crate) fn new<'a>(places: impl Iterator<Item = &'a Annotations<'k>>, compares: bool) -> Self
    where
        'k: 'a,
    {
        let mut there = Self {
            annotations: Vec::new(),
            is_one_place: true,
            is_malformed: false,
            compares,
            written: None,
            names: Names::default(),
            open_prefixes: Vec::new(),
            rests: Vec::new(),
            marks: 0,
            defaults: Defaults::none(),
        };
        for (index, place) in places.enumerate() {
            there.is_one_place = index == 0;
            there.is_malformed |= !place.malformed.is_empty();
            there.annotations.extend_from_slice(&place.all);
        }
        there
    }

    /// What of an item matters, but for its `match`; none where nothing does.
    ///
    /// # Errors
    ///
    /// Where what is read of it is no JSON, or nested too deep.
    pub(crate) fn relevant(&mut self, node: &'n Node<'n>) -> Result<Option<Node<'n>>, String> {
        let (Node::Map(parts), Some(())) = (node, self.read_names(node)) else {
            return node.deepened().map(Some);
        };
        let is_criteria = member(node, "criteria").is_some();
        self.defaults = Defaults::none();
        let mut read = Vec::with_capacity(parts.len());
        let mut matters = self.is_malformed;
        // Requirements ask what is the default.
        let values = parts.iter().position(|(key, _)| key == "values");
        if let Some((key, Node::Raw(text))) = values.and_then(|at| parts.get(at)) {
            let (values, are_doubtful) = if is_criteria || kind_of(text) != Kind::Map {
                (Node::read(text)?, true)
            } else {
                self.values(text)?
            };
            matters |= are_doubtful;
            read.push((Cow::Borrowed(key.as_ref()), values));
        }
        let values = values.filter(|_| !read.is_empty());
        let mut others = Vec::new();
        for (at, (key, part)) in parts.iter().enumerate() {
            if Some(at) == values {
                continue;
            }
            let key = key.as_ref();
            let is = |name: &&str| is_same(key, name);
            if is(&"match") || !self.compares && COMPARED.iter().any(is) {
                continue;
            }
            if SAID.iter().any(is) {
                others.push((key, part));
                continue;
            }
            let part = match part {
                Node::Raw(text) if is(&"denied") => self.denied(text)?,
                Node::Raw(text) if is(&"conflicting") => self.conflicting(text)?,
                Node::Raw(text) if is(&"requires") => self.requires(text)?,
                part => part.deepened()?,
            };
            matters |= !part.is_empty();
            read.push((Cow::Borrowed(key), part));
        }
        if !matters {
            return Ok(None);
        }
        for (key, part) in others {
            read.push((Cow::Borrowed(key), part.deepened()?));
        }
        Ok(Some(Node::Map(read)))
    }

    /// Reads what the names of an item are relative to; none where that cannot be told easily.
    fn read_names(&mut self, node: &'n Node<'n>) -> Option<()> {
        let written = ["prefix", "aliasPrefixes"].map(|name| match member(node, name) {
            Some(Node::Raw(text)) => *text,
            _ => "null",
        });
        let [prefix, aliases] = written;
        if let Some([known_prefix, known_aliases]) = self.written
            && is_same(prefix, known_prefix)
            && is_same(aliases, known_aliases)
        {
            return Some(());
        }
        let mut names = Names::default();
        if prefix != "null" {
            names.prefix = unescaped(prefix)?;
        }
        if aliases != "null" {
            each_element(aliases, 0, &mut |start| {
                let end = balanced_end(aliases, start)?;
                names.aliases.push(unescaped(aliases.get(start..end)?)?);
                Some(end)
            })?;
        }
        (self.rests, self.marks) = (Vec::new(), 0);
        self.open_prefixes.clear();
        for prefix in names.spellings() {
            if !prefix.is_empty() && !prefix.contains('/') {
                self.open_prefixes.push(prefix);
            }
            for (index, annotation) in self.annotations.iter().enumerate() {
                let rest = match &annotation.key {
                    Cow::Borrowed(key) => below(key, prefix).map(Cow::Borrowed),
                    Cow::Owned(key) => below(key, prefix).map(|rest| Cow::Owned(rest.to_owned())),
                };
                if let Some(rest) = rest {
                    self.marks |= mark(&rest);
                    self.rests.push((rest, index));
                }
            }
        }
        self.names = names;
        self.written = Some(written);
        Some(())
    }

    /// Whether a name is one annotation, and is written without the prefix.
    fn is_plain(&self, name: &str) -> bool {
        let may_be_open = |prefix: &&str| name.starts_with(*prefix);
        !has_any(name, *b"/*?") && !self.open_prefixes.iter().any(may_be_open)
    }

    /// Where a name is, or what a glob over names matches.
    fn find(&self, name: &str) -> Found<'_, 'k> {
        let mut found = None;
        let mut count = 0;
        if self.marks & mark(name) != 0 {
            for (rest, index) in &self.rests {
                if is_same(rest, name) {
                    found = Some(*index);
                    count += 1;
                }
            }
        }
        let is_plain = self.is_plain(name);
        if !is_plain {
            let names: &Names<'_> = &self.names;
            let name = names.name(name);
            (found, count) = (None, 0);
            let mut add = |index| {
                found = Some(index);
                count += 1;
            };
            if name.is_glob() && !name.text().contains('/') {
                for (rest, index) in &self.rests {
                    if glob::matches(name.text(), rest) {
                        add(*index);
                    }
                }
            } else {
                for (index, annotation) in self.annotations.iter().enumerate() {
                    if names.matching(name, &annotation.key).is_some() {
                        add(index);
                    }
                }
            }
        }
        match found.and_then(|index| self.annotations.get(index)) {
            None => Found::Nowhere { is_plain },
            Some(annotation) if count == 1 && self.is_one_place => Found::Once(annotation),
            Some(_) => Found::Somewhere,
        }
    }

    /// Whether a name is somewhere.
    fn has(&self, name: &str) -> bool {
        !matches!(self.find(name), Found::Nowhere { .. })
    }

    /// Whether a name that is nowhere may have a default.
    fn may_have_default(&self, name: &str, is_plain: bool) -> bool {
        self.defaults.names.iter().any(|known| {
            if is_plain && self.defaults.are_plain {
                return is_same(known, name);
            }
            let names: &Names<'_> = &self.names;
            let key = names.key(names.name(known));
            names.matching(names.name(name), &key).is_some()
        })
    }

    /// Whether a name meets the condition that starts here, as far as that is certain, and where it ends.
    fn meets(&self, name: &str, text: &str, start: usize) -> Option<(Option<bool>, usize)> {
        let found = self.find(name);
        let condition = string_at(text, start);
        let end = match &condition {
            Some((_, end)) => *end,
            None => balanced_end(text, start)?,
        };
        let is_null = kind_at(text, start) == Kind::Null;
        let meets = match (found, condition) {
            (Found::Nowhere { is_plain }, _) => {
                (!self.may_have_default(name, is_plain)).then_some(is_null)
            }
            (Found::Once(_), None) if is_null => Some(false),
            (Found::Once(annotation), Some((condition, _))) => {
                annotation.value().map(|value| match condition.as_ref() {
                    "*" => !value.is_empty(),
                    glob => glob::matches(glob, &value),
                })
            }
            _ => None,
        };
        Some((meets, end))
    }

    /// What is said about values, without what is certainly met, but for defaults that others may ask for;
    /// and whether anything is left that may be broken.
    fn values(&mut self, text: &'n str) -> Result<(Node<'n>, bool), String> {
        let (mut values, mut failed, mut are_doubtful) = (Vec::new(), None, false);
        let end = each_member(text, 0, &mut |name, start| {
            let found = self.find(&name);
            if matches!(found, Found::Nowhere { .. })
                && let Some(end) = plain_end(text, start, usize::MAX, &DEFAULT)
            {
                return Some(end);
            }
            let end = balanced_end(text, start)?;
            let rule = text.get(start..end)?;
            let is_met = match found {
                Found::Once(annotation) => annotation
                    .value()
                    .is_some_and(|value| may_be(rule, Some(&value))),
                Found::Nowhere { .. } => may_be(rule, None),
                Found::Somewhere => false,
            };
            // What is compared may have been absent before.
            if is_met && matches!(found, Found::Once(_)) && !self.compares {
                return Some(end);
            }
            are_doubtful |= !is_met;
            if !matches!(found, Found::Once(_)) {
                self.defaults.are_plain &= self.is_plain(&name);
                self.defaults.names.push(name.clone());
            }
            match Node::read(rule) {
                Ok(rule) => values.push((name, rule)),
                Err(problem) => failed = Some(problem),
            }
            Some(end)
        });
        match (failed, end) {
            (Some(problem), _) => Err(problem),
            (None, Some(_)) => Ok((Node::Map(values), are_doubtful)),
            (None, None) => Node::read(text).map(|values| (values, true)),
        }
    }

    /// The names of what is there.
    fn denied(&self, text: &'n str) -> Result<Node<'n>, String> {
        sift(text, &mut |start| match string_at(text, start) {
            Some((name, end)) => Some((self.has(&name), end)),
            None => Some((true, balanced_end(text, start)?)),
        })
    }

    /// The groups of which more than one is there.
    fn conflicting(&self, text: &'n str) -> Result<Node<'n>, String> {
        sift(text, &mut |start| {
            if kind_at(text, start) != Kind::List {
                return Some((true, balanced_end(text, start)?));
            }
            let mut count = 0;
            let end = each_element(text, start, &mut |start| {
                let Some((name, end)) = string_at(text, start) else {
                    // A mistake, which is told where the group is read.
                    count += 2;
                    return balanced_end(text, start);
                };
                count += usize::from(self.has(&name));
                Some(end)
            });
            Some((count > 1, end?))
        })
    }

    /// The requirements that may be broken.
    fn requires(&self, text: &'n str) -> Result<Node<'n>, String> {
        sift(text, &mut |start| {
            if kind_at(text, start) != Kind::Map {
                return Some((true, balanced_end(text, start)?));
            }
            let (mut applies, mut then) = (None, None);
            let mut count = 0;
            let end = each_member(text, start, &mut |key, start| {
                count += 1;
                match key.as_bytes() {
                    [b'w', b'h', b'e', b'n'] => {
                        let (all, end) = self.meet_all(text, start)?;
                        applies = all;
                        return Some(end);
                    }
                    [b't', b'h', b'e', b'n'] => then = Some(start),
                    _ => count += 1,
                }
                balanced_end(text, start)
            })?;
            let is_met = match (applies, then) {
                _ if count != 2 => false,
                (Some(false), Some(_)) => true,
                (Some(true), Some(then)) => self.meet_all(text, then)?.0 == Some(true),
                _ => false,
            };
            Some((!is_met, end))
        })
    }

    /// Whether all conditions in the map that starts here are met, as far as that is certain, and where
    /// it ends.
    fn meet_all(&self, text: &str, start: usize) -> Option<(Option<bool>, usize)> {
        if kind_at(text, start) != Kind::Map {
            return Some((None, balanced_end(text, start)?));
        }
        let mut all = None;
        let mut is_first = true;
        let end = each_member(text, start, &mut |name, start| {
            let (meets, end) = self.meets(&name, text, start)?;
            all = match (all, meets) {
                _ if is_first => meets,
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            is_first = false;
            Some(end)
        })?;
        Some((all, end))
    }
}

/// Whether a value, or else the default, is certainly one that is admitted by what is said about it, which is
/// as it was written.
fn may_be(rule: &str, value: Option<&str>) -> bool {
    let default;
    let value = match value {
        Some(value) => value,
        None => match text_at(rule, &[Step::key("default")]) {
            Some(text) => {
                default = text;
                &default
            }
            None => return false,
        },
    };
    let mut is_met = None;
    let end = each_member(rule, 0, &mut |key, start| {
        let (holds, end) = match key.as_ref() {
            "oneOf" => {
                let mut has = false;
                let end = each_element(rule, start, &mut |start| {
                    let (glob, end) = string_at(rule, start)?;
                    has |= glob::matches(&glob, value);
                    Some(end)
                })?;
                (has, end)
            }
            "pattern" => {
                let (pattern, end) = string_at(rule, start)?;
                let is_text = pattern.trim().len() == pattern.len();
                (is_text && matches_pattern(&pattern, value) == Ok(true), end)
            }
            "default" => (true, string_at(rule, start)?.1),
            _ => return None,
        };
        is_met = Some(holds && is_met != Some(false));
        Some(end)
    });
    end.is_some() && is_met == Some(true)
}

/// A list with what matters of it; what is none, whole.
fn sift<'n>(text: &'n str, matters: Sift<'_>) -> Result<Node<'n>, String> {
    if kind_of(text) != Kind::List {
        return Node::read(text);
    }
    let (mut elements, mut failed) = (Vec::new(), None);
    let end = each_element(text, 0, &mut |start| {
        let (matters, end) = matters(start)?;
        if matters {
            match Node::read(text.get(start..end)?) {
                Ok(element) => elements.push(element),
                Err(problem) => failed = Some(problem),
            }
        }
        Some(end)
    });
    match (failed, end) {
        (Some(problem), _) => Err(problem),
        (None, Some(_)) => Ok(Node::List(elements)),
        (None, None) => Node::read(text),
    }
}

/// A string that is written without escapes.
fn unescaped(text: &str) -> Option<&str> {
    match string(text)? {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}
