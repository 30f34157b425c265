//! What the user asked for, checked.
//!
//! [`Settings::read`] reads them into what the checks use and notes every mistake with its path.
//! [`Settings::read_for`] reads what a request needs of them, which the guest does for each request;
//! [`Settings::validate`] asks besides whether the entries contradict each other, which takes longer
//! and is for `validate_settings`.

mod contradictions;
mod lists;

use std::borrow::Cow;

use crate::annotation::{self, AnnotationItem};
use crate::change::{self, ChangeRule};
use crate::check::Lists;
use crate::check::item::{self, Wanted};
use crate::date::{self, Clock};
use crate::exemption::{self, Exemption};
use crate::json::Value;
use crate::mirror::{self, Mirror, Rewrite};
use crate::pattern::{ImagePattern, RegistryPattern, TagPattern};
use crate::request::Request;
use crate::schema::Entry;
use crate::selector::{self, Selector};
use crate::violation::Action;
use crate::workload::{ImagePlaces, Object};

pub use crate::check::{AllowReject, Digests, Head, Item};
pub use crate::schema::{SettingsError, SettingsErrorKind, SettingsErrors};

/// Settings without a mistake in them. Borrows from the [`Document`](crate::json::Document) they are in.
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Where images may come from.
    pub registries: Vec<Item<'a, AllowReject<RegistryPattern<'a>>>>,
    /// Which images may run.
    pub images: Vec<Item<'a, AllowReject<ImagePattern<'a>>>>,
    /// Which tags may be used.
    pub tags: Vec<Item<'a, AllowReject<TagPattern<'a>>>>,
    /// Which images must be pinned, and which must not be.
    pub digests: Vec<Item<'a, Digests<'a>>>,
    /// Where images are pulled from instead; the first that matches counts.
    pub mirrors: Vec<Mirror<'a>>,
    /// When images become those of their mirrors.
    pub rewrite: Rewrite,
    /// The rules about annotations.
    pub annotations: Vec<AnnotationItem<'a>>,
    /// What Git owns, and who may change it.
    pub changes: Vec<ChangeRule<'a>>,
    /// What happens to an object that is not as it was last applied; `None`: nothing.
    pub drift: Option<Action>,
    /// What is judged on UPDATE.
    pub on_update: OnUpdate,
    /// Where kinds hold images that their shape does not show.
    pub image_places: ImagePlaces<'a>,
    /// What the rules do not apply to.
    pub exemptions: Vec<Exemption<'a>>,
    /// Where the refusal is explained.
    pub docs_url: Option<Cow<'a, str>>,
    /// Who says what time it is, where the settings hold a date.
    pub clock: Clock,
}

/// How much of settings is read.
#[derive(Clone, Copy)]
enum Scope<'s, 'r> {
    /// Everything.
    All,
    /// What one request needs, of settings that were validated before.
    Request {
        /// The request and its object, if there is one.
        request: Option<(&'s Request<'r>, &'s Object<'r>)>,
        /// Whether it may have images.
        has_images: bool,
    },
}

/// What is judged on UPDATE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUpdate {
    /// What the request adds or changes.
    #[default]
    Changed,
    /// Everything.
    All,
}

impl<'a> Settings<'a> {
    /// The keys of the settings.
    pub const KEYS: [&'static str; 14] = [
        "registries",
        "images",
        "tags",
        "digests",
        "mirrors",
        "rewrite",
        "annotations",
        "changes",
        "drift",
        "onUpdate",
        "imagePaths",
        "wellKnownKinds",
        "exemptions",
        "docsUrl",
    ];

    /// Reads settings.
    ///
    /// # Errors
    ///
    /// Every entry that cannot be meant, each with its path.
    pub fn read(value: Value<'a>) -> Result<Self, SettingsErrors> {
        let mut errors = SettingsErrors::default();
        let settings = Self::read_into(value, Scope::All, &mut errors);
        errors.into_result(settings)
    }

    /// Reads what a request needs of settings that have been validated: rules about annotations may be
    /// many, and most of them are about other kinds; those about images judge nothing where there is none.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), of what is read.
    pub fn read_for(
        value: Value<'a>,
        request: Option<&Request<'_>>,
    ) -> Result<Self, SettingsErrors> {
        let mut errors = SettingsErrors::default();
        // With `imagePaths` there may be images all the same.
        let has_images = !request.is_some_and(|request| request.runs_nothing)
            || value.get("imagePaths").is_some();
        let scope = Scope::Request {
            request: request.and_then(|request| Some((request, request.object.as_ref()?))),
            has_images,
        };
        let settings = Self::read_into(value, scope, &mut errors);
        errors.into_result(settings)
    }

