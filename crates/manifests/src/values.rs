//! Images in the values of a Helm chart, by their shape.
//!
//! An image is a string (`image: redis:7`), or a map of `registry`?, `repository` | `image` | `name`, `tag`?
//! and `digest`?. Files of values are merged, so each part of such a map may stand in another file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollout_guard::json::{Location, Step};

use crate::image::Parts;
use crate::manifest::Value;

/// A value of the first document of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The file.
    pub file: PathBuf,
    /// The way to it there.
    pub path: Location<'static>,
    /// Its text; that of a number, where it is one.
    pub text: String,
}

/// An image, with the place of each of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueImage {
    /// The registry, where it stands apart.
    pub registry: Option<Site>,
    /// What names it; all of the image where it is a string.
    pub repository: Site,
    /// The tag, where it stands apart.
    pub tag: Option<Site>,
    /// The digest, where it stands apart.
    pub digest: Option<Site>,
    /// It is a string, not a map.
    pub is_text: bool,
}

/// Deeper than an object that is judged.
pub(crate) const DEEPEST: usize = 128;

/// The keys of a map by which it is an image.
const PARTS: [&str; 6] = ["registry", "repository", "image", "name", "tag", "digest"];

/// Values, merged: what is added later beats what was added before.
#[derive(Debug, Default)]
pub struct Values {
    /// The parts of what may be an image, by the path of its map.
    maps: BTreeMap<String, BTreeMap<&'static str, Site>>,
    /// What may be an image that is a string, by its path.
    texts: BTreeMap<String, Site>,
    /// Every string, with its key, by its path.
    members: BTreeMap<String, (String, Site)>,
}

impl Values {
    /// Adds values of a file, which stand below a way of keys.
    pub fn add(&mut self, root: Value<'_>, file: &Path, below: &[&str]) {
        let way = below.iter().map(|key| Step::Key((*key).to_owned().into()));
        self.walk(root, file, &Location(way.collect()), &Location::default());
    }

    /// Adds a value by its name with dots, as `--set` takes it.
    pub fn set(&mut self, name: &str, site: Site) {
        let (map, key) = name.rsplit_once('.').unwrap_or(("", name));
        if let Some(part) = PARTS.iter().find(|part| **part == key) {
            self.maps
                .entry(map.to_owned())
                .or_default()
                .insert(part, site.clone());
        }
        if key.to_ascii_lowercase().ends_with("image") {
            self.texts.insert(name.to_owned(), site);
        }
    }

    fn walk(
        &mut self,
        value: Value<'_>,
        file: &Path,
        merged: &Location<'static>,
        own: &Location<'static>,
    ) {
        if own.steps().len() > DEEPEST {
            return;
        }
        let elements = value.elements().enumerate();
        for (step, element) in elements.map(|(index, element)| (Step::Index(index), element)) {
            let step = Location(vec![step]);
            self.walk(element, file, &merged.below(step.clone()), &own.below(step));
        }
        for (key, member) in value.members() {
            let Some(key) = key.text() else { continue };
            let step = Location(vec![Step::Key(key.clone().into_owned().into())]);
            let (merged_member, own_member) = (merged.below(step.clone()), own.below(step));
            let text = member.text().map(std::borrow::Cow::into_owned);
            // An unquoted tag may be a number.
            let is_number = !member.is_map() && !member.is_list() && member.kind() == "a number";
            let text = text.or_else(|| is_number.then(|| member.json().to_owned()));
            if let Some(text) = text {
                let site = Site {
                    file: file.to_owned(),
                    path: own_member.clone(),
                    text,
                };
                if let Some(part) = PARTS.iter().find(|part| **part == key) {
                    let map = self.maps.entry(format!("{merged:#}")).or_default();
                    map.insert(part, site.clone());
                }
                let member = (key.clone().into_owned(), site.clone());
                self.members.insert(format!("{merged_member:#}"), member);
                if key.to_ascii_lowercase().ends_with("image") && !is_number {
                    self.texts.insert(format!("{merged_member:#}"), site);
                }
            }
            self.walk(member, file, &merged_member, &own_member);
        }
    }

    /// Every image in the values.
    pub fn images(&self) -> Vec<ValueImage> {
        let of_maps = self.maps.iter().filter_map(|(path, map)| {
            let part = |key: &str| map.get(key).filter(|site| !site.text.is_empty()).cloned();
            let is_more = ["registry", "tag", "digest"]
                .iter()
                .any(|key| map.contains_key(key));
            let is_of_image = path.to_ascii_lowercase().ends_with("image");
            // Many things have a name, and a container an image that is a string.
            let named = || {
                part("image")
                    .or_else(|| part("name"))
                    .filter(|_| is_more || is_of_image)
            };
            Some(ValueImage {
                repository: part("repository").or_else(named)?,
                registry: part("registry"),
                tag: part("tag"),
                digest: part("digest"),
                is_text: false,
            })
        });
        let maps: Vec<_> = of_maps.collect();
        let is_part = |site: &Site| {
            let mut repositories = maps.iter().map(|image| &image.repository);
            repositories
                .any(|repository| repository.file == site.file && repository.path == site.path)
        };
        let texts = self
            .texts
            .values()
            .filter(|site| !site.text.is_empty() && !is_part(site));
        let texts = texts.map(|site| ValueImage {
            registry: None,
            repository: site.clone(),
            tag: None,
            digest: None,
            is_text: true,
        });
        let texts: Vec<_> = texts.collect();
        maps.into_iter().chain(texts).collect()
    }

    /// The only string with a key and a text.
    pub fn member(&self, key: &str, text: &str) -> Option<&Site> {
        let all = self.members.values();
        let mut found = all.filter(|(own, site)| own == key && site.text == text);
        let (_, site) = found.next()?;
        found.next().is_none().then_some(site)
    }

    /// The image of which a chart made an image; none where more than one may be it.
    pub fn find(&self, image: &str) -> Option<ValueImage> {
        let scored = self.images().into_iter().filter_map(|value| {
            let score = value.makes(image)?;
            Some((score, value))
        });
        let scored: Vec<_> = scored.collect();
        let best = scored.iter().map(|(score, _)| *score).max()?;
        let mut with_best = scored.into_iter().filter(|(score, _)| *score == best);
        let (_, found) = with_best.next()?;
        with_best.next().is_none().then_some(found)
    }
}

impl ValueImage {
    /// The image as it is written, with what it lacks left out.
    pub fn reference(&self) -> String {
        let mut text = String::new();
        if let Some(registry) = &self.registry {
            text.extend([registry.text.trim_end_matches('/'), "/"]);
        }
        text.push_str(&self.repository.text);
        if let Some(tag) = &self.tag {
            text.extend([":", &tag.text]);
        }
        if let Some(digest) = &self.digest {
            text.extend(["@", &digest.text]);
        }
        text
    }

    /// How well it fits an image that a chart made; none if it does not.
    fn makes(&self, image: &str) -> Option<usize> {
        let own = self.reference();
        if own == image {
            return Some(4);
        }
        let (own, made) = (Parts::of(&own), Parts::of(image));
        // A chart may put a registry before it that stands elsewhere.
        let is_name = own.name == made.name;
        let ends = made
            .name
            .strip_suffix(own.name)
            .is_some_and(|before| before.ends_with('/'));
        if !is_name && !ends {
            return None;
        }
        let is_rest = own.tag.is_none_or(|tag| Some(tag) == made.tag)
            && own.digest.is_none_or(|digest| Some(digest) == made.digest);
        Some(usize::from(is_name) * 2 + usize::from(is_rest))
    }
}
