//! Items of `annotations` that are read when a request needs them.
//!
//! They may be many, with long lists, and most are about something else than one request: whether an item
//! is about it is told, where that is easy, from the text of its `match`.

use crate::annotation::AnnotationRule;
use crate::json::{Key, Kind, Spot, Step, Value, repeats_a_key};
use crate::kind::KindPattern;
use crate::request::Request;
use crate::selector::Selector;

use super::annotations::read_rule;
use super::error::SettingsErrors;
use super::matching::{self, Purpose};
use super::reader::{Entry, member};
use super::relevant::Relevant;

/// Whether an item says whose annotations it is about.
pub(crate) fn has_target(item: Value<'_>) -> bool {
    member(item, "target").is_some()
}

/// What can be told of a `match` without reading it whole: whether a request meets it. None where it has
/// to be read, for what it says or for a mistake in it.
///
/// `has_field` is asked whether a field meets a condition.
pub(crate) fn glance<'n>(
    selector: Value<'n>,
    request: &Request<'_>,
    has_field: &mut dyn FnMut(&'n str, Value<'n>) -> Option<bool>,
) -> Option<bool> {
    // Fields take longest, and come last.
    let is_fields = |(key, _): &(Key<'n>, Value<'n>)| key.is("fields");
    let others = selector.members().filter(|member| !is_fields(member));
    let members = others.chain(selector.members().filter(is_fields));
    all_hold(selector, members, &mut |key, value| {
        if key.is("kinds") && value.kind() == Kind::List {
            is_of_kind(value, request)
        } else if key.is("fields") && value.kind() == Kind::Map {
            all_hold(value, value.members(), &mut |key, value| {
                has_field(key.text(), value)
            })
        } else if key.is("oldFields") && value.kind() == Kind::Map && request.old_object.is_none() {
            Some(false)
        } else {
            None
        }
    })
}

/// Whether all members of a map hold: false as soon as one does not, none if one cannot be told or a key
/// occurs twice, which is a mistake.
fn all_hold<'n>(
    map: Value<'n>,
    members: impl Iterator<Item = (Key<'n>, Value<'n>)>,
    holds: &mut dyn FnMut(Key<'n>, Value<'n>) -> Option<bool>,
) -> Option<bool> {
    if map.kind() != Kind::Map || map.is_empty() || repeats_a_key(map) {
        return None;
    }
    let mut told = Some(true);
    for (key, value) in members {
        match holds(key, value) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => told = None,
        }
    }
    told
}

/// Whether a request is about one of the kinds in a list; none where one of them is a mistake.
fn is_of_kind(list: Value<'_>, request: &Request<'_>) -> Option<bool> {
    let mut has_kind = None;
    for pattern in list.elements() {
        let matches = KindPattern::parse(pattern.string()?)
            .ok()?
            .matches(&request.kind);
        has_kind = Some(matches || has_kind == Some(true));
    }
    has_kind
}

/// Reads a `match`.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn selector(index: usize, selector: Value<'_>) -> Result<Selector<'_>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let list = Spot::below(None, Step::key("annotations"));
    let item = Spot::below(Some(&list), Step::Index(index));
    let spot = Spot::below(Some(&item), Step::key("match"));
    let entry = Entry::at(selector, &spot);
    let selector = matching::read(entry, &mut errors, Purpose::Apply);
    errors.into_result(selector)
}

/// Reads what of an item [is relevant](super::There::relevant), whose names were validated before.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn rule<'n>(
    index: usize,
    item: Value<'n>,
    relevant: &Relevant<'n>,
) -> Result<AnnotationRule<'n>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let list = Spot::below(None, Step::key("annotations"));
    let spot = Spot::below(Some(&list), Step::Index(index));
    let rule = read_rule(index, Entry::at(item, &spot), Some(relevant), &mut errors);
    errors.into_result(rule)
}
