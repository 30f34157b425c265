//! How findings are told: one module a format.

mod github;
mod groups;
mod human;
mod json;
mod junit;
mod options;
mod sarif;

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::ValueEnum;

use serde::Serialize;

use crate::baseline::Outcome;
use crate::failure::printable;
use crate::finding::{Counts, FileReport, Gap, Unjudged};
use crate::wrap::{columns, wrap};

use groups::GroupBy;
pub(crate) use options::Options;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Readable report with source excerpts
    #[default]
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, which code scanning reads
    Sarif,
    /// Annotations for GitHub Actions
    Github,
    /// `JUnit` XML, a test case for each object
    Junit,
}

/// Takes the files of a run one after the other.
pub(crate) trait Report {
    /// Tells what was found in a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()>;

    /// Ends the report.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    fn end(&mut self, out: &mut dyn Write, run: &Run<'_>) -> io::Result<()>;
}

/// What is said of a run as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'r> {
    pub(crate) counts: Counts,
    /// What was not judged.
    pub(crate) gaps: &'r Gaps,
    /// How many fields look like images and are not judged, by kind.
    pub(crate) image_like: &'r BTreeMap<String, usize>,
    /// How many files a user excluded.
    pub(crate) excluded: usize,
    /// Where objects were taken to be that name no namespace.
    pub(crate) namespace: &'r str,
    /// What is not as in a cluster, and by which policy.
    pub(crate) notes: &'r [String],
    /// Where refusals are explained.
    pub(crate) docs_urls: &'r [&'r str],
    /// What is said of the baseline.
    pub(crate) baseline: Option<&'r Outcome>,
}

/// What was not judged in a run: how much of each kind, and one example.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps(BTreeMap<Unjudged, (usize, Gap)>);

/// A kind of what was not judged, as programs read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GapEntry<'g> {
    what: &'static str,
    count: usize,
    example: &'g str,
    remedy: &'g str,
}

impl Gaps {
    pub(crate) fn add(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            let (count, _) = self.0.entry(gap.what).or_insert_with(|| (0, gap.clone()));
            *count += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn entries(&self) -> Vec<GapEntry<'_>> {
        self.0
            .iter()
            .map(|(what, (count, gap))| GapEntry {
                what: what.as_str(),
                count: *count,
                example: &gap.name,
                remedy: &gap.remedy,
            })
            .collect()
    }

    /// Each kind in a line: how much, one example, and what would judge it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(what, (number, gap)): (&Unjudged, &(usize, Gap))| {
            let (one, many) = what.nouns();
            let Gap { name, remedy, .. } = gap;
            let such_as = if *number == 1 { "" } else { "such as " };
            format!(
                "  {} ({such_as}{}): {}",
                count(*number, one, many),
                printable(name),
                printable(remedy)
            )
        };
        self.0.iter().map(line).collect()
    }

    pub(crate) fn report_on_stderr(&self) {
        for line in self.lines() {
            // When stderr is closed there is nobody left to tell.
            let _ = writeln!(anstream::stderr(), "{}", wrap(&line, columns(), 2));
        }
    }
}

impl Format {
    fn report(self, is_quiet: bool, group_by: Option<GroupBy>) -> Box<dyn Report> {
        match self {
            Self::Human => Box::new(human::Human::new(is_quiet, group_by)),
            Self::Json => Box::new(json::Json::default()),
            Self::Sarif => Box::new(sarif::Sarif::default()),
            Self::Github => Box::new(github::Github::default()),
            Self::Junit => Box::new(junit::Junit::default()),
        }
    }
}

impl Format {
    /// Tells on stderr what a report in this form has no place for: how much was judged, and what was
    /// not. Where the report is in a file, everybody else sees nothing but this.
    fn tell_aside(self, run: &Run<'_>, is_in_file: bool) {
        if matches!(self, Self::Human | Self::Json) && !is_in_file {
            return;
        }
        for line in human::summary(run) {
            // When stderr is closed there is nobody left to tell.
            let _ = writeln!(anstream::stderr(), "{}", wrap(&line, columns(), 2));
        }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
