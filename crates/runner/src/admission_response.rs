//! What becomes of a policy's answer: the `AdmissionResponse` that Kubernetes reads.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `admission.k8s.io/v1` `AdmissionResponse` (`policy-evaluator`, `admission_response.rs`), in the
/// form in which kwctl prints it: `auditAnnotations` and `warnings` are null when absent, the rest is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionResponse {
    /// The request's.
    pub uid: String,
    /// Whether the request may go on.
    pub allowed: bool,
    /// `JSONPatch` beside a patch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_type: Option<PatchType>,
    /// A JSON Patch (RFC 6902) in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Why not, for people; the API server ignores it when the request is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Goes to the audit log of the API server.
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// Shown by kubectl, also when the request is allowed.
    pub warnings: Option<Vec<String>>,
}

/// The only kind of patch there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatchType {
    /// RFC 6902.
    #[serde(rename = "JSONPatch")]
    JsonPatch,
}

/// The two fields of `meta.k8s.io/v1` `Status` that come from a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What the user reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The HTTP status that the user's request gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// What a policy answers to `validate`, in `snake_case`; only `accepted` is due.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `accepted`")]
pub(crate) struct PolicyAnswer {
    accepted: bool,
    message: Option<String>,
    code: Option<u16>,
    mutated_object: Option<Value>,
    audit_annotations: Option<BTreeMap<String, String>>,
    warnings: Option<Vec<String>>,
}

const DEADLINE_EXCEEDED: &str =
    "Policy execution interrupted because it exceeded the allowed execution time";

const MUTATES_NOTHING: &str = "Incoming object is null, which happens only with DELETE operations, \
     but the policy is attempting a mutation. This is not allowed";

// kwctl's name for the policy that it is told to run.
const MAY_NOT_MUTATE: &str = "Request rejected by policy policy-from-cli. The policy attempted to \
     mutate the request, but it is currently configured to not allow mutations.";

impl AdmissionResponse {
    /// The refusal of a policy that ran out of time.
    pub(crate) fn deadline_exceeded(uid: &str) -> Self {
        Self::refuse(uid, DEADLINE_EXCEEDED.to_owned(), Some(500))
    }

    /// The refusal when the policy failed or answered nonsense.
    pub(crate) fn internal_error(uid: &str, text: &str) -> Self {
        Self::refuse(uid, format!("internal server error: {text}"), Some(500))
    }

    fn refuse(uid: &str, message: String, code: Option<u16>) -> Self {
        Self {
            uid: uid.to_owned(),
            status: Some(Status {
                message: Some(message),
                code,
            }),
            ..Self::default()
        }
    }

    /// What the policy's answer means for `object`, the object of the request.
    ///
    /// A patch is the difference between the two objects, so an object that comes back unchanged
    /// is no mutation. It is made for refusals too.
    pub(crate) fn from_answer(
        uid: &str,
        object: Option<&Value>,
        answer: PolicyAnswer,
    ) -> Result<Self, serde_json::Error> {
        let patch = match (&answer.mutated_object, object) {
            (None, _) => None,
            (Some(_), None) => return Ok(Self::refuse(uid, MUTATES_NOTHING.to_owned(), None)),
            (Some(mutated), Some(object)) => {
                // policy-server copies the object that it compares: part of the cost of a mutation.
                let mutated = mutated.clone();
                let patch = json_patch::diff(object, &mutated);
                if patch.is_empty() {
                    None
                } else {
                    Some(STANDARD.encode(serde_json::to_string(&patch)?))
                }
            }
        };
        let status = (answer.message.is_some() || answer.code.is_some()).then_some(Status {
            message: answer.message,
            code: answer.code,
        });
        Ok(Self {
            uid: uid.to_owned(),
            allowed: answer.accepted,
            patch_type: patch.as_ref().map(|_| PatchType::JsonPatch),
            patch,
            status,
            audit_annotations: answer.audit_annotations,
            warnings: answer.warnings,
        })
    }

    /// The operations of the patch, decoded.
    pub fn patch_operations(&self) -> Option<Vec<Value>> {
        let patch = STANDARD.decode(self.patch.as_ref()?).ok()?;
        serde_json::from_slice(&patch).ok()
    }
}

/// `spec.mode` of a Kubewarden policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The policy's answer counts.
    Protect,
    /// Everything is allowed; warnings and audit annotations still go out.
    Monitor,
}

/// How a policy is deployed, as far as it changes the answer to an admission request.
///
/// The audit scanner gets the answer without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handling {
    /// `spec.mode`.
    pub mode: Mode,
    /// `spec.mutating`: whether the policy may change objects.
    pub mutating: bool,
}

impl Handling {
    /// The answer that leaves policy-server (`policy-evaluator`, `admission_response_handler.rs`).
    ///
    /// A policy that may not mutate and does is refused, and its own message is lost, even if it
    /// refused the request itself.
    #[must_use]
    pub fn apply(self, response: AdmissionResponse) -> AdmissionResponse {
        match self.mode {
            Mode::Monitor => AdmissionResponse {
                allowed: true,
                patch_type: None,
                patch: None,
                status: None,
                ..response
            },
            Mode::Protect if !self.mutating && response.patch.is_some() => AdmissionResponse {
                audit_annotations: response.audit_annotations,
                warnings: response.warnings,
                ..AdmissionResponse::refuse(&response.uid, MAY_NOT_MUTATE.to_owned(), None)
            },
            Mode::Protect => response,
        }
    }
}
