//! Which mirrors and exemptions are about an object: each `match` is asked once, and not for every image.

use std::cell::OnceCell;

use crate::request::Request;
use crate::selector::Selector;
use crate::settings::Settings;
use crate::workload::Object;

/// What has been asked about one object.
pub(super) struct Applies {
    mirrors: Vec<OnceCell<bool>>,
    exemptions: Vec<OnceCell<bool>>,
}

impl Applies {
    pub(super) fn new(settings: &Settings<'_>) -> Self {
        Self {
            mirrors: vec![OnceCell::new(); settings.mirrors.len()],
            exemptions: vec![OnceCell::new(); settings.exemptions.len()],
        }
    }

    /// Whether the mirror at this position of the settings is about the object.
    pub(super) fn mirror(
        &self,
        index: usize,
        selector: &Selector<'_>,
        request: &Request<'_>,
        object: &Object<'_>,
    ) -> bool {
        asked(&self.mirrors, index, || selector.matches(request, object))
    }

    /// Whether the exemption at this position of the settings is about the object.
    pub(super) fn exemption(
        &self,
        index: usize,
        selector: &Selector<'_>,
        request: &Request<'_>,
        object: &Object<'_>,
    ) -> bool {
        asked(&self.exemptions, index, || {
            selector.certainly_matches(request, object)
        })
    }
}

fn asked(known: &[OnceCell<bool>], index: usize, matches: impl FnOnce() -> bool) -> bool {
    match known.get(index) {
        Some(known) => *known.get_or_init(matches),
        None => matches(),
    }
}
