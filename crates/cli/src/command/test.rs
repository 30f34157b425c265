//! `rollout-guard test`: settings, and what must come out of them.

mod coverage;
mod evaluate;
mod init;
mod module;
mod path;
mod report;
mod suite;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard::policy::Policy;

use super::check::policies;
use crate::exit::Exit;
use crate::failure::{Failure, error};
use crate::input::{self, Exclude, Input};
use crate::manifest::Lines;
use crate::policy_file::Source;
use crate::settings_file::{SettingsFile, settings, settings_of};

use evaluate::{differences, evaluate};
use module::Module;
use report::{CaseReport, RunReport, SuiteReport, TestFormat, Uncovered};
use suite::{Case, Given};

/// Test settings with a suite of requests and expected verdicts
///
/// A suite is a YAML file called `suite.yaml`, or `NAME.suite.yaml`: settings, and cases with a manifest,
/// a request and what must come of it. The coverage says which entries of the settings no case would miss.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard test bundles/
  rollout-guard test --init policy/settings.yaml
  rollout-guard test --module policy.wasm --format junit \\
    bundles/ > report.xml")]
pub(crate) struct Test {
    /// Suites, or folders with suites; with `--init` the settings, or their folder
    #[arg(value_name = "PATHS", default_value = ".", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Write a first suite beside the settings, with what the settings do today
    #[arg(long, conflicts_with_all = ["module", "fail_under", "format"])]
    init: bool,

    /// Ask this module too, with kwctl or policy-host, and report where it differs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    module: Option<PathBuf>,

    /// The program that runs the module [default: kwctl, policy-host or policy-runner]
    #[arg(long, value_name = "PROGRAM", requires = "module", value_hint = ValueHint::CommandName)]
    host: Option<PathBuf>,

    /// Fail if less of the settings is covered, in per cent
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_under: Option<f64>,

    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,

    /// List the cases that passed, and every entry that no case covers
    #[arg(short, long)]
    verbose: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

impl Test {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        if self.init {
            return init::execute(&self.paths, out);
        }
        let module = self
            .module
            .as_deref()
            .map(|module| Module::new(module, self.host.as_deref()))
            .transpose()?;
        let files = suites(&self.paths)?;
        if files.is_empty() {
            let problem = "no suite was found: a suite is called `suite.yaml` or `NAME.suite.yaml`, `--init` writes one";
            return Err(Failure::unreadable(problem));
        }
        let mut reports = Vec::new();
        // A suite that cannot be read does not hide the others.
        let mut worst = Exit::Clean;
        for file in &files {
            match suite(file, module.as_ref()) {
                Ok(report) => reports.push(report),
                Err(failure) => worst = worst.max(failure.tell()),
            }
        }
        let run = RunReport::new(reports);
        if !run.suites.is_empty() || self.format != TestFormat::Human {
            run.write(out, self.format, self.verbose)?;
        }
        if run.cases == 0 && worst == Exit::Clean {
            error("nothing was tested: the suites have no cases");
            worst = Exit::Unreadable;
        }
        if run.failed > 0 {
            worst = worst.max(Exit::Violations);
        }
        if let Some(wanted) = self.fail_under.filter(|wanted| run.percent() < *wanted) {
            error(&format!(
                "coverage is {:.1} %, and `--fail-under` wants {wanted} %",
                run.percent()
            ));
            worst = worst.max(Exit::Violations);
        }
        Ok(worst)
    }
}

/// The suites among paths: every file that is named, and of a folder those that are called so.
fn suites(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let nothing = Exclude::new(Path::new("."), &[])
        .map_err(|(glob, problem)| Failure::wrong_use(format!("`{glob}`: {problem}")))?;
    let (folders, mut files): (Vec<_>, Vec<_>) =
        paths.iter().cloned().partition(|path| path.is_dir());
    if !folders.is_empty() {
        for input in input::find(&folders, &nothing).inputs {
            match input {
                Input::File(path) if is_suite_name(&path) => files.push(path),
                Input::File(_) => {}
                Input::Unreadable { path, problem } => {
                    return Err(Failure::unreadable(format!(
                        "{}: {problem}",
                        input::name(&path)
                    )));
                }
            }
        }
    }
    Ok(files)
}

