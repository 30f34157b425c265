//! `annotations`: reads [`AnnotationRule`]s.

use std::borrow::Cow;

use crate::annotation::{
    AnnotationRule, Criteria, Criterion, Name, NameList, Names, Requirement, RuleAction, Target,
    ValueRule,
};
use crate::json::{Key, Kind, Spot, Step, Value};
use crate::request::Request;
use crate::selector::{Condition, Selector};
use crate::shown::Shown;
use crate::workload::Object;

use super::Scope;
use super::error::SettingsErrors;
use super::matching::{self, Purpose};
use super::reader::{Entry, member};

/// The keys of an item.
const KEYS: [&str; 18] = [
    "name",
    "match",
    "target",
    "prefix",
    "aliasPrefixes",
    "required",
    "requireAny",
    "denied",
    "allowed",
    "values",
    "conflicting",
    "requires",
    "immutable",
    "createOnly",
    "keep",
    "criteria",
    "action",
    "message",
];

const TARGETS: [(&str, Target); 3] = [
    ("object", Target::Object),
    ("podTemplate", Target::PodTemplate),
    ("both", Target::Both),
];

const ACTIONS: [(&str, RuleAction); 3] = [
    ("reject", RuleAction::Reject),
    ("warn", RuleAction::Warn),
    ("remove", RuleAction::Remove),
];

/// How the names of an item are read.
struct Reading<'t, 'n> {
    names: Names<'n>,
    /// Which of them are there, for a request; none where settings are validated.
    there: Option<There<'t>>,
}

/// Whether an annotation is there that spells a name.
pub(crate) type There<'t> = &'t dyn Fn(&Names<'_>, Name<'_>) -> bool;

impl<'n> Reading<'_, 'n> {
    fn name(&self, text: &'n str) -> Name<'n> {
        self.names.name(text)
    }

    fn check(&self, name: Name<'_>, may_be_glob: bool) -> Result<(), String> {
        // That annotations can have the names was asked where the settings were validated.
        if self.there.is_some() {
            return Ok(());
        }
        self.names.check(name, may_be_glob)
    }
}

/// An item of `annotations`: read whole where settings are validated, else each part when a request asks for it.
/// There may be many items, and most are about other objects than that of one request.
#[derive(Clone, Debug)]
pub struct AnnotationItem<'a> {
    index: usize,
    value: Value<'a>,
    whole: Option<Box<(Selector<'a>, AnnotationRule<'a>)>>,
}

