//! The checks, one rule a file.
//!
//! A rule looks at what it is given and says what is wrong, in words and with a code. Where that
//! stands, whether it is new and what becomes of it is [`policy`](crate::policy)'s business.

pub(crate) mod digests;
pub(crate) mod images;
mod list;
pub(crate) mod registries;
pub(crate) mod tags;

use crate::glob::has_wildcard;
use crate::image::Reference;
use crate::pattern::{ImagePattern, RegistryPattern, TagPattern};
use crate::shown::{NAMED, Shown, listed, one_of};
use crate::violation::{Action, Code, Fate, Reason};
use crate::workload::ImageField;

pub use digests::Digests;
pub use list::AllowReject;

/// The lists that an image is held against.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'l, 'a> {
    pub(crate) registries: &'l AllowReject<RegistryPattern<'a>>,
    pub(crate) images: &'l AllowReject<ImagePattern<'a>>,
    pub(crate) tags: &'l AllowReject<TagPattern<'a>>,
    pub(crate) digests: &'l Digests<'a>,
}

/// An image as the rules see it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'i, 't> {
    /// As it was written.
    pub(crate) written: &'i Reference<'t>,
    /// As it will run, where it is pulled from a mirror.
    pub(crate) mirrored: Option<&'i Reference<'i>>,
    /// Its mirror, where it is not pulled from there: what may be written instead.
    pub(crate) instead: Option<&'i Reference<'i>>,
    /// Where it is written; none where nobody reads what to write instead.
    pub(crate) field: Option<&'i ImageField<'t>>,
    /// Whether an image would pass all lists if it were written here, and the list of this code
    /// without a word: only such an image is suggested.
    pub(crate) would_pass: &'i dyn Fn(&Reference<'_>, Code) -> bool,
}

/// What pins an image, where it matters that something does and not what.
const SOME_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What to do where a list is against the mirror that an image is pulled from.
const MIRROR: &str = "allow its mirror or remove it from `mirrors`";

impl Seen<'_, '_> {
    /// What is held against both: a mirror must not launder an image that must not run.
    fn find_in_both<T>(
        &self,
        mut find: impl FnMut(&Reference<'_>) -> Option<T>,
    ) -> Option<(T, bool)> {
        find(self.written)
            .map(|found| (found, false))
            .or_else(|| self.mirrored.and_then(find).map(|found| (found, true)))
    }

    /// Whether an image, as a text, would pass.
    fn passes(&self, image: &str, code: Code) -> bool {
        Reference::parse(image).is_ok_and(|image| (self.would_pass)(&image, code))
    }

    /// To write this image instead, as it is written here.
    fn advise(&self, image: &str) -> String {
        format!("use `{}`", Shown(&self.spelling_of(image)))
    }

    /// An image as it is written here.
    fn spelling_of(&self, image: &str) -> String {
        let spelling = self.field.map(|field| field.spelling_of(image));
        spelling.unwrap_or_else(|| image.to_owned())
    }

    /// What to do where nothing better is known.
    fn another(&self, what: &str) -> String {
        if self.mirrored.is_some() {
            return format!("use another {what}, or remove its mirror from `mirrors`");
        }
        format!("use another {what}")
    }

    /// A problem with what else to write: the mirror, or an entry of the allow list; else with all that is
    /// allowed. `image_of` makes of an entry the image that it suggests.
    fn allowed(
        &self,
        problem: String,
        entries: &[&str],
        code: Code,
        image_of: &dyn Fn(&str) -> String,
    ) -> Reason {
        if let Some(mirror) = self.instead {
            return Reason::new(problem, &self.advise(&mirror.to_string()));
        }
        let with_list = || format!("{problem} (allowed: {})", listed(entries));
        if self.mirrored.is_some() {
            return Reason::new(with_list(), MIRROR);
        }
        let is_good = |entry: &&str| {
            !has_wildcard(entry)
                && self.passes(&image_of(entry), code)
                && (code != Code::ImageNotAllowed || self.spelling_of(entry) == **entry)
        };
        if entries.iter().take(NAMED).all(is_good) {
            return Reason::new(problem, &format!("use {}", one_of(entries)));
        }
        Reason::alone(with_list())
    }
}

/// An image without its tag and digest.
fn repository(image: &Reference<'_>) -> String {
    [image.host(), "/", image.path()].concat()
}

/// The tag and digest of an image, as they stand behind its path.
fn version(image: &Reference<'_>) -> String {
    let tag = image.written_tag().map(|tag| [":", tag].concat());
    let digest = image.digest().map(|digest| ["@", digest].concat());
    [tag, digest].into_iter().flatten().collect()
}

/// What a rule has against an image.
pub(crate) struct Objection<'p> {
    pub(crate) code: Code,
    pub(crate) action: Action,
    /// It is about the image's mirror.
    pub(crate) is_mirror: bool,
    /// What is wrong, given what becomes of the request.
    pub(crate) reason: &'p dyn Fn(Fate) -> Reason,
}

/// Where a rule puts what it objects to.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Objection<'_>);

/// Holds one image against every list of the settings, in their order.
///
/// `images.reject` and `digests.require` see it as it was written and as it will run, everything else
/// only as it will run.
pub(crate) fn image(seen: &Seen<'_, '_>, lists: Lists<'_, '_>, object: Sink<'_>) {
    registries::check(seen, lists.registries, object);
    images::check(seen, lists.images, object);
    tags::check(seen, lists.tags, object);
    digests::check(seen, lists.digests, object);
}
