//! The kustomizations around some files, and what each root of them builds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::closure::{Kustomization, Named, kustomization_in};
use super::copy::{self, Copy, Edits, clean};
use super::tool::Tool;
use super::{BuiltObject, Layer, Origin, Unbuilt};
use crate::input::{self, Exclude, Input, from_here};
use crate::judge::is_kustomization_name;
use crate::manifest::{self, Document, Value};
use crate::object::objects;
use crate::work_tree;

/// The annotations in which kustomize notes where an object comes from. Its own output never has them
/// unless they are asked for.
const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// The kustomizations of the work trees that some files are in. Paths are without links.
#[derive(Debug, Default)]
pub(crate) struct Kustomizations {
    pub(crate) by_folder: BTreeMap<PathBuf, Kustomization>,
    pub(crate) roots: Vec<Root>,
}

/// A kustomization that no other includes, or one of those that include each other.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    /// Its own file.
    pub(crate) file: PathBuf,
    /// All that it reads, its own file among them.
    pub(crate) files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    /// A component by itself changes nothing that is known.
    pub(crate) is_component: bool,
    /// What stands in the way of building it.
    obstacle: Option<Unbuilt>,
}

impl Kustomizations {
    /// Reads every kustomization of the work trees that files are in. Outside a work tree: of the
    /// working folder, for what is below it, else of the file's own folder.
    pub(crate) fn find(inputs: &[Input], exclude: Option<&Exclude>) -> Self {
        let here = std::env::current_dir().and_then(fs::canonicalize).ok();
        let here = here.filter(|here| here.parent().is_some());
        let mut folders = BTreeSet::new();
        for input in inputs.iter().filter(|input| !input::is_stdin(input.path())) {
            if let Ok(file) = fs::canonicalize(input.path())
                && let Some(folder) = file.parent()
            {
                folders.insert(folder.to_owned());
            }
        }
        let root = |folder: &PathBuf| {
            let top = work_tree::top(folder).map(Path::to_owned);
            top.or_else(|| here.clone().filter(|here| folder.starts_with(here)))
                .unwrap_or_else(|| folder.clone())
        };
        let roots: BTreeSet<_> = folders.iter().map(root).collect();
        let mut found = Self::default();
        for root in roots {
            for file in input::all_files(&root) {
                let below = file.strip_prefix(&root).unwrap_or(&file);
                let is_excluded = exclude.is_some_and(|exclude| exclude.covers(&file, below));
                if file.to_str().is_some_and(is_kustomization_name) && !is_excluded {
                    found.add(&file);
                }
            }
        }
        found.find_roots();
        found
    }

    /// Reads a kustomization and those that it includes.
    fn add(&mut self, file: &Path) {
        let mut files = vec![file.to_owned()];
        while let Some(file) = files.pop() {
            let folder = file
                .parent()
                .and_then(|folder| fs::canonicalize(folder).ok());
            let (Some(folder), Some(name)) = (folder, file.file_name()) else {
                continue;
            };
            if self.by_folder.contains_key(&folder) {
                continue;
            }
            let read = Kustomization::read(&folder.join(name));
            let included = read.folders.iter();
            files.extend(included.filter_map(|named| kustomization_in(&named.real)));
            self.by_folder.insert(folder, read);
        }
    }

    fn find_roots(&mut self) {
        let mut included = BTreeSet::new();
        for (folder, read) in &self.by_folder {
            let others = read.folders.iter().map(|named| &named.real);
            included.extend(others.filter(|other| *other != folder).cloned());
        }
        let (lower, mut outer): (Vec<_>, Vec<_>) = self
            .by_folder
            .keys()
            .cloned()
            .partition(|folder| included.contains(folder));
        let mut reached = BTreeSet::new();
        // Those that include each other have no root among them: one has to say so.
        outer.extend(lower);
        for folder in outer {
            if !reached.contains(&folder) {
                let root = self.root(folder);
                reached.extend(root.folders.iter().cloned());
                self.roots.push(root);
            }
        }
        self.roots
            .sort_by(|one, other| one.folder.cmp(&other.folder));
    }

