//! Annotations of GitHub Actions, by its workflow commands, and the job summary.
//!
//! GitHub shows ten errors and ten warnings of a step and drops the rest ("Create a check run" in its REST
//! API), so that is where the annotations stop. The job summary has everything, as far as it takes it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::failure::{reason, warn};
use crate::finding::{FileReport, Severity};

use super::groups::{Images, new_findings};
use super::{Report, Run, count, human};

/// What GitHub shows of each level.
const MOST: usize = 10;

/// What a step may write into the job summary, in bytes ("Workflow commands" in GitHub's documentation).
const LARGEST_SUMMARY: usize = 1 << 20;

/// So much of it is kept for what stands around the table of findings.
const AROUND: usize = 32 << 10;

#[derive(Default)]
pub(super) struct Github {
    errors: usize,
    warnings: usize,
    images: Images,
    /// Rows of the job summary.
    rows: String,
    rows_left_out: usize,
}

/// Where the job summary is written; none outside GitHub Actions.
fn summary_file() -> Option<PathBuf> {
    std::env::var_os("GITHUB_STEP_SUMMARY")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// Something to tell of a file.
struct Annotation<'a> {
    severity: Severity,
    file: &'a str,
    /// Its properties besides the file.
    properties: String,
    line: Option<usize>,
    object: String,
    message: &'a str,
}

impl Github {
    fn add(&mut self, out: &mut dyn Write, annotation: &Annotation<'_>) -> io::Result<()> {
        let Annotation {
            severity,
            file,
            properties,
            line,
            object,
            message,
        } = annotation;
        let place = match line {
            Some(line) => format!("{file}:{line}"),
            None => (*file).to_owned(),
        };
        let row = format!(
            "| {} | {} | {} | {} |\n",
            severity.as_str(),
            cell(&place),
            cell(object),
            cell(message)
        );
        if self.rows.len() + row.len() < LARGEST_SUMMARY {
            self.rows.push_str(&row);
        } else {
            self.rows_left_out += 1;
        }
        let number = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *number += 1;
        if *number > MOST {
            return Ok(());
        }
        writeln!(
            out,
            "::{} file={}{properties}::{}",
            severity.as_str(),
            property(file),
            data(&format!("{place}: {message}"))
        )
    }

    /// Adds to the job summary.
    fn write_summary(&mut self, run: &Run<'_>) {
        let Some(path) = summary_file() else { return };
        let written = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let room = usize::try_from(written).map_or(0, |written| {
            LARGEST_SUMMARY.saturating_sub(written + AROUND)
        });
        while self.rows.len() > room
            && let Some(end) = self.rows.trim_end_matches('\n').rfind('\n')
        {
            self.rows.truncate(end + 1);
            self.rows_left_out += 1;
        }
        let text = self.summary(run);
        let added = File::options()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(error) = added {
            let path = path.display();
            warn(&format!(
                "GITHUB_STEP_SUMMARY: {path}: not written: {}",
                reason(&error)
            ));
        }
    }

    fn summary(&self, run: &Run<'_>) -> String {
        let mut lines = human::plain_summary(run).into_iter();
        let verdict = lines.next().unwrap_or_default();
        let mut text = format!("### rollout-guard: {verdict}\n\n");
        for line in lines {
            let line = line.trim();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "- {}", cell(line));
        }
        if self.images.repeat() {
            text.push_str("\n| image | violations | warnings | places |\n|---|---|---|---|\n");
            let (images, more) = self.images.most();
            for (name, image) in images {
                let numbers = image.numbers;
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} |",
                    cell(name),
                    numbers.violations,
                    numbers.warnings,
                    image.places()
                );
            }
            if more > 0 {
                let _ = writeln!(text, "\n{}", count(more, "more image", "more images"));
            }
        }
        if !self.rows.is_empty() {
            text.push_str("\n| | where | object | what |\n|---|---|---|---|\n");
            text.push_str(&self.rows);
        }
        if self.rows_left_out > 0 {
            let more = count(self.rows_left_out, "more finding", "more findings");
            let _ = writeln!(
                text,
                "\n{more}, for which GitHub's job summary has no room: `--format json` lists all"
            );
        }
        text
    }
}

impl Report for Github {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        let problems = file.problems.iter();
        let problems = problems.map(|problem| (Severity::Error, "not readable", problem));
        let warnings = file.warnings.iter();
        let warnings = warnings.map(|warning| (Severity::Warning, "key occurs twice", warning));
        for (severity, title, problem) in problems.chain(warnings) {
            let at = problem.place.as_ref().map(|(at, _)| *at);
            let mut properties = String::new();
            if let Some(at) = at {
                let _ = write!(properties, ",line={},col={}", at.line, at.column);
            }
            let _ = write!(properties, ",title={title}");
            self.add(
                out,
                &Annotation {
                    severity,
                    file: &file.name,
                    properties,
                    line: at.map(|at| at.line),
                    object: String::new(),
                    message: &problem.message,
                },
            )?;
        }
        for finding in new_findings(file) {
            let (start, end) = (finding.start, finding.end);
            let mut properties = format!(",line={}", start.line);
            // Columns are only for a range within one line.
            if start.line == end.line {
                let _ = write!(properties, ",col={},endColumn={}", start.column, end.column);
            } else {
                let _ = write!(properties, ",endLine={}", end.line);
            }
            let _ = write!(properties, ",title={}", finding.code());
            let object = file.objects.get(finding.object);
            self.add(
                out,
                &Annotation {
                    severity: finding.severity,
                    file: &file.name,
                    properties,
                    line: Some(start.line),
                    object: object.map(ToString::to_string).unwrap_or_default(),
                    message: &finding.violation.to_string(),
                },
            )?;
        }
        self.images.add(file);
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, run: &Run<'_>) -> io::Result<()> {
        let more = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
        ];
        let more: Vec<_> = more
            .into_iter()
            .filter(|(number, ..)| *number > MOST)
            .map(|(number, one, many)| {
                format!(
                    "{} more {}",
                    number - MOST,
                    if number == MOST + 1 { one } else { many }
                )
            })
            .collect();
        if !more.is_empty() {
            let all = if summary_file().is_some() {
                "the job summary lists all"
            } else {
                "--format human lists all"
            };
            let more = more.join(" and ");
            writeln!(
                out,
                "and {more}: GitHub shows {MOST} errors and {MOST} warnings of a step, {all}"
            )?;
        }
        self.write_summary(run);
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

/// A text in a cell of a table: as code, in which nothing else of Markdown or HTML counts.
fn cell(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let runs = text.split(|mark| mark != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_leave_its_table() {
        for (text, wanted) in [
            ("", ""),
            ("a.yaml:1", "`a.yaml:1`"),
            ("a | b\nc", "`a \\| b c`"),
            ("image `redis`: <b>", "``image `redis`: <b>``"),
            ("`a", "`` `a ``"),
        ] {
            assert_eq!(cell(text), wanted);
        }
    }
}
