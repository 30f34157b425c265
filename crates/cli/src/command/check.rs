//! `rollout-guard check`: the verdict of admission over files.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;
use rollout_guard::json::Node;
use rollout_guard::policy::Policy;
use rollout_guard::settings::Settings;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Counts, FileReport};
use crate::input::{self, Input};
use crate::judge::Judge;
use crate::object::Identity;
use crate::policy_file::Source;
use crate::progress::Progress;
use crate::report::{Format, Run};
use crate::settings_file::SettingsFile;

/// As many files are judged before their findings are told.
pub(super) const BATCH: usize = 256;

/// Judge manifests as admission would judge their creation
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard check -s settings.yaml deploy/
  helm template charts/web | rollout-guard check -s policy.yaml -
  rollout-guard check -s settings.yaml --format sarif deploy/ > rollout-guard.sarif")]
pub(crate) struct Check {
    /// Files, folders, or `-` for standard input; YAML or JSON
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    judging: Judging,

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
    #[arg(short, long, value_name = "FILE")]
    pub(crate) settings: PathBuf,

    /// The namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,

    /// The user who asks; by default somebody whom no settings name
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
        input::only_once(std::iter::once(&self.judging.settings).chain(&self.paths))?;
        let file = SettingsFile::read(&self.judging.settings)?;
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
        let read = nodes(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let judge = self.judging.judge(&sources, &settings);
        let docs_urls = docs_urls(&settings);
        let notes = notes(&sources);

        let inputs = input::find(&self.paths);
        let mut report = self.format.report(self.quiet);
        let mut counts = Counts::default();
        let mut progress = Progress::new(inputs.len());
        for batch in inputs.chunks(BATCH) {
            let files: Vec<_> = batch
                .par_iter()
                .map(|input| judged(&judge, input))
                .collect();
            progress.aside(|| {
                files.iter().try_for_each(|file| {
                    counts += file.counts;
                    report.file(out, file)
                })
            })?;
            progress.advance(batch.len());
        }
        progress.end();
        let run = Run {
            counts,
            namespace: judge.namespace,
            notes: &notes,
            docs_urls: &docs_urls,
        };
        report.end(out, &run)?;
        if !self.quiet {
            self.format.tell_aside(&run);
        }
        Ok(if counts.unreadable_files > 0 {
            Exit::Unreadable
        } else if counts.errors > 0 {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }
}

/// What is wrong in a file.
fn judged(judge: &Judge<'_>, input: &Input) -> FileReport {
    let path = input.path();
    let text = match input {
        Input::File(path) => input::read(path),
        Input::Unreadable { problem, .. } => Err(problem.clone()),
    };
    let text = text.as_deref().map_err(Clone::clone);
    judge.file(input::name(path), text, &|| input::is_chart_template(path))
}

impl Judging {
    pub(crate) fn judge<'p>(
        &'p self,
        sources: &'p [Source<'p>],
        settings: &'p [Settings<'p>],
    ) -> Judge<'p> {
        Judge {
            policies: sources
                .iter()
                .zip(settings.iter().map(Policy::new))
                .collect(),
            namespace: &self.namespace,
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