    fn root(&self, folder: PathBuf) -> Root {
        let own = self.by_folder.get(&folder);
        let mut root = Root {
            file: own.map(|own| own.file.clone()).unwrap_or_default(),
            is_component: own.is_some_and(|own| own.is_component),
            folder: folder.clone(),
            files: BTreeSet::new(),
            folders: BTreeSet::new(),
            obstacle: None,
        };
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            let Some(read) = self.by_folder.get(&folder) else {
                continue;
            };
            if !root.folders.insert(folder) {
                continue;
            }
            root.files.extend(fs::canonicalize(&read.file));
            root.files
                .extend(read.files.iter().map(|named| named.real.clone()));
            folders.extend(read.folders.iter().map(|named| named.real.clone()));
            if let (None, Some(obstacle)) = (&root.obstacle, read.obstacles.first()) {
                root.obstacle = Some(Unbuilt {
                    place: Some((read.file.clone(), obstacle.at.clone())),
                    problem: obstacle.problem.clone(),
                });
            }
        }
        root
    }

    /// Copies what a root reads, and a kustomization around it that asks for what is noted.
    ///
    /// # Errors
    ///
    /// Why it cannot be built.
    fn copy(&self, root: &Root, copy: &Copy, edits: &Edits) -> Result<PathBuf, Unbuilt> {
        if let Some(obstacle) = &root.obstacle {
            return Err(obstacle.clone());
        }
        for folder in &root.folders {
            let Some(read) = self.by_folder.get(folder) else {
                continue;
            };
            let unread = |problem| Unbuilt {
                place: Some((read.file.clone(), 0..0)),
                problem,
            };
            let own = fs::canonicalize(&read.file).unwrap_or_else(|_| read.file.clone());
            copy.add_file(&own, edits).map_err(unread)?;
            copy.add_link(&read.file, &own).map_err(unread)?;
            for Named { path, real } in &read.files {
                let named =
                    |problem| unread(format!("{}: {problem}", input::name(&from_here(real))));
                copy.add_file(real, edits).map_err(named)?;
                copy.add_link(path, real).map_err(named)?;
            }
            for Named { path, real } in &read.folders {
                copy.add_link(path, real).map_err(unread)?;
            }
        }
        let outer = copy.own("roots").join(self.position(root).to_string());
        let written = self.write_outer(root, copy, &outer);
        written.map_err(|problem| Unbuilt {
            place: None,
            problem,
        })?;
        Ok(outer)
    }

    fn position(&self, root: &Root) -> usize {
        let mut roots = self.roots.iter();
        roots
            .position(|known| known.folder == root.folder)
            .unwrap_or_default()
    }

    fn write_outer(&self, root: &Root, copy: &Copy, outer: &Path) -> Result<(), String> {
        let own = self.by_folder.get(&root.folder);
        let inside = copy.inside(&root.folder);
        let below = inside.strip_prefix(copy.own("")).unwrap_or(&inside);
        let mut outermost = serde_json::json!({
            "resources": [Path::new("../..").join(below)],
            "buildMetadata": ["originAnnotations", "transformerAnnotations"],
        });
        // kustomize reads this of the outermost kustomization alone.
        let openapi = own.and_then(|own| own.openapi.as_deref());
        if let Some(Ok(mut openapi)) = openapi.map(serde_json::from_str::<serde_json::Value>) {
            if let Some(path) = openapi.get_mut("path") {
                let schema = path.as_str().map(|path| clean(&root.folder.join(path)));
                let schema = schema.and_then(|path| fs::canonicalize(path).ok());
                copy::write(
                    &outer.join("schema"),
                    input::read_bytes(&schema.unwrap_or_default())?,
                )?;
                *path = "schema".into();
            }
            if let Some(map) = outermost.as_object_mut() {
                map.insert("openapi".to_owned(), openapi);
            }
        }
        copy::write(&outer.join("kustomization.yaml"), outermost.to_string())
    }

    /// Builds some of the roots, each once, with files that have another text; tells each that is done.
    pub(crate) fn build(
        &self,
        tool: &Tool,
        roots: &[&Root],
        edits: &Edits,
        done: &(dyn Fn() + Sync),
    ) -> Vec<Result<Vec<BuiltObject>, Unbuilt>> {
        use rayon::prelude::*;
        let copy = match Copy::new() {
            Ok(copy) => copy,
            Err(error) => {
                let problem = format!("no temporary folder: {}", crate::failure::reason(&error));
                let unbuilt = Unbuilt {
                    place: None,
                    problem,
                };
                return roots.iter().map(|_| Err(unbuilt.clone())).collect();
            }
        };
        let outers: Vec<_> = roots
            .iter()
            .map(|root| self.copy(root, &copy, edits))
            .collect();
        let built = outers
            .into_par_iter()
            .map(|outer| {
                let outer = outer?;
                let printed = tool.run(&[&outer], &copy.home());
                let built = printed.and_then(|text| read(&text, &outer, &copy));
                done();
                built.map_err(|problem| Unbuilt {
                    place: None,
                    problem: copy.as_in_tree(&problem),
                })
            })
            .collect();
        copy.close();
        built
    }
}

