//! `rollout-guard drift`: Git, the live workloads and the running Pods, side by side.

mod builds;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::{Args, ValueEnum, ValueHint};
use rollout_guard::change::{ChangeRule, Guard};
use rollout_guard::json::{self, Location, Step};
use rollout_guard::request::Request;
use rollout_guard::selector::Selector;
use rollout_guard::settings::Settings;
use serde::Serialize;

use super::check::{settings, settings_of};
use super::fix::{only_changes, wanted};
use crate::build::plan::{Built, Plan, Unit};
use crate::config::{Config, InForce, Options};
use crate::drift::compare::{GitWorkload, InGit, Proposal, Row, Runs, Source, State, compare};
use crate::drift::workload::{self, Key, Live, Workload};
use crate::edit::{self, Change, NewValue};
use crate::exit::Exit;
use crate::failure::{Failure, error, printable, reason, warn};
use crate::input::{self, Input, Text};
use crate::judge::Judge;
use crate::kubectl::Kubectl;
use crate::kustomize::Included;
use crate::manifest::{self, Document, Lines, Position};
use crate::object::{Object, items_without_kind, objects};
use crate::output;
use crate::report::count;
use crate::settings_file::SettingsFile;
use crate::wrap::{columns, wrap};

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
/// An image that differs only by its mirror is no difference. The image that runs is usually the
/// right one: that is what is advised, and what `--write` puts into Git.
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

    /// What `kubectl get -o json` printed: files, or `-` for standard input
    #[arg(long, num_args = 1.., value_name = "FILE", value_hint = ValueHint::FilePath)]
    cluster: Vec<PathBuf>,

    /// Ask the cluster of this context of kubectl (default: the current one)
    #[arg(long, conflicts_with = "cluster")]
    context: Option<String>,

    /// The settings with mirrors and guarded annotations, or a policy of Kubewarden that holds them
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Leave out files in folders of `--git`: a glob as in a `.gitignore`; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,

    /// Namespace for objects without `metadata.namespace` [default: default]; the only one that a cluster
    /// is asked about
    #[arg(short, long)]
    namespace: Option<String>,

    /// Render Helm charts with these values, in place of those of the configuration; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    helm_values: Vec<PathBuf>,

    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: DriftFormat,

    /// Write into Git what is advised
    #[arg(
        long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "running"
    )]
    write: Option<WriteWhat>,
}

/// What `--write` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WriteWhat {
    /// Images that Pods run and that the settings accept (the default)
    Running,
    /// Whatever is advised: also what only the live spec says, and what the settings refuse
    Spec,
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

/// What was read, and what could not be.
#[derive(Default)]
struct Sides {
    git: Vec<GitWorkload>,
    live: Vec<Workload>,
    pods: Vec<(Workload, k8s_openapi::api::core::v1::Pod)>,
    problems: Vec<String>,
    /// Files of Git that say nothing until they are rendered.
    templates: Vec<String>,
    /// Something is not built, which is said already.
    without_tool: bool,
    /// The kinds of which the cluster has objects.
    kinds: BTreeSet<String>,
}

/// What is built, by unit.
type Builds = BTreeMap<Unit, Vec<Built>>;

impl Drift {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        if self.write.is_some() && self.git.iter().any(|path| input::is_stdin(path)) {
            return Err(Failure::wrong_use(
                "`--write` writes files, and `--git -` is standard input: name files or folders",
            ));
        }
        let options = Options {
            settings: self.settings.as_deref(),
            exclude: &self.exclude,
            namespace: self.namespace.as_deref(),
            fail_on: &[],
            helm_values: &self.helm_values,
        };
        let in_force = InForce::new(options, &Config::find()?)?;
        let settings_path = in_force.settings.as_ref();
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
        let rows = compare(&compared, &sides.live, pods);

