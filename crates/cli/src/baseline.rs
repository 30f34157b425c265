//! A baseline: violations that a team has accepted for now, so that only new ones fail.
//!
//! A violation is known again by its object, its place with containers by name, its code and its value. The
//! file and the line do not count: code moves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use crate::config;
use crate::failure::{Failure, error, printable, reason};
use crate::finding::{FileReport, Finding, ObjectName, Severity};
use crate::input;
use crate::manifest::{self, Lines, Value};
use crate::output;
use crate::report::count;

/// The version of the format that is read and written.
const VERSION: &str = "1";

/// So many entries that no longer occur are shown to people.
const MOST_GONE: usize = 10;

const HEADER: &str = "\
# Violations that `rollout-guard check --baseline` accepts. `--write-baseline` writes this file.
# Delete a line once you have fixed what it is about: the command reports lines that are no longer needed.
";

/// What a user says of a baseline.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// File with violations that do not fail, as written by `--write-baseline` [default: `baseline` in
    /// `.rollout-guard.yaml`]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    baseline: Option<PathBuf>,

    /// Write the violations found into the baseline, so that only new ones fail
    #[arg(long)]
    write_baseline: bool,

    /// Ignore the baseline that `.rollout-guard.yaml` names
    #[arg(long, conflicts_with_all = ["baseline", "write_baseline"])]
    no_baseline: bool,
}

/// A baseline, if it is asked for and can be used.
#[derive(Default)]
pub(crate) struct Accepted {
    pub(crate) baseline: Option<Baseline>,
    pub(crate) is_unusable: bool,
}

impl Options {
    /// What a team has accepted; nothing where that cannot be used, so that everything fails. `configured` is
    /// the file that the configuration names. Warnings are written too where these fail.
    ///
    /// # Errors
    ///
    /// Where a file would be overwritten that is no baseline, or none is named to be written.
    pub(crate) fn begin(
        &self,
        configured: Option<&Path>,
        has_warnings: bool,
    ) -> Result<Accepted, Failure> {
        let configured = configured.filter(|_| !self.no_baseline);
        let Some(path) = self.baseline.as_deref().or(configured) else {
            if self.write_baseline {
                return Err(Failure::wrong_use(format!(
                    "`--write-baseline`: no baseline: name a file with `--baseline`, or with `baseline:` in `{}`",
                    config::NAME
                )));
            }
            return Ok(Accepted::default());
        };
        let baseline = if self.write_baseline {
            Ok(Baseline::to_write(path, has_warnings)?)
        } else {
            Baseline::read(path)
        };
        if let Err(problem) = &baseline {
            error(&format!("{problem}; every violation counts"));
        }
        Ok(Accepted {
            is_unusable: baseline.is_err(),
            baseline: baseline.ok(),
        })
    }
}

/// An accepted violation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Entry {
    /// As in `match.kinds`: `apps/Deployment`, `core/Pod`.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    place: String,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// An object, by kind, namespace and name.
type Key<'e> = (&'e str, Option<&'e str>, &'e str);

/// The accepted violations, and which of them occurred.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    path: PathBuf,
    /// Each entry with its line, and whether it occurred.
    entries: BTreeMap<Entry, (usize, bool)>,
    /// The objects that were judged.
    judged: BTreeSet<(String, Option<String>, String)>,
    /// What is to be written.
    new: Option<New>,
}

/// What a new baseline will hold.
#[derive(Debug, Default)]
struct New {
    has_warnings: bool,
    entries: BTreeSet<Entry>,
    /// Violations whose value must not be written.
    hidden: usize,
}

/// What became of a baseline in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// As messages show it.
    file: String,
    /// What no longer occurs, and its line.
    pub(crate) gone: Vec<(Entry, usize)>,
    /// How many entries are about objects that were not judged.
    pub(crate) not_judged: usize,
    written: Option<usize>,
    hidden: usize,
}

impl Baseline {
    /// Reads the violations that a team has accepted.
    ///
    /// # Errors
    ///
    /// Why the file cannot be used, in one line.
    fn read(path: &Path) -> Result<Self, String> {
        let name = input::name(path);
        let text = input::read(path).map_err(|unread| format!("{name}: {}", unread.problem))?;
        let entries = entries(&text.text).map_err(|(line, problem)| match line {
            Some(line) => format!("{name}:{line}: {problem}"),
            None => format!("{name}: {problem}"),
        })?;
        let entries = entries
            .into_iter()
            .map(|(entry, line)| (entry, (line, false)));
        Ok(Self {
            path: path.to_owned(),
            entries: entries.collect(),
            ..Self::default()
        })
    }

