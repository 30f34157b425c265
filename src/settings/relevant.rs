//! What of an item of `annotations` matters to a request: not what names nothing that is there, nor what
//! is certainly met.

mod named;

use crate::annotation::{Annotations, is_met, matches_pattern};
use crate::glob;
use crate::json::{Key, Kind, Value, repeats_a_key};
use crate::selector::Condition;

use super::reader::{Entry, member};

use named::{Found, Named};

/// What of an item matters.
pub(crate) struct Relevant<'n> {
    /// The members of `values`; all of them where there is no list.
    pub(super) values: Option<Vec<(Key<'n>, Value<'n>)>>,
    /// The elements of these lists; all of them where there is no list.
    pub(super) denied: Option<Vec<Value<'n>>>,
    pub(super) conflicting: Option<Vec<Value<'n>>>,
    pub(super) requires: Option<Vec<Value<'n>>>,
    /// Whether there is anything to compare with.
    pub(super) compares: bool,
}

impl Relevant<'_> {
    /// Everything.
    pub(super) const ALL: Self = Self {
        values: None,
        denied: None,
        conflicting: None,
        requires: None,
        compares: true,
    };
}

impl<'n> Relevant<'n> {
    /// What of a part matters.
    pub(super) fn part<'t>(&'t self, key: &str, part: Entry<'t, 'n>) -> Entry<'t, 'n> {
        match key {
            "values" => part.with_members(self.values.as_deref()),
            "denied" => part.with_elements(self.denied.as_deref()),
            "conflicting" => part.with_elements(self.conflicting.as_deref()),
            "requires" => part.with_elements(self.requires.as_deref()),
            _ => part,
        }
    }
}

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
    names: Vec<&'n str>,
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
pub(super) const COMPARED: [&str; 3] = ["immutable", "createOnly", "keep"];

