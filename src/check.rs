//! The checks, one rule a file.
//!
//! A rule looks at what it is given and says what is wrong, in words and with a code. Where that
//! stands, whether it is new and what becomes of it is [`policy`](crate::policy)'s business.

pub(crate) mod digests;
pub(crate) mod images;
pub(crate) mod item;
mod list;
pub(crate) mod registries;
pub(crate) mod tags;

use crate::date::{self, Clock};
use crate::glob::has_wildcard;
use crate::image::Reference;
use crate::pattern::{ImagePattern, RegistryPattern, TagPattern};
use crate::shown::{NAMED, OneLine, Shown, listed, one_of};
use crate::violation::{Action, Advice, Code, Fate, Reason};
use crate::workload::ImageField;

pub use digests::Digests;
use item::List;
pub use item::{Head, Item, Says};
pub use list::AllowReject;
pub(crate) use list::Pattern;

/// The lists that an image is held against: of each section the items that match the request.
#[derive(Default)]
pub(crate) struct Lists<'l, 'a> {
    pub(crate) registries: Vec<&'l Item<'a, AllowReject<RegistryPattern<'a>>>>,
    pub(crate) images: Vec<&'l Item<'a, AllowReject<ImagePattern<'a>>>>,
    pub(crate) tags: Vec<&'l Item<'a, AllowReject<TagPattern<'a>>>>,
    pub(crate) digests: Vec<&'l Item<'a, Digests<'a>>>,
    /// What happens to an image that breaks any of them; none where there is nothing to break.
    pub(crate) strictest: Option<Action>,
    pub(crate) clock: Clock,
}

impl<'l, 'a> Lists<'l, 'a> {
    /// Those of some items that are chosen.
    pub(crate) fn choose<L: List<'a>>(
        &mut self,
        items: &'l [Item<'a, L>],
        is_chosen: &dyn Fn(&Head<'_>) -> bool,
    ) -> Vec<&'l Item<'a, L>> {
        let mut chosen = Vec::new();
        for item in items.iter().filter(|item| is_chosen(&item.head)) {
            if let Some(action) = item.list.action() {
                let action = date::action(action, item.head.from.as_ref(), self.clock);
                self.strictest = Action::strictest(self.strictest, action);
            }
            chosen.push(item);
        }
        chosen
    }
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

impl Seen<'_, '_> {
    /// A reason with what the entry that refuses says itself. What it advises must pass, as all that is advised.
    #[cold]
    fn said(&self, reason: Reason, section: &str, says: &Says<'_>, code: Code) -> Reason {
        let instead = says.instead.and_then(|instead| {
            if instead.contains(char::is_whitespace) {
                return Some(OneLine(instead).to_string());
            }
            let image = match section {
                "registries" => registries::image_there(instead, self.written),
                "tags" => [&repository(self.written), ":", instead].concat(),
                _ => images::in_its_version(instead, self.written),
            };
            let passes = self.passes(&image, code);
            passes.then(|| format!("use `{}`", Shown(instead)))
        });
        let advice = instead.map(Advice::Instead).or(reason.advice);
        let advice = match (advice, says.message) {
            (Some(Advice::Instead(advice)), Some(message)) => {
                Some(Advice::Instead(format!("{advice}: {}", OneLine(message))))
            }
            (None, Some(message)) => Some(Advice::Message(message.to_owned())),
            (advice, _) => advice,
        };
        Reason { advice, ..reason }
    }
}

/// What a rule has against an image.
pub(crate) struct Objection<'p> {
    pub(crate) code: Code,
    pub(crate) action: Action,
    /// It is about the image's mirror.
    pub(crate) is_mirror: bool,
    /// The position of the entry that refuses it.
    pub(crate) entry: Option<usize>,
    /// What is wrong, given what becomes of the request.
    pub(crate) reason: &'p dyn Fn(Fate) -> Reason,
}

/// Where a rule puts what it objects to.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Objection<'_>);

/// Takes what an item of the settings has against an image.
pub(crate) type OfItem<'s> = &'s mut dyn FnMut(&Head<'_>, Objection<'_>);

/// Holds one image against every list that matches the request, in the order of the settings.
///
/// `images.reject` and `digests.require` see it as it was written and as it will run, everything else
/// only as it will run.
pub(crate) fn image(seen: &Seen<'_, '_>, lists: &Lists<'_, '_>, object: OfItem<'_>) {
    let mut put = |item: &Head<'_>, objection: Objection<'_>| {
        told(seen, item, lists.clock, objection, object);
    };
    for item in &lists.registries {
        registries::check(seen, &item.list, &mut |objection| {
            put(&item.head, objection);
        });
    }
    for item in &lists.images {
        images::check(seen, &item.list, &mut |objection| {
            put(&item.head, objection);
        });
    }
    for item in &lists.tags {
        tags::check(seen, &item.list, &mut |objection| {
            put(&item.head, objection);
        });
    }
    for item in &lists.digests {
        digests::check(seen, &item.list, &mut |objection| {
            put(&item.head, objection);
        });
    }
}

/// Hands over what an item has against an image, with what its entry says itself.
fn told(
    seen: &Seen<'_, '_>,
    item: &Head<'_>,
    clock: Clock,
    mut objection: Objection<'_>,
    object: OfItem<'_>,
) {
    objection.action = date::action(objection.action, item.from.as_ref(), clock);
    let says = item.says.iter().find(|says| {
        objection.entry == Some(says.index)
            && (objection.code.list()).is_some_and(|(_, list)| list == says.list)
    });
    let Some(says) = says else {
        return object(item, objection);
    };
    let (code, reason) = (objection.code, objection.reason);
    let reason: &dyn Fn(Fate) -> Reason = &|fate| seen.said(reason(fate), item.section, says, code);
    object(
        item,
        Objection {
            reason,
            ..objection
        },
    );
}
