//! Which exemptions apply, and which of them were needed.

use crate::exemption::{Check, Exemption};
use crate::image::Reference;
use crate::request::Request;
use crate::workload::Object;

/// The exemptions that apply to an object, asked for when the first violation needs them.
pub(super) struct Exempted<'p, 's, 'r> {
    all: &'p [Exemption<'s>],
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
        all: &'p [Exemption<'s>],
        request: &'p Request<'r>,
        object: &'p Object<'r>,
        used: &'p mut [bool],
    ) -> Self {
        Self {
            all,
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
        let Self {
            all,
            request,
            object,
            old,
            is_unseen,
            ..
        } = *self;
        let applying = self.applying.get_or_insert_with(|| {
            let applies = |(_, exemption): &(usize, &Exemption<'_>)| {
                exemption.selector.certainly_matches(request, object)
                    && (!is_unseen || exemption.selector.needs_no_object())
                    && old.is_none_or(|old| exemption.selector.certainly_matches(request, old))
            };
            let applying = all.iter().enumerate().filter(applies);
            applying.map(|(index, _)| index).collect()
        });
        let covering = applying.iter().find(|index| {
            all.get(**index).is_some_and(|exemption| {
                exemption.checks.contains(&check) && exemption.covers(image)
            })
        });
        if let Some(used) = covering.and_then(|index| self.used.get_mut(*index)) {
            *used = true;
        }
        covering.is_some()
    }
}
