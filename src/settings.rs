//! What the user asked for, checked.
//!
//! [`Settings::read`] reads them into what the checks use and notes every mistake with its path.
//! [`Settings::read_for`] reads what a request needs of them, which the guest does for each request;
//! [`Settings::validate`] asks besides whether the entries contradict each other, which takes longer
//! and is for `validate_settings`.

mod annotation_contradictions;
mod annotations;
mod changes;
mod contradictions;
mod error;
mod exemptions;
mod guarded_lists;
mod lists;
mod matching;
mod mirrors;
mod reader;
mod relevant;
mod service_accounts;
mod unread;

use std::borrow::Cow;

use crate::annotation::AnnotationRule;
use crate::change::ChangeRule;
use crate::exemption::Exemption;
use crate::json::Value;
use crate::mirror::{Mirror, Rewrite};
use crate::pattern::{ImagePattern, RegistryPattern, TagPattern};
use crate::request::Request;
use crate::violation::Action;
use crate::workload::ImagePath;

pub use error::{SettingsError, SettingsErrors};
use reader::Entry;
pub(crate) use reader::member;
pub(crate) use relevant::There;
pub(crate) use unread::{glance, has_target, rule, selector};

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
    /// Where custom kinds hold images that their shape does not show.
    pub image_paths: Vec<ImagePath<'a>>,
    /// What the rules do not apply to.
    pub exemptions: Vec<Exemption<'a>>,
    /// Where the refusal is explained.
    pub docs_url: Option<Cow<'a, str>>,
}

/// A list that admits and a list that restricts.
#[derive(Clone, Debug)]
pub struct AllowReject<T> {
    /// If there are any, one must match.
    pub allow: Vec<T>,
    /// None may match.
    pub reject: Vec<T>,
    /// What happens otherwise.
    pub action: Action,
}

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

/// An item of `annotations`.
#[derive(Clone, Debug)]
pub enum AnnotationItem<'a> {
    /// A rule.
    Read(Box<AnnotationRule<'a>>),
    /// A rule that is read when a request that it applies to needs it.
    Unread(Value<'a>),
}

/// What of settings is read.
#[derive(Clone, Copy)]
struct Needed {
    /// What is about images alone.
    images: bool,
    /// The rules about annotations, or else where they are.
    annotations: bool,
}

impl Needed {
    const ALL: Self = Self {
        images: true,
        annotations: true,
    };
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

impl<T> Default for AllowReject<T> {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            reject: Vec::new(),
            action: Action::default(),
        }
    }
}

impl<T> AllowReject<T> {
    const fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.reject.is_empty()
    }

    fn action(&self) -> Option<Action> {
        (!self.is_empty()).then_some(self.action)
    }
}

impl<'a> Settings<'a> {
    /// The keys of the settings.
    pub const KEYS: [&'static str; 13] = [
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
        let settings = Self::read_into(value, Needed::ALL, &mut errors);
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
        let needed = Needed {
            // With these there may be images all the same.
            images: !request.is_some_and(|request| request.runs_nothing)
                || value.get("imagePaths").is_some(),
            annotations: false,
        };
        let settings = Self::read_into(value, needed, &mut errors);
        errors.into_result(settings)
    }

    /// Reads settings and holds their entries against each other.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and the entries that contradict each other.
    pub fn validate(value: Value<'a>) -> Result<Self, SettingsErrors> {
        let mut errors = SettingsErrors::default();
        let settings = Self::read_into(value, Needed::ALL, &mut errors);
        // Positions are those of the entries only if all could be read.
        if errors.is_empty() {
            contradictions::find(&settings, &mut errors);
            mirrors::find_contradictions(&settings.mirrors, &mut errors);
            guarded_lists::find(&settings, &mut errors);
            let rules = settings.annotations.iter().filter_map(|item| match item {
                AnnotationItem::Read(rule) => Some(rule.as_ref()),
                AnnotationItem::Unread(_) => None,
            });
            annotation_contradictions::find(&rules.collect::<Vec<_>>(), &mut errors);
        }
        errors.into_result(settings)
    }

    fn read_into(value: Value<'a>, needed: Needed, errors: &mut SettingsErrors) -> Self {
        let mut settings = Self::default();
        let before = errors.len();
        let mut is_partial = false;
        Entry::root(value).map(&Self::KEYS, errors, &mut |key, entry, errors| match key {
            "registries" | "images" | "tags" | "digests" | "mirrors" if !needed.images => {
                is_partial = true;
            }
            "registries" => {
                settings.registries = lists::allow_reject(entry, errors, RegistryPattern::parse);
            }
            "images" => settings.images = lists::allow_reject(entry, errors, ImagePattern::parse),
            "tags" => {
                settings.tags =
                    lists::allow_reject(entry, errors, |text, _| TagPattern::parse(text));
            }
            "digests" => settings.digests = lists::digests(entry, errors),
            "mirrors" => settings.mirrors = mirrors::read(entry, errors),
            "rewrite" => {
                let values = [
                    ("pods", Rewrite::Pods),
                    ("workloads", Rewrite::Workloads),
                    ("never", Rewrite::Never),
                ];
                settings.rewrite = entry.keyword(&values, errors).unwrap_or_default();
            }
            "annotations" => {
                settings.annotations = annotations::read(entry, needed.annotations, errors);
            }
            "changes" => settings.changes = changes::read(entry, errors),
            "drift" => settings.drift = changes::drift(entry, errors),
            "onUpdate" => {
                let values = [("changed", OnUpdate::Changed), ("all", OnUpdate::All)];
                settings.on_update = entry.keyword(&values, errors).unwrap_or_default();
            }
            "imagePaths" => settings.image_paths = lists::image_paths(entry, errors),
            "exemptions" => settings.exemptions = exemptions::read(entry, errors),
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
                "no rule: set `registries`, `images`, `tags`, `digests`, `mirrors`, `annotations`, `changes` or `drift`, else everything is accepted",
            );
        }
        settings
    }

    /// What happens to an image that no list can be held against: refused if any list refuses.
    /// `None` if there is no rule about images at all.
    pub(crate) fn strictest(&self) -> Option<Action> {
        let digests = (!self.digests.require.is_empty() || !self.digests.forbid.is_empty())
            .then_some(self.digests.action);
        let actions = [
            self.registries.action(),
            self.images.action(),
            self.tags.action(),
            digests,
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
