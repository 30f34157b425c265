//! Items of `annotations` that are read when a request needs them.
//!
//! They may be many, with long lists, and most are about something else than one request: whether an item
//! is about it is told, where that is easy, from the text of its `match`.

use std::borrow::Cow;

use crate::annotation::AnnotationRule;
use crate::json::scan::{self, Member, balanced_end, each_element, kind_of, string};
use crate::json::{Kind, Node, Step, Trail};
use crate::kind::KindPattern;
use crate::request::Request;
use crate::selector::Selector;

use super::annotations::{member, read_rule};
use super::error::SettingsErrors;
use super::matching::{self, Purpose};
use super::reader::Entry;
use crate::json::scan::is_any_repeated;

/// The `match` of an item, as it was written; empty where there is none.
pub(crate) fn match_text<'n>(node: &'n Node<'n>) -> &'n str {
    match member(node, "match") {
        Some(Node::Raw(text)) => text,
        _ => "",
    }
}

/// Whether an item says whose annotations it is about.
pub(crate) fn has_target(node: &Node<'_>) -> bool {
    member(node, "target").is_some()
}

/// What can be told of a `match`, as it was written, without reading it whole: whether a request meets
/// it. None where it has to be read, for what it says or for a mistake in it.
///
/// `has_field` is asked whether a field meets a condition, which is as it was written.
pub(crate) fn glance<'n>(
    text: &'n str,
    request: &Request<'_>,
    has_field: &mut dyn FnMut(&Cow<'n, str>, &'n str) -> Option<bool>,
) -> Option<bool> {
    let mut members = scan::members(text)?;
    // Fields take longest, and come last.
    if let Some(fields) = members.iter().position(|(key, _)| key == "fields") {
        let last = members.len() - 1;
        members.swap(fields, last);
    }
    all_hold(
        &members,
        &mut |key, value| match (key.as_ref(), kind_of(value)) {
            ("kinds", Kind::List) => is_of_kind(value, request),
            ("fields", Kind::Map) => all_hold(&scan::members(value)?, has_field),
            ("oldFields", Kind::Map) if request.old_object.is_none() => Some(false),
            _ => None,
        },
    )
}

/// Whether all members of a map hold: false as soon as one does not, none if one cannot be told or a key
/// occurs twice, which is a mistake.
fn all_hold<'n>(
    members: &[Member<'n>],
    holds: &mut dyn FnMut(&Cow<'n, str>, &'n str) -> Option<bool>,
) -> Option<bool> {
    if is_any_repeated(members) {
        return None;
    }
    let mut told = (!members.is_empty()).then_some(true);
    for (key, value) in members {
        match holds(key, value) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => told = None,
        }
    }
    told
}

/// Whether a request is about one of the kinds in a list, as it was written; none where one of them is a
/// mistake.
fn is_of_kind(list: &str, request: &Request<'_>) -> Option<bool> {
    let mut has_kind = None;
    each_element(list, 0, &mut |start| {
        let end = balanced_end(list, start)?;
        let pattern = string(list.get(start..end)?)?;
        let matches = KindPattern::parse(&pattern).ok()?.matches(&request.kind);
        has_kind = Some(matches || has_kind == Some(true));
        Some(end)
    })?;
    has_kind
}

/// Reads a `match`.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn selector<'n>(
    index: usize,
    node: &'n Node<'n>,
) -> Result<Selector<'n>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let (list, item, key) = (
        Step::key("annotations"),
        Step::Index(index),
        Step::key("match"),
    );
    let list = Trail::root(&list);
    let item = list.then(&item);
    let selector = matching::read(
        Entry::at(node, &item.then(&key)),
        &mut errors,
        Purpose::Apply,
    );
    errors.into_result(selector)
}

/// Reads what of an item [is relevant](super::There::relevant), whose names were validated before.
///
/// # Errors
///
/// Every mistake in it.
pub(crate) fn rule<'n>(
    index: usize,
    node: &'n Node<'n>,
) -> Result<AnnotationRule<'n>, SettingsErrors> {
    let mut errors = SettingsErrors::default();
    let (list, index_step) = (Step::key("annotations"), Step::Index(index));
    let list = Trail::root(&list);
    let item = list.then(&index_step);
    let entry = Entry::at(node, &item);
    let rule = read_rule(index, entry, false, &mut errors);
    errors.into_result(rule)
}
