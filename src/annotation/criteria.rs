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

use crate::violation::Code;

use super::allowed::not_allowed;
use super::{AnnotationRule, Annotations, Name, Objection, Sink, listed, texts};

/// What the keys of the annotations are held against.
#[derive(Clone, Debug)]
pub struct Criteria<'a> {
    /// How.
    pub criterion: Criterion,
    /// The keys, never empty.
    pub names: Vec<Name<'a>>,
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
    let is_named = |key: &str| {
        names
            .iter()
            .any(|name| rule.names.spelling(*name, key).is_some())
    };
    let mut all = |code, problem: fn(&[String]) -> String| {
        let facts = texts(&keys).concat();
        let keys = keys.clone();
        let mut objection = Objection::all(code, move || problem(&keys));
        objection.facts = facts;
        sink(objection);
    };
    match criterion {
        Criterion::ContainsAnyOf if !names.iter().any(is_there) => {
            all(Code::AnnotationRequired, |keys| {
                ["one of ", &listed(keys, " or "), " is required, set one"].concat()
            });
        }
        Criterion::DoesNotContainAllOf if names.iter().all(is_there) => {
            all(Code::AnnotationConflicting, |keys| {
                [
                    &listed(keys, " and "),
                    " must not be set together, remove one",
                ]
                .concat()
            });
        }
        Criterion::ContainsOtherThan
            if annotations
                .all
                .iter()
                .all(|annotation| is_named(&annotation.key)) =>
        {
            all(Code::AnnotationRequired, |keys| {
                [
                    "another one than ",
                    &listed(keys, " and "),
                    " is required, set one",
                ]
                .concat()
            });
        }
        Criterion::ContainsAllOf => {
            for name in names.iter().filter(|name| !is_there(name)) {
                let problem = || "it is required, set it".to_owned();
                let key = rule.names.key(*name);
                sink(Objection::missing(Code::AnnotationRequired, key, problem));
            }
        }
        Criterion::DoesNotContainAnyOf => {
            for annotation in annotations.all.iter().filter(|found| is_named(&found.key)) {
                let problem = || "it is denied, remove it".to_owned();
                sink(Objection::found(
                    Code::AnnotationDenied,
                    annotation,
                    problem,
                ));
            }
        }
        Criterion::DoesNotContainOtherThan => {
            for annotation in annotations.all.iter().filter(|found| !is_named(&found.key)) {
                let problem = || not_allowed(&texts(&rule.keys(names)));
                sink(Objection::found(
                    Code::AnnotationNotAllowed,
                    annotation,
                    problem,
                ));
            }
        }
        _ => {}
    }
}
