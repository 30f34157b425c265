//! What of an item of `annotations` matters to a request: not what names nothing that is there, nor what
//! is certainly met.

mod named;

use std::borrow::Cow;

use crate::annotation::{Annotations, is_met, matches_pattern};
use crate::glob;
use crate::json::scan::{
    Wanted, balanced_end, each_element, each_member, has_any, is_any_repeated, is_same, kind_at,
    kind_of, members, plain_end, string_at, text_at,
};
use crate::json::{Kind, Node, Step};
use crate::selector::Condition;

use super::annotations::member;

use named::{Found, Named};

/// What is there that items of `annotations` may name.
pub(crate) struct There<'k, 'n> {
    named: Named<'k, 'n>,
    /// Something has the wrong JSON type, which counts against every rule.
    is_malformed: bool,
    /// There are annotations of before to compare with.
    compares: bool,
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

/// What compares with annotations of before.
const COMPARED: [&str; 3] = ["immutable", "createOnly", "keep"];

/// What forbids nothing by itself.
const DESCRIBING: [&str; 6] = [
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

/// Says whether what starts here matters, and where it ends; none where it has the wrong type.
type Sift<'s> = &'s mut dyn FnMut(usize) -> Option<(bool, usize)>;

impl<'k, 'n> There<'k, 'n> {
    /// The annotations of some places; `compares` if there are others to compare them with.
    pub(crate) fn new<'a>(places: impl Iterator<Item = &'a Annotations<'k>>, compares: bool) -> Self
    where
        'k: 'a,
    {
        let (mut annotations, mut count) = (Vec::new(), 0);
        let mut is_malformed = false;
        for place in places {
            count += 1;
            is_malformed |= place.malformed > 0;
            annotations.extend_from_slice(&place.all);
        }
        Self {
            named: Named::new(annotations, count == 1),
            is_malformed,
            compares,
            defaults: Defaults::none(),
        }
    }

    /// What of an item matters, but for its `match`; none where nothing does.
    ///
    /// # Errors
    ///
    /// Where what is read of it is no JSON, or nested too deep.
    pub(crate) fn relevant(&mut self, node: &'n Node<'n>) -> Result<Option<Node<'n>>, String> {
        let (Node::Map(parts), Some(())) = (node, self.named.read(node)) else {
            return node.deepened().map(Some);
        };
        if is_any_repeated(parts) {
            return node.deepened().map(Some);
        }
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
        let are_read = !read.is_empty();
        let mut others = Vec::new();
        for (at, (key, part)) in parts.iter().enumerate() {
            if are_read && Some(at) == values {
                continue;
            }
            let key = key.as_ref();
            let is = |name: &&str| is_same(key, name);
            if is(&"match") || !self.compares && COMPARED.iter().any(is) {
                continue;
            }
            if DESCRIBING.iter().any(is) {
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

    /// Whether a name that is nowhere may have a default.
    fn may_have_default(&self, name: &str, is_plain: bool) -> bool {
        let defaults = &self.defaults.names;
        if is_plain && self.defaults.are_plain {
            defaults.iter().any(|known| is_same(known, name))
        } else {
            self.named.is_name_of_any(name, defaults)
        }
    }

    /// Whether a name meets the condition that starts here, as far as that is certain, and where it ends.
    fn meets(&self, name: &str, text: &str, start: usize) -> Option<(Option<bool>, usize)> {
        let found = self.named.find(name);
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
            (Found::Once(..), None) if is_null => Some(false),
            (Found::Once(annotation), Some((condition, _))) => match annotation.value() {
                Some(value) if is_met(Condition::of(&condition), Some(&value)) => Some(true),
                // Of the names that a glob matches, another one may have a default that does.
                Some(_) => {
                    let is_certain =
                        !glob::has_wildcard(name) || !self.may_have_default(name, false);
                    is_certain.then_some(false)
                }
                None => None,
            },
            _ => None,
        };
        Some((meets, end))
    }

    /// What is said about values, without what is certainly met, but for defaults that others may ask for;
    /// and whether anything is left that may be broken.
    fn values(&mut self, text: &'n str) -> Result<(Node<'n>, bool), String> {
        let (mut values, mut failed, mut are_doubtful) = (Vec::new(), None, false);
        let end = each_member(text, 0, &mut |name, start| {
            let found = self.named.find(&name);
            if matches!(found, Found::Nowhere { .. })
                && let Some(end) = plain_end(text, start, usize::MAX, &DEFAULT)
            {
                return Some(end);
            }
            let end = balanced_end(text, start)?;
            let rule = text.get(start..end)?;
            let is_met = match found {
                // A glob is a mistake here.
                Found::Once(..) if has_any(&name, *b"**?") => false,
                Found::Once(annotation) => annotation
                    .value()
                    .is_some_and(|value| is_admitted(rule, Some(&value))),
                Found::Nowhere { .. } => is_admitted(rule, None),
                Found::Somewhere => false,
            };
            // What is there, in whichever spelling, has no default.
            let is_there = matches!(found, Found::Once(_));
            // What is compared may have been absent before, and a requirement says what removing it would mean.
            let has_no_default = || plain_end(text, start, usize::MAX, &DEFAULT).is_some();
            if is_met && is_there && !self.compares && has_no_default() {
                return Some(end);
            }
            are_doubtful |= !is_met;
            if !is_there {
                self.defaults.are_plain &= self.named.is_plain(&name);
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
        sift(text, &mut |start| {
            let (name, end) = string_at(text, start)?;
            Some((self.named.has(&name), end))
        })
    }

    /// The groups of which more than one is there.
    fn conflicting(&self, text: &'n str) -> Result<Node<'n>, String> {
        sift(text, &mut |start| {
            let mut count = 0;
            let end = each_element(text, start, &mut |start| {
                let (name, end) = string_at(text, start)?;
                count += usize::from(self.named.has(&name));
                Some(end)
            })?;
            Some((count > 1, end))
        })
    }

    /// The requirements that may be broken.
    fn requires(&self, text: &'n str) -> Result<Node<'n>, String> {
        sift(text, &mut |start| {
            let (mut applies, mut then, mut count) = (None, None, 0);
            let end = each_member(text, start, &mut |key, start| {
                count += 1;
                match key.as_bytes() {
                    [b'w', b'h', b'e', b'n'] => {
                        let (all, end) = self.meet_all(text, start)?;
                        applies = all;
                        Some(end)
                    }
                    [b't', b'h', b'e', b'n'] => {
                        then = Some(start);
                        balanced_end(text, start)
                    }
                    _ => None,
                }
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
        let (mut all, mut count) = (None, 0);
        let end = each_member(text, start, &mut |name, start| {
            let (meets, end) = self.meets(&name, text, start)?;
            all = match (all, meets) {
                _ if count == 0 => meets,
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            count += 1;
            Some(end)
        })?;
        if count > 1 && is_any_repeated(&members(text.get(start..end)?)?) {
            all = None;
        }
        Some((all, end))
    }
}

/// Whether a value, or else the default, is certainly admitted by what is said about it, which is as it was
/// written. [`ValueRule`](crate::annotation::ValueRule) says what of it is not.
fn is_admitted(rule: &str, value: Option<&str>) -> bool {
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

/// A list with what matters of it. What is no list, or one in which something has the wrong type, is read whole.
fn sift<'n>(text: &'n str, matters: Sift<'_>) -> Result<Node<'n>, String> {
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
