//! What can be wrong, as words that never change.

use std::fmt;

/// Declares the codes: each stands here once, with what it means.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What is wrong, as a word that never changes. Each has a section in `docs/messages.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in the order of `docs/messages.md`.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// The code as messages and audit annotations spell it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// No entry of `registries.allow` matches the image's registry.
    RegistryNotAllowed = "registry-not-allowed",
    /// An entry of `registries.reject` matches the image's registry.
    RegistryRejected = "registry-rejected",
    /// No entry of `images.allow` matches the image.
    ImageNotAllowed = "image-not-allowed",
    /// An entry of `images.reject` matches the image.
    ImageRejected = "image-rejected",
    /// No entry of `tags.allow` matches the image's tag.
    TagNotAllowed = "tag-not-allowed",
    /// An entry of `tags.reject` matches the image's tag.
    TagRejected = "tag-rejected",
    /// An entry of `digests.require` matches the image, and it has no digest.
    DigestRequired = "digest-required",
    /// An entry of `digests.forbid` matches the image, and it has a digest.
    DigestForbidden = "digest-forbidden",
    /// The image is no image reference.
    ImageUnparsable = "image-unparsable",
    /// Placeholders of the image are filled in later, and until then no list refuses it.
    ImagePlaceholder = "image-placeholder",
    /// An image is pulled from its mirror.
    MirrorUsed = "mirror-used",
    /// An image has a mirror, from which nothing makes it be pulled.
    MirrorAvailable = "mirror-available",
    /// What a rule makes of an image is no image reference.
    MirrorInvalid = "mirror-invalid",
    /// An image keeps its registry: without its digest it would become `latest`.
    MirrorNeedsTag = "mirror-needs-tag",
    /// An image keeps its registry: its mirror does not have it.
    MirrorMissing = "mirror-missing",
    /// Nobody can say whether a mirror has an image.
    MirrorUnchecked = "mirror-unchecked",
    /// An annotation that a rule requires is missing or empty.
    AnnotationRequired = "annotation-required",
    /// A rule denies the annotation.
    AnnotationDenied = "annotation-denied",
    /// No entry of a rule that lists what is allowed matches the annotation.
    AnnotationNotAllowed = "annotation-not-allowed",
    /// A rule does not admit the value of the annotation.
    AnnotationValueNotAllowed = "annotation-value-not-allowed",
    /// A rule denies the value of the annotation.
    AnnotationValueDenied = "annotation-value-denied",
    /// The value of the annotation is no number within the bounds of a rule.
    AnnotationValueOutOfRange = "annotation-value-out-of-range",
    /// A rule does not admit an element of the list that the value of the annotation is.
    AnnotationValueElement = "annotation-value-element",
    /// The list that the value of the annotation is has too few elements or too many.
    AnnotationValueCount = "annotation-value-count",
    /// The value of the annotation is not the JSON that a rule wants.
    AnnotationValueNotJson = "annotation-value-not-json",
    /// The value of the annotation is no network.
    AnnotationValueNotCidr = "annotation-value-not-cidr",
    /// The object does not have the value of the annotation where a rule wants it.
    AnnotationValueNotInObject = "annotation-value-not-in-object",
    /// The value of the annotation does not begin with the value of a field.
    AnnotationValuePrefix = "annotation-value-prefix",
    /// Annotations are there together that a rule lets stand only alone.
    AnnotationConflicting = "annotation-conflicting",
    /// What a rule requires where another annotation is so does not hold.
    AnnotationRequirement = "annotation-requirement",
    /// An annotation is added, changed or removed that may never change.
    AnnotationImmutable = "annotation-immutable",
    /// An annotation is added or changed that may be set only when the object is created.
    AnnotationCreateOnly = "annotation-create-only",
    /// An annotation is removed that may not be.
    AnnotationKeep = "annotation-keep",
    /// A rule does not admit the value of a field.
    FieldValueNotAllowed = "field-value-not-allowed",
    /// A rule of `changes` does not let this user change what it guards.
    ChangeNotAllowed = "change-not-allowed",
    /// A rule of `changes` denies the field manager of a change.
    FieldManagerDenied = "field-manager-denied",
    /// A rule of `changes` wants an annotation with a change, and it is not set anew.
    ChangeAnnotationMissing = "change-annotation-missing",
    /// A rule of `changes` does not let this user delete the object.
    DeleteNotAllowed = "delete-not-allowed",
    /// The request does not say what the object was, and a rule of `changes` guards it.
    OldObjectMissing = "old-object-missing",
    /// An image is not the one of the last applied configuration.
    ImageDrifted = "image-drifted",
    /// An annotation is not as in the last applied configuration.
    AnnotationDrifted = "annotation-drifted",
    /// The last applied configuration says nothing about this object.
    LastAppliedUnreadable = "last-applied-unreadable",
    /// An exemption that lifted something ends soon.
    ExemptionEnds = "exemption-ends",
    /// A member of the object has the wrong JSON type.
    ObjectMalformed = "object-malformed",
    /// The request cannot be read.
    RequestMalformed = "request-malformed",
    /// The settings cannot be read.
    SettingsInvalid = "settings-invalid",
}

impl Code {
    /// Whether it says what happens, and nothing is wrong.
    pub const fn is_note(self) -> bool {
        matches!(
            self,
            Self::ImagePlaceholder
                | Self::MirrorUsed
                | Self::MirrorAvailable
                | Self::MirrorNeedsTag
                | Self::MirrorMissing
        )
    }

    /// Whether it is about the request and not the object in it.
    pub const fn is_about_request(self) -> bool {
        matches!(self, Self::RequestMalformed | Self::OldObjectMissing)
    }

    /// Whether two codes about images come from one section of the settings.
    pub(crate) fn is_of_the_section_of(self, other: Self) -> bool {
        self.list().map(|(section, _)| section) == other.list().map(|(section, _)| section)
    }

    /// The list of the settings that an image breaks: `("registries", "allow")`.
    pub const fn list(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::RegistryNotAllowed => ("registries", "allow"),
            Self::RegistryRejected => ("registries", "reject"),
            Self::ImageNotAllowed => ("images", "allow"),
            Self::ImageRejected => ("images", "reject"),
            Self::TagNotAllowed => ("tags", "allow"),
            Self::TagRejected => ("tags", "reject"),
            Self::DigestRequired => ("digests", "require"),
            Self::DigestForbidden => ("digests", "forbid"),
            _ => return None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
