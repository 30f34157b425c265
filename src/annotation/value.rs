//! What a value may be: the checks of `values`, and of the elements of a list in a value.
//!
//! ```yaml
//! bandwidth: { min: 1, max: 5000 }
//! source-ranges: { each: { separator: ",", trim: true, cidr: true, not: ["0.0.0.0/0"] } }
//! ```
//!
//! One kind of check a file. All checks of a value must hold; told is the first that does not.

mod cidr;
mod field;
pub(super) mod field_rule;
mod json;
mod list;
mod number;
mod text;

use crate::glob::has_wildcard;
use crate::schema::{Entry, SettingsErrors, member};
use crate::shown::{Shown, quoted};
use crate::violation::{Code, Fate, Verb};

use super::allowed::not_allowed;
use super::pattern::Pattern;
use cidr::Network;

pub(crate) use field::Fields;
pub use field_rule::FieldRule;
pub use json::JsonType;
pub use list::List;
pub use number::Range;
pub use text::Globs;

/// The checks of a value, all of which must hold.
#[derive(Clone, Debug, Default)]
pub struct Checks<'a>(Vec<Check<'a>>);

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Check<'a> {
    /// `oneOf`: one of these matches.
    OneOf(Globs<'a>),
    /// `pattern`: this matches the whole value.
    Pattern(Pattern<'a>),
    /// `min` and `max`: a decimal integer within these.
    Range(Range),
    /// `not`: none of these matches. A network is matched by what it is, and by what lies in it.
    Not(Globs<'a>),
    /// `each` and `count`: a list of such elements, of this length.
    Each(List<'a>),
    /// `json`: JSON of this type, in which no two keys can be taken for each other.
    Json(JsonType),
    /// `cidr`: a network whose host bits are zero.
    Cidr,
    /// `path`: what the object has at this field path.
    Path(&'a str),
    /// `startsWithPath`: it begins with what the object has at this field path, and `-` or `/`.
    StartsWithPath(&'a str),
}

/// The keys of checks.
pub(super) const KEYS: [&str; 12] = [
    "oneOf",
    "pattern",
    "min",
    "max",
    "anyCase",
    "not",
    "each",
    "count",
    "json",
    "cidr",
    "path",
    "startsWithPath",
];

impl<'n> Checks<'n> {
    /// Reads checks; of a map that has no others, what is no check is handed to `other`.
    ///
    /// `is_new`: settings are validated, so that checks that contradict each other are noted.
    pub(super) fn read(
        entry: Entry<'_, 'n>,
        keys: &[&'static str],
        is_new: bool,
        errors: &mut SettingsErrors,
        other: &mut dyn FnMut(&'static str, Entry<'_, 'n>, &mut SettingsErrors),
    ) -> Self {
        let before = errors.len();
        let any_case = member(entry.value, "anyCase");
        let ignores_case = any_case.is_some_and(|value| value.text() == "true");
        let mut checks = Vec::new();
        let (mut range, mut count) = (Range::default(), None);
        let mut list = None;
        entry.map(keys, errors, &mut |key, entry, errors| {
            let check = match key {
                "oneOf" => Globs::read(entry, ignores_case, errors).map(Check::OneOf),
                "not" => Globs::read(entry, ignores_case, errors).map(Check::Not),
                "pattern" => {
                    let text = entry.text(errors);
                    text.map(|text| Check::Pattern(Pattern::new(text, ignores_case)))
                }
                "json" => json::read(entry, errors).map(Check::Json),
                "cidr" => (entry.boolean(errors) == Some(true)).then_some(Check::Cidr),
                "path" => field::read(entry, false, errors).map(Check::Path),
                "startsWithPath" => field::read(entry, true, errors).map(Check::StartsWithPath),
                "min" => {
                    range.min = number::read(entry, errors);
                    None
                }
                "max" => {
                    range.max = number::read(entry, errors);
                    None
                }
                "each" => {
                    list = Some(List::read(entry, is_new, errors));
                    None
                }
                "count" => {
                    count = Some(Range::of_count(entry, is_new, errors));
                    None
                }
                "anyCase" => {
                    entry.boolean(errors);
                    None
                }
                _ => {
                    other(key, entry, errors);
                    None
                }
            };
            if let Some(check) = check {
                checks.push(check);
            }
        });
        if range != Range::default() {
            checks.push(Check::Range(range));
        }
        let is_counted = count.is_some();
        let is_list = list.is_some();
        if let Some(mut list) = list {
            list.count = count.unwrap_or_default();
            checks.push(Check::Each(list));
        }
        let read = Self(checks);
        if is_new && errors.len() == before {
            if is_counted && !is_list {
                entry.error(
                    errors,
                    "`count` needs `each` with a `separator`: what is counted are its elements",
                );
            }
            read.find_needless(entry, ignores_case, errors);
        }
        read
    }

    /// Notes what is said for nothing.
    fn find_needless(&self, entry: Entry<'_, 'n>, ignores_case: bool, errors: &mut SettingsErrors) {
        if ignores_case && !self.compares_text() {
            entry.error(
                errors,
                "`anyCase` is for `oneOf`, `pattern` and `not`, and none of them is here",
            );
        }
        self.check(entry, errors);
    }

    /// Whether nothing is checked.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether letter case can count.
    fn compares_text(&self) -> bool {
        let mut checks = self.0.iter();
        checks.any(|check| matches!(check, Check::OneOf(_) | Check::Pattern(_) | Check::Not(_)))
    }

    /// Notes checks that contradict each other.
    fn check(&self, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) {
        let is_type =
            |check: &&Check<'_>| matches!(check, Check::Range(_) | Check::Json(_) | Check::Cidr);
        if self.0.iter().filter(is_type).count() > 1 {
            let problem = "nothing is two of a number (`min`, `max`), `json` and a network (`cidr`): leave one";
            entry.error(errors, problem);
        }
        let fields = Fields::default();
        let is_network = self.0.iter().any(|check| matches!(check, Check::Cidr));
        for check in &self.0 {
            match check {
                Check::Range(range) => range.check(entry, errors),
                Check::Each(list) if list.checks.is_empty() && list.count == Range::default() => {
                    let problem = "`each` says nothing of the elements: give it `oneOf`, `pattern`, …, or add `count`";
                    entry.error(errors, problem);
                }
                Check::Not(globs) => {
                    for text in globs.all.iter().filter(|text| !has_wildcard(text)) {
                        let shown = quoted(&[text], "");
                        match Network::of(text) {
                            Ok(_) if !is_network => {
                                let problem = " is a network: without `cidr: true` other spellings of it pass";
                                entry.error(errors, ["`not`: ", &shown, problem].concat());
                            }
                            Err(problem) if is_network => {
                                entry.error(errors, ["`not`: ", &shown, ": ", problem].concat());
                            }
                            _ => {}
                        }
                    }
                }
                Check::OneOf(globs) => {
                    for text in globs.all.iter().filter(|text| !has_wildcard(text)) {
                        // That of a pattern could be meant, where both are lists of somebody else's.
                        let mut others = self
                            .0
                            .iter()
                            .filter(|other| !matches!(other, Check::OneOf(_) | Check::Pattern(_)));
                        if let Some(other) = others.find(|other| !other.admits(text, &fields)) {
                            let problem = other.problem(text, &fields, Fate::Refused, true);
                            let text = quoted(&[text], "");
                            entry.error(errors, ["`oneOf`: ", &text, ": ", &problem].concat());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The first check that a value does not pass.
    pub(super) fn failing(&self, value: &str, fields: &Fields<'_>) -> Option<&Check<'n>> {
        self.0.iter().find(|check| !check.admits(value, fields))
    }

    /// Whether a value may pass: yes where a check cannot tell.
    pub(super) fn may_admit(&self, value: &str, fields: &Fields<'_>) -> bool {
        self.0.iter().all(|check| check.may_admit(value, fields))
    }

    /// Notes patterns that are none.
    pub(super) fn find_contradictions(&self, path: &str, errors: &mut SettingsErrors) {
        for check in &self.0 {
            match check {
                Check::Pattern(pattern) => {
                    if let Err(problem) = pattern.check() {
                        let problem = format!("`{}`: {problem}", Shown(pattern.text()));
                        errors.contradiction(format!("{path}.pattern"), &problem);
                    }
                }
                Check::Each(list) => list
                    .checks
                    .find_contradictions(&format!("{path}.each"), errors),
                _ => {}
            }
        }
    }
}

impl Check<'_> {
    /// Whether a value passes.
    fn admits(&self, value: &str, fields: &Fields<'_>) -> bool {
        match self {
            Self::OneOf(globs) => globs.match_any(value),
            Self::Pattern(pattern) => pattern.matches(value) == Ok(true),
            Self::Range(range) => number::decimal(value).is_some_and(|number| range.holds(number)),
            Self::Not(globs) => globs.first_of_not(value).is_none(),
            Self::Each(list) => list.admits(value, fields),
            Self::Json(kind) => json::problem(*kind, value, true).is_none(),
            Self::Cidr => Network::of(value).is_ok(),
            Self::Path(path) => fields.has(path, value),
            Self::StartsWithPath(path) => fields.begins(path, value),
        }
    }

    /// Whether a value may pass: a value that is too long for a pattern, and one that readers could take for
    /// another in letter case.
    fn may_admit(&self, value: &str, fields: &Fields<'_>) -> bool {
        match self {
            Self::OneOf(globs) => globs.match_any(&globs.folded(value)),
            Self::Pattern(pattern) => pattern.matches(value) != Ok(false),
            Self::Each(list) => list.may_admit(value, fields),
            _ => self.admits(value, fields),
        }
    }

    /// What a value is called that does not pass.
    pub(super) fn code(&self, value: &str, fields: &Fields<'_>) -> Code {
        match self {
            Self::OneOf(_) | Self::Pattern(_) => Code::AnnotationValueNotAllowed,
            Self::Range(_) => Code::AnnotationValueOutOfRange,
            Self::Not(_) => Code::AnnotationValueDenied,
            Self::Each(list) if list.failing(value, fields).is_some() => {
                Code::AnnotationValueElement
            }
            Self::Each(_) => Code::AnnotationValueCount,
            Self::Json(_) => Code::AnnotationValueNotJson,
            Self::Cidr => Code::AnnotationValueNotCidr,
            Self::Path(_) => Code::AnnotationValueNotInObject,
            Self::StartsWithPath(_) => Code::AnnotationValuePrefix,
        }
    }

    /// What is wrong with a value that does not pass, given what becomes of the request and whether the value
    /// may be shown.
    pub(super) fn problem(
        &self,
        value: &str,
        fields: &Fields<'_>,
        fate: Fate,
        shows: bool,
    ) -> String {
        match self {
            Self::OneOf(globs) => not_allowed(&globs.all, fate),
            Self::Pattern(pattern) => {
                let text = quoted(&[pattern.text()], "");
                match pattern.matches(value) {
                    Ok(_) => ["the whole value must match ", &text].concat(),
                    Err(problem) => ["it cannot be held against ", &text, ": ", &problem].concat(),
                }
            }
            Self::Range(range) => {
                let spelled = if number::decimal(value).is_none() {
                    ", of at most 18 digits and nothing else: no `+`, space, point or leading zero"
                } else {
                    ""
                };
                ["it must be an integer ", &range.words(), spelled].concat()
            }
            Self::Not(globs) => {
                let by = globs.first_of_not(value).unwrap_or_default();
                let words = Verb::DENIED.of(fate);
                ["it ", words, " by ", &quoted(&[by], "")].concat()
            }
            Self::Each(list) => list.problem(value, fields, fate, shows),
            Self::Json(kind) => json::problem(*kind, value, shows).unwrap_or_default(),
            Self::Cidr => Network::of(value).err().unwrap_or_default().to_owned(),
            Self::Path(path) => fields.missing(path),
            Self::StartsWithPath(path) => fields.misses_start(path),
        }
    }
}
