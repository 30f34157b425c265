//! One pass over an object, keeping nothing but what was looked for.

use std::borrow::Cow;

use crate::json::scan::{Wanted, each_element, each_member, kind_at, plain_end, string, value_end};
use crate::json::{DEEPEST, Kind, NO_JSON, Spot, Step, too_deep};
use crate::kind::GroupKind;

use super::object::{Found, ImageField, Malformed, Object, Source};

/// Reads the object that starts here in a text, and says where it ends.
///
/// # Errors
///
/// Where it is no JSON, or nested too deep.
pub(super) fn read<'a>(
    text: &'a str,
    start: usize,
    kind: &GroupKind<'_>,
) -> Result<(Object<'a>, usize), String> {
    let mut walk = Walk {
        text,
        object: Object::new(""),
        read: None,
        too_deep: None,
        open_templates: Vec::new(),
        tries: TRIES,
    };
    let role = if kind.may_run_images() {
        Role::Object(kind.pod_spec())
    } else {
        Role::Imageless
    };
    match walk.value(start, role, None, DEEPEST) {
        Some(end) => {
            walk.object.text = text.get(start..end).unwrap_or_default();
            Ok((walk.object, end))
        }
        None => Err(match walk.too_deep {
            Some(position) => too_deep(text, position),
            None => NO_JSON.to_owned(),
        }),
    }
}

/// What reads an object.
struct Walk<'a> {
    /// The text that the object is part of.
    text: &'a str,
    object: Object<'a>,
    /// The text of the value read last, if its role is [`Role::Text`].
    read: Option<Cow<'a, str>>,
    /// Where the value begins that is nested too deep.
    too_deep: Option<usize>,
    /// Where on the stack the templates are that end later.
    open_templates: Vec<usize>,
    /// How often below here a value may be read over on trial, to be read again if that fails.
    tries: usize,
}

/// Most of an object is read over, and is read again where that was a mistake: at most so often.
const TRIES: usize = 4;

/// The keys of what is looked for at any depth.
const NOTED: Wanted<'static> = Wanted {
    lengths: 1 << 7 | 1 << 8 | 1 << 10 | 1 << 14 | 1 << 19,
    is_wanted: &|key| {
        matches!(
            key,
            b"containers" | b"volumes" | b"metadata" | b"initContainers" | b"ephemeralContainers"
        )
    },
};

