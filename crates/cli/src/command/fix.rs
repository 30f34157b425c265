//! `rollout-guard fix`: writes into manifests what admission would change.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use rollout_guard::annotation::{AnnotationRule, RuleAction};
use rollout_guard::mirror::{Mirror, Rewrite};
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::settings::{AnnotationItem, Settings};
use rollout_guard::splice;
use similar::TextDiff;

use super::check::{BATCH, Judging, nodes, settings};
use crate::edit::{self, Change, Edited, NewValue, Outcome};
use crate::exit::Exit;
use crate::failure::{Failure, printable, reason};
use crate::input::{self, Input};
use crate::judge::{Judge, NotAsked};
use crate::manifest::{self, Lines};
use crate::object::{Object, objects};
use crate::progress::Progress;
use crate::report::count;
use crate::settings_file::SettingsFile;

/// Write mirrors, and the removal of what has `action: remove`, into manifests
///
/// Only the bytes of a value change: comments, quotes, anchors, indentation and line ends stay.
/// Mirrors are written into workloads whatever `rewrite` says. Exemptions hold as in admission.
/// What cannot be changed safely, such as a value that an alias stands for, is told and left.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard fix -s settings.yaml deploy/
  rollout-guard fix -s settings.yaml --diff deploy/ | git apply
  rollout-guard fix -s settings.yaml --check deploy/")]
pub(crate) struct Fix {
    /// Files, folders, or `-` for standard input, which is written to standard output
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    judging: Judging,

    /// Show what would change, as a unified diff, and change nothing
    #[arg(long)]
    diff: bool,

    /// Change nothing, and exit with 1 if something would change
    #[arg(long)]
    check: bool,
}

/// What becomes of a file.
struct Plan {
    name: String,
    text: String,
    edited: Edited,
    /// What the text of each change was, in their order, and the object.
    was: Vec<(String, String)>,
    /// It is for a template engine, which makes manifests of it.
    is_template: bool,
    /// What stops the engine from changing an object.
    violations: Vec<String>,
    problems: Vec<String>,
}

