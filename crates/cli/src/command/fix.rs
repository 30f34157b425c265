//! `rollout-guard fix`: writes into manifests what admission would change.

mod built;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard::annotation::{AnnotationItem, AnnotationRule, RuleAction};
use rollout_guard::image::Reference;
use rollout_guard::json::{self, Location};
use rollout_guard::mirror::{self, Mirror, Mirrored, Rewrite};
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::settings::Settings;
use rollout_guard::splice;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use rollout_guard::workload::Found;
use serde_json::Value as Json;
use similar::TextDiff;

use super::check::{BATCH, Judging};
use built::{MendedFile, Mender, Told, ToldFate};

use crate::build::plan::Plan;
use crate::edit::{self, Change, NewValue};
use crate::exit::Exit;
use crate::failure::{Failure, error, printable, reason, warn};
use crate::input::{self, Encoding, Input, from_here};
use crate::judge::{Judge, NotAsked};
use crate::kustomize::Included;
use crate::manifest::{self, Document, Lines, Position};
use crate::object::{Object, items_without_kind, objects};
use crate::output;
use crate::progress::Progress;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings, settings_of};
use crate::work_tree;
use crate::wrap::{columns, wrap};

/// Rewrite images to their mirrors and delete forbidden annotations, in place
///
/// Only the bytes of a value change: comments, quotes, anchors, indentation and line ends stay.
/// Mirrors are written into workloads whatever `rewrite` says. Exemptions hold as in admission.
/// What kustomizations and Helm charts build is changed where it is decided, if building again proves
/// that nothing else changes. What cannot be changed safely, such as a value that an alias stands for,
/// is reported and left as it is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard fix -s settings.yaml deploy/
  rollout-guard fix -s settings.yaml --diff deploy/ |
    git apply
  rollout-guard fix -s settings.yaml --check deploy/")]
pub(crate) struct Fix {
    /// Files, folders, or `-` for standard input, which is written to standard output
    #[arg(required = true, value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    judging: Judging,

    /// Show what would change, as a unified diff, and change nothing
    #[arg(long)]
    diff: bool,

    /// Change nothing, and exit with 1 if something would change
    #[arg(long)]
    check: bool,

    /// Pass even if there was no object, for hooks that may get no manifest
    #[arg(long)]
    allow_empty: bool,
}

/// What becomes of a file.
#[derive(Default)]
struct FilePlan {
    name: String,
    text: String,
    encoding: Encoding,
    /// The text after what is changed.
    new: String,
    /// What is said of the values in it, in their order.
    lines: Vec<Line>,
    /// It is for a template engine, which makes manifests of it.
    is_template: bool,
    objects: usize,
    problems: Vec<String>,
}

/// What is said of a value.
struct Line {
    at: Position,
    fate: Fate,
    /// Object, path and old value.
    subject: String,
    old: String,
    new: NewValue,
}

/// What becomes of a value.
enum Fate {
    /// It is changed.
    Changed,
    /// It has to be changed by hand, and why.
    ByHand(String),
    /// The settings leave it, or nothing can be said of it: all that there is to say.
    Left { text: String, is_to_do: bool },
}

/// What is said at the end.
#[derive(Default)]
struct Totals {
    changed_files: usize,
    changes: usize,
    by_hand: usize,
    unreadable: usize,
    templates: usize,
    objects: usize,
    /// What is not built.
    unbuilt: usize,
}

