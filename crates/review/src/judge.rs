//! Judges the objects of a file as admission would.

use std::ops::Range;

use rollout_guard::policy::Policy;
use rollout_guard::registry::{Existence, Registry};
use rollout_guard::request::Request;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use rollout_guard::workload::Found;

use crate::finding::{Counts, FileReport, Finding, Problem, Severity};
use crate::manifest::{self, Document, Lines, Style, Unreadable, Value};
use crate::object::{Identity, Object, objects};
use crate::policy_file::Source;

/// Settings, and the policy that they come from.
#[derive(Debug)]
pub struct Judge<'p> {
    /// The settings, each with where they come from.
    pub policies: Vec<(&'p Source<'p>, Policy<'p>)>,
    /// Where objects are that name no namespace.
    pub namespace: &'p str,
    /// Whether it matters where they are.
    pub asks_for_namespace: bool,
    /// Who asks.
    pub identity: Identity,
}

impl Judge<'_> {
    /// Judges everything in a file: its text, or why there is none.
    pub fn file(
        &self,
        name: String,
        text: Result<&str, String>,
        is_chart_template: &dyn Fn() -> bool,
    ) -> FileReport {
        let mut report = FileReport {
            name,
            counts: Counts {
                files: 1,
                ..Counts::default()
            },
            ..FileReport::default()
        };
        match text {
            Err(message) => report.problems.push(Problem {
                message,
                place: None,
            }),
            Ok(text) => self.text(text, is_chart_template, &mut report),
        }
        report.counts.unreadable_files = usize::from(!report.problems.is_empty());
        report.counts.objects = report.objects.len();
        report.counts.exempted = report.exempted.len();
        report.counts.rewritten = report.rewritten.len();
        report
    }

    fn text(&self, text: &str, is_chart_template: &dyn Fn() -> bool, report: &mut FileReport) {
        let has_actions = text.contains("{{");
        if has_actions && is_chart_template() {
            report.counts.templates = 1;
            return;
        }
        let mut reading = Reading {
            judge: self,
            text,
            lines: None,
            request: String::new(),
        };
        let mut unreadable = Vec::new();
        manifest::documents(text, &mut |part| match part {
            Ok(document) => reading.document(&document, report),
            Err(error) => unreadable.push(error),
        });
        if has_actions && !unreadable.is_empty() {
            // What cannot be read and holds `{{` is for a template engine.
            report.counts.templates = 1;
        } else {
            report.problems = unreadable
                .into_iter()
                .map(|error| reading.problem(error))
                .collect();
        }
        if report.objects.is_empty()
            && report.counts.not_covered == 0
            && report.counts.templates == 0
            && report.problems.is_empty()
        {
            report.counts.other_files = 1;
        }
    }
}

/// A registry that is not asked: a mirror is taken to have what it should.
#[derive(Clone, Copy, Debug)]
pub struct NotAsked;

impl Registry for NotAsked {
    fn has(&self, _: &str) -> Existence {
        Existence::There
    }
}

/// A file that is being judged.
struct Reading<'r> {
    judge: &'r Judge<'r>,
    text: &'r str,
    /// Made when there is something to tell.
    lines: Option<Lines<'r>>,
    /// Used for one request after the other.
    request: String,
}

impl<'r> Reading<'r> {
    fn lines(&mut self) -> &Lines<'r> {
        self.lines.get_or_insert_with(|| Lines::new(self.text))
    }

    fn problem(&mut self, error: Unreadable) -> Problem {
        let lines = self.lines();
        Problem {
            message: error.problem,
            place: Some((
                lines.position(error.at),
                lines.excerpt(&(error.at..error.at + 1)),
            )),
        }
    }

    fn document(&mut self, document: &Document<'_>, report: &mut FileReport) {
        for object in objects(&document.tree).into_iter().flatten() {
            self.object(document, &object, report);
        }
    }

    fn object(&mut self, document: &Document<'_>, object: &Object<'_>, report: &mut FileReport) {
        let judge = self.judge;
        let mut is_covered = false;
        let position = report.objects.len();
        for (source, policy) in &judge.policies {
            if !source.covers(object, judge.namespace) {
                continue;
            }
            if !is_covered {
                object.write_request(judge.namespace, &judge.identity, &mut self.request);
            }
            let text = std::mem::take(&mut self.request);
            let verdict = match Request::read(&text) {
                Err(error) => Verdict::unreadable(None, &error),
                Ok(request) => {
                    if !is_covered {
                        let found = request.object.iter().flat_map(|object| &object.found);
                        report.counts.images += found
                            .filter(|found| matches!(found, Found::Image(_)))
                            .count();
                    }
                    policy.evaluate_with(request, &NotAsked)
                }
            };
            self.request = text;
            is_covered = true;
            let policy = source.policy.as_ref().filter(|_| judge.policies.len() > 1);
            let mut add = |severity, violation: &Violation| {
                let finding = self.finding(document, object, severity, violation);
                report.findings.push(Finding {
                    object: position,
                    policy: policy.cloned(),
                    ..finding
                });
            };
            for violation in &verdict.violations {
                add(Severity::Error, violation);
            }
            for violation in &verdict.warnings {
                add(Severity::Warning, violation);
            }
            // What is only counted is counted here too.
            report.counts.errors += verdict.more_violations;
            report.counts.warnings += verdict.more_warnings;
            report.exempted.extend(verdict.exempted);
            report.rewritten.extend(verdict.rewritten);
        }
        if !is_covered {
            report.counts.not_covered += 1;
            return;
        }
        if judge.asks_for_namespace && object.namespace.is_none() && !object.is_cluster_scoped() {
            report.counts.without_namespace += 1;
        }
        report.objects.push(object.full_name(judge.namespace));
        for finding in report.findings.iter().rev() {
            if finding.object != position {
                break;
            }
            match finding.severity {
                Severity::Error => report.counts.errors += 1,
                Severity::Warning => report.counts.warnings += 1,
            }
        }
    }

    /// Where a violation is in the file.
    fn finding(
        &mut self,
        document: &Document<'_>,
        object: &Object<'_>,
        severity: Severity,
        violation: &Violation,
    ) -> Finding {
        let span = document.in_file(&span(object.value, violation));
        Finding::new(severity, violation, &span, self.lines())
    }
}

/// What a violation is about, in the text of the object's document.
pub(crate) fn span(object: Value<'_>, violation: &Violation) -> Range<usize> {
    let place = object.locate(&violation.path);
    let is_whole = violation.path.steps().is_empty();
    let name = || {
        let metadata = object.get("metadata")?;
        metadata
            .get("name")
            .or_else(|| metadata.get("generateName"))
    };
    match place.key {
        // About the object as a whole: its name stands for it.
        _ if is_whole => name()
            .or_else(|| object.get("kind"))
            .map_or(place.span, Value::span),
        // A list or map is shown by its key.
        Some(key) if !place.is_exact || is_collection(place.style) => key,
        _ => place.span,
    }
}

const fn is_collection(style: Style) -> bool {
    matches!(style, Style::Flow | Style::Indented)
}
