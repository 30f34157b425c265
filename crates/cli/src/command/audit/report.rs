//! How an audit is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::AnsiColor;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::record::{Finding, Question};
use super::rows::{Group, GroupBy, Row, group};
use crate::cluster::Unread;
use crate::failure::printable;
use crate::finding::Severity;
use crate::report::count;
use crate::wrap::{columns, wrap};

/// The form of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum AuditFormat {
    /// Readable report: the summary first, at most one screen
    #[default]
    Human,
    /// One JSON document
    Json,
    /// Tables for a ticket
    Markdown,
    /// `Report` and `ClusterReport` objects of `OpenReports`, for `kubectl apply`
    Openreports,
}

/// An audit.
pub(super) struct Audit<'a> {
    /// Where the objects come from.
    pub(super) source: &'a str,
    /// How many objects were read.
    pub(super) objects: usize,
    pub(super) rows: &'a [Row],
    pub(super) unread: &'a [Unread],
    pub(super) notes: &'a [String],
    pub(super) group_by: GroupBy,
}

/// This many groups fit a screen.
const MOST_GROUPS: usize = 8;

/// This many kinds that were not read are told.
const MOST_UNREAD: usize = 5;

impl Audit<'_> {
    fn refused(&self, question: Question) -> usize {
        self.rows
            .iter()
            .filter(|row| row.is_refused(question))
            .count()
    }

    fn namespaces(&self) -> usize {
        let names = self.rows.iter();
        let names = names.filter_map(|row| row.record.name.namespace.as_deref());
        names.collect::<BTreeSet<_>>().len()
    }

    fn warnings(&self) -> usize {
        let findings = self.rows.iter().flat_map(|row| &row.record.findings);
        findings
            .filter(|finding| finding.severity == Severity::Warning)
            .count()
    }

    /// Whether anything would be refused.
    pub(super) fn is_refused(&self) -> bool {
        Question::ALL
            .into_iter()
            .any(|question| self.refused(question) > 0)
    }

    pub(super) fn has_warnings(&self) -> bool {
        self.warnings() > 0
    }

    /// Writes the audit.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(super) fn write(
        &self,
        out: &mut dyn Write,
        format: AuditFormat,
        is_verbose: bool,
    ) -> io::Result<()> {
        match format {
            AuditFormat::Human => self.human(out, is_verbose),
            AuditFormat::Json => writeln!(out, "{:#}", self.json()),
            AuditFormat::Markdown => self.markdown(out),
            AuditFormat::Openreports => writeln!(out, "{:#}", self.open_reports()),
        }
    }

    fn summary(&self) -> [String; 4] {
        let objects = |question| {
            let refused = self.refused(question);
            let verb = if refused == 1 { "is" } else { "are" };
            (count(refused, "object", "objects"), verb)
        };
        let (new, new_verb) = objects(Question::New);
        let (pods, _) = objects(Question::NextPod);
        let (updates, _) = objects(Question::Update);
        [
            format!(
                "{} in {} ({}, {})",
                count(
                    self.rows.len(),
                    "workload or other object",
                    "workloads and other objects"
                ),
                count(self.namespaces(), "namespace", "namespaces"),
                self.source,
                count(self.objects, "object read", "objects read"),
            ),
            format!(
                "{new} would be refused if {} created now",
                if new_verb == "is" {
                    "it were"
                } else {
                    "they were"
                }
            ),
            format!("{pods} would get no new Pod: a restart, a drained node or a scale-up fails"),
            format!("{updates} would refuse an update that changes nothing else"),
        ]
    }

    fn human(&self, out: &mut dyn Write, is_verbose: bool) -> io::Result<()> {
        let (red, green, bold) = (
            AnsiColor::Red.on_default().bold(),
            AnsiColor::Green.on_default().bold(),
            anstyle::Style::new().bold(),
        );
        let fit = |line: &str, more| wrap(&printable(line), columns(), more);
        let [first, rest @ ..] = self.summary();
        writeln!(out, "{bold}{}{bold:#}", fit(&first, 2))?;
        for (question, line) in [Question::New, Question::NextPod, Question::Update]
            .iter()
            .zip(rest)
        {
            let style = if self.refused(*question) > 0 {
                red
            } else {
                green
            };
            writeln!(out, "  {style}{}{style:#}", fit(&line, 4))?;
        }
        let rewritten: usize = self.rows.iter().map(|row| row.record.rewritten).sum();
        if rewritten > 0 {
            let images = count(rewritten, "image", "images");
            writeln!(out, "  {images} would be pulled from a mirror")?;
        }
        if self.warnings() > 0 {
            writeln!(out, "  {}", count(self.warnings(), "warning", "warnings"))?;
        }
        let differing = self
            .rows
            .iter()
            .filter(|row| row.differs_from.is_some())
            .count();
        if differing > 0 {
            let line = if differing == 1 {
                "  1 Pod runs other images than its owner names: it is an object of its own here"
                    .to_owned()
            } else {
                format!(
                    "  {differing} Pods run other images than their owners name: each is an object of its own here"
                )
            };
            writeln!(out, "{}", fit(&line, 2))?;
        }
        let groups = group(self.rows, self.group_by);
        let told = if is_verbose {
            groups.len()
        } else {
            MOST_GROUPS
        };
        for group in groups.iter().take(told) {
            writeln!(out)?;
            self.human_group(out, group, is_verbose)?;
        }
        if groups.len() > told {
            let more = count(groups.len() - told, "more group", "more groups");
            writeln!(out, "\nand {more}, which `--verbose` lists")?;
        }
        if !self.unread.is_empty() {
            writeln!(out, "\n{red}Not read{red:#}:")?;
            let told = if is_verbose {
                self.unread.len()
            } else {
                MOST_UNREAD
            };
            for Unread { what, problem } in self.unread.iter().take(told) {
                writeln!(out, "{}", fit(&format!("  {what}: {problem}"), 2))?;
            }
            if self.unread.len() > told {
                writeln!(out, "  and {} more", self.unread.len() - told)?;
            }
        }
        for note in self.notes {
            writeln!(out, "{}", fit(&format!("  {note}"), 2))?;
        }
        Ok(())
    }

    fn human_group(
        &self,
        out: &mut dyn Write,
        group: &Group<'_>,
        is_verbose: bool,
    ) -> io::Result<()> {
        let bold = anstyle::Style::new().bold();
        let fit = |line: &str, more| wrap(&printable(line), columns(), more);
        let size = match self.group_by {
            GroupBy::Namespace => count(group.rows.len(), "object", "objects"),
            _ => size(group),
        };
        writeln!(out, "{bold}{}{bold:#}: {size}", fit(&group.title, 2))?;
        let codes: Vec<_> = group.codes.iter().copied().collect();
        let codes = codes.join(", ");
        let line = format!("  {}", group.problem.unwrap_or(&codes));
        writeln!(out, "{}", fit(&line, 2))?;
        if !is_verbose {
            return Ok(());
        }
        for row in &group.rows {
            writeln!(out, "{}", fit(&format!("    {}", told(row)), 2))?;
            if self.group_by != GroupBy::Problem {
                let mut seen = BTreeSet::new();
                for finding in row.refusals() {
                    let subject = finding.image.as_deref().unwrap_or_default();
                    let line = format!("{} {subject}: {}", finding.code, finding.problem);
                    if seen.insert(line.clone()) {
                        writeln!(out, "{}", fit(&format!("      {line}"), 2))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let groups: Vec<_> = group(self.rows, self.group_by)
            .iter()
            .map(|group| {
                json!({
                    "title": group.title,
                    "codes": group.codes,
                    "problem": group.problem,
                    "namespaces": group.namespaces,
                    "objects": group.rows.iter().map(|row| row.record.name.to_string()).collect::<Vec<_>>(),
                })
            })
            .collect();
        let objects: Vec<_> = self.rows.iter().map(row).collect();
        let unread: Vec<_> = self
            .unread
            .iter()
            .map(|unread| json!({ "what": unread.what, "problem": unread.problem }))
            .collect();
        json!({
            "source": self.source,
            "summary": {
                "objectsRead": self.objects,
                "objects": self.rows.len(),
                "namespaces": self.namespaces(),
                "refusedAsNew": self.refused(Question::New),
                "nextPodRefused": self.refused(Question::NextPod),
                "updateRefused": self.refused(Question::Update),
                "warnings": self.warnings(),
            },
            "groups": groups,
            "objects": objects,
            "notRead": unread,
            "notes": self.notes,
        })
    }

    fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let [first, rest @ ..] = self.summary();
        writeln!(out, "{}\n", cell(&first))?;
        for line in rest {
            writeln!(out, "- {}", cell(&line))?;
        }
        let groups = group(self.rows, self.group_by);
        if !groups.is_empty() {
            writeln!(out, "\n| what | objects | namespaces | what to do |")?;
            writeln!(out, "|---|---:|---:|---|")?;
        }
        for group in &groups {
            let codes: Vec<_> = group.codes.iter().copied().collect();
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                cell(&group.title),
                group.rows.len(),
                group.namespaces.len(),
                cell(group.problem.unwrap_or(&codes.join(", ")))
            )?;
        }
        let refused: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.refusals().next().is_some())
            .collect();
        if !refused.is_empty() {
            writeln!(
                out,
                "\n| namespace | object | as new | next Pod | update | codes |"
            )?;
            writeln!(out, "|---|---|---|---|---|---|")?;
        }
        for row in refused {
            let name = &row.record.name;
            let verdict = |question| {
                if row.is_refused(question) {
                    "refused"
                } else {
                    "passes"
                }
            };
            let codes: BTreeSet<_> = row
                .refusals()
                .map(|finding| finding.code.as_str())
                .collect();
            writeln!(
                out,
                "| {} | {} {} | {} | {} | {} | {} |",
                cell(name.namespace.as_deref().unwrap_or_default()),
                cell(&name.kind),
                cell(&name.name),
                verdict(Question::New),
                verdict(Question::NextPod),
                verdict(Question::Update),
                codes.into_iter().collect::<Vec<_>>().join(", "),
            )?;
        }
        if !self.unread.is_empty() {
            writeln!(out, "\nNot read:\n")?;
        }
        for Unread { what, problem } in self.unread {
            writeln!(out, "- {}: {}", cell(what), cell(problem))?;
        }
        Ok(())
    }

    /// A report for each object about which something is to be said.
    fn open_reports(&self) -> Value {
        let mut items = Vec::new();
        for row in self.rows {
            let findings: Vec<_> = once(&row.record.findings);
            if findings.is_empty() {
                continue;
            }
            let name = &row.record.name;
            let fail = findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .count();
            let results: Vec<_> = findings.iter().map(|finding| result(finding)).collect();
            let mut metadata = json!({
                "name": report_name(row),
                "labels": { "app.kubernetes.io/managed-by": "rollout-guard" },
            });
            let mut scope =
                json!({ "apiVersion": name.api_version, "kind": name.kind, "name": name.name });
            for object in [&mut metadata, &mut scope] {
                if let (Some(namespace), Some(object)) = (&name.namespace, object.as_object_mut()) {
                    object.insert("namespace".to_owned(), json!(namespace));
                }
            }
            if let Some(scope) = scope.as_object_mut()
                && !row.record.uid.is_empty()
            {
                scope.insert("uid".to_owned(), json!(row.record.uid));
            }
            items.push(json!({
                "apiVersion": "openreports.io/v1alpha1",
                "kind": if name.namespace.is_some() { "Report" } else { "ClusterReport" },
                "metadata": metadata,
                "source": "rollout-guard",
                "scope": scope,
                "summary": { "pass": 0, "fail": fail, "warn": findings.len() - fail, "error": 0, "skip": 0 },
                "results": results,
            }));
        }
        json!({ "apiVersion": "v1", "kind": "List", "items": items })
    }
}

