//! `rollout-guard drift`: Git, the live workloads and the running Pods, side by side.

mod builds;
mod report;
mod sides;
mod write;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use rollout_guard::settings::Settings;
use serde::Serialize;

use super::fix::only_changes;
use crate::build::plan::Plan;
use crate::cluster::Kubectl;
use crate::config::{Config, InForce, Options};
use crate::drift::compare::{GitWorkload, compare};
use crate::drift::workload;
use crate::exit::Exit;
use crate::failure::{Failure, printable, warn};
use crate::input;
use crate::judge::Judge;
use crate::kustomize::Included;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings, settings_of};

use report::{human, json, markdown};
use sides::{Reader, Sides, annotation_guards};
use write::{Writer, tell_twice};

/// What holds containers or Pods in a cluster, and the kinds.
const WORKLOADS: [(&str, &str); 8] = [
    ("deployments.apps", "Deployment"),
    ("statefulsets.apps", "StatefulSet"),
    ("daemonsets.apps", "DaemonSet"),
    ("replicasets.apps", "ReplicaSet"),
    ("cronjobs.batch", "CronJob"),
    ("jobs.batch", "Job"),
    ("replicationcontrollers", "ReplicationController"),
    ("pods", "Pod"),
];

/// What only has annotations to compare: asked for where a rule guards some.
const ANNOTATED: [(&str, &str); 2] = [
    ("services", "Service"),
    ("ingresses.networking.k8s.io", "Ingress"),
];

/// Compare manifests in Git with the live workloads and their Pods
///
/// An image and its mirror count as equal. The image that runs is usually the right one, so that is what
/// the report advises and what `--write` puts into Git.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kubectl get deploy,sts,ds,rs,cronjob,job,pod -A \\
    -o json |
    rollout-guard drift --git deploy/ --cluster -
  rollout-guard drift -s settings.yaml --git deploy/
  rollout-guard drift --git deploy/ --context prod -n shop
  rollout-guard drift --git deploy/ --cluster live.json \\
    --format markdown")]
pub(crate) struct Drift {
    /// Manifests: files or folders
    #[arg(long, required = true, num_args = 1.., value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    git: Vec<PathBuf>,

    /// Read files that `kubectl get -o json` printed, or `-` for standard input, instead of a cluster
    #[arg(long, num_args = 1.., value_name = "FILE", value_hint = ValueHint::FilePath)]
    cluster: Vec<PathBuf>,

    /// Read the cluster of this kubectl context (default: the current context)
    #[arg(long, conflicts_with = "cluster")]
    context: Option<String>,

    /// Settings file with mirrors and guarded annotations, or a Kubewarden policy that contains it
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Skip files in folders of `--git`: a glob as in a `.gitignore`; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,

    /// Namespace for objects without `metadata.namespace` [default: default]; in a cluster, the only one that
    /// is read
    #[arg(short, long)]
    namespace: Option<String>,

    /// Render Helm charts with this values file instead of those in the configuration; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    helm_values: Vec<PathBuf>,

    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: DriftFormat,

    /// Write the advised images into the files in Git
    #[arg(
        long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "running"
    )]
    write: Option<WriteWhat>,
}

/// What `--write` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WriteWhat {
    /// Images that Pods run and that an `allow` list of the settings admits (the default)
    Running,
    /// Everything that is advised: also annotations, images that only the live spec names, and images that
    /// the settings do not admit
    Spec,
}

/// The form of a drift report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DriftFormat {
    /// Readable report of the differences
    #[default]
    Human,
    /// One JSON document, including what is in sync
    Json,
    /// A table for a pull request or a report
    Markdown,
}

