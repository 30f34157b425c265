//! The tables in `tests/cases/`. What users read, message and warnings, is in one snapshot a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rollout_guard::date::{Clock, Time};
use rollout_guard::json::{self, Document, Step};
use rollout_guard::policy::Policy;
use rollout_guard::request::Payload;
use rollout_guard::settings::Settings;
use rollout_guard::splice::{self, Change, Edit};
use rollout_guard::violation::Violation;
use rollout_guard::wire;
use rollout_guard_cases::{Asked, Case, Table};
use serde_json::{Value, json};

use crate::registry::Answers;

#[test]
fn every_case_gets_what_it_wants() {
    let mut failures = String::new();
    let mut count = 0;
    for Table { name, cases } in rollout_guard_cases::tables() {
        let mut told = String::new();
        for case in &cases {
            count += 1;
            let said = run(case, &case.asked(&name));
            if let Err(problem) = check(case, &said) {
                writeln!(failures, "{name}: {}\n  {problem}", case.note).unwrap();
            }
            writeln!(told, "# {}\n{}", case.note, said.shown).unwrap();
        }
        let name = name.replace('/', "__");
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

fn run(case: &Case, asked: &Asked) -> Said {
    let mut said = Said::default();
    let settings = serde_json::to_string(&case.settings).unwrap();
    let document = Document::of(&settings).unwrap();
    let settings = match Settings::validate(document.root()) {
        Ok(settings) => settings.with_clock(clock(case)),
        Err(errors) => {
            said.settings_errors = errors.iter().map(|error| error.path.clone()).collect();
            said.shown = format!("{errors}\n");
            return said;
        }
    };
    let request_value = &asked.request;
    let payload = asked.payload().into_bytes();
    let registry = Answers::new(case.registry.clone());
    let answer: Value =
        serde_json::from_slice(&wire::validate_at(&payload, &registry, clock(case))).unwrap();
    said.asked = registry.asked.take();
    let rewritten = &answer["audit_annotations"]["rewritten"];
    said.rewritten
        .push_str(rewritten.as_str().unwrap_or_default());
    let document = Document::read(&payload).unwrap();
    if let Ok(request) = Payload::read(&document).unwrap().request {
        let object = request.object.as_ref();
        let object = object.map_or(json::Value::NULL, |object| object.value);
        let policy = Policy::new(&settings);
        let verdict = policy.evaluate_with(request.clone(), &registry);
        assert_eq!(
            answer["accepted"],
            verdict.accepted(),
            "{}: wire and policy differ",
            case.note
        );
        if verdict.more_violations + verdict.more_warnings == 0 {
            let whole = policy.without_limit().evaluate_with(request, &registry);
            assert_eq!(whole, verdict, "{}: the limit decides", case.note);
        }
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
            let again = again(request_value, mutated, case, &registry);
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

fn clock(case: &Case) -> Clock {
    case.now
        .as_deref()
        .map_or(Clock::None, |now| Clock::At(Time::parse(now).unwrap()))
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
    serde_json::from_slice(&wire::validate_at(
        payload.as_bytes(),
        registry,
        clock(case),
    ))
    .unwrap()
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
