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
use crate::check::{self, Lists};
use crate::exemption::{self, Exemption};
use crate::json::Value;
use crate::mirror::{self, Mirror, Rewrite};
use crate::pattern::{ImagePattern, RegistryPattern, TagPattern};
use crate::request::Request;
use crate::schema::Entry;
use crate::violation::Action;
use crate::workload::ImagePlaces;

pub use crate::check::{AllowReject, Digests};
pub use crate::schema::{SettingsError, SettingsErrorKind, SettingsErrors};

/// Settings without a mistake in them. Borrows from the [`Document`](crate::json::Document) they are in.
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Where images may come from.
    pub registries: AllowReject<RegistryPattern<'a>>,
    /// Which images may run.
    pub images: AllowReject<ImagePattern<'a>>,
    /// Which tags may be used.
    pub tags: AllowReject<TagPattern<'a>>,
    /// Which images must be pinned, and which must not be.
    pub digests: Digests<'a>,
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
}

/// How much of settings is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Everything.
    All,
    /// What one request needs, of settings that were validated before.
    Request {
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
        let scope = Scope::Request { has_images };
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
        }
        errors.into_result(settings)
    }

    fn read_into(value: Value<'a>, scope: Scope, errors: &mut SettingsErrors) -> Self {
        let mut settings = Self::default();
        let before = errors.len();
        let mut is_partial = false;
        Entry::root(value).map(&Self::KEYS, errors, &mut |key, entry, errors| match key {
            "registries" | "images" | "tags" | "digests" | "mirrors"
                if scope == (Scope::Request { has_images: false }) =>
            {
                is_partial = true;
            }
            "registries" => settings.registries = check::registries::read(entry, errors),
            "images" => settings.images = check::images::read(entry, errors),
            "tags" => settings.tags = check::tags::read(entry, errors),
            "digests" => settings.digests = check::digests::read(entry, errors),
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
                settings.annotations = annotation::read(entry, scope == Scope::All, errors);
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
            && settings.strictest().is_none()
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

    /// Whether a `match` asks for the namespace of an object.
    pub fn asks_for_namespace(&self) -> bool {
        let of_annotations = self
            .annotations
            .iter()
            .filter_map(|item| item.selector().ok());
        let others = (self.mirrors.iter().map(|mirror| &mirror.selector))
            .chain(self.changes.iter().map(|rule| &rule.selector))
            .chain(self.exemptions.iter().map(|exemption| &exemption.selector));
        let mut all = others.map(Cow::Borrowed).chain(of_annotations);
        all.any(|selector| selector.namespaces.is_some())
    }

    /// The lists that an image is held against.
    pub(crate) const fn lists(&self) -> Lists<'_, 'a> {
        Lists {
            registries: &self.registries,
            images: &self.images,
            tags: &self.tags,
            digests: &self.digests,
        }
    }

    /// What happens to an image that no list can be held against: refused if any list refuses.
    /// `None` if there is no rule about images at all.
    pub(crate) fn strictest(&self) -> Option<Action> {
        let actions = [
            self.registries.action(),
            self.images.action(),
            self.tags.action(),
            self.digests.action(),
            (!self.mirrors.is_empty()).then_some(Action::Reject),
            self.drift,
        ];
        let guarding = self.changes.iter().filter(|rule| rule.guards_images());
        actions
            .into_iter()
            .flatten()
            .chain(guarding.map(|rule| rule.action))
            .reduce(|one, other| if one == Action::Reject { one } else { other })
    }
}