/// What forbids nothing by itself.
const DESCRIBING: [&str; 6] = [
    "name",
    "message",
    "action",
    "target",
    "prefix",
    "aliasPrefixes",
];

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
    pub(crate) fn relevant(&mut self, item: Value<'n>) -> Option<Relevant<'n>> {
        let mut relevant = Relevant {
            compares: self.compares,
            ..Relevant::ALL
        };
        if self.named.read(item).is_none() || repeats_a_key(item) {
            return Some(relevant);
        }
        let is_criteria = member(item, "criteria").is_some();
        self.defaults = Defaults::none();
        let mut matters = self.is_malformed;
        // Requirements ask what is the default.
        if let Some(values) = item.get("values") {
            if is_criteria || values.kind() != Kind::Map {
                matters = true;
            } else {
                let (values, are_doubtful) = self.values(values);
                matters |= are_doubtful;
                relevant.values = Some(values);
            }
        }
        for (key, part) in item.members() {
            let sifted = match key.text() {
                "match" | "values" => continue,
                key if DESCRIBING.contains(&key) => continue,
                key if !self.compares && COMPARED.contains(&key) => continue,
                "denied" => {
                    relevant.denied = self.denied(part);
                    &relevant.denied
                }
                "conflicting" => {
                    relevant.conflicting = self.conflicting(part);
                    &relevant.conflicting
                }
                "requires" => {
                    relevant.requires = self.requires(part);
                    &relevant.requires
                }
                _ => &None,
            };
            matters |= match sifted {
                Some(elements) => !elements.is_empty(),
                None => !part.is_empty(),
            };
        }
        matters.then_some(relevant)
    }

    /// Whether a name that is nowhere may have a default.
    fn may_have_default(&self, name: &str, is_plain: bool) -> bool {
        let defaults = &self.defaults.names;
        if is_plain && self.defaults.are_plain {
            defaults.contains(&name)
        } else {
            self.named.is_name_of_any(name, defaults)
        }
    }

    /// Whether a name meets a condition, as far as that is certain.
    fn meets(&self, name: &str, condition: Value<'n>) -> Option<bool> {
        match (self.named.find(name), condition.string()) {
            (Found::Nowhere { is_plain }, _) => {
                (!self.may_have_default(name, is_plain)).then_some(condition.is_null())
            }
            (Found::Once(..), None) if condition.is_null() => Some(false),
            (Found::Once(annotation), Some(condition)) => match annotation.value() {
                Some(value) if is_met(Condition::of(condition), Some(value)) => Some(true),
                // Of the names that a glob matches, another one may have a default that does.
                Some(_) => {
                    let is_certain =
                        !glob::has_wildcard(name) || !self.may_have_default(name, false);
                    is_certain.then_some(false)
                }
                None => None,
            },
            _ => None,
        }
    }

    /// What is said about values, without what is certainly met, but for defaults that others may ask for;
    /// and whether anything is left that may be broken.
    fn values(&mut self, map: Value<'n>) -> (Vec<(Key<'n>, Value<'n>)>, bool) {
        let (mut values, mut are_doubtful) = (Vec::new(), false);
        for (key, rule) in map.members() {
            let name = key.text();
            let found = self.named.find(name);
            let is_met = match found {
                Found::Nowhere { .. }
                    if rule.kind() == Kind::Map && rule.get("default").is_none() =>
                {
                    continue;
                }
                Found::Nowhere { .. } => is_admitted(rule, None),
                // A glob is a mistake here.
                Found::Once(..) if glob::has_wildcard(name) => false,
                Found::Once(annotation) => annotation
                    .value()
                    .is_some_and(|value| is_admitted(rule, Some(value))),
                Found::Somewhere => false,
            };
            // What is there, in whichever spelling, has no default.
            let is_there = matches!(found, Found::Once(_));
            // What is compared may have been absent before, and a requirement says what removing it would mean.
            let has_no_default = rule.kind() == Kind::Map && rule.get("default").is_none();
            if is_met && is_there && !self.compares && has_no_default {
                continue;
            }
            are_doubtful |= !is_met;
            if !is_there {
                self.defaults.are_plain &= self.named.is_plain(name);
                self.defaults.names.push(name);
            }
            values.push((key, rule));
        }
        (values, are_doubtful)
    }

    /// The names of what is there.
    fn denied(&self, list: Value<'n>) -> Option<Vec<Value<'n>>> {
        sift(list, &mut |name| Some(self.named.has(name.string()?)))
    }

    /// The groups of which more than one is there.
    fn conflicting(&self, list: Value<'n>) -> Option<Vec<Value<'n>>> {
        sift(list, &mut |group| {
            if group.kind() != Kind::List {
                return None;
            }
            let mut count = 0;
            for name in group.elements() {
                count += usize::from(self.named.has(name.string()?));
            }
            Some(count > 1)
        })
    }

    /// The requirements that may be broken.
    fn requires(&self, list: Value<'n>) -> Option<Vec<Value<'n>>> {
        sift(list, &mut |requirement| {
            let mut members = requirement.members();
            let (when, then) = match (members.next()?, members.next()?, members.next()) {
                ((one, when), (other, then), None) if one.is("when") && other.is("then") => {
                    (when, then)
                }
                ((one, then), (other, when), None) if one.is("then") && other.is("when") => {
                    (when, then)
                }
                _ => return None,
            };
            Some(match self.meet_all(when)? {
                Some(true) => self.meet_all(then)? != Some(true),
                applies => applies.is_none(),
            })
        })
    }

    /// Whether all conditions in a map are met, as far as that is certain; none where it is no map.
    #[expect(
        clippy::option_option,
        reason = "what has the wrong type is no condition that is in doubt"
    )]
    fn meet_all(&self, map: Value<'n>) -> Option<Option<bool>> {
        if map.kind() != Kind::Map {
            return None;
        }
        let mut all = if map.is_empty() { None } else { Some(true) };
        for (name, condition) in map.members() {
            all = match (all, self.meets(name.text(), condition)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Some(all.filter(|_| !repeats_a_key(map)))
    }
}

/// Whether a value, or else the default, is certainly admitted by what is said about it.
/// [`ValueRule`](crate::annotation::ValueRule) says what of it is not.
fn is_admitted(rule: Value<'_>, value: Option<&str>) -> bool {
    let Some(value) = value.or_else(|| rule.get("default")?.string()) else {
        return false;
    };
    let mut members = rule.members();
    !rule.is_empty()
        && members.all(|(key, part)| {
            if key.is("oneOf") {
                let globs = part.elements().map(Value::string);
                part.kind() == Kind::List
                    && globs.clone().all(|glob| glob.is_some())
                    && globs.flatten().any(|glob| glob::matches(glob, value))
            } else if key.is("pattern") {
                part.string().is_some_and(|pattern| {
                    pattern.trim().len() == pattern.len()
                        && matches_pattern(pattern, value) == Ok(true)
                })
            } else {
                key.is("default") && part.string().is_some()
            }
        })
}

/// The elements of a list that matter; none where all of them are to be read, for it is no list or one has
/// the wrong type.
fn sift<'n>(
    list: Value<'n>,
    matters: &mut dyn FnMut(Value<'n>) -> Option<bool>,
) -> Option<Vec<Value<'n>>> {
    if list.kind() != Kind::List {
        return None;
    }
    let mut elements = Vec::new();
    for element in list.elements() {
        if matters(element)? {
            elements.push(element);
        }
    }
    Some(elements)
}
