//! Annotations of GitHub Actions: its workflow commands.

use std::io::{self, Write};

use crate::finding::{FileReport, Severity};

use super::{Report, Run};

pub(super) struct Github;

impl Report for Github {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        let name = property(&file.name);
        for problem in &file.problems {
            let message = data(&problem.message);
            match &problem.place {
                Some((at, _)) => writeln!(
                    out,
                    "::error file={name},line={},col={},title=not readable::{message}",
                    at.line, at.column
                )?,
                None => writeln!(out, "::error file={name},title=not readable::{message}")?,
            }
        }
        for warning in &file.warnings {
            if let Some((at, _)) = &warning.place {
                let message = data(&warning.message);
                writeln!(
                    out,
                    "::warning file={name},line={},col={},title=key occurs twice::{message}",
                    at.line, at.column
                )?;
            }
        }
        for finding in &file.findings {
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let (start, end) = (finding.start, finding.end);
            write!(out, "::{level} file={name},line={}", start.line)?;
            // Columns are only for a range within one line.
            if start.line == end.line {
                write!(out, ",col={},endColumn={}", start.column, end.column)?;
            } else {
                write!(out, ",endLine={}", end.line)?;
            }
            writeln!(
                out,
                ",title={}::{}",
                finding.code(),
                data(&finding.violation.to_string())
            )?;
        }
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write, _: &Run<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes as `@actions/core` does.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
