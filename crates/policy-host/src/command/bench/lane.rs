//! One policy with its settings and its request, ready to be served again and again.

use std::rc::Rc;

use anyhow::{Result, bail};
use policy_host::{AdmissionResponse, Handling, Host, HostError, Mode, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::one_line;

/// What is measured.
pub(super) struct Lane {
    host: Rc<Host>,
    settings: Settings,
    body: Vec<u8>,
    /// What the policy says to the request, in a few words.
    pub(super) answer: String,
}

const HANDLING: Handling = Handling {
    mode: Mode::Protect,
    mutating: true,
};

#[derive(Deserialize)]
struct Review {
    response: AdmissionResponse,
}

impl Lane {
    /// Makes sure that the policy takes the settings and answers the request: how long a failure
    /// takes says nothing.
    pub(super) fn new(host: Rc<Host>, settings: Settings, request: Value) -> Result<Self> {
        let verdict = host.instance()?.validate_settings(&settings)?;
        if !verdict.valid {
            bail!(
                "the settings are not valid: {}",
                one_line(&verdict.message.unwrap_or_default())
            );
        }
        let review = if request.get("kind").is_some_and(Value::is_string) {
            request
        } else {
            json!({
                "kind": "AdmissionReview",
                "apiVersion": "admission.k8s.io/v1",
                "request": request,
            })
        };
        let mut lane = Self {
            host,
            settings,
            body: serde_json::to_vec(&review)?,
            answer: String::new(),
        };
        let Review { response } = serde_json::from_slice(&lane.serve()?)?;
        lane.answer = match (&response.status, response.patch_operations()) {
            (Some(status), _) if status.code == Some(500) => bail!(
                "the policy fails: {}",
                one_line(status.message.as_deref().unwrap_or_default())
            ),
            (_, Some(operations)) if response.allowed => {
                format!("allowed, {} changes", operations.len())
            }
            _ if response.allowed => "allowed".to_owned(),
            _ => "denied".to_owned(),
        };
        Ok(lane)
    }

    /// Does the work of one request.
    pub(super) fn serve(&self) -> Result<Vec<u8>, HostError> {
        self.host.serve(&self.body, &self.settings, HANDLING)
    }
}
