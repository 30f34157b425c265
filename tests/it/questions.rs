//! `questions-ui.yml`: the settings that Rancher's form makes are settings that the policy takes.
//!
//! Rancher (`kubewarden-ui`, `components/Questions`) writes the default of each question that is shown
//! and has no answer yet; a new entry of a `sequence[` gets the defaults of all its questions.

use std::collections::{BTreeMap, BTreeSet};

use rollout_guard::settings::Settings;
use rollout_guard::wire;
use serde::Deserialize;
use serde_json::{Value, json};

const FORM: &str = include_str!("../../questions-ui.yml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    questions: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// A question without one leaves no trace; `default: null` would.
    default: Option<Value>,
    description: String,
    #[serde(rename = "tooltip")]
    _tooltip: Option<String>,
    group: String,
    label: String,
    #[serde(default, rename = "required")]
    _is_required: bool,
    #[serde(default)]
    hide_input: bool,
    #[serde(rename = "type")]
    kind: String,
    variable: String,
    #[serde(default)]
    options: Vec<String>,
    show_if: Option<String>,
    #[serde(default)]
    sequence_questions: Vec<Question>,
    #[serde(default)]
    subquestions: Vec<Question>,
}

impl Question {
    /// Whether it is shown: of Rancher's expressions this form has `variable!=`, which holds where
    /// there is a value.
    fn is_shown(&self, settings: &Value) -> bool {
        self.show_if.as_ref().is_none_or(|condition| {
            let variable = condition.strip_suffix("!=").unwrap();
            !settings
                .pointer(&pointer(variable))
                .unwrap_or(&Value::Null)
                .is_null()
        })
    }
}

fn form() -> Vec<Question> {
    yaml_serde::from_str::<Form>(FORM).unwrap().questions
}

fn pointer(variable: &str) -> String {
    format!("/{}", variable.replace('.', "/"))
}

fn set(settings: &mut Value, variable: &str, value: Value) {
    let mut place = settings;
    for part in variable.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[part];
    }
    *place = value;
}

/// What a user fills in, over the defaults.
fn filled_in(answers: &BTreeMap<&str, Value>) -> Value {
    let mut settings = json!({});
    let mut left: Vec<_> = form();
    // An answer can bring up another question.
    loop {
        let (shown, hidden): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|question| question.is_shown(&settings));
        for question in &shown {
            let value = match answers.get(question.variable.as_str()) {
                Some(answer) if question.kind == "sequence[" => Some(entries(question, answer)),
                Some(answer) => Some(answer.clone()),
                // The list is made when the first entry is added.
                None if question.kind == "sequence[" => None,
                None => question.default.clone(),
            };
            if let Some(value) = value {
                set(&mut settings, &question.variable, value);
            }
        }
        if shown.is_empty() {
            return settings;
        }
        left = hidden;
    }
}

fn entries(question: &Question, answers: &Value) -> Value {
    let entries = answers.as_array().unwrap().iter().map(|answer| {
        let mut entry: BTreeMap<_, _> = question
            .sequence_questions
            .iter()
            .filter_map(|question| Some((question.variable.clone(), question.default.clone()?)))
            .collect();
        for (key, value) in answer.as_object().unwrap() {
            assert!(
                entry.insert(key.clone(), value.clone()).is_some(),
                "{key} is not asked for"
            );
        }
        entry
    });
    json!(entries.collect::<Vec<_>>())
}

fn refusal(settings: &Value, image: &str) -> Option<String> {
    let payload = json!({
        "request": {
            "uid": "1",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "operation": "CREATE",
            "userInfo": { "username": "jane@example.com" },
            "namespace": "default",
            "object": {
                "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" },
                "spec": { "containers": [{ "name": "a", "image": image }] },
            },
        },
        "settings": settings,
    });
    let answer: Value =
        serde_json::from_slice(&wire::validate(payload.to_string().as_bytes())).unwrap();
    answer["message"].as_str().map(str::to_owned)
}

#[track_caller]
fn validates(settings: &Value) {
    assert_eq!(
        wire::validate_settings(settings.to_string().as_bytes()),
        Ok(()),
        "{settings:#}"
    );
}

