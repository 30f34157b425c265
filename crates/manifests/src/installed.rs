//! Images in objects that have something installed: Flux' `HelmRelease` and `Kustomization`, Argo
//! CD's `Application` and `ApplicationSet`, and k3s' `HelmChart`.
//!
//! The chart is not rendered, so an image is what looks like one in the values. What a chart makes of it
//! will be a Pod in the namespace where it is installed.

use std::ops::Range;
use std::path::Path;

use rollout_guard::json::{Location, Step};
use rollout_guard::violation::Violation;

use crate::detail::{Detail, Image, by_name};
use crate::manifest::{self, Style, Value, within_scalar};
use crate::object::Object;
use crate::values::{DEEPEST, Site, ValueImage, Values};

/// An image of an object that has something installed.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) image: String,
    /// The tag is not left to the chart.
    pub(crate) has_tag: bool,
    /// The way in the object; to the string, where the values are a text.
    pub(crate) path: Location<'static>,
    /// As messages show it.
    pub(crate) place: String,
    /// Where it is in the text of that string.
    within: Option<Range<usize>>,
    /// What stands there.
    written: String,
}

impl Installed {
    /// What a violation is about that the policy has found in it.
    pub(crate) fn detail(
        &self,
        object: Value<'_>,
        violation: &Violation,
        mirror: Option<&str>,
    ) -> Detail {
        let path = self.path.to_string();
        let place = match self.place.strip_prefix(&path) {
            Some(within) => format!("{}{within}", by_name(object, &self.path)),
            None => self.place.clone(),
        };
        Detail {
            rule: Detail::new(object, violation).rule,
            image: Some(Image::new(self.image.clone(), mirror)),
            value: Some(self.image.clone()),
            place,
            ..Detail::default()
        }
    }

    /// Where it is in the text of the object's document.
    pub(crate) fn span(&self, object: Value<'_>, document: &str) -> Range<usize> {
        let place = object.locate(&self.path);
        let found = self.within.as_ref().and_then(|within| {
            let text = object.at(&self.path)?.text()?;
            let raw = document.get(place.span.clone())?;
            let at = within_scalar(raw, &text, within, &self.written)?;
            Some(place.span.start + at.start..place.span.start + at.end)
        });
        match place.key {
            Some(key) if matches!(place.style, Style::Flow | Style::Indented) => key,
            _ => found.unwrap_or(place.span),
        }
    }
}

/// The namespace in which an object has something installed, where it says so.
pub(crate) fn namespace(object: &Object<'_>) -> Option<String> {
    let ways: &[&[&str]] = match (object.group.as_ref(), object.kind.as_ref()) {
        ("argoproj.io", "Application") => &[&["spec", "destination", "namespace"]],
        ("argoproj.io", "ApplicationSet") => {
            &[&["spec", "template", "spec", "destination", "namespace"]]
        }
        _ => &[&["spec", "targetNamespace"]],
    };
    let found = ways.iter().find_map(|way| object.value.text_at(way));
    // A generator fills in the rest.
    let found = found.filter(|found| !found.is_empty() && !found.contains("{{"));
    found.map(std::borrow::Cow::into_owned)
}

/// The images that an object has installed, by their shape.
pub(crate) fn images(object: &Object<'_>) -> Vec<Installed> {
    let mut found = Search {
        object: object.value,
        found: Vec::new(),
    };
    match (object.group.as_ref(), object.kind.as_ref()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => found.values(&way(&["spec", "values"])),
        ("helm.cattle.io", "HelmChart") => found.values(&way(&["spec", "valuesContent"])),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
            found.entries(&way(&["spec", "images"]));
            found.patches(&way(&["spec", "patches"]));
        }
        ("argoproj.io", "Application") => found.sources(&way(&["spec"])),
        ("argoproj.io", "ApplicationSet") => found.sources(&way(&["spec", "template", "spec"])),
        _ => {}
    }
    // Parameters of a generator are no images.
    found
        .found
        .retain(|image| !image.image.contains("{{") && !image.image.contains("${"));
    found.found
}

