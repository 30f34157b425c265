//! The tables in `tests/cases/`: each file a list of cases, every file found by itself.
//!
//! A case says its claim, settings, an object (or an image, or a whole request) and what is wanted.
//! What users read, message and warnings, is in one snapshot a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rollout_guard::json::{self, Document, Step};
use rollout_guard::policy::Policy;
use rollout_guard::request::Payload;
use rollout_guard::settings::Settings;
use rollout_guard::splice::{self, Change, Edit};
use rollout_guard::violation::Violation;
use rollout_guard::wire;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::registry::Answers;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    /// The claim that the case makes.
    note: String,
    settings: Value,
    /// Short for a Pod with one container `app` that has this image.
    image: Option<String>,
    /// An object to create, or to update if there is an `old` one.
    object: Option<Value>,
    /// An object as it is written, where that matters.
    raw: Option<String>,
    /// The object as it was.
    old: Option<Value>,
    /// The image that the Pod had: short for an `old` Pod.
    old_image: Option<String>,
    /// What the registry says of images: `there`, `missing`, or the text of an error.
    #[serde(default)]
    registry: BTreeMap<String, String>,
    /// Members that go over those of the request; `null` takes one away.
    #[serde(default)]
    request: Map<String, Value>,
    want: Want,
}

/// What a case wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Want {
    /// The paths of the mistakes in the settings; then nothing else is looked at.
    settings_errors: Option<Vec<String>>,
    accepted: Option<bool>,
    /// What refuses: `path code`, where the path leaves out names.
    #[serde(default)]
    violations: Vec<String>,
    /// What only warns.
    #[serde(default)]
    warnings: Vec<String>,
    /// The exemptions that were needed.
    #[serde(default)]
    exempted: Vec<String>,
    /// What differs in the mutated object: a JSON pointer and the new value.
    #[serde(default)]
    changes: BTreeMap<String, Value>,
    /// The audit annotation `rewritten`, where it is not what `changes` say of images.
    rewritten: Option<String>,
    /// The images that the registry was asked about.
    #[serde(default)]
    asked: Vec<String>,
    /// The members that are removed from the object.
    #[serde(default)]
    removed: Vec<String>,
    /// Texts that no part of the answer holds.
    #[serde(default)]
    hides: Vec<String>,
    /// Texts that the message or a warning holds.
    #[serde(default)]
    tells: Vec<String>,
}

/// Stands for the object of a case that says how it is written.
const WRITTEN: &str = "the object as it is written";

#[test]
fn every_case_gets_what_it_wants() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(!files.is_empty(), "no case files");
    let mut failures = String::new();
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().with_extension("");
        let name = name.to_str().unwrap().replace('/', "__");
        let cases: Vec<Case> = yaml_serde::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut told = String::new();
        for case in &cases {
            count += 1;
            let said = run(case);
            if let Err(problem) = check(case, &said) {
                writeln!(failures, "{name}: {}\n  {problem}", case.note).unwrap();
            }
            writeln!(told, "# {}\n{}", case.note, said.shown).unwrap();
        }
        insta::with_settings!({ snapshot_path => "../snapshots/cases", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, told);
        });
    }
    assert!(failures.is_empty(), "of {count} cases:\n{failures}");
}

/// What the policy says to a case.
#[derive(Default)]
struct Said {
    settings_errors: Vec<String>,
    accepted: bool,
    violations: Vec<String>,
    warnings: Vec<String>,
    exempted: Vec<String>,
    changes: BTreeMap<String, Value>,
    rewritten: String,
    asked: Vec<String>,
    removed: Vec<String>,
    shown: String,
    /// The answer without the object.
    answer: String,
}

