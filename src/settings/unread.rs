//! Items of `annotations` that are read when a request needs them.
//!
//! They may be many, with long lists, and most are about something else than one request: what of an
//! item cannot matter is not read.

use std::borrow::Cow;

use crate::annotation::{AnnotationRule, Names, below};
use crate::json::scan::{
    Wanted, balanced_end, each_element, each_member, kind_at, kind_of, plain_end, string,
};
use crate::json::{Kind, Node, Step, Trail};
use crate::kind::KindPattern;
use crate::request::Request;
use crate::selector::Selector;

use super::annotations::{member, names, read_rule};
use super::error::SettingsErrors;
use super::matching::{self, Purpose};
use super::reader::Entry;

/// The `match` of an item, as it was written; empty where there is none.
pub(crate) fn match_text<'n>(node: &'n Node<'n>) -> &'n str {
    match member(node, "match") {
        Some(Node::Raw(text)) if *text != "null" => text,
        _ => "",
    }
}

/// Whether an item says whose annotations it is about.
pub(crate) fn has_target(node: &Node<'_>) -> bool {
    member(node, "target").is_some()
}

/// Whether a request can meet a `match`, as it was written: by its kind, and whether there is an old
/// object.
pub(crate) fn may_match(text: &str, request: &Request<'_>) -> bool {
    let mut may_match = true;
    let end = each_member(text, 0, &mut |key, start| {
        if key == "kinds" && kind_at(text, start) == Kind::List {
            let (mut is_empty, mut has_kind) = (true, false);
            let end = each_element(text, start, &mut |start| {
                let end = balanced_end(text, start)?;
                is_empty = false;
                has_kind |= string(text.get(start..end)?).is_none_or(|pattern| {
                    KindPattern::parse(&pattern).is_ok_and(|it| it.matches(&request.kind))
                });
                Some(end)
            });
            may_match &= is_empty || has_kind;
            return end;
        }
        if key == "oldFields" && request.old_object.is_none() {
            may_match &= kind_at(text, start) != Kind::Map;
        }
        balanced_end(text, start)
    });
    may_match || end.is_none()
}

/// Reads a `match`.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn selector<'n>(
    index: usize,
    node: &'n Node<'n>,
) -> Result<Selector<'n>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let (list, item, key) = (
        Step::key("annotations"),
        Step::Index(index),
        Step::key("match"),
    );
    let list = Trail::root(&list);
    let item = list.then(&item);
    let selector = matching::read(
        Entry::at(node, &item.then(&key)),
        &mut errors,
        Purpose::Apply,
    );
    errors.into_result(selector)
}

/// Reads what is [`relevant`] of an item, whose names were validated before.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn rule<'n>(
    index: usize,
    node: &'n Node<'n>,
) -> Result<AnnotationRule<'n>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let (list, index_step) = (Step::key("annotations"), Step::Index(index));
    let list = Trail::root(&list);
    let item = list.then(&index_step);
    let entry = Entry::at(node, &item);
    let rule = read_rule(index, entry, false, &mut errors);
    errors.into_result(rule)
}

/// An item without what cannot matter where there are only annotations with these keys: values of
/// others, and requirements that these do not meet.
///
/// # Errors
///
/// Where what is read of it is no JSON, or nested too deep.
pub(crate) fn relevant<'n>(node: &'n Node<'n>, keys: &[&str]) -> Result<Node<'n>, String> {
    let Node::Map(parts) = node else {
        return node.deepened();
    };
    let is_criteria = member(node, "criteria").is_some();
    let mut read = Vec::with_capacity(parts.len());
    let is_long = |key: &str| key == "requires" || (key == "values" && !is_criteria);
    for (key, part) in parts {
        if !matches!(part, Node::Raw(_)) || !is_long(key) {
            read.push((key.clone(), part.deepened()?));
        }
    }
    let node = Node::Map(read);
    let mut there = There::new(&names(&node), keys);
    // Requirements ask what is the default.
    let mut long = Vec::new();
    for wanted in ["values", "requires"] {
        for (key, part) in parts
            .iter()
            .filter(|(key, _)| key == wanted && is_long(key))
        {
            if let Node::Raw(text) = part {
                let read = match kind_of(text) {
                    Kind::Map if wanted == "values" => there.values(text),
                    Kind::List if wanted == "requires" => there.requires(text),
                    _ => Node::read(text),
                };
                long.push((key.clone(), read?));
            }
        }
    }
    let Node::Map(mut read) = node else {
        return Ok(node);
    };
    read.append(&mut long);
    Ok(Node::Map(read))
}