fn is_suite_name(path: &Path) -> bool {
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    let stem = Path::new(path.file_stem().unwrap_or_default());
    is_yaml && (stem == "suite" || stem.extension() == Some(OsStr::new("suite")))
}

/// Runs a suite.
fn suite(path: &Path, module: Option<&Module>) -> Result<SuiteReport, Failure> {
    let file = SettingsFile::read(path)?;
    let documents = file.documents()?;
    let document = match documents.as_slice() {
        [document] => document,
        [] => return Err(Failure::wrong_use(format!("{}: it is empty", file.name))),
        more => {
            return Err(Failure::wrong_use(format!(
                "{}: {} documents, expected one",
                file.name,
                more.len()
            )));
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let suite = suite::read(&file, folder, document)?;
    let (named, inline) = match suite.settings {
        Given::Files(paths) => (
            paths
                .iter()
                .map(|path| SettingsFile::read(path))
                .collect::<Result<Vec<_>, _>>()?,
            None,
        ),
        Given::Inline(value) => (Vec::new(), Some(Source::of(value, document.offset))),
    };
    let documents = named
        .iter()
        .map(SettingsFile::documents)
        .collect::<Result<Vec<_>, _>>()?;
    let mut held: Vec<Held<'_>> = Vec::new();
    for (file, documents) in named.iter().zip(&documents) {
        let sources = file.sources(documents)?;
        held.push(Held { file, sources });
    }
    held.extend(inline.map(|source| Held {
        file: &file,
        sources: vec![source],
    }));
    run(&file.name, &held, &suite.cases, module)
}

/// The settings of a file.
struct Held<'s> {
    file: &'s SettingsFile,
    sources: Vec<Source<'s>>,
}

fn run(
    name: &str,
    held: &[Held<'_>],
    cases: &[Case],
    module: Option<&Module>,
) -> Result<SuiteReport, Failure> {
    let read = held
        .iter()
        .map(|held| settings_of(&held.sources))
        .collect::<Result<Vec<_>, _>>()?;
    let mut valid = Vec::new();
    for (held, read) in held.iter().zip(&read) {
        valid.extend(settings(held.file, &held.sources, read)?);
    }
    let sources: Vec<_> = held.iter().flat_map(|held| &held.sources).collect();
    let files: Vec<_> = held
        .iter()
        .flat_map(|held| held.sources.iter().map(|_| held.file))
        .collect();
    let policies: Vec<_> = policies(&valid).map(Some).collect();
    let judged: Vec<_> = cases
        .par_iter()
        .enumerate()
        .map(|(number, case)| judge(number, case, &sources, &valid, module))
        .collect();
    let passing: Vec<_> = cases
        .iter()
        .zip(&judged)
        .filter(|(_, report)| report.passed)
        .map(|(case, _)| case)
        .collect();
    let entries = coverage::measure(&sources, &policies, &passing);
    let uncovered: Vec<_> = entries
        .iter()
        .filter(|entry| !entry.is_covered)
        .filter_map(|entry| {
            let source = sources.get(entry.source)?;
            let file = files.get(entry.source)?;
            let path = entry.place.to_string();
            let at = Lines::new(&file.text).position(source.span(&path, false).start);
            Some(Uncovered {
                file: file.name.clone(),
                line: at.line,
                path,
                value: entry.value.clone(),
            })
        })
        .collect();
    Ok(SuiteReport {
        file: name.to_owned(),
        cases: judged,
        entries: entries.len(),
        covered: entries.len() - uncovered.len(),
        uncovered,
    })
}

fn judge(
    number: usize,
    case: &Case,
    sources: &[&Source<'_>],
    valid: &[rollout_guard::settings::Settings<'_>],
    module: Option<&Module>,
) -> CaseReport {
    let since = Instant::now();
    let policies: Vec<_> = valid
        .iter()
        .map(|settings| Some(Policy::new(settings)))
        .collect();
    let outcome = evaluate(sources, &policies, case);
    let mut problems = differences(&case.expected, &outcome);
    if let Some(module) = module {
        problems.extend(module.differences(number, sources, case, &outcome.requests));
    }
    CaseReport {
        name: case.name.clone(),
        line: case.line,
        passed: problems.is_empty(),
        problems,
        took: since.elapsed(),
    }
}
