//! Helm charts, rendered with each of their values.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use ignore::WalkBuilder;

use super::copy::{self, Copy, Edits, clean};
use super::decision::{By, Decision, Wanted};
use super::files::Files;
use super::plan::Built;
use super::tool::Tool;
use super::{BuiltObject, Origin, Unbuilt};
use crate::config::{HelmChart, HelmConfig, is_label};
use crate::input::{self, from_here};
use crate::manifest::{self, Value};
use crate::object::objects;
use crate::values::{Site, Values};
use crate::work_tree;

/// A chart with more files is not copied: its folder is a repository.
const MOST_FILES: usize = 10_000;

/// Charts within charts within charts are no more than this.
const DEEPEST: usize = 8;

/// A chart that is part of no other.
#[derive(Debug)]
pub(crate) struct Chart {
    /// Without links.
    pub(crate) folder: PathBuf,
    pub(crate) renderings: Vec<Rendering>,
    /// A library renders nothing by itself.
    pub(crate) is_library: bool,
    /// Charts that it takes from other folders: the way to each in the chart, and where it is.
    linked: Vec<(PathBuf, PathBuf)>,
    obstacle: Option<Unbuilt>,
    /// Those of [`Chart::files`], found once.
    all: OnceLock<BTreeSet<PathBuf>>,
}

/// One way in which a chart is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendering {
    /// Files of values, those behind over those before.
    pub(crate) values: Vec<PathBuf>,
    release: String,
    pub(crate) namespace: Option<String>,
}

/// The folder of the chart that a file is a part of: of the outermost, where charts are in `charts` of
/// others.
pub(crate) fn chart_of(file: &Path) -> Option<PathBuf> {
    let found = file.ancestors().skip(1).find(|folder| {
        let is_part = file.strip_prefix(folder).is_ok_and(is_part);
        is_part && folder.join("Chart.yaml").is_file()
    })?;
    let mut folder = found;
    while let Some(charts) = folder.parent()
        && charts.file_name().is_some_and(|name| name == "charts")
        && let Some(outer) = charts.parent()
        && outer.join("Chart.yaml").is_file()
    {
        folder = outer;
    }
    Some(folder.to_owned())
}

/// Whether a path from the folder of a chart is Helm's: the folder may hold other things.
fn is_part(path: &Path) -> bool {
    let mut parts = path.components();
    let first = parts.next().map(Component::as_os_str).unwrap_or_default();
    let first = first.to_string_lossy();
    if parts.next().is_some() {
        return ["templates", "charts", "ci"].contains(&first.as_ref());
    }
    ["Chart.yaml", "Chart.lock", "requirements.yaml"].contains(&first.as_ref())
        || first.starts_with("values.")
        || first.starts_with("values-")
}

impl Chart {
    /// Reads what a chart says of itself.
    pub(crate) fn read(folder: PathBuf, config: &HelmConfig) -> Self {
        let file = folder.join("Chart.yaml");
        let mut chart = Self {
            renderings: Vec::new(),
            is_library: false,
            linked: Vec::new(),
            obstacle: None,
            all: OnceLock::new(),
            folder,
        };
        let mut name = None;
        if let Some((own_name, own_type)) = about(&file) {
            chart.is_library = own_type.as_deref() == Some("library");
            name = own_name;
        }
        let name = name.filter(|name| is_label(name, 53));
        let release = name.unwrap_or_else(|| "release".to_owned());
        let folder = chart.folder.clone();
        chart.add_dependencies(&folder, Path::new(""), 0);
        chart.renderings = renderings(&chart.folder, &release, config);
        let top = work_tree::top(&chart.folder);
        let values = chart.renderings.iter().flat_map(|one| &one.values);
        // What is named on the command line may be anywhere.
        let named: Vec<_> = config.values.iter().flat_map(fs::canonicalize).collect();
        let outside = values
            .filter(|file| !named.contains(file))
            .find(|file| top.is_some_and(|top| !file.starts_with(top)));
        if let Some(outside) = outside {
            let problem = format!(
                "its values `{}` are outside the work tree",
                outside.display()
            );
            chart.obstacle.get_or_insert(Unbuilt {
                place: None,
                problem,
            });
        }
        chart
    }

