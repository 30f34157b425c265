//! `rollout-guard check`: the verdict of admission over files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard::json::Node;
use rollout_guard::policy::Policy;
use rollout_guard::settings::Settings;
use rollout_guard::workload::ImagePath;

use crate::build::plan::Plan;
use crate::config::{Config, FailOn, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error, warn};
use crate::finding::{Counts, FileReport, Gap, Unjudged};
use crate::input::{self, Input};
use crate::judge::{Contents, File, Judge};
use crate::object::Identity;
use crate::policy_file::Source;
use crate::progress::Progress;
use crate::report::{Format, Gaps, Run, count};
use crate::settings_file::SettingsFile;

/// As many files are judged before their findings are told.
pub(super) const BATCH: usize = 256;

/// Judge manifests as admission would judge their creation
///
/// In a work tree of Git a folder holds what Git tracks and what it would add. Nothing judged at all is
/// exit code 3.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard check -s settings.yaml deploy/
  helm template charts/web |
    rollout-guard check -s policy.yaml -
  rollout-guard check -s settings.yaml --format sarif \\
    deploy/ > rollout-guard.sarif")]
pub(crate) struct Check {
    /// Files, folders, or `-` for standard input; YAML or JSON
    #[arg(required = true, value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    judging: Judging,

    /// What else makes the command fail
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,

    /// Pass although nothing was judged, as in hooks that get any file
    #[arg(long)]
    allow_empty: bool,

    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Leave out the summary
    #[arg(short, long)]
    quiet: bool,
}

/// What to judge with, and as whom.
#[derive(Args, Debug)]
pub(crate) struct Judging {
    /// The settings, or a policy of Kubewarden that holds them
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) settings: Option<PathBuf>,

    /// Leave out files in folders: a glob as in a `.gitignore`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Namespace for objects without `metadata.namespace` [default: default]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,

    /// Render Helm charts with these values, in place of those of `ci` or the configuration; may be
    /// repeated, each is a rendering
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    helm_values: Vec<PathBuf>,

    /// User name for the simulated request (default: an unprivileged user)
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,

    /// A group of the user; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "user")]
    groups: Vec<String>,

    /// Ask what the audit scanner asks: with no user
    #[arg(long, conflicts_with = "user")]
    audit: bool,
}

impl Check {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let in_force = self.judging.in_force(&self.fail_on)?;
        let settings_path = in_force.settings()?.to_owned();
        input::only_once(std::iter::once(&settings_path).chain(&self.paths))?;
        let file = SettingsFile::read(&settings_path)?;
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
        let read = nodes(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let judge = self.judging.judge(&sources, &settings, &in_force.namespace);
        let docs_urls = docs_urls(&settings);
        let notes = notes(&sources);

        let found = input::find(&self.paths, &in_force.exclude);
        found.warnings.iter().for_each(|warning| warn(warning));
        let mut report = self.format.report(self.quiet);
        let mut counts = Counts::default();
        let mut gaps = Gaps::default();
        let mut image_like = BTreeMap::new();
        let mut add_image_like = |file: &FileReport| {
            for (kind, fields) in &file.image_like {
                *image_like.entry(kind.clone()).or_default() += fields;
            }
        };
        let plan = Plan::new(found.inputs, Some(&in_force.exclude), &in_force.building);
        let progress = Progress::new(plan.plain.len(), "files");
        for batch in plan.plain.chunks(BATCH) {
            let files: Vec<_> = batch
                .par_iter()
                .map(|input| judged(&judge, input))
                .collect();
            progress.aside(|| {
                files.iter().try_for_each(|file| {
                    counts += file.counts;
                    gaps.add(&file.gaps);
                    add_image_like(file);
                    report.file(out, file)
                })
            })?;
            progress.advance(batch.len());
        }
        progress.end();
        for file in plan.judge(&judge) {
            counts += file.counts;
            gaps.add(&file.gaps);
            add_image_like(&file);
            report.file(out, &file)?;
        }
        gaps.add(&submodules(&found.submodules));
        let run = Run {
            counts,
            gaps: &gaps,
            image_like: &image_like,
            excluded: found.excluded,
            namespace: judge.namespace,
            notes: &notes,
            docs_urls: &docs_urls,
        };
        report.end(out, &run)?;
        if !self.quiet {
            self.format.tell_aside(&run);
        }
        Ok(self.exit(&run, &in_force.fail_on))
    }

    /// How a run ends; reports on stderr why, where nobody would see it otherwise.
    fn exit(&self, run: &Run<'_>, fail_on: &[FailOn]) -> Exit {
        let counts = run.counts;
        let is_empty = counts.objects == 0 && !self.allow_empty;
        let is_incomplete = fail_on.contains(&FailOn::Incomplete) && !run.gaps.is_empty();
        if is_empty {
            error(&nothing_judged(run));
        } else if is_incomplete {
            error("not everything was judged:");
        }
        if is_incomplete || (is_empty && self.quiet) {
            run.gaps.report_on_stderr();
        }
        let warns = fail_on.contains(&FailOn::Warnings) && counts.warnings > 0;
        if is_empty || is_incomplete || counts.unreadable_files > 0 || counts.unbuilt > 0 {
            Exit::Unreadable
        } else if counts.errors > 0 || warns {
            Exit::Violations
        } else {
            Exit::Clean
        }
    }
}