impl Fix {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let in_force = self.judging.in_force(&[])?;
        let settings_path = in_force.settings()?.to_owned();
        input::only_once(std::iter::once(&settings_path).chain(&self.paths))?;
        let file = SettingsFile::read(&settings_path)?;
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
        let read = settings_of(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let asks_registry = settings.iter().any(asks_registry);
        let only_changes: Vec<_> = settings.into_iter().map(only_changes).collect();
        let judge = self
            .judging
            .judge(&sources, &only_changes, &in_force.namespace);
        let has_stdin = self.paths.iter().any(|path| input::is_stdin(path));

        let found = input::find(&self.paths, &in_force.exclude);
        found.warnings.iter().for_each(|warning| warn(warning));
        let included = Included::find(&found.inputs);
        let building = Plan::new(found.inputs, None, &in_force.building);
        let progress = Progress::new(building.plain.len(), "files");
        let mut totals = Totals::default();
        let mut told = Vec::new();
        for batch in building.plain.chunks(BATCH) {
            let plans: Vec<_> = batch
                .par_iter()
                .map(|input| plan(&judge, &included, input))
                .collect();
            for (input, mut plan) in batch.iter().zip(plans) {
                self.carry_out(out, input, &mut plan)?;
                totals.add(&plan);
                told.append(&mut plan.told());
            }
            progress.advance(batch.len());
        }
        progress.end();
        self.fix_built(out, &judge, &building, &included, &mut totals, &mut told)?;
        told.push(self.summary(&totals));
        if totals.templates > 0 {
            let templates = count(totals.templates, "template", "templates");
            told.push(format!("  {templates} not rendered: left as they are"));
        }
        if asks_registry && totals.changes > 0 {
            told.push(
                "  `checkExists` is not asked: a mirror may lack an image that was written".into(),
            );
        }
        // A diff or a manifest on standard output is for a program.
        if self.diff || has_stdin {
            for line in told {
                let _ = writeln!(anstream::stderr(), "{}", wrap(&line, columns(), 2));
            }
        } else {
            for line in told {
                writeln!(out, "{}", wrap(&line, columns(), 2))?;
            }
        }
        let is_empty = totals.objects == 0 && totals.templates == 0 && !self.allow_empty;
        let is_unread = totals.unreadable > 0 || totals.unbuilt > 0;
        if is_empty && !is_unread {
            error("no Kubernetes object to look at (--allow-empty lets that pass)");
        }
        Ok(if is_unread || is_empty {
            Exit::Unreadable
        } else if totals.by_hand > 0 || (self.check && totals.changes > 0) {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }

    /// Changes the files that kustomize and Helm build.
    fn fix_built(
        &self,
        out: &mut dyn Write,
        judge: &Judge<'_>,
        building: &Plan,
        included: &Included,
        totals: &mut Totals,
        told: &mut Vec<String>,
    ) -> io::Result<()> {
        let writable = building.built.iter().cloned().collect();
        let mender = Mender {
            judge,
            plan: building,
            writable: &writable,
            hold: &|file| included.chart_reason(file),
        };
        let outcome = mender.mend();
        totals.objects += outcome.objects;
        totals.unbuilt += outcome.without_tool;
        for (name, file, unbuilt) in &outcome.unbuilt {
            totals.unbuilt += 1;
            let file = input::name(&from_here(
                unbuilt.place.as_ref().map_or(file, |(file, _)| file),
            ));
            let line = format!("{file}: `{name}` is not built: {}", unbuilt.problem);
            told.push(printable(&line));
        }
        for (path, file) in outcome.files {
            let path = from_here(&path);
            let mut plan = FilePlan::of_built(file, &path);
            self.carry_out(out, &Input::File(path), &mut plan)?;
            totals.add(&plan);
            told.append(&mut plan.told());
        }
        Ok(())
    }

    /// Writes the changes of a file, or shows them.
    fn carry_out(&self, out: &mut dyn Write, input: &Input, plan: &mut FilePlan) -> io::Result<()> {
        let path = input.path();
        let is_changed = plan.new != plan.text;
        if self.diff {
            if is_changed && plan.encoding == Encoding::Utf8 {
                write_diff(out, path, plan)?;
            } else if is_changed {
                plan.revert("a diff of UTF-16 cannot be applied, run `fix` without `--diff`");
            }
        } else if self.check {
            // Nothing is written.
        } else if input::is_stdin(path) {
            out.write_all(&plan.encoding.bytes(&plan.new))?;
        } else if is_changed
            && let Err(error) = output::write(path, &plan.encoding.bytes(&plan.new))
        {
            let reason = reason(&error);
            plan.problems
                .push(format!("{}: not written: {reason}", plan.name));
            plan.revert("the file cannot be written");
        }
        Ok(())
    }

    fn summary(&self, totals: &Totals) -> String {
        format!(
            "{} in {}{}{}{}",
            if self.diff || self.check {
                count(totals.changes, "change to make", "changes to make")
            } else {
                count(totals.changes, "change made", "changes made")
            },
            count(totals.changed_files, "file", "files"),
            if totals.by_hand > 0 {
                format!(", {} to change by hand", totals.by_hand)
            } else {
                String::new()
            },
            if totals.unreadable > 0 {
                let files = count(totals.unreadable, "file", "files");
                format!(", {files} not readable or written")
            } else {
                String::new()
            },
            if totals.unbuilt > 0 {
                format!(", {} failed", count(totals.unbuilt, "build", "builds"))
            } else {
                String::new()
            },
        )
    }
}

impl Totals {
    fn add(&mut self, plan: &FilePlan) {
        let with = |is: fn(&Fate) -> bool| plan.lines.iter().filter(|line| is(&line.fate)).count();
        let made = with(|fate| matches!(fate, Fate::Changed));
        self.changed_files += usize::from(made > 0);
        self.changes += made;
        self.by_hand +=
            with(|fate| matches!(fate, Fate::ByHand(_) | Fate::Left { is_to_do: true, .. }));
        self.unreadable += usize::from(!plan.problems.is_empty());
        self.templates += usize::from(plan.is_template);
        self.objects += plan.objects;
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
            .iter()
            .filter_map(only_removals)
            .collect(),
        image_places: settings.image_places,
        exemptions: settings.exemptions,
        clock: settings.clock,
        ..Settings::default()
    }
}

/// A rule with `action: remove`, without what it could only refuse.
fn only_removals<'a>(item: &AnnotationItem<'a>) -> Option<AnnotationItem<'a>> {
    let rule = item.rule().ok()?.into_owned();
    if rule.action != RuleAction::Remove {
        return None;
    }
    let removing = AnnotationRule {
        required: Vec::new(),
        require_any: Vec::new(),
        allowed: Vec::new().into(),
        values: Vec::new(),
        requires: Vec::new(),
        keep_any: Vec::new(),
        fields: Vec::new(),
        criteria: None,
        ..rule
    };
    item.with(removing).ok()
}

