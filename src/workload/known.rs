//! Images of well-known kinds, in places that their shape does not show.
//!
//! [`GROUPS`] names the kinds and says where their images stand, in the notation of field paths with a few
//! more signs:
//!
//! | notation | means |
//! |---|---|
//! | `a.b`, `a[*].b`, `["x/y"]` | as in field paths |
//! | `a.*.b` | `b` of each member of the map `a` |
//! | `{a,b.c}` | the one as well as the other |
//! | `<Part>` | what [`PARTS`] has under this name |
//! | `<Object>` | a whole object, judged by its own `apiVersion` and `kind` |
//! | `(type=image)` | only in a map where the field has this value |
//! | `a~` | an OCI artifact that is not pulled for a Pod; a scheme is left out, one other than `oci` and `docker` is no image |
//! | `a://` | as `a~`, and without a scheme it is no image |
//! | `a/` | an image only where it contains a `/` |
//! | `a+b+c.d` | an image without a tag or digest is completed by the first of these fields that is set |
//! | `a%` | a tag or digest, of the image that is the key of the map around its list |

mod kinds;

use std::borrow::Cow;

use crate::glob;
use crate::image::after_scheme;
use crate::json::{FieldPath, Kind, Spot, Step, Value, text_at};
use crate::kind::GroupKind;

pub use kinds::{GROUPS, KnownKinds, PARTS, POD_METADATA, VOLUMES, kinds_of};

use super::object::{Found, ImageField, Malformed, Object, Source, add};

/// What is known of a kind.
pub(crate) fn find(group: &str, kind: &str) -> Option<KnownKinds> {
    let is_group =
        |known: &str| known == group || (known.starts_with('*') && glob::matches(known, group));
    let (_, lines) = GROUPS.iter().find(|(known, _)| is_group(known))?;
    kinds_of(lines).find(|known| known.kinds.split(' ').any(|known| known == kind))
}

/// Every image of an object that a table shows, in the order of the document, but for those that are
/// known already; and what has the wrong JSON type.
pub(super) fn images<'a>(object: &Object<'a>, kind: &GroupKind<'_>) -> Vec<Found<'a>> {
    let mut walk = Walk {
        known: &object.found,
        found: Vec::new(),
    };
    let mut found = Vec::new();
    let mut look = |value, spot: Option<&Spot<'_, 'a>>, text| {
        let at = At {
            value,
            spot,
            holder: value,
            element: None,
        };
        walk.go(at, Way { text, then: None });
        add(&mut found, std::mem::take(&mut walk.found));
    };
    // Of the kinds of Kubernetes' own groups without a dot, which most objects have, one is in the table.
    if (kind.group.contains('.') || kind.kind == "PersistentVolume")
        && let Some(known) = find(&kind.group, &kind.kind)
    {
        look(object.value, None, known.images);
    }
    // Few pods have either, and the notation is read only where one does.
    for (place, value) in &object.marks {
        let Some(Step::Key(key)) = place.step() else {
            continue;
        };
        let text = match key.len() {
            7 if key == "volumes" && value.elements().any(is_of_csi) => VOLUMES,
            8 if key == "metadata" && names_proxy(*value) => POD_METADATA,
            _ => continue,
        };
        look(*value, Some(&Spot::at(place)), text);
    }
    if kind.is_pod() {
        let once = object.metadata.filter(|_| !object.is_metadata_repeated);
        let all = (once.is_none()).then(|| object.value.all("metadata"));
        for metadata in once.into_iter().chain(all.into_iter().flatten()) {
            if names_proxy(metadata) {
                let spot = Spot::below(None, Step::key("metadata"));
                look(metadata, Some(&spot), POD_METADATA);
            }
        }
    }
    found
}

/// Whether a volume is a CSI driver's.
fn is_of_csi(volume: Value<'_>) -> bool {
    volume.members().any(|(key, _)| key.is("csi"))
}

/// Whether annotations name the image of Istio's proxy.
fn names_proxy(metadata: Value<'_>) -> bool {
    let mut maps = metadata.all("annotations");
    maps.any(|map| (map.members()).any(|(key, _)| key.is("sidecar.istio.io/proxyImage")))
}

