//! The page says what the policy says: for every case of the engine and every example, natively and,
//! where `POLICY_WASM` names a built module, in that module.
//!
//! Where `TRIALS` names a file, what was asked and what was said is written to it: the tests in a
//! browser ask the built page the same.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rollout_guard::date::{Clock, Time};
use rollout_guard::registry::Unreachable;
use rollout_guard::wire;
use rollout_guard_cases::Asked;
use rollout_guard_playground::answer;
use serde_json::{Map, Value, json};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

#[test]
fn the_page_agrees_with_the_policy() {
    let module = std::env::var_os("POLICY_WASM").map(|path| load(Path::new(&path)));
    let mut trials = Vec::new();
    let asked = rollout_guard_cases::asked();
    // The clock of the host that runs the module, which the page has, too.
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(passed.as_secs()).unwrap();
    for asked in asked.iter().filter(|asked| !asked.asks_a_registry()) {
        // The page reads the object, of which a repeated key is there but once.
        let asked = Asked {
            raw: None,
            ..asked.clone()
        };
        let payload = asked.payload();
        let Asked {
            name,
            settings,
            request,
            ..
        } = asked;
        let review = json!({ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request });
        let trial =
            json!({ "settings": settings.to_string(), "manifest": review.to_string(), "now": now });
        let said: Value = serde_json::from_str(&answer(&trial.to_string()).unwrap()).unwrap();
        let told = if let Some(module) = &module {
            module.call("validate", payload.as_bytes()).unwrap()
        } else {
            let clock = Clock::At(Time::from_seconds(now));
            wire::validate_at(payload.as_bytes(), &Unreachable, clock)
        };
        let told: Value = serde_json::from_slice(&told).unwrap();
        let are_valid = wire::validate_settings(settings.to_string().as_bytes()).is_ok();
        assert_eq!(said["settings"]["isValid"], are_valid, "{name}: {said}");
        if are_valid {
            assert_eq!(verdict(&request, &said, &name), told, "{name}");
        }
        trials.push(json!({ "name": name, "trial": trial, "answer": said }));
    }
    assert!(trials.len() > 400, "only {} cases", trials.len());
    if let Some(path) = std::env::var_os("TRIALS") {
        std::fs::write(path, json!(trials).to_string()).unwrap();
    }
}

/// What the page says, as the policy answers Kubewarden.
fn verdict(request: &Value, said: &Value, name: &str) -> Value {
    let verdicts = said["verdicts"].as_array().unwrap();
    let [verdict] = verdicts.as_slice() else {
        panic!("{name}: {} verdicts", verdicts.len());
    };
    let mut answer = Map::new();
    answer.insert("accepted".to_owned(), verdict["accepted"].clone());
    if verdict["accepted"] == false {
        answer.insert("message".to_owned(), verdict["message"].clone());
        answer.insert("code".to_owned(), 403.into());
    }
    let is_empty = |value: &Value| value == &json!({}) || value == &json!([]);
    let mut add = |key: &str, value: &Value| {
        if !is_empty(value) {
            answer.insert(key.to_owned(), value.clone());
        }
    };
    add("audit_annotations", &verdict["auditAnnotations"]);
    add("warnings", &verdict["warnings"]);
    if !verdict["patch"].is_null() {
        let mut object = request["object"].clone();
        let patch: json_patch::Patch = serde_json::from_value(verdict["patch"].clone()).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
        add("mutated_object", &object);
    }
    let errors = verdict["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error");
    assert_eq!(
        errors.count() == 0,
        verdict["accepted"] == true,
        "{name}: findings"
    );
    for finding in verdict["findings"].as_array().unwrap() {
        let message = finding["message"].as_str().unwrap();
        let text = finding["text"].as_str().unwrap();
        assert!(message.contains(text), "{name}: {message}");
        assert!(finding["line"].as_u64() >= Some(1), "{name}: {finding}");
    }
    Value::Object(answer)
}

/// The built module, with no host capability.
fn load(path: &Path) -> WapcHost {
    let bytes = std::fs::read(path).unwrap();
    let engine = WasmtimeEngineProviderBuilder::new()
        .module_bytes(&bytes)
        .build()
        .unwrap();
    let refuse = Box::new(|_, _: &str, _: &str, _: &str, _: &[u8]| Err("no capability".into()));
    WapcHost::new(Box::new(engine), Some(refuse)).unwrap()
}