impl Drift {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let options = Options {
            settings: self.settings.as_deref(),
            exclude: &self.exclude,
            namespace: self.namespace.as_deref(),
            fail_on: &[],
            helm_values: &self.helm_values,
        };
        let in_force = InForce::new(options, &Config::find()?)?;
        let settings_path = in_force.settings.as_ref();
        self.check_write(settings_path.is_some())?;
        input::only_once(
            settings_path
                .into_iter()
                .chain(&self.git)
                .chain(&self.cluster),
        )?;
        let file = settings_path
            .map(|path| SettingsFile::read(path))
            .transpose()?;
        let documents = match &file {
            Some(file) => file.documents()?,
            None => Vec::new(),
        };
        let mut sources = match &file {
            Some(file) => file.sources(&documents)?,
            None => Vec::new(),
        };
        for source in &mut sources {
            // A rule about Pods alone is enough for a template to run from a mirror.
            source.rules = None;
        }
        let read = settings_of(&sources)?;
        let settings: Vec<Settings<'_>> = match &file {
            Some(file) => settings(file, &sources, &read)?,
            None => Vec::new(),
        };
        let guards = settings.iter().map(annotation_guards).collect();
        let only_changes: Vec<_> = settings.iter().cloned().map(only_changes).collect();
        let judge = |settings| Judge::new(&sources, settings, &in_force.namespace);
        let reader = Reader {
            judge: judge(&only_changes),
            guards,
        };

        let found = input::find(&self.git, &in_force.exclude);
        found.warnings.iter().for_each(|warning| warn(warning));
        let mut sides = Sides::default();
        let mut texts = Vec::new();
        let mut building = in_force.building.clone();
        // The values in `ci` are for tests: what is installed, only the configuration can say.
        if let Some(helm) = &mut building.helm {
            helm.only_listed = true;
        }
        let included = Included::find(&found.inputs);
        let plan = Plan::new(found.inputs, None, &building);
        for (position, input) in plan.plain.iter().enumerate() {
            let text = sides.add_git(&reader, input, position);
            texts.push(text);
        }
        let builds = sides.add_builds(&reader, &plan);
        let has_guards = reader.guards.iter().any(|guards| !guards.is_empty());
        let mut asked = self.ask_cluster(has_guards)?;
        sides.problems.append(&mut asked.problems);
        for text in &asked.texts {
            sides.add_cluster(&reader, text);
        }
        let kinds = asked.kinds.as_ref().unwrap_or(&sides.kinds);
        let (compared, left_out) = self.compared(&sides.git, kinds);
        let pods = workload::pods(std::mem::take(&mut sides.pods), &sides.live);
        let pods = kinds.contains("Pod").then_some(pods.as_slice());
        let mut rows = compare(&compared, &sides.live, pods);
        let writer = Writer {
            what: self.write,
            judge: judge(&settings),
            included,
            twice: tell_twice(&sides.git),
        };
        writer.advise(&mut rows, &texts, &builds);

        match self.format {
            DriftFormat::Human => human(out, &rows)?,
            DriftFormat::Json => json(out, &rows, &left_out, &sides.problems)?,
            DriftFormat::Markdown => markdown(out, &rows)?,
        }
        if self.write.is_some() {
            writer.write(&rows, &plan.plain, &texts, &mut sides.problems);
            writer.write_builds(&rows, &plan, &builds, &mut sides.problems);
        }
        sides.tell(&rows, &left_out);
        Ok(if sides.is_incomplete() || rows.is_empty() {
            Exit::Unreadable
        } else if rows.iter().any(|row| row.is_difference) {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }

    /// Refuses a `--write` that cannot be meant, before anything is read.
    ///
    /// # Errors
    ///
    /// Where `--write` has nothing to write to, or no settings to go by.
    fn check_write(&self, has_settings: bool) -> Result<(), Failure> {
        if self.write.is_some() && self.git.iter().any(|path| input::is_stdin(path)) {
            return Err(Failure::wrong_use(
                "`--write` writes files, and `--git -` is standard input: name files or folders",
            ));
        }
        if self.write == Some(WriteWhat::Running) && !has_settings {
            return Err(Failure::wrong_use(
                "`--write` writes images that an `allow` list of the settings admits: name settings with -s, or write whatever is advised with `--write=spec`",
            ));
        }
        Ok(())
    }

    /// What the cluster says, as kubectl prints it.
    fn ask_cluster(&self, has_guards: bool) -> Result<Asked, Failure> {
        if !self.cluster.is_empty() {
            let read = |path: &PathBuf| {
                let read = input::read_up_to(path, input::LARGEST_CLUSTER);
                read.map(|read| read.text).map_err(|unread| {
                    Failure::unreadable(format!("{}: {}", input::name(path), unread.problem))
                })
            };
            let texts: Result<_, _> = self.cluster.iter().map(read).collect();
            return Ok(Asked {
                texts: texts?,
                kinds: None,
                problems: Vec::new(),
            });
        }
        if self.context.is_none() {
            let context = Kubectl::current_context()?;
            let line = format!("asking the cluster of kubectl's current context, `{context}`");
            let _ = writeln!(anstream::stderr(), "{}", printable(&line));
        }
        let kubectl = Kubectl::new(self.context.as_deref());
        let annotated = ANNOTATED.iter().filter(|_| has_guards);
        let asked: Vec<_> = WORKLOADS.iter().chain(annotated).collect();
        let resources: Vec<_> = asked.iter().map(|(resource, _)| *resource).collect();
        let namespace = self.namespace.as_deref();
        let listed = kubectl.list(&resources, namespace);
        let hint = |problem: &str| match namespace {
            None if problem.contains("forbidden") => " (-n asks about one namespace)",
            _ => "",
        };
        if let ([], [(_, problem), ..]) = (listed.texts.as_slice(), listed.failed.as_slice()) {
            let hint = hint(problem);
            return Err(Failure::unreadable(format!("kubectl: {problem}{hint}")));
        }
        let has_failed =
            |resource: &str| listed.failed.iter().any(|(failed, _)| failed == resource);
        let kinds = asked.iter().filter(|(resource, _)| !has_failed(resource));
        let kinds = kinds.map(|(_, kind)| (*kind).to_owned()).collect();
        let problems = listed.failed.iter().map(|(resource, problem)| {
            let hint = hint(problem);
            format!("kubectl: {resource} not compared: {problem}{hint}")
        });
        Ok(Asked {
            problems: problems.collect(),
            texts: listed.texts,
            kinds: Some(kinds),
        })
    }

    /// The objects of Git that the cluster was asked about, and how many of the others there are.
    fn compared<'g>(
        &self,
        git: &'g [GitWorkload],
        kinds: &BTreeSet<String>,
    ) -> (Vec<&'g GitWorkload>, Vec<LeftOut>) {
        let asked = self.namespace.as_deref();
        let only = asked.filter(|_| self.cluster.is_empty());
        let mut compared = Vec::new();
        let mut left_out: Vec<LeftOut> = Vec::new();
        for ours in git.iter().filter(|ours| ours.workload.is_compared()) {
            let key = &ours.workload.key;
            let reason = match only {
                Some(only) if key.namespace != only => {
                    format!("only the namespace `{only}` was asked about")
                }
                _ if !kinds.contains(&key.kind) => {
                    "the cluster's objects have none of this kind".to_owned()
                }
                _ => {
                    compared.push(ours);
                    continue;
                }
            };
            let known = left_out
                .iter_mut()
                .find(|known| known.kind == key.kind && known.reason == reason);
            match known {
                Some(known) => known.objects += 1,
                None => left_out.push(LeftOut {
                    kind: key.kind.clone(),
                    objects: 1,
                    reason,
                }),
            }
        }
        (compared, left_out)
    }
}

/// What a cluster answered.
struct Asked {
    texts: Vec<String>,
    /// The kinds that it was asked about; none where nobody knows.
    kinds: Option<BTreeSet<String>>,
    problems: Vec<String>,
}

/// Objects of Git that are not compared.
#[derive(Debug, Serialize)]
struct LeftOut {
    kind: String,
    objects: usize,
    reason: String,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let objects = count(self.objects, "object", "objects");
        write!(
            f,
            "{}: {objects} in Git not compared, since {}",
            self.kind, self.reason
        )
    }
}