fn asks_registry(settings: &Settings<'_>) -> bool {
    settings.mirrors.iter().any(|mirror| mirror.check_exists)
}

fn plan(judge: &Judge<'_>, included: &Included, input: &Input) -> FilePlan {
    let path = input.path();
    let mut plan = FilePlan {
        name: input::name(path),
        ..FilePlan::default()
    };
    match input.read() {
        Ok(read) => (plan.text, plan.encoding) = (read.text, read.encoding),
        Err(unread) if unread.may_be_manifest => {
            let problem = unread.problem;
            plan.problems.push(format!("{}: {problem}", plan.name));
        }
        Err(_) => {}
    }
    plan.new.clone_from(&plan.text);
    let has_actions = plan.text.contains("{{");
    if has_actions && input::chart_of(path).is_some() {
        plan.is_template = true;
        return plan;
    }
    let text = std::mem::take(&mut plan.text);
    plan.read(judge, included, path, &text);
    plan.text = text;
    plan
}

impl FilePlan {
    /// What becomes of a file that kustomize or Helm reads.
    fn of_built(file: MendedFile, path: &Path) -> Self {
        let line = |told: Told| Line {
            at: told.at,
            fate: match told.fate {
                ToldFate::Changed => Fate::Changed,
                ToldFate::ByHand(reason) => Fate::ByHand(reason),
                ToldFate::Left { text, is_to_do } => Fate::Left { text, is_to_do },
            },
            subject: told.subject,
            old: told.old,
            new: told.new,
        };
        Self {
            name: input::name(path),
            text: file.read.text,
            encoding: file.read.encoding,
            new: file.new,
            lines: file.lines.into_iter().map(line).collect(),
            ..Self::default()
        }
    }

