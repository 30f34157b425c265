//! `.rollout-guard.yaml`: what a repository sets for everybody who runs the command in it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::json;

use crate::failure::{Failure, reason};
use crate::input::{self, Exclude, from_here};
use crate::manifest::Value;
use crate::reader::Reader;
use crate::settings_file::SettingsFile;
use crate::work_tree;

/// The name of the file.
pub(crate) const NAME: &str = ".rollout-guard.yaml";

/// What makes `check` fail besides violations and files that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
pub(crate) enum FailOn {
    /// Only violations: exit code 1 (default)
    Violations,
    /// Also warnings: exit code 1
    Warnings,
    /// Also anything that was not judged, such as templates: exit code 3
    Incomplete,
}

impl FailOn {
    const ALL: [Self; 3] = [Self::Violations, Self::Warnings, Self::Incomplete];

    /// The word for it in options and in the file.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Violations => "violations",
            Self::Warnings => "warnings",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What a repository sets for everybody who runs `rollout-guard` in it. Paths and globs count from the
/// folder of this file.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    deny_unknown_fields,
    transform = crate::settings_schema::not_null
)]
#[expect(
    dead_code,
    reason = "the file is read with the place of each value; the schema is generated from this"
)]
struct Schema {
    /// The settings file, or a policy of Kubewarden that holds the settings.
    #[schemars(length(min = 1), example = "policy/settings.yaml")]
    settings: Option<String>,
    /// Files to leave out when a folder is read: globs as in a `.gitignore`.
    #[schemars(example = ["charts/*/tests"])]
    exclude: Option<Vec<Glob>>,
    /// The namespace for objects without `metadata.namespace`.
    #[schemars(length(min = 1), extend("default" = "default"))]
    namespace: Option<String>,
    /// What makes `check` fail: violations alone, warnings too, or anything that was not judged.
    #[schemars(extend("default" = "violations"))]
    fail_on: Option<OneOrMore>,
    /// The file with violations that do not make `check` fail, as `--write-baseline` wrote them.
    #[schemars(length(min = 1), example = "policy/baseline.yaml")]
    baseline: Option<String>,
    /// Whether kustomizations are built and judged by what they build; `off` judges files one by one.
    #[schemars(extend("default" = "on"))]
    kustomize: Option<Switch>,
    /// How Helm charts are rendered: `off`, or the ways in which charts are installed. A chart that is not
    /// listed is rendered with each file in its folder `ci`, or with its own values.
    #[schemars(extend("default" = "on"))]
    helm: Option<Helm>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "as above")]
enum Helm {
    Switch(Switch),
    Installed(Vec<Installed>),
}

/// A way in which a chart is installed.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    deny_unknown_fields,
    inline,
    transform = crate::settings_schema::not_null
)]
#[expect(dead_code, reason = "as above")]
struct Installed {
    /// The folder of the chart.
    #[schemars(length(min = 1), example = "charts/web")]
    chart: String,
    /// The name of the release; by default that of the chart.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$"))]
    release: Option<String>,
    /// The namespace of the release.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    namespace: Option<String>,
    /// Files of values, each of them a rendering; a list of files is one rendering with all of them, those
    /// behind over those before.
    #[schemars(example = ["values/prod.yaml"])]
    values: Option<Vec<OneOrMoreFiles>>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "as above")]
enum OneOrMoreFiles {
    One(Glob),
    More(Vec<Glob>),
}

// YAML 1.1 reads an unquoted `off` as a boolean, YAML 1.2 as a string.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "as above")]
enum Switch {
    Boolean(bool),
    Word(SwitchWord),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "as above")]
enum SwitchWord {
    On,
    Off,
}

// A glob without which an entry would say nothing.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "as above")]
struct Glob(#[schemars(length(min = 1))] String);

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "as above")]
enum OneOrMore {
    One(FailOn),
    More(Vec<FailOn>),
}

/// The JSON Schema of the file, as `rollout-guard.schema.json` has it.
pub(crate) fn schema() -> String {
    let generator = SchemaSettings::draft07()
        .with_transform(schemars::transform::RecursiveTransform(
            crate::settings_schema::unfold,
        ))
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Schema>();
    let id = concat!(
        "https://raw.githubusercontent.com/rollout-guard/rollout-guard/main/",
        "rollout-guard.schema.json"
    );
    schema.insert("$id".to_owned(), json!(id));
    schema.insert("title".to_owned(), json!("Configuration of rollout-guard"));
    format!("{:#}\n", schema.as_value())
}

