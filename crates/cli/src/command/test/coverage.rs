//! Which entries of the settings no case would miss.
//!
//! An entry is covered if some case fails without it. So an entry that another one covers, or that is met
//! only by cases which expect nothing of it, is not covered.

use rayon::prelude::*;
use rollout_guard::annotation::RULE_KEYS;
use rollout_guard::json::{Location, Step};
use rollout_guard::policy::Policy;
use serde_json::{Value, json};

use super::evaluate::{differences, evaluate, with_policy};
use super::suite::Case;
use crate::policy_file::Source;

/// An entry of the settings.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The policy that holds it, by its position.
    pub(super) source: usize,
    pub(super) place: Location<'static>,
    /// As it is shown.
    pub(super) value: String,
    pub(super) is_covered: bool,
}

/// Lists whose entries count, in the settings and in the items of their lists.
const LISTS: [(&str, &str); 4] = [
    ("registries", "allow reject"),
    ("images", "allow reject"),
    ("tags", "allow reject"),
    ("digests", "require forbid"),
];

/// Lists in an item of `changes` whose entries count.
const OF_CHANGES: [&str; 5] = [
    "guard",
    "allowUsers",
    "allowGroups",
    "denyFieldManagers",
    "requireAnnotations",
];

/// The entries of settings.
fn entries(source: usize, settings: &Value) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut add = |way: &[Step<'static>], value: &Value| {
        found.push(Entry {
            source,
            place: Location(way.to_vec()),
            value: match value {
                Value::String(text) => text.clone(),
                other => other
                    .get("entry")
                    .or_else(|| other.get("name"))
                    .and_then(Value::as_str)
                    .map_or_else(|| other.to_string(), ToOwned::to_owned),
            },
            is_covered: false,
        });
    };
    let mut members = |holder: &Value, way: &[Step<'static>]| {
        for (step, value) in children(holder) {
            add(&[way, &[step]].concat(), &value);
        }
    };
    for (section, lists) in LISTS {
        let Some(held) = settings.get(section) else {
            continue;
        };
        let items = match held {
            Value::Array(_) => children(held),
            one => vec![(Step::Each, one.clone())],
        };
        for (step, item) in items {
            let mut way = vec![Step::key(section), step];
            way.retain(|step| *step != Step::Each);
            for list in lists.split(' ') {
                if let Some(holder) = item.get(list) {
                    members(holder, &[&way[..], &[Step::key(list)]].concat());
                }
            }
        }
    }
    for (section, keys) in [
        ("annotations", RULE_KEYS),
        ("changes", OF_CHANGES.as_slice()),
    ] {
        let items = settings.get(section).map(children).unwrap_or_default();
        for (step, item) in items {
            for key in keys {
                let way = [Step::key(section), step.clone(), Step::key(key)];
                match item.get(key) {
                    // `values` is a list beside `criteria`, which is one rule.
                    Some(_) if item.get("criteria").is_some() && *key == "values" => {}
                    Some(holder @ (Value::Array(_) | Value::Object(_))) => members(holder, &way),
                    Some(value) => members(&json!({ *key: value }), &way[..2]),
                    None => {}
                }
            }
        }
    }
    for section in ["mirrors", "imagePaths", "exemptions"] {
        if let Some(holder) = settings.get(section) {
            members(holder, &[Step::key(section)]);
        }
    }
    if let Some(drift) = settings.get("drift") {
        members(drift, &[Step::key("drift")]);
    }
    found
}

fn children(holder: &Value) -> Vec<(Step<'static>, Value)> {
    match holder {
        Value::Array(list) => {
            let elements = list.iter().enumerate();
            elements
                .map(|(index, value)| (Step::Index(index), value.clone()))
                .collect()
        }
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (Step::Key(key.clone().into()), value.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// The settings without an entry, and, where they are not valid then, without what holds it.
fn without(settings: &Value, place: &Location<'_>) -> Vec<String> {
    let mut ways = Vec::new();
    for length in (1..=place.steps().len()).rev() {
        let way = Location(place.steps().iter().take(length).cloned().collect());
        let mut less = settings.clone();
        let is_allow_list = matches!(
            place.steps(),
            [.., Step::Key(list), Step::Index(_)] if list == "allow" || list == "allowed"
        );
        if length == place.steps().len()
            && is_allow_list
            && is_only_one(settings, place)
            && let Ok(()) = super::path::set(&mut less, &way, &json!(nothing(place)))
        {
            // An empty allow list would allow everything.
            ways.push(less.to_string());
            continue;
        }
        if super::path::set(&mut less, &way, &Value::Null).is_ok() {
            ways.push(less.to_string());
        }
    }
    ways
}

fn is_only_one(settings: &Value, place: &Location<'_>) -> bool {
    let holder = place.steps().split_last().map(|(_, way)| way.to_vec());
    let holder = holder.map(Location);
    let holder = holder.and_then(|way| super::path::get(settings, &way).cloned());
    holder.is_some_and(|holder| children(&holder).len() == 1)
}

/// An entry of an allow list that matches nothing.
fn nothing(place: &Location<'_>) -> &'static str {
    match place.steps().first() {
        Some(Step::Key(section)) if section == "registries" => "nothing.invalid",
        Some(Step::Key(section)) if section == "images" => "nothing.invalid/nothing:nothing",
        _ => "rollout-guard.invalid-nothing",
    }
}

/// All entries of the settings, and whether a case would miss them.
pub(super) fn measure(
    sources: &[&Source<'_>],
    policies: &[Option<Policy<'_>>],
    passing: &[&Case],
) -> Vec<Entry> {
    let parsed: Vec<Value> = sources
        .iter()
        .map(|source| serde_json::from_str(source.json()).unwrap_or_default())
        .collect();
    let mut all: Vec<_> = parsed
        .iter()
        .enumerate()
        .flat_map(|(position, settings)| entries(position, settings))
        .collect();
    let settings: Vec<_> = policies
        .iter()
        .map(|policy| policy.map(Policy::settings))
        .collect();
    all.par_iter_mut().for_each(|entry| {
        let Some(of_source) = parsed.get(entry.source) else {
            return;
        };
        let is_missed = |less: Option<Policy<'_>>| {
            let mut changed: Vec<_> = settings
                .iter()
                .map(|settings| settings.map(Policy::new))
                .collect();
            if let Some(policy) = changed.get_mut(entry.source) {
                *policy = less;
            }
            passing.iter().any(|case| {
                let outcome = evaluate(sources, &changed, case);
                !differences(&case.expected, &outcome).is_empty()
            })
        };
        let mut ways = without(of_source, &entry.place).into_iter();
        entry.is_covered = ways
            .find_map(|json| with_policy(&json, |policy| is_missed(Some(policy))))
            // Without it there is no rule at all.
            .unwrap_or_else(|| is_missed(None));
    });
    all
}