    /// Reads what is to change in a text, and changes it.
    fn read(&mut self, judge: &Judge<'_>, included: &Included, path: &Path, text: &str) {
        let lines = Lines::new(text);
        let mut documents = Vec::new();
        let mut unreadable = Vec::new();
        manifest::documents(text, &mut |part| match part {
            Ok(document) => {
                for item in items_without_kind(&document.tree) {
                    let at = document.in_file(&item.span()).start;
                    let problem = "an item of the list has no `apiVersion` and `kind`".to_owned();
                    unreadable.push((at, problem));
                }
                documents.push(document);
            }
            Err(error) => unreadable.push((error.at, error.problem)),
        });
        let mut why_not = None;
        if unreadable.is_empty() {
            // All of it can be written.
        } else if text.contains("{{") {
            self.is_template = true;
            why_not = Some("the file is a template".to_owned());
        } else if manifest::may_be_manifest(text) {
            for (at, problem) in unreadable {
                let at = lines.position(at);
                let (line, column) = (at.line, at.column);
                self.problems.push(format!(
                    "{}:{line}:{column}: {problem}, nothing is changed",
                    self.name
                ));
                let reason = || format!("line {line} of the file cannot be read");
                why_not = why_not.or_else(|| Some(reason()));
            }
        }
        let mut changes = Vec::new();
        for (position, document) in documents.iter().enumerate() {
            for object in objects(&document.tree).into_iter().flatten() {
                self.objects += 1;
                let wanted = wanted(judge, &object, position);
                for change in wanted.changes {
                    let root = document.tree.root();
                    let old = root.and_then(|root| root.at(&change.path)?.text());
                    self.lines.push(Line {
                        at: lines.position(edit::start(document, &change.path)),
                        fate: Fate::Changed,
                        subject: format!("{object}: {}", change.path),
                        old: old.unwrap_or_default().into_owned(),
                        new: change.new.clone(),
                    });
                    changes.push(change);
                }
                self.add_left(&lines, document, &object, wanted.left);
                for found in judge.installed_mirrors(document, &object, text) {
                    self.lines.push(Line {
                        at: lines.position(found.span.start),
                        fate: Fate::ByHand("what it installs is not rendered".to_owned()),
                        subject: format!("{object}: {}", found.place),
                        old: found.image,
                        new: NewValue::Text(found.mirror),
                    });
                }
            }
        }
        if !changes.is_empty() {
            why_not = why_not.or_else(|| included.reason(path));
            if let Some(reason) = why_not {
                self.hold(&reason);
            } else {
                self.apply(text, &changes);
            }
        }
        self.lines.sort_by_key(|line| line.at);
    }

    fn apply(&mut self, text: &str, changes: &[Change]) {
        let edited = edit::apply(text, changes);
        self.new = edited.text;
        let planned = self
            .lines
            .iter_mut()
            .filter(|line| matches!(line.fate, Fate::Changed));
        for (line, outcome) in planned.zip(edited.outcomes) {
            if let Some(reason) = outcome.refused {
                line.fate = Fate::ByHand(reason.to_owned());
            }
        }
    }

    fn add_left(
        &mut self,
        lines: &Lines<'_>,
        document: &Document<'_>,
        object: &Object<'_>,
        left: Vec<Left>,
    ) {
        for left in left {
            let place = object.value.locate(&left.path);
            self.lines.push(Line {
                at: lines.position(document.in_file(&place.span).start),
                fate: Fate::Left {
                    text: left.text,
                    is_to_do: left.is_to_do,
                },
                subject: object.to_string(),
                old: String::new(),
                new: NewValue::Removed,
            });
        }
    }

    /// Nothing is changed after all.
    fn revert(&mut self, reason: &str) {
        self.new.clone_from(&self.text);
        self.hold(reason);
    }

    /// What would be changed has to be changed by hand.
    fn hold(&mut self, reason: &str) {
        for line in &mut self.lines {
            if matches!(line.fate, Fate::Changed) {
                line.fate = Fate::ByHand(reason.to_owned());
            }
        }
    }

    /// What is told of a file.
    fn told(&self) -> Vec<String> {
        let of_lines = self.lines.iter().map(|line| {
            let Line { at, old, .. } = line;
            let becomes = match (&line.fate, &line.new) {
                (Fate::Changed, NewValue::Text(new)) => format!("`{old}` becomes `{new}`"),
                (Fate::Changed, NewValue::Removed) => format!("`{old}` is removed"),
                (Fate::ByHand(reason), NewValue::Text(new)) => {
                    format!("change `{old}` to `{new}` by hand: {reason}")
                }
                (Fate::ByHand(reason), NewValue::Removed) => {
                    format!("remove `{old}` by hand: {reason}")
                }
                (Fate::Left { text, .. }, _) => text.clone(),
            };
            format!(
                "{}:{}:{}: {}: {becomes}",
                self.name, at.line, at.column, line.subject
            )
        });
        let problems = self.problems.iter().cloned();
        problems
            .chain(of_lines)
            .map(|line| printable(&line))
            .collect()
    }
}