impl<'a> AnnotationItem<'a> {
    /// The `match` as it is written; none where there is none.
    pub(crate) fn written_match(&self) -> Option<&'a str> {
        member(self.value, "match").map(Value::text)
    }

    /// Which requests the rule is about; none where this one is not among them, whatever is in the object.
    ///
    /// # Errors
    ///
    /// Every mistake in what was read of the `match`.
    pub(crate) fn selector_for(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
    ) -> Result<Option<Cow<'_, Selector<'a>>>, SettingsErrors> {
        let written = member(self.value, "match").filter(|_| self.whole.is_none());
        if let Some(written) = written {
            let mut errors = SettingsErrors::default();
            let read = |entry: Entry<'_, 'a>| matching::read_without_fields(entry, &mut errors);
            let selector = self.in_match(written, read);
            let may_match = errors.into_result(selector)?.may_match(request, object);
            let is_about_old = member(written, "oldFields").is_some();
            if !may_match || (is_about_old && request.old_object.is_none()) {
                return Ok(None);
            }
        }
        self.selector().map(Some)
    }

    /// Which requests the rule is about.
    ///
    /// # Errors
    ///
    /// Every mistake in the `match`.
    pub fn selector(&self) -> Result<Cow<'_, Selector<'a>>, SettingsErrors> {
        if let Some(whole) = &self.whole {
            return Ok(Cow::Borrowed(&whole.0));
        }
        let Some(written) = member(self.value, "match") else {
            return Ok(Cow::Owned(Selector::default()));
        };
        let mut errors = SettingsErrors::default();
        let read = |entry: Entry<'_, 'a>| matching::read(entry, &mut errors, Purpose::Apply);
        let selector = self.in_match(written, read);
        errors.into_result(Cow::Owned(selector))
    }

    fn in_match<T>(&self, written: Value<'a>, read: impl FnOnce(Entry<'_, 'a>) -> T) -> T {
        let list = Spot::below(None, Step::key("annotations"));
        let item = Spot::below(Some(&list), Step::Index(self.index));
        let spot = Spot::below(Some(&item), Step::key("match"));
        read(Entry::at(written, &spot))
    }

    /// The rule, as far as validated settings need be read where these annotations are `there`.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub(crate) fn rule_for(
        &self,
        there: There<'_>,
    ) -> Result<Cow<'_, AnnotationRule<'a>>, SettingsErrors> {
        if let Some(whole) = &self.whole {
            return Ok(Cow::Borrowed(&whole.1));
        }
        let mut errors = SettingsErrors::default();
        let list = Spot::below(None, Step::key("annotations"));
        let spot = Spot::below(Some(&list), Step::Index(self.index));
        let entry = Entry::at(self.value, &spot);
        let rule = read_rule(self.index, entry, Some(there), None, &mut errors);
        errors.into_result(Cow::Owned(rule))
    }

    /// The rule.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn rule(&self) -> Result<Cow<'_, AnnotationRule<'a>>, SettingsErrors> {
        self.rule_for(&|_, _| true)
    }

    /// The item with another rule.
    ///
    /// # Errors
    ///
    /// Every mistake in its `match`.
    pub fn with(&self, rule: AnnotationRule<'a>) -> Result<Self, SettingsErrors> {
        let whole = Box::new((self.selector()?.into_owned(), rule));
        Ok(Self {
            whole: Some(whole),
            ..*self
        })
    }
}

/// Reads the items, or notes where they are until a request needs them.
pub(super) fn read<'n>(
    entry: Entry<'_, 'n>,
    scope: Scope,
    errors: &mut SettingsErrors,
) -> Vec<AnnotationItem<'n>> {
    let mut items = Vec::new();
    entry.list(errors, &mut |index, entry, errors| {
        // What is no map, or empty, can only be a mistake.
        let may_wait = entry.value.kind() == Kind::Map && !entry.value.is_empty();
        let is_whole = scope == Scope::All || !may_wait;
        items.push(AnnotationItem {
            index,
            value: entry.value,
            whole: is_whole.then(|| {
                let mut selector = Selector::default();
                let rule = read_rule(index, entry, None, Some(&mut selector), errors);
                Box::new((selector, rule))
            }),
        });
    });
    items
}