    /// As reports show it: its folder.
    pub(crate) fn name(&self) -> String {
        input::name(&from_here(&self.folder))
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("Chart.yaml")
    }

    /// All that may decide a value of what it renders.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        self.all.get_or_init(|| self.find_files()).clone()
    }

    /// Every file that Helm sees, in order, with those of values; none where they cannot be listed.
    pub(crate) fn inputs(&self) -> Option<Vec<PathBuf>> {
        let folders = std::iter::once(&self.folder);
        let folders = folders.chain(self.linked.iter().map(|(_, folder)| folder));
        let mut inputs = Vec::new();
        for folder in folders {
            inputs.extend(files_in(folder).ok()?);
        }
        let values = self.renderings.iter().flat_map(|one| &one.values);
        inputs.extend(values.cloned());
        Some(inputs)
    }

    fn find_files(&self) -> BTreeSet<PathBuf> {
        let folders = std::iter::once(&self.folder);
        let folders = folders.chain(self.linked.iter().map(|(_, folder)| folder));
        let mut files: BTreeSet<_> = folders
            .flat_map(|folder| files_in(folder))
            .flatten()
            .collect();
        files.retain(|file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| ["yaml", "yml", "tpl", "json"].contains(&extension))
        });
        files.extend(
            self.renderings
                .iter()
                .flat_map(|one| one.values.iter().cloned()),
        );
        files
    }

    /// Holds what a chart depends on to what is there: nothing is fetched.
    fn add_dependencies(&mut self, folder: &Path, way: &Path, depth: usize) {
        for name in ["Chart.yaml", "requirements.yaml"] {
            let file = folder.join(name);
            for (dependency, repository, at) in dependencies(&file) {
                let charts = folder.join("charts");
                if is_vendored(&charts, &dependency) {
                    continue;
                }
                let local = repository.strip_prefix("file://").and_then(|path| {
                    let path = fs::canonicalize(clean(&folder.join(path))).ok()?;
                    let top = work_tree::top(folder);
                    let is_inside = top.is_none_or(|top| path.starts_with(top));
                    (is_inside && path.join("Chart.yaml").is_file()).then_some(path)
                });
                match local {
                    Some(local) if depth < DEEPEST => {
                        let way = way.join("charts").join(&dependency);
                        self.add_dependencies(&local, &way, depth + 1);
                        self.linked.push((way, local));
                    }
                    _ => {
                        let command =
                            format!("helm dependency build {}", input::name(&from_here(folder)));
                        self.obstacle.get_or_insert(Unbuilt {
                            place: Some((file.clone(), at)),
                            problem: format!("its dependency `{dependency}` is not in `charts`, and nothing is fetched: `{command}`"),
                        });
                    }
                }
            }
        }
    }

    fn copy(&self, copy: &Copy, edits: &Edits) -> Result<(), Unbuilt> {
        if let Some(obstacle) = &self.obstacle {
            return Err(obstacle.clone());
        }
        let unread = |problem| Unbuilt {
            place: None,
            problem,
        };
        let top = work_tree::top(&self.folder);
        let own = (PathBuf::new(), self.folder.clone());
        for (way, folder) in std::iter::once(&own).chain(&self.linked) {
            for file in files_in(folder).map_err(unread)? {
                let below = file.strip_prefix(folder).unwrap_or(&file);
                let path = self.folder.join(way).join(below);
                let real = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
                if top.is_some_and(|top| !real.starts_with(top)) {
                    let name = input::name(&from_here(&self.folder).join(below));
                    return Err(unread(format!("`{name}` leads out of the work tree")));
                }
                let named =
                    |problem| unread(format!("{}: {problem}", input::name(&from_here(&file))));
                copy.add_file_at(&path, &real, edits).map_err(named)?;
            }
        }
        Ok(())
    }
}

