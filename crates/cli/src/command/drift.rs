//! `rollout-guard drift`: Git, the live workloads and the running Pods, side by side.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anstyle::AnsiColor;
use clap::{Args, ValueEnum};
use rollout_guard::change::{ChangeRule, Guard};
use rollout_guard::json::{Location, Step};
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::selector::Selector;
use rollout_guard::settings::Settings;
use serde::Serialize;

use super::check::{nodes, settings};
use super::fix::{only_changes, replace, wanted};
use crate::drift::compare::{GitWorkload, InGit, Row, Runs, State, compare};
use crate::drift::workload::{self, Live, Workload};
use crate::edit::{self, Change, NewValue};
use crate::exit::Exit;
use crate::failure::{Failure, printable, reason};
use crate::input::{self, Input};
use crate::judge::Judge;
use crate::manifest::{self, Document, Lines, Position};
use crate::object::{Identity, Object, objects};
use crate::report::count;
use crate::settings_file::SettingsFile;

/// What holds containers or Pods in a cluster.
const RESOURCES: &str = "deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,cronjobs.batch,jobs.batch,replicationcontrollers,pods";

/// Hold Git against the cluster: what Git says, what the workload says, what its Pods run
///
/// An image that differs only by its mirror is no difference. The image that runs is usually the
/// right one: that is what is advised, and what `--write` puts into Git.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kubectl get deploy,sts,ds,rs,cronjob,job,pod -A -o json | rollout-guard drift --git deploy/ --cluster -
  rollout-guard drift -s settings.yaml --git deploy/ --context prod
  rollout-guard drift --git deploy/ --cluster live.json --format markdown")]
pub(crate) struct Drift {
    /// Manifests: files or folders
    #[arg(long, required = true, num_args = 1.., value_name = "PATHS")]
    git: Vec<PathBuf>,

    /// What `kubectl get -o json` printed: files, or `-` for standard input
    #[arg(long, num_args = 1.., value_name = "FILE", required_unless_present = "context")]
    cluster: Vec<PathBuf>,

    /// Ask the cluster of this context of kubectl
    #[arg(long, conflicts_with = "cluster")]
    context: Option<String>,

    /// The settings with mirrors and guarded annotations, or a policy of Kubewarden that holds them
    #[arg(short, long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// The namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    namespace: String,

    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: DriftFormat,

    /// Write into Git what is advised
    #[arg(long)]
    write: bool,
}

/// The form of a drift report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DriftFormat {
    /// For people: what differs
    #[default]
    Human,
    /// One JSON document, with what is in sync
    Json,
    /// A table for a pull request or a report
    Markdown,
}

/// More than this of what a cluster says is not read.
const LARGEST_CLUSTER: u64 = 1 << 30;

/// What was read, and what could not be.
#[derive(Default)]
struct Sides {
    git: Vec<GitWorkload>,
    live: Vec<Workload>,
    pods: Vec<(Workload, k8s_openapi::api::core::v1::Pod)>,
    problems: Vec<String>,
    /// Files of Git that say nothing until they are rendered.
    templates: Vec<String>,
}

