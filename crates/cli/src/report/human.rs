//! For people: each finding with its line, and a summary.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::baseline::Outcome;
use crate::failure::printable;
use crate::finding::{Counts, FileReport, Severity};
use crate::snippet::Snippet;
use crate::wrap::{columns, wrap};

use super::groups::{GroupBy, Groups, Images, Line, new_findings};
use super::{Report, Run, count};

pub(super) struct Human {
    /// No summary.
    is_quiet: bool,
    /// Told at the end, where they are put together.
    groups: Option<Groups>,
    images: Images,
}

impl Human {
    pub(super) fn new(is_quiet: bool, group_by: Option<GroupBy>) -> Self {
        Self {
            is_quiet,
            groups: group_by.map(Groups::new),
            images: Images::default(),
        }
    }
}

impl Report for Human {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        for problem in &file.problems {
            let shown = match &problem.place {
                Some((at, excerpt)) => Snippet::new(Severity::Error, &problem.message)
                    .place(&file.name, *at, excerpt.as_ref(), "")
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
            if let Some((at, excerpt)) = &warning.place {
                let shown = Snippet::new(Severity::Warning, &warning.message)
                    .place(&file.name, *at, excerpt.as_ref(), "")
                    .render();
                writeln!(out, "{shown}")?;
            }
        }
        if !self.is_quiet {
            self.images.add(file);
        }
        if let Some(groups) = &mut self.groups {
            groups.add(file);
            return Ok(());
        }
        for finding in new_findings(file) {
            let message = finding.message();
            let snippet = Snippet::new(finding.severity, &message);
            let object = file.objects.get(finding.object);
            let mut note = object.map(ToString::to_string).unwrap_or_default();
            if let Some(policy) = &finding.policy {
                note = format!("{note}, by {policy}");
            }
            let excerpt = finding.excerpt.as_ref();
            let shown = snippet
                .code(finding.code().as_str())
                .place(&file.name, finding.start, excerpt, &finding.violation.place)
                .note(&note)
                .render();
            writeln!(out, "{shown}")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, run: &Run<'_>) -> io::Result<()> {
        if let Some(groups) = &self.groups {
            write_groups(out, groups)?;
        }
        if self.is_quiet {
            return Ok(());
        }
        let by_image = match &self.groups {
            Some(groups) if groups.by() == GroupBy::Image => Vec::new(),
            _ => self.images.lines(),
        };
        for line in by_image.into_iter().chain(summary(run)) {
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

fn write_groups(out: &mut dyn Write, groups: &Groups) -> io::Result<()> {
    let bold = Style::new().bold();
    for (position, line) in groups.lines().into_iter().enumerate() {
        match line {
            Line::Group(text) => {
                if position > 0 {
                    writeln!(out)?;
                }
                writeln!(
                    out,
                    "{}",
                    wrap(&format!("{bold}{text}{bold:#}"), columns(), 2)
                )?;
            }
            Line::Message(severity, code, text) => {
                let colour = match severity {
                    Severity::Error => AnsiColor::Red,
                    Severity::Warning => AnsiColor::Yellow,
                };
                let style = colour.on_default().bold();
                let level = severity.as_str();
                let line = format!("  {style}{level}[{code}]{style:#}: {text}");
                writeln!(out, "{}", wrap(&line, columns(), 2))?;
            }
            Line::Place(text) => {
                writeln!(out, "{}", wrap(&format!("    {text}"), columns(), 2))?;
            }
        }
    }
    if !groups.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// What is said of a run as a whole, without colours.
pub(super) fn plain_summary(run: &Run<'_>) -> Vec<String> {
    let plain = |line: String| anstream::adapter::strip_str(&line).to_string();
    summary(run).into_iter().map(plain).collect()
}

/// What is said of a run as a whole, line by line.
pub(super) fn summary(run: &Run<'_>) -> Vec<String> {
    let Counts {
        // These are in the verdict, and each of the others is among what was not judged.
        files: _,
        objects: _,
        images: _,
        errors,
        warnings: _,
        unreadable_files: _,
        templates: _,
        kustomizations: _,
        unbuilt: _,
        builds,
        in_baseline,
        changed,
        preexisting,
        guarded_changes,
        other_files,
        as_pods,
        not_covered,
        without_namespace,
        exempted,
        rewritten,
    } = run.counts;
    let mut lines = vec![verdict(run.counts)];
    let mut add = |number: usize, one: &str, many: &str, said: &str| {
        if number > 0 {
            lines.push(format!("  {} {said}", count(number, one, many)));
        }
    };
    add(
        changed,
        "object",
        "objects",
        "judged as a change of what was there",
    );
    add(
        preexisting,
        "warning",
        "warnings",
        "about what was so before, which passes",
    );
    add(
        guarded_changes,
        "change",
        "changes",
        "guarded by `changes`, not judged: say who applies with --as",
    );
    add(
        in_baseline,
        "finding",
        "findings",
        "in the baseline, not shown",
    );
    add(builds, "build", "builds", "of kustomizations and charts");
    add(rewritten, "image", "images", "would run from a mirror");
    add(exempted, "exemption", "exemptions", "applied");
    add(
        as_pods,
        "object",
        "objects",
        "judged as the Pods that will be created: the rules of the policy name only those",
    );
    add(
        not_covered,
        "object",
        "objects",
        "left out by the rules of the policy",
    );
    let taken = format!(
        "without a namespace, judged as in `{}` (see --namespace)",
        run.namespace
    );
    add(without_namespace, "object", "objects", &taken);
    add(other_files, "file", "files", "without a Kubernetes object");
    add(run.excluded, "file", "files", "excluded");
    let baseline = run.baseline.map(Outcome::lines).unwrap_or_default();
    lines.extend(baseline.iter().map(|line| format!("  {line}")));
    lines.extend(not_judged(run));
    lines.extend(run.notes.iter().map(|note| format!("  {note}")));
    if errors > 0 {
        lines.extend(run.docs_urls.iter().map(|url| format!("  see {url}")));
    }
    lines
}

/// What was found, and in how much.
fn verdict(counts: Counts) -> String {
    let (red, yellow, green) = (
        AnsiColor::Red.on_default().bold(),
        AnsiColor::Yellow.on_default().bold(),
        AnsiColor::Green.on_default().bold(),
    );
    let paint = |style: Style, text: String| format!("{style}{text}{style:#}");
    let mut verdict = Vec::new();
    if counts.errors > 0 {
        verdict.push(paint(red, count(counts.errors, "violation", "violations")));
    }
    if counts.warnings > 0 {
        verdict.push(paint(yellow, count(counts.warnings, "warning", "warnings")));
    }
    if counts.unreadable_files > 0 {
        let text = count(counts.unreadable_files, "file", "files");
        verdict.push(paint(red, format!("{text} not readable")));
    }
    if counts.unbuilt > 0 {
        let text = count(counts.unbuilt, "build", "builds");
        verdict.push(paint(red, format!("{text} failed")));
    }
    if verdict.is_empty() {
        verdict.push(if counts.objects == 0 {
            paint(yellow, "nothing to judge".to_owned())
        } else {
            paint(green, "nothing wrong".to_owned())
        });
    }
    format!(
        "{}: {} with {} in {}",
        verdict.join(", "),
        count(counts.objects, "object", "objects"),
        count(counts.images, "image", "images"),
        count(counts.files, "file", "files"),
    )
}