        match self.format {
            DriftFormat::Human => human(out, &rows)?,
            DriftFormat::Json => json(out, &rows, &left_out, &sides.problems)?,
            DriftFormat::Markdown => markdown(out, &rows)?,
        }
        let twice = tell_twice(&sides.git);
        if let Some(what) = self.write {
            let writer = Writer {
                what,
                judge: judge(&settings),
                included,
                twice,
            };
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
        let kubectl = Kubectl {
            context: self.context.as_deref(),
        };
        let annotated = ANNOTATED.iter().filter(|_| has_guards);
        let asked: Vec<_> = WORKLOADS.iter().chain(annotated).collect();
        let resources: Vec<_> = asked.iter().map(|(resource, _)| *resource).collect();
        let namespace = self.namespace.as_deref();
        let listed = kubectl.list(&resources, namespace);
        if let ([], [(_, problem), ..]) = (listed.texts.as_slice(), listed.failed.as_slice()) {
            return Err(Failure::unreadable(format!("kubectl: {problem}")));
        }
        let has_failed =
            |resource: &str| listed.failed.iter().any(|(failed, _)| failed == resource);
        let kinds = asked.iter().filter(|(resource, _)| !has_failed(resource));
        let kinds = kinds.map(|(_, kind)| (*kind).to_owned()).collect();
        let problems = listed.failed.iter().map(|(resource, problem)| {
            let hint = match namespace {
                None if problem.contains("forbidden") => " (-n asks about one namespace)",
                _ => "",
            };
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

impl Sides {
    /// Whether there is something that is not compared, for a reason that is said.
    const fn is_incomplete(&self) -> bool {
        !self.problems.is_empty() || self.without_tool
    }

    /// Tells on stderr what was not compared, and why.
    fn tell(&self, rows: &[Row], left_out: &[LeftOut]) {
        let templates = self
            .templates
            .iter()
            .map(|template| format!("{template}: a template, not rendered: it is not compared"));
        let left_out_lines = left_out.iter().map(LeftOut::to_string);
        let problems = self.problems.iter().cloned();
        for line in templates.chain(left_out_lines).chain(problems) {
            // When stderr is closed there is nobody left to tell.
            let line = wrap(&printable(&line), columns(), 2);
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        if rows.is_empty() && !self.is_incomplete() {
            error(if left_out.is_empty() {
                "nothing was compared: there is no workload in Git"
            } else {
                "nothing was compared, for the reasons above"
            });
        }
    }

    /// Adds the workloads of a file in Git; hands back what was read.
    fn add_git(&mut self, reader: &Reader<'_>, input: &Input, file: usize) -> Text {
        let name = input::name(input.path());
        let read = match input.read() {
            Ok(read) => read,
            Err(unread) => {
                if unread.may_be_manifest {
                    self.problems.push(format!("{name}: {}", unread.problem));
                }
                return Text::default();
            }
        };
        if read.text.contains("{{") && input::chart_of(input.path()).is_some() {
            self.templates.push(name);
            return read;
        }
        self.add_git_text(reader, &name, &read.text, file);
        read
    }

    fn add_git_text(&mut self, reader: &Reader<'_>, name: &str, text: &str, file: usize) {
        let lines = Lines::new(text);
        let mut position = 0;
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                for item in items_without_kind(&document.tree) {
                    let at = lines.position(document.in_file(&item.span()).start);
                    self.problems.push(format!(
                        "{name}:{}:{}: an item of the list has no `apiVersion` and `kind`",
                        at.line, at.column
                    ));
                }
                for object in objects(&document.tree).into_iter().flatten() {
                    match reader.read(&object) {
                        Err(problem) => self.problems.push(format!("{name}: {problem}")),
                        Ok(None) => {}
                        Ok(Some(Live::Workload(workload) | Live::Pod(workload, _))) => {
                            let at = InGit {
                                source: Source::File(file),
                                name: name.to_owned(),
                                document: position,
                                way: object.way.clone(),
                                at: place(&lines, &document, &object, &Location::default()),
                            };
                            let positions = paths(&workload)
                                .map(|path| {
                                    let at = place(&lines, &document, &object, &path);
                                    (format!("{path:#}"), (name.to_owned(), at))
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
                if self.templates.last().is_none_or(|last| last != name) {
                    self.templates.push(name.to_owned());
                }
            }
            Err(_) if !manifest::may_be_manifest(text) => {}
            Err(error) => {
                let at = lines.position(error.at);
                self.problems.push(format!(
                    "{name}:{}:{}: {}",
                    at.line, at.column, error.problem
                ));
            }
        });
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
                    self.kinds.insert(object.kind.to_string());
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
        let wanted = wanted(&self.judge, object, 0);
        let pulled: BTreeMap<_, _> = wanted
            .changes
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
        let json = json::Document::of(&text);
        let Ok(request) = Request::of(&json) else {
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
            // What takes out some requests only guards the object all the same.
            except: rule.selector.except.clone().filter(|except| {
                except.operations.is_none()
                    && except.users.is_none()
                    && except.groups.is_none()
                    && except.old_fields.is_empty()
            }),
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

/// Tells of each object that is in more than one place of Git: nobody can say which one is applied.
fn tell_twice(git: &[GitWorkload]) -> BTreeSet<&Key> {
    let mut places: BTreeMap<&Key, Vec<&InGit>> = BTreeMap::new();
    for ours in git.iter().filter(|ours| ours.workload.is_compared()) {
        places
            .entry(&ours.workload.key)
            .or_default()
            .push(&ours.place);
    }
    places.retain(|_, places| places.len() > 1);
    for (key, places) in &places {
        let places: Vec<_> = places
            .iter()
            .map(|place| format!("{}:{}:{}", place.name, place.at.line, place.at.column))
            .collect();
        let (kind, namespace, name) = (&key.kind, &key.namespace, &key.name);
        warn(&format!(
            "{kind} {namespace}/{name} is in Git more than once: {}",
            places.join(", ")
        ));
    }
    places.into_keys().collect()
}

/// Writes what is advised into Git.
struct Writer<'w> {
    what: WriteWhat,
    /// With all of the settings.
    judge: Judge<'w>,
    included: Included,
    /// Objects in more than one place of Git.
    twice: BTreeSet<&'w Key>,
}

impl Writer<'_> {
    fn write(&self, rows: &[Row], inputs: &[Input], texts: &[Text], problems: &mut Vec<String>) {
        for (position, (input, read)) in inputs.iter().zip(texts).enumerate() {
            let name = input::name(input.path());
            let tell = |at: Position, told: &str| {
                let line = format!("{name}:{}:{}: {told}", at.line, at.column);
                let _ = writeln!(anstream::stderr(), "{}", printable(&line));
            };
            let mut changes = Vec::new();
            let mut refused = Vec::new();
            let of_file = rows
                .iter()
                .filter_map(|row| Some((row, row.in_git.as_ref()?, row.proposal.as_ref()?)))
                .filter(|(_, git, _)| git.source == Source::File(position));
            for (row, git, proposal) in of_file {
                let refusal = self.refusal(&read.text, git, proposal);
                if let Some(reason) = self.reason(Some(input), row, proposal, refusal.as_deref()) {
                    tell(
                        git.at,
                        &format!("`{}` is not written: {reason}", proposal.value),
                    );
                    continue;
                }
                refused.push(refusal);
                changes.push(Change {
                    document: git.document,
                    path: git.way.below(proposal.path.clone()),
                    new: NewValue::Text(proposal.value.clone()),
                });
            }
            if changes.is_empty() {
                continue;
            }
            let edited = edit::apply(&read.text, &changes);
            let is_written = if edited.text == read.text {
                true
            } else {
                match output::write(input.path(), &read.encoding.bytes(&edited.text)) {
                    Ok(()) => true,
                    Err(error) => {
                        problems.push(format!("{name}: not written: {}", reason(&error)));
                        false
                    }
                }
            };
            for (outcome, refusal) in edited.outcomes.iter().zip(&refused) {
                let told = match (&outcome.change.new, outcome.refused) {
                    (_, Some(reason)) => format!("to write by hand, {reason}"),
                    (NewValue::Text(value), None) if is_written => {
                        let refusal = refusal.as_ref();
                        let but = refusal
                            .map(|refusal| format!(", but the settings refuse it: {refusal}"));
                        format!("written: `{value}`{}", but.unwrap_or_default())
                    }
                    _ => "to write by hand, the file cannot be written".to_owned(),
                };
                tell(outcome.at, &told);
            }
        }
    }

    /// Why a value is not written; none if it is. The file is that of an object that is not built.
    fn reason(
        &self,
        input: Option<&Input>,
        row: &Row,
        proposal: &Proposal,
        refusal: Option<&str>,
    ) -> Option<String> {
        if self.twice.contains(&row.key) {
            return Some("the object is in Git more than once".to_owned());
        }
        if let Some(reason) = input.and_then(|input| self.included.reason(input.path())) {
            return Some(reason);
        }
        if input.is_none() && !proposal.is_image {
            return Some("it is no image".to_owned());
        }
        if self.what == WriteWhat::Spec {
            return None;
        }
        let why = match refusal {
            _ if !proposal.is_image => "it is no image".to_owned(),
            _ if !proposal.is_run => "no Pod runs it".to_owned(),
            Some(refusal) => format!("the settings refuse it: {refusal}"),
            None => return None,
        };
        Some(format!("{why} (`--write=spec` writes it all the same)"))
    }

    /// Why the settings refuse an image that an object in Git would have; none if they accept it.
    fn refusal(&self, text: &str, git: &InGit, proposal: &Proposal) -> Option<String> {
        if !proposal.is_image {
            return None;
        }
        let unknown = || Some("its object cannot be judged".to_owned());
        let mut documents = Vec::new();
        manifest::documents(text, &mut |part| documents.extend(part));
        let Some(document) = documents.get(git.document) else {
            return unknown();
        };
        let objects = objects(&document.tree).unwrap_or_default();
        let Some(object) = objects.iter().find(|object| object.way == git.way) else {
            return unknown();
        };
        let Some(json) = with_value(object, proposal) else {
            return unknown();
        };
        let mut documents = Vec::new();
        manifest::documents(&json, &mut |part| documents.extend(part));
        let tree = documents.first().map(|document| &document.tree);
        let changed = tree.and_then(manifest::Tree::root).map(|changed| Object {
            value: changed,
            ..object.clone()
        });
        let Some(changed) = changed else {
            return unknown();
        };
        let mut refusals = self.judge.refusals(&changed).into_iter();
        let refusal = refusals
            .find(|refusal| refusal.path == proposal.path || refusal.path.steps().is_empty())?;
        Some(format!("{} [{}]", refusal.reason(), refusal.code))
    }
}

/// An object as JSON, with what is proposed in it.
fn with_value(object: &Object<'_>, proposal: &Proposal) -> Option<String> {
    let mut root: serde_json::Value = serde_json::from_str(object.value.json()).ok()?;
    let value = edit::value_at(&mut root, proposal.path.steps())?;
    *value = proposal.value.as_str().into();
    Some(root.to_string())
}

fn human(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    let bold = anstyle::Style::new().bold();
    let columns = columns();
    let fit = |line: String, more| wrap(&line, columns, more);
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
            let git = printable(&format!("{git}{place}"));
            writeln!(out, "{}", fit(format!("    Git   {git}"), 6))?;
            let spec = row.spec.as_deref().unwrap_or("-");
            writeln!(out, "{}", fit(format!("    spec  {}", printable(spec)), 6))?;
        }
        for (position, runs) in row.pods.iter().enumerate() {
            let label = if position == 0 { "Pods" } else { "    " };
            let runs = printable(&shown(runs));
            writeln!(out, "{}", fit(format!("    {label}  {runs}"), 6))?;
        }
        if let Some(advice) = &row.advice {
            let advice = printable(advice);
            writeln!(out, "{}", fit(format!("    {bold}→ {advice}{bold:#}"), 2))?;
        }
    }
    let with = |state| rows.iter().filter(|row| row.state == state).count();
    let states = [
        State::InSync,
        State::RolloutInProgress,
        State::StuckRollout,
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
        writeln!(out, "nothing to compare")
    } else {
        writeln!(out, "{}", fit(counts.join(", "), 2))
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

fn json(
    out: &mut dyn Write,
    rows: &[Row],
    left_out: &[LeftOut],
    problems: &[String],
) -> Result<(), Failure> {
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
    let report = serde_json::json!({
        "rows": rows,
        "notCompared": left_out,
        "unreadable": problems,
    });
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