impl Drift {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        input::only_once(self.settings.iter().chain(&self.git).chain(&self.cluster))?;
        let file = self
            .settings
            .as_deref()
            .map(SettingsFile::read)
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
        let read = nodes(&sources)?;
        let settings: Vec<Settings<'_>> = match &file {
            Some(file) => settings(file, &sources, &read)?,
            None => Vec::new(),
        };
        let guards = settings.iter().map(annotation_guards).collect();
        let only_changes: Vec<_> = settings.into_iter().map(only_changes).collect();
        let judge = Judge {
            policies: sources
                .iter()
                .zip(only_changes.iter().map(Policy::new))
                .collect(),
            namespace: &self.namespace,
            asks_for_namespace: false,
            identity: Identity::somebody(),
        };
        let reader = Reader { judge, guards };

        let inputs = input::find(&self.git);
        let mut sides = Sides::default();
        let mut texts = Vec::new();
        for (position, input) in inputs.iter().enumerate() {
            let text = sides.add_git(&reader, input, position);
            texts.push(text);
        }
        for text in self.cluster_texts()? {
            sides.add_cluster(&reader, &text);
        }
        let pods = workload::pods(std::mem::take(&mut sides.pods), &sides.live);
        let rows = compare(&sides.git, &sides.live, &pods);

        match self.format {
            DriftFormat::Human => human(out, &rows)?,
            DriftFormat::Json => json(out, &rows, &sides.problems)?,
            DriftFormat::Markdown => markdown(out, &rows)?,
        }
        if self.write {
            write_git(&rows, &inputs, &texts, &mut sides.problems);
        }
        for template in &sides.templates {
            let line = format!("{template}: a template, not rendered: it is not compared");
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        for problem in &sides.problems {
            let _ = writeln!(anstream::stderr(), "{}", printable(problem));
        }
        Ok(if !sides.problems.is_empty() {
            Exit::Unreadable
        } else if rows.iter().any(|row| row.is_difference) {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }

    /// What the cluster says, as kubectl prints it.
    fn cluster_texts(&self) -> Result<Vec<String>, Failure> {
        if let Some(context) = &self.context {
            return ask_kubectl(context).map(|text| vec![text]);
        }
        self.cluster
            .iter()
            .map(|path| {
                input::read_up_to(path, LARGEST_CLUSTER).map_err(|problem| {
                    Failure::unreadable(format!("{}: {problem}", input::name(path)))
                })
            })
            .collect()
    }
}

/// Asks the cluster of a context for its workloads and Pods.
fn ask_kubectl(context: &str) -> Result<String, Failure> {
    let output = Command::new("kubectl")
        .args(["--context", context, "get", RESOURCES])
        .args(["--all-namespaces", "--output", "json"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::unreadable(format!("cannot run kubectl: {}", reason(&error))))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let told = told.trim().replace('\n', "; ");
        return Err(Failure::unreadable(format!("kubectl: {told}")));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::unreadable("kubectl: its answer is not UTF-8"))
}

impl Sides {
    /// Adds the workloads of a file in Git; hands back its text.
    fn add_git(&mut self, reader: &Reader<'_>, input: &Input, file: usize) -> String {
        let name = input::name(input.path());
        let text = match input {
            Input::File(path) => input::read(path),
            Input::Unreadable { problem, .. } => Err(problem.clone()),
        };
        let text = match text {
            Ok(text) => text,
            Err(problem) => {
                self.problems.push(format!("{name}: {problem}"));
                return String::new();
            }
        };
        if text.contains("{{") && input::is_chart_template(input.path()) {
            self.templates.push(name);
            return text;
        }
        let lines = Lines::new(&text);
        let mut position = 0;
        manifest::documents(&text, &mut |part| match part {
            Ok(document) => {
                for object in objects(&document.tree).into_iter().flatten() {
                    match reader.read(&object) {
                        Err(problem) => self.problems.push(format!("{name}: {problem}")),
                        Ok(None) => {}
                        Ok(Some(Live::Workload(workload) | Live::Pod(workload, _))) => {
                            let at = InGit {
                                file,
                                name: name.clone(),
                                document: position,
                                way: object.way.clone(),
                                at: place(&lines, &document, &object, &Location::default()),
                            };
                            let positions = paths(&workload)
                                .map(|path| {
                                    let at = place(&lines, &document, &object, &path);
                                    (format!("{path:#}"), at)
                                })
                                .collect();
                            self.git.push(GitWorkload {
                                workload: *workload,
                                place: at,
                                positions,
                            });
                        }
                    }
                }
                position += 1;
            }
            // What cannot be read and holds `{{` is for a template engine.
            Err(_) if text.contains("{{") => {
                if self.templates.last() != Some(&name) {
                    self.templates.push(name.clone());
                }
            }
            Err(error) => {
                let at = lines.position(error.at);
                self.problems.push(format!(
                    "{name}:{}:{}: {}",
                    at.line, at.column, error.problem
                ));
            }
        });
        text
    }

    /// Adds the objects of the cluster.
    fn add_cluster(&mut self, reader: &Reader<'_>, text: &str) {
        let mut is_answer = false;
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                let found = objects(&document.tree);
                // A list may be empty.
                is_answer |= found.is_some();
                for object in found.into_iter().flatten() {
                    match reader.read(&object) {
                        Err(problem) => self.problems.push(format!("cluster: {problem}")),
                        Ok(None) => {}
                        Ok(Some(Live::Workload(workload))) => self.live.push(*workload),
                        Ok(Some(Live::Pod(workload, pod))) => {
                            self.live.push((*workload).clone());
                            self.pods.push((*workload, *pod));
                        }
                    }
                }
            }
            Err(error) => {
                is_answer = true;
                let at = Lines::new(text).position(error.at);
                self.problems.push(format!(
                    "cluster: {}:{}: {}",
                    at.line, at.column, error.problem
                ));
            }
        });
        if !is_answer {
            let problem =
                "cluster: no Kubernetes object in it, expected what `kubectl get -o json` prints";
            self.problems.push(problem.to_owned());
        }
    }
}

/// Reads objects as the settings see them.
struct Reader<'p> {
    judge: Judge<'p>,
    /// Of each policy.
    guards: Vec<Vec<AnnotationGuard<'p>>>,
}

/// A rule that guards annotations, and the globs over them.
type AnnotationGuard<'s> = (Selector<'s>, Vec<&'s str>);

