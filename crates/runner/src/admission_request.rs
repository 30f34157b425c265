//! What a policy is asked: an `AdmissionRequest`, as policy-server hands it on.
//!
//! policy-server parses the `AdmissionReview` into a type of its own and writes that type anew
//! for the policy. What the type does not name is lost on the way, null becomes absent, and only
//! `object`, `oldObject` and `options` pass untouched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use crate::json::kind_of;

/// The fields of `admission.k8s.io/v1` `AdmissionRequest` that reach a policy
/// (`policy-evaluator`, `admission_request.rs`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an admission request")]
pub struct AdmissionRequest {
    /// Identifies the request; the answer repeats it.
    pub uid: String,
    /// The kind of the object, as the webhook asked for it.
    pub kind: GroupVersionKind,
    /// The resource that is written to.
    pub resource: GroupVersionResource,
    /// Such as `status` or `ephemeralcontainers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_resource: Option<String>,
    /// The kind as the user sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_kind: Option<GroupVersionKind>,
    /// The resource as the user addressed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_resource: Option<GroupVersionResource>,
    /// The sub-resource as the user addressed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_sub_resource: Option<String>,
    /// The object's name; absent when the API server generates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`; any other text passes as well.
    pub operation: String,
    /// Who asks. The audit scanner sends an empty one.
    pub user_info: UserInfo,
    /// The object as it will be; absent on DELETE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    /// The object as it is; absent on CREATE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_object: Option<Value>,
    /// Whether nothing will be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Such as `meta.k8s.io/v1` `CreateOptions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
}

/// A kind in its API group and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object of `group`, `version` and `kind`")]
pub struct GroupVersionKind {
    /// Empty for the core group.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `Pod`.
    pub kind: String,
}

/// A resource in its API group and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object of `group`, `version` and `resource`")]
pub struct GroupVersionResource {
    /// Empty for the core group.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `pods`.
    pub resource: String,
}

/// `authentication.k8s.io/v1` `UserInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object with `username` and `groups`")]
pub struct UserInfo {
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Tells users of one name apart over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The groups that the user is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// What the authenticator adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<BTreeMap<String, Vec<String>>>,
}

/// The body of the API server's call to policy-server.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an AdmissionReview")]
pub(crate) struct AdmissionReview {
    pub(crate) request: AdmissionRequest,
}

/// Why something is no admission request.
#[derive(Debug, Error)]
pub enum RequestError {
    /// Neither an `AdmissionReview` nor a request.
    #[error("expected an AdmissionReview or its request, got {0}")]
    NotAnObject(&'static str),
    /// An `AdmissionReview` without its request.
    #[error("the AdmissionReview holds no `request`")]
    ReviewWithoutRequest,
    /// An object of Kubernetes, not a request about one.
    #[error("expected an AdmissionReview or its request, got a `{0}`")]
    LiveObject(String),
    /// Fields that no request goes without.
    #[error("the request lacks {0}")]
    Missing(String),
    /// A field of the wrong type; the text names it.
    #[error("{0}")]
    Invalid(String),
    /// A live object that the audit scanner would not send.
    #[error("not a live object: {0}")]
    NotALiveObject(String),
}

/// What policy-server does not parse a request without.
const REQUIRED: [&str; 5] = ["uid", "kind", "resource", "operation", "userInfo"];

impl AdmissionRequest {
    /// Reads an `AdmissionReview`, or the bare request in it, as `kwctl run` does.
    ///
    /// # Errors
    ///
    /// When `uid`, `kind`, `resource`, `operation` or `userInfo` is missing, or a field is of the
    /// wrong type.
    pub fn from_value(value: &Value) -> Result<Self, RequestError> {
        let document = value
            .as_object()
            .ok_or_else(|| RequestError::NotAnObject(kind_of(value)))?;
        let request = match document.get("kind").and_then(Value::as_str) {
            Some("AdmissionReview") => document
                .get("request")
                .ok_or(RequestError::ReviewWithoutRequest)?,
            Some(kind) if document.contains_key("apiVersion") => {
                return Err(RequestError::LiveObject(kind.to_owned()));
            }
            _ => value,
        };
        if let Some(fields) = request.as_object() {
            let missing: Vec<_> = REQUIRED
                .iter()
                .filter(|field| !fields.contains_key(**field))
                .map(|field| format!("`{field}`"))
                .collect();
            if !missing.is_empty() {
                return Err(RequestError::Missing(missing.join(", ")));
            }
        }
        parse(request)
    }

    /// The request that the audit scanner makes about an object of the cluster
    /// (`internal/audit-scanner/scanner/admission_request.go`).
    ///
    /// It is always a CREATE by nobody, and `resource.resource` holds the kind: `Pod`, not `pods`.
    ///
    /// # Errors
    ///
    /// When the value is not one object with `apiVersion` and `kind`.
    pub fn audit(object: &Value) -> Result<Self, RequestError> {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("/apiVersion"), text("/kind")) else {
            return Err(RequestError::NotALiveObject(
                "`apiVersion` or `kind` is missing".to_owned(),
            ));
        };
        if kind == "AdmissionReview" || (kind.ends_with("List") && object.get("items").is_some()) {
            return Err(RequestError::NotALiveObject(format!(
                "a `{kind}` is not scanned, only what it holds"
            )));
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = GroupVersionKind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        };
        Ok(Self {
            uid: text("/metadata/uid").unwrap_or_default().to_owned(),
            resource: GroupVersionResource {
                group: kind.group.clone(),
                version: kind.version.clone(),
                resource: kind.kind.clone(),
            },
            request_kind: Some(kind.clone()),
            kind,
            sub_resource: None,
            request_resource: None,
            request_sub_resource: None,
            name: non_empty(text("/metadata/name")),
            namespace: non_empty(text("/metadata/namespace")),
            operation: "CREATE".to_owned(),
            user_info: UserInfo::default(),
            object: Some(object.clone()),
            old_object: None,
            dry_run: None,
            options: None,
        })
    }
}

impl AdmissionReview {
    /// Reads the body of a call as policy-server's web framework does, the bookkeeping for error
    /// paths included: it is part of the cost of a request.
    pub(crate) fn from_slice(body: &[u8]) -> Result<Self, RequestError> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let review = serde_path_to_error::deserialize(&mut reader).map_err(invalid)?;
        reader
            .end()
            .map_err(|error| RequestError::Invalid(error.to_string()))?;
        Ok(review)
    }
}

/// Go's `omitempty`.
fn non_empty(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, RequestError> {
    serde_path_to_error::deserialize(value).map_err(invalid)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn invalid(error: serde_path_to_error::Error<serde_json::Error>) -> RequestError {
    let path = error.path().to_string();
    RequestError::Invalid(match path.as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}