impl Root {
    /// As reports show it: its folder.
    pub(crate) fn name(&self) -> String {
        input::name(&from_here(&self.folder))
    }
}

/// Reads what a build printed.
fn read(text: &str, outer: &Path, copy: &Copy) -> Result<Vec<BuiltObject>, String> {
    let mut built = Vec::new();
    let mut unreadable = None;
    let mut notes = Notes {
        outer,
        copy,
        layers: BTreeMap::new(),
    };
    manifest::documents(text, &mut |part| match part {
        Ok(document) => built.extend(notes.object(&document)),
        Err(error) => unreadable = Some(error.problem),
    });
    match unreadable {
        Some(problem) => Err(format!("what it builds cannot be read: {problem}")),
        None => Ok(built),
    }
}

/// What kustomize notes of objects.
struct Notes<'n> {
    outer: &'n Path,
    copy: &'n Copy,
    /// Most objects of a build have the same.
    layers: BTreeMap<String, Vec<Layer>>,
}

impl Notes<'_> {
    fn object(&mut self, document: &Document<'_>) -> Option<BuiltObject> {
        let root = document.tree.root()?;
        // An empty list is no object.
        objects(&document.tree)?;
        let note = |key| root.text_at(&["metadata", "annotations", key]);
        let layers = note(TRANSFORMATIONS).unwrap_or_default();
        if !self.layers.contains_key(layers.as_ref()) {
            let read = self.read_layers(&layers);
            self.layers.insert(layers.to_string(), read);
        }
        Some(BuiltObject {
            json: without_notes(root),
            origin: note(ORIGIN).map_or(Origin::Unknown, |note| self.origin(&note)),
            layers: self
                .layers
                .get(layers.as_ref())
                .cloned()
                .unwrap_or_default(),
        })
    }

    fn read_layers(&self, note: &str) -> Vec<Layer> {
        let mut layers = Vec::new();
        manifest::documents(note, &mut |part| {
            let Ok(document) = part else { return };
            let entries = document.tree.root().into_iter().flat_map(Value::elements);
            layers.extend(entries.filter_map(|entry| {
                Some(Layer {
                    file: self.file(&entry.text_at(&["configuredIn"])?)?,
                    kind: entry.text_at(&["configuredBy", "kind"])?.into_owned(),
                })
            }));
        });
        layers
    }

    fn origin(&self, note: &str) -> Origin {
        let mut origin = Origin::Unknown;
        manifest::documents(note, &mut |part| {
            let Ok(document) = part else { return };
            let Some(root) = document.tree.root() else {
                return;
            };
            if let Some(file) = root.text_at(&["path"]).and_then(|path| self.file(&path)) {
                origin = Origin::File(file);
            } else if let Some(file) = root
                .text_at(&["configuredIn"])
                .and_then(|path| self.file(&path))
            {
                let field = match root.text_at(&["configuredBy", "kind"]).as_deref() {
                    Some("SecretGenerator") => "secretGenerator",
                    _ => "configMapGenerator",
                };
                origin = Origin::Generator { file, field };
            }
        });
        origin
    }

    /// A file of the tree, by its path from the kustomization that was built.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let file = self.copy.outside(&clean(&self.outer.join(path)))?;
        fs::canonicalize(file).ok()
    }
}

/// An object as JSON without the annotations that were asked for.
fn without_notes(root: Value<'_>) -> String {
    let without = |map: Value<'_>, change: &dyn Fn(&str, Value<'_>) -> Option<String>| {
        let members = map.members().filter_map(|(key, value)| {
            let value = change(&key.text().unwrap_or_default(), value)?;
            Some(format!("{}:{value}", key.json()))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let same = |value: Value<'_>| Some(value.json().to_owned());
    without(root, &|key, value| match key {
        "metadata" if value.is_map() => Some(without(value, &|key, value| match key {
            "annotations" if value.is_map() => {
                let rest = without(value, &|key, value| match key {
                    ORIGIN | TRANSFORMATIONS => None,
                    _ => same(value),
                });
                Some(rest).filter(|rest| rest != "{}")
            }
            _ => same(value),
        })),
        _ => same(value),
    })
}
