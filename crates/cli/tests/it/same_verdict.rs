//! The command says what the policy says: for every case of the engine and every example, natively and,
//! where `POLICY_WASM` names a built module, in that module.

use std::path::{Path, PathBuf};

use rollout_guard::wire;
use serde_json::{Value, json};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use crate::command::Workshop;

/// What the cases of the engine ask as.
const JANE: &str = "--as jane@example.com --as-group developers --as-group system:authenticated";

/// The same, as a request has it.
fn jane() -> Value {
    json!({ "username": "jane@example.com", "groups": ["developers", "system:authenticated"] })
}

#[test]
fn the_command_agrees_with_the_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let module = std::env::var_os("POLICY_WASM").map(|path| load(Path::new(&path)));
    let workshop = Workshop::new("same-verdict");
    let mut count = 0;
    for (name, settings, object) in cases(&root).into_iter().chain(examples(&root)) {
        workshop
            .file("settings.yaml", settings.to_string())
            .file("object.yaml", format!("# YAML\n---\n{object}\n"));
        let outcome = workshop.run(&format!(
            "check -s settings.yaml object.yaml {JANE} --format json"
        ));
        let request = request(&object);
        let payload = json!({ "request": request, "settings": settings }).to_string();
        let answer = wire::validate(payload.as_bytes());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        if outcome.code == 2 {
            // No request is judged with settings that are no settings.
            assert!(
                wire::validate_settings(settings.to_string().as_bytes()).is_err(),
                "{name}: {outcome:?}"
            );
            continue;
        }
        let report: Value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{name}: {error}: {outcome:?}"));
        let told: Vec<_> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|found| found["severity"] == "error")
            .map(|found| found["message"].as_str().unwrap())
            .collect();
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!(
            answer["accepted"],
            told.is_empty(),
            "{name}: {message} {told:?}"
        );
        // A message names at most as many.
        for line in told.iter().take(100) {
            assert!(
                message.lines().any(|said| said.starts_with(line)),
                "{name}: {line}"
            );
        }
        let lines = message.lines().filter(|line| line.contains(" ["));
        assert_eq!(told.len().min(100), lines.count(), "{name}: {message}");
        if let Some(module) = &module {
            let told = module.call("validate", payload.as_bytes()).unwrap();
            let told: Value = serde_json::from_slice(&told).unwrap();
            assert_eq!(told, answer, "{name}");
        }
        count += 1;
    }
    assert!(count > 200, "only {count} cases");
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

/// The request that the command makes of an object.
fn request(object: &Value) -> Value {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let api_version = text("/apiVersion").unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    json!({
        "uid": "", "operation": "CREATE", "userInfo": jane(),
        "kind": { "group": group, "version": version, "kind": text("/kind").unwrap() },
        "resource": { "group": group, "version": version, "resource": "any" },
        "name": text("/metadata/name"),
        "namespace": text("/metadata/namespace").unwrap_or("default"),
        "object": object,
    })
}

/// The cases that create an object as a person, and ask no registry.
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
                let settings = &case["settings"];
                let object = match &case["image"] {
                    Value::String(image) => json!({
                        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" },
                        "spec": { "containers": [{ "name": "app", "image": image }] },
                    }),
                    _ => case["object"].clone(),
                };
                let is_of_a_kind = object["kind"].is_string() && object["apiVersion"].is_string();
                let is_list = object["kind"]
                    .as_str()
                    .is_some_and(|kind| kind.ends_with("List"));
                let is_other = ["old", "oldImage", "request"]
                    .iter()
                    .any(|key| !case[key].is_null());
                let asks = settings.to_string().contains("checkExists");
                // Scopes are not the engine's to know.
                let is_namespace = object["kind"] == "Namespace";
                if is_of_a_kind && !is_list && !is_other && !asks && !is_namespace {
                    let note = case["note"].as_str().unwrap();
                    let name = format!("{}: {note}", path.display());
                    found.push((name, settings.clone(), object));
                }
            }
        }
    }
    found
}

fn examples(root: &Path) -> Vec<(String, Value, Value)> {
    entries(&root.join("examples"))
        .into_iter()
        .map(|example| {
            let read = |name: &str| std::fs::read_to_string(example.join(name)).unwrap();
            let settings = yaml_serde::from_str(&read("settings.yaml")).unwrap();
            let review: Value = serde_json::from_str(&read("request.json")).unwrap();
            let object = review["request"]["object"].clone();
            (example.display().to_string(), settings, object)
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
