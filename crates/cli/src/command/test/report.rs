//! How the outcome of suites is told.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::AnsiColor;
use clap::ValueEnum;
use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::failure::printable;
use crate::report::count;
use crate::wrap::{columns, wrap};

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TestFormat {
    /// Readable report: what failed, and what no case covers
    #[default]
    Human,
    /// One JSON document
    Json,
    /// `JUnit` XML, a test suite for each suite
    Junit,
}

/// What came of a suite.
#[derive(Debug, Serialize)]
pub(super) struct SuiteReport {
    pub(super) file: String,
    pub(super) cases: Vec<CaseReport>,
    pub(super) entries: usize,
    pub(super) covered: usize,
    /// The entries that no case would miss.
    pub(super) uncovered: Vec<Uncovered>,
}

#[derive(Debug, Serialize)]
pub(super) struct CaseReport {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) passed: bool,
    /// What is not as expected.
    pub(super) problems: Vec<String>,
    #[serde(skip)]
    pub(super) took: Duration,
}

#[derive(Debug, Serialize)]
pub(super) struct Uncovered {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) value: String,
}

/// The suites of a run.
#[derive(Debug, Default, Serialize)]
pub(super) struct RunReport {
    pub(super) suites: Vec<SuiteReport>,
    pub(super) cases: usize,
    pub(super) failed: usize,
    pub(super) entries: usize,
    pub(super) covered: usize,
}

/// This many uncovered entries are named in the readable report.
const MOST_UNCOVERED: usize = 20;

impl RunReport {
    pub(super) fn new(suites: Vec<SuiteReport>) -> Self {
        let mut run = Self::default();
        for suite in &suites {
            run.cases += suite.cases.len();
            run.failed += suite.cases.iter().filter(|case| !case.passed).count();
            run.entries += suite.entries;
            run.covered += suite.covered;
        }
        run.suites = suites;
        run
    }

    /// The share of entries that are covered, in per cent; all where there are none.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no settings have more entries than a float has whole numbers"
    )]
    pub(super) fn percent(&self) -> f64 {
        if self.entries == 0 {
            return 100.0;
        }
        self.covered as f64 * 100.0 / self.entries as f64
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(super) fn write(
        &self,
        out: &mut dyn Write,
        format: TestFormat,
        is_verbose: bool,
    ) -> io::Result<()> {
        match format {
            TestFormat::Human => self.human(out, is_verbose),
            TestFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(self)?),
            TestFormat::Junit => {
                let text = self.junit().to_string().map_err(io::Error::other)?;
                writeln!(out, "{}", text.trim_end())
            }
        }
    }

    fn human(&self, out: &mut dyn Write, is_verbose: bool) -> io::Result<()> {
        let red = AnsiColor::Red.on_default().bold();
        let green = AnsiColor::Green.on_default().bold();
        let yellow = AnsiColor::Yellow.on_default().bold();
        for suite in &self.suites {
            for case in &suite.cases {
                let name = printable(&case.name);
                if !case.passed {
                    let (file, line) = (&suite.file, case.line);
                    writeln!(out, "{red}failed{red:#}: {file}:{line}: {name}")?;
                    for problem in &case.problems {
                        let line = format!("  {}", printable(problem));
                        writeln!(out, "{}", wrap(&line, columns(), 2))?;
                    }
                } else if is_verbose {
                    writeln!(out, "{green}passed{green:#}: {name}")?;
                }
            }
        }
        let passed = self.cases - self.failed;
        let suites = count(self.suites.len(), "suite", "suites");
        let cases = count(self.cases, "case", "cases");
        let verdict = if self.failed > 0 {
            format!("{red}{} failed{red:#}, {passed} passed", self.failed)
        } else {
            format!("{green}all passed{green:#}")
        };
        writeln!(out, "{cases} in {suites}: {verdict}")?;
        if self.entries == 0 {
            return Ok(());
        }
        writeln!(
            out,
            "coverage: {} of {} ({:.1} %)",
            self.covered,
            count(self.entries, "entry", "entries"),
            self.percent()
        )?;
        let uncovered: Vec<_> = self
            .suites
            .iter()
            .flat_map(|suite| &suite.uncovered)
            .collect();
        if uncovered.is_empty() {
            return Ok(());
        }
        writeln!(out, "{yellow}No case fails without{yellow:#}:")?;
        let told = if is_verbose {
            uncovered.len()
        } else {
            MOST_UNCOVERED
        };
        for entry in uncovered.iter().take(told) {
            let Uncovered {
                file,
                line,
                path,
                value,
            } = entry;
            let line = format!("  {file}:{line}: {path} `{value}`");
            writeln!(out, "{}", wrap(&printable(&line), columns(), 2))?;
        }
        if uncovered.len() > told {
            let more = uncovered.len() - told;
            writeln!(out, "  and {more} more, which `--verbose` lists")?;
        }
        Ok(())
    }

    fn junit(&self) -> Suites {
        let mut suites = Suites::new("rollout-guard");
        for suite in &self.suites {
            let mut told = TestSuite::new(suite.file.as_str());
            for case in &suite.cases {
                let status = if case.passed {
                    TestCaseStatus::success()
                } else {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    let first = case.problems.first().map(String::as_str);
                    status
                        .set_message(first.unwrap_or_default())
                        .set_type("case-failed")
                        .set_description(format!(
                            "{}:{}\n{}",
                            suite.file,
                            case.line,
                            case.problems.join("\n")
                        ));
                    status
                };
                let mut told_case = TestCase::new(case.name.as_str(), status);
                told_case.set_classname(suite.file.as_str());
                told_case.set_time(case.took);
                told.add_test_case(told_case);
            }
            suites.add_test_suite(told);
        }
        suites
    }
}
