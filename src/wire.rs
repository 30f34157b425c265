//! Kubewarden's protocol, as functions from bytes to answers.

use crate::date::Clock;
use crate::json::{Document, Mistake, write_string};
use crate::policy::Policy;
use crate::registry::{Registry, Unreachable};
use crate::request::{Payload, RequestError};
use crate::schema::SettingsErrors;
use crate::settings::Settings;
use crate::verdict::Verdict;

/// A refusal is "forbidden"; 500 would read as an error of the policy.
const FORBIDDEN: &str = "403";

/// An answer says mostly less than so many bytes, without the object.
const AROUND: usize = 8 << 10;

/// Answers `validate`, where no registry can be asked: the payload is
/// `{"request": …, "settings": …}`.
///
/// Whatever the bytes are, the answer is one that Kubewarden can read.
pub fn validate(payload: &[u8]) -> Vec<u8> {
    validate_with(payload, &Unreachable)
}

/// As [`validate`], with somebody who can ask registries.
pub fn validate_with(payload: &[u8], registry: &dyn Registry) -> Vec<u8> {
    validate_at(payload, registry, Clock::None)
}

/// As [`validate_with`], with a clock.
pub fn validate_at(payload: &[u8], registry: &dyn Registry, clock: Clock) -> Vec<u8> {
    let document = match read(payload) {
        Ok(document) => document,
        Err(problem) => {
            return answer(Verdict::unreadable(
                None,
                &RequestError::new("payload", problem),
            ));
        }
    };
    let Payload { request, settings } = match Payload::read(&document) {
        Ok(payload) => payload,
        Err(error) => return answer(Verdict::unreadable(None, &error)),
    };
    match (Settings::read_for(settings, request.as_ref().ok()), request) {
        (Err(errors), _) => answer(Verdict::misconfigured(&errors)),
        (Ok(settings), Err(error)) => {
            answer(Verdict::unreadable(settings.docs_url.as_deref(), &error))
        }
        (Ok(settings), Ok(request)) => {
            let settings = settings.with_clock(clock);
            let mut verdict = Policy::new(&settings).evaluate_with(request, registry);
            // They are made, and the answer takes their place in memory.
            verdict.edits = Vec::new();
            answer(verdict)
        }
    }
}

/// Reads what a host hands over.
fn read(bytes: &[u8]) -> Result<Document<'_>, String> {
    Document::read(bytes).map_err(|mistake| match mistake {
        // Hosts write good JSON: the place would be there for nobody.
        Mistake::NotJson(_) => "not JSON".to_owned(),
        Mistake::NotUtf8(_) => mistake.to_string(),
    })
}

/// The answer to `validate`, with the members of Kubewarden's `ValidationResponse`.
///
/// Kubewarden's own type keeps the annotations in a hash map, whose order changes from run to run, and
/// reads and writes the object's numbers and escapes anew.
fn answer(mut verdict: Verdict<'_>) -> Vec<u8> {
    let mut object = verdict.mutated_object.take();
    if let Some(object) = &mut object {
        // For what stands around it. As long as it is the newest block of memory, it grows where it is.
        object.reserve(AROUND);
    }
    let mut answer = String::from("{\"accepted\":");
    answer += if verdict.accepted() { "true" } else { "false" };
    if let Some(message) = verdict.message() {
        answer += ",\"message\":";
        write_string(&mut answer, &message);
        answer += ",\"code\":";
        answer += FORBIDDEN;
    }
    let codes: Vec<_> = verdict.codes().iter().map(|code| code.as_str()).collect();
    let annotations = [
        ("violations", codes.join(",")),
        ("rewritten", joined(&verdict.rewritten)),
        ("exempted", joined(&verdict.exempted)),
    ];
    let mut before = ",\"audit_annotations\":{";
    for (key, value) in annotations.iter().filter(|(_, value)| !value.is_empty()) {
        answer += before;
        write_string(&mut answer, key);
        answer.push(':');
        write_string(&mut answer, value);
        before = ",";
    }
    if before == "," {
        answer.push('}');
    }
    let mut before = ",\"warnings\":[";
    for warning in verdict.warning_texts() {
        answer += before;
        write_string(&mut answer, &warning);
        before = ",";
    }
    if before == "," {
        answer.push(']');
    }
    if let Some(mut object) = object {
        answer += ",\"mutated_object\":";
        object.insert_str(0, &answer);
        answer = object;
    }
    answer.push('}');
    answer.into_bytes()
}

fn joined(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    texts.join(",")
}

/// Answers `validate_settings`: nothing if the settings are valid, else what is wrong with them.
///
/// # Errors
///
/// Every mistake, each with its path, or why the bytes are no JSON.
pub fn validate_settings(settings: &[u8]) -> Result<(), String> {
    let document = read(settings).map_err(|problem| format!("settings: {problem}"))?;
    Settings::validate(document.root())
        .map(|_| ())
        .map_err(|errors: SettingsErrors| errors.to_string())
}
