//! Where a value of a built object is decided.
//!
//! kustomize says which file an object comes from and which kustomizations changed it, in order
//! (`originAnnotations`, `transformerAnnotations`), but neither lines nor which value was changed. So each
//! layer is asked, from the last one on, whether it writes the value that was built.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rollout_guard::json::{Location, Step};

use super::files::Files;
use super::{BuiltObject, Origin};
use crate::image::Parts;
use crate::manifest::{self, Style, Value};
use crate::object::objects;
use crate::values::ValueImage;

/// A place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) file: PathBuf,
    /// In the file.
    pub(crate) at: Range<usize>,
    pub(crate) by: By,
}

/// What decides a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// An entry of a kustomization's `images`.
    Entry {
        /// The way to it in the first document of the file.
        way: Location<'static>,
    },
    /// A value of a document.
    Value {
        document: usize,
        path: Location<'static>,
    },
    /// A value in a text that is no document of its own: a patch within a kustomization, or a template.
    Text,
    /// An image in the values of a chart.
    Values(Box<ValueImage>),
    /// Something that makes it of other values, or that is not known: the place is as near as can be.
    Other,
}

/// A step on the way to a value that leads to the same one in another version of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NamedStep {
    Key(String),
    /// An element of a list, by its `name` if it has one.
    Element {
        name: Option<String>,
        index: usize,
    },
}

/// The way of a path in a built object.
pub(crate) fn named(object: Value<'_>, path: &Location<'_>) -> Vec<NamedStep> {
    let mut at = Some(object);
    let mut steps = Vec::new();
    for step in path.steps() {
        match step {
            Step::Key(key) => {
                at = at.and_then(|value| value.get(key));
                steps.push(NamedStep::Key(key.to_string()));
            }
            Step::Index(index) => {
                at = at.and_then(|value| value.element(*index));
                let name = at.and_then(|value| value.text_at(&["name"]));
                steps.push(NamedStep::Element {
                    name: name.map(std::borrow::Cow::into_owned),
                    index: *index,
                });
            }
            Step::Each => {}
        }
    }
    steps
}

/// The path of a named way in another version of the object, as far as it leads there; and whether it
/// leads to its end.
pub(crate) fn follow(object: Value<'_>, steps: &[NamedStep]) -> (Location<'static>, bool) {
    let mut at = object;
    let mut path = Vec::new();
    for step in steps {
        let next = match step {
            NamedStep::Key(key) => at
                .get(key)
                .map(|value| (Step::Key(key.clone().into()), value)),
            NamedStep::Element { name, index } => {
                let position = match name {
                    Some(name) => at.position_of(name),
                    None => Some(*index),
                };
                position.and_then(|position| Some((Step::Index(position), at.element(position)?)))
            }
        };
        let Some((step, value)) = next else {
            return (Location(path), false);
        };
        path.push(step);
        at = value;
    }
    (Location(path), true)
}

/// A value of a built object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'w> {
    pub(crate) built: &'w BuiltObject,
    /// The object.
    pub(crate) object: Value<'w>,
    pub(crate) path: &'w Location<'w>,
    /// What is of interest in an image is its tag or digest, and not where it is.
    pub(crate) is_about_tag: bool,
}

impl Wanted<'_> {
    fn text(&self) -> Option<String> {
        let value = self.object.at(self.path)?;
        value.text().map(std::borrow::Cow::into_owned)
    }
}

