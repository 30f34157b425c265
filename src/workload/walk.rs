//! One pass over an object, keeping nothing but what was looked for.

use std::borrow::Cow;

use crate::json::{DEEPEST, Key, Kind, Spot, Step, Value, too_deep};
use crate::kind::GroupKind;

use super::object::{Found, ImageField, MOST_MALFORMED, Malformed, Object, Source};

impl<'a> Object<'a> {
    /// Finds what is in an object.
    ///
    /// # Errors
    ///
    /// Where it is nested too deep.
    pub(crate) fn read(value: Value<'a>, kind: &GroupKind<'_>) -> Result<Self, String> {
        Self::read_up_to(value, kind, MOST_MALFORMED)
    }

    /// Finds what is in an object, and keeps so many members of the wrong JSON type.
    ///
    /// # Errors
    ///
    /// Where it is nested too deep.
    pub(crate) fn read_up_to(
        value: Value<'a>,
        kind: &GroupKind<'_>,
        most_malformed: usize,
    ) -> Result<Self, String> {
        let mut object = Self::new(value);
        object.most_malformed = most_malformed;
        let mut walk = Walk {
            object,
            open_templates: Vec::new(),
            may_be_too_deep: value.may_be_as_deep_as(DEEPEST),
        };
        let role = if kind.may_run_images() {
            Role::Object(kind.pod_spec())
        } else {
            Role::Imageless
        };
        match walk.value(value, role, None, DEEPEST) {
            Ok(()) => Ok(walk.object),
            Err(TooDeep(value)) => Err(too_deep(value)),
        }
    }
}

/// What finds something in an object.
struct Walk<'a> {
    object: Object<'a>,
    /// Where on the stack the templates are that end later.
    open_templates: Vec<usize>,
    may_be_too_deep: bool,
}

/// A value that is nested too deep.
struct TooDeep<'a>(Value<'a>);

/// Whether what stands at a key may have a role: by its length and first letter, for most have none.
const fn may_have_role(key: (usize, Option<u8>)) -> bool {
    matches!(
        key,
        (4, Some(b'n' | b's'))
            | (5 | 14 | 15, Some(b'i'))
            | (7, Some(b'v'))
            | (8, Some(b'm' | b't'))
            | (9, Some(b'r'))
            | (10, Some(b'c' | b'p'))
            | (11, Some(b'j'))
            | (19, Some(b'e'))
    )
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
    /// The `metadata` of something in the object.
    Metadata,
    /// Anything else.
    Any,
}

