//! What a kustomization reads, from its own file: so a root is known to need no network and to run
//! nothing before it is built.
//!
//! Fields are those of `types.Kustomization` of kustomize 5, and its older ones.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::copy::clean;
use crate::input;
use crate::judge::KUSTOMIZATIONS;
use crate::manifest::{self, Value};
use crate::work_tree;

/// Fields that list files and folders.
const RESOURCES: [&str; 3] = ["resources", "bases", "components"];

/// Fields that list files.
const FILES: [&str; 2] = ["crds", "configurations"];

/// Fields that list what generates and transforms: files and folders of configurations, or the
/// configurations themselves.
const PLUGINS: [&str; 3] = ["generators", "transformers", "validators"];

/// Fields that list maps, and the keys in them that name a file or list files.
const MAPS: [(&str, &[&str]); 5] = [
    ("patches", &["path"]),
    ("patchesJson6902", &["path"]),
    ("replacements", &["path"]),
    ("configMapGenerator", &["files", "envs", "env"]),
    ("secretGenerator", &["files", "envs", "env"]),
];

/// Fields by which kustomize runs Helm, which it does with `--enable-helm` alone.
const HELM: [&str; 2] = ["helmCharts", "helmChartInflationGenerator"];

/// What stands in the way of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Where in the file.
    pub(crate) at: Range<usize>,
    pub(crate) problem: String,
}

/// A path that a kustomization names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// As it is written, from the root of the file system.
    pub(crate) path: PathBuf,
    /// Without links.
    pub(crate) real: PathBuf,
}

/// A kustomization, and what it names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kustomization {
    /// Its file, in a folder without links.
    pub(crate) file: PathBuf,
    pub(crate) is_component: bool,
    pub(crate) files: Vec<Named>,
    pub(crate) folders: Vec<Named>,
    /// The value of `openapi`, as JSON: of the kustomization that is built only its own counts.
    pub(crate) openapi: Option<String>,
    /// Folders of Helm charts that it would render, and its values for them.
    pub(crate) charts: Vec<PathBuf>,
    pub(crate) obstacles: Vec<Obstacle>,
}

impl Kustomization {
    /// Reads a kustomization by the path of its file, in a folder without links.
    pub(crate) fn read(file: &Path) -> Self {
        let mut reader = Reader {
            folder: file.parent().unwrap_or(Path::new("/")),
            top: file.parent().and_then(work_tree::top),
            found: Self {
                file: file.to_owned(),
                ..Self::default()
            },
        };
        match input::read(file) {
            Ok(read) => reader.text(&read.text),
            Err(unread) => reader.obstacle(0..0, unread.problem),
        }
        let names = KUSTOMIZATIONS.iter();
        if names
            .filter(|name| reader.folder.join(name).exists())
            .count()
            > 1
        {
            let problem = format!(
                "its folder has more than one of `{}`",
                KUSTOMIZATIONS.join("`, `")
            );
            reader.obstacle(0..0, problem);
        }
        let real = fs::canonicalize(file).unwrap_or_default();
        if reader.top.is_some_and(|top| !real.starts_with(top)) {
            reader.obstacle(0..0, "its file leads out of the work tree".to_owned());
        }
        reader.found
    }
}

/// The file by which kustomize builds a folder.
pub(crate) fn kustomization_in(folder: &Path) -> Option<PathBuf> {
    let files = KUSTOMIZATIONS.iter().map(|name| folder.join(name));
    files.into_iter().find(|file| file.is_file())
}

struct Reader<'f> {
    folder: &'f Path,
    /// The top of the work tree: nothing outside it is read.
    top: Option<&'f Path>,
    found: Kustomization,
}

