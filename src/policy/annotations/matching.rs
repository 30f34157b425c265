//! Whether a rule about annotations is about a request.

use rollout_guard_json::is_same;

use crate::json::{FieldPath, Kind, Value};
use crate::selector::{Condition, Selector, has_field};
use crate::settings::{self, SettingsErrors};
use crate::workload::Object;

use super::Judge;

/// Whether a rule is about a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Matching {
    /// It is not.
    No,
    /// It would be, had the labels not been taken away: what compares with the old object applies.
    Before,
    /// It is.
    Yes,
}

/// What has been told before: rules that share a `match`, or a condition in it, ask only once.
#[derive(Default)]
pub(super) struct Known<'p> {
    /// By the text of the `match`.
    matching: Vec<(&'p str, Matching)>,
    /// By the path of a field, and the text of the condition.
    fields: Vec<(&'p str, &'p str, bool)>,
}

impl<'p> Judge<'p, '_, '_> {
    /// Whether a rule with this `match` is about the request.
    pub(super) fn matching(&mut self, selector: &Selector<'_>) -> Matching {
        self.places(false);
        let annotation = |key: &str| self.own_annotation(key);
        if !selector.matches_but_for_labels(self.request, self.object, &annotation) {
            Matching::No
        } else if selector.has_labels(self.object) {
            Matching::Yes
        } else if self.compares && selector.has_labels(self.old().unwrap_or(&Object::none())) {
            Matching::Before
        } else {
            Matching::No
        }
    }

    /// As [`matching`](Self::matching), of an item that has not been read.
    pub(super) fn matching_unread(
        &mut self,
        index: usize,
        item: Value<'p>,
    ) -> Result<Matching, SettingsErrors> {
        let Some(unread) = settings::member(item, "match") else {
            return Ok(Matching::Yes);
        };
        let text = unread.text();
        let mut known = self.known.matching.iter();
        if let Some((_, matching)) = known.find(|(known, _)| is_same(known, text)) {
            return Ok(*matching);
        }
        let request = self.request;
        let mut has_field = |path, condition| self.has_field(path, condition);
        let matching = match settings::glance(unread, request, &mut has_field) {
            Some(true) => Matching::Yes,
            Some(false) => Matching::No,
            None => {
                let selector = settings::selector(index, unread)?;
                self.matching(&selector)
            }
        };
        self.known.matching.push((text, matching));
        Ok(matching)
    }

    /// Whether a field of the object meets a condition; none where one of them is a mistake.
    fn has_field(&mut self, path: &'p str, condition: Value<'p>) -> Option<bool> {
        let written = condition.text();
        let mut known = self.known.fields.iter();
        if let Some((_, _, has)) =
            known.find(|(known, condition, _)| is_same(known, path) && is_same(condition, written))
        {
            return Some(*has);
        }
        self.places(false);
        let read = FieldPath::parse(path).ok()?;
        let condition = match condition.kind() {
            Kind::Null => Condition::Absent,
            _ => Condition::of(condition.string()?),
        };
        let annotation = |key: &str| self.own_annotation(key);
        let has = has_field(&read, condition, self.object, &annotation);
        self.known.fields.push((path, written, has));
        Some(has)
    }

    /// The values of one of the object's own annotations, if they have been read and are certain.
    #[inline(never)]
    fn own_annotation(&self, key: &str) -> Option<Vec<Value<'_>>> {
        let own = self.places.first()?.as_ref()?.first()?;
        own.values_of(key)
    }
}
