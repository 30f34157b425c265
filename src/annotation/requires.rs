//! `requires`: what must hold where something else does.
//!
//! ```yaml
//! requires:
//!   - when: { spec: "*" }
//!     then: { instance-charge-type: PayBySpec }
//!   - when: { pls-create: { oneOf: ["true"], anyCase: true } }
//!     then: [{ internal: "true" }, { disable-floating-ip: "true" }]
//!   - when: { id: "!*" }
//!     then: { zone-maps: "*" }
//! ```
//!
//! Accepted: `spec: slb.s1.small` with `instance-charge-type: PayBySpec`, `pls-create: True` with
//! `disable-floating-ip: "true"`. Rejected: `spec` alone, `pls-create: "true"` alone.

use std::rc::Rc;

use crate::glob::has_wildcard;
use crate::json::Kind;
use crate::schema::{Entry, SettingsErrors};
use crate::selector::{Condition, condition};
use crate::shown::{Shown, quoted};
use crate::violation::{Code, Fate};

use super::effective::Globbed;
use super::reading::Reading;
use super::value::{self, Checks, Fields};
use super::{Annotation, AnnotationRule, Annotations, Name, Objection, Sink};

/// If all terms of one of `when` hold, all of one of `then` must.
#[derive(Clone, Debug, Default)]
pub struct Requirement<'a> {
    /// Alternatives.
    pub when: Vec<Vec<Term<'a>>>,
    /// Alternatives.
    pub then: Vec<Vec<Term<'a>>>,
}

/// What the value of an annotation is, or must be.
#[derive(Clone, Debug)]
pub struct Term<'a> {
    /// A name, or a glob over names.
    pub name: Name<'a>,
    /// The value.
    pub wanted: Wanted<'a>,
}

/// What a value must be.
#[derive(Clone, Debug)]
pub enum Wanted<'a> {
    /// Absent, present, or like a glob.
    Condition(Condition<'a>),
    /// There, and passing these.
    Checks(Checks<'a>),
}

impl Wanted<'_> {
    fn is(&self, condition: Condition<'_>) -> bool {
        matches!(self, Self::Condition(own) if *own == condition)
    }

    /// As it is written; of checks nothing.
    const fn written(&self) -> &str {
        match self {
            Self::Condition(condition) => condition.written(),
            Self::Checks(_) => "",
        }
    }

    /// Whether a value is so. `None` is one that is no string.
    fn is_met(&self, value: Option<&str>, fields: &Fields<'_>) -> bool {
        let Some(value) = value else {
            return false;
        };
        match self {
            Self::Condition(condition) => condition.is_met_by(value),
            Self::Checks(checks) => checks.failing(value, fields).is_none(),
        }
    }

    /// Whether a value may be so. What cannot be told of a value must not keep a requirement from applying.
    fn may_be_met(&self, value: Option<&str>, fields: &Fields<'_>) -> bool {
        match (self, value) {
            (Self::Checks(checks), Some(value)) => checks.may_admit(value, fields),
            _ => self.is_met(value, fields),
        }
    }
}

/// Reads the list.
pub(super) fn read<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<Requirement<'n>> {
    let mut requirements = Vec::new();
    entry.list(errors, &mut |_, entry, errors| {
        let before = errors.len();
        let mut requirement = Requirement::default();
        entry.map(&["when", "then"], errors, &mut |key, entry, errors| {
            let mut all = Vec::new();
            if entry.value.kind() == Kind::List {
                entry.list(errors, &mut |_, entry, errors| {
                    let before = errors.len();
                    let terms = terms(names, entry, errors);
                    if terms.is_empty() && errors.len() == before {
                        entry.error(errors, "an alternative must not be empty");
                    }
                    all.push(terms);
                });
            } else {
                all.extend(Some(terms(names, entry, errors)).filter(|terms| !terms.is_empty()));
            }
            match key {
                "when" => requirement.when = all,
                _ => requirement.then = all,
            }
        });
        for (key, alternatives) in [("when", &requirement.when), ("then", &requirement.then)] {
            if alternatives.is_empty() && errors.len() == before {
                entry.error(errors, format!("`{key}` is missing"));
            }
        }
        requirements.push(requirement);
    });
    requirements
}

