//! `changes` and `drift`: reads [`ChangeRule`]s.

use std::borrow::Cow;

use super::{Account, ChangeRule, Guard, Preset, Who};
use crate::check::item::NEVER_BEGINS;
use crate::date::Date;
use crate::glob;
use crate::violation::Action;

use crate::schema::SettingsErrors;
use crate::schema::{Entry, suggestion};
use crate::selector::service_accounts;
use crate::selector::{self, Purpose, Selector};

/// What a user name begins with that stands for more than one.
const PRESET: &str = "preset:";

/// The groups that Kubernetes gives to users itself, and who is in them: to allow one allows everybody.
///
/// Source: `k8s.io/apiserver/pkg/authentication/user` and `…/serviceaccount`.
const EVERYBODY: [(&str, &str); 3] = [
    ("system:authenticated", "everybody who is logged in"),
    ("system:unauthenticated", "everybody who is not logged in"),
    (
        "system:serviceaccounts",
        "every service account of every namespace",
    ),
];

pub(crate) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<ChangeRule<'n>> {
    let mut rules = Vec::new();
    entry.list(errors, &mut |index, entry, errors| {
        rules.push(rule(index, entry, errors));
    });
    rules
}

/// `{ lastApplied }`
pub(crate) fn drift(entry: Entry<'_, '_>, errors: &mut SettingsErrors) -> Option<Action> {
    let mut action = None;
    let words = [
        ("ignore", None),
        ("warn", Some(Action::Warn)),
        ("reject", Some(Action::Reject)),
    ];
    entry.map(&["lastApplied"], errors, &mut |_, entry, errors| {
        action = entry.keyword(&words, errors).flatten();
    });
    action
}

fn rule<'n>(index: usize, entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> ChangeRule<'n> {
    let before = errors.len();
    let mut rule = ChangeRule {
        name: Cow::Owned(format!("changes[{index}]")),
        selector: Selector::default(),
        guards: Vec::new(),
        who: Who::default(),
        allow_restart: false,
        guard_delete: false,
        action: Action::default(),
        from: None,
        message: None,
    };
    let keys = [
        "name",
        "match",
        "guard",
        "allowUsers",
        "allowGroups",
        "denyFieldManagers",
        "requireAnnotations",
        "allowRestart",
        "guardDelete",
        "action",
        "from",
        "message",
    ];
    entry.map_of_full(&keys, errors, &mut |key, entry, errors| match key {
        "name" => {
            if let Some(name) = entry.text(errors) {
                rule.name = Cow::Borrowed(name);
            }
        }
        "match" => rule.selector = selector::read(entry, errors, Purpose::Apply),
        "guard" => entry.each_text(errors, &mut |text| {
            Guard::parse(text, &suggestion).map(|guard| rule.guards.push(guard))
        }),
        "allowUsers" => entry.each_text(errors, &mut |text| {
            account(text).map(|account| rule.who.users.push(account))
        }),
        "allowGroups" => rule.who.groups = entry.strings(errors, group),
        "denyFieldManagers" => rule.who.denied_managers = entry.strings(errors, Ok),
        "requireAnnotations" => rule.who.annotations = entry.strings(errors, annotation),
        "allowRestart" => rule.allow_restart = entry.boolean(errors).unwrap_or_default(),
        "guardDelete" => rule.guard_delete = entry.boolean(errors).unwrap_or_default(),
        "action" => rule.action = entry.keyword(&Action::WORDS, errors).unwrap_or_default(),
        "from" => rule.from = Date::beginning(entry, errors),
        _ => rule.message = entry.text(errors),
    });
    if errors.len() == before {
        if rule.from.is_some() && rule.action == Action::Warn {
            entry.error(errors, NEVER_BEGINS);
        }
        if rule.guards.is_empty() && !rule.guard_delete {
            entry.error(
                errors,
                "guards nothing: add `guard`, or `guardDelete: true`",
            );
        }
        if rule.guard_delete && rule.selector.kinds.is_none() {
            entry.error(
                errors,
                "`guardDelete` without `match.kinds` would hold up every deletion, name the kinds",
            );
        }
    }
    rule
}

fn account(text: &str) -> Result<Account<'_>, String> {
    let Some(name) = text.strip_prefix(PRESET) else {
        return service_accounts::user(text).map(Account::Glob);
    };
    Preset::named(name).map(Account::Preset).ok_or_else(|| {
        let known = Preset::names();
        let meant = suggestion(name, &known);
        format!("is no preset{meant} (there are `{}`)", known.join("`, `"))
    })
}

/// A glob over groups, of which none may hold whoever there is.
fn group(text: &str) -> Result<&str, String> {
    let text = service_accounts::group(text)?;
    let everybody = EVERYBODY
        .iter()
        .find(|(group, _)| glob::matches(text, group));
    everybody.map_or(Ok(text), |(_, who)| {
        Err(format!("is {who}, name the group that may make the change"))
    })
}

/// A key of an annotation, whole: of a glob nobody could say which one is missing.
fn annotation(text: &str) -> Result<&str, String> {
    if text.contains(['*', '?']) {
        return Err("is a glob, name the annotation".to_owned());
    }
    Ok(text)
}
