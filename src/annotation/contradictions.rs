//! Rules about annotations that no object can satisfy together, and patterns that are none.

use crate::schema::SettingsErrors;
use crate::selector::Selector;
use crate::shown::Shown;

use super::{
    AnnotationItem, AnnotationRule, RuleAction, Target, allowed, conflicting, create_only,
    requires, values,
};

/// Notes every entry that another one makes meaningless, and every pattern that does not compile.
///
/// Compares each pair: for settings that are validated once, not for each request.
pub(crate) fn find<'s>(items: &'s [AnnotationItem<'_>], errors: &mut SettingsErrors) {
    let read = |item: &'s AnnotationItem<'_>| Some((item.selector().ok()?, item.rule().ok()?));
    let rules: Vec<_> = items.iter().filter_map(read).collect();
    for (index, (selector, rule)) in rules.iter().enumerate() {
        let path = format!("annotations[{index}]");
        create_only::find_contradictions(rule, &path, errors);
        conflicting::find_contradictions(rule, &path, errors);
        allowed::find_contradictions(rule, &path, errors);
        values::find_contradictions(rule, &path, errors);
        requires::find_contradictions(rule, &path, errors);
        for field in &rule.fields {
            field.find_contradictions(&path, errors);
        }
        for (other_index, (other_selector, other)) in rules.iter().enumerate() {
            let applies_too =
                *other_selector == *selector || **other_selector == Selector::default();
            if index == other_index || (applies_too && refuses_as_well(other, rule)) {
                demanded(index, rule, other_index, other, errors);
            }
        }
    }
}

/// Whether a rule refuses wherever another one does, if it applies there.
fn refuses_as_well(wide: &AnnotationRule<'_>, narrow: &AnnotationRule<'_>) -> bool {
    wide.action != RuleAction::Warn
        && narrow.action != RuleAction::Warn
        && wide.actions.is_empty()
        && narrow.actions.is_empty()
        && (wide.target == narrow.target || wide.target == Target::Both)
}

/// What a rule demands, and this or another one excludes.
fn demanded(
    index: usize,
    rule: &AnnotationRule<'_>,
    other_index: usize,
    other: &AnnotationRule<'_>,
    errors: &mut SettingsErrors,
) {
    let mut required: Vec<(String, String)> = Vec::new();
    for (at, name) in rule.required.iter().enumerate() {
        required.push((
            format!("annotations[{index}].required[{at}]"),
            rule.names.key(*name),
        ));
    }
    // What a value may be says nothing about whether it is there: another item may deny that.
    for values in &rule.values {
        let key = rule.names.key(values.name);
        if (index == other_index || values.refuses_absence())
            && let Some(denied) = other.denying(&key)
        {
            let path = format!("annotations[{index}].values");
            contradicts(errors, path, &key, other_index, "denied", &denied);
        }
    }
    for (at, group) in rule.require_any.iter().enumerate() {
        let keys: Vec<_> = group.iter().map(|name| rule.names.key(*name)).collect();
        let path = format!("annotations[{index}].requireAny[{at}]");
        if let Some(key) = keys.first() {
            if keys.iter().all(|key| other.denied.has(&other.names, key)) {
                contradicts(errors, path, key, other_index, "denied", key);
            } else if keys.iter().all(|key| !other.admits(key)) {
                not_admitted(errors, path, key, other_index);
            }
        }
    }
    for (path, key) in required {
        if let Some(denied) = other.denying(&key) {
            contradicts(errors, path, &key, other_index, "denied", &denied);
        } else if !other.may_admit(&key) {
            not_admitted(errors, path, &key, other_index);
        }
    }
}

fn contradicts(
    errors: &mut SettingsErrors,
    path: String,
    key: &str,
    by: usize,
    list: &str,
    entry: &str,
) {
    errors.contradiction(
        path,
        &format!(
            "`{}` contradicts `annotations[{by}].{list}` (`{}`): it cannot be there and not be there",
            Shown(key),
            Shown(entry)
        ),
    );
}

fn not_admitted(errors: &mut SettingsErrors, path: String, key: &str, by: usize) {
    errors.contradiction(
        path,
        &format!(
            "`{}` is not among `annotations[{by}].allowed`: add it there",
            Shown(key)
        ),
    );
}
