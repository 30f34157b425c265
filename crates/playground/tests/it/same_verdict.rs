//! The page says what the policy says: for every case of the engine and every example, natively and,
//! where `POLICY_WASM` names a built module, in that module.
//!
//! Where `TRIALS` names a file, what was asked and what was said is written to it: the tests in a
//! browser ask the built page the same.

use std::path::{Path, PathBuf};

use rollout_guard::wire;
use rollout_guard_playground::answer;
use serde_json::{Map, Value, json};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

#[test]
fn the_page_agrees_with_the_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let module = std::env::var_os("POLICY_WASM").map(|path| load(Path::new(&path)));
    let mut trials = Vec::new();
    for (name, settings, request) in cases(&root).into_iter().chain(examples(&root)) {
        let review = json!({ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request });
        let trial = json!({ "settings": settings.to_string(), "manifest": review.to_string() });
        let said: Value = serde_json::from_str(&answer(&trial.to_string()).unwrap()).unwrap();
        let payload = json!({ "request": request, "settings": settings }).to_string();
        let told = match &module {
            Some(module) => module.call("validate", payload.as_bytes()).unwrap(),
            None => wire::validate(payload.as_bytes()),
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

/// The cases that ask no registry, with the requests that they are about.
fn cases(root: &Path) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("tests/cases")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let cases: Vec<Value> = yaml_serde::from_str(&text).unwrap();
            for case in cases {
                let settings = case["settings"].clone();
                if settings.to_string().contains("\"checkExists\":true") {
                    continue;
                }
                let note = case["note"].as_str().unwrap();
                let name = path.strip_prefix(root).unwrap().display();
                found.push((format!("{name}: {note}"), settings, request(&case)));
            }
        }
    }
    found
}

/// The request of a case, as the tests of the engine make it, read as the host reads it.
fn request(case: &Value) -> Value {
    let pod = |image: &Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "default" },
            "spec": { "containers": [{ "name": "app", "image": image }] },
        })
    };
    let object = match (&case["image"], &case["raw"]) {
        (Value::Null, Value::String(raw)) => serde_json::from_str(raw).unwrap_or(Value::Null),
        (Value::Null, _) => case["object"].clone(),
        (image, _) => pod(image),
    };
    let old = match &case["oldImage"] {
        Value::Null => case["old"].clone(),
        image => pod(image),
    };
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap_or("Pod");
    let mut request = json!({
        "uid": "1",
        "kind": { "group": group, "version": version, "kind": kind },
        "resource": { "group": group, "version": version, "resource": "any" },
        "name": object["metadata"]["name"],
        "namespace": object["metadata"]["namespace"],
        "operation": if old.is_null() { "CREATE" } else { "UPDATE" },
        "userInfo": { "username": "jane@example.com", "groups": ["developers", "system:authenticated"] },
        "object": object,
        "oldObject": old,
    });
    if let Some(members) = case["request"].as_object() {
        for (key, value) in members {
            if value.is_null() {
                request.as_object_mut().unwrap().remove(key);
            } else {
                request[key] = value.clone();
            }
        }
    }
    request
}

fn examples(root: &Path) -> Vec<(String, Value, Value)> {
    entries(&root.join("examples"))
        .into_iter()
        .map(|example| {
            let read = |name: &str| std::fs::read_to_string(example.join(name)).unwrap();
            let settings = yaml_serde::from_str(&read("settings.yaml")).unwrap();
            let review: Value = serde_json::from_str(&read("request.json")).unwrap();
            let name = example.strip_prefix(root).unwrap().display().to_string();
            (name, settings, review["request"].clone())
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}
