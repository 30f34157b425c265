//! One pass over an object, keeping nothing but what was looked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Kind, Step, Text, Trail, position, value_text};
use crate::kind::GroupKind;

use super::object::{Found, ImageField, Malformed, Object, Source};

/// Reads one value of an object and what is below it.
///
/// The depth is bounded by `serde_json`, which reads 128 levels.
pub(crate) struct Walk<'w, 'de> {
    role: Role,
    trail: Option<&'w Trail<'w, 'de>>,
    object: &'w mut Object<'de>,
    /// Takes the text of a value whose role is [`Role::Text`].
    text: &'w mut Option<Cow<'de, str>>,
}

/// What a value is, by the place where it stands. `strict` is set in Kubernetes' own workloads.
#[derive(Clone, Copy)]
enum Role {
    /// The object itself, and the way to its pod spec where that is known.
    Object(Option<&'static [&'static str]>),
    /// An object of a kind that runs no images: only its `metadata` is noted.
    Imageless,
    /// On the way to the pod spec, or the pod spec itself.
    Way(&'static [&'static str]),
    /// A list of containers or volumes.
    List { of: Source, strict: bool },
    /// A container or volume.
    Element { of: Source, strict: bool },
    /// The `image` of a volume.
    VolumeImage { strict: bool },
    /// A string to be read.
    Text { strict: bool },
    /// Anything else.
    Any,
}

impl Role {
    /// The role of a member of a value with this role.
    fn member(self, key: &str) -> Self {
        match (self, key) {
            (Self::Object(Some(way)) | Self::Way(way), key) => match way.split_first() {
                Some((first, rest)) if *first == key => Self::Way(rest),
                Some(_) => Self::by_shape(key, false),
                None => Self::by_shape(key, true),
            },
            (
                Self::Element {
                    of: Source::Container,
                    strict,
                },
                "image" | "name" | "imagePullPolicy",
            )
            | (
                Self::Element {
                    of: Source::Volume,
                    strict,
                },
                "name",
            )
            | (Self::VolumeImage { strict }, "reference" | "pullPolicy") => Self::Text { strict },
            (
                Self::Element {
                    of: Source::Volume,
                    strict,
                },
                "image",
            ) => Self::VolumeImage { strict },
            (_, key) => Self::by_shape(key, false),
        }
    }

    fn by_shape(key: &str, strict: bool) -> Self {
        match key {
            "containers" | "initContainers" | "ephemeralContainers" => Self::List {
                of: Source::Container,
                strict,
            },
            "volumes" => Self::List {
                of: Source::Volume,
                strict,
            },
            _ => Self::Any,
        }
    }

    /// The role of an element of a value with this role.
    const fn element(self) -> Self {
        match self {
            Self::List { of, strict } => Self::Element { of, strict },
            _ => Self::Any,
        }
    }

    /// The type that a value with this role must have.
    #[inline]
    const fn expected(self) -> Option<Kind> {
        match self {
            Self::Object(_)
            | Self::Way(_)
            | Self::Element { strict: true, .. }
            | Self::VolumeImage { strict: true } => Some(Kind::Map),
            Self::List { strict: true, .. } => Some(Kind::List),
            Self::Text { strict: true } => Some(Kind::Text),
            _ => None,
        }
    }
}

impl<'w, 'de> Walk<'w, 'de> {
    /// Reads a whole object of this kind into `object`.
    pub(crate) fn object(
        kind: &GroupKind<'_>,
        object: &'w mut Object<'de>,
        text: &'w mut Option<Cow<'de, str>>,
    ) -> Self {
        Self {
            role: if kind.may_run_images() {
                Role::Object(kind.pod_spec())
            } else {
                Role::Imageless
            },
            trail: None,
            object,
            text,
        }
    }

    /// Notes a value whose type is not the one that belongs here; `null` is as good as absent.
    #[inline]
    fn found(&mut self, found: Kind) {
        if let Some(expected) = self.role.expected()
            && expected != found
        {
            self.object.found.push(Found::Malformed(Malformed {
                position: self.trail.map_or(0, Trail::position),
                place: self.trail.map(Trail::location).unwrap_or_default(),
                expected,
                found,
            }));
        }
    }

    /// Keeps the pod template that this is the list of containers of, if it is one.
    fn keep_template(&mut self) {
        let Some(containers) = self.trail else {
            return;
        };
        if let Some(spec) = containers.parent()
            && let Some(template) = spec.parent()
            && matches!(containers.step(), Step::Key(key) if key == "containers")
            && matches!(spec.step(), Step::Key(key) if key == "spec")
        {
            self.object.templates.push(template.location());
        }
    }