/// `14 objects in 6 namespaces`.
fn size(group: &Group<'_>) -> String {
    let objects = count(group.rows.len(), "object", "objects");
    match group.namespaces.len() {
        0 => objects,
        more => format!("{objects} in {}", count(more, "namespace", "namespaces")),
    }
}

fn told(row: &Row) -> String {
    let mut line = row.record.name.to_string();
    if let Some(owner) = &row.differs_from {
        line = format!("{line}, of {owner}");
    } else if row.pods > 0 && row.record.is_pod() {
        line = format!("{line}, and {} more like it", row.pods);
    } else if row.pods > 0 {
        line = format!("{line}, {}", count(row.pods, "Pod", "Pods"));
    }
    if !row.is_refused(Question::NextPod) && !row.is_refused(Question::New) {
        line.push_str(" (updates only)");
    }
    line
}

/// What findings say, each once: the next Pod is refused for the same reason as the workload.
fn once(findings: &[Finding]) -> Vec<&Finding> {
    let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut kept: Vec<&Finding> = Vec::new();
    for finding in findings {
        let key = (
            finding.path.as_str(),
            finding.code.as_str(),
            finding.problem.as_str(),
        );
        if let Some(position) = seen.get(&key) {
            if let Some(known) = kept.get_mut(*position)
                && finding.severity == Severity::Error
            {
                *known = finding;
            }
        } else {
            seen.insert(key, kept.len());
            kept.push(finding);
        }
    }
    kept
}