fn terms<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<Term<'n>> {
    let mut terms = Vec::new();
    entry.members(errors, &mut |key, entry, errors| {
        let key = key.text();
        let wanted = if entry.value.kind() == Kind::Map {
            let (before, is_new) = (errors.len(), names.there.is_none());
            let checks = Checks::read(entry, &value::KEYS, is_new, errors, &mut |_, _, _| {});
            if checks.is_empty() && errors.len() == before {
                entry.error(errors, "says nothing: give it `oneOf`, `pattern`, `min`, …");
            }
            Some(Wanted::Checks(checks))
        } else {
            condition(entry, errors).map(Wanted::Condition)
        };
        match names.glob(key) {
            Ok(name) => terms.extend(wanted.map(|wanted| Term { name, wanted })),
            Err(problem) => entry.error(errors, format!("`{}`: {problem}", Shown(key))),
        }
    });
    terms
}

/// What a requirement is held against.
struct Judged<'o, 'a, 'f> {
    rule: &'o AnnotationRule<'a>,
    globbed: Globbed<'o, 'a>,
    fields: &'o Fields<'f>,
}

pub(super) fn check<'a, 'o>(
    rule: &'o AnnotationRule<'a>,
    annotations: &'o Annotations<'o>,
    fields: &'o Fields<'_>,
    sink: Sink<'_, 'o>,
) {
    if rule.requires.is_empty() {
        return;
    }
    let judged = Rc::new(Judged {
        rule,
        globbed: Globbed::new(rule, annotations),
        fields,
    });
    for (at, requirement) in rule.requires.iter().enumerate() {
        let mut alternatives = requirement.when.iter();
        let holds = |terms: &&Vec<Term<'a>>| terms.iter().all(|term| judged.applies(term));
        let Some(when) = alternatives.find(holds) else {
            continue;
        };
        // What tells requirements of the same names apart.
        let facts = at.to_string();
        let is_met = |term: &Term<'a>| judged.is_met(term);
        if let [then] = requirement.then.as_slice() {
            for term in then.iter().filter(|term| !is_met(term)) {
                let mut objection = judged.unmet(when, term);
                objection.facts.clone_from(&facts);
                judged.add_facts(requirement, std::iter::once(term), &mut objection);
                sink(objection);
            }
        } else if !requirement
            .then
            .iter()
            .any(|terms| terms.iter().all(is_met))
        {
            let mut objection = judged.none_met(when, &requirement.then);
            objection.facts = facts;
            judged.add_facts(
                requirement,
                requirement.then.iter().flatten(),
                &mut objection,
            );
            sink(objection);
        }
    }
}