    /// A baseline that takes up whatever is found; warnings too, where these fail.
    ///
    /// # Errors
    ///
    /// Where the file is there and is something else.
    fn to_write(path: &Path, has_warnings: bool) -> Result<Self, Failure> {
        let name = input::name(path);
        if input::is_stdin(path) {
            return Err(Failure::wrong_use(
                "--write-baseline: `-` is standard input, name a file",
            ));
        }
        let is_free = match std::fs::read_to_string(path) {
            Ok(text) => text.trim().is_empty() || text.contains("\nviolations:"),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !is_free {
            return Err(Failure::wrong_use(format!(
                "{name}: not overwritten, since it is no baseline"
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            new: Some(New {
                has_warnings,
                ..New::default()
            }),
            ..Self::default()
        })
    }

    /// Marks the accepted findings of a file, and takes them out of its numbers.
    pub(crate) fn apply(&mut self, file: &mut FileReport) {
        for object in &file.objects {
            self.add_object(object);
        }
        for finding in &mut file.findings {
            let Some(object) = file.objects.get(finding.object) else {
                continue;
            };
            if !self.mark(object, finding) {
                continue;
            }
            let counts = &mut file.counts;
            counts.in_baseline += 1;
            match finding.severity {
                Severity::Error => counts.errors = counts.errors.saturating_sub(1),
                Severity::Warning => counts.warnings = counts.warnings.saturating_sub(1),
            }
        }
    }

    /// Notes that an object was judged.
    pub(crate) fn add_object(&mut self, object: &ObjectName) {
        let kind = group_kind(object);
        let key = (kind, object.namespace.clone(), object.name.clone());
        self.judged.insert(key);
    }

    /// Marks a finding if it is accepted; tells whether it is.
    pub(crate) fn mark(&mut self, object: &ObjectName, finding: &mut Finding) -> bool {
        finding.is_in_baseline = !finding.code().is_note() && self.accepts(object, finding);
        finding.is_in_baseline
    }

    fn accepts(&mut self, object: &ObjectName, finding: &Finding) -> bool {
        let is_hidden = finding.detail.is_hidden;
        if let Some(new) = &mut self.new {
            let is_wanted = finding.severity == Severity::Error || new.has_warnings;
            if is_wanted && is_hidden {
                new.hidden += 1;
            } else if is_wanted {
                new.entries.insert(Entry::new(object, finding));
            }
            return is_wanted && !is_hidden;
        }
        // Nobody could see that the value is another one.
        if is_hidden {
            return false;
        }
        match self.entries.get_mut(&Entry::new(object, finding)) {
            Some((_, occurred)) => {
                *occurred = true;
                true
            }
            None => false,
        }
    }

    /// Ends a run: writes the file, where that is asked for.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn end(self) -> Result<Outcome, Failure> {
        let name = input::name(&self.path);
        let mut outcome = Outcome {
            file: name.clone(),
            ..Outcome::default()
        };
        if let Some(new) = &self.new {
            output::write(&self.path, new.text().as_bytes()).map_err(|error| {
                Failure::unreadable(format!("{name}: not written: {}", reason(&error)))
            })?;
            outcome.written = Some(new.entries.len());
            outcome.hidden = new.hidden;
        }
        for (entry, (line, occurred)) in self.entries {
            let (kind, namespace, name) = entry.key();
            let key = (
                kind.to_owned(),
                namespace.map(str::to_owned),
                name.to_owned(),
            );
            if occurred {
                continue;
            }
            if self.judged.contains(&key) {
                outcome.gone.push((entry, line));
            } else {
                outcome.not_judged += 1;
            }
        }
        outcome.gone.sort_by_key(|(_, line)| *line);
        Ok(outcome)
    }
}

impl New {
    fn text(&self) -> String {
        let mut text = format!("{HEADER}version: {VERSION}\nviolations:");
        if self.entries.is_empty() {
            text.push_str(" []\n");
            return text;
        }
        text.push('\n');
        for entry in &self.entries {
            // JSON is YAML, and one line is what a merge needs.
            let entry = serde_json::to_string(entry).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  - {entry}");
        }
        text
    }
}

impl Entry {
    fn new(object: &ObjectName, finding: &Finding) -> Self {
        Self {
            kind: group_kind(object),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            place: finding.detail.place.clone(),
            code: finding.code().as_str().to_owned(),
            value: finding.detail.value.clone(),
        }
    }

    fn key(&self) -> Key<'_> {
        (&self.kind, self.namespace.as_deref(), &self.name)
    }
}

/// `Deployment prod/web, spec.template.spec.containers["app"].image: registry-not-allowed`.
impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind.rsplit('/').next().unwrap_or_default();
        write!(f, "{kind} ")?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}, {}: {}", self.name, self.place, self.code)
    }
}

