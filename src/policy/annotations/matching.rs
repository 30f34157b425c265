//! Whether a rule about annotations is about a request.

use std::borrow::Cow;

use crate::json::scan::is_same;
use crate::json::{FieldPath, Node, Scalar};
use crate::selector::{Condition, Selector, has_field};
use crate::settings;

use super::{Judge, Unjudged, unreadable};

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
    fields: Vec<(Cow<'p, str>, &'p str, bool)>,
}

impl<'p> Judge<'p, '_> {
    /// Whether a rule with this `match` is about the request.
    pub(super) fn matching(&mut self, selector: &Selector<'_>) -> Matching {
        self.places(false);
        let annotation = |key: &str| self.own_annotation(key);
        if !selector.matches_but_for_labels(self.request, self.object, &annotation) {
            Matching::No
        } else if selector.has_labels(self.object) {
            Matching::Yes
        } else if self.compares && selector.has_labels(self.old()) {
            Matching::Before
        } else {
            Matching::No
        }
    }

    /// As [`matching`](Self::matching), of a `match` that has not been read.
    pub(super) fn matching_text(
        &mut self,
        index: usize,
        text: &'p str,
    ) -> Result<Matching, Unjudged> {
        if text.is_empty() {
            return Ok(Matching::Yes);
        }
        let mut known = self.known.matching.iter();
        if let Some((_, matching)) = known.find(|(known, _)| is_same(known, text)) {
            return Ok(*matching);
        }
        let request = self.request;
        let mut has_field =
            |path: &Cow<'p, str>, condition| self.has_field(path.clone(), condition);
        let matching = match settings::glance(text, request, &mut has_field) {
            Some(true) => Matching::Yes,
            Some(false) => Matching::No,
            None => {
                let node = Node::read(text).map_err(unreadable)?;
                let selector = settings::selector(index, &node).map_err(Unjudged::Settings)?;
                self.matching(&selector)
            }
        };
        self.known.matching.push((text, matching));
        Ok(matching)
    }

    /// Whether a field of the object meets a condition, both as they were written; none where one of them
    /// is a mistake.
    fn has_field(&mut self, path: Cow<'p, str>, written: &'p str) -> Option<bool> {
        let mut known = self.known.fields.iter();
        if let Some((_, _, has)) =
            known.find(|(known, condition, _)| is_same(known, &path) && is_same(condition, written))
        {
            return Some(*has);
        }
        self.places(false);
        let text;
        let condition = match Scalar::of(written) {
            Scalar::Null => Condition::Absent,
            Scalar::Text(read) => {
                text = read;
                Condition::of(&text)
            }
            _ => return None,
        };
        let read = FieldPath::parse(&path).ok()?;
        let annotation = |key: &str| self.own_annotation(key);
        let has = has_field(&read, condition, self.object, &annotation);
        self.known.fields.push((path, written, has));
        Some(has)
    }

    /// The values of one of the object's own annotations, if they have been read and are certain.
    #[inline(never)]
    fn own_annotation(&self, key: &str) -> Option<Vec<&str>> {
        let own = self.places.first()?.as_ref()?.first()?;
        own.values_of(key)
    }
}
