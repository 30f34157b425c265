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
//! | `(image=)` | only in a map where the field is unset or blank |
//! | `a~` | an OCI artifact that is not pulled for a Pod; a scheme is left out, one other than `oci` and `docker` is no image |
//! | `a://` | as `a~`, and without a scheme it is no image |
//! | `a/` | an image only where it contains a `/` |
//! | `a+b+c.d` | an image without a tag or digest is completed by the first of these fields that is set; `+?` by a tag that is not known |
//! | `a%` | a tag or digest, of the image that is the key of the map around its list |

mod kinds;
mod ways;

use std::borrow::Cow;

use crate::glob;
use crate::image::after_scheme;
use crate::json::{FieldPath, Kind, Spot, Step, Value, text_at};
use crate::kind::GroupKind;

pub use kinds::{GROUPS, KnownKinds, PARTS, POD_METADATA, VOLUMES, kinds_of};

use super::object::{Found, ImageField, Malformed, Object, Source};
use ways::{Way, Ways};

/// What is known of a kind.
pub(crate) fn find(group: &str, kind: &str) -> Option<KnownKinds> {
    let is_group =
        |known: &str| known == group || (known.starts_with('*') && glob::matches(known, group));
    let (_, lines) = GROUPS.iter().find(|(known, _)| is_group(known))?;
    kinds_of(lines).find(|known| known.kinds.split(' ').any(|known| known == kind))
}

/// Every image of an object that the table shows, but for those that are known already; and what has the
/// wrong JSON type.
pub(super) fn images<'a>(object: &Object<'a>, kind: &GroupKind<'_>) -> Vec<Found<'a>> {
    let mut walk = Walk {
        known: &object.found,
        ways: Ways::default(),
        found: Vec::new(),
    };
    let mut look = |value, spot: Option<&Spot<'_, 'a>>, text| {
        let at = At {
            value,
            spot,
            holder: value,
            element: None,
        };
        let way = walk.ways.to(text, None);
        walk.go(at, way);
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
    walk.found
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
    ways: Ways,
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

impl<'a> Walk<'_, 'a> {
    fn go(&mut self, at: At<'_, 'a>, way: usize) {
        let value = at.value;
        match self.ways.get(way) {
            None => {}
            Some(Way::Image(signs)) => self.keep(at, signs),
            Some(Way::Object) => self.object(at),
            // Every way goes on into something.
            Some(_) if !value.is_composite() || value.is_empty() => {}
            Some(Way::On(next)) => self.go(at, next),
            Some(Way::Both(one, other)) => {
                self.go(at, one);
                self.go(at, other);
            }
            Some(Way::Where(key, wanted, next)) => {
                let mut values = value.all(key).map(Value::string);
                let holds = if wanted.is_empty() {
                    let is_unset = |text: Option<&str>| text.is_none_or(is_blank);
                    value.get(key).is_none() || values.any(is_unset)
                } else {
                    values.any(|text| text == Some(wanted))
                };
                if holds {
                    self.go(at, next);
                }
            }
            Some(Way::Member(wanted, next)) => {
                for (key, below) in value.members() {
                    if wanted == "*" || key.is(wanted) {
                        let spot = Spot::below(at.spot, Step::key(key.text()));
                        let at = At {
                            value: below,
                            spot: Some(&spot),
                            holder: value,
                            ..at
                        };
                        self.go(at, next);
                    }
                }
            }
            Some(Way::Each(next)) => {
                for (index, value) in value.elements().enumerate() {
                    let spot = Spot::below(at.spot, Step::Index(index));
                    let at = At {
                        value,
                        spot: Some(&spot),
                        holder: at.holder,
                        element: Some((&spot, value)),
                    };
                    self.go(at, next);
                }
            }
        }
    }

    /// What an object within the object holds, by its own kind.
    fn object(&mut self, at: At<'_, 'a>) {
        let text = |key| at.value.get(key).and_then(Value::string);
        if let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) {
            let group = version.rsplit_once('/').map_or("", |(group, _)| group);
            if let Some(known) = find(group, kind) {
                let way = self.ways.to(known.images, None);
                self.go(at, way);
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
                signs,
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
            if path == "?" {
                return Some([image, ":{default}"].concat());
            }
            let steps = FieldPath::parse(path).ok()?;
            let version = text_at(at.holder, steps.steps())?;
            (!is_blank(version)).then(|| versioned(image, path, version))
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

/// Whether a text is as good as none.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
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
        "ref.digest" => [image, "@", version].concat(),
        "ref.semver" => [image, ":{", version, "}"].concat(),
        "" | "version" if version.contains(':') => [image, "@", version].concat(),
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
