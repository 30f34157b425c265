//! What kustomizations include: kustomize decides what becomes of these files.
//!
//! A base of `redis:6.0` under an overlay that sets the tag deploys something else once the base is
//! edited, so nobody may write into it who has not seen the build.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::input::{self, Input, from_here};
use crate::judge::{KUSTOMIZATIONS, is_kustomization_name};
use crate::manifest::{self, Value};
use crate::work_tree;

/// Fields that list files and folders (`types.Kustomization` of kustomize 5, and its older ones).
const LISTS: [&str; 9] = [
    "resources",
    "bases",
    "components",
    "patchesStrategicMerge",
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
];

/// Fields that list maps, and the keys in them that name a file or list files.
const MAPS: [(&str, &[&str]); 7] = [
    ("patches", &["path"]),
    ("patchesJson6902", &["path"]),
    ("replacements", &["path"]),
    ("openapi", &["path"]),
    ("configMapGenerator", &["files", "envs", "env"]),
    ("secretGenerator", &["files", "envs", "env"]),
    ("helmCharts", &["valuesFile", "additionalValuesFiles"]),
];

/// What the kustomizations around some files include. All paths are without links.
#[derive(Debug, Default)]
pub(crate) struct Included {
    /// The folder of a kustomization that names a file.
    files: BTreeMap<PathBuf, PathBuf>,
    /// Folders of Helm charts, and the folder of a kustomization that renders them.
    charts: Vec<(PathBuf, PathBuf)>,
    /// The folders of the kustomizations that include that in a folder.
    parents: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    read: BTreeSet<PathBuf>,
}

impl Included {
    /// Reads every kustomization of the work trees that files are in. Outside a work tree: of the
    /// working folder, for what is below it, else of the file's own folder.
    pub(crate) fn find(inputs: &[Input]) -> Self {
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
        let mut included = Self::default();
        for root in roots {
            for file in input::all_files(&root) {
                if file.to_str().is_some_and(is_kustomization_name) {
                    included.add_kustomization(&file);
                }
            }
        }
        included
    }

    fn add_kustomization(&mut self, file: &Path) {
        let Ok(file) = fs::canonicalize(file) else {
            return;
        };
        let (Some(folder), true) = (file.parent(), self.read.insert(file.clone())) else {
            return;
        };
        let Ok(read) = input::read(&file) else {
            return;
        };
        let mut is_readable = true;
        manifest::documents(&read.text, &mut |part| match part {
            Ok(document) => {
                if let Some(root) = document.tree.root() {
                    self.add_fields(folder, root);
                }
            }
            Err(_) => is_readable = false,
        });
        if !is_readable {
            // It is built some other way, and whatever in it is a path may be included.
            let is_path = |mark: char| !mark.is_whitespace() && !"\"'[],{}=".contains(mark);
            for word in read.text.split(|mark| !is_path(mark)) {
                if word.contains(['.', '/']) {
                    self.add(folder, word);
                }
            }
        }
    }

    fn add_fields(&mut self, folder: &Path, root: Value<'_>) {
        let mut charts = Vec::new();
        let mut chart_home = "charts".to_owned();
        for (key, value) in root.members() {
            let key = key.text().unwrap_or_default();
            if LISTS.contains(&key.as_ref()) {
                for entry in value.elements().filter_map(Value::text) {
                    self.add(folder, &entry);
                }
            }
            let fields = MAPS.iter().find(|(field, _)| *field == key);
            let maps = value.elements().chain(value.is_map().then_some(value));
            for (key, value) in maps.flat_map(Value::members) {
                if !fields.is_some_and(|(_, keys)| keys.iter().any(|known| key.is_text(known))) {
                    continue;
                }
                let entries = value.elements().filter_map(Value::text).chain(value.text());
                for entry in entries {
                    // A generator names the key that a file becomes: `app.yaml=deploy/app.yaml`.
                    let file = entry
                        .split_once('=')
                        .map_or(entry.as_ref(), |(_, file)| file);
                    self.add(folder, file);
                }
            }
            if key == "helmCharts" {
                let names = value
                    .elements()
                    .filter_map(|chart| chart.text_at(&["name"]));
                charts.extend(names.map(Cow::into_owned));
            }
            if key == "helmGlobals"
                && let Some(home) = value.text_at(&["chartHome"])
            {
                chart_home = home.into_owned();
            }
        }
        for chart in charts {
            if let Ok(chart) = fs::canonicalize(folder.join(&chart_home).join(chart)) {
                self.charts.push((chart, folder.to_owned()));
            }
        }
    }

    /// Adds what an entry of the kustomization in a folder names, if that is there: what is elsewhere
    /// has no path.
    fn add(&mut self, folder: &Path, entry: &str) {
        if entry.contains('\n') {
            return;
        }
        let Ok(path) = fs::canonicalize(folder.join(entry)) else {
            return;
        };
        if path.is_dir() {
            if path == folder {
                return;
            }
            self.parents
                .entry(path.clone())
                .or_default()
                .insert(folder.to_owned());
            for name in KUSTOMIZATIONS {
                self.add_kustomization(&path.join(name));
            }
        } else {
            self.files.entry(path).or_insert_with(|| folder.to_owned());
        }
    }

    /// Why a file of a chart must not be written; none if no kustomization renders the chart.
    pub(crate) fn chart_reason(&self, file: &Path) -> Option<String> {
        let is_part = self.charts.iter().any(|(chart, _)| file.starts_with(chart));
        is_part.then(|| self.reason(file)).flatten()
    }

    /// Why a file must not be written; none if no kustomization includes it.
    pub(crate) fn reason(&self, file: &Path) -> Option<String> {
        let file = fs::canonicalize(file).ok()?;
        let of_chart = || {
            let chart = self
                .charts
                .iter()
                .find(|(chart, _)| file.starts_with(chart));
            chart.map(|(_, folder)| folder)
        };
        let folder = self.files.get(&file).or_else(of_chart)?;
        let shown = |folder: &Path| input::name(&from_here(folder));
        let includer = KUSTOMIZATIONS
            .iter()
            .map(|name| folder.join(name))
            .find(|file| file.is_file())
            .map(|file| input::name(&from_here(&file)));
        Some(format!(
            "Kustomize decides what is deployed, since `{}` includes this file: see `kustomize build {}`",
            includer.unwrap_or_else(|| shown(folder)),
            shown(self.outermost(folder)),
        ))
    }

    /// The folder to build: of the kustomization that includes this one in the end.
    fn outermost<'f>(&'f self, folder: &'f Path) -> &'f Path {
        let mut seen = BTreeSet::from([folder]);
        let mut at = folder;
        while let Some(parent) = self.parents.get(at).and_then(BTreeSet::first)
            && seen.insert(parent)
        {
            at = parent;
        }
        at
    }
}