fn run(case: &Case) -> Said {
    let mut said = Said::default();
    let settings = serde_json::to_string(&case.settings).unwrap();
    let document = Document::of(&settings).unwrap();
    let settings = match Settings::validate(document.root()) {
        Ok(settings) => settings,
        Err(errors) => {
            said.settings_errors = errors.iter().map(|error| error.path.clone()).collect();
            said.shown = format!("{errors}\n");
            return said;
        }
    };
    let request_value = request(case);
    let mut payload = json!({ "request": request_value, "settings": case.settings }).to_string();
    if let Some(raw) = &case.raw {
        payload = payload.replace(&json!(WRITTEN).to_string(), raw);
    }
    let payload = payload.into_bytes();
    let registry = Answers::new(case.registry.clone());
    let answer: Value = serde_json::from_slice(&wire::validate_with(&payload, &registry)).unwrap();
    said.asked = registry.asked.take();
    let rewritten = &answer["audit_annotations"]["rewritten"];
    said.rewritten
        .push_str(rewritten.as_str().unwrap_or_default());
    let document = Document::read(&payload).unwrap();
    if let Ok(request) = Payload::read(&document).unwrap().request {
        let object = request.object.as_ref();
        let object = object.map_or(json::Value::NULL, |object| object.value);
        let verdict = Policy::new(&settings).evaluate_with(request, &registry);
        assert_eq!(
            answer["accepted"],
            verdict.accepted(),
            "{}: wire and policy differ",
            case.note
        );
        for told in verdict.violations.iter().chain(&verdict.warnings) {
            assert_fit(case, told, verdict.violations.contains(told));
        }
        said.violations = verdict.violations.iter().map(place_and_code).collect();
        said.warnings = verdict.warnings.iter().map(place_and_code).collect();
        said.exempted.clone_from(&verdict.exempted);
        said.removed = removed(object, &answer, &verdict.edits);
        if let Some(mutated) = answer.get("mutated_object") {
            if said.removed.is_empty() {
                difference("", &request_value["object"], mutated, &mut said.changes);
                assert!(
                    !said.changes.is_empty(),
                    "{}: a mutation of nothing",
                    case.note
                );
            }
            let again = again(&request_value, mutated, case, &registry);
            assert!(
                again.get("mutated_object").is_none(),
                "{}: changes twice",
                case.note
            );
            assert_eq!(
                again["accepted"], true,
                "{}: refused when changed: {again}",
                case.note
            );
        }
    } else {
        said.violations.push("request request-malformed".to_owned());
    }
    said.accepted = answer["accepted"] == true;
    said.shown = shown(&answer);
    let mut answer = answer;
    answer.as_object_mut().unwrap().remove("mutated_object");
    said.answer = answer.to_string();
    said
}

/// Asserts what holds of every line. What rules about annotations say of a value, no other rule has judged,
/// so they suggest none; and what passes was not refused.
fn assert_fit(case: &Case, told: &Violation, is_refused: bool) {
    let problem = &told.problem;
    if told.code.as_str().starts_with("annotation-") {
        for word in ["use `", "write `", "leave it `"] {
            assert!(!problem.contains(word), "{}: {told}", case.note);
        }
    }
    let is_quoted = case.note.contains("does not say that");
    for words in ["is not allowed", "is rejected"] {
        assert!(
            is_refused || is_quoted || !problem.contains(words),
            "{}: {told}",
            case.note
        );
    }
}

/// The answer to the same request with the object as the policy changed it.
fn again(request: &Value, mutated: &Value, case: &Case, registry: &Answers) -> Value {
    let mut request = request.clone();
    request["object"] = mutated.clone();
    let payload = json!({ "request": request, "settings": case.settings }).to_string();
    serde_json::from_slice(&wire::validate_with(payload.as_bytes(), registry)).unwrap()
}

/// Every place where two values differ, with the second one's value.
fn difference(place: &str, one: &Value, other: &Value, found: &mut BTreeMap<String, Value>) {
    match (one, other) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()) {
                let below = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => difference(&below, left, right, found),
                    // `null` is a value: what has gone is not the same.
                    (_, right) => {
                        found.insert(below, right.cloned().unwrap_or("absent".into()));
                    }
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for index in 0..left.len() {
                difference(
                    &format!("{place}/{index}"),
                    &left[index],
                    &right[index],
                    found,
                );
            }
        }
        _ if one == other => {}
        _ => {
            found.insert(place.to_owned(), other.clone());
        }
    }
}

/// The members that are removed, all of which the object has and the answer's object has not, which
/// differs in nothing else but images.
fn removed(object: json::Value<'_>, answer: &Value, edits: &[Edit]) -> Vec<String> {
    let paths = splice::paths(object, edits);
    let mut object: Value = serde_json::from_str(object.text()).unwrap_or_default();
    let mut removed = Vec::new();
    for (edit, path) in edits.iter().zip(&paths) {
        let [way @ .., Step::Key(last)] = path.steps() else {
            panic!("{path}: no member");
        };
        let map = way.iter().fold(&mut object, |value, step| match step {
            Step::Key(key) => &mut value[key.as_ref()],
            Step::Index(index) => &mut value[index],
            Step::Each => panic!("{path}: not one place"),
        });
        if let Change::Set(image) = &edit.change {
            map[last.as_ref()] = json!(image);
        }
        if edit.change != Change::Remove {
            continue;
        }
        let is_there = map.as_object_mut().unwrap().remove(last.as_ref()).is_some();
        let path = path.to_string();
        // A repeated member goes as often as it is there.
        assert!(is_there || removed.contains(&path), "{path}");
        removed.push(path);
    }
    if !removed.is_empty() {
        assert_eq!(answer["mutated_object"], object);
    }
    removed
}