/// Reads an item, and its `selector` where that is asked for.
fn read_rule<'n>(
    index: usize,
    entry: Entry<'_, 'n>,
    there: Option<There<'_>>,
    mut selector: Option<&mut Selector<'n>>,
    errors: &mut SettingsErrors,
) -> AnnotationRule<'n> {
    let checks = there.is_none();
    let before = errors.len();
    // Names need the prefixes, which may stand behind them.
    let names = Reading {
        names: names(entry.value),
        there,
    };
    let mut rule = nothing(names.names.clone());
    let list = |entry: Entry<'_, 'n>, may_be_glob, errors: &mut SettingsErrors| {
        entry.texts(errors, |text| name(&names, text, may_be_glob))
    };
    let groups = |entry: Entry<'_, 'n>, errors: &mut SettingsErrors| {
        let mut groups = Vec::new();
        entry.list(errors, &mut |_, entry, errors| {
            let before = errors.len();
            let group = list(entry, false, errors);
            if group.len() < 2 && errors.len() == before {
                entry.error(errors, "a group names at least two annotations");
            }
            groups.push(group);
        });
        groups
    };
    let is_for_criteria = member(entry.value, "criteria").is_some();
    let (mut criterion, mut keys) = (None, Vec::new());
    entry.map(&KEYS, errors, &mut |key, entry, errors| match key {
        "name" => {
            if let Some(name) = entry.text(errors) {
                rule.name = Cow::Borrowed(name);
            }
        }
        "match" => {
            if let Some(selector) = &mut selector {
                **selector = matching::read(entry, errors, Purpose::Apply);
            }
        }
        "target" => rule.target = entry.keyword(&TARGETS, errors).unwrap_or_default(),
        "prefix" => check_prefix(entry, checks, errors),
        "aliasPrefixes" => entry.list(errors, &mut |_, entry, errors| {
            check_prefix(entry, checks, errors);
        }),
        "required" => rule.required = list(entry, false, errors),
        "requireAny" => rule.require_any = groups(entry, errors),
        "denied" => rule.denied = list(entry, true, errors).into(),
        "allowed" => rule.allowed = list(entry, true, errors).into(),
        "values" if is_for_criteria => keys = list(entry, false, errors),
        "values" => rule.values = values(&names, entry, errors),
        "conflicting" => rule.conflicting = groups(entry, errors),
        "requires" => rule.requires = requires(&names, entry, errors),
        "immutable" => rule.immutable = list(entry, false, errors),
        "createOnly" => rule.create_only = list(entry, false, errors),
        "keep" => rule.keep = list(entry, false, errors),
        "criteria" => criterion = entry.keyword(&Criterion::ALL, errors),
        "action" => rule.action = entry.keyword(&ACTIONS, errors).unwrap_or_default(),
        _ => rule.message = entry.text(errors).map(Cow::Borrowed),
    });
    if is_for_criteria && keys.is_empty() && errors.len() == before {
        entry.error(errors, "`criteria` needs `values`, a list of annotations");
    }
    rule.criteria = criterion.map(|criterion| Criteria {
        criterion,
        names: keys.into(),
    });
    if rule.name.is_empty() {
        rule.name = Cow::Owned(format!("annotations[{index}]"));
    }
    if checks && errors.len() == before {
        check_purpose(&rule, entry, errors);
    }
    rule
}

