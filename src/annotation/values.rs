//! `values`: what the value of an annotation may be.
//!
//! ```yaml
//! values:
//!   address-type: { oneOf: [internet, intranet], default: internet }
//!   weight: { min: 0, max: 100 }
//!   "port_*_health-probe_protocol": { oneOf: [tcp, http, https], anyCase: true }
//! ```
//!
//! Accepted: `address-type: intranet`, `weight: "50"`, neither of them. Rejected:
//! `address-type: Internet`, `weight: "50%"`, `port_80_health-probe_protocol: udp`.

use std::borrow::Cow;

use crate::json::{Key, Kind, Value};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::{Shown, quoted};

use super::effective::Globbed;
use super::reading::Reading;
use super::value::{Checks, Fields};
use super::{AnnotationRule, Annotations, Name, Objection, Sink};

/// What the value of an annotation may be.
#[derive(Clone, Debug)]
pub struct ValueRule<'a> {
    /// The annotation, or a glob over names.
    pub name: Name<'a>,
    /// What must hold.
    pub checks: Checks<'a>,
    /// The value that counts where the annotation is absent.
    pub default: Option<Cow<'a, str>>,
}

/// The keys of what is said of a value.
const KEYS: [&str; 13] = [
    "default",
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

/// Reads the map; for a request, what says something about it.
pub(super) fn read<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<ValueRule<'n>> {
    let mut rules: Vec<ValueRule<'n>> = Vec::new();
    let mut read = |key: Key<'n>, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| {
        let key = key.text();
        let before = errors.len();
        let (mut default, is_new) = (None, names.there.is_none());
        let checks = Checks::read(entry, &KEYS, is_new, errors, &mut |_, entry, errors| {
            default = entry.string(errors).map(Cow::Borrowed);
        });
        if checks.is_empty() && default.is_none() && errors.len() == before {
            entry.error(
                errors,
                "says nothing: give it `oneOf`, `pattern`, `min`, … or `default`",
            );
        }
        match names.glob(key) {
            Err(problem) => entry.error(errors, format!("`{}`: {problem}", Shown(key))),
            Ok(name) => {
                if is_new && rules.iter().any(|other| other.name == name) {
                    entry.error(errors, "this annotation occurs twice");
                } else if name.is_glob() && default.is_some() {
                    let problem = "no `default` for names that a wildcard stands for: nobody knows which are absent";
                    entry.error(errors, problem);
                }
                rules.push(ValueRule {
                    name,
                    checks,
                    default,
                });
            }
        }
    };
    match names.there {
        Some(there) if entry.value.kind() == Kind::Map => {
            // Nothing is said of what is not there and has no default.
            let is_wanted = |key: Key<'n>, value: Value<'n>| {
                there(&names.names, names.names.name(key.text()))
                    || value.kind() != Kind::Map
                    || value.get("default").is_some()
            };
            entry.members_where(errors, &is_wanted, &mut read);
        }
        _ => entry.members(errors, &mut read),
    }
    rules
}

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    fields: &'o Fields<'_>,
    sink: Sink<'_, 'o>,
) {
    let globbed = Globbed::new(rule, annotations);
    for values in &rule.values {
        let found = if values.name.is_glob() {
            globbed.effective(values.name).found
        } else {
            rule.found(values.name, annotations)
        };
        for annotation in &found {
            let Some(value) = annotation.value() else {
                continue;
            };
            if let Some(check) = values.checks.failing(value, fields) {
                let shows = annotation.shown().is_some();
                let problem = move |fate| check.problem(value, fields, fate, shows);
                sink(Objection::found(
                    check.code(value, fields),
                    annotation,
                    problem,
                ));
            }
        }
        if found.is_empty()
            && let Some(default) = values.default.as_deref()
            && let Some(check) = values.checks.failing(default, fields)
        {
            let key = rule.names.key(values.name);
            let problem = move |fate| {
                let shown = quoted(&[default], "");
                let problem = check.problem(default, fields, fate, true);
                ["it is absent, which means ", &shown, ": ", &problem].concat()
            };
            sink(Objection::missing(
                check.code(default, fields),
                key,
                problem,
            ));
        }
    }
}

impl ValueRule<'_> {
    /// Whether the annotation must be there, since its absence means a value that is refused.
    pub(crate) fn refuses_absence(&self) -> bool {
        let default = self.default.as_deref();
        default.is_some_and(|default| self.checks.failing(default, &Fields::default()).is_some())
    }
}

/// Notes a pattern that is none.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for values in &rule.values {
        let path = format!("{path}.values.{}", Shown(values.name.text()));
        values.checks.find_contradictions(&path, errors);
    }
}
