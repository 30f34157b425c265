//! One thing wrong, where, and what to write instead.

use std::fmt;

use crate::json::Location;

/// What is wrong, as a word that never changes. Each has a section in `docs/messages.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// No entry of `registries.allow` matches the image's registry.
    RegistryNotAllowed,
    /// An entry of `registries.reject` matches the image's registry.
    RegistryRejected,
    /// No entry of `images.allow` matches the image.
    ImageNotAllowed,
    /// An entry of `images.reject` matches the image.
    ImageRejected,
    /// No entry of `tags.allow` matches the image's tag.
    TagNotAllowed,
    /// An entry of `tags.reject` matches the image's tag.
    TagRejected,
    /// An entry of `digests.require` matches the image, and it has no digest.
    DigestRequired,
    /// An entry of `digests.forbid` matches the image, and it has a digest.
    DigestForbidden,
    /// The image is no image reference.
    ImageUnparsable,
    /// An image is pulled from its mirror.
    MirrorUsed,
    /// An image has a mirror, from which nothing makes it be pulled.
    MirrorAvailable,
    /// What a rule makes of an image is no image reference.
    MirrorInvalid,
    /// An image keeps its registry: without its digest it would become `latest`.
    MirrorNeedsTag,
    /// An image keeps its registry: its mirror does not have it.
    MirrorMissing,
    /// Nobody can say whether a mirror has an image.
    MirrorUnchecked,
    /// An annotation that a rule requires is missing or empty.
    AnnotationRequired,
    /// A rule denies the annotation.
    AnnotationDenied,
    /// No entry of a rule that lists what is allowed matches the annotation.
    AnnotationNotAllowed,
    /// A rule does not admit the value of the annotation.
    AnnotationValueNotAllowed,
    /// Annotations are there together that a rule lets stand only alone.
    AnnotationConflicting,
    /// What a rule requires where another annotation is so does not hold.
    AnnotationRequirement,
    /// An annotation is added, changed or removed that may never change.
    AnnotationImmutable,
    /// An annotation is added or changed that may be set only when the object is created.
    AnnotationCreateOnly,
    /// An annotation is removed that may not be.
    AnnotationKeep,
    /// A rule of `changes` does not let this user change what it guards.
    ChangeNotAllowed,
    /// A rule of `changes` denies the field manager of a change.
    FieldManagerDenied,
    /// A rule of `changes` wants an annotation with a change, and it is not set anew.
    ChangeAnnotationMissing,
    /// A rule of `changes` does not let this user delete the object.
    DeleteNotAllowed,
    /// The request does not say what the object was, and a rule of `changes` guards it.
    OldObjectMissing,
    /// An image is not the one of the last applied configuration.
    ImageDrifted,
    /// An annotation is not as in the last applied configuration.
    AnnotationDrifted,
    /// The last applied configuration says nothing about this object.
    LastAppliedUnreadable,
    /// A member of the object has the wrong JSON type.
    ObjectMalformed,
    /// The request cannot be read.
    RequestMalformed,
    /// The settings cannot be read.
    SettingsInvalid,
}

impl Code {
    /// Every code, in the order of `docs/messages.md`.
    pub const ALL: [Self; 35] = [
        Self::RegistryNotAllowed,
        Self::RegistryRejected,
        Self::ImageNotAllowed,
        Self::ImageRejected,
        Self::TagNotAllowed,
        Self::TagRejected,
        Self::DigestRequired,
        Self::DigestForbidden,
        Self::ImageUnparsable,
        Self::MirrorUsed,
        Self::MirrorAvailable,
        Self::MirrorInvalid,
        Self::MirrorNeedsTag,
        Self::MirrorMissing,
        Self::MirrorUnchecked,
        Self::AnnotationRequired,
        Self::AnnotationDenied,
        Self::AnnotationNotAllowed,
        Self::AnnotationValueNotAllowed,
        Self::AnnotationConflicting,
        Self::AnnotationRequirement,
        Self::AnnotationImmutable,
        Self::AnnotationCreateOnly,
        Self::AnnotationKeep,
        Self::ChangeNotAllowed,
        Self::FieldManagerDenied,
        Self::ChangeAnnotationMissing,
        Self::DeleteNotAllowed,
        Self::OldObjectMissing,
        Self::ImageDrifted,
        Self::AnnotationDrifted,
        Self::LastAppliedUnreadable,
        Self::ObjectMalformed,
        Self::RequestMalformed,
        Self::SettingsInvalid,
    ];

    /// Whether it says what happens, and nothing is wrong.
    pub const fn is_note(self) -> bool {
        matches!(
            self,
            Self::MirrorUsed | Self::MirrorAvailable | Self::MirrorNeedsTag | Self::MirrorMissing
        )
    }

    /// Whether two codes about images come from one list of the settings.
    pub(crate) const fn is_of_the_list_of(self, other: Self) -> bool {
        const fn list(code: Code) -> u8 {
            match code {
                Code::RegistryNotAllowed | Code::RegistryRejected => 1,
                Code::ImageNotAllowed | Code::ImageRejected => 2,
                Code::TagNotAllowed | Code::TagRejected => 3,
                Code::DigestRequired | Code::DigestForbidden => 4,
                _ => 0,
            }
        }
        list(self) == list(other)
    }