/// Renders charts, each once with each of its values; tells each that is done.
pub(crate) fn render(
    tool: &Tool,
    charts: &[&Chart],
    edits: &Edits,
    done: &(dyn Fn() + Sync),
) -> Vec<Result<Vec<Built>, Unbuilt>> {
    use rayon::prelude::*;
    let copy = Copy::new().map_err(|error| Unbuilt {
        place: None,
        problem: format!("no temporary folder: {}", crate::failure::reason(&error)),
    });
    let copied: Vec<_> = charts
        .iter()
        .map(|chart| {
            let copy = copy.as_ref().map_err(Clone::clone)?;
            chart.copy(copy, edits).map(|()| copy)
        })
        .collect();
    let rendered = charts
        .par_iter()
        .zip(copied)
        .enumerate()
        .map(|(position, (chart, copied))| {
            let renderings = chart.renderings.par_iter().enumerate();
            let one = |(number, rendering): (usize, &Rendering)| {
                let name = rendering.name(&chart.name());
                let built = copied.clone().and_then(|copy| {
                    let folder = copy.own("values").join(format!("{position}-{number}"));
                    let printed = run(tool, chart, rendering, copy, &folder, edits);
                    printed
                        .and_then(|text| chart.read_output(&text))
                        .map_err(|problem| Unbuilt {
                            place: None,
                            problem: match copy.as_in_tree(&problem) {
                                problem if rendering.values.is_empty() => problem,
                                problem => format!("{name}: {problem}"),
                            },
                        })
                });
                done();
                built.map(|objects| Built {
                    name,
                    namespace: rendering.namespace.clone(),
                    objects,
                })
            };
            renderings.map(one).collect()
        })
        .collect();
    if let Ok(copy) = copy {
        copy.close();
    }
    rendered
}

fn run(
    tool: &Tool,
    chart: &Chart,
    rendering: &Rendering,
    copy: &Copy,
    folder: &Path,
    edits: &Edits,
) -> Result<String, String> {
    let mut arguments = Vec::new();
    if let Some(namespace) = &rendering.namespace {
        arguments.push(format!("--namespace={namespace}"));
    }
    for (position, file) in rendering.values.iter().enumerate() {
        // Helm splits the names of such files at commas, and fetches what looks like a URL.
        let copied = folder.join(format!("{position}.yaml"));
        let bytes = match edits.get(file) {
            Some(bytes) => bytes.clone(),
            None => input::read_bytes(file)
                .map_err(|problem| format!("{}: {problem}", input::name(&from_here(file))))?,
        };
        copy::write(&copied, bytes)?;
        arguments.push(format!("--values={}", copied.display()));
    }
    arguments.extend(["--".to_owned(), rendering.release.clone()]);
    arguments.push(copy.inside(&chart.folder).display().to_string());
    tool.run(&arguments, &copy.home())
}