    /// Reads settings and holds their entries against each other.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and the entries that contradict each other.
    pub fn validate(value: Value<'a>) -> Result<Self, SettingsErrors> {
        let mut errors = SettingsErrors::default();
        let settings = Self::read_into(value, Scope::All, &mut errors);
        // Positions are those of the entries only if all could be read.
        if errors.is_empty() {
            contradictions::find(&settings, &mut errors);
            mirror::find_contradictions(&settings.mirrors, &mut errors);
            change::find_contradictions(&settings.changes, &mut errors);
            annotation::find_contradictions(&settings.annotations, &mut errors);
            settings.each_selector(&mut |list, index, selector| {
                let path = match index {
                    Some(index) => format!("{list}[{index}]"),
                    None => list.to_owned(),
                };
                selector::find_contradictions(&path, selector, &mut errors);
            });
        }
        errors.into_result(settings)
    }

    fn read_into(value: Value<'a>, scope: Scope<'_, '_>, errors: &mut SettingsErrors) -> Self {
        let mut settings = Self::default();
        let before = errors.len();
        let mut is_partial = false;
        let (request, has_images) = match scope {
            Scope::All => (None, true),
            Scope::Request {
                request,
                has_images,
            } => (request, has_images),
        };
        let mut wanted = Wanted {
            request,
            is_partial: false,
        };
        Entry::root(value).map(&Self::KEYS, errors, &mut |key, entry, errors| match key {
            "registries" | "images" | "tags" | "digests" | "mirrors" if !has_images => {
                is_partial = true;
            }
            "registries" => settings.registries = item::read((key, entry), errors, &mut wanted),
            "images" => settings.images = item::read((key, entry), errors, &mut wanted),
            "tags" => settings.tags = item::read((key, entry), errors, &mut wanted),
            "digests" => settings.digests = item::read((key, entry), errors, &mut wanted),
            "mirrors" => settings.mirrors = mirror::read(entry, errors),
            "rewrite" => {
                let values = [
                    ("pods", Rewrite::Pods),
                    ("workloads", Rewrite::Workloads),
                    ("never", Rewrite::Never),
                ];
                settings.rewrite = entry.keyword(&values, errors).unwrap_or_default();
            }
            "annotations" => {
                settings.annotations = annotation::read(entry, matches!(scope, Scope::All), errors);
            }
            "changes" => settings.changes = change::read(entry, errors),
            "drift" => settings.drift = change::read_drift(entry, errors),
            "onUpdate" => {
                let values = [("changed", OnUpdate::Changed), ("all", OnUpdate::All)];
                settings.on_update = entry.keyword(&values, errors).unwrap_or_default();
            }
            "imagePaths" => settings.image_places.paths = lists::image_paths(entry, errors),
            "wellKnownKinds" => {
                let is_on = entry.boolean(errors).unwrap_or(true);
                settings.image_places.without_known_kinds = !is_on;
            }
            "exemptions" => settings.exemptions = exemption::read(entry, errors),
            "docsUrl" => settings.docs_url = lists::docs_url(entry, errors),
            _ => {}
        });
        if errors.len() == before
            && !is_partial
            && !wanted.is_partial
            && !settings.has_rules_about_images()
            && settings.annotations.is_empty()
            && settings.changes.is_empty()
        {
            errors.push(
                "settings".to_owned(),
                SettingsErrorKind::Invalid,
                "no rule: set `registries`, `images`, `tags`, `digests`, `mirrors`, `annotations`, `changes` or `drift`, or everything would be accepted",
            );
        }
        settings
    }

    /// The same settings with a clock.
    #[must_use]
    pub const fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Whether a `match` asks for the namespace of an object.
    pub fn asks_for_namespace(&self) -> bool {
        let asks = |selector: &Selector<'_>| selector.namespaces.is_some();
        let mut found = false;
        self.each_selector(&mut |_, _, selector| {
            found |= asks(selector) || selector.except.as_deref().is_some_and(asks);
        });
        found
    }