impl Role {
    /// The role of a member of a value with this role.
    fn member(self, key: Key<'_>) -> Self {
        if !may_have_role(key.length_and_first()) {
            return Self::Any;
        }
        match (self, key.text()) {
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
            "metadata" => Self::Metadata,
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

impl<'a> Walk<'a> {
    fn value(
        &mut self,
        value: Value<'a>,
        role: Role,
        trail: Option<&Spot<'_, 'a>>,
        deeper: usize,
    ) -> Result<(), TooDeep<'a>> {
        let kind = value.kind();
        // `null` is as good as absent.
        if let Some(expected) = role.expected()
            && expected != kind
            && kind != Kind::Null
            && self.object.keeps_malformed()
        {
            self.object.found.push(Found::Malformed(Malformed {
                raw: value,
                place: trail.map(Spot::place).unwrap_or_default(),
                expected,
                found: kind,
            }));
        }
        if !matches!(kind, Kind::Map | Kind::List) {
            return Ok(());
        }
        let deeper = deeper.checked_sub(1).ok_or(TooDeep(value))?;
        if kind == Kind::Map {
            return self.map(value, role, trail, deeper);
        }
        if matches!(role, Role::List { .. }) {
            self.keep_template(trail);
        }
        for (index, element) in value.elements().enumerate() {
            let role = role.element();
            if matches!(role, Role::Any) && !self.may_find_in(element) {
                continue;
            }
            let spot = Spot::below(trail, Step::Index(index));
            self.value(element, role, Some(&spot), deeper)?;
        }
        Ok(())
    }

    /// Whether there is something to find in a value of which nothing is known.
    fn may_find_in(&self, value: Value<'_>) -> bool {
        value.may_hold_pods() || (self.may_be_too_deep && value.is_composite())
    }

    fn map(
        &mut self,
        map: Value<'a>,
        role: Role,
        trail: Option<&Spot<'_, 'a>>,
        deeper: usize,
    ) -> Result<(), TooDeep<'a>> {
        let is_imageless = matches!(role, Role::Imageless);
        let is_object = is_imageless || matches!(role, Role::Object(_));
        let first = self.object.found.len();
        let mut name = None;
        let mut is_never_pulled = false;
        for (key, value) in map.members() {
            if is_object && (is_imageless || key.is("metadata") || key.is("status")) {
                if key.is("metadata") {
                    let earlier = self.object.metadata.replace(value);
                    self.object.is_metadata_repeated |= earlier.is_some();
                }
                continue;
            }
            let below = role.member(key);
            let text = match below {
                Role::Text { .. } => value.string(),
                _ => None,
            };
            let Some(text) = text else {
                if !matches!(below, Role::Any) || self.may_find_in(value) {
                    let way = Spot::below(trail, Step::key(key.text()));
                    self.value(value, below, Some(&way), deeper)?;
                    if matches!(below, Role::List { .. } | Role::Metadata) {
                        self.mark(&way, value);
                    }
                }
                continue;
            };
            if key.is("name") {
                name = Some(text);
            } else if key.is("imagePullPolicy") || key.is("pullPolicy") {
                is_never_pulled |= text == "Never";
            } else if matches!(role, Role::VolumeImage { .. }) {
                // The volume is one step above its `image`.
                self.keep(
                    Source::Volume,
                    trail.and_then(|trail| trail.above),
                    value,
                    text,
                );
            } else {
                self.keep(Source::Container, trail, value, text);
            }
        }
        if let Some(trail) = trail {
            let here = std::ptr::from_ref(trail).addr();
            let mut is_template = false;
            while self.open_templates.pop_if(|open| *open == here).is_some() {
                is_template = true;
            }
            if is_template {
                self.mark(trail, map);
            }
        }
        if (name.is_some() || is_never_pulled)
            && let Some(found) = self.object.found.get_mut(first..)
            && !found.is_empty()
        {
            // These may come before or after the image; deeper images have their own.
            let owner = match role {
                Role::VolumeImage { .. } => trail.and_then(|trail| trail.above),
                _ => trail,
            };
            let owner = owner.map(Spot::place).unwrap_or_default();
            for found in found {
                if let Found::Image(image) = found
                    && image.place == owner
                {
                    image.is_never_pulled |= is_never_pulled;
                    if let Some(name) = name {
                        image.name = Some(Cow::Borrowed(name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes what stands at a place; a template there has been noted just before.
    fn mark(&mut self, spot: &Spot<'_, 'a>, value: Value<'a>) {
        let marks = &mut self.object.marks;
        let last = marks.last().map(|(_, last)| last.position());
        if last != Some(value.position()) {
            marks.push((spot.place(), value));
        }
    }

    /// Keeps the pod template that this is the way to the list of containers of, if it is one.
    fn keep_template(&mut self, containers: Option<&Spot<'_, 'a>>) {
        if let Some(containers) = containers
            && let Some(spec) = containers.above
            && let Some(template) = spec.above
            && matches!(&containers.step, Step::Key(key) if key == "containers")
            && matches!(&spec.step, Step::Key(key) if key == "spec")
        {
            self.object.templates.push(template.place());
            self.open_templates
                .push(std::ptr::from_ref(template).addr());
        }
    }

    /// Keeps an image of the container or volume at `trail`; an empty one is none.
    fn keep(
        &mut self,
        source: Source,
        trail: Option<&Spot<'_, 'a>>,
        raw: Value<'a>,
        text: &'a str,
    ) {
        if !text.is_empty() {
            self.object.found.push(Found::Image(ImageField {
                raw,
                source,
                place: trail.map(Spot::place).unwrap_or_default(),
                name: None,
                is_never_pulled: false,
                text: Cow::Borrowed(text),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_with_a_role_may_have_one() {
        let kinds = [
            ("", "Pod"),
            ("", "PodTemplate"),
            ("apps", "Deployment"),
            ("batch", "CronJob"),
        ];
        for (group, kind) in kinds {
            let kind = GroupKind {
                group: Cow::Borrowed(group),
                kind: Cow::Borrowed(kind),
            };
            for key in kind.pod_spec().unwrap() {
                assert!(may_have_role((key.len(), key.bytes().next())), "{key}");
            }
        }
        for key in [
            "containers",
            "initContainers",
            "ephemeralContainers",
            "volumes",
            "image",
            "name",
            "imagePullPolicy",
            "reference",
            "pullPolicy",
            "metadata",
        ] {
            assert!(may_have_role((key.len(), key.bytes().next())), "{key}");
        }
        for key in [
            "args",
            "env",
            "ports",
            "livenessProbe",
            "securityContext",
            "",
        ] {
            assert!(!may_have_role((key.len(), key.bytes().next())), "{key}");
        }
    }
}
