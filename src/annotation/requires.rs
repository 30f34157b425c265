//! `requires`: what must hold where something else does.
//!
//! ```yaml
//! requires:
//!   - when: { spec: "*" }
//!     then: { instance-charge-type: PayBySpec }
//!   - when: { id: "!*" }
//!     then: { zone-maps: "*" }
//! ```
//!
//! Accepted: `spec: slb.s1.small` with `instance-charge-type: PayBySpec`. Rejected: `spec` alone.

use std::rc::Rc;

use crate::glob::has_wildcard;
use crate::schema::{Entry, SettingsErrors};
use crate::selector::{Condition, condition};
use crate::shown::{Shown, quoted};
use crate::violation::Code;

use super::effective::{Effective, Globbed, is_met};
use super::reading::Reading;
use super::{Annotation, AnnotationRule, Annotations, Name, Objection, Sink};

/// If all of `when` holds, all of `then` must.
#[derive(Clone, Debug, Default)]
pub struct Requirement<'a> {
    /// Names or globs, and what their values are.
    pub when: Vec<(Name<'a>, Condition<'a>)>,
    /// Names or globs, and what their values must be.
    pub then: Vec<(Name<'a>, Condition<'a>)>,
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
            let conditions = conditions(names, entry, errors);
            match key {
                "when" => requirement.when = conditions,
                _ => requirement.then = conditions,
            }
        });
        for (key, conditions) in [("when", &requirement.when), ("then", &requirement.then)] {
            if conditions.is_empty() && errors.len() == before {
                entry.error(errors, format!("`{key}` is missing"));
            }
        }
        requirements.push(requirement);
    });
    requirements
}

fn conditions<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<(Name<'n>, Condition<'n>)> {
    let mut conditions = Vec::new();
    entry.members(errors, &mut |key, entry, errors| {
        let condition = condition(entry, errors);
        let key = key.text();
        match names.glob(key) {
            Ok(name) => conditions.extend(condition.map(|condition| (name, condition))),
            Err(problem) => entry.error(errors, format!("`{}`: {problem}", Shown(key))),
        }
    });
    conditions
}

pub(super) fn check<'a, 'o>(
    rule: &'o AnnotationRule<'a>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    if rule.requires.is_empty() {
        return;
    }
    let globbed = Rc::new(Globbed::new(rule, annotations));
    let effective_of = |name: Name<'a>| globbed.effective(name);
    for requirement in &rule.requires {
        let holds = requirement
            .when
            .iter()
            .all(|(name, condition)| effective_of(*name).meets(*condition, false));
        if !holds {
            continue;
        }
        for (name, condition) in &requirement.then {
            let effective = effective_of(*name);
            // Of several names that a glob matches one is enough; of one name every value counts.
            if effective.meets(*condition, !name.is_glob()) {
                continue;
            }
            let is_unmet = |value: Option<&str>| match condition {
                Condition::Like(glob) => {
                    value.is_none_or(|value| !crate::glob::matches(glob, value))
                }
                _ => true,
            };
            let culprit = effective
                .found
                .iter()
                .find(|annotation| is_unmet(annotation.value()));
            let culprit = culprit.copied();
            // Where none is there that a glob could mean, it is about what makes the requirement apply.
            let is_any = culprit.is_none() && name.is_glob();
            let problem = {
                let globbed = Rc::clone(&globbed);
                move |_| {
                    let effective_of = |name: Name<'a>| globbed.effective(name);
                    let given = given(rule, requirement, &effective_of);
                    let subject = if is_any {
                        ["one of ", &quoted(&[&rule.names.key(*name)], "")].concat()
                    } else {
                        "it".to_owned()
                    };
                    ["with ", &given, " ", &subject, &must(*condition)].concat()
                }
            };
            let mut objection =
                match culprit.or(cause(requirement, &effective_of).filter(|_| is_any)) {
                    Some(annotation) => {
                        Objection::found(Code::AnnotationRequirement, annotation, problem)
                    }
                    None if is_any => Objection::all(Code::AnnotationRequirement, problem),
                    None => {
                        let key = rule.names.key(*name);
                        Objection::missing(Code::AnnotationRequirement, key, problem)
                    }
                };
            let is_left = !requirement.when.iter().any(|(name, condition)| {
                !effective_of(*name).found.is_empty()
                    && *condition != Condition::Absent
                    && !rule.means(*name, *condition)
            });
            objection.advice = match (condition, culprit) {
                (Condition::Absent, _) => "remove it",
                (_, None) if is_left => "set it",
                (_, None) => "set it or remove what requires it",
                (_, Some(_)) if is_left => "change it",
                (_, Some(_)) => "change it or remove what requires it",
            };
            for (name, condition) in requirement.when.iter().chain([&(*name, *condition)]) {
                objection.facts += &[" ", name.text(), "=", condition.written()].concat();
                objection.facts += &effective_of(*name).facts();
            }
            sink(objection);
        }
    }
}