    /// Hands every `match` that can be read to `visit`, with the section and the position of its item, which a
    /// section that is one map has none of.
    fn each_selector(&self, visit: Visit<'_, 'a>) {
        self.each_item(&mut |item| {
            if let Some(selector) = &item.selector {
                visit(item.section, item.position, selector);
            }
        });
        for (index, mirror) in self.mirrors.iter().enumerate() {
            visit("mirrors", Some(index), &mirror.selector);
        }
        for (index, item) in self.annotations.iter().enumerate() {
            if let Ok(selector) = item.selector() {
                visit("annotations", Some(index), &selector);
            }
        }
        for (index, rule) in self.changes.iter().enumerate() {
            visit("changes", Some(index), &rule.selector);
        }
        for (index, exemption) in self.exemptions.iter().enumerate() {
            visit("exemptions", Some(index), &exemption.selector);
        }
    }

    /// Hands every item of `registries`, `images`, `tags` and `digests` to `visit`.
    fn each_item(&self, visit: &mut dyn FnMut(&Head<'a>)) {
        let visit = |head: &Head<'a>| visit(head);
        self.registries
            .iter()
            .map(|item| &item.head)
            .chain(self.images.iter().map(|item| &item.head))
            .chain(self.tags.iter().map(|item| &item.head))
            .chain(self.digests.iter().map(|item| &item.head))
            .for_each(visit);
    }

    /// The lists that the images of an object are held against.
    pub(crate) fn lists(&self, request: &Request<'_>, object: &Object<'_>) -> Lists<'_, 'a> {
        self.lists_where(&|item| item.matches(request, object))
    }

    /// Whether a list that matches a request says which images may run, and refuses all others.
    pub fn says_which_images_may_run(&self, request: &Request<'_>, object: &Object<'_>) -> bool {
        fn refuses_others<T>(item: &Item<'_, AllowReject<T>>) -> bool {
            !item.list.allow.is_empty() && item.list.action == Action::Reject
        }
        let lists = self.lists(request, object);
        lists.registries.iter().any(|item| refuses_others(item))
            || lists.images.iter().any(|item| refuses_others(item))
    }

    /// The lists of some items.
    fn lists_where(&self, is_chosen: &dyn Fn(&Head<'_>) -> bool) -> Lists<'_, 'a> {
        let mut lists = Lists {
            clock: self.clock,
            ..Lists::default()
        };
        lists.registries = lists.choose(&self.registries, is_chosen);
        lists.images = lists.choose(&self.images, is_chosen);
        lists.tags = lists.choose(&self.tags, is_chosen);
        lists.digests = lists.choose(&self.digests, is_chosen);
        lists
    }

    /// What items of `registries`, `images`, `tags` and `digests` take away from each other, which is no error but
    /// probably a mistake.
    pub fn contradictions_across_items(&self) -> SettingsErrors {
        let mut found = SettingsErrors::default();
        contradictions::find_across(self, &mut found);
        found
    }

    /// Whether there is any rule about images.
    pub(crate) fn has_rules_about_images(&self) -> bool {
        !self.mirrors.is_empty()
            || self.drift.is_some()
            || self.changes.iter().any(ChangeRule::guards_images)
            || item::say_something(&self.registries)
            || item::say_something(&self.images)
            || item::say_something(&self.tags)
            || item::say_something(&self.digests)
    }

    /// What happens to an image that no list can be held against: refused if any of the lists, or what else is
    /// about images, refuses. `None` if there is no rule about images at all.
    pub(crate) fn strictest(&self, lists: &Lists<'_, '_>) -> Option<Action> {
        let mut strictest = lists.strictest;
        if !self.mirrors.is_empty() {
            strictest = Some(Action::Reject);
        }
        if let Some(action) = self.drift {
            strictest = Action::strictest(strictest, action);
        }
        for rule in self.changes.iter().filter(|rule| rule.guards_images()) {
            let action = date::action(rule.action, rule.from.as_ref(), self.clock);
            strictest = Action::strictest(strictest, action);
        }
        strictest
    }
}

/// Takes the `match` of an item: its section, its position there, the `match`.
type Visit<'v, 'a> = &'v mut dyn FnMut(&'static str, Option<usize>, &Selector<'a>);
