//! `rollout-guard check`: the verdict of admission over files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard::policy::Policy;
use rollout_guard::settings::Settings;

use crate::baseline::{self, Baseline};
use crate::before;
use crate::build::copy::Edits;
use crate::build::plan::Plan;
use crate::cluster::Kubectl;
use crate::cluster_policies::{self, ClusterPolicies};
use crate::config::{Config, FailOn, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error, warn};
use crate::finding::{Counts, FileReport, Gap, Unjudged};
use crate::input::{self, Input, Text, Unread};
use crate::judge::{Contents, File, Judge, only_guards};
use crate::object::Identity;
use crate::policy_file::Source;
use crate::progress::Progress;
use crate::report::{self, Gaps, Report, Run, count};
use crate::settings_file::{SettingsFile, settings, settings_of};

/// As many files are judged before their findings are told.
pub(super) const BATCH: usize = 256;

/// Check manifests: as new objects, or as changes with --base, --context or --cluster
///
/// A change is judged against the old object: rules about changes apply, and violations that the old object
/// had too pass with a warning. With --base and a cluster, the cluster's object is the old one, and objects
/// that it does not have are new.
///
/// In a Git work tree, files that Git ignores are skipped.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard check -s settings.yaml deploy/
  helm template charts/web |
    rollout-guard check -s policy.yaml -
  rollout-guard check -s settings.yaml --base origin/main \\
    --context prod deploy/
  rollout-guard check -s settings.yaml --format sarif \\
    --output rollout-guard.sarif deploy/
  rollout-guard check -s settings.yaml --group-by image \\
    --baseline accepted.yaml deploy/

Exit codes:
  0  no violations
  1  violations, or warnings with --fail-on warnings
  2  wrong arguments, configuration or settings
  3  something could not be read, parsed, built or
     compared, or nothing was judged; with --fail-on
     incomplete, or something was not judged. 3 takes
     precedence over 1")]
pub(crate) struct Check {
    /// Files, folders, or `-` for standard input; YAML or JSON
    #[arg(required = true, value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    judging: Judging,

    /// Use the policies in the cluster that run this module, instead of --settings; requires --context
    #[arg(long, conflicts_with = "settings", requires = "context")]
    policies: bool,

    #[command(flatten)]
    before: before::Sources,

    /// What makes the command fail; may be repeated
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,

    /// Pass even if nothing was judged, for hooks that may get no manifest
    #[arg(long)]
    allow_empty: bool,

    #[command(flatten)]
    accepted: baseline::Options,

    #[command(flatten)]
    report: report::Options,
}

/// What to judge with, and as whom.
#[derive(Args, Debug)]
pub(crate) struct Judging {
    /// Settings file, or a Kubewarden policy that contains the settings; `check` also accepts `cluster:NAME`,
    /// a policy in the cluster of --context
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) settings: Option<PathBuf>,

    /// Skip files in folders: a glob as in a `.gitignore`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Namespace for objects without `metadata.namespace` [default: default]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,

    /// Render Helm charts with this values file instead of those in `ci` or the configuration; may be
    /// repeated, each is a rendering
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    helm_values: Vec<PathBuf>,

    /// User name for the simulated request (default: an unprivileged user)
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,

    /// A group of the user; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "user")]
    groups: Vec<String>,

    /// Simulate the audit scanner: requests without a user
    #[arg(long, conflicts_with = "user")]
    audit: bool,
}

impl Check {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let in_force = self.judging.in_force(&self.fail_on)?;
        let policies = self.cluster_policies()?;
        let settings_file = match &policies {
            Some(policies) => {
                input::only_once(self.paths.iter().chain(&self.before.cluster))?;
                policies.file.clone()
            }
            None => self.settings_file(&in_force)?,
        };
        let documents = settings_file.documents()?;
        let mut sources = settings_file.sources(&documents)?;
        if let Some(policies) = &policies {
            let known = &policies.namespaces;
            for source in &mut sources {
                source.in_cluster(known.as_ref());
            }
        }
        let read = settings_of(&sources)?;
        let settings = settings(&settings_file, &sources, &read)?;
        let docs_urls = docs_urls(&settings);
        let mut notes = notes(&sources);

        let mut report = self.report.report()?;
        let mut accepted = self.accepted.begin(
            in_force.baseline.as_deref(),
            in_force.fail_on.contains(&FailOn::Warnings),
        )?;
        let mut file = self.report.file()?;
        let out = match &mut file {
            Some(file) => file.as_write(),
            None => out,
        };

