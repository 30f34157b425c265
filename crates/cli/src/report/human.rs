//! For people: each finding with its line, and a summary.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::failure::printable;
use crate::finding::{Counts, FileReport, Severity};
use crate::manifest::Excerpt;
use crate::snippet::Snippet;
use crate::wrap::{columns, wrap};

use super::{Report, Run, count};

pub(super) struct Human {
    /// No summary.
    pub(super) is_quiet: bool,
}

impl Report for Human {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        for problem in &file.problems {
            let shown = match &problem.place {
                Some((_, excerpt)) => Snippet::new(Severity::Error, &problem.message)
                    .at(&file.name, excerpt, "")
                    .render(),
                None => Snippet::new(
                    Severity::Error,
                    &format!("{}: {}", file.name, problem.message),
                )
                .render(),
            };
            writeln!(out, "{shown}")?;
        }
        for warning in &file.warnings {
            if let Some((_, excerpt)) = &warning.place {
                let shown = Snippet::new(Severity::Warning, &warning.message)
                    .at(&file.name, excerpt, "")
                    .render();
                writeln!(out, "{shown}")?;
            }
        }
        for finding in &file.findings {
            let message = finding.message();
            let snippet = Snippet::new(finding.severity, &message);
            let object = file.objects.get(finding.object);
            let mut note = object.map(ToString::to_string).unwrap_or_default();
            if let Some(policy) = &finding.policy {
                note = format!("{note}, by {policy}");
            }
            let excerpt: &Excerpt = &finding.excerpt;
            let shown = snippet
                .code(finding.code().as_str())
                .at(&file.name, excerpt, &finding.violation.place)
                .note(&note)
                .render();
            writeln!(out, "{shown}")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, run: &Run<'_>) -> io::Result<()> {
        if self.is_quiet {
            return Ok(());
        }
        for line in summary(run) {
            writeln!(out, "{}", wrap(&line, columns(), 2))?;
        }
        Ok(())
    }
}

/// What was not judged, line by line.
fn not_judged(run: &Run<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if !run.gaps.is_empty() {
        lines.push("Not judged:".to_owned());
        lines.extend(run.gaps.lines());
    }
    if !run.image_like.is_empty() {
        lines.push(
            "Fields that look like images, and that nothing judges (see `imagePaths`):".to_owned(),
        );
        let kinds = run.image_like.iter();
        lines.extend(kinds.map(|(kind, fields)| {
            format!(
                "  {} in {}",
                count(*fields, "field", "fields"),
                printable(kind)
            )
        }));
    }
    lines
}

/// What is said of a run as a whole, line by line.
pub(super) fn summary(run: &Run<'_>) -> Vec<String> {
    let Counts {
        files,
        objects,
        images,
        errors,
        warnings,
        unreadable_files,
        other_files,
        // Each of these is among what was not judged.
        templates: _,
        kustomizations: _,
        builds,
        unbuilt,
        as_pods,
        not_covered,
        without_namespace,
        exempted,
        rewritten,
    } = run.counts;
    let (red, yellow, green) = (
        AnsiColor::Red.on_default().bold(),
        AnsiColor::Yellow.on_default().bold(),
        AnsiColor::Green.on_default().bold(),
    );
    let paint = |style: Style, text: String| format!("{style}{text}{style:#}");
    let mut verdict = Vec::new();
    if errors > 0 {
        verdict.push(paint(red, count(errors, "violation", "violations")));
    }
    if warnings > 0 {
        verdict.push(paint(yellow, count(warnings, "warning", "warnings")));
    }
    if unreadable_files > 0 {
        let text = count(unreadable_files, "file", "files");
        verdict.push(paint(red, format!("{text} not readable")));
    }
    if unbuilt > 0 {
        let text = count(unbuilt, "build", "builds");
        verdict.push(paint(red, format!("{text} failed")));
    }
    if verdict.is_empty() {
        verdict.push(if objects == 0 {
            paint(yellow, "nothing to judge".to_owned())
        } else {
            paint(green, "nothing wrong".to_owned())
        });
    }
    let mut lines = vec![format!(
        "{}: {} with {} in {}",
        verdict.join(", "),
        count(objects, "object", "objects"),
        count(images, "image", "images"),
        count(files, "file", "files"),
    )];
    if builds > 0 {
        let builds = count(builds, "build", "builds");
        lines.push(format!("  {builds} of kustomizations and charts"));
    }
    if rewritten > 0 {
        let images = count(rewritten, "image", "images");
        lines.push(format!("  {images} would run from a mirror"));
    }
    if exempted > 0 {
        let times = count(exempted, "exemption", "exemptions");
        lines.push(format!("  {times} applied"));
    }
    if as_pods > 0 {
        let objects = count(as_pods, "object", "objects");
        lines.push(format!(
            "  {objects} judged as the Pods that will be created: the rules of the policy name only those"
        ));
    }
    if not_covered > 0 {
        let objects = count(not_covered, "object", "objects");
        lines.push(format!("  {objects} left out by the rules of the policy"));
    }
    if without_namespace > 0 {
        let objects = count(without_namespace, "object", "objects");
        lines.push(format!(
            "  {objects} without a namespace, judged as in `{}` (see --namespace)",
            run.namespace
        ));
    }
    if other_files > 0 {
        let files = count(other_files, "file", "files");
        lines.push(format!("  {files} without a Kubernetes object"));
    }
    if run.excluded > 0 {
        let files = count(run.excluded, "file", "files");
        lines.push(format!("  {files} excluded"));
    }
    lines.extend(not_judged(run));
    lines.extend(run.notes.iter().map(|note| format!("  {note}")));
    if errors > 0 {
        lines.extend(run.docs_urls.iter().map(|url| format!("  see {url}")));
    }
    lines
}