/// Where a value is decided; none where its object comes from no file that can be read.
pub(crate) fn decide(files: &Files<'_>, wanted: Wanted<'_>) -> Option<Decision> {
    let text = wanted.text();
    let steps = named(wanted.object, wanted.path);
    if let Some(text) = &text {
        let search = Search {
            files,
            wanted,
            steps: &steps,
            text,
        };
        let layers = wanted.built.layers.iter().rev();
        let mut asked = Vec::new();
        for layer in layers {
            // Each entry of a field is a layer of its own.
            if asked.contains(&layer) {
                continue;
            }
            asked.push(layer);
            let found = match layer.kind.as_str() {
                "ImageTagTransformer" => search.entry(&layer.file),
                "PatchTransformer"
                | "PatchStrategicMergeTransformer"
                | "PatchJson6902Transformer" => search.patch(&layer.file),
                "AnnotationsTransformer" | "LabelTransformer" => search.metadata(&layer.file),
                "ReplacementTransformer" => search.replacement(&layer.file),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
    }
    from_origin(files, wanted, &steps, text.as_deref())
}

fn from_origin(
    files: &Files<'_>,
    wanted: Wanted<'_>,
    steps: &[NamedStep],
    text: Option<&str>,
) -> Option<Decision> {
    let name = wanted
        .object
        .text_at(&["metadata", "name"])
        .unwrap_or_default();
    match &wanted.built.origin {
        Origin::File(file) => {
            let kind = wanted.object.text_at(&["kind"]).unwrap_or_default();
            let documents = files.documents(file);
            let all = documents
                .iter()
                .enumerate()
                .flat_map(|(position, document)| {
                    let objects = objects(&document.tree).unwrap_or_default().into_iter();
                    objects.map(move |object| (position, document, object))
                });
            // Layers add prefixes, suffixes and hashes.
            let (position, document, object) = all
                .filter(|(_, _, object)| object.kind == kind && name.contains(object.name.as_ref()))
                .max_by_key(|(_, _, object)| object.name.len())?;
            let (path, is_whole) = follow(object.value, steps);
            let found = object.value.at(&path).and_then(Value::text);
            let is_it = is_whole && text.is_some() && found.as_deref() == text;
            let place = object.value.locate(&path);
            let mut at = if is_whole && !path.steps().is_empty() {
                match place.style {
                    Style::Flow | Style::Indented => place.key.unwrap_or(place.span),
                    _ => place.span,
                }
            } else {
                // What is missing is missed in the object.
                let metadata = object.value.get("metadata");
                let name = metadata.and_then(|metadata| metadata.get("name"));
                let stands_for = match steps.len() {
                    0 => name,
                    _ => None,
                };
                stands_for.map_or_else(|| place.key.unwrap_or(place.span), Value::span)
            };
            at = document.in_file(&at);
            Some(Decision {
                file: file.clone(),
                at,
                by: if is_it {
                    By::Value {
                        document: position,
                        path: object.way.below(path),
                    }
                } else {
                    By::Other
                },
            })
        }
        Origin::Generator { file, field } => {
            let document = files.documents(file).first()?;
            let root = document.tree.root()?;
            let generators = root.get(field).into_iter().flat_map(Value::elements);
            let named = generators.filter_map(|generator| generator.get("name"));
            let found = named
                .filter(|value| value.text().is_some_and(|own| name.contains(own.as_ref())))
                .max_by_key(|value| value.span().len());
            let at = found.map_or(0..0, Value::span);
            Some(Decision {
                file: file.clone(),
                at: document.in_file(&at),
                by: By::Other,
            })
        }
        Origin::Unknown => None,
    }
}

struct Search<'s, 't> {
    files: &'s Files<'t>,
    wanted: Wanted<'s>,
    steps: &'s [NamedStep],
    text: &'s str,
}

impl Search<'_, '_> {
    /// The entry of a kustomization's `images` of which an image was made: the last one that makes it.
    fn entry(&self, file: &Path) -> Option<Decision> {
        let document = self.files.documents(file).first()?;
        let root = document.tree.root()?;
        if !matches!(self.steps.last(), Some(NamedStep::Key(key)) if key == "image") {
            return None;
        }
        let of_fields = ["images", "imageTags"].into_iter().flat_map(|field| {
            let entries = root.get(field).into_iter().flat_map(Value::elements);
            entries.enumerate().map(move |(index, entry)| {
                let way = vec![Step::Key(field.into()), Step::Index(index)];
                (Location(way), entry)
            })
        });
        // A configuration of the transformer has one.
        let alone = root
            .get("imageTag")
            .map(|entry| (Location(vec![Step::key("imageTag")]), entry));
        let entries: Vec<_> = of_fields.chain(alone).collect();
        let is_it = |(_, entry): &&(Location<'static>, Value<'_>)| makes(*entry, self.text);
        let (way, entry) = entries.iter().rev().find(is_it)?;
        let fields = if self.wanted.is_about_tag {
            ["newTag", "digest", "newName", "name"]
        } else {
            ["newName", "name", "newTag", "digest"]
        };
        let decides = fields.iter().find_map(|key| entry.get(key));
        let at = decides.unwrap_or(*entry).span();
        Some(Decision {
            file: file.to_owned(),
            at: document.in_file(&at),
            by: By::Entry { way: way.clone() },
        })
    }

    /// The value of a patch that a kustomization names or holds.
    fn patch(&self, file: &Path) -> Option<Decision> {
        let document = self.files.documents(file).first()?;
        let root = document.tree.root()?;
        let mut patches = Vec::new();
        for (field, has_target) in [
            ("patches", true),
            ("patchesJson6902", true),
            ("patchesStrategicMerge", false),
        ] {
            let entries = root.get(field).into_iter().flat_map(Value::elements);
            for entry in entries {
                if has_target {
                    patches.push((entry.get("path"), entry.get("patch"), entry.get("target")));
                } else {
                    patches.push((Some(entry), Some(entry), None));
                }
            }
        }
        // A patch may be a file of its own, named in `transformers`.
        patches.push((root.get("path"), root.get("patch"), root.get("target")));
        patches.iter().rev().find_map(|(path, patch, target)| {
            if target.is_some_and(|target| !self.is_target(target)) {
                return None;
            }
            let name = path.and_then(Value::text);
            let named = name.filter(|name| !name.contains('\n')).and_then(|name| {
                let folder = file.parent()?;
                std::fs::canonicalize(super::copy::clean(&folder.join(name.as_ref()))).ok()
            });
            if let Some(named) = named {
                return self.patch_file(&named, target.is_some());
            }
            let inline = (*patch)?;
            let text = inline.text()?;
            let within = self.patch_text(&text, target.is_some())?;
            let outer = document.in_file(&inline.span());
            let raw = self.files.text(file)?.get(outer.clone())?;
            let found = manifest::within_scalar(raw, &text, &within, self.text);
            Some(Decision {
                file: file.to_owned(),
                by: found.as_ref().map_or(By::Other, |_| By::Text),
                at: found.map_or(outer.clone(), |at| {
                    outer.start + at.start..outer.start + at.end
                }),
            })
        })
    }

    fn is_target(&self, target: Value<'_>) -> bool {
        let object = self.wanted.object;
        let is_kind = |kind: &str| object.get("kind").is_some_and(|found| found.is_text(kind));
        target.text_at(&["kind"]).is_none_or(|kind| is_kind(&kind))
    }

    fn patch_file(&self, file: &Path, has_target: bool) -> Option<Decision> {
        let documents = self.files.documents(file).iter().enumerate();
        documents.rev().find_map(|(position, document)| {
            let root = document.tree.root()?;
            let path = self.in_patch(root, has_target)?;
            let at = root.locate(&path).span;
            Some(Decision {
                file: file.to_owned(),
                at: document.in_file(&at),
                by: By::Value {
                    document: position,
                    path,
                },
            })
        })
    }

    /// Where the value is in the text of a patch.
    fn patch_text(&self, text: &str, has_target: bool) -> Option<Range<usize>> {
        let mut found = None;
        manifest::documents(text, &mut |part| {
            let Ok(document) = part else { return };
            let Some(root) = document.tree.root() else {
                return;
            };
            if let Some(path) = self.in_patch(root, has_target) {
                found = Some(document.in_file(&root.locate(&path).span));
            }
        });
        found
    }

    /// The path of the value in a patch: a strategic merge, or the operations of RFC 6902.
    fn in_patch(&self, root: Value<'_>, has_target: bool) -> Option<Location<'static>> {
        let is_value = |path: &Location<'_>| {
            let value = root.at(path).and_then(Value::text);
            value.as_deref() == Some(self.text)
        };
        if root.is_list() {
            let operations: Vec<_> = root.elements().enumerate().collect();
            return operations.iter().rev().find_map(|(index, operation)| {
                let pointer = operation.text_at(&["path"])?;
                let rest = self.below(&pointer)?;
                let value = operation.get("value")?;
                let (below, is_whole) = follow(value, rest);
                let path = Location(vec![Step::Index(*index), Step::key("value")]).below(below);
                (is_whole && is_value(&path)).then_some(path)
            });
        }
        let object = self.wanted.object;
        let name = object.text_at(&["metadata", "name"]).unwrap_or_default();
        let is_same = |key: &str, own: Option<&str>| root.text_at(&[key]).as_deref() == own;
        let is_named = |own: &str| name.contains(own);
        let is_object = is_same("kind", object.text_at(&["kind"]).as_deref())
            && root
                .text_at(&["metadata", "name"])
                .is_some_and(|own| is_named(&own));
        if !has_target && !is_object {
            return None;
        }
        let (path, is_whole) = follow(root, self.steps);
        (is_whole && is_value(&path)).then_some(path)
    }

    /// What is left of the way behind a JSON pointer; none if that leads elsewhere.
    fn below(&self, pointer: &str) -> Option<&[NamedStep]> {
        let mut steps = self.steps.iter();
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            match steps.next()? {
                NamedStep::Key(key) if *key == part => {}
                // An earlier patch may have moved the elements; the text has to agree.
                NamedStep::Element { .. }
                    if part == "-" || part.bytes().all(|byte| byte.is_ascii_digit()) => {}
                _ => return None,
            }
        }
        Some(steps.as_slice())
    }

    /// A value of `commonAnnotations`, `commonLabels` or `labels`.
    fn metadata(&self, file: &Path) -> Option<Decision> {
        let [.., NamedStep::Key(map), NamedStep::Key(key)] = self.steps else {
            return None;
        };
        let document = self.files.documents(file).first()?;
        let root = document.tree.root()?;
        let ways: Vec<Vec<Step<'static>>> = match map.as_str() {
            "annotations" => vec![
                vec![Step::key("commonAnnotations")],
                vec![Step::key("annotations")],
            ],
            "labels" => {
                let pairs = root.get("labels").into_iter().flat_map(Value::elements);
                let way = |index| vec![Step::key("labels"), Step::Index(index), Step::key("pairs")];
                let of_labels = pairs.enumerate().map(|(index, _)| way(index));
                of_labels.chain([vec![Step::key("commonLabels")]]).collect()
            }
            _ => return None,
        };
        ways.into_iter().find_map(|mut way| {
            way.push(Step::Key(key.clone().into()));
            let path = Location(way);
            let value = root.at(&path)?;
            value.is_text(self.text).then(|| Decision {
                file: file.to_owned(),
                at: document.in_file(&value.span()),
                by: By::Value { document: 0, path },
            })
        })
    }

    /// The path of a replacement that leads to the value.
    fn replacement(&self, file: &Path) -> Option<Decision> {
        let document = self.files.documents(file).first()?;
        let root = document.tree.root()?;
        let replacements = root
            .get("replacements")
            .into_iter()
            .flat_map(Value::elements);
        let mut targets = replacements
            .filter_map(|replacement| replacement.get("targets"))
            .flat_map(Value::elements);
        let path = targets.find_map(|target| {
            if target
                .get("select")
                .is_some_and(|select| !self.is_target(select))
            {
                return None;
            }
            let mut paths = target
                .get("fieldPaths")
                .into_iter()
                .flat_map(Value::elements);
            paths.find(|path| path.text().is_some_and(|path| self.is_field_path(&path)))
        })?;
        Some(Decision {
            file: file.to_owned(),
            at: document.in_file(&path.span()),
            by: By::Other,
        })
    }

    /// Whether a field path of a replacement (`spec.containers.[name=app].image`) leads to the value.
    fn is_field_path(&self, path: &str) -> bool {
        let mut steps = self.steps.iter();
        let is_on_the_way = path.split('.').all(|part| match (steps.next(), part) {
            (Some(_), "*") => true,
            (Some(NamedStep::Key(key)), part) => key == part,
            (Some(NamedStep::Element { name, index }), part) => {
                let by_name = part
                    .strip_prefix("[name=")
                    .and_then(|part| part.strip_suffix(']'));
                by_name.is_some_and(|part| name.as_deref() == Some(part))
                    || part.parse() == Ok(*index)
            }
            (None, _) => false,
        });
        is_on_the_way && steps.next().is_none()
    }
}

/// Whether an entry of `images` makes an image: it may be the one of which it was made.
pub(super) fn makes(entry: Value<'_>, image: &str) -> bool {
    let text = |key| entry.text_at(&[key]).filter(|text| !text.is_empty());
    let parts = Parts::of(image);
    let name = text("newName").or_else(|| text("name"));
    let is_name = name.is_some_and(|name| name == parts.name);
    let (tag, digest) = (text("newTag"), text("digest"));
    is_name
        && match (tag, digest) {
            (None, None) => true,
            (tag, digest) => tag.as_deref() == parts.tag && digest.as_deref() == parts.digest,
        }
}
