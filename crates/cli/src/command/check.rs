//! `rollout-guard check`: the verdict of admission over files.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard::json;
use rollout_guard::policy::Policy;
use rollout_guard::settings::Settings;
use rollout_guard::workload::ImagePath;

use crate::baseline::Baseline;
use crate::config::{Config, FailOn, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error, reason, warn};
use crate::finding::{Counts, FileReport, Gap, Unjudged};
use crate::input::{self, Input};
use crate::judge::{Contents, File, Judge, only_mirrors};
use crate::object::Identity;
use crate::output::Output;
use crate::policy_file::Source;
use crate::progress::Progress;
use crate::report::{Format, Gaps, GroupBy, Run, count};
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
    --output rollout-guard.sarif deploy/
  rollout-guard check -s settings.yaml --group-by image \\
    --baseline accepted.yaml deploy/")]
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

    /// Violations that do not fail, as `--write-baseline` wrote them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    baseline: Option<PathBuf>,

    /// Write what is found into the file of `--baseline`, so that only new violations fail
    #[arg(long, requires = "baseline")]
    write_baseline: bool,

    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Put findings together, each message once; for the human format
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupBy>,

    /// Write the report into a file, and the summary to standard error
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

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
        let read = settings_of(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let judge = self.judging.judge(&sources, &settings, &in_force.namespace);
        let docs_urls = docs_urls(&settings);
        let notes = notes(&sources);

        if self.group_by.is_some() && self.format != Format::Human {
            return Err(Failure::wrong_use(
                "--group-by is for the human format: leave it out, or --format",
            ));
        }
        let mut baseline = self.accepted(&in_force)?;
        let mut output = self.output_file()?;
        let out: &mut dyn Write = match &mut output {
            Some(output) => output,
            None => out,
        };

        let found = input::find(&self.paths, &in_force.exclude);
        found.warnings.iter().for_each(|warning| warn(warning));
        let mut report = self.format.report(self.quiet, self.group_by);
        let mut counts = Counts::default();
        let mut gaps = Gaps::default();
        let mut progress = Progress::new(found.inputs.len());
        for batch in found.inputs.chunks(BATCH) {
            let mut files: Vec<_> = batch
                .par_iter()
                .map(|input| judged(&judge, input))
                .collect();
            if let Some(baseline) = &mut baseline.accepted {
                for file in &mut files {
                    baseline.apply(file);
                }
            }
            progress.aside(|| {
                files.iter().try_for_each(|file| {
                    counts += file.counts;
                    gaps.add(&file.gaps);
                    report.file(out, file)
                })
            })?;
            progress.advance(batch.len());
        }
        progress.end();
        gaps.add(&submodules(&found.submodules));
        let outcome = baseline.accepted.map(Baseline::end).transpose()?;
        let run = Run {
            counts,
            gaps: &gaps,
            excluded: found.excluded,
            namespace: judge.namespace,
            notes: &notes,
            docs_urls: &docs_urls,
            baseline: outcome.as_ref(),
        };
        report.end(out, &run)?;
        if let (Some(output), Some(path)) = (output, &self.output) {
            let finished = output
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error);
            finished
                .and_then(Output::finish)
                .map_err(|error| cannot_write(path, &error))?;
        }
        if !self.quiet {
            self.format.tell_aside(&run, self.output.is_some());
        }
        let exit = self.exit(&run, &in_force.fail_on);
        Ok(if baseline.is_unusable {
            Exit::Unreadable
        } else {
            exit
        })
    }

    /// What a team has accepted; nothing where that cannot be used, so that everything fails.
    fn accepted(&self, in_force: &InForce) -> Result<Accepted, Failure> {
        let Some(path) = &self.baseline else {
            return Ok(Accepted::default());
        };
        if self.write_baseline {
            let has_warnings = in_force.fail_on.contains(&FailOn::Warnings);
            return Ok(Accepted {
                accepted: Some(Baseline::to_write(path, has_warnings)?),
                is_unusable: false,
            });
        }
        Ok(match Baseline::read(path) {
            Ok(baseline) => Accepted {
                accepted: Some(baseline),
                is_unusable: false,
            },
            Err(problem) => {
                error(&format!("{problem}; every violation counts"));
                Accepted {
                    accepted: None,
                    is_unusable: true,
                }
            }
        })
    }

    /// Begins the file of the report.
    fn output_file(&self) -> Result<Option<BufWriter<Output>>, Failure> {
        let Some(path) = &self.output else {
            return Ok(None);
        };
        let output = Output::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Some(BufWriter::new(output.without_colours())))
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
        if is_empty || is_incomplete || counts.unreadable_files > 0 {
            Exit::Unreadable
        } else if counts.errors > 0 || warns {
            Exit::Violations
        } else {
            Exit::Clean
        }
    }
}

/// A baseline, if it is asked for and can be used.
#[derive(Default)]
struct Accepted {
    accepted: Option<Baseline>,
    is_unusable: bool,
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let name = input::name(path);
    Failure::unreadable(format!("{name}: not written: {}", reason(error)))
}

/// Why nothing was judged, and what to do.
fn nothing_judged(run: &Run<'_>) -> String {
    let counts = run.counts;
    let why = if counts.not_covered > 0 {
        "the rules of the policy leave every object out".to_owned()
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
            mirrors: settings.iter().map(only_mirrors).collect(),
            image_paths: image_paths(settings),
            namespace,
            asks_for_namespace: settings.iter().any(Settings::asks_for_namespace),
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
pub(crate) fn settings_of<'s>(
    sources: &'s [Source<'_>],
) -> Result<Vec<json::Document<'s>>, Failure> {
    sources
        .iter()
        .map(|source| json::Document::of(source.json()))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::wrong_use(format!("settings: not readable: {error}")))
}

/// The settings of policies, checked.
pub(crate) fn settings<'n>(
    file: &SettingsFile,
    sources: &[Source<'_>],
    documents: &'n [json::Document<'n>],
) -> Result<Vec<Settings<'n>>, Failure> {
    let mut valid = Vec::new();
    let mut shown = Vec::new();
    for (source, document) in sources.iter().zip(documents) {
        match Settings::validate(document.root()) {
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

/// What is not as in a cluster, and by which policy.
pub(super) fn notes(sources: &[Source<'_>]) -> Vec<String> {
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