impl Fix {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        input::only_once(std::iter::once(&self.judging.settings).chain(&self.paths))?;
        let file = SettingsFile::read(&self.judging.settings)?;
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
        let read = nodes(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let asks_registry = settings.iter().any(asks_registry);
        let only_changes: Vec<_> = settings.into_iter().map(only_changes).collect();
        let judge = self.judging.judge(&sources, &only_changes);
        let has_stdin = self.paths.iter().any(|path| input::is_stdin(path));

        let inputs = input::find(&self.paths);
        let mut progress = Progress::new(inputs.len());
        let (mut changed_files, mut changes, mut by_hand, mut unreadable) = (0, 0, 0, 0);
        let mut templates = 0;
        let mut told = Vec::new();
        for batch in inputs.chunks(BATCH) {
            let plans: Vec<_> = batch.par_iter().map(|input| plan(&judge, input)).collect();
            for (input, plan) in batch.iter().zip(plans) {
                let mut plan = plan;
                let is_changed = plan.edited.text != plan.text;
                if is_changed && self.diff {
                    write_diff(out, &plan)?;
                } else if !self.diff && !self.check {
                    if input::is_stdin(input.path()) {
                        out.write_all(plan.edited.text.as_bytes())?;
                    } else if is_changed
                        && let Err(error) = replace(input.path(), &plan.edited.text)
                    {
                        plan.problems.push(format!(
                            "{}: not written: {}",
                            plan.name,
                            reason(&error)
                        ));
                        plan.edited.outcomes.clear();
                    }
                }
                let made = plan
                    .edited
                    .outcomes
                    .iter()
                    .filter(|outcome| outcome.refused.is_none())
                    .count();
                changed_files += usize::from(made > 0);
                changes += made;
                by_hand += plan.edited.outcomes.len() - made + plan.violations.len();
                unreadable += usize::from(!plan.problems.is_empty());
                templates += usize::from(plan.is_template);
                told.append(&mut plan.lines());
            }
            progress.advance(batch.len());
        }
        progress.end();
        told.push(format!(
            "{} in {}{}{}",
            if self.diff || self.check {
                count(changes, "change to make", "changes to make")
            } else {
                count(changes, "change made", "changes made")
            },
            count(changed_files, "file", "files"),
            if by_hand > 0 {
                format!(", {by_hand} to change by hand")
            } else {
                String::new()
            },
            if unreadable > 0 {
                let files = count(unreadable, "file", "files");
                format!(", {files} not readable or written")
            } else {
                String::new()
            },
        ));
        if templates > 0 {
            let templates = count(templates, "template", "templates");
            told.push(format!("  {templates} not rendered: left as they are"));
        }
        if asks_registry && changes > 0 {
            told.push(
                "  `checkExists` is not asked: a mirror may lack an image that was written".into(),
            );
        }
        // A diff or a manifest on standard output is for a program.
        if self.diff || has_stdin {
            for line in told {
                let _ = writeln!(anstream::stderr(), "{line}");
            }
        } else {
            for line in told {
                writeln!(out, "{line}")?;
            }
        }
        Ok(if unreadable > 0 {
            Exit::Unreadable
        } else if by_hand > 0 || (self.check && changes > 0) {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }
}

/// The settings of which nothing is left but what changes objects.
///
/// Mirrors are written into workloads; registries are not asked, and pull secrets are for Pods.
pub(super) fn only_changes(settings: Settings<'_>) -> Settings<'_> {
    Settings {
        mirrors: settings
            .mirrors
            .into_iter()
            .map(|mirror| Mirror {
                pull_secrets: Vec::new(),
                check_exists: false,
                ..mirror
            })
            .collect(),
        rewrite: Rewrite::Workloads,
        annotations: settings
            .annotations
            .into_iter()
            .filter_map(only_removals)
            .collect(),
        image_paths: settings.image_paths,
        exemptions: settings.exemptions,
        ..Settings::default()
    }
}

/// A rule with `action: remove`, without what it could only refuse.
fn only_removals(item: AnnotationItem<'_>) -> Option<AnnotationItem<'_>> {
    match item {
        AnnotationItem::Read(rule) if rule.action == RuleAction::Remove => {
            Some(AnnotationItem::Read(Box::new(AnnotationRule {
                required: Vec::new(),
                require_any: Vec::new(),
                allowed: Vec::new(),
                values: Vec::new(),
                requires: Vec::new(),
                criteria: None,
                ..*rule
            })))
        }
        _ => None,
    }
}

fn asks_registry(settings: &Settings<'_>) -> bool {
    settings.mirrors.iter().any(|mirror| mirror.check_exists)
}

fn plan(judge: &Judge<'_>, input: &Input) -> Plan {
    let path = input.path();
    let name = input::name(path);
    let mut plan = Plan {
        text: String::new(),
        edited: Edited {
            text: String::new(),
            outcomes: Vec::new(),
        },
        was: Vec::new(),
        is_template: false,
        violations: Vec::new(),
        problems: Vec::new(),
        name,
    };
    let text = match input {
        Input::File(path) => input::read(path),
        Input::Unreadable { problem, .. } => Err(problem.clone()),
    };
    match text {
        Ok(text) => plan.text = text,
        Err(problem) => plan.problems.push(format!("{}: {problem}", plan.name)),
    }
    if plan.text.contains("{{") && input::is_chart_template(path) {
        plan.is_template = true;
        plan.edited.text.clone_from(&plan.text);
        return plan;
    }
    let mut documents = Vec::new();
    let mut unreadable = Vec::new();
    manifest::documents(&plan.text, &mut |part| match part {
        Ok(document) => documents.push(document),
        Err(error) => unreadable.push(error),
    });
    if unreadable.is_empty() {
        let mut changes = Vec::new();
        for (position, document) in documents.iter().enumerate() {
            for object in objects(&document.tree).into_iter().flatten() {
                let (wanted, violations) = wanted(judge, &object, position);
                for change in wanted {
                    let root = document.tree.root();
                    let was = root.and_then(|root| root.at(&change.path)?.text());
                    let was = was.unwrap_or_default().into_owned();
                    plan.was.push((was, object.to_string()));
                    changes.push(change);
                }
                let name = &plan.name;
                let violations = violations
                    .into_iter()
                    .map(|violation| format!("{name}: {object}: {violation}"));
                plan.violations.extend(violations);
            }
        }
        if !changes.is_empty() {
            plan.edited = edit::apply(&plan.text, &changes);
            return plan;
        }
    } else if plan.text.contains("{{") {
        plan.is_template = true;
    } else {
        let lines = Lines::new(&plan.text);
        for error in unreadable {
            let at = lines.position(error.at);
            plan.problems.push(format!(
                "{}:{}:{}: {}, nothing is changed",
                plan.name, at.line, at.column, error.problem
            ));
        }
    }
    plan.edited.text.clone_from(&plan.text);
    plan
}

/// What an object should be changed to, and what stands in the way.
pub(super) fn wanted(
    judge: &Judge<'_>,
    object: &Object<'_>,
    document: usize,
) -> (Vec<Change>, Vec<String>) {
    let (mut changes, mut violations) = (Vec::new(), Vec::new());
    let mut text = String::new();
    for (source, policy) in &judge.policies {
        if !source.covers(object, judge.namespace) {
            continue;
        }
        object.write_request(judge.namespace, &judge.identity, &mut text);
        let Ok(request) = Request::read(&text) else {
            violations.push("cannot be read".to_owned());
            continue;
        };
        let verdict = Policy::evaluate_with(*policy, request, &NotAsked);
        violations.extend(verdict.violations.iter().map(ToString::to_string));
        for edit in verdict.edits {
            let new = match edit.change {
                splice::Change::Set(text) => NewValue::Text(text),
                splice::Change::Remove => NewValue::Removed,
                // For Pods only, and none is asked for here.
                splice::Change::PullSecrets => continue,
            };
            let path = object.way.below(edit.path);
            // Of two policies the first one counts, as the first webhook that changes an image.
            if changes.iter().all(|change: &Change| change.path != path) {
                changes.push(Change {
                    document,
                    path,
                    new,
                });
            }
        }
    }
    (changes, violations)
}

impl Plan {
    /// What is told of a file.
    fn lines(&self) -> Vec<String> {
        let made = self
            .edited
            .outcomes
            .iter()
            .zip(&self.was)
            .map(|(outcome, (was, object))| {
                let Outcome {
                    change,
                    at,
                    refused,
                } = outcome;
                let becomes = match (&change.new, refused) {
                    (NewValue::Text(text), None) => format!("`{was}` becomes `{text}`"),
                    (NewValue::Removed, None) => format!("`{was}` is removed"),
                    (NewValue::Text(text), Some(reason)) => {
                        format!("change `{was}` to `{text}` by hand: {reason}")
                    }
                    (NewValue::Removed, Some(reason)) => {
                        format!("remove `{was}` by hand: {reason}")
                    }
                };
                printable(&format!(
                    "{}:{}:{}: {object}: {}: {becomes}",
                    self.name, at.line, at.column, change.path,
                ))
            });
        self.problems
            .iter()
            .chain(&self.violations)
            .map(|line| printable(line))
            .chain(made)
            .collect()
    }
}

/// Shows the change of a file as `git diff` would.
fn write_diff(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let diff = TextDiff::from_lines(plan.text.as_str(), plan.edited.text.as_str());
    let (old, new) = (format!("a/{}", plan.name), format!("b/{}", plan.name));
    write!(out, "{}", diff.unified_diff().header(&old, &new))
}

/// Writes a file whole or not at all: into a file beside it, which then takes its place.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".rollout-guard-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