/// Finds images in an object.
struct Walk<'w, 'a> {
    /// What was found before, in the order of the document.
    known: &'w [Found<'a>],
    found: Vec<Found<'a>>,
}

/// Where a walk is.
#[derive(Clone, Copy)]
struct At<'t, 'a> {
    value: Value<'a>,
    spot: Option<&'t Spot<'t, 'a>>,
    /// The map around the value.
    holder: Value<'a>,
    /// The innermost element of a list around it.
    element: Option<(&'t Spot<'t, 'a>, Value<'a>)>,
}

/// The way that is left to an image.
#[derive(Clone, Copy)]
struct Way<'w> {
    text: &'static str,
    then: Option<&'w Self>,
}

impl<'a> Walk<'_, 'a> {
    fn go(&mut self, at: At<'_, 'a>, Way { text, then }: Way<'_>) {
        let Some(sign) = text.bytes().next() else {
            return match then {
                Some(then) => self.go(at, *then),
                None => self.keep(at, ""),
            };
        };
        let inside = text.get(1..).unwrap_or_default();
        match sign {
            b'.' => self.go(at, Way { text: inside, then }),
            b'{' => {
                let mut rest = inside;
                let mut alternatives = Vec::new();
                while let Some((alternative, end, after)) = alternative(rest) {
                    alternatives.push(alternative);
                    rest = after;
                    if end == b'}' {
                        break;
                    }
                }
                let rest = Way { text: rest, then };
                for text in alternatives {
                    let then = Some(&rest);
                    let mut found = std::mem::take(&mut self.found);
                    self.go(at, Way { text, then });
                    add(&mut found, std::mem::take(&mut self.found));
                    self.found = found;
                }
            }
            b'<' => {
                let (name, text) = inside.split_once('>').unwrap_or_default();
                if name == "Object" {
                    return self.object(at);
                }
                let rest = Way { text, then };
                for (_, text) in PARTS.iter().filter(|(part, _)| *part == name) {
                    let then = Some(&rest);
                    self.go(at, Way { text, then });
                }
            }
            b'(' => {
                let (condition, text) = inside.split_once(')').unwrap_or_default();
                let (key, wanted) = condition.split_once('=').unwrap_or_default();
                let mut values = at.value.all(key);
                if values.any(|value| value.string() == Some(wanted)) {
                    self.go(at, Way { text, then });
                }
            }
            b'[' if inside.starts_with('*') => {
                let text = text.get("[*]".len()..).unwrap_or_default();
                for (index, value) in at.value.elements().enumerate() {
                    let spot = Spot::below(at.spot, Step::Index(index));
                    let at = At {
                        value,
                        spot: Some(&spot),
                        holder: at.holder,
                        element: Some((&spot, value)),
                    };
                    self.go(at, Way { text, then });
                }
            }
            b'[' => {
                let quoted = inside.get(1..).unwrap_or_default();
                let (key, text) = quoted.split_once('"').unwrap_or_default();
                let text = text.get(1..).unwrap_or_default();
                self.member(at, key, Way { text, then });
            }
            b'~' | b':' | b'/' | b'+' | b'%' => self.keep(at, text),
            _ => {
                let ends = |byte: u8| b".[{(<~:/+%".contains(&byte);
                let end = text.bytes().position(ends).unwrap_or(text.len());
                let (key, text) = text.split_at_checked(end).unwrap_or_default();
                self.member(at, key, Way { text, then });
            }
        }
    }

    fn member(&mut self, at: At<'_, 'a>, wanted: &str, way: Way<'_>) {
        for (key, value) in at.value.members() {
            if wanted == "*" || key.is(wanted) {
                let spot = Spot::below(at.spot, Step::key(key.text()));
                let at = At {
                    value,
                    spot: Some(&spot),
                    holder: at.value,
                    ..at
                };
                self.go(at, way);
            }
        }
    }

    /// What an object within the object holds, by its own kind.
    fn object(&mut self, at: At<'_, 'a>) {
        let text = |key| at.value.get(key).and_then(Value::string);
        if let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) {
            let group = version.rsplit_once('/').map_or("", |(group, _)| group);
            if let Some(known) = find(group, kind) {
                let text = known.images;
                self.go(at, Way { text, then: None });
            }
        }
    }

    /// Keeps an image, if it is one.
    fn keep(&mut self, at: At<'_, 'a>, signs: &'static str) {
        let raw = at.value;
        let known = self
            .known
            .binary_search_by_key(&raw.position(), Found::position);
        let (Err(_), Some(spot)) = (known, at.spot) else {
            return;
        };
        let text = match (raw.kind(), raw.string()) {
            (Kind::Null, _) | (_, Some("")) => return,
            (_, Some(text)) => text,
            (found, None) => {
                return self.found.push(Found::Malformed(Malformed {
                    raw,
                    place: spot.place(),
                    expected: Kind::Text,
                    found,
                }));
            }
        };
        let Some((text, is_artifact)) = image(text, signs, at, spot) else {
            return;
        };
        let is_never = |key| at.holder.get(key).and_then(Value::string) == Some("Never");
        let name = |element: Value<'a>| element.get("name").and_then(Value::string);
        let named = at
            .element
            .and_then(|(element, value)| Some((element, name(value)?)));
        self.found.push(Found::Image(ImageField {
            raw,
            source: Source::Known {
                below: named.map_or(0, |(element, _)| steps_between(element, spot)),
                is_artifact,
            },
            place: spot.place(),
            name: named.map(|(_, name)| Cow::Borrowed(name)),
            is_never_pulled: !is_artifact
                && (is_never("imagePullPolicy") || is_never("pullPolicy")),
            text,
        }));
    }
}