/// What should become of an object.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) changes: Vec<Change>,
    /// What is left as it is, although a rule is about it.
    left: Vec<Left>,
}

/// A value that is left as it is.
struct Left {
    /// From the object on.
    path: Location<'static>,
    text: String,
    /// Somebody has to change it.
    is_to_do: bool,
}

/// What an object should be changed to, and what is left in it.
pub(super) fn wanted(judge: &Judge<'_>, object: &Object<'_>, document: usize) -> Wanted {
    let mut wanted = Wanted::default();
    let mut text = String::new();
    for (source, policy) in &judge.policies {
        if source.covers(object, judge.namespace) {
            object.write_request(judge.namespace, &judge.identity, &mut text);
            wanted.add(*policy, &text, object, &Location::default(), document);
        } else if judge.covers_pods_of(source, object) {
            for (template, text) in judge.pods(object) {
                if source.selects_pods_from(object, &template) {
                    wanted.add(*policy, &text, object, &template, document);
                }
            }
        }
    }
    wanted
}

impl Wanted {
    /// Adds what a policy says of a request: about the object, or about a Pod from its template.
    fn add(
        &mut self,
        policy: Policy<'_>,
        text: &str,
        object: &Object<'_>,
        template: &Location<'static>,
        document: usize,
    ) {
        let mut text = text.to_owned();
        let mut left = Vec::new();
        // A value that refuses the object must not keep its neighbours from being changed.
        let (verdict, edits) = loop {
            let json = json::Document::of(&text);
            let Ok(request) = Request::of(&json) else {
                self.left.push(Left {
                    path: Location::default(),
                    text: "cannot be read".to_owned(),
                    is_to_do: true,
                });
                return;
            };
            let object = request.object.as_ref();
            let object = object.map_or(json::Value::NULL, |object| object.value);
            let verdict = policy.evaluate_with(request, &NotAsked);
            let paths = splice::paths(object, &verdict.edits);
            drop(json);
            let without = without(&text, &verdict.violations);
            left.extend(verdict.violations.iter().map(|violation| Left {
                path: violation.path.clone(),
                text: violation.to_string(),
                is_to_do: true,
            }));
            match without {
                Some(rest) => text = rest,
                None => break (verdict, paths),
            }
        };
        let told = verdict.warnings.iter();
        left.extend(
            told.filter(|warning| !edits.contains(&warning.path))
                .map(|warning| Left {
                    path: warning.path.clone(),
                    text: format!("left: {warning}"),
                    is_to_do: false,
                }),
        );
        add_silent(policy, &text, &verdict, &edits, &mut left);
        for (edit, path) in verdict.edits.into_iter().zip(edits) {
            let new = match edit.change {
                splice::Change::Set(text) => NewValue::Text(text),
                splice::Change::Remove => NewValue::Removed,
                // For Pods only, and none is asked for here.
                splice::Change::PullSecrets(_) => continue,
            };
            let path = object.way.below(template.below(path));
            // Of two policies the first one counts, as the first webhook that changes an image.
            if self.changes.iter().all(|change| change.path != path) {
                self.changes.push(Change {
                    document,
                    path,
                    new,
                });
            }
        }
        self.left.extend(left.into_iter().map(|left| Left {
            path: template.below(left.path),
            ..left
        }));
    }
}

/// A request without the values that violations are about; `None` where there is none to take out.
fn without(request: &str, violations: &[Violation]) -> Option<String> {
    let mut root: Json = serde_json::from_str(request).ok()?;
    let object = root.get_mut("object")?;
    let mut is_changed = false;
    for violation in violations {
        if violation.path.steps().is_empty() {
            continue;
        }
        let value = edit::value_at(object, violation.path.steps());
        if let Some(value) = value.filter(|value| !value.is_null()) {
            *value = Json::Null;
            is_changed = true;
        }
    }
    is_changed.then(|| root.to_string())
}

