//! `digests`: which images must be pinned, and which must not be.
//!
//! ```yaml
//! digests: { require: ["ghcr.io/*"], forbid: ["registry.cn-hangzhou.aliyuncs.com/*"] }
//! ```
//!
//! Accepted: `ghcr.io/org/app:1@sha256:…`. Rejected: `ghcr.io/org/app:1`. A mirror that copies
//! images under new digests cannot serve a pinned one, hence `forbid`.

use crate::image::Reference;
use crate::pattern::{ImagePattern, Sense};
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;
use crate::violation::{Action, Code, Fate, Reason, Verb};
use crate::workload::ImageField;

use super::{Objection, SOME_DIGEST, Seen, Sink};

/// Images that must have a digest, and images that must not.
#[derive(Clone, Debug, Default)]
pub struct Digests<'a> {
    /// These must be pinned.
    pub require: Vec<ImagePattern<'a>>,
    /// These must not be.
    pub forbid: Vec<ImagePattern<'a>>,
    /// What happens otherwise.
    pub action: Action,
}

impl Digests<'_> {
    /// What happens to an image that breaks it; none where there is nothing to break.
    pub(crate) fn action(&self) -> Option<Action> {
        (!self.require.is_empty() || !self.forbid.is_empty()).then_some(self.action)
    }
}

/// Reads `{ require, forbid, action }`.
pub(crate) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Digests<'n> {
    let mut list = Digests::default();
    let parse = |text| ImagePattern::parse(text, Sense::Reject);
    let keys = ["require", "forbid", "action"];
    entry.map(&keys, errors, &mut |key, entry, errors| match key {
        "require" => list.require = entry.texts(errors, parse),
        "forbid" => list.forbid = entry.texts(errors, parse),
        _ => list.action = entry.keyword(&Action::WORDS, errors).unwrap_or_default(),
    });
    list
}

pub(super) fn check(seen: &Seen<'_, '_>, list: &Digests<'_>, object: Sink<'_>) {
    let requiring = |image: &Reference<'_>| {
        if image.may_have_digest() {
            return None;
        }
        let mut entries = list.require.iter();
        entries.find(|entry| entry.matches(image, Sense::Reject))
    };
    if let Some((entry, is_mirror)) = seen.find_in_both(requiring) {
        object(Objection {
            code: Code::DigestRequired,
            action: list.action,
            is_mirror,
            reason: &|fate| required(seen, entry, is_mirror, fate),
        });
    }
    let image = seen.mirrored.unwrap_or(seen.written);
    if image.digest().is_none() {
        return;
    }
    let mut entries = list.forbid.iter();
    if let Some(entry) = entries.find(|entry| entry.matches(image, Sense::Reject)) {
        object(Objection {
            code: Code::DigestForbidden,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            reason: &|fate| forbidden(seen, entry, fate),
        });
    }
}

#[cold]
fn required(seen: &Seen<'_, '_>, entry: &ImagePattern<'_>, is_mirror: bool, fate: Fate) -> Reason {
    let written = seen.written.to_string();
    let pinned = [&written, "@", SOME_DIGEST].concat();
    let (verb, entry) = (Verb::REQUIRED.of(fate), Shown(entry.text()));
    let problem = format!("a digest {verb} by `{entry}`");
    if is_mirror && seen.written.digest().is_some() {
        let problem = problem + ", but its mirror is used without digests";
        Reason::new(problem, "change one of the two rules")
    } else if let Some(field) = seen.field.and_then(ImageField::digest_field) {
        Reason::new(problem, &format!("name one in `{field}`"))
    } else if seen.passes(&pinned, Code::DigestRequired) {
        let written = seen.spelling_of(&written);
        Reason::new(problem, &format!("use `{}@sha256:…`", Shown(&written)))
    } else if seen.mirrored.is_some() {
        let problem = problem + ", but its mirror or another list forbids digests";
        Reason::new(problem, "change the settings")
    } else {
        Reason::new(problem, "name a digest that the other lists allow")
    }
}

#[cold]
fn forbidden(seen: &Seen<'_, '_>, entry: &ImagePattern<'_>, fate: Fate) -> Reason {
    let unpinned = seen.written.without_digest();
    let advice = match &unpinned {
        Some(unpinned) if (seen.would_pass)(unpinned, Code::DigestForbidden) => {
            seen.advise(&unpinned.to_string())
        }
        Some(_) => seen.another("image"),
        None => "name a tag".to_owned(),
    };
    let (verb, entry) = (Verb::FORBIDDEN.of(fate), Shown(entry.text()));
    Reason::new(format!("a digest {verb} by `{entry}`"), &advice)
}