/// A rule that says nothing.
fn nothing(names: Names<'_>) -> AnnotationRule<'_> {
    AnnotationRule {
        name: Cow::Borrowed(""),
        target: Target::default(),
        names,
        required: Vec::new(),
        require_any: Vec::new(),
        denied: NameList::default(),
        allowed: NameList::default(),
        values: Vec::new(),
        conflicting: Vec::new(),
        requires: Vec::new(),
        immutable: Vec::new(),
        create_only: Vec::new(),
        keep: Vec::new(),
        criteria: None,
        action: RuleAction::default(),
        message: None,
    }
}

/// Notes a rule that says nothing, or removes nothing.
fn check_purpose(rule: &AnnotationRule<'_>, entry: Entry<'_, '_>, errors: &mut SettingsErrors) {
    if is_empty(rule) {
        entry.error(
            errors,
            "no rule: say what is `required`, `denied`, `allowed`, …",
        );
    } else if rule.action == RuleAction::Remove
        && rule.denied.is_empty()
        && rule.create_only.is_empty()
        && rule.conflicting.is_empty()
    {
        entry.error(
            errors,
            "nothing to remove: `remove` is for what `denied`, `createOnly` or `conflicting` name",
        );
    }
}

fn is_empty(rule: &AnnotationRule<'_>) -> bool {
    let lists: [&[Name<'_>]; 6] = [
        &rule.required,
        &rule.denied,
        &rule.allowed,
        &rule.immutable,
        &rule.create_only,
        &rule.keep,
    ];
    lists.iter().all(|list| list.is_empty())
        && rule.require_any.is_empty()
        && rule.conflicting.is_empty()
        && rule.values.is_empty()
        && rule.requires.is_empty()
        && rule.criteria.is_none()
}

/// What the names of an item are relative to.
fn names(item: Value<'_>) -> Names<'_> {
    let aliases = member(item, "aliasPrefixes")
        .into_iter()
        .flat_map(Value::elements);
    Names {
        prefix: member(item, "prefix")
            .and_then(Value::string)
            .unwrap_or_default(),
        aliases: aliases.filter_map(Value::string).collect(),
    }
}

fn check_prefix(entry: Entry<'_, '_>, checks_names: bool, errors: &mut SettingsErrors) {
    let Some(text) = entry.text(errors).filter(|_| checks_names) else {
        return;
    };
    let names = Reading {
        names: Names {
            prefix: text,
            aliases: Vec::new(),
        },
        there: None,
    };
    // A name that any prefix can stand before.
    if let Err(problem) = names.check(names.name("a"), false) {
        entry.error(errors, format!("`{}`: {problem}", Shown(text)));
    } else if text.contains('.') && !text.contains('/') {
        entry.error(
            errors,
            format!("`{0}`: a domain needs its `/`, write `{0}/`", Shown(text)),
        );
    }
}

/// A name, or where `may_be_glob` a glob over names.
fn name<'n>(names: &Reading<'_, 'n>, text: &'n str, may_be_glob: bool) -> Result<Name<'n>, String> {
    let name = names.name(text);
    let name = if may_be_glob { name } else { name.literal() };
    names.check(name, may_be_glob).map(|()| name)
}

fn values<'n>(
    names: &Reading<'_, 'n>,
    entry: Entry<'_, 'n>,
    errors: &mut SettingsErrors,
) -> Vec<ValueRule<'n>> {
    let mut rules: Vec<ValueRule<'n>> = Vec::new();
    let mut read = |key: Key<'n>, entry: Entry<'_, 'n>, errors: &mut SettingsErrors| {
        let key = key.text();
        let mut rule = ValueRule {
            name: names.name(key),
            one_of: Vec::new(),
            pattern: None,
            default: None,
        };
        if let Err(problem) = names.check(rule.name, false) {
            entry.error(errors, format!("`{}`: {problem}", Shown(key)));
        } else if names.there.is_none() && rules.iter().any(|other| other.name == rule.name) {
            entry.error(errors, "this annotation occurs twice");
        }
        let before = errors.len();
        let keys = ["oneOf", "pattern", "default"];
        entry.map(&keys, errors, &mut |key, entry, errors| match key {
            "oneOf" => entry.list(errors, &mut |_, entry, errors| {
                rule.one_of.extend(entry.string(errors));
            }),
            "pattern" => rule.pattern = entry.text(errors),
            _ => rule.default = entry.string(errors).map(Cow::Borrowed),
        });
        if rule.one_of.is_empty()
            && rule.pattern.is_none()
            && rule.default.is_none()
            && errors.len() == before
        {
            entry.error(
                errors,
                "says nothing: give it `oneOf`, `pattern` or `default`",
            );
        }
        rules.push(rule);
    };
    match names.there {
        Some(there) if entry.value.kind() == Kind::Map => {
            // Nothing is said of what is not there and has no default.
            let is_wanted = |key: Key<'n>, value: Value<'n>| {
                there(&names.names, names.name(key.text()))
                    || value.kind() != Kind::Map
                    || value.get("default").is_some()
            };
            entry.members_where(errors, &is_wanted, &mut read);
        }
        _ => entry.members(errors, &mut read),
    }
    rules
}

fn requires<'n>(
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
        let condition = matching::condition(entry, errors);
        let key = key.text();
        match name(names, key, true) {
            Ok(name) => conditions.extend(condition.map(|condition| (name, condition))),
            Err(problem) => entry.error(errors, format!("`{}`: {problem}", Shown(key))),
        }
    });
    conditions
}