impl Reader<'_> {
    /// Reads an object, its images as they are pulled.
    fn read(&self, object: &Object<'_>) -> Result<Option<Live>, String> {
        let (changes, _) = wanted(&self.judge, object, 0);
        let pulled: BTreeMap<_, _> = changes
            .into_iter()
            .filter_map(|change| match change.new {
                NewValue::Text(text) => Some((format!("{:#}", change.path), text)),
                NewValue::Removed => None,
            })
            .collect();
        let namespace = self.judge.namespace;
        let mut live = workload::read(object, namespace, &|path| {
            let path = object.way.below(path.detached());
            pulled.get(&format!("{path:#}")).cloned()
        })
        .map_err(|error| format!("{object}: {error}"))?;
        if let Some(Live::Workload(workload) | Live::Pod(workload, _)) = &mut live {
            workload.guarded = self.guarded(object);
        }
        Ok(live)
    }

    /// The globs over the annotations of an object that rules about it guard.
    fn guarded(&self, object: &Object<'_>) -> Vec<String> {
        let judge = &self.judge;
        let mut text = String::new();
        object.write_request(judge.namespace, &judge.identity, &mut text);
        let Ok(request) = Request::read(&text) else {
            return Vec::new();
        };
        let Some(read) = &request.object else {
            return Vec::new();
        };
        let of_policies = judge.policies.iter().zip(&self.guards);
        of_policies
            .filter(|((source, _), _)| source.covers(object, judge.namespace))
            .flat_map(|(_, guards)| guards)
            .filter(|(selector, _)| selector.matches(&request, read))
            .flat_map(|(_, globs)| globs.iter().map(|glob| (*glob).to_owned()))
            .collect()
    }
}

/// The rules that guard annotations, whoever changes them and how.
fn annotation_guards<'s>(settings: &Settings<'s>) -> Vec<AnnotationGuard<'s>> {
    let of_rule = |rule: &ChangeRule<'s>| {
        let globs: Vec<_> = rule
            .guards
            .iter()
            .filter_map(|guard| match guard {
                Guard::Annotations(glob) => Some(*glob),
                _ => None,
            })
            .collect();
        let selector = Selector {
            operations: None,
            users: None,
            groups: None,
            old_fields: Vec::new(),
            ..rule.selector.clone()
        };
        (!globs.is_empty()).then_some((selector, globs))
    };
    settings.changes.iter().filter_map(of_rule).collect()
}

/// The paths in a workload that a report may point at.
fn paths(workload: &Workload) -> impl Iterator<Item = Location<'static>> {
    let images = workload.containers.values().map(|(_, path)| path.clone());
    let annotations = workload.annotations.keys().map(|(holder, key)| {
        let map = holder.annotations(&workload.key.kind);
        map.below(Location(vec![Step::Key(key.clone().into())]))
    });
    images.chain(annotations)
}

fn place(
    lines: &Lines<'_>,
    document: &Document<'_>,
    object: &Object<'_>,
    path: &Location<'_>,
) -> Position {
    let place = object.value.locate(path);
    lines.position(document.in_file(&place.span).start)
}

/// Writes what is advised.
fn write_git(rows: &[Row], inputs: &[Input], texts: &[String], problems: &mut Vec<String>) {
    for (position, (input, text)) in inputs.iter().zip(texts).enumerate() {
        let changes: Vec<_> = rows
            .iter()
            .filter_map(|row| Some((row.in_git.as_ref()?, row.write.as_ref()?)))
            .filter(|(git, _)| git.file == position)
            .map(|(git, (path, value))| Change {
                document: git.document,
                path: git.way.below(path.clone()),
                new: NewValue::Text(value.clone()),
            })
            .collect();
        if changes.is_empty() {
            continue;
        }
        let name = input::name(input.path());
        let edited = edit::apply(text, &changes);
        for outcome in &edited.outcomes {
            let told = match (&outcome.change.new, outcome.refused) {
                (_, Some(reason)) => format!("to write by hand, {reason}"),
                (NewValue::Text(value), None) => format!("written: `{value}`"),
                (NewValue::Removed, None) => "removed".to_owned(),
            };
            let line = format!("{name}:{}:{}: {told}", outcome.at.line, outcome.at.column);
            let _ = writeln!(anstream::stderr(), "{}", printable(&line));
        }
        if edited.text != *text
            && let Err(error) = replace(input.path(), &edited.text)
        {
            problems.push(format!("{name}: not written: {}", reason(&error)));
        }
    }
}

