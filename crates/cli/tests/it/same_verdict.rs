//! The policy says the same everywhere: for every case of the engine and every example, natively, in the
//! command, and, where `POLICY_WASM` names a built module, in that module.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rollout_guard::date::{Clock, Time};
use rollout_guard::registry::Unreachable;
use rollout_guard::wire;
use rollout_guard_cases::Asked;
use serde_json::{Value, json};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use crate::command::Workshop;

#[test]
fn the_command_and_the_module_agree_with_the_engine() {
    let module = std::env::var_os("POLICY_WASM").map(|path| load(Path::new(&path)));
    let workshop = Workshop::work_tree("same-verdict");
    let (mut in_command, mut in_module) = (0, 0);
    let mut left_out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let asked = rollout_guard_cases::asked();
    // What the objects were is at a revision, each in a file of its own.
    for (number, asked) in asked.iter().enumerate() {
        if is_update(asked) {
            let old = asked.request["oldObject"].to_string();
            workshop.file(&file_of(number), format!("# YAML\n---\n{old}\n"));
        }
    }
    workshop.commit();
    for (number, asked) in asked.iter().enumerate() {
        let payload = asked.payload();
        let judge = |clock| -> Value {
            let answer = wire::validate_at(payload.as_bytes(), &Unreachable, clock);
            serde_json::from_slice(&answer).unwrap()
        };
        let now = asked.now.as_deref().map(|now| Time::parse(now).unwrap());
        let answer = judge(now.map_or(Clock::None, Clock::At));
        if let Some(module) = &module {
            // Its host has a clock of its own.
            let answer = judge(Clock::Host(|| {
                let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                Some(Time::from_seconds(passed.as_secs().try_into().unwrap()))
            }));
            let told = module.call("validate", payload.as_bytes()).unwrap();
            let told: Value = serde_json::from_slice(&told).unwrap();
            if asked.asks_a_registry() {
                // Each says in its own words why it cannot ask.
                assert_eq!(told["accepted"], answer["accepted"], "{}", asked.name);
            } else {
                assert_eq!(told, answer, "{}", asked.name);
            }
            in_module += 1;
        }
        agrees_on_settings(&workshop, asked);
        if let Some(reason) = beyond_the_command(asked) {
            let names = left_out.entry(reason).or_default();
            names.push(asked.name.clone());
        } else {
            agrees(&workshop, asked, number, &answer);
            in_command += 1;
        }
    }
    let names = serde_json::to_string_pretty(&left_out).unwrap();
    workshop.file("left-out.json", names);
    // Past the capture of the tests: what is left out is told, always.
    let mut out = io::stderr().lock();
    let all = asked.len();
    writeln!(
        out,
        "same verdict: {in_command} of {all} requests in the command, {in_module} in the module"
    )
    .unwrap();
    for (reason, names) in &left_out {
        writeln!(out, "  {} not in the command: {reason}", names.len()).unwrap();
    }
    if module.is_none() {
        writeln!(out, "  none in the module: POLICY_WASM names none").unwrap();
    }
    assert!(in_command > 1000, "only {in_command} of {all} requests");
}

/// Holds whether the command takes the settings, which it leaves in the workshop, against the engine.
fn agrees_on_settings(workshop: &Workshop, asked: &Asked) {
    let Asked { name, settings, .. } = asked;
    let text = settings.to_string();
    let errors = wire::validate_settings(text.as_bytes()).err();
    workshop.file("settings.yaml", &text);
    let outcome = workshop.run("settings settings.yaml");
    let code = if errors.is_some() { 2 } else { 0 };
    assert_eq!(outcome.code, code, "{name}: {errors:?} {outcome:?}");
}