fn result(finding: &Finding) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |now| now.as_secs());
    let is_error = finding.severity == Severity::Error;
    let mut properties = json!({ "place": finding.place });
    if let (Some(image), Some(properties)) = (&finding.image, properties.as_object_mut()) {
        properties.insert("image".to_owned(), json!(image));
    }
    json!({
        "source": "rollout-guard",
        "policy": finding.policy.as_deref().unwrap_or("rollout-guard"),
        "rule": finding.code.as_str(),
        "category": "Secure supply chain",
        "severity": if is_error { "high" } else { "low" },
        "timestamp": { "seconds": seconds, "nanos": 0 },
        "result": if is_error { "fail" } else { "warn" },
        "scored": true,
        "message": format!("{}: {}", finding.place, finding.problem),
        "properties": properties,
    })
}

/// The name of an object's report: the object's UID, as the audit scanner names its own, else kind and name.
fn report_name(row: &Row) -> String {
    let name = &row.record.name;
    let own = if row.record.uid.is_empty() {
        format!("{}-{}", name.kind, name.name)
    } else {
        row.record.uid.clone()
    };
    let plain = |mark: char| {
        if mark.is_ascii_alphanumeric() {
            mark.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let mut text: String = format!("rollout-guard-{own}").chars().map(plain).collect();
    text.truncate(253);
    text.trim_end_matches('-').to_owned()
}

fn row(row: &Row) -> Value {
    let name = &row.record.name;
    let findings: Vec<_> = row
        .record
        .findings
        .iter()
        .map(|finding| {
            json!({
                "question": match finding.question {
                    Question::New => "new",
                    Question::NextPod => "nextPod",
                    Question::Update => "update",
                },
                "severity": finding.severity.as_str(),
                "code": finding.code.as_str(),
                "place": finding.place,
                "path": finding.path,
                "image": finding.image,
                "problem": finding.problem,
                "policy": finding.policy,
            })
        })
        .collect();
    json!({
        "apiVersion": name.api_version,
        "kind": name.kind,
        "namespace": name.namespace,
        "name": name.name,
        "pods": row.pods,
        "differsFrom": row.differs_from,
        "refusedAsNew": row.is_refused(Question::New),
        "nextPodRefused": row.is_refused(Question::NextPod),
        "updateRefused": row.is_refused(Question::Update),
        "findings": findings,
    })
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}