/// A value, and the line of the file that sets it.
#[derive(Clone, Debug)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    line: usize,
}

impl<T> Set<T> {
    pub(crate) const fn line(&self) -> usize {
        self.line
    }
}

/// What the file sets; nothing where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// The file, from the working folder.
    pub(crate) file: Option<PathBuf>,
    /// From the working folder.
    pub(crate) settings: Option<Set<PathBuf>>,
    pub(crate) exclude: Option<Set<Vec<String>>>,
    pub(crate) namespace: Option<Set<String>>,
    pub(crate) fail_on: Option<Set<Vec<FailOn>>>,
    /// From the working folder.
    pub(crate) baseline: Option<Set<PathBuf>>,
    pub(crate) kustomize: Option<Set<bool>>,
    pub(crate) helm: Option<Set<Charts>>,
}

/// Whether charts are rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Charts {
    /// Those that are listed as they are installed, others as their folder says.
    Rendered(Vec<HelmChart>),
    Off,
}

/// A way in which a chart is installed. Paths are from the working folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HelmChart {
    pub(crate) folder: PathBuf,
    pub(crate) release: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Files of values, for each rendering.
    pub(crate) values: Vec<Vec<PathBuf>>,
}

impl Config {
    const KEYS: [&'static str; 7] = [
        "settings",
        "exclude",
        "namespace",
        "failOn",
        "baseline",
        "kustomize",
        "helm",
    ];

    /// Reads the file: from the working folder upwards to the top of its work tree, the first one.
    /// Outside a work tree only the working folder is looked at.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or says what cannot be meant.
    pub(crate) fn find() -> Result<Self, Failure> {
        let here = std::env::current_dir().and_then(fs::canonicalize);
        let here = here.map_err(|error| {
            Failure::wrong_use(format!("the working folder: {}", reason(&error)))
        })?;
        let top = work_tree::top(&here).unwrap_or(&here);
        for folder in here
            .ancestors()
            .take_while(|folder| folder.starts_with(top))
        {
            let file = folder.join(NAME);
            if file.symlink_metadata().is_ok() {
                return Self::read(&from_here(folder).join(NAME));
            }
            let misnamed = file.with_extension("yml");
            if misnamed.symlink_metadata().is_ok() {
                return Err(Failure::wrong_use(format!(
                    "{}: not read, rename it to `{NAME}`",
                    input::name(&from_here(folder).join(".rollout-guard.yml"))
                )));
            }
        }
        Ok(Self::default())
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let file = SettingsFile::read(path)?;
        let documents = file.documents()?;
        let mut config = Self {
            file: Some(path.strip_prefix("./").unwrap_or(path).to_owned()),
            ..Self::default()
        };
        let document = match documents.as_slice() {
            [] => return Ok(config),
            [document] => document,
            more => {
                return Err(Failure::wrong_use(format!(
                    "{}: {} documents, expected one",
                    file.name,
                    more.len()
                )));
            }
        };
        let mut reader = Reader::new(&file, document);
        if let Some(root) = document.tree.root() {
            read_root(
                &mut reader,
                root,
                path.parent().unwrap_or(Path::new("")),
                &mut config,
            );
        }
        reader.finish(config)
    }
}

fn read_root(reader: &mut Reader<'_>, root: Value<'_>, folder: &Path, config: &mut Config) {
    if root.is_null() || !reader.is_map(root, "") {
        return;
    }
    for (key, value) in root.members() {
        let name = key.text().unwrap_or_default();
        let line = reader.line(key);
        match name.as_ref() {
            "settings" | "baseline" => {
                let path = reader.text(value, &name);
                let set = path.map(|path| Set {
                    value: folder.join(path),
                    line,
                });
                if name == "settings" {
                    config.settings = set;
                } else {
                    config.baseline = set;
                }
            }
            "namespace" => {
                let namespace = reader.text(value, &name);
                config.namespace = namespace.map(|value| Set { value, line });
            }
            "exclude" => {
                let value = globs(reader, value, &name, folder);
                config.exclude = Some(Set { value, line });
            }
            "failOn" => {
                let value = fail_on(reader, value, &name);
                config.fail_on = Some(Set { value, line });
            }
            "kustomize" => {
                let value = switch(reader, value, &name, "`on` or `off`");
                config.kustomize = value.map(|value| Set { value, line });
            }
            "helm" => {
                let value = charts(reader, value, &name, folder);
                config.helm = value.map(|value| Set { value, line });
            }
            unknown => reader.unknown_key(key, unknown, &Config::KEYS),
        }
    }
}

