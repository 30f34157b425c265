//! A finding as programs read it.

use serde::Serialize;

use crate::detail::Image;
use crate::finding::{Finding, ObjectName};

/// A finding with its file and its object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'f> {
    severity: &'static str,
    code: &'static str,
    file: &'f str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    object: ObjectEntry<'f>,
    /// The place as the message names it.
    place: &'f str,
    /// The field path of the value.
    path: String,
    message: String,
    /// The list of the settings, or the name of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'f Image>,
    /// The value in the object, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'f str>,
    /// What the value was before, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'f str>,
    /// It was so before, and passes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    preexisting: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'f str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_baseline: bool,
}

/// An object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectEntry<'f> {
    api_version: &'f str,
    kind: &'f str,
    name: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'f str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    built_by: &'f [String],
}

impl<'f> Entry<'f> {
    /// A finding in a file about an object.
    pub fn new(file: &'f str, object: &'f ObjectName, finding: &'f Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code().as_str(),
            file,
            line: finding.start.line,
            column: finding.start.column,
            end_line: finding.end.line,
            end_column: finding.end.column,
            object: ObjectEntry::new(object),
            place: &finding.violation.place,
            path: finding.violation.path.to_string(),
            message: finding.violation.to_string(),
            rule: finding.detail.rule.as_deref(),
            image: finding.detail.image.as_ref(),
            value: finding.detail.value.as_deref(),
            old: finding.detail.old.as_deref(),
            preexisting: finding.violation.is_preexisting(),
            policy: finding.policy.as_deref(),
            in_baseline: finding.is_in_baseline,
        }
    }
}

impl<'f> ObjectEntry<'f> {
    /// An object by its name.
    pub fn new(object: &'f ObjectName) -> Self {
        Self {
            api_version: &object.api_version,
            kind: &object.kind,
            name: &object.name,
            namespace: object.namespace.as_deref(),
            built_by: &object.built_by,
        }
    }
}