/// Whether what stands at a key may have a role: by its length and first letter, for most have none.
fn may_have_role(key: &str) -> bool {
    matches!(
        (key.len(), key.as_bytes().first()),
        (4, Some(b'n' | b's'))
            | (5 | 14 | 15, Some(b'i'))
            | (7, Some(b'v'))
            | (8, Some(b't'))
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
    /// Anything else.
    Any,
}

impl Role {
    /// The role of a member of a value with this role.
    fn member(self, key: &str) -> Self {
        if !may_have_role(key) {
            return Self::Any;
        }
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

impl<'a> Walk<'a> {
    /// Reads the value that starts here, and says where it ends.
    fn value(
        &mut self,
        start: usize,
        role: Role,
        trail: Option<&Spot<'_, 'a>>,
        deeper: usize,
    ) -> Option<usize> {
        let kind = kind_at(self.text, start);
        // `null` is as good as absent.
        if let Some(expected) = role.expected()
            && expected != kind
            && kind != Kind::Null
        {
            let end = value_end(self.text, start)?;
            if self.object.keeps_malformed() {
                self.object.found.push(Found::Malformed(Malformed {
                    raw: self.text.get(start..end)?,
                    place: trail.map(Spot::place).unwrap_or_default(),
                    expected,
                    found: kind,
                }));
            }
        }
        if matches!(kind, Kind::Map | Kind::List) {
            let Some(deeper) = deeper.checked_sub(1) else {
                self.too_deep = Some(start);
                return None;
            };
            return if kind == Kind::Map {
                self.map(start, role, trail, deeper)
            } else {
                self.list(start, role, trail, deeper)
            };
        }
        let end = value_end(self.text, start)?;
        match role {
            Role::Text { .. } if kind == Kind::Text => {
                self.read = string(self.text.get(start..end)?);
            }
            Role::Object(_) | Role::Imageless => self.object.is_null = kind == Kind::Null,
            _ => {}
        }
        Some(end)
    }

    fn list(
        &mut self,
        start: usize,
        role: Role,
        trail: Option<&Spot<'_, 'a>>,
        deeper: usize,
    ) -> Option<usize> {
        if matches!(role, Role::List { .. }) {
            self.keep_template(trail);
        }
        let role = role.element();
        let mut index = 0;
        each_element(self.text, start, &mut |start| {
            let step = Step::Index(index);
            index += 1;
            self.value(start, role, Some(&Spot::below(trail, step)), deeper)
        })
    }

    fn map(
        &mut self,
        start: usize,
        role: Role,
        trail: Option<&Spot<'_, 'a>>,
        deeper: usize,
    ) -> Option<usize> {
        let text = self.text;
        let is_imageless = matches!(role, Role::Imageless);
        let is_object = is_imageless || matches!(role, Role::Object(_));
        let first = self.object.found.len();
        let mut name = None;
        let mut is_never_pulled = false;
        let end = each_member(text, start, &mut |key, start| {
            if is_object && (is_imageless || matches!(key.as_ref(), "metadata" | "status")) {
                let end = value_end(text, start)?;
                let value = text.get(start..end)?;
                if key == "metadata" {
                    let earlier = self.object.metadata.replace(value);
                    self.object.is_metadata_repeated |= earlier.is_some();
                }
                self.object.members.push((key, value));
                return Some(end);
            }
            let below = role.member(&key);
            let is_marked =
                matches!(below, Role::List { .. }) || (key.len() == 8 && key == "metadata");
            let is_any = matches!(below, Role::Any) && !is_marked && self.tries > 0;
            if is_any && let Some(end) = plain_end(text, start, deeper, &NOTED) {
                if is_object {
                    self.object.members.push((key, text.get(start..end)?));
                }
                return Some(end);
            }
            self.tries -= usize::from(is_any);
            let way = Spot::below(trail, Step::Key(key));
            let end = self.value(start, below, Some(&way), deeper)?;
            let value = text.get(start..end)?;
            self.tries += usize::from(is_any);
            if is_marked {
                self.object.marks.push((way.place(), value));
            }
            if let (true, Step::Key(key)) = (is_object, &way.step) {
                self.object.members.push((key.clone(), value));
            }
            if !matches!(below, Role::Text { .. }) {
                return Some(end);
            }
            let Some(read) = self.read.take() else {
                return Some(end);
            };
            match (role, &way.step) {
                (_, Step::Key(key)) if key == "name" => name = Some(read),
                (_, Step::Key(key)) if key.ends_with("ullPolicy") => {
                    is_never_pulled |= read == "Never";
                }
                // The volume is one step above its `image`.
                (Role::VolumeImage { .. }, _) => {
                    self.keep(
                        Source::Volume,
                        trail.and_then(|trail| trail.above),
                        value,
                        read,
                    );
                }
                _ => self.keep(Source::Container, trail, value, read),
            }
            Some(end)
        })?;
        if let Some(trail) = trail {
            let here = std::ptr::from_ref(trail).addr();
            let mut is_template = false;
            while self.open_templates.pop_if(|open| *open == here).is_some() {
                is_template = true;
            }
            if is_template {
                let template = text.get(start..end)?;
                self.object.marks.push((trail.place(), template));
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
                    if name.is_some() {
                        image.name.clone_from(&name);
                    }
                }
            }
        }
        Some(end)
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
        raw: &'a str,
        text: Cow<'a, str>,
    ) {
        if !text.is_empty() {
            self.object.found.push(Found::Image(ImageField {
                raw,
                source,
                place: trail.map(Spot::place).unwrap_or_default(),
                name: None,
                is_never_pulled: false,
                text,
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
                assert!(may_have_role(key), "{key}");
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
        ] {
            assert!(may_have_role(key), "{key}");
        }
        for key in [
            "args",
            "env",
            "ports",
            "livenessProbe",
            "securityContext",
            "",
        ] {
            assert!(!may_have_role(key), "{key}");
        }
    }
}