#[test]
fn an_untouched_form_makes_settings_that_do_what_they_say() {
    let settings = filled_in(&BTreeMap::new());
    validates(&settings);
    assert!(
        refusal(&settings, "redis")
            .unwrap()
            .contains("[tag-rejected]")
    );
    assert_eq!(refusal(&settings, "redis:7.2"), None);
}

#[test]
fn a_form_that_is_filled_in_makes_settings_that_do_what_they_say() {
    let settings = filled_in(&BTreeMap::from([
        (
            "registries.allow",
            json!(["*.azurecr.io", "registry.example.com/cache"]),
        ),
        ("registries.action", json!("reject")),
        ("images.reject", json!(["docker.io/library/redis:6*"])),
        ("images.action", json!("warn")),
        ("digests.require", json!(["ghcr.io/*"])),
        (
            "mirrors",
            json!([
                {"source": "docker.io/library", "mirror": "registry.example.com/cache/library", "pullSecrets": ["pull"]},
                {"source": "quay.io", "mirror": "registry.example.com/cache/quay.io", "checkExists": true, "onCheckError": "reject"},
            ]),
        ),
        ("rewrite", json!("never")),
        (
            "annotations",
            json!([{"name": "ownership", "required": ["team"], "target": "both"}]),
        ),
        ("changes", json!([{"allowRestart": true}])),
        ("drift.lastApplied", json!("warn")),
        ("exemptions", json!([{"reason": "bootstrap"}])),
        ("imagePaths", json!([{}])),
        ("onUpdate", json!("all")),
        ("wellKnownKinds", json!(false)),
        ("docsUrl", json!("https://wiki.example.com/images")),
    ]));
    validates(&settings);
    assert_eq!(settings["rewrite"], "never");
    let said = refusal(&settings, "redis:7.2").unwrap();
    assert!(
        said.contains("registry.example.com/cache/library/redis:7.2"),
        "{said}"
    );
    assert!(said.contains("https://wiki.example.com/images"), "{said}");
}

#[test]
fn every_entry_that_is_added_and_left_as_it_is_validates() {
    for question in form()
        .iter()
        .filter(|question| question.kind == "sequence[")
    {
        // What a mirror is for only the user knows.
        if question.variable == "mirrors" {
            continue;
        }
        let settings = filled_in(&BTreeMap::from([(question.variable.as_str(), json!([{}]))]));
        validates(&settings);
    }
}

#[test]
fn the_form_asks_for_every_key_of_the_settings() {
    let asked: BTreeSet<_> = form()
        .iter()
        .map(|question| question.variable.split('.').next().unwrap().to_owned())
        .filter(|key| key != "description")
        .collect();
    let keys: BTreeSet<_> = Settings::KEYS.iter().map(ToString::to_string).collect();
    assert_eq!(asked, keys);
}

#[test]
fn every_question_is_of_a_type_that_rancher_shows() {
    fn check(question: &Question) {
        let variable = &question.variable;
        for text in [&question.description, &question.group, &question.label] {
            assert!(!text.is_empty(), "{variable}");
        }
        match (question.kind.as_str(), &question.default) {
            ("enum", Some(Value::String(default))) => {
                assert!(question.options.contains(default), "{variable}");
            }
            ("boolean", Some(Value::Bool(_)))
            | ("string", Some(Value::String(_)) | None)
            | ("array[" | "sequence[", Some(Value::Array(_)))
            | ("map[", Some(Value::Object(_))) => {
                assert!(question.options.is_empty(), "{variable}");
            }
            other => panic!("{variable}: {other:?}"),
        }
        assert_eq!(question.hide_input, variable == "description");
        assert_eq!(
            question.kind == "sequence[",
            !question.sequence_questions.is_empty()
        );
        assert_eq!(question.kind == "map[", !question.subquestions.is_empty());
        for sub in question
            .sequence_questions
            .iter()
            .chain(&question.subquestions)
        {
            check(sub);
        }
    }
    for question in form() {
        check(&question);
    }
}