/// Why nothing was judged, and what to do.
fn nothing_judged(run: &Run<'_>) -> String {
    let counts = run.counts;
    let why = if counts.not_covered > 0 {
        "the rules of the policy leave every object out".to_owned()
    } else if counts.unbuilt > 0 {
        format!("{} failed", count(counts.unbuilt, "build", "builds"))
    } else if counts.files == 0 {
        "there is no YAML or JSON file".to_owned()
    } else {
        let files = count(counts.files, "file", "files");
        format!("no Kubernetes object in {files}")
    };
    format!("nothing was judged: {why} (--allow-empty lets that pass)")
}

fn submodules(paths: &[PathBuf]) -> Vec<Gap> {
    let gap = |path: &PathBuf| Gap {
        what: Unjudged::Submodule,
        name: input::name(path),
        remedy: "`git submodule update --init`".to_owned(),
    };
    paths.iter().map(gap).collect()
}

/// What is wrong in a file.
fn judged(judge: &Judge<'_>, input: &Input) -> FileReport {
    let path = input.path();
    let read = input.read();
    let contents = match &read {
        Ok(read) => Contents::Text(&read.text),
        Err(unread) if unread.may_be_manifest => Contents::Unreadable(&unread.problem),
        Err(_) => Contents::NoManifest,
    };
    judge.file(&File {
        name: &input::name(path),
        contents,
        chart: &|| input::chart_of(path).map(|chart| input::name(&chart)),
    })
}

impl Judging {
    /// What is in force, by these options and the configuration.
    pub(crate) fn in_force(&self, fail_on: &[FailOn]) -> Result<InForce, Failure> {
        let options = Options {
            settings: self.settings.as_deref(),
            exclude: &self.exclude,
            namespace: self.namespace.as_deref(),
            fail_on,
            helm_values: &self.helm_values,
        };
        InForce::new(options, &Config::find()?)
    }

    pub(crate) fn judge<'p>(
        &self,
        sources: &'p [Source<'p>],
        settings: &'p [Settings<'p>],
        namespace: &'p str,
    ) -> Judge<'p> {
        Judge {
            policies: sources.iter().zip(policies(settings)).collect(),
            image_paths: image_paths(settings),
            namespace,
            asks_for_namespace: sources
                .iter()
                .any(|source| source.json().contains("\"namespaces\"")),
            identity: if self.audit {
                Identity::Nobody
            } else if let Some(name) = &self.user {
                Identity::Person {
                    name: name.clone(),
                    groups: self.groups.clone(),
                }
            } else {
                Identity::somebody()
            },
        }
    }
}

/// Settings, ready to judge.
pub(super) fn policies<'s>(settings: &'s [Settings<'s>]) -> impl Iterator<Item = Policy<'s>> {
    settings.iter().map(Policy::new)
}

/// Where the settings say that images are besides.
pub(super) fn image_paths<'s>(settings: &[Settings<'s>]) -> Vec<ImagePath<'s>> {
    let paths = settings.iter().flat_map(|settings| &settings.image_paths);
    paths.cloned().collect()
}

/// The settings of policies, as the engine reads them.
pub(crate) fn nodes<'d>(sources: &[Source<'d>]) -> Result<Vec<Node<'d>>, Failure> {
    sources
        .iter()
        .map(|source| serde_json::from_str(source.json()))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::wrong_use(format!("settings: not readable: {error}")))
}

/// The settings of policies, checked.
pub(crate) fn settings<'n>(
    file: &SettingsFile,
    sources: &[Source<'_>],
    nodes: &'n [Node<'n>],
) -> Result<Vec<Settings<'n>>, Failure> {
    let mut valid = Vec::new();
    let mut shown = Vec::new();
    for (source, node) in sources.iter().zip(nodes) {
        match Settings::validate(node) {
            Ok(settings) => valid.push(settings),
            Err(errors) => shown.push(file.show_errors(source, errors.iter())),
        }
    }
    if shown.is_empty() {
        Ok(valid)
    } else {
        Err(Failure::laid_out(Exit::WrongUse, shown.concat()))
    }
}

fn docs_urls<'s>(settings: &'s [Settings<'_>]) -> Vec<&'s str> {
    let mut urls: Vec<_> = settings
        .iter()
        .filter_map(|settings| settings.docs_url.as_deref())
        .collect();
    urls.dedup();
    urls
}

fn notes(sources: &[Source<'_>]) -> Vec<String> {
    sources
        .iter()
        .flat_map(|source| {
            let policy = source.policy.as_deref().unwrap_or_default();
            source
                .notes
                .iter()
                .map(move |note| format!("{policy}: {note}"))
        })
        .collect()
}
