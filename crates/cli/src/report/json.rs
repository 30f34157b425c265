//! One JSON document: findings, what could not be read or judged, and numbers.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rollout_guard_manifests::entry::Entry;
use serde::Serialize;
use serde_json::json;

use crate::baseline;
use crate::finding::{FileReport, Finding, Problem};
use crate::manifest::Position;

use super::{Report, Run};

/// Writes each finding when it comes, so that a long report needs no memory.
#[derive(Default)]
pub(super) struct Json {
    has_findings: bool,
    unreadable: Vec<Unreadable>,
    warnings: Vec<Unreadable>,
    templates: Vec<String>,
}

#[derive(Serialize)]
struct Unreadable {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: String,
}

/// An entry of the baseline that no longer occurs.
#[derive(Serialize)]
struct Gone<'b> {
    #[serde(flatten)]
    entry: &'b baseline::Entry,
    line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'r> {
    files: usize,
    objects: usize,
    images: usize,
    violations: usize,
    warnings: usize,
    in_baseline: usize,
    objects_changed: usize,
    preexisting: usize,
    guarded_changes: usize,
    unreadable_files: usize,
    files_without_objects: usize,
    templates: usize,
    kustomizations: usize,
    builds: usize,
    failed_builds: usize,
    objects_judged_as_pods: usize,
    objects_not_covered: usize,
    objects_without_namespace: usize,
    exempted: usize,
    rewritten: usize,
    files_excluded: usize,
    image_like_fields: &'r BTreeMap<String, usize>,
    notes: &'r [String],
}

impl Json {
    fn entry<'f>(file: &'f FileReport, finding: &'f Finding) -> Option<Entry<'f>> {
        let object = file.objects.get(finding.object)?;
        Some(Entry::new(&file.name, object, finding))
    }
}

impl Report for Json {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        for entry in file
            .findings
            .iter()
            .filter_map(|finding| Self::entry(file, finding))
        {
            let before = if self.has_findings {
                ",\n"
            } else {
                "{\"findings\":[\n"
            };
            self.has_findings = true;
            write!(out, "{before}{}", serde_json::to_string(&entry)?)?;
        }
        let entry = |problem: &Problem| {
            let at: Option<Position> = problem.place.as_ref().map(|(at, _)| *at);
            Unreadable {
                file: file.name.clone(),
                line: at.map(|at| at.line),
                column: at.map(|at| at.column),
                message: problem.message.clone(),
            }
        };
        self.unreadable.extend(file.problems.iter().map(entry));
        self.warnings.extend(file.warnings.iter().map(entry));
        if file.counts.templates > 0 {
            self.templates.push(file.name.clone());
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, run: &Run<'_>) -> io::Result<()> {
        let counts = run.counts;
        let summary = Summary {
            files: counts.files,
            objects: counts.objects,
            images: counts.images,
            violations: counts.errors,
            warnings: counts.warnings,
            in_baseline: counts.in_baseline,
            objects_changed: counts.changed,
            preexisting: counts.preexisting,
            guarded_changes: counts.guarded_changes,
            unreadable_files: counts.unreadable_files,
            files_without_objects: counts.other_files,
            templates: counts.templates,
            kustomizations: counts.kustomizations,
            builds: counts.builds,
            failed_builds: counts.unbuilt,
            objects_judged_as_pods: counts.as_pods,
            objects_not_covered: counts.not_covered,
            objects_without_namespace: counts.without_namespace,
            exempted: counts.exempted,
            rewritten: counts.rewritten,
            files_excluded: run.excluded,
            image_like_fields: run.image_like,
            notes: run.notes,
        };
        let baseline = match run.baseline {
            None => String::new(),
            Some(outcome) => {
                let gone = outcome.gone.iter();
                let gone: Vec<_> = gone
                    .map(|(entry, line)| Gone { entry, line: *line })
                    .collect();
                let baseline = json!({ "gone": gone, "entriesNotJudged": outcome.not_judged });
                format!("\"baseline\":{baseline},")
            }
        };
        writeln!(
            out,
            "{}\"unreadable\":{},\"fileWarnings\":{},\"templates\":{},\"notJudged\":{},{baseline}\"summary\":{}}}",
            if self.has_findings {
                "\n],\n"
            } else {
                "{\"findings\":[],\n"
            },
            serde_json::to_string(&self.unreadable)?,
            serde_json::to_string(&self.warnings)?,
            serde_json::to_string(&self.templates)?,
            serde_json::to_string(&run.gaps.entries())?,
            serde_json::to_string(&summary)?,
        )
    }
}