/// The image that a text with these signs is, if it is one, and whether it is an artifact.
fn image<'a>(
    text: &'a str,
    signs: &'static str,
    at: At<'_, 'a>,
    spot: &Spot<'_, 'a>,
) -> Option<(Cow<'a, str>, bool)> {
    if signs == "/" {
        return text.contains('/').then_some((Cow::Borrowed(text), false));
    }
    if signs == "%" {
        let map = spot.above?.above?.above?;
        let image = versioned(map.step.as_key()?, "", text);
        return Some((Cow::Owned(image), true));
    }
    let (needs_scheme, more) = match (signs.strip_prefix("://"), signs.strip_prefix('~')) {
        (Some(more), _) => (Some(true), more),
        (_, Some(more)) => (Some(false), more),
        _ => (None, signs),
    };
    let image = match (needs_scheme, after_scheme(text)) {
        (Some(_), Some(image)) if is_of_registry(text) => image,
        (Some(_), Some(_)) | (Some(true), None) => return None,
        _ => text,
    };
    let name = image.rsplit('/').next().unwrap_or_default();
    let completed = || {
        let paths = more.split('+').filter(|path| !path.is_empty());
        let mut versions = paths.filter_map(|path| {
            let steps = FieldPath::parse(path).ok()?;
            let version = text_at(at.holder, steps.steps())?;
            (!version.is_empty()).then(|| versioned(image, path, version))
        });
        versions.next()
    };
    let completed = if name.contains([':', '@']) {
        None
    } else {
        completed()
    };
    let image = completed.map_or(Cow::Borrowed(image), Cow::Owned);
    Some((image, needs_scheme.is_some()))
}

/// Whether what a URL names is pulled from a registry.
fn is_of_registry(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    let kind = scheme.split('+').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("oci") || scheme.eq_ignore_ascii_case("docker")
}

/// An image with what the field at `path` says of its version: a tag, a digest, or the range of tags that one
/// is chosen from, which is written as a placeholder.
fn versioned(image: &str, path: &str, version: &str) -> String {
    match path {
        "sha" => [image, "@sha256:", version].concat(),
        "ref.semver" => [image, ":{", version, "}"].concat(),
        _ if version.contains(':') => [image, "@", version].concat(),
        _ => [image, ":", version].concat(),
    }
}

/// How many steps lead from one place down to another.
fn steps_between(above: &Spot<'_, '_>, below: &Spot<'_, '_>) -> usize {
    let spots = std::iter::successors(Some(below), |spot| spot.above);
    spots
        .take_while(|spot| !std::ptr::addr_eq(*spot, above))
        .count()
}

/// The first of some alternatives, the sign behind it, and what follows.
fn alternative(text: &'static str) -> Option<(&'static str, u8, &'static str)> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b',' | b'}' if depth == 0 => {
                return Some((text.get(..at)?, byte, text.get(at + 1..)?));
            }
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}
