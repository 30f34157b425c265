//! What a change of settings does to manifests: what is newly refused, newly admitted, or pulled from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::prelude::*;

use super::super::check::judged;
use crate::build::copy::Edits;
use crate::build::plan::{Outcome, Plan, Unit};
use crate::config::{Config, InForce, Options};
use crate::failure::{Failure, warn};
use crate::finding::{FileReport, Severity};
use crate::input;
use crate::judge::Judge;
use crate::report::{Gaps, count};
use crate::settings_file::{SettingsFile, settings, settings_of};

/// The form of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CompareFormat {
    /// Readable report
    #[default]
    Text,
    /// Markdown, for a pull request
    Markdown,
}

/// What became of a comparison.
pub(super) struct Compared {
    /// Something is refused no more.
    pub(super) admits_more: bool,
    /// Everything could be read and built.
    pub(super) is_whole: bool,
}

/// The code, the place and the rule of a refusal, which stay when a list gets another entry and with it the
/// message.
type Reason = (&'static str, String, Option<String>);

/// What settings make of manifests.
#[derive(Default)]
struct Verdicts {
    /// The refusals of each object, by its name and file.
    refused: BTreeMap<(String, String), BTreeMap<Reason, String>>,
    /// From where images are pulled that have a mirror, by file.
    pulled: BTreeMap<(String, String), String>,
    objects: usize,
    is_whole: bool,
    gaps: Gaps,
}

/// Judges manifests with two settings and writes how these differ.
pub(super) fn compare(
    old: &Path,
    new: &Path,
    paths: &[PathBuf],
    format: CompareFormat,
    out: &mut dyn Write,
) -> Result<Compared, Failure> {
    let in_force = InForce::new(Options::default(), &Config::find()?)?;
    let found = input::find(paths, &in_force.exclude);
    found.warnings.iter().for_each(|warning| warn(warning));
    let plan = Plan::new(found.inputs, Some(&in_force.exclude), &in_force.building);
    let builds = plan.build(&plan.units(), &Edits::new(), true);
    let before = verdicts(old, &plan, builds.clone(), &in_force.namespace)?;
    let after = verdicts(new, &plan, builds, &in_force.namespace)?;
    if after.objects == 0 {
        return Err(Failure::unreadable(
            "nothing was judged: no Kubernetes object in the manifests",
        ));
    }
    after.gaps.report_on_stderr();
    let changes = Changes::new(&before, &after);
    match format {
        CompareFormat::Text => changes.write_text(out)?,
        CompareFormat::Markdown => {
            changes.write_markdown(&input::name(old), &input::name(new), out)?;
        }
    }
    Ok(Compared {
        admits_more: !changes.admitted.is_empty(),
        is_whole: after.is_whole,
    })
}

fn verdicts(
    path: &Path,
    plan: &Plan,
    builds: Vec<(Unit, Outcome)>,
    namespace: &str,
) -> Result<Verdicts, Failure> {
    let file = SettingsFile::read(path)?;
    let documents = file.documents()?;
    let sources = file.sources(&documents)?;
    let read = settings_of(&sources)?;
    let settings = settings(&file, &sources, &read)?;
    let judge = Judge::new(&sources, &settings, namespace);
    let mut verdicts = Verdicts {
        is_whole: true,
        ..Verdicts::default()
    };
    let files: Vec<_> = plan
        .plain
        .par_iter()
        .map(|input| judged(&judge, input, None))
        .collect();
    for report in files
        .into_iter()
        .chain(plan.judge(&judge, builds, &mut None))
    {
        verdicts.add(&report);
    }
    Ok(verdicts)
}

impl Verdicts {
    fn add(&mut self, report: &FileReport) {
        self.objects += report.counts.objects;
        self.is_whole &= report.counts.unreadable_files == 0 && report.counts.unbuilt == 0;
        self.gaps.add(&report.gaps);
        // One of several objects of a name is told from the others by its number.
        let mut times = BTreeMap::<_, usize>::new();
        let mut names = Vec::with_capacity(report.objects.len());
        for object in &report.objects {
            let name = object.to_string();
            let times = times.entry(name.clone()).or_default();
            *times += 1;
            names.push(match times {
                1 => name,
                times => format!("{name} #{times}"),
            });
        }
        for finding in &report.findings {
            if finding.severity != Severity::Error {
                continue;
            }
            let object = names.get(finding.object).cloned().unwrap_or_default();
            let said = self
                .refused
                .entry((object, report.name.clone()))
                .or_default();
            let violation = &finding.violation;
            let reason = (
                violation.code.as_str(),
                violation.place.clone(),
                violation.rule.clone(),
            );
            said.insert(reason, violation.to_string());
        }
        for rewritten in &report.rewritten {
            if let Some((from, to)) = rewritten.split_once('=') {
                let place = (from.to_owned(), report.name.clone());
                self.pulled.insert(place, to.to_owned());
            }
        }
    }
}

/// An object, its file, and what is said of it.
type Refused<'v> = (&'v (String, String), Vec<&'v str>);

/// An image, from where it was pulled and from where it will be, and the files that hold it.
type Pulled<'v> = BTreeMap<(&'v str, &'v str, &'v str), BTreeSet<&'v str>>;