/// What is there of what a rule names.
struct There<'k, 'n> {
    /// The annotations, without the prefix of the rule or one of its other spellings.
    names: Texts<'k>,
    /// The spellings of the prefix that a name without a `/` may begin with.
    prefixes: Vec<&'k str>,
    /// What has a default.
    defaults: Texts<'n>,
    /// Any name may have a default: one of them is more than one name, or written with the prefix.
    has_defaults: bool,
}

/// Texts, of which most others are told by their length.
#[derive(Default)]
struct Texts<'t> {
    texts: Vec<Cow<'t, str>>,
    /// The lengths of the texts, a bit for each; the last one for all that are longer.
    lengths: u64,
}

impl<'t> Texts<'t> {
    fn push(&mut self, text: Cow<'t, str>) {
        self.lengths |= 1 << text.len().min(63);
        self.texts.push(text);
    }

    fn have(&self, text: &str) -> bool {
        self.lengths >> text.len().min(63) & 1 == 1 && self.texts.iter().any(|known| known == text)
    }
}

/// The key of a default.
const DEFAULT: Wanted<'static> = Wanted {
    lengths: 1 << 7,
    is_wanted: &|key| key == b"default",
};

impl<'k, 'n> There<'k, 'n> {
    fn new(names: &Names<'k>, keys: &[&'k str]) -> Self {
        let mut there = Self {
            names: Texts::default(),
            prefixes: Vec::new(),
            defaults: Texts::default(),
            has_defaults: false,
        };
        for prefix in names.spellings() {
            for key in keys {
                if let Some(name) = below(key, prefix) {
                    there.names.push(Cow::Borrowed(name));
                }
            }
            if !prefix.is_empty() && !prefix.contains('/') {
                there.prefixes.push(prefix);
            }
        }
        there
    }

    /// Whether a name is one annotation, and is written without the prefix.
    fn is_plain(&self, name: &str) -> bool {
        !name.bytes().any(|byte| matches!(byte, b'/' | b'*' | b'?'))
            && !self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether an annotation may have a name.
    fn has(&self, name: &str) -> bool {
        self.names.have(name) || !self.is_plain(name)
    }

    /// Whether a name may have a default.
    fn has_default(&self, name: &str) -> bool {
        self.has_defaults || self.defaults.have(name)
    }

    /// Reads `values` of what is there, and of what has a default.
    fn values(&mut self, text: &'n str) -> Result<Node<'n>, String> {
        let (mut values, mut failed) = (Vec::new(), None);
        let end = each_member(text, 0, &mut |name, start| {
            let end = if let Some(end) = plain_end(text, start, usize::MAX, &DEFAULT) {
                if !self.has(&name) {
                    return Some(end);
                }
                end
            } else {
                self.has_defaults |= !self.is_plain(&name);
                self.defaults.push(name.clone());
                balanced_end(text, start)?
            };
            match Node::read(text.get(start..end)?) {
                Ok(value) => values.push((name, value)),
                Err(problem) => failed = Some(problem),
            }
            Some(end)
        });
        match (failed, end) {
            (Some(problem), _) => Err(problem),
            (None, Some(_)) => Ok(Node::Map(values)),
            (None, None) => Node::read(text),
        }
    }

    /// Reads `requires`, as far as it may apply.
    fn requires(&self, text: &'n str) -> Result<Node<'n>, String> {
        let (mut requirements, mut failed) = (Vec::new(), None);
        let end = each_element(text, 0, &mut |start| {
            let mut may_apply = true;
            let end = if kind_at(text, start) == Kind::Map {
                each_member(text, start, &mut |key, start| {
                    if key == "when" && kind_at(text, start) == Kind::Map {
                        each_member(text, start, &mut |name, start| {
                            may_apply &= kind_at(text, start) == Kind::Null
                                || self.has(&name)
                                || self.has_default(&name);
                            balanced_end(text, start)
                        })
                    } else {
                        balanced_end(text, start)
                    }
                })
            } else {
                balanced_end(text, start)
            }?;
            if may_apply {
                match Node::read(text.get(start..end)?) {
                    Ok(requirement) => requirements.push(requirement),
                    Err(problem) => failed = Some(problem),
                }
            }
            Some(end)
        });
        match (failed, end) {
            (Some(problem), _) => Err(problem),
            (None, Some(_)) => Ok(Node::List(requirements)),
            (None, None) => Node::read(text),
        }
    }
}
