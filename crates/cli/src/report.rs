//! How findings are told: one module a format.

mod github;
mod human;
mod json;
mod junit;
mod sarif;

use std::io::{self, Write};

use clap::ValueEnum;

use crate::finding::{Counts, FileReport};

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the lines that are meant
    #[default]
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, which code scanning reads
    Sarif,
    /// Annotations of GitHub Actions
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
    /// Where objects were taken to be that name no namespace.
    pub(crate) namespace: &'r str,
    /// What is not as in a cluster, and by which policy.
    pub(crate) notes: &'r [String],
    /// Where refusals are explained.
    pub(crate) docs_urls: &'r [&'r str],
}

impl Format {
    pub(crate) fn report(self, is_quiet: bool) -> Box<dyn Report> {
        match self {
            Self::Human => Box::new(human::Human { is_quiet }),
            Self::Json => Box::new(json::Json::default()),
            Self::Sarif => Box::new(sarif::Sarif::default()),
            Self::Github => Box::new(github::Github),
            Self::Junit => Box::new(junit::Junit::default()),
        }
    }
}

impl Format {
    /// Tells on stderr what a report in this form has no place for: how much was judged, and what was
    /// not.
    pub(crate) fn tell_aside(self, run: &Run<'_>) {
        if matches!(self, Self::Human | Self::Json) {
            return;
        }
        for line in human::summary(run) {
            // When stderr is closed there is nobody left to tell.
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