fn way(keys: &[&'static str]) -> Location<'static> {
    Location(keys.iter().map(|key| Step::key(key)).collect())
}

fn key(key: &'static str) -> Location<'static> {
    way(&[key])
}

fn index(index: usize) -> Location<'static> {
    Location(vec![Step::Index(index)])
}

struct Search<'o> {
    object: Value<'o>,
    found: Vec<Installed>,
}

impl Search<'_> {
    fn sources(&mut self, spec: &Location<'static>) {
        let mut sources = vec![spec.below(key("source"))];
        let more = spec.below(key("sources"));
        let count = self
            .object
            .at(&more)
            .map_or(0, |list| list.elements().count());
        sources.extend((0..count).map(|position| more.below(index(position))));
        for source in sources {
            let helm = source.below(key("helm"));
            for values in ["values", "valuesObject"] {
                self.values(&helm.below(key(values)));
            }
            self.parameters(&helm.below(key("parameters")));
            self.overrides(&source.below(way(&["kustomize", "images"])));
        }
    }

    /// Values, as they are or as the text of a file.
    fn values(&mut self, at: &Location<'static>) {
        let Some(value) = self.object.at(at) else {
            return;
        };
        let mut values = Values::default();
        let Some(text) = value.text() else {
            values.add(value, Path::new(""), &[]);
            for image in values.images() {
                let path = at.below(image.repository.path.clone());
                self.add(&image, path.clone(), path.to_string(), None);
            }
            return;
        };
        manifest::documents(&text, &mut |part| {
            let Ok(document) = part else { return };
            let Some(root) = document.tree.root() else {
                return;
            };
            let mut values = Values::default();
            values.add(root, Path::new(""), &[]);
            for image in values.images() {
                let own = &image.repository.path;
                let within = document.in_file(&root.locate(own).span);
                self.add(&image, at.clone(), format!("{at}: {own}"), Some(within));
            }
        });
    }

    /// Parameters by name, as `--set` takes them.
    fn parameters(&mut self, at: &Location<'static>) {
        let mut values = Values::default();
        let parameters = self.object.at(at).into_iter().flat_map(Value::elements);
        for (position, parameter) in parameters.enumerate() {
            if let (Some(name), Some(text)) =
                (parameter.text_at(&["name"]), parameter.text_at(&["value"]))
            {
                let path = at.below(index(position)).below(key("value"));
                let site = Site {
                    file: Path::new("").to_owned(),
                    path,
                    text: text.into_owned(),
                };
                values.set(&name, site);
            }
        }
        for image in values.images() {
            let path = image.repository.path.clone();
            self.add(&image, path.clone(), path.to_string(), None);
        }
    }

    /// Entries as `images` of a kustomization has them.
    fn entries(&mut self, at: &Location<'static>) {
        let entries = self.object.at(at).into_iter().flat_map(Value::elements);
        let mut found = Vec::new();
        for (position, entry) in entries.enumerate() {
            let text = |name: &str| entry.text_at(&[name]).filter(|text| !text.is_empty());
            let named = [("newName", text("newName")), ("name", text("name"))];
            let named = named
                .into_iter()
                .find_map(|(name, text)| Some((name, text?)));
            let Some((name, repository)) = named else {
                continue;
            };
            let (tag, digest) = (text("newTag"), text("digest"));
            let mut image = repository.into_owned();
            image.extend(tag.iter().flat_map(|tag| [":", tag]));
            image.extend(digest.iter().flat_map(|digest| ["@", digest]));
            let path = at.below(index(position)).below(key(name));
            found.push(Installed {
                has_tag: tag.is_some() || digest.is_some(),
                place: path.to_string(),
                path,
                within: None,
                written: String::new(),
                image,
            });
        }
        self.found.extend(found);
    }

    /// `redis=ghcr.io/org/redis:7`, as `kustomize edit set image` takes it.
    fn overrides(&mut self, at: &Location<'static>) {
        let entries = self.object.at(at).into_iter().flat_map(Value::elements);
        for (position, entry) in entries.enumerate() {
            let Some(text) = entry.text() else { continue };
            let image = text
                .split_once('=')
                .map_or(text.as_ref(), |(_, image)| image);
            let path = at.below(index(position));
            self.found
                .push(installed(image, path.clone(), path.to_string(), None));
        }
    }

    /// The images of containers in the texts of patches.
    fn patches(&mut self, at: &Location<'static>) {
        let patches = self.object.at(at).into_iter().flat_map(Value::elements);
        for (position, patch) in patches.enumerate() {
            let path = at.below(index(position)).below(key("patch"));
            let Some(text) = patch.text_at(&["patch"]) else {
                continue;
            };
            manifest::documents(&text, &mut |part| {
                let Ok(document) = part else { return };
                let Some(root) = document.tree.root() else {
                    return;
                };
                let mut images = Vec::new();
                add_patched(root, &Location::default(), false, &mut images);
                for (own, image) in images {
                    let within = document.in_file(&root.locate(&own).span);
                    let place = format!("{path}: {own}");
                    self.found
                        .push(installed(&image, path.clone(), place, Some(within)));
                }
            });
        }
    }

    fn add(
        &mut self,
        image: &ValueImage,
        path: Location<'static>,
        place: String,
        within: Option<Range<usize>>,
    ) {
        // A list of containers is found as such, wherever it is.
        let steps = image.repository.path.steps();
        let is_list = |key: &str| ["containers", "initContainers"].contains(&key);
        let is_container = steps
            .windows(2)
            .any(|pair| matches!(pair, [Step::Key(key), Step::Index(_)] if is_list(key)));
        if !is_container || within.is_some() {
            self.found.push(Installed {
                written: image.repository.text.clone(),
                ..installed(&image.reference(), path, place, within)
            });
        }
    }
}

fn installed(
    image: &str,
    path: Location<'static>,
    place: String,
    within: Option<Range<usize>>,
) -> Installed {
    let parts = crate::image::Parts::of(image);
    Installed {
        has_tag: parts.tag.is_some() || parts.digest.is_some(),
        image: image.to_owned(),
        written: image.to_owned(),
        path,
        place,
        within,
    }
}

/// Adds the images of a patch: of its containers, or what an operation puts in the place of one.
fn add_patched(
    value: Value<'_>,
    way: &Location<'static>,
    is_container: bool,
    found: &mut Vec<(Location<'static>, String)>,
) {
    if way.steps().len() > DEEPEST {
        return;
    }
    let pointer = value.text_at(&["path"]);
    if pointer.is_some_and(|pointer| pointer.ends_with("/image"))
        && let Some(image) = value.text_at(&["value"])
    {
        found.push((way.below(key("value")), image.into_owned()));
    }
    for (position, element) in value.elements().enumerate() {
        add_patched(element, &way.below(index(position)), is_container, found);
    }
    for (name, member) in value.members() {
        let name = name.text().unwrap_or_default();
        let below = way.below(Location(vec![Step::Key(name.clone().into_owned().into())]));
        if is_container
            && name == "image"
            && let Some(image) = member.text()
        {
            found.push((below, image.into_owned()));
            continue;
        }
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        add_patched(member, &below, lists.contains(&name.as_ref()), found);
    }
}
