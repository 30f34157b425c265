//! The settings of a policy, and what the policy says about them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::kind_of;

/// The settings of one policy: an object, empty when the user gave none (`policy-evaluator`,
/// `policy_evaluator.rs`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Settings(Map<String, Value>);

/// Why something cannot be the settings of a policy.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Neither an object nor null. Kubewarden refuses it before the policy sees it.
    #[error("settings are {0}, expected an object")]
    NotAnObject(&'static str),
    /// No YAML, or a value that JSON has no words for.
    #[error("cannot read the settings: {0}")]
    Yaml(yaml_serde::Error),
    /// No JSON.
    #[error("cannot read the settings: {0}")]
    Json(serde_json::Error),
}

impl Settings {
    /// Reads a settings file, YAML or JSON, with the reader that kwctl uses. Of a key that occurs
    /// twice the last value counts.
    ///
    /// # Errors
    ///
    /// When the text is not YAML, or its top level neither an object nor null.
    pub fn from_yaml(text: &str) -> Result<Self, SettingsError> {
        Self::try_from(yaml_serde::from_str::<Value>(text).map_err(SettingsError::Yaml)?)
    }

    /// Reads settings given as JSON text.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or its top level neither an object nor null.
    pub fn from_json(text: &str) -> Result<Self, SettingsError> {
        Self::try_from(serde_json::from_str::<Value>(text).map_err(SettingsError::Json)?)
    }
}

impl TryFrom<Value> for Settings {
    type Error = SettingsError;

    fn try_from(value: Value) -> Result<Self, SettingsError> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(settings) => Ok(Self(settings)),
            other => Err(SettingsError::NotAnObject(kind_of(&other))),
        }
    }
}

/// What a policy answers to `validate_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object with `valid` and `message`")]
pub struct SettingsVerdict {
    /// Whether the policy can work with these settings.
    pub valid: bool,
    /// What is wrong with them.
    pub message: Option<String>,
}