fn charts(reader: &mut Reader<'_>, value: Value<'_>, path: &str, folder: &Path) -> Option<Charts> {
    if !value.is_list() {
        let is_on = switch(reader, value, path, "`on`, `off` or a list of charts")?;
        return Some(if is_on {
            Charts::Rendered(Vec::new())
        } else {
            Charts::Off
        });
    }
    let charts = value.elements().enumerate();
    let charts =
        charts.map(|(index, value)| chart(reader, value, &format!("{path}[{index}]"), folder));
    Some(Charts::Rendered(charts.collect()))
}

fn chart(reader: &mut Reader<'_>, value: Value<'_>, path: &str, folder: &Path) -> HelmChart {
    let mut chart = HelmChart::default();
    if !reader.is_map(value, path) {
        return chart;
    }
    for (key, member) in value.members() {
        let name = key.text().unwrap_or_default();
        let path = format!("{path}.{name}");
        match name.as_ref() {
            "chart" => {
                let text = reader.text(member, &path);
                chart.folder = text.map(|text| folder.join(text)).unwrap_or_default();
            }
            "release" => chart.release = label(reader, member, &path, 53),
            "namespace" => chart.namespace = label(reader, member, &path, 63),
            "values" => {
                reader.is_list(member, &path);
                for (index, entry) in member.elements().enumerate() {
                    let files = entry.elements().chain((!entry.is_list()).then_some(entry));
                    let path = format!("{path}[{index}]");
                    let files = files.filter_map(|file| reader.text(file, &path));
                    let files = files.map(|file| folder.join(file));
                    chart.values.push(files.collect());
                }
            }
            _ => reader.unknown_key(key, &path, &["chart", "release", "namespace", "values"]),
        }
    }
    if value.get("chart").is_none() {
        reader.error(value, path, "`chart` is missing, the folder of the chart");
    }
    chart
}

/// A name as Kubernetes has them.
fn label(reader: &mut Reader<'_>, value: Value<'_>, path: &str, most: usize) -> Option<String> {
    let text = reader.text(value, path)?;
    if is_label(&text, most) {
        return Some(text);
    }
    let problem = format!("not a name: at most {most} lower-case letters, digits and `-`");
    reader.error(value, path, &problem);
    None
}

/// Whether Kubernetes takes a text for a name of at most so many characters (RFC 1123).
pub(crate) fn is_label(text: &str, most: usize) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=most).contains(&text.len())
        && text.bytes().all(|byte| is_letter(byte) || byte == b'-')
        && text.bytes().next().is_some_and(is_letter)
        && text.bytes().last().is_some_and(is_letter)
}

fn switch(reader: &mut Reader<'_>, value: Value<'_>, path: &str, expected: &str) -> Option<bool> {
    match (value.json(), value.text().as_deref()) {
        ("true", _) | (_, Some("on")) => Some(true),
        ("false", _) | (_, Some("off")) => Some(false),
        _ => {
            reader.error(value, path, &format!("expected {expected}"));
            None
        }
    }
}

fn globs(reader: &mut Reader<'_>, value: Value<'_>, path: &str, folder: &Path) -> Vec<String> {
    if !reader.is_list(value, path) {
        return Vec::new();
    }
    let mut globs = Vec::new();
    for (index, element) in value.elements().enumerate() {
        let path = format!("{path}[{index}]");
        let Some(glob) = reader.text(element, &path) else {
            continue;
        };
        match Exclude::new(folder, std::slice::from_ref(&glob)) {
            Ok(_) => globs.push(glob),
            Err((_, problem)) => reader.error(element, &path, &format!("no glob: {problem}")),
        }
    }
    globs
}

