//! What a person is shown.

use std::ops::Range;

use rollout_guard::json::{Location, Step};
use rollout_guard::verdict::Verdict;
use serde::Serialize;
use serde_json::Value;

use crate::entry::Entry;
use crate::finding::{Finding, Severity};
use crate::manifest::Lines;

use super::images::Image;
use super::question::Question;

/// The file that entries name: the text with the manifest.
const MANIFEST: &str = "manifest";

/// Everything about a trial.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) settings: SettingsAnswer,
    /// One for each object and policy, in the order of the manifest.
    pub(super) verdicts: Vec<Judged>,
    /// What is wrong in the manifest besides.
    pub(super) manifest: Vec<Mark>,
    /// What is wrong in the objects as they were.
    pub(super) old: Vec<Mark>,
    /// The manifest says itself what is asked.
    pub(super) is_review: bool,
}

/// What is said of the settings.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingsAnswer {
    pub(super) is_valid: bool,
    pub(super) marks: Vec<Mark>,
    /// What they do, in sentences.
    pub(super) sentences: Vec<String>,
    /// What is not as in a cluster.
    pub(super) notes: Vec<String>,
}

/// Something about a place in a text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    severity: &'static str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// The path of the value.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    message: String,
}

/// The verdict on one request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Judged {
    object: ObjectText,
    operation: String,
    /// The policy, where there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    /// Whether a rule of the policy names the object at all.
    is_asked: bool,
    accepted: bool,
    /// What the user reads where it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What kubectl shows.
    warnings: Vec<String>,
    audit_annotations: AuditAnnotations,
    findings: Vec<Value>,
    images: Vec<ImageText>,
    /// The JSON patch of a mutation.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<json_patch::Patch>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectText {
    api_version: String,
    kind: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

#[derive(Default, Serialize)]
struct AuditAnnotations {
    #[serde(skip_serializing_if = "String::is_empty")]
    violations: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    rewritten: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    exempted: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageText {
    place: String,
    line: usize,
    column: usize,
    image: String,
    /// What runs instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    rewritten: Option<String>,
}

impl Mark {
    pub(super) fn new(
        lines: &Lines<'_>,
        span: Range<usize>,
        severity: Severity,
        message: String,
    ) -> Self {
        let (start, end) = (lines.position(span.start), lines.position(span.end));
        Self {
            severity: severity.as_str(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            path: String::new(),
            message,
        }
    }

    /// With the path of the value that it is about.
    pub(super) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}

impl Judged {
    pub(super) fn new(question: &Question<'_>) -> Self {
        let name = question.name.clone();
        Self {
            object: ObjectText {
                api_version: name.api_version,
                kind: name.kind,
                name: name.name,
                namespace: name.namespace,
            },
            operation: question.operation.clone(),
            policy: None,
            is_asked: true,
            accepted: true,
            message: None,
            warnings: Vec::new(),
            audit_annotations: AuditAnnotations::default(),
            findings: Vec::new(),
            images: Vec::new(),
            patch: None,
        }
    }

    /// What no rule of a policy names passes.
    pub(super) fn not_asked(question: &Question<'_>) -> Self {
        Self {
            is_asked: false,
            ..Self::new(question)
        }
    }

    /// Takes over what the answer to Kubewarden says.
    pub(super) fn tell(&mut self, verdict: &Verdict<'_>) {
        let codes = verdict.codes();
        let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        self.accepted = verdict.accepted();
        self.message = verdict.message();
        self.warnings = verdict.warning_texts();
        self.audit_annotations = AuditAnnotations {
            violations: codes.join(","),
            rewritten: verdict.rewritten.join(","),
            exempted: verdict.exempted.join(","),
        };
    }

    /// Shows the images, and what becomes of them.
    pub(super) fn change(
        &mut self,
        question: &Question<'_>,
        images: &[Image],
        verdict: &Verdict<'_>,
        lines: &Lines<'_>,
    ) {
        let mutated = verdict.mutated_object.as_deref();
        let mutated: Option<Value> = mutated.and_then(|text| serde_json::from_str(text).ok());
        self.images = images
            .iter()
            .map(|image| {
                let span = question
                    .object_value
                    .map_or(0..0, |object| object.locate(&image.place).span);
                let at = lines.position(question.document.in_file(&span).start);
                let after = mutated
                    .as_ref()
                    .and_then(|object| value(object, &image.place)?.as_str());
                ImageText {
                    place: image.told.clone(),
                    line: at.line,
                    column: at.column,
                    image: image.text.clone(),
                    rewritten: after
                        .filter(|after| *after != image.text)
                        .map(ToOwned::to_owned),
                }
            })
            .collect();
        self.images.sort_by_key(|image| (image.line, image.column));
        // As Kubewarden does.
        let object = question
            .object_value
            .and_then(|object| serde_json::from_str(object.json()).ok());
        if let (Some(before), Some(after)) = (object, &mutated) {
            self.patch = Some(json_patch::diff(&before, after));
        }
    }

    pub(super) fn add(&mut self, question: &Question<'_>, finding: &Finding) {
        let entry = Entry::new(MANIFEST, &question.name, finding);
        let Ok(Value::Object(mut entry)) = serde_json::to_value(entry) else {
            return;
        };
        // The message as it is in between its place and its code, both of which are shown apart.
        entry.insert("text".to_owned(), finding.message().into());
        self.findings.push(Value::Object(entry));
    }
}

/// The value at a place.
fn value<'v>(object: &'v Value, place: &Location<'_>) -> Option<&'v Value> {
    place
        .steps()
        .iter()
        .try_fold(object, |value, step| match step {
            Step::Key(key) => value.get(key.as_ref()),
            Step::Index(index) => value.get(index),
            Step::Each => None,
        })
}