/// Holds what the command tells of a file with the object against an answer.
fn agrees(workshop: &Workshop, asked: &Asked, number: usize, answer: &Value) {
    let Asked { name, request, .. } = asked;
    let object = asked
        .raw
        .clone()
        .unwrap_or_else(|| request["object"].to_string());
    let file = file_of(number);
    workshop.file(&file, format!("# YAML\n---\n{object}\n"));
    let mut arguments = format!("check -s settings.yaml {file} --format json");
    if is_update(asked) {
        arguments.push_str(" --base HEAD");
    }
    if let Some(now) = &asked.now {
        write!(arguments, " --now {now}").unwrap();
    }
    if let Some(namespace) = request["namespace"].as_str() {
        write!(arguments, " --namespace {namespace}").unwrap();
    }
    match request["userInfo"]["username"].as_str() {
        None | Some("") => arguments.push_str(" --audit"),
        Some(user) => {
            write!(arguments, " --as {user}").unwrap();
            for group in request["userInfo"]["groups"]
                .as_array()
                .into_iter()
                .flatten()
            {
                write!(arguments, " --as-group {}", group.as_str().unwrap()).unwrap();
            }
        }
    }
    let outcome = workshop.run(&arguments);
    if outcome.code == 2 {
        // No request is judged with settings that are no settings, which is held above.
        return;
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
        "{name}: {message} {told:?} {outcome:?}"
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
}

/// Where the object is.
fn file_of(number: usize) -> String {
    format!("objects/{number}.yaml")
}

fn is_update(asked: &Asked) -> bool {
    asked.request["operation"] == "UPDATE" && asked.request["oldObject"].is_object()
}

/// Why the command cannot be asked the same.
fn beyond_the_command(asked: &Asked) -> Option<&'static str> {
    let Asked { request, .. } = asked;
    if request["operation"] != "CREATE" && !is_update(asked) {
        return Some("the command asks about CREATE and UPDATE alone");
    }
    if !request["subResource"].is_null() {
        return Some("the command asks about no sub-resource");
    }
    let settings = asked.settings.to_string();
    let mut dates = ["\"from\":\"", "\"until\":\""].iter();
    if asked.now.is_none() && dates.any(|date| settings.contains(date)) {
        return Some("the command always has a clock");
    }
    let object = match &asked.raw {
        Some(raw) => serde_json::from_str(raw).unwrap(),
        None => request["object"].clone(),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    if api_version.is_empty() || kind.is_empty() {
        return Some("without an apiVersion and a kind there is no object in a file");
    }
    if kind.ends_with("List") && object["items"].is_array() {
        return Some("the command opens a list");
    }
    if asked
        .raw
        .as_ref()
        .is_some_and(|raw| raw.len() != object.to_string().len())
    {
        return Some("a key that occurs twice is an error of the file");
    }
    if asked.asks_a_registry() {
        return Some("the command asks no registry");
    }
    if is_update(asked) {
        let same = |pointer: &str| object.pointer(pointer) == request["oldObject"].pointer(pointer);
        let are_same = ["/kind", "/metadata/name", "/metadata/namespace"].map(same);
        let of_group = |object: &Value| {
            let api_version = text(&object["apiVersion"]);
            api_version
                .split_once('/')
                .map(|(group, _)| group.to_owned())
        };
        if are_same.contains(&false) || of_group(&object) != of_group(&request["oldObject"]) {
            return Some("the old object is another one");
        }
        if !object["metadata"]["name"].is_string() {
            return Some("an object without a name is none that is there");
        }
        if !request["options"].is_null() {
            return Some("the command names no field manager");
        }
    } else if request["oldObject"].is_object() {
        return Some("a CREATE with an old object is none that an API server sends");
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    if request["kind"] != json!({ "group": group, "version": version, "kind": kind }) {
        return Some("the request names another kind than the object");
    }
    if object["metadata"]["namespace"].is_string()
        && object["metadata"]["namespace"] != request["namespace"]
    {
        return Some("the request names another namespace than the object");
    }
    if kind == "Namespace" && request["namespace"].is_string() {
        return Some("the command knows that a Namespace is in none");
    }
    if request["namespace"].is_null() && kind != "Namespace" {
        return Some(
            "the command puts every object into a namespace, but those of kinds that are in none",
        );
    }
    None
}

/// The built module, with no host capability.
pub(crate) fn load(path: &Path) -> WapcHost {
    let bytes = std::fs::read(path).unwrap();
    let engine = WasmtimeEngineProviderBuilder::new()
        .module_bytes(&bytes)
        .build()
        .unwrap();
    let refuse = Box::new(|_, _: &str, _: &str, _: &str, _: &[u8]| Err("no capability".into()));
    WapcHost::new(Box::new(engine), Some(refuse)).unwrap()
}