        let found = input::find(&self.paths, &in_force.exclude);
        found.warnings.iter().for_each(|warning| warn(warning));
        let plan = Plan::new(found.inputs, Some(&in_force.exclude), &in_force.building);
        let builds = plan.build(&plan.units(), &Edits::new(), true);
        let stdin = self.stdin();
        let mut changed = self.before.find(&before::Judged {
            paths: &self.paths,
            exclude: &in_force.exclude,
            building: &in_force.building,
            plan: &plan,
            builds: &builds,
            stdin: stdin.as_ref(),
            namespace: &in_force.namespace,
        })?;
        let of_policies = policies.map(|policies| policies.problems);
        changed
            .problems
            .splice(0..0, of_policies.into_iter().flatten());
        changed.problems.iter().for_each(|problem| error(problem));
        notes.append(&mut changed.notes);
        let before = changed.before.as_ref();
        // Who applies a change is known to nobody but those who say it.
        let counts_changes = before.is_some() && self.judging.is_anybody();
        let judged_by = if counts_changes {
            settings.iter().cloned().map(without_changes).collect()
        } else {
            settings.clone()
        };
        let mut judge = self
            .judging
            .judge(&sources, &judged_by, &in_force.namespace);
        judge.before = before;
        if counts_changes {
            judge.guards = settings.iter().map(only_guards).collect();
        }
        let baseline = &mut accepted.baseline;
        let mut tell = |files: &mut Vec<FileReport>| tell(files, baseline, &mut *report, out);
        let mut totals = judge_all(&judge, &plan.plain, stdin.as_ref(), &mut tell)?;
        for file in plan.judge(&judge, builds, &mut accepted.baseline) {
            totals.add(&file);
            report.file(out, &file)?;
        }
        totals.gaps.add(&submodules(&found.submodules));
        let outcome = accepted.baseline.map(Baseline::end).transpose()?;
        let run = Run {
            counts: totals.counts,
            gaps: &totals.gaps,
            image_like: &totals.image_like,
            excluded: found.excluded,
            namespace: judge.namespace,
            notes: &notes,
            docs_urls: &docs_urls,
            baseline: outcome.as_ref(),
        };
        report.end(out, &run)?;
        self.report.end(file, &run)?;
        let exit = self.exit(&run, &in_force.fail_on);
        Ok(if accepted.is_unusable || !changed.problems.is_empty() {
            Exit::Unreadable
        } else {
            exit
        })
    }

    /// The policies of the cluster, where these are asked for.
    fn cluster_policies(&self) -> Result<Option<ClusterPolicies>, Failure> {
        let settings = self.judging.settings.as_deref().and_then(Path::to_str);
        let name = settings.and_then(|text| text.strip_prefix(cluster_policies::PREFIX));
        if name.is_none() && !self.policies {
            return Ok(None);
        }
        let kubectl = Kubectl::new(self.before.context.as_deref());
        cluster_policies::read(kubectl, name).map(Some)
    }

    fn settings_file(&self, in_force: &InForce) -> Result<SettingsFile, Failure> {
        let path = in_force.settings()?.to_owned();
        let paths = self.paths.iter().chain(&self.before.cluster);
        input::only_once(std::iter::once(&path).chain(paths))?;
        SettingsFile::read(&path)
    }

    /// Standard input, where it is read before anything is judged.
    fn stdin(&self) -> Option<Result<Text, Unread>> {
        let mut paths = self.paths.iter();
        let is_early = self.before.asks_cluster() || !self.before.cluster.is_empty();
        let path = paths.find(|path| is_early && input::is_stdin(path))?;
        Some(input::read(path))
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
        if is_incomplete || (is_empty && self.report.quiet) {
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

/// What was found in all files, without the findings.
#[derive(Default)]
struct Totals {
    counts: Counts,
    gaps: Gaps,
    /// How many fields look like images and are not judged, by kind.
    image_like: BTreeMap<String, usize>,
}

impl Totals {
    fn add(&mut self, file: &FileReport) {
        self.counts += file.counts;
        self.gaps.add(&file.gaps);
        for (kind, fields) in &file.image_like {
            *self.image_like.entry(kind.clone()).or_default() += fields;
        }
    }
}

/// Judges files in parallel, and tells what was found in their order.
fn judge_all(
    judge: &Judge<'_>,
    inputs: &[Input],
    stdin: Option<&Result<Text, Unread>>,
    tell: &mut dyn FnMut(&mut Vec<FileReport>) -> std::io::Result<()>,
) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    let progress = Progress::new(inputs.len(), "files");
    for batch in inputs.chunks(BATCH) {
        let mut files: Vec<_> = batch
            .par_iter()
            .map(|input| judged(judge, input, stdin))
            .collect();
        progress.aside(|| tell(&mut files))?;
        for file in &files {
            totals.add(file);
        }
        progress.advance(batch.len());
    }
    progress.end();
    Ok(totals)
}

/// Tells what was found in files, but for what a team has accepted.
fn tell(
    files: &mut Vec<FileReport>,
    baseline: &mut Option<Baseline>,
    report: &mut dyn Report,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for file in files {
        if let Some(baseline) = baseline {
            baseline.apply(file);
        }
        report.file(out, file)?;
    }
    Ok(())
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
pub(super) fn judged(
    judge: &Judge<'_>,
    input: &Input,
    stdin: Option<&Result<Text, Unread>>,
) -> FileReport {
    let path = input.path();
    let read = match stdin {
        Some(stdin) if input::is_stdin(path) => stdin.clone(),
        _ => input.read(),
    };
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

    /// Whether nobody says who asks.
    const fn is_anybody(&self) -> bool {
        self.user.is_none() && !self.audit
    }

    pub(crate) fn judge<'p>(
        &self,
        sources: &'p [Source<'p>],
        settings: &'p [Settings<'p>],
        namespace: &'p str,
    ) -> Judge<'p> {
        Judge {
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
            ..Judge::new(sources, settings, namespace)
        }
    }
}

/// Settings without the rules of `changes`.
fn without_changes(settings: Settings<'_>) -> Settings<'_> {
    Settings {
        changes: Vec::new(),
        ..settings
    }
}

/// Settings, ready to judge.
pub(super) fn policies<'s>(settings: &'s [Settings<'s>]) -> impl Iterator<Item = Policy<'s>> {
    settings.iter().map(Policy::new)
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