/// Adds the images that have a mirror and are left without a word: by the rule itself, by an
/// exemption, or since nodes never pull them.
fn add_silent(
    policy: Policy<'_>,
    request: &str,
    verdict: &Verdict<'_>,
    edits: &[Location<'static>],
    left: &mut Vec<Left>,
) {
    let settings = policy.settings();
    let json = json::Document::of(request);
    let Ok(mut request) = Request::of(&json) else {
        return;
    };
    let Some(mut object) = request.object.take() else {
        return;
    };
    settings.image_places.add_images(&mut object, &request.kind);
    for found in &object.found {
        let Found::Image(image) = found else { continue };
        let path = image.exact_place().detached();
        let is_told = edits.contains(&path) || left.iter().any(|left| left.path == path);
        let (false, Ok(written)) = (is_told, Reference::parse(&image.text)) else {
            continue;
        };
        let applies = |_, mirror: &Mirror<'_>| mirror.selector.matches(&request, &object);
        let Some((mirror, rest)) = mirror::find(&settings.mirrors, &written, applies) else {
            continue;
        };
        let why = if mirror.mirrored(&written, rest, &mut String::new()) == Mirrored::Left {
            "its mirror is not for images with a digest (`digest: skip`)".to_owned()
        } else if mirror.is_only_named {
            "its mirror is only named (`rewrite: never`)".to_owned()
        } else if image.is_never_pulled {
            "nodes never pull it (`imagePullPolicy: Never`)".to_owned()
        } else if verdict.exempted.is_empty() {
            "it is not rewritten in this kind of object".to_owned()
        } else {
            format!(
                "the exemption `{}` covers it",
                verdict.exempted.join("`, `")
            )
        };
        left.push(Left {
            path,
            text: format!(
                "left: {}: image `{}`: {why}",
                image.told_place(),
                image.text
            ),
            is_to_do: false,
        });
    }
}

/// Shows the change of a file as `git apply` takes it.
fn write_diff(out: &mut dyn Write, path: &Path, plan: &FilePlan) -> io::Result<()> {
    let old: Vec<_> = plan.text.split_inclusive('\n').collect();
    let new: Vec<_> = plan.new.split_inclusive('\n').collect();
    let diff = TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&old, &new);
    let (name, is_from_top) = if input::is_stdin(path) {
        ("stdin".to_owned(), false)
    } else {
        path_in_diff(path)
    };
    let (old, new) = (quoted(&format!("a/{name}")), quoted(&format!("b/{name}")));
    if is_from_top {
        writeln!(out, "diff --git {old} {new}")?;
    }
    // As Git marks the end of a name with spaces in it.
    let end = if name.contains(' ') { "\t" } else { "" };
    let (old, new) = (format!("{old}{end}"), format!("{new}{end}"));
    write!(out, "{}", diff.unified_diff().header(&old, &new))
}

/// The path of the file that a path leads to, as `git apply` looks for it; and whether that is certainly
/// from the top of the work tree.
///
/// Below the working folder it counts from there, elsewhere from the top of the work tree. Where the
/// two could be mixed up (`git apply` guesses that a path which begins as the working folder's counts
/// from the top), it says that it counts from the top.
fn path_in_diff(path: &Path) -> (String, bool) {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let here = here.unwrap_or_default();
    let top = real.parent().and_then(work_tree::top);
    let from_top = top.and_then(|top| real.strip_prefix(top).ok());
    match (real.strip_prefix(&here), from_top) {
        (Ok(below), Some(from_top)) => {
            let prefix = top.and_then(|top| here.strip_prefix(top).ok());
            let is_alike =
                |prefix: &Path| !prefix.as_os_str().is_empty() && below.starts_with(prefix);
            if prefix.is_some_and(is_alike) {
                (text(from_top), true)
            } else {
                (text(below), false)
            }
        }
        (Ok(below), None) => (text(below), false),
        (Err(_), Some(from_top)) => (text(from_top), false),
        (Err(_), None) => (text(real.strip_prefix("/").unwrap_or(&real)), false),
    }
}

/// A name as Git writes it in a diff: in quotes, where it holds what would end or change it.
fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if name.bytes().all(is_plain) {
        return name.to_owned();
    }
    let mut quoted = "\"".to_owned();
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            byte if is_plain(byte) => quoted.push(char::from(byte)),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}
