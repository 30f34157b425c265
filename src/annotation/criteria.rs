//! `criteria` and `values` as Kubewarden's annotations policy has them: about keys alone.
//!
//! Source: `operators.rs` of the crate `criteria_policy_base` 0.1.1.
//!
//! ```yaml
//! criteria: containsAllOf
//! values: [team, cost-center]
//! ```
//!
//! Accepted: `team: ""` with `cost-center: "7"`. Rejected: `team` alone.

use crate::schema::{Entry, SettingsErrors};
use crate::violation::{Code, Fate, Verb};

use super::allowed::not_allowed;
use super::required::one_required;
use super::{AnnotationRule, Annotations, Name, NameList, Objection, Sink, listed, texts};

/// What the keys of the annotations are held against.
#[derive(Clone, Debug)]
pub struct Criteria<'a> {
    /// How.
    pub criterion: Criterion,
    /// The keys, never empty.
    pub names: NameList<'a>,
}

/// How the keys of the annotations are held against those of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// At least one of them is there.
    ContainsAnyOf,
    /// None of them is there.
    DoesNotContainAnyOf,
    /// All of them are there.
    ContainsAllOf,
    /// Not all of them are there.
    DoesNotContainAllOf,
    /// At least one other is there.
    ContainsOtherThan,
    /// No others are there.
    DoesNotContainOtherThan,
}

impl Criterion {
    /// Every criterion, by the name that settings use.
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("containsAnyOf", Self::ContainsAnyOf),
        ("doesNotContainAnyOf", Self::DoesNotContainAnyOf),
        ("containsAllOf", Self::ContainsAllOf),
        ("doesNotContainAllOf", Self::DoesNotContainAllOf),
        ("containsOtherThan", Self::ContainsOtherThan),
        ("doesNotContainOtherThan", Self::DoesNotContainOtherThan),
    ];
}

/// Reads the criterion.
pub(super) fn read(entry: Entry<'_, '_>, errors: &mut SettingsErrors) -> Option<Criterion> {
    entry.keyword(&Criterion::ALL, errors)
}

/// A criterion over these keys; none where one of the two is missing.
pub(super) fn of(criterion: Option<Criterion>, keys: Vec<Name<'_>>) -> Option<Criteria<'_>> {
    Some(Criteria {
        criterion: criterion?,
        names: Some(keys).filter(|keys| !keys.is_empty())?.into(),
    })
}

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    let Some(Criteria { criterion, names }) = &rule.criteria else {
        return;
    };
    let keys = rule.keys(names);
    let is_there = |name: &Name<'_>| rule.has(*name, annotations);
    let is_named = |key: &str| names.has(&rule.names, key);
    let mut all = |code, problem: fn(&[String], Fate) -> String, advice| {
        let facts = texts(&keys).concat();
        let keys = keys.clone();
        let mut objection = Objection::all(code, move |fate| problem(&keys, fate)).advising(advice);
        objection.facts = facts;
        sink(objection);
    };
    match criterion {
        Criterion::ContainsAnyOf if !names.iter().any(is_there) => {
            all(Code::AnnotationRequired, one_required, "set one");
        }
        Criterion::DoesNotContainAllOf if names.iter().all(is_there) => {
            let problem = |keys: &[String], _: Fate| {
                [&listed(keys, " and "), " must not be set together"].concat()
            };
            all(Code::AnnotationConflicting, problem, "remove one");
        }
        Criterion::ContainsOtherThan
            if annotations
                .all
                .iter()
                .all(|annotation| is_named(annotation.key)) =>
        {
            let problem = |keys: &[String], fate: Fate| {
                let words = Verb::REQUIRED.of(fate);
                ["another one than ", &listed(keys, " and "), " ", words].concat()
            };
            all(Code::AnnotationRequired, problem, "set one");
        }
        Criterion::ContainsAllOf => {
            for name in names.iter().filter(|name| !is_there(name)) {
                let problem = |fate| ["it ", Verb::REQUIRED.of(fate)].concat();
                let key = rule.names.key(*name);
                sink(Objection::missing(Code::AnnotationRequired, key, problem).advising("set it"));
            }
        }
        Criterion::DoesNotContainAnyOf => {
            for annotation in annotations.all.iter().filter(|found| is_named(found.key)) {
                let problem = |fate| ["it ", Verb::DENIED.of(fate)].concat();
                sink(
                    Objection::found(Code::AnnotationDenied, annotation, problem)
                        .advising("remove it"),
                );
            }
        }
        Criterion::DoesNotContainOtherThan => {
            for annotation in annotations.all.iter().filter(|found| !is_named(found.key)) {
                let problem = |fate| not_allowed(&texts(&rule.keys(names)), fate);
                sink(
                    Objection::found(Code::AnnotationNotAllowed, annotation, problem)
                        .advising("remove it"),
                );
            }
        }
        _ => {}
    }
}