/// How two verdicts differ.
struct Changes<'v> {
    refused: Vec<Refused<'v>>,
    admitted: Vec<Refused<'v>>,
    /// Refused before and after, for a reason that is new.
    otherwise: Vec<Refused<'v>>,
    /// Refused before and after, and a reason is gone.
    eased: Vec<Refused<'v>>,
    pulled: Pulled<'v>,
    objects: usize,
}

impl<'v> Changes<'v> {
    fn new(before: &'v Verdicts, after: &'v Verdicts) -> Self {
        let (mut refused, mut otherwise) = (Vec::new(), Vec::new());
        for (object, said) in &after.refused {
            match before.refused.get(object) {
                None => refused.push((object, said.values().map(String::as_str).collect())),
                Some(known) => otherwise.extend(only_in(object, said, known)),
            }
        }
        let (mut admitted, mut eased) = (Vec::new(), Vec::new());
        for (object, said) in &before.refused {
            match after.refused.get(object) {
                None => admitted.push((object, said.values().map(String::as_str).collect())),
                Some(now) => eased.extend(only_in(object, said, now)),
            }
        }
        let mut pulled = Pulled::new();
        for place in before.pulled.keys().chain(after.pulled.keys()) {
            let (image, file) = place;
            let from = before.pulled.get(place).unwrap_or(image);
            let to = after.pulled.get(place).unwrap_or(image);
            if from != to {
                pulled.entry((image, from, to)).or_default().insert(file);
            }
        }
        Self {
            refused,
            admitted,
            otherwise,
            eased,
            pulled,
            objects: after.objects,
        }
    }

    fn sections(&self) -> [(&'static str, &[Refused<'v>]); 4] {
        [
            ("Newly refused", &self.refused),
            ("Newly admitted", &self.admitted),
            ("Still refused, for new reasons", &self.otherwise),
            ("Still refused, but no longer for", &self.eased),
        ]
    }

    fn summary(&self) -> String {
        let objects = count(self.objects, "object", "objects");
        if self.refused.is_empty()
            && self.admitted.is_empty()
            && self.otherwise.is_empty()
            && self.eased.is_empty()
            && self.pulled.is_empty()
        {
            return format!("No difference for {objects}.");
        }
        format!(
            "Of {objects}: {} newly refused, {} newly admitted; {} pulled from elsewhere.",
            self.refused.len(),
            self.admitted.len(),
            count(self.pulled.len(), "image", "images"),
        )
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (title, objects) in self.sections() {
            if objects.is_empty() {
                continue;
            }
            writeln!(out, "{title}:")?;
            for ((object, file), said) in objects {
                writeln!(out, "  {object} ({file})")?;
                for line in said {
                    writeln!(out, "    {line}")?;
                }
            }
            writeln!(out)?;
        }
        if !self.pulled.is_empty() {
            writeln!(out, "Pulled from elsewhere:")?;
            for ((image, from, to), files) in &self.pulled {
                let files = files.iter().copied().collect::<Vec<_>>().join(", ");
                writeln!(out, "  {image}: from {from} to {to} ({files})")?;
            }
            writeln!(out)?;
        }
        writeln!(out, "{}", self.summary())
    }

    fn write_markdown(&self, old: &str, new: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "### What {} changes against {}\n",
            code(new),
            code(old)
        )?;
        writeln!(out, "{}", self.summary())?;
        for (title, objects) in self.sections() {
            if objects.is_empty() {
                continue;
            }
            writeln!(
                out,
                "\n#### {title}\n\n| object | file | refusal |\n|---|---|---|"
            )?;
            for ((object, file), said) in objects {
                let said: Vec<_> = said.iter().map(|line| cell(line)).collect();
                let said = said.join("<br>");
                writeln!(out, "| {} | {} | {said} |", cell(object), code(file))?;
            }
        }
        if !self.pulled.is_empty() {
            writeln!(
                out,
                "\n#### Pulled from elsewhere\n\n| image | from | to | files |\n|---|---|---|---|"
            )?;
            for ((image, from, to), files) in &self.pulled {
                let files: Vec<_> = files.iter().map(|file| code(file)).collect();
                writeln!(
                    out,
                    "| {} | {} | {} | {} |",
                    code(image),
                    code(from),
                    code(to),
                    files.join(", ")
                )?;
            }
        }
        Ok(())
    }
}

/// What is said of an object and was not, or the other way round.
fn only_in<'v>(
    object: &'v (String, String),
    said: &'v BTreeMap<Reason, String>,
    other: &BTreeMap<Reason, String>,
) -> Option<Refused<'v>> {
    let only = said
        .iter()
        .filter(|(reason, _)| !other.contains_key(*reason));
    let only: Vec<_> = only.map(|(_, text)| text.as_str()).collect();
    (!only.is_empty()).then_some((object, only))
}

/// A text in a cell of a table, in which only backticks mean something.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' => escaped.push_str("\\|"),
            '<' => escaped.push_str("&lt;"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text in a cell, as it is written.
fn code(text: &str) -> String {
    format!("`{}`", cell(&text.replace('`', "'")))
}