fn fail_on(reader: &mut Reader<'_>, value: Value<'_>, path: &str) -> Vec<FailOn> {
    let words = FailOn::ALL.map(|word| (word.as_str(), word));
    if !value.is_list() {
        return reader.word(value, path, &words).into_iter().collect();
    }
    let elements = value.elements().enumerate();
    elements
        .filter_map(|(index, word)| reader.word(word, &format!("{path}[{index}]"), &words))
        .collect()
}

/// What somebody asks for on the command line; it beats what the file says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options<'o> {
    pub(crate) settings: Option<&'o Path>,
    pub(crate) exclude: &'o [String],
    pub(crate) namespace: Option<&'o str>,
    pub(crate) fail_on: &'o [FailOn],
    /// Files of values, each for a rendering of every chart.
    pub(crate) helm_values: &'o [PathBuf],
}

/// What is in force.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) settings: Option<PathBuf>,
    pub(crate) exclude: Exclude,
    pub(crate) namespace: String,
    pub(crate) fail_on: Vec<FailOn>,
    /// The baseline that the file names.
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) building: Building,
}

/// What is built, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Building {
    pub(crate) kustomize: bool,
    /// None where charts are not rendered.
    pub(crate) helm: Option<HelmConfig>,
}

/// How charts are rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HelmConfig {
    pub(crate) charts: Vec<HelmChart>,
    /// Files of values, each for a rendering of every chart.
    pub(crate) values: Vec<PathBuf>,
    /// Charts that are not listed are left out, unless there are such files.
    pub(crate) only_listed: bool,
}

impl Building {
    /// The files of values that somebody names.
    pub(crate) fn value_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.helm.iter().flat_map(|helm| {
            let of_charts = helm.charts.iter().flat_map(|chart| &chart.values);
            of_charts.flatten().chain(&helm.values)
        })
    }
}

impl InForce {
    /// What options and the file say together.
    ///
    /// # Errors
    ///
    /// Where a glob is none.
    pub(crate) fn new(options: Options<'_>, config: &Config) -> Result<Self, Failure> {
        let exclude = match (&config.exclude, options.exclude) {
            (Some(set), []) => Exclude::new(config.folder(), &set.value),
            (_, globs) => Exclude::new(Path::new("."), globs),
        };
        let path = |set: &Option<Set<PathBuf>>| set.as_ref().map(|set| set.value.clone());
        let namespace = options.namespace.map(str::to_owned);
        Ok(Self {
            settings: options
                .settings
                .map(Path::to_owned)
                .or_else(|| path(&config.settings)),
            baseline: path(&config.baseline),
            exclude: exclude.map_err(|(glob, problem)| {
                Failure::wrong_use(format!("--exclude: `{glob}` is no glob: {problem}"))
            })?,
            namespace: namespace
                .or_else(|| config.namespace.as_ref().map(|set| set.value.clone()))
                .unwrap_or_else(|| "default".to_owned()),
            fail_on: match (&config.fail_on, options.fail_on) {
                (Some(set), []) => set.value.clone(),
                (_, words) => words.to_vec(),
            },
            building: Building {
                kustomize: config.kustomize.as_ref().is_none_or(|set| set.value),
                helm: helm(config, options.helm_values),
            },
        })
    }

    /// The settings file.
    ///
    /// # Errors
    ///
    /// Where none is named.
    pub(crate) fn settings(&self) -> Result<&Path, Failure> {
        self.settings.as_deref().ok_or_else(|| {
            Failure::wrong_use(format!(
                "no settings: name a file with `-s`, or with `settings:` in `{NAME}`"
            ))
        })
    }
}

/// How charts are rendered; files of values on the command line are there to be used.
fn helm(config: &Config, values: &[PathBuf]) -> Option<HelmConfig> {
    let charts = match &config.helm {
        Some(set) => match &set.value {
            Charts::Rendered(charts) => charts.clone(),
            Charts::Off if values.is_empty() => return None,
            Charts::Off => Vec::new(),
        },
        None => Vec::new(),
    };
    Some(HelmConfig {
        charts,
        values: values.to_vec(),
        only_listed: false,
    })
}

impl Config {
    /// The folder of the file, from the working folder.
    fn folder(&self) -> &Path {
        let folder = self.file.as_deref().and_then(Path::parent);
        folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }
}