/// The place without the name of the container, and the code.
fn place_and_code(violation: &Violation) -> String {
    let place = violation.place.split(" \"").next().unwrap_or_default();
    format!("{place} {}", violation.code)
}

fn shown(answer: &Value) -> String {
    let mut text = String::new();
    match answer["message"].as_str() {
        Some(message) => writeln!(text, "refused: {message}").unwrap(),
        None => writeln!(text, "accepted").unwrap(),
    }
    let refused: Vec<_> = answer["message"]
        .as_str()
        .into_iter()
        .flat_map(str::lines)
        .collect();
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        let warning = warning.as_str().unwrap();
        // A violation is a warning as well; only what is told apart is shown.
        if !refused
            .iter()
            .any(|line| line.starts_with(warning.trim_end_matches('…')))
        {
            writeln!(text, "warning: {warning}").unwrap();
        }
    }
    if let Some(rewritten) = answer["audit_annotations"]["rewritten"].as_str() {
        writeln!(text, "rewritten: {rewritten}").unwrap();
    }
    if let Some(exempted) = answer["audit_annotations"]["exempted"].as_str() {
        writeln!(text, "exempted: {exempted}").unwrap();
    }
    text
}

fn check(case: &Case, said: &Said) -> Result<(), String> {
    let equal = |what: &str, wanted: &[String], got: &[String]| {
        if wanted == got {
            Ok(())
        } else {
            Err(format!(
                "{what}: wanted {wanted:?}, got {got:?}\n  {}",
                said.shown
            ))
        }
    };
    let want = &case.want;
    equal(
        "settings errors",
        want.settings_errors.as_deref().unwrap_or_default(),
        &said.settings_errors,
    )?;
    if want.settings_errors.is_some() {
        return Ok(());
    }
    let accepted = want.accepted.unwrap_or(want.violations.is_empty());
    if accepted != said.accepted {
        return Err(format!("wanted accepted: {accepted}\n  {}", said.shown));
    }
    equal("violations", &want.violations, &said.violations)?;
    equal("warnings", &want.warnings, &said.warnings)?;
    equal("exempted", &want.exempted, &said.exempted)?;
    equal("removed", &want.removed, &said.removed)?;
    equal("asked", &want.asked, &said.asked)?;
    for (texts, are_told) in [(&want.hides, false), (&want.tells, true)] {
        for text in texts {
            // As JSON writes it.
            let written = json!(text).to_string();
            if said.answer.contains(written.trim_matches('"')) != are_told {
                let what = if are_told { "does not tell" } else { "tells" };
                return Err(format!("{what} {text:?}\n  {}", said.shown));
            }
        }
    }
    if want.changes != said.changes {
        return Err(format!(
            "changes: wanted {:?}, got {:?}\n  {}",
            want.changes, said.changes, said.shown
        ));
    }
    match &want.rewritten {
        Some(wanted) if *wanted != said.rewritten => Err(format!(
            "rewritten: wanted {wanted}, got {}",
            said.rewritten
        )),
        _ => Ok(()),
    }
}

/// The request that a case is short for.
fn request(case: &Case) -> Value {
    let pod = |image: &String| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" },
            "spec": { "containers": [{ "name": "app", "image": image }] },
        })
    };
    let raw = case
        .raw
        .as_ref()
        .map(|raw| serde_json::from_str(raw).unwrap());
    let object = case.image.as_ref().map(pod).or_else(|| case.object.clone());
    let object = object.or(raw);
    let old = case
        .old_image
        .as_ref()
        .map(pod)
        .or_else(|| case.old.clone());
    let known = object.as_ref().or(old.as_ref());
    let text = |pointer: &str| known.and_then(|object| object.pointer(pointer)?.as_str());
    let (group, version) = match text("/apiVersion").unwrap_or("v1").split_once('/') {
        Some(parts) => parts,
        None => ("", text("/apiVersion").unwrap_or("v1")),
    };
    let mut request = json!({
        "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
        "kind": { "group": group, "version": version, "kind": text("/kind").unwrap_or("Pod") },
        "resource": { "group": group, "version": version, "resource": "any" },
        "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
        "name": text("/metadata/name"),
        "namespace": text("/metadata/namespace").unwrap_or("default"),
        "userInfo": { "username": "jane@example.com", "groups": ["developers", "system:authenticated"] },
        "object": object,
        "oldObject": old,
    });
    let members = request.as_object_mut().unwrap();
    if case.raw.is_some() {
        members.insert("object".to_owned(), json!(WRITTEN));
    }
    for (key, value) in &case.request {
        members.insert(key.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    request
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            files.push(path);
        } else {
            panic!("{}: a case file ends in .yaml", path.display());
        }
    }
}