    /// Keeps an image of the container or volume at `trail`; an empty one is none.
    fn keep(&mut self, source: Source, trail: Option<&Trail<'_, 'de>>, text: Cow<'de, str>) {
        if !text.is_empty() {
            self.object.found.push(Found::Image(ImageField {
                position: match &text {
                    Cow::Borrowed(text) => position(text),
                    Cow::Owned(_) => self.trail.map_or(0, Trail::position),
                },
                source,
                place: trail.map(Trail::location).unwrap_or_default(),
                name: None,
                is_never_pulled: false,
                text,
            }));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if matches!(self.role, Role::Object(_) | Role::Imageless) {
            self.object.is_null = true;
        }
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.found(Kind::Bool);
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.found(Kind::Number);
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.found(Kind::Number);
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.found(Kind::Number);
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(mut self, text: &'de str) -> Result<(), E> {
        self.found(Kind::Text);
        if matches!(self.role, Role::Text { .. }) {
            *self.text = Some(Cow::Borrowed(text));
        }
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.found(Kind::Text);
        if matches!(self.role, Role::Text { .. }) {
            *self.text = Some(Cow::Owned(text.to_owned()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.found(Kind::List);
        if matches!(self.role, Role::List { .. }) {
            self.keep_template();
        }
        let role = self.role.element();
        for index in 0.. {
            let step = Step::Index(index);
            let element = list.next_element_seed(Walk {
                role,
                trail: Some(&Trail::below(self.trail, &step)),
                object: &mut *self.object,
                text: &mut *self.text,
            })?;
            if element.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.found(Kind::Map);
        let is_imageless = matches!(self.role, Role::Imageless);
        let is_object = is_imageless || matches!(self.role, Role::Object(_));
        let first = self.object.found.len();
        let mut name = None;
        let mut is_never_pulled = false;
        while let Some(key) = map.next_key_seed(Text)? {
            if is_object {
                match value_text(self.object.text, &key) {
                    Some(text) => self.object.members.push((key.clone(), text)),
                    None => self.object.is_escaped = true,
                }
            }
            if is_object && (is_imageless || matches!(key.as_ref(), "metadata" | "status")) {
                let value = map.next_value::<&RawValue>()?;
                if key == "metadata" {
                    self.object.is_metadata_repeated |=
                        self.object.metadata.replace(value.get()).is_some();
                }
                continue;
            }
            let role = self.role.member(&key);
            let is_marked = matches!(role, Role::List { .. }) || key == "metadata";
            let text = is_marked.then(|| value_text(self.object.text, &key));
            let step = Step::Key(key);
            match text {
                Some(Some(text)) => {
                    let place = Trail::below(self.trail, &step).location();
                    self.object.marks.push((place, text));
                }
                Some(None) => self.object.is_escaped = true,
                None => {}
            }
            map.next_value_seed(Walk {
                role,
                trail: Some(&Trail::below(self.trail, &step)),
                object: &mut *self.object,
                text: &mut *self.text,
            })?;
            if !matches!(role, Role::Text { .. }) {
                continue;
            }
            let Some(text) = self.text.take() else {
                continue;
            };
            match (self.role, &step) {
                (_, Step::Key(key)) if key == "name" => name = Some(text),
                (_, Step::Key(key)) if key.ends_with("ullPolicy") => {
                    is_never_pulled |= text == "Never";
                }
                // The volume is one step above its `image`.
                (Role::VolumeImage { .. }, _) => {
                    self.keep(Source::Volume, self.trail.and_then(Trail::parent), text);
                }
                _ => self.keep(Source::Container, self.trail, text),
            }
        }
        if (name.is_some() || is_never_pulled)
            && let Some(found) = self.object.found.get_mut(first..)
        {
            // These may come before or after the image; deeper images have their own.
            let depth = self.trail.map_or(0, Trail::depth)
                - usize::from(matches!(self.role, Role::VolumeImage { .. }));
            for found in found {
                if let Found::Image(image) = found
                    && image.place.steps().len() == depth
                {
                    image.is_never_pulled |= is_never_pulled;
                    if name.is_some() {
                        image.name.clone_from(&name);
                    }
                }
            }
        }
        Ok(())
    }
}
