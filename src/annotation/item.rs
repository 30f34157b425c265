//! The items of `annotations`, and what is the same for each rule in them.

use std::borrow::Cow;

use crate::check::item::NEVER_BEGINS;
use crate::date::Date;
use crate::json::{Kind, Spot, Step, Value};
use crate::request::Request;
use crate::schema::{Entry, SettingsErrors, member};
use crate::selector::{self, Purpose, Selector};
use crate::violation::Action;
use crate::workload::Object;

use super::reading::{Reading, There};
use super::value::field_rule;
use super::{AnnotationRule, Name, RuleAction, Target, criteria, requires, values};

/// The keys of an item, those first that most items have.
const KEYS: [&str; 25] = [
    "name",
    "match",
    "prefix",
    "aliasPrefixes",
    "values",
    "message",
    "requires",
    "createOnly",
    "immutable",
    "keep",
    "denied",
    "allowed",
    "required",
    "requireAny",
    "conflicting",
    "action",
    "target",
    "keepAny",
    "aliases",
    "emptyIsAbsent",
    "fields",
    "criteria",
    "actions",
    "messages",
    "from",
];

/// The checks among them, in their order.
pub const RULE_KEYS: [&str; 13] = [
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
    "keepAny",
    "criteria",
    "fields",
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

/// An item of `annotations`: read whole where settings are validated, else each part when a request asks for it.
/// There may be many items, and most are about other objects than that of one request.
#[derive(Clone, Debug)]
pub struct AnnotationItem<'a> {
    index: usize,
    parts: Parts<'a>,
}

#[derive(Clone, Debug)]
enum Parts<'a> {
    Read(Box<(Selector<'a>, AnnotationRule<'a>)>),
    Unread(Value<'a>),
}

impl<'a> AnnotationItem<'a> {
    /// The `match` as it is written, where it is yet to be read.
    pub(crate) fn unread_match(&self) -> Option<Value<'a>> {
        match self.parts {
            Parts::Read(_) => None,
            Parts::Unread(item) => member(item, "match"),
        }
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
        if let Some(written) = self.unread_match() {
            let mut errors = SettingsErrors::default();
            let read = |entry: Entry<'_, 'a>| selector::read_without_fields(entry, &mut errors);
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
        if let Parts::Read(read) = &self.parts {
            return Ok(Cow::Borrowed(&read.0));
        }
        let Some(written) = self.unread_match() else {
            return Ok(Cow::Owned(Selector::default()));
        };
        let mut errors = SettingsErrors::default();
        let read = |entry: Entry<'_, 'a>| selector::read(entry, &mut errors, Purpose::Apply);
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
        let item = match &self.parts {
            Parts::Read(read) => return Ok(Cow::Borrowed(&read.1)),
            Parts::Unread(item) => *item,
        };
        let mut errors = SettingsErrors::default();
        let list = Spot::below(None, Step::key("annotations"));
        let spot = Spot::below(Some(&list), Step::Index(self.index));
        let entry = Entry::at(item, &spot);
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
        let read = Box::new((self.selector()?.into_owned(), rule));
        Ok(Self {
            index: self.index,
            parts: Parts::Read(read),
        })
    }
}