    /// The code as messages and audit annotations spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RegistryNotAllowed => "registry-not-allowed",
            Self::RegistryRejected => "registry-rejected",
            Self::ImageNotAllowed => "image-not-allowed",
            Self::ImageRejected => "image-rejected",
            Self::TagNotAllowed => "tag-not-allowed",
            Self::TagRejected => "tag-rejected",
            Self::DigestRequired => "digest-required",
            Self::DigestForbidden => "digest-forbidden",
            Self::ImageUnparsable => "image-unparsable",
            Self::MirrorUsed => "mirror-used",
            Self::MirrorAvailable => "mirror-available",
            Self::MirrorInvalid => "mirror-invalid",
            Self::MirrorNeedsTag => "mirror-needs-tag",
            Self::MirrorMissing => "mirror-missing",
            Self::MirrorUnchecked => "mirror-unchecked",
            Self::AnnotationRequired => "annotation-required",
            Self::AnnotationDenied => "annotation-denied",
            Self::AnnotationNotAllowed => "annotation-not-allowed",
            Self::AnnotationValueNotAllowed => "annotation-value-not-allowed",
            Self::AnnotationConflicting => "annotation-conflicting",
            Self::AnnotationRequirement => "annotation-requirement",
            Self::AnnotationImmutable => "annotation-immutable",
            Self::AnnotationCreateOnly => "annotation-create-only",
            Self::AnnotationKeep => "annotation-keep",
            Self::ChangeNotAllowed => "change-not-allowed",
            Self::FieldManagerDenied => "field-manager-denied",
            Self::ChangeAnnotationMissing => "change-annotation-missing",
            Self::DeleteNotAllowed => "delete-not-allowed",
            Self::OldObjectMissing => "old-object-missing",
            Self::ImageDrifted => "image-drifted",
            Self::AnnotationDrifted => "annotation-drifted",
            Self::LastAppliedUnreadable => "last-applied-unreadable",
            Self::ObjectMalformed => "object-malformed",
            Self::RequestMalformed => "request-malformed",
            Self::SettingsInvalid => "settings-invalid",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to a request that breaks a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is refused.
    #[default]
    Reject,
    /// It passes with a warning.
    Warn,
}

impl Action {
    /// The words of the settings for them.
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("reject", Self::Reject), ("warn", Self::Warn)];
}

/// Words of a problem that say what becomes of the request: others are due where it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Where it is refused.
    refused: &'static str,
    /// Where the rule only warns.
    warned: &'static str,
    /// Where it passes since it was so before.
    kept: &'static str,
}

impl Outcome {
    pub(crate) const NOT_ALLOWED: Self = Self::new(
        "is not allowed",
        "is not recommended",
        "would not be allowed",
    );
    pub(crate) const REJECTED: Self =
        Self::new("is rejected", "is advised against", "would be rejected");
    pub(crate) const DENIED: Self = Self::new("is denied", "is advised against", "would be denied");
    pub(crate) const FORBIDDEN: Self =
        Self::new("is forbidden", "is advised against", "is forbidden");
    pub(crate) const REQUIRED: Self = Self::new("is required", "is recommended", "is required");

    const fn new(refused: &'static str, warned: &'static str, kept: &'static str) -> Self {
        Self {
            refused,
            warned,
            kept,
        }
    }

    /// The words for what becomes of the request.
    pub(crate) const fn words(self, fate: Fate) -> &'static str {
        match fate {
            Fate::Refused => self.refused,
            Fate::Warned => self.warned,
            Fate::Kept => self.kept,
        }
    }
}

/// What becomes of a request, as far as one problem decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is refused.
    Refused,
    /// The rule only warns.
    Warned,
    /// It passes since it was so before.
    Kept,
}

/// One thing wrong with a request.
///
/// Shown as one line: place, value, what is wrong and what to write instead, code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What kind of thing.
    pub code: Code,
    /// Where: `spec.containers[0] "redis"`.
    pub place: String,
    /// The value in the object that it is about; empty where it is about the object, the request or
    /// the settings as a whole.
    pub path: Location<'static>,
    /// The value it is about, as a phrase: ``image `redis:7` ``.
    pub value: Option<String>,
    /// Whether it passes because the object has it already, and with what consequence.
    pub kept: Option<Kept>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// Why a violation that the old object has as well only warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing around it changes.
    Unchanged,
    /// The pod template around it changes, so there will be new Pods with it.
    TemplateChanges,
}

/// A place as it is told: of one with endless keys the beginning and the end.
struct Abridged<'a>(&'a str);

impl fmt::Display for Abridged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 512;
        let place = self.0;
        if place.len() <= LONGEST {
            return f.write_str(place);
        }
        let (mut first, mut last) = (LONGEST / 2, place.len() - LONGEST / 2);
        while !place.is_char_boundary(first) {
            first -= 1;
        }
        while !place.is_char_boundary(last) {
            last += 1;
        }
        f.write_str(place.get(..first).unwrap_or_default())?;
        f.write_str("…")?;
        f.write_str(place.get(last..).unwrap_or_default())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", Abridged(&self.place))?;
        if let Some(value) = &self.value {
            write!(f, "{value}: ")?;
        }
        match self.kept {
            None => {}
            Some(Kept::Unchanged) => f.write_str("passes unchanged: ")?,
            Some(Kept::TemplateChanges) => {
                f.write_str("passes unchanged, but new Pods will be refused: ")?;
            }
        }
        write!(f, "{} [{}]", self.problem, self.code)
    }
}
