//! How a report is asked for.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::failure::{Failure, reason};
use crate::input;
use crate::output::Output;

use super::{Format, GroupBy, Report, Run};

/// What to report, and where.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Group findings, and show each message once; only for the human format
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupBy>,

    /// Write the report into a file, and the summary to standard error
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Omit the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The file that a report is written into.
pub(crate) struct ReportFile(BufWriter<Output>);

impl Options {
    /// Begins a report.
    ///
    /// # Errors
    ///
    /// Where the options do not go together.
    pub(crate) fn report(&self) -> Result<Box<dyn Report>, Failure> {
        if self.group_by.is_some() && self.format != Format::Human {
            return Err(Failure::wrong_use(
                "--group-by is for the human format: leave it out, or --format",
            ));
        }
        Ok(self.format.report(self.quiet, self.group_by))
    }

    /// Begins the file of the report, where it goes into one.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn file(&self) -> Result<Option<ReportFile>, Failure> {
        let Some(path) = &self.output else {
            return Ok(None);
        };
        let output = Output::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Some(ReportFile(BufWriter::new(output.without_colours()))))
    }

    /// Ends a report: gives the file its name, and tells on stderr what the report has no place for.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub(crate) fn end(&self, file: Option<ReportFile>, run: &Run<'_>) -> Result<(), Failure> {
        if let (Some(ReportFile(file)), Some(path)) = (file, &self.output) {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error);
            file.and_then(Output::finish)
                .map_err(|error| cannot_write(path, &error))?;
        }
        if !self.quiet {
            self.format.tell_aside(run, self.output.is_some());
        }
        Ok(())
    }
}

impl ReportFile {
    pub(crate) fn as_write(&mut self) -> &mut dyn Write {
        &mut self.0
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let name = input::name(path);
    Failure::unreadable(format!("{name}: not written: {}", reason(error)))
}