impl Reader<'_> {
    fn text(&mut self, text: &str) {
        let mut is_read = false;
        manifest::documents(text, &mut |part| match part {
            Ok(document) if !is_read => {
                is_read = true;
                if let Some(root) = document.tree.root() {
                    self.root(root, document.offset);
                }
            }
            Ok(document) => {
                let at = document.tree.root().map_or(0..0, Value::span);
                let problem = "a kustomization is one document".to_owned();
                self.obstacle(document.in_file(&at), problem);
            }
            Err(error) => {
                self.obstacle(error.at..error.at + 1, error.problem);
                self.guess(text);
            }
        });
    }

    /// It is built some other way, and whatever in it is a path may be included.
    fn guess(&mut self, text: &str) {
        let is_path = |mark: char| !mark.is_whitespace() && !"\"'[],{}=".contains(mark);
        for word in text.split(|mark| !is_path(mark)) {
            if !word.contains(['.', '/']) {
                continue;
            }
            if let Some(named) = self.named(word) {
                if named.real.is_dir() {
                    self.found.folders.push(named);
                } else {
                    self.found.files.push(named);
                }
            }
        }
    }

    fn root(&mut self, root: Value<'_>, offset: usize) {
        self.found.is_component = root
            .get("kind")
            .is_some_and(|kind| kind.is_text("Component"));
        let mut names = Vec::new();
        for (key, value) in root.members() {
            let at = |value: Value<'_>| {
                let span = value.span();
                offset + span.start..offset + span.end
            };
            let key_at = at(key);
            let key = key.text().unwrap_or_default();
            let entries = value.elements().chain(value.is_map().then_some(value));
            if RESOURCES.contains(&key.as_ref()) || FILES.contains(&key.as_ref()) {
                for entry in entries {
                    names.push((entry.text(), at(entry)));
                }
            } else if PLUGINS.contains(&key.as_ref()) {
                for entry in entries {
                    self.plugin(entry.text().as_deref(), at(entry));
                }
            } else if key == "patchesStrategicMerge" {
                let patches = entries.map(|entry| (entry.text(), at(entry)));
                names.extend(
                    patches
                        .filter(|(patch, _)| patch.as_ref().is_none_or(|patch| !is_inline(patch))),
                );
            } else if HELM.contains(&key.as_ref()) {
                let problem = format!("`{key}` runs Helm, which is not done: render the chart");
                self.obstacle(key_at, problem);
                self.charts(root, value);
            } else if key == "openapi" {
                self.found.openapi = Some(value.json().to_owned());
                if let Some(path) = value.get("path") {
                    names.push((path.text(), at(path)));
                }
            } else if let Some((_, keys)) = MAPS.iter().find(|(field, _)| *field == key) {
                for (key, value) in entries.flat_map(Value::members) {
                    if !keys.iter().any(|known| key.is_text(known)) {
                        continue;
                    }
                    let files = value.elements().chain((!value.is_list()).then_some(value));
                    for file in files.filter(|file| !file.is_null()) {
                        // A generator names the key that a file becomes: `app.yaml=deploy/app.yaml`.
                        let path = file.text().map(|text| match text.split_once('=') {
                            Some((_, path)) => path.to_owned().into(),
                            None => text,
                        });
                        names.push((path, at(file)));
                    }
                }
            }
        }
        for (name, at) in names {
            match name {
                Some(name) if name.is_empty() => {}
                Some(name) => self.add(&name, at),
                None => self.obstacle(at, "expected a path".to_owned()),
            }
        }
    }

    /// Adds a path that has to be there.
    fn add(&mut self, name: &str, at: Range<usize>) {
        if is_remote(name) {
            let problem = format!("`{name}` is remote, and nothing is fetched");
            self.obstacle(at, problem);
            return;
        }
        match self.named(name) {
            None => self.obstacle(at, format!("`{name}` is not there")),
            Some(named) if self.top.is_some_and(|top| !named.real.starts_with(top)) => {
                self.obstacle(at, format!("`{name}` leads out of the work tree"));
            }
            Some(named) if named.real.is_dir() => self.found.folders.push(named),
            Some(named) if named.real.is_file() => {
                self.hold_aliases(&named.real, &at, name);
                self.found.files.push(named);
            }
            Some(_) => self.obstacle(at, format!("`{name}` is no file")),
        }
    }

    fn named(&self, name: &str) -> Option<Named> {
        if name.contains(['\n', '\0']) {
            return None;
        }
        let path = clean(&self.folder.join(name));
        let real = fs::canonicalize(&path).ok()?;
        Some(Named { path, real })
    }

    /// A file whose aliases stand for more than a cluster would take: kustomize would write it out.
    fn hold_aliases(&mut self, file: &Path, at: &Range<usize>, name: &str) {
        let Ok(read) = input::read(file) else { return };
        if !read.text.contains('*') || !read.text.contains('&') {
            return;
        }
        manifest::documents(&read.text, &mut |part| {
            if let Err(error) = part
                && error.problem.contains("aliases")
            {
                self.obstacle(at.clone(), format!("`{name}`: {}", error.problem));
            }
        });
    }

    /// A configuration of kustomize's own, or something that would have to be run.
    fn plugin(&mut self, text: Option<&str>, at: Range<usize>) {
        let Some(text) = text else {
            return self.obstacle(at, "expected a path or a configuration".to_owned());
        };
        if is_inline(text) {
            self.configuration("it", text, &at);
            return;
        }
        self.add(text, at.clone());
        let mut folders: Vec<_> = self.named(text).into_iter().collect();
        let mut seen = Vec::new();
        while let Some(named) = folders.pop() {
            if named.real.is_dir() && !seen.contains(&named.real) {
                seen.push(named.real.clone());
                if let Some(file) = kustomization_in(&named.real) {
                    let inner = Kustomization::read(&file);
                    folders.extend(inner.files);
                    folders.extend(inner.folders);
                }
            } else if let Ok(read) = input::read(&named.real)
                && named.real.is_file()
            {
                self.configuration(&format!("`{text}`"), &read.text, &at);
            }
        }
    }

    fn configuration(&mut self, name: &str, text: &str, at: &Range<usize>) {
        let mut is_plugin = false;
        manifest::documents(text, &mut |part| {
            let Ok(document) = part else { return };
            let root = document.tree.root();
            let api_version = root.and_then(|root| root.text_at(&["apiVersion"]));
            let kind = root.and_then(|root| root.text_at(&["kind"]));
            let is_helm = kind.is_some_and(|kind| kind.starts_with("HelmChartInflation"));
            is_plugin |= is_helm || api_version.is_none_or(|version| version != "builtin");
        });
        if is_plugin {
            let problem = format!("{name} is a plugin, and none is run");
            self.obstacle(at.clone(), problem);
        }
    }

    fn charts(&mut self, root: Value<'_>, charts: Value<'_>) {
        let home = root.text_at(&["helmGlobals", "chartHome"]);
        let home = self.folder.join(home.as_deref().unwrap_or("charts"));
        for chart in charts.elements() {
            let name = chart.text_at(&["name"]);
            let folder = name.map(|name| home.join(name.as_ref()));
            let more = chart
                .get("additionalValuesFiles")
                .into_iter()
                .flat_map(Value::elements);
            let values = chart.get("valuesFile").into_iter().chain(more);
            let values = values
                .filter_map(Value::text)
                .map(|file| self.folder.join(file.as_ref()));
            let paths: Vec<_> = folder.into_iter().chain(values).collect();
            self.found
                .charts
                .extend(paths.iter().flat_map(fs::canonicalize));
        }
    }

    fn obstacle(&mut self, at: Range<usize>, problem: String) {
        self.found.obstacles.push(Obstacle { at, problem });
    }
}

