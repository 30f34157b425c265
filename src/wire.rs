//! Kubewarden's protocol, as functions from bytes to answers.

use serde::Serialize;

use crate::json::Node;
use crate::policy::Policy;
use crate::registry::{Registry, Unreachable};
use crate::request::{Payload, Request, RequestError};
use crate::settings::{Settings, SettingsErrors};
use crate::verdict::Verdict;

/// The answer to `validate`, with the members of Kubewarden's `ValidationResponse`.
///
/// Kubewarden's own type keeps the annotations in a hash map, whose order changes from run to run.
#[derive(Debug, Serialize)]
struct ValidationResponse {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "AuditAnnotations::is_empty")]
    audit_annotations: AuditAnnotations,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct AuditAnnotations {
    #[serde(skip_serializing_if = "String::is_empty")]
    violations: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    rewritten: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    exempted: String,
}

impl AuditAnnotations {
    const fn is_empty(&self) -> bool {
        self.violations.is_empty() && self.rewritten.is_empty() && self.exempted.is_empty()
    }
}

/// A refusal is "forbidden"; 500 would read as an error of the policy.
const FORBIDDEN: u16 = 403;

/// Answers `validate`, where no registry can be asked: the payload is
/// `{"request": …, "settings": …}`.
///
/// Whatever the bytes are, the answer is one that Kubewarden can read.
pub fn validate(payload: &[u8]) -> Vec<u8> {
    validate_with(payload, &Unreachable)
}

/// As [`validate`], with somebody who can ask registries.
pub fn validate_with(payload: &[u8], registry: &dyn Registry) -> Vec<u8> {
    match Payload::read(payload) {
        Err(error) => answer(&Verdict::unreadable(None, &error)),
        Ok(Payload { request, settings }) => {
            judge(&settings.unwrap_or(Node::Null), request, registry)
        }
    }
}

fn judge(
    node: &Node<'_>,
    request: Result<Request<'_>, RequestError>,
    registry: &dyn Registry,
) -> Vec<u8> {
    match Settings::read(node) {
        Err(errors) => answer(&Verdict::misconfigured(&errors)),
        Ok(settings) => match request {
            Err(error) => answer(&Verdict::unreadable(settings.docs_url.as_deref(), &error)),
            Ok(request) => answer(&Policy::new(&settings).evaluate_with(request, registry)),
        },
    }
}

fn answer(verdict: &Verdict<'_>) -> Vec<u8> {
    let codes = verdict.codes();
    let response = ValidationResponse {
        accepted: verdict.accepted(),
        message: verdict.message(),
        code: (!verdict.accepted()).then_some(FORBIDDEN),
        audit_annotations: AuditAnnotations {
            violations: codes
                .iter()
                .map(|code| code.as_str())
                .collect::<Vec<_>>()
                .join(","),
            rewritten: verdict.rewritten.join(","),
            exempted: verdict.exempted.join(","),
        },
        warnings: verdict.warning_texts(),
    };
    // Nothing in it can fail to serialize; were it so, the request is refused all the same.
    let mut answer =
        serde_json::to_vec(&response).unwrap_or_else(|_| br#"{"accepted":false}"#.to_vec());
    if let Some(object) = &verdict.mutated_object {
        // The object goes in as it is: a serializer would write its numbers and escapes anew.
        answer.pop();
        answer.extend_from_slice(br#","mutated_object":"#);
        answer.extend_from_slice(object.as_bytes());
        answer.push(b'}');
    }
    answer
}

/// Answers `validate_settings`: nothing if the settings are valid, else what is wrong with them.
///
/// # Errors
///
/// Every mistake, each with its path, or why the bytes are no JSON.
pub fn validate_settings(settings: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(settings)
        .map_err(|error| format!("settings: not UTF-8 at byte {}", error.valid_up_to()))?;
    let node = Node::read(text).map_err(|problem| format!("settings: {problem}"))?;
    Settings::validate(&node)
        .map(|_| ())
        .map_err(|errors: SettingsErrors| errors.to_string())
}