impl Chart {
    /// Reads what Helm printed: each object with the template that it is from.
    fn read_output(&self, text: &str) -> Result<Vec<BuiltObject>, String> {
        let mut built = Vec::new();
        let mut unreadable = None;
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                let origin = self.origin(text.get(document.offset..).unwrap_or_default());
                let objects = objects(&document.tree).unwrap_or_default().into_iter();
                built.extend(objects.map(|object| BuiltObject {
                    json: object.value.json().to_owned(),
                    origin: origin.clone(),
                    layers: Vec::new(),
                }));
            }
            Err(error) => unreadable = Some(error.problem),
        });
        match unreadable {
            Some(problem) => Err(format!("what it renders cannot be read: {problem}")),
            None => Ok(built),
        }
    }

    fn origin(&self, document: &str) -> Origin {
        let mut lines = document
            .lines()
            .take_while(|line| line.starts_with(['#', '-']));
        let source = lines.find_map(|line| line.strip_prefix("# Source: "));
        let below = source.and_then(|source| source.split_once('/'));
        let Some((_, below)) = below else {
            return Origin::Unknown;
        };
        let below = Path::new(below);
        // The longest way is that of the innermost chart.
        let linked = self.linked.iter().filter(|(way, _)| below.starts_with(way));
        let linked = linked.max_by_key(|(way, _)| way.components().count());
        let file = match linked {
            Some((way, folder)) => folder.join(below.strip_prefix(way).unwrap_or(below)),
            None => self.folder.join(below),
        };
        fs::canonicalize(file).map_or(Origin::Unknown, Origin::File)
    }

    /// Where a value of a rendering is decided: in values, else in the template.
    pub(crate) fn decide(
        &self,
        files: &Files<'_>,
        rendering: &Rendering,
        wanted: Wanted<'_>,
    ) -> Option<Decision> {
        let Origin::File(template) = &wanted.built.origin else {
            return None;
        };
        let text = files.text(template)?;
        let value = wanted.object.at(wanted.path).and_then(Value::text);
        let key = wanted
            .path
            .steps()
            .iter()
            .rev()
            .find_map(|step| match step {
                rollout_guard::json::Step::Key(key) => Some(key.as_ref()),
                _ => None,
            });
        let lines = files.lines_of_key(template, key.unwrap_or("kind"));
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            if let Some(line) = lines.only(value) {
                return Some(in_template(template, value_in(text, &line, value)));
            }
            let values = self.values(files, rendering, template);
            if !key.is_some_and(|key| key == "image" || key == "reference") {
                if let Some(site) = key.and_then(|key| values.member(key, value)) {
                    return in_values(files, site, By::Other);
                }
            } else if let Some(image) = values.find(value) {
                let of_tag = image.tag.as_ref().or(image.digest.as_ref());
                let site = match of_tag.filter(|_| wanted.is_about_tag) {
                    Some(site) => site,
                    None => image.registry.as_ref().unwrap_or(&image.repository),
                };
                return in_values(files, site, By::Values(Box::new(image.clone())));
            }
        }
        let kinds = files.lines_of_key(template, "kind");
        let line = match lines.all.as_slice() {
            [only] => Some(only),
            _ => kinds.all.first(),
        };
        Some(in_template(template, line.cloned().unwrap_or(0..0)))
    }

    /// The values that a template of the chart sees, merged.
    fn values(&self, files: &Files<'_>, rendering: &Rendering, template: &Path) -> Values {
        let mut values = Values::default();
        let linked = self
            .linked
            .iter()
            .find(|(_, folder)| template.starts_with(folder));
        let way = match linked {
            Some((way, folder)) => way.join(template.strip_prefix(folder).unwrap_or(template)),
            None => template
                .strip_prefix(&self.folder)
                .unwrap_or(template)
                .to_owned(),
        };
        let parts: Vec<_> = way.iter().map(|part| part.to_string_lossy()).collect();
        let mut keys = Vec::new();
        let mut inner = Vec::new();
        let mut folder = PathBuf::new();
        for pair in parts.chunks(2) {
            match pair {
                [charts, name] if charts == "charts" => {
                    folder = folder.join("charts").join(name.as_ref());
                    keys.push(name.as_ref());
                    let real = self.linked.iter().find(|(way, _)| *way == folder);
                    let real =
                        real.map_or_else(|| self.folder.join(&folder), |(_, real)| real.clone());
                    inner.push((real.join("values.yaml"), keys.clone()));
                }
                _ => break,
            }
        }
        let mut add = |file: &Path, keys: &[&str]| {
            let root = files
                .documents(file)
                .first()
                .and_then(|document| document.tree.root());
            if let Some(root) = root {
                values.add(root, file, keys);
            }
        };
        for (file, keys) in inner.iter().rev() {
            add(file, keys);
        }
        add(&self.folder.join("values.yaml"), &[]);
        for file in &rendering.values {
            add(file, &[]);
        }
        values
    }
}

type Line = std::ops::Range<usize>;

fn value_in(text: &str, line: &Line, value: &str) -> Line {
    let written = text.get(line.clone()).unwrap_or_default();
    let at = written
        .rfind(value)
        .map_or(line.start, |at| line.start + at);
    at..at + value.len()
}

fn in_values(files: &Files<'_>, site: &Site, by: By) -> Option<Decision> {
    let document = files.documents(&site.file).first()?;
    let place = document.tree.root()?.locate(&site.path);
    Some(Decision {
        file: site.file.clone(),
        at: document.in_file(&place.span),
        by,
    })
}

fn in_template(template: &Path, at: Line) -> Decision {
    Decision {
        file: template.to_owned(),
        at,
        by: By::Text,
    }
}

/// The name and the type of a chart.
fn about(file: &Path) -> Option<(Option<String>, Option<String>)> {
    let read = input::read(file).ok()?;
    let mut about = None;
    manifest::documents(&read.text, &mut |part| {
        let Ok(document) = part else { return };
        let root = document.tree.root();
        let text = |key| Some(root?.text_at(&[key])?.into_owned());
        about = Some((text("name"), text("type")));
    });
    about
}