/// Whether an entry is a configuration or a patch itself, and no path.
fn is_inline(text: &str) -> bool {
    text.contains('\n') || text.trim_start().starts_with('{') || text.contains(": ")
}

/// Whether kustomize would fetch what an entry names: a URL (`git.NewRepoSpecFromURL`, and
/// `HasRemoteFileScheme` of its loader), or a repository in the short form of scp and GitHub.
fn is_remote(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("git::").unwrap_or(&name);
    let is_scp = || {
        let host = name.split('/').next().unwrap_or_default();
        host.split_once('@')
            .is_some_and(|(_, host)| host.contains(':'))
    };
    name.contains("://")
        || name.starts_with("git@")
        || ["github.com/", "github.com:", "www.github.com/"]
            .iter()
            .any(|host| name.starts_with(host))
        || is_scp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kustomize_would_fetch_is_remote() {
        for (name, remote) in [
            ("https://example.com/a.yaml", true),
            ("HTTPS://example.com/a.yaml", true),
            ("git::https://example.com/org/repo", true),
            ("github.com/org/repo/deploy?ref=v1", true),
            ("GitHub.com/org/repo", true),
            ("git@github.com:org/repo.git", true),
            ("user@host.example:org/repo", true),
            ("ssh://git@host/org/repo", true),
            ("file:///srv/repo", true),
            ("../../base", false),
            ("deploy@v2/base", false),
            ("example.com/base", false),
            ("github.company/base", false),
        ] {
            assert_eq!(is_remote(name), remote, "{name}");
        }
    }
}
