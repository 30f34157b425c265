//! Which exemptions apply, and which of them were needed.

use crate::date::Date;
use crate::exemption::{Check, Exemption};
use crate::image::Reference;
use crate::request::Request;
use crate::settings::Settings;
use crate::workload::Object;

use super::dated::Dated;
use super::finding::Findings;

/// The exemptions that apply to an object, asked for when the first violation needs them.
pub(super) struct Exempted<'p, 's, 'r> {
    settings: &'p Settings<'s>,
    request: &'p Request<'r>,
    object: &'p Object<'r>,
    /// What the object was, where an exemption must be about that as well.
    old: Option<&'p Object<'r>>,
    /// Whether the request does not show the object, so that nothing can be said of what is in it.
    is_unseen: bool,
    /// The exemptions whose `match` holds, by their position.
    applying: Option<Vec<usize>>,
    used: &'p mut [bool],
}

impl<'p, 's, 'r> Exempted<'p, 's, 'r> {
    /// `used` has one place for each exemption, which is set when the exemption lifts something.
    pub(super) const fn new(
        settings: &'p Settings<'s>,
        request: &'p Request<'r>,
        object: &'p Object<'r>,
        used: &'p mut [bool],
    ) -> Self {
        Self {
            settings,
            request,
            object,
            old: None,
            is_unseen: false,
            applying: None,
            used,
        }
    }

    /// Lets only those apply that are about the old object as well: a label that comes with the
    /// request must not exempt it.
    pub(super) const fn and(mut self, old: &'p Object<'r>) -> Self {
        self.old = Some(old);
        self
    }

    /// Lets only those apply that need not see the object.
    pub(super) const fn unseen(mut self) -> Self {
        self.is_unseen = true;
        self
    }

    /// Whether one of them lifts a check for an image (`None`: what is no image); the first that
    /// does is noted.
    pub(super) fn cover(&mut self, check: Check, image: Option<&Reference<'_>>) -> bool {
        let covering = self.first(check, image, false);
        if let Some(used) = covering.and_then(|index| self.used.get_mut(index)) {
            *used = true;
        }
        covering.is_some()
    }

    /// As [`cover`](Self::cover), for what is added to the findings else: these are told what dates say of it,
    /// that of the rule and that of an exemption that has ended.
    pub(super) fn lifts(
        &mut self,
        check: Check,
        image: Option<&Reference<'_>>,
        from: Option<&Date<'_>>,
        findings: &mut Findings<'_>,
    ) -> bool {
        if self.cover(check, image) {
            return true;
        }
        findings.dated = Dated::of_rule(from, self.settings.clock);
        if !findings.dated.warns
            && let Some(index) = self.first(check, image, true)
            && let Some(ended) = self.settings.exemptions.get(index)
        {
            findings.dated = Dated::of_ended(ended, self.settings.clock);
        }
        false
    }

    /// The position of the first that is about a check and an image, of those that have ended or those that
    /// have not.
    fn first(
        &mut self,
        check: Check,
        image: Option<&Reference<'_>>,
        has_ended: bool,
    ) -> Option<usize> {
        let Self {
            settings,
            request,
            object,
            old,
            is_unseen,
            ..
        } = *self;
        let all = &settings.exemptions;
        let applying = self.applying.get_or_insert_with(|| {
            let applies = |(_, exemption): &(usize, &Exemption<'_>)| {
                exemption.selector.certainly_matches(request, object)
                    && (!is_unseen || exemption.selector.needs_no_object())
                    && old.is_none_or(|old| exemption.selector.certainly_matches(request, old))
            };
            let applying = all.iter().enumerate().filter(applies);
            applying.map(|(index, _)| index).collect()
        });
        let mut applying = applying.iter().copied();
        applying.find(|index| {
            all.get(*index).is_some_and(|exemption| {
                exemption.has_ended(settings.clock) == has_ended
                    && exemption.checks.contains(&check)
                    && exemption.covers(image)
            })
        })
    }
}
