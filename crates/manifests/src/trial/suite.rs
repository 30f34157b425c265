//! A trial as a suite, which `rollout-guard test` runs.

use rollout_guard::json::Document;
use rollout_guard::policy::Policy;
use rollout_guard::request::{Operation, Request};
use rollout_guard::settings::Settings;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use serde_json::{Map, Value, json};

use crate::judge::NotAsked;
use crate::manifest::writer::write;

use super::Trial;
use super::question::Question;

/// A suite with the settings and a case for each request, which expects what comes out now.
pub(super) fn text(
    trial: &Trial,
    settings_json: &str,
    settings: &Settings<'_>,
    questions: &[Question<'_>],
) -> String {
    let written: Value = serde_json::from_str(settings_json).unwrap_or_default();
    let mut text = format!("settings:\n  {}\ncases:\n", write(&written, 2));
    for question in questions {
        let mut prefix = "  - ";
        for (key, value) in case(trial, settings, question) {
            text.push_str(prefix);
            text.push_str(&write(&json!({ key: value }), 4));
            text.push('\n');
            prefix = "    ";
        }
    }
    text
}

fn case(
    trial: &Trial,
    settings: &Settings<'_>,
    question: &Question<'_>,
) -> Vec<(&'static str, Value)> {
    let request: Value = serde_json::from_str(&question.request).unwrap_or_default();
    let member = |key: &str| request.get(key).filter(|value| !value.is_null()).cloned();
    let operation = &question.operation;
    let name = format!("{} of {}", operation, question.name);
    let mut case = vec![("name", json!(name))];
    if question.is_review() {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request,
        });
        case.push(("manifest", review));
    } else {
        let object = member("object").or_else(|| member("oldObject"));
        case.push(("manifest", object.unwrap_or_default()));
        if operation == Operation::Update.as_str() {
            case.push(("old", member("oldObject").unwrap_or_default()));
        }
        case.push(("request", json!(fields(trial, operation))));
    }
    case.push(("expect", expected(settings, &question.request)));
    case
}

/// Who asks for what, as a suite says it.
fn fields(trial: &Trial, operation: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("operation".to_owned(), json!(operation));
    if trial.user.is_empty() {
        fields.insert("audit".to_owned(), json!(true));
    } else {
        fields.insert("user".to_owned(), json!(trial.user));
        if !trial.groups.is_empty() {
            fields.insert("groups".to_owned(), json!(trial.groups));
        }
    }
    for (key, text) in [
        ("namespace", &trial.namespace),
        ("fieldManager", &trial.field_manager),
    ] {
        if !text.is_empty() {
            fields.insert(key.to_owned(), json!(text));
        }
    }
    fields
}

fn expected(settings: &Settings<'_>, request: &str) -> Value {
    let document = Document::of(request);
    let verdict = match Request::of(&document) {
        Err(error) => Verdict::unreadable(None, &error),
        Ok(request) => Policy::new(settings).evaluate_with(request, &NotAsked),
    };
    let list = |found: &[Violation]| -> Value {
        found
            .iter()
            .map(|violation| json!({ "code": violation.code.as_str(), "at": violation.place }))
            .collect()
    };
    let mut expected = Map::new();
    if verdict.accepted() {
        expected.insert("accepted".to_owned(), json!(true));
    } else {
        expected.insert("violations".to_owned(), list(&verdict.violations));
    }
    if !verdict.warnings.is_empty() {
        expected.insert("warnings".to_owned(), list(&verdict.warnings));
    }
    if !verdict.exempted.is_empty() {
        expected.insert("exempted".to_owned(), json!(verdict.exempted));
    }
    Value::Object(expected)
}