/// Reads the items, or notes where they are until a request needs them.
pub(crate) fn read<'n>(
    entry: Entry<'_, 'n>,
    is_whole: bool,
    errors: &mut SettingsErrors,
) -> Vec<AnnotationItem<'n>> {
    let mut items = Vec::new();
    entry.list(errors, &mut |index, entry, errors| {
        // What is no map, or empty, can only be a mistake.
        let may_wait = entry.value.kind() == Kind::Map && !entry.value.is_empty();
        let parts = if is_whole || !may_wait {
            let mut selector = Selector::default();
            let rule = read_rule(index, entry, None, Some(&mut selector), errors);
            Parts::Read(Box::new((selector, rule)))
        } else {
            Parts::Unread(entry.value)
        };
        items.push(AnnotationItem { index, parts });
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
    let before = errors.len();
    // Names need the prefixes, which may stand behind them.
    let names = Reading::of(entry.value, there);
    let mut rule = AnnotationRule::default();
    let item = entry.value;
    let is_for_criteria = member(item, "criteria").is_some();
    let (mut criterion, mut keys) = (None, Vec::new());
    entry.map(&KEYS, errors, &mut |key, entry, errors| match key {
        "name" => {
            if let Some(name) = entry.text(errors) {
                rule.name = Cow::Borrowed(name);
            }
        }
        "match" => {
            if let Some(selector) = &mut selector {
                **selector = selector::read(entry, errors, Purpose::Apply);
            }
        }
        "prefix" => names.check_prefix(entry, errors),
        "aliasPrefixes" => entry.list(errors, &mut |_, entry, errors| {
            names.check_prefix(entry, errors);
        }),
        "values" if is_for_criteria => keys = names.list(entry, errors),
        "values" => rule.values = values::read(&names, entry, errors),
        "message" => rule.message = entry.text(errors).map(Cow::Borrowed),
        "requires" => rule.requires = requires::read(&names, entry, errors),
        "createOnly" => rule.create_only = names.globs(entry, errors),
        "immutable" => rule.immutable = names.globs(entry, errors),
        "keep" => rule.keep = names.globs(entry, errors),
        "denied" => rule.denied = names.globs(entry, errors).into(),
        "allowed" => rule.allowed = names.globs(entry, errors).into(),
        "required" => rule.required = names.globs(entry, errors),
        "requireAny" => rule.require_any = names.groups(entry, errors),
        "conflicting" => rule.conflicting = names.groups(entry, errors),
        "action" => rule.action = entry.keyword(&ACTIONS, errors).unwrap_or_default(),
        "target" => rule.target = entry.keyword(&TARGETS, errors).unwrap_or_default(),
        "keepAny" => rule.keep_any = names.groups(entry, errors),
        "aliases" => names.check_other_names(entry, errors),
        "emptyIsAbsent" => {
            entry.boolean(errors);
        }
        "fields" => rule.fields = field_rule::read(entry, there.is_none(), errors),
        "criteria" => criterion = criteria::read(entry, errors),
        "actions" => entry.map(&RULE_KEYS, errors, &mut |key, entry, errors| {
            let action = entry.keyword(&Action::WORDS, errors);
            rule.actions.extend(action.map(|action| (key, action)));
            check_part(item, key, entry, errors);
        }),
        "messages" => entry.map(&RULE_KEYS, errors, &mut |key, entry, errors| {
            let message = entry.text(errors);
            rule.messages.extend(message.map(|message| (key, message)));
            check_part(item, key, entry, errors);
        }),
        _ => rule.from = Date::beginning(entry, errors),
    });
    rule.names = names.names;
    rule.criteria = criteria::of(criterion, keys);
    if is_for_criteria && rule.criteria.is_none() && errors.len() == before {
        entry.error(errors, "`criteria` needs `values`, a list of annotations");
    }
    if rule.name.is_empty() {
        rule.name = Cow::Owned(format!("annotations[{index}]"));
    }
    if there.is_none() && errors.len() == before {
        check_purpose(&rule, entry, errors);
    }
    rule
}

/// Notes what is said of a check that an item does not have.
fn check_part(item: Value<'_>, part: &str, entry: Entry<'_, '_>, errors: &mut SettingsErrors) {
    if member(item, part).is_none_or(Value::is_empty) {
        entry.error(errors, ["there is no `", part, "` in this item"].concat());
    }
}

/// Notes a rule that says nothing, or removes nothing.
fn check_purpose(rule: &AnnotationRule<'_>, entry: Entry<'_, '_>, errors: &mut SettingsErrors) {
    let is_left = |is_empty: bool, part| !is_empty && rule.action_of(part).is_none();
    let removes = is_left(rule.denied.is_empty(), "denied")
        || is_left(rule.create_only.is_empty(), "createOnly")
        || is_left(rule.conflicting.is_empty(), "conflicting");
    if is_empty(rule) {
        entry.error(
            errors,
            "no rule: say what is `required`, `denied`, `allowed`, …",
        );
    } else if rule.from.is_some() && rule.strictest() == Action::Warn {
        entry.error(errors, NEVER_BEGINS);
    } else if rule.action == RuleAction::Remove && !removes {
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
        && rule.keep_any.is_empty()
        && rule.fields.is_empty()
        && rule.criteria.is_none()
}