fn human(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    let bold = anstyle::Style::new().bold();
    let mut last = None;
    for row in rows.iter().filter(|row| row.state != State::InSync) {
        if last != Some(&row.key) {
            let key = &row.key;
            writeln!(
                out,
                "{bold}{} {}/{}{bold:#}",
                key.kind, key.namespace, key.name
            )?;
            last = Some(&row.key);
        }
        let colour = match row.state {
            _ if row.is_difference => AnsiColor::Red,
            State::InSync => AnsiColor::Green,
            _ => AnsiColor::Yellow,
        }
        .on_default();
        let state = row.state.as_str();
        writeln!(out, "  {}: {colour}{state}{colour:#}", printable(&row.what))?;
        if row.git.is_some() || row.spec.is_some() {
            let git = row.git.as_deref().unwrap_or("-");
            let place = match (&row.git, &row.in_git) {
                (Some(_), Some(git)) => {
                    format!("  ({}:{}:{})", git.name, git.at.line, git.at.column)
                }
                _ => String::new(),
            };
            writeln!(out, "    Git   {}", printable(&format!("{git}{place}")))?;
            let spec = row.spec.as_deref().unwrap_or("-");
            writeln!(out, "    spec  {}", printable(spec))?;
        }
        for (position, runs) in row.pods.iter().enumerate() {
            let label = if position == 0 { "Pods" } else { "    " };
            writeln!(out, "    {label}  {}", printable(&shown(runs)))?;
        }
        if let Some(advice) = &row.advice {
            writeln!(out, "    {bold}→ {}{bold:#}", printable(advice))?;
        }
    }
    let with = |state| rows.iter().filter(|row| row.state == state).count();
    let states = [
        State::InSync,
        State::RolloutInProgress,
        State::GitIsStale,
        State::ClusterWasEdited,
        State::OnlyInGit,
        State::OnlyInCluster,
    ];
    let counts: Vec<_> = states
        .into_iter()
        .filter(|state| with(*state) > 0)
        .map(|state| format!("{} {}", with(state), state.as_str()))
        .collect();
    if counts.is_empty() {
        writeln!(out, "nothing to compare: no workload in Git")
    } else {
        writeln!(out, "{}", counts.join(", "))
    }
}

/// What Pods run, with how many there are.
fn shown(runs: &Runs) -> String {
    let pods = count(runs.pods, "Pod", "Pods");
    let digest = runs.digest.as_deref().map(|digest| {
        // As much of it as tells two apart.
        let short = digest.get(..digest.len().min(19)).unwrap_or(digest);
        format!(", {short}…")
    });
    let waiting = runs.waiting.as_deref().map(|reason| format!(", {reason}"));
    format!(
        "{} ({pods}{}{})",
        runs.image,
        digest.unwrap_or_default(),
        waiting.unwrap_or_default()
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'r> {
    kind: &'r str,
    namespace: &'r str,
    name: &'r str,
    what: &'r str,
    state: State,
    is_difference: bool,
    git: Option<&'r str>,
    spec: Option<&'r str>,
    pods: &'r [Runs],
    advice: Option<&'r str>,
    file: Option<&'r str>,
    line: Option<usize>,
    column: Option<usize>,
}

fn json(out: &mut dyn Write, rows: &[Row], problems: &[String]) -> Result<(), Failure> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| Entry {
            kind: &row.key.kind,
            namespace: &row.key.namespace,
            name: &row.key.name,
            what: &row.what,
            state: row.state,
            is_difference: row.is_difference,
            git: row.git.as_deref(),
            spec: row.spec.as_deref(),
            pods: &row.pods,
            advice: row.advice.as_deref(),
            file: row.in_git.as_ref().map(|git| git.name.as_str()),
            line: row.in_git.as_ref().map(|git| git.at.line),
            column: row.in_git.as_ref().map(|git| git.at.column),
        })
        .collect();
    let report = serde_json::json!({ "rows": rows, "unreadable": problems });
    let text = serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?;
    writeln!(out, "{text}")?;
    Ok(())
}

fn markdown(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    writeln!(
        out,
        "| workload | what | state | Git | spec | Pods | what to do |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let cell = |text: &str| printable(text).replace('|', "\\|");
    let code = |text: Option<&str>| match text {
        Some(text) => format!("`{}`", cell(text)),
        None => "–".to_owned(),
    };
    for row in rows {
        let key = &row.key;
        let pods: Vec<_> = row.pods.iter().map(|runs| cell(&shown(runs))).collect();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&format!("{} {}/{}", key.kind, key.namespace, key.name)),
            cell(&row.what),
            row.state.as_str(),
            code(row.git.as_deref()),
            code(row.spec.as_deref()),
            if pods.is_empty() {
                "–".to_owned()
            } else {
                pods.join("<br>")
            },
            cell(row.advice.as_deref().unwrap_or_default()),
        )?;
    }
    Ok(())
}