/// What makes a violation the same in another run, in one line.
pub(crate) fn fingerprint(object: &ObjectName, finding: &Finding) -> String {
    let entry = Entry::new(object, finding);
    match &entry.value {
        Some(value) => format!("{} {value} {entry}", entry.kind),
        None => format!("{} {entry}", entry.kind),
    }
}

impl Outcome {
    /// What is said of it, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let file = &self.file;
        let mut lines = Vec::new();
        if let Some(written) = self.written {
            let entries = count(written, "finding", "findings");
            lines.push(format!("{file}: {entries} written"));
        }
        if self.hidden > 0 {
            let findings = count(self.hidden, "finding", "findings");
            lines.push(format!(
                "{file}: {findings} not written, about a value that no report shows"
            ));
        }
        if !self.gone.is_empty() {
            let entries = count(
                self.gone.len(),
                "entry no longer occurs",
                "entries no longer occur",
            );
            lines.push(format!("{file}: {entries}, remove from the file:"));
            let shown = self.gone.iter().take(MOST_GONE);
            lines.extend(
                shown.map(|(entry, line)| {
                    format!("  line {line}: {}", printable(&entry.to_string()))
                }),
            );
            if let Some(more @ 1..) = self.gone.len().checked_sub(MOST_GONE) {
                lines.push(format!("  and {more} more"));
            }
        }
        if self.not_judged > 0 {
            let (entries, are) = if self.not_judged == 1 {
                ("entry", "is")
            } else {
                ("entries", "are")
            };
            let number = self.not_judged;
            lines.push(format!(
                "{file}: {number} {entries} {are} about objects that were not judged"
            ));
        }
        lines
    }
}

/// The kind of an object as `match.kinds` has it.
fn group_kind(object: &ObjectName) -> String {
    let group = object.api_version.split_once('/');
    let group = group.map_or("core", |(group, _)| group);
    format!("{group}/{}", object.kind)
}

/// A line, where there is one, and what is wrong.
type Problem = (Option<usize>, String);

/// The entries of a text, each with its line.
fn entries(text: &str) -> Result<Vec<(Entry, usize)>, Problem> {
    let mut documents = Vec::new();
    let mut unreadable = None;
    manifest::documents(text, &mut |part| match part {
        Ok(document) => documents.push(document),
        Err(error) => unreadable = unreadable.take().or(Some(error)),
    });
    let lines = Lines::new(text);
    if let Some(error) = unreadable {
        let line = lines.position(error.at).line;
        return Err((Some(line), error.problem));
    }
    let [document] = documents.as_slice() else {
        let problem = "no baseline: expected one document with `version` and `violations`";
        return Err((None, problem.to_owned()));
    };
    let line = |value: Value<'_>| lines.position(document.in_file(&value.span()).start).line;
    let root = document.tree.root();
    let member = |key| root.and_then(|root| root.get(key));
    let (Some(version), Some(violations)) = (member("version"), member("violations")) else {
        let problem = "no baseline: expected `version` and `violations`";
        return Err((None, problem.to_owned()));
    };
    if version.json() != VERSION {
        let problem = format!(
            "a baseline of version {}, and this command reads version {VERSION}: write it anew with --write-baseline",
            printable(version.json())
        );
        return Err((Some(line(version)), problem));
    }
    if !violations.is_list() && !violations.is_null() {
        let problem = format!("`violations`: expected a list, got {}", violations.kind());
        return Err((Some(line(violations)), problem));
    }
    violations
        .elements()
        .map(|value| {
            let line = line(value);
            let entry = entry(value).map_err(|problem| (Some(line), problem))?;
            Ok((entry, line))
        })
        .collect()
}

fn entry(value: Value<'_>) -> Result<Entry, String> {
    const KEYS: [&str; 6] = ["kind", "namespace", "name", "place", "code", "value"];
    if !value.is_map() {
        return Err(format!("expected a map, got {}", value.kind()));
    }
    for (key, _) in value.members() {
        let key = key.text().unwrap_or_default();
        if !KEYS.contains(&key.as_ref()) {
            return Err(format!("unknown key `{}`", printable(&key)));
        }
    }
    let optional = |key| match value.get(key) {
        None => Ok(None),
        Some(found) => match found.text() {
            Some(text) => Ok(Some(text.into_owned())),
            None => Err(format!("`{key}`: expected a string, got {}", found.kind())),
        },
    };
    let text = |key| optional(key)?.ok_or_else(|| format!("`{key}` is missing"));
    Ok(Entry {
        kind: text("kind")?,
        namespace: optional("namespace")?,
        name: text("name")?,
        place: text("place")?,
        code: text("code")?,
        value: optional("value")?,
    })
}