/// What a chart depends on: name, repository and place.
fn dependencies(file: &Path) -> Vec<(String, String, std::ops::Range<usize>)> {
    let Ok(read) = input::read(file) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    manifest::documents(&read.text, &mut |part| {
        let Ok(document) = part else { return };
        let root = document.tree.root();
        let entries = root.and_then(|root| root.get("dependencies"));
        for entry in entries.into_iter().flat_map(Value::elements) {
            if let Some(name) = entry.get("name")
                && let Some(text) = name.text()
            {
                let repository = entry.text_at(&["repository"]).unwrap_or_default();
                let at = document.in_file(&name.span());
                found.push((text.into_owned(), repository.into_owned(), at));
            }
        }
    });
    found
}

/// Whether `charts` has a chart: as a folder, or as an archive with its version.
fn is_vendored(charts: &Path, name: &str) -> bool {
    let is_it = |entry: fs::DirEntry| {
        let file = entry.file_name();
        let file = file.to_string_lossy();
        let archive = file
            .strip_suffix(".tgz")
            .and_then(|file| file.strip_prefix(name));
        archive.is_some_and(|version| version.starts_with('-'))
            || about(&entry.path().join("Chart.yaml"))
                .is_some_and(|(own, _)| own.as_deref() == Some(name))
    };
    let entries = fs::read_dir(charts).into_iter().flatten();
    entries.filter_map(Result::ok).any(is_it)
}

/// The files of a folder, through links.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let top = work_tree::top(folder);
    let walk = |follows_links| {
        let mut walk = WalkBuilder::new(folder);
        walk.standard_filters(false)
            .follow_links(follows_links)
            .filter_entry(|entry| entry.file_name() != ".git")
            .sort_by_file_name(Ord::cmp);
        walk.build()
    };
    for entry in walk(false).filter_map(Result::ok) {
        let is_outside = |path: &Path| {
            let real = fs::canonicalize(path);
            top.is_some_and(|top| real.is_ok_and(|real| !real.starts_with(top)))
        };
        if entry.path_is_symlink() && is_outside(entry.path()) {
            let name = input::name(
                &from_here(folder).join(entry.path().strip_prefix(folder).unwrap_or(folder)),
            );
            return Err(format!("`{name}` leads out of the work tree"));
        }
    }
    let mut files = Vec::new();
    for entry in walk(true) {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(entry.into_path());
        }
        if files.len() > MOST_FILES {
            return Err(format!("its folder has more than {MOST_FILES} files"));
        }
    }
    Ok(files)
}

/// The ways in which a chart is installed: those of the configuration, else with each file of `ci` as
/// chart-testing has it, else with its own values. Files on the command line stand in for all of these.
fn renderings(folder: &Path, release: &str, config: &HelmConfig) -> Vec<Rendering> {
    let real = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let own = config
        .charts
        .iter()
        .filter(|chart| real(&chart.folder) == folder);
    let mut installed: Vec<_> = own.cloned().collect();
    if installed.is_empty() {
        installed.push(HelmChart {
            values: in_ci(folder).into_iter().map(|file| vec![file]).collect(),
            ..HelmChart::default()
        });
    }
    let with_values = |chart: HelmChart| {
        let mut values = match config.values.as_slice() {
            [] => chart.values,
            named => named.iter().map(|file| vec![file.clone()]).collect(),
        };
        if values.is_empty() {
            values.push(Vec::new());
        }
        values.into_iter().map(move |files| Rendering {
            values: files.iter().map(real).collect(),
            release: chart.release.clone().unwrap_or_else(|| release.to_owned()),
            namespace: chart.namespace.clone(),
        })
    };
    installed.into_iter().flat_map(with_values).collect()
}

/// The files of values with which chart-testing installs a chart.
fn in_ci(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("ci")).into_iter().flatten();
    let files = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = files
        .filter(|file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            file.is_file() && matches!(extension, Some("yaml" | "yml"))
        })
        .collect();
    files.sort();
    files
}

impl Rendering {
    /// The rendering of a chart as reports show it: with its files of values.
    pub(crate) fn name(&self, chart: &str) -> String {
        let files = self.values.iter().map(|file| input::name(&from_here(file)));
        let files: Vec<_> = files.collect();
        if files.is_empty() {
            chart.to_owned()
        } else {
            format!("{chart} with {}", files.join(", "))
        }
    }
}