impl<'a> AnnotationRule<'a> {
    /// Whether the absence of a name, or of one that a glob matches, meets a condition.
    fn means(&self, name: Name<'a>, condition: Condition<'_>) -> bool {
        self.values.iter().any(|values| {
            let default = values.default.as_deref();
            default.is_some_and(|default| is_met(condition, Some(default)))
                && self.names.is_name_of(name, values.name)
        })
    }
}

/// What a value must be, in words.
fn must(condition: Condition<'_>) -> String {
    match condition {
        Condition::Absent => " must not be set".to_owned(),
        Condition::Present => " must be set".to_owned(),
        Condition::Like(glob) if has_wildcard(glob) => {
            [" must match ", &quoted(&[glob], "")].concat()
        }
        Condition::Like(value) => [" must be ", &quoted(&[value], "")].concat(),
    }
}

/// The first annotation that makes a requirement apply; none where only absence does.
fn cause<'a, 'o>(
    requirement: &Requirement<'a>,
    effective_of: &dyn Fn(Name<'a>) -> Effective<'o>,
) -> Option<&'o Annotation<'o>> {
    requirement.when.iter().find_map(|(name, condition)| {
        let mut found = effective_of(*name).found.into_iter();
        found.find(|annotation| is_met(*condition, annotation.value()))
    })
}

/// What makes a requirement apply, in words.
fn given<'a, 'o>(
    rule: &AnnotationRule<'_>,
    requirement: &Requirement<'a>,
    effective_of: &dyn Fn(Name<'a>) -> Effective<'o>,
) -> String {
    let mut text = String::new();
    for (name, condition) in &requirement.when {
        if !text.is_empty() {
            text += " and ";
        }
        let effective = effective_of(*name);
        let mut found = effective.found.iter();
        let met = found.find(|annotation| is_met(*condition, annotation.value()));
        let mut defaults = effective.defaults.iter();
        let meant = defaults.find(|(_, default)| is_met(*condition, Some(default)));
        if let Some(annotation) = met {
            let given = match annotation.shown() {
                Some(value) => [annotation.key, ": ", value].concat(),
                None => annotation.key.to_owned(),
            };
            text += &quoted(&[&given], "");
        } else if let Some((name, default)) = meant {
            let (key, default) = (rule.names.key(*name), quoted(&[default], ""));
            text += &["no ", &quoted(&[&key], ""), ", which means ", &default, ","].concat();
        } else {
            text += &["no ", &quoted(&[&rule.names.key(*name)], "")].concat();
        }
    }
    text
}

/// Notes conditions that a default keeps from ever holding.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for values in rule.values.iter().filter(|values| values.default.is_some()) {
        let absent = |(name, condition): &(Name<'_>, Condition<'_>)| {
            *name == values.name && *condition == Condition::Absent
        };
        for (at, requirement) in rule.requires.iter().enumerate() {
            if requirement.when.iter().chain(&requirement.then).any(absent) {
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
}