impl<'o, 'a> Judged<'o, 'a, '_> {
    /// Whether a term of `when` holds.
    fn applies(&self, term: &Term<'a>) -> bool {
        let effective = self.globbed.effective(term.name);
        let mut values = effective.values();
        if term.wanted.is(Condition::Absent) {
            return values.next().is_none();
        }
        values.any(|value| term.wanted.may_be_met(value, self.fields))
    }

    /// Whether a term of `then` holds: of several names that a glob matches one is enough; of one name every value
    /// counts.
    fn is_met(&self, term: &Term<'a>) -> bool {
        let effective = self.globbed.effective(term.name);
        let mut values = effective.values().peekable();
        let is_met = |value| term.wanted.is_met(value, self.fields);
        if term.wanted.is(Condition::Absent) {
            values.next().is_none()
        } else if term.name.is_glob() {
            values.any(is_met)
        } else {
            values.peek().is_some() && values.all(is_met)
        }
    }

    /// Objects to a term that must hold and does not.
    fn unmet(self: &Rc<Self>, when: &'o [Term<'a>], term: &'o Term<'a>) -> Objection<'o> {
        let effective = self.globbed.effective(term.name);
        let is_unmet = |annotation: &&&'o Annotation<'o>| match &term.wanted {
            Wanted::Condition(Condition::Absent | Condition::Present) => true,
            wanted => !wanted.is_met(annotation.value(), self.fields),
        };
        let culprit = effective.found.iter().find(is_unmet).copied();
        // Where none is there that a glob could mean, it is about what makes the requirement apply.
        let is_any = culprit.is_none() && term.name.is_glob();
        let judged = Rc::clone(self);
        let problem = move |fate| {
            let given = judged.given(when);
            let value = culprit.and_then(Annotation::value);
            if let (Wanted::Checks(checks), Some(value)) = (&term.wanted, value) {
                let shows = culprit.is_some_and(|culprit| culprit.shown().is_some());
                let check = checks.failing(value, judged.fields);
                let problem = check.map(|check| check.problem(value, judged.fields, fate, shows));
                return ["with ", &given, ": ", &problem.unwrap_or_default()].concat();
            }
            let subject = if is_any {
                let key = judged.rule.names.key(term.name);
                ["one of ", &quoted(&[&key], "")].concat()
            } else {
                "it".to_owned()
            };
            ["with ", &given, " ", &subject, &judged.must(term, fate)].concat()
        };
        let code = Code::AnnotationRequirement;
        let mut objection = match culprit.or(self.cause(when).filter(|_| is_any)) {
            Some(annotation) => Objection::found(code, annotation, problem),
            None if is_any => Objection::all(code, problem),
            None => Objection::missing(code, self.rule.names.key(term.name), problem),
        };
        let is_left = self.is_left(when);
        objection.advice = match culprit {
            _ if term.wanted.is(Condition::Absent) => "remove it",
            None if is_left => "set it",
            None => "set it or remove what requires it",
            Some(_) if is_left => "change it",
            Some(_) => "change it or remove what requires it",
        };
        objection
    }

    /// Objects to alternatives of which one must hold and none does.
    fn none_met(self: &Rc<Self>, when: &'o [Term<'a>], then: &'o [Vec<Term<'a>>]) -> Objection<'o> {
        let judged = Rc::clone(self);
        let problem = move |fate| {
            let mut text = ["with ", &judged.given(when), " either "].concat();
            for (at, terms) in then.iter().enumerate() {
                text += if at > 0 { ", or " } else { "" };
                for (at, term) in terms.iter().enumerate() {
                    text += if at > 0 { " and " } else { "" };
                    text += &quoted(&[&judged.rule.names.key(term.name)], "");
                    text += &judged.must(term, fate);
                }
            }
            text
        };
        let objection = match self.cause(when) {
            Some(annotation) => Objection::found(Code::AnnotationRequirement, annotation, problem),
            None => Objection::all(Code::AnnotationRequirement, problem),
        };
        objection.advising(if self.is_left(when) {
            "meet one of these"
        } else {
            "meet one of these or remove what requires it"
        })
    }

    /// Whether the requirement applies whatever is removed.
    fn is_left(&self, when: &[Term<'a>]) -> bool {
        !when.iter().any(|term| {
            !self.globbed.effective(term.name).found.is_empty()
                && !term.wanted.is(Condition::Absent)
                && !self.is_meant(term)
        })
    }

    /// Whether the absence of a name, or of one that a glob matches, meets a term.
    fn is_meant(&self, term: &Term<'a>) -> bool {
        self.rule.values.iter().any(|values| {
            let default = values.default.as_deref();
            default.is_some_and(|default| term.wanted.may_be_met(Some(default), self.fields))
                && self.rule.names.is_name_of(term.name, values.name)
        })
    }

    /// The first annotation that makes a requirement apply; none where only absence does.
    fn cause(&self, when: &[Term<'a>]) -> Option<&'o Annotation<'o>> {
        when.iter().find_map(|term| {
            let mut found = self.globbed.effective(term.name).found.into_iter();
            found.find(|annotation| term.wanted.may_be_met(annotation.value(), self.fields))
        })
    }

    /// What makes a requirement apply, in words.
    fn given(&self, when: &[Term<'a>]) -> String {
        let mut text = String::new();
        for term in when {
            if !text.is_empty() {
                text += " and ";
            }
            let effective = self.globbed.effective(term.name);
            let is_met = |value: Option<&str>| term.wanted.may_be_met(value, self.fields);
            let mut found = effective.found.iter();
            let met = found.find(|annotation| is_met(annotation.value()));
            let mut defaults = effective.defaults.iter();
            let meant = defaults.find(|(_, default)| is_met(Some(default)));
            let key_of = |name| quoted(&[&self.rule.names.key(name)], "");
            if let Some(annotation) = met {
                let given = match annotation.shown() {
                    Some(value) => [annotation.key, ": ", value].concat(),
                    None => annotation.key.to_owned(),
                };
                text += &quoted(&[&given], "");
            } else if let Some((name, default)) = meant {
                let (key, default) = (key_of(*name), quoted(&[default], ""));
                text += &["no ", &key, ", which means ", &default, ","].concat();
            } else {
                text += &["no ", &key_of(term.name)].concat();
            }
        }
        text
    }

    /// What a value must be, in words.
    fn must(&self, term: &Term<'a>, fate: Fate) -> String {
        match &term.wanted {
            Wanted::Condition(Condition::Absent) => " must not be set".to_owned(),
            Wanted::Condition(Condition::Present) => " must be set".to_owned(),
            Wanted::Condition(Condition::Like(glob)) if has_wildcard(glob) => {
                [" must match ", &quoted(&[glob], "")].concat()
            }
            Wanted::Condition(Condition::Like(value)) => {
                [" must be ", &quoted(&[value], "")].concat()
            }
            Wanted::Checks(checks) => {
                let check = checks.failing("", self.fields);
                let problem = check.map(|check| check.problem("", self.fields, fate, false));
                match problem {
                    Some(problem) => [" must be set (", &problem, ")"].concat(),
                    None => " must be set".to_owned(),
                }
            }
        }
    }

    /// Adds what makes an objection the same as one of the old object: the terms, and what they are about.
    fn add_facts<'t>(
        &self,
        requirement: &'t Requirement<'a>,
        then: impl Iterator<Item = &'t Term<'a>>,
        objection: &mut Objection<'o>,
    ) where
        'a: 't,
    {
        for term in requirement.when.iter().flatten().chain(then) {
            let (name, written) = (term.name.text(), term.wanted.written());
            objection.facts += &[" ", name, "=", written].concat();
            objection.facts += &self.globbed.effective(term.name).facts();
        }
    }
}

/// Notes conditions that a default keeps from ever holding.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for values in rule.values.iter().filter(|values| values.default.is_some()) {
        let absent =
            |term: &Term<'_>| term.name == values.name && term.wanted.is(Condition::Absent);
        for (at, requirement) in rule.requires.iter().enumerate() {
            let mut terms = requirement.when.iter().chain(&requirement.then).flatten();
            if terms.any(absent) {
                errors.contradiction(
                    format!("{path}.requires[{at}]"),
                    &format!(
                        "`{}` is never absent here: `values` gives it a default",
                        Shown(values.name.text())
                    ),
                );
            }
        }
    }
    for (at, requirement) in rule.requires.iter().enumerate() {
        for term in requirement.when.iter().chain(&requirement.then).flatten() {
            if let Wanted::Checks(checks) = &term.wanted {
                let name = Shown(term.name.text());
                checks.find_contradictions(&format!("{path}.requires[{at}].{name}"), errors);
            }
        }
    }
}
