//! A compiled policy, its instances, and the calls into them.
//!
//! INVARIANT (fresh instance): every call through [`Host`] runs on an instance of its own, made
//! for it and dropped after it, as policy-server does. Only [`Instance`] lets two calls share one.

use std::{fs, hint::black_box, io, path::Path, path::PathBuf, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use wapc::WapcHost;
use wasmtime_provider::{
    WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre, wasmtime::Module,
};

use crate::{
    admission_request::{AdmissionRequest, AdmissionReview, RequestError},
    admission_response::{AdmissionResponse, Handling, PolicyAnswer},
    callback::{Callback, HostRequest, LogEntry, Services},
    capability::HostCapabilities,
    engine,
    settings::{Settings, SettingsError, SettingsVerdict},
    wasm_file::{WasmFile, WasmFileError},
};

/// Why a policy gave no answer.
#[derive(Debug, Error)]
pub enum HostError {
    /// wasmtime, or the thread that keeps its time, does not start.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a policy that this host can run.
    #[error(transparent)]
    NotAPolicy(#[from] WasmFileError),
    /// wasmtime refuses the module.
    #[error("the policy does not compile: {0}")]
    Compile(String),
    /// No instance can be made, or `wapc_init` fails. policy-server answers HTTP 500, so
    /// `failurePolicy` decides.
    #[error("the policy does not start: {0}")]
    Start(String),
    /// `wapc_init` took too long.
    #[error("the policy does not start in time")]
    StartDeadline,
    /// The guest answered with an error, or trapped; waPC's text.
    #[error("{0}")]
    Guest(String),
    /// The call took too long.
    #[error("the policy does not answer in time")]
    Deadline,
    /// The policy wrote a log entry that Kubewarden would silently drop.
    #[error("the policy wrote an invalid log entry: {0}")]
    Log(String),
    /// The policy's protocol is not Kubewarden's.
    #[error("the policy answers `{0}` to `protocol_version`, expected `\"v1\"`")]
    Protocol(String),
    /// The request cannot be put to a policy.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The settings cannot be given to a policy.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What goes to the guest cannot be written as JSON.
    #[error("cannot write the JSON: {0}")]
    Json(#[from] serde_json::Error),
}

// wasmtime-provider has no typed errors for these: Kubewarden looks for the same texts.
const CALL_INTERRUPTED: &str = "guest code interrupted, execution deadline exceeded";
const INIT_INTERRUPTED: &str = "init interrupted, execution deadline exceeded";

/// A policy, compiled and linked once, ready to be instantiated for every request.
pub struct Host {
    pre: WasmtimeEngineProviderPre,
    services: Services,
}

impl Host {
    /// Loads a policy from a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a waPC policy, or does not compile.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, HostError> {
        let path = path.as_ref();
        let wasm = fs::read(path).map_err(|source| HostError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&wasm)
    }

    /// Loads a policy from the contents of its file.
    ///
    /// # Errors
    ///
    /// When it is not a waPC policy, or does not compile.
    pub fn from_bytes(wasm: &[u8]) -> Result<Self, HostError> {
        WasmFile::read(wasm)?.check()?;
        let engine = engine::shared()?;
        let module = Module::from_binary(engine, wasm)
            .map_err(|error| HostError::Compile(format!("{error:#}")))?;
        let pre = WasmtimeEngineProviderBuilder::new()
            .engine(engine.clone())
            .module(module)
            .build_pre()
            .map_err(|error| HostError::Start(error.to_string()))?;
        Ok(Self {
            pre,
            services: Services::default(),
        })
    }

    /// Sends the policy's log entries to `log`; without it they are checked and dropped.
    #[must_use]
    pub fn on_log(mut self, log: impl Fn(&LogEntry) + Send + Sync + 'static) -> Self {
        self.services.log = Arc::new(log);
        self
    }

    /// Grants the policy host capabilities; without this it has none.
    #[must_use]
    pub fn allow(mut self, capabilities: HostCapabilities) -> Self {
        self.services.capabilities = capabilities;
        self
    }

    /// Answers what the policy asks by the capabilities that it is granted: with
    /// `policy_host::registry::answer`, from a [`crate::Session`], or by any other means.
    #[must_use]
    pub fn on_request(
        mut self,
        answer: impl Fn(&HostRequest) -> anyhow::Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.services.answer = Some(Arc::new(answer));
        self
    }

    /// A fresh instance, with `wapc_init` run.
    ///
    /// # Errors
    ///
    /// When the module does not start, or not in time.
    pub fn instance(&self) -> Result<Instance, HostError> {
        let provider = self
            .pre
            .rehydrate(Some(engine::DEADLINES))
            .map_err(|error| HostError::Start(error.to_string()))?;
        let callback = Callback::new(self.services.clone());
        let answering = callback.clone();
        let guest = WapcHost::new(
            Box::new(provider),
            Some(Box::new(
                move |_, binding, namespace, operation, payload| {
                    Ok(answering.answer(binding, namespace, operation, payload)?)
                },
            )),
        )
        .map_err(|error| {
            let text = error.to_string();
            if text.contains(INIT_INTERRUPTED) {
                HostError::StartDeadline
            } else {
                HostError::Start(text)
            }
        })?;
        let instance = Instance { guest, callback };
        instance.check_log()?;
        Ok(instance)
    }

    /// Calls one operation with bytes, on a fresh instance.
    ///
    /// # Errors
    ///
    /// When the module does not start, the guest fails, or the time is over.
    pub fn call(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, HostError> {
        self.instance()?.call(operation, payload)
    }

    /// Asks the policy about settings, on a fresh instance.
    ///
    /// # Errors
    ///
    /// When the settings are neither an object nor null, or the module does not start.
    pub fn validate_settings(&self, settings: &Value) -> Result<SettingsVerdict, HostError> {
        let settings = Settings::try_from(settings.clone())?;
        self.instance()?.validate_settings(&settings)
    }

    /// Puts a request (an `AdmissionReview` or the request in it) to the policy, on a fresh
    /// instance. The answer is the policy's own, without any [`Handling`].
    ///
    /// # Errors
    ///
    /// When the request or the settings cannot be put to a policy, or the module does not start.
    /// A guest that fails or runs out of time is no error but a refusal with code 500.
    pub fn evaluate(
        &self,
        request: &Value,
        settings: &Value,
    ) -> Result<AdmissionResponse, HostError> {
        let request = AdmissionRequest::from_value(request)?;
        let settings = Settings::try_from(settings.clone())?;
        self.review(&request, &settings, None)
    }

    /// Puts a request to the policy, on a fresh instance, and applies the handling to the answer.
    /// Without one it is the answer that the audit scanner gets.
    ///
    /// # Errors
    ///
    /// When the module does not start. Not to start in time is a refusal, to which no handling
    /// applies: policy-server refuses it in monitor mode as well.
    pub fn review(
        &self,
        request: &AdmissionRequest,
        settings: &Settings,
        handling: Option<Handling>,
    ) -> Result<AdmissionResponse, HostError> {
        let instance = match self.instance() {
            Ok(instance) => instance,
            Err(HostError::StartDeadline) => {
                return Ok(AdmissionResponse::deadline_exceeded(&request.uid));
            }
            Err(error) => return Err(error),
        };
        let response = instance.evaluate(request, settings)?;
        Ok(match handling {
            Some(handling) => handling.apply(response),
            None => response,
        })
    }

    /// Does with one request what policy-server does between reading the body of the call and
    /// writing the answer, copies included; without HTTP, metrics and tracing.
    ///
    /// # Errors
    ///
    /// When the body is no `AdmissionReview`, or the module does not start.
    pub fn serve(
        &self,
        body: &[u8],
        settings: &Settings,
        handling: Handling,
    ) -> Result<Vec<u8>, HostError> {
        let request = AdmissionReview::from_slice(body)?.request;
        // `validate_policy` and `rehydrate` each copy the settings, the evaluator the request.
        let copy = settings.clone();
        drop(black_box(settings.clone()));
        let response = self.review(&request.clone(), &copy, Some(handling))?;
        // Namespace, kind and operation are each taken from a copy of the request, for the metrics.
        for _ in 0..3 {
            drop(black_box(request.clone()));
        }
        Ok(serde_json::to_vec(&AdmissionReviewAnswer {
            kind: "AdmissionReview",
            api_version: "admission.k8s.io/v1",
            response,
        })?)
    }

    /// Makes sure that the policy speaks Kubewarden's protocol.
    ///
    /// # Errors
    ///
    /// When it answers anything but `"v1"` to `protocol_version`.
    pub fn check_protocol(&self) -> Result<(), HostError> {
        match self.call("protocol_version", b"")?.as_slice() {
            br#""v1""# => Ok(()),
            other => Err(HostError::Protocol(
                String::from_utf8_lossy(other).into_owned(),
            )),
        }
    }
}

/// One running copy of a policy; its memory lives from call to call.
pub struct Instance {
    guest: WapcHost,
    callback: Callback,
}

impl Instance {
    /// Calls one operation with bytes.
    ///
    /// # Errors
    ///
    /// When the guest fails, or the time is over.
    pub fn call(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, HostError> {
        let answer = self.guest.call(operation, payload);
        self.check_log()?;
        answer.map_err(|error| {
            let text = error.to_string();
            if text.contains(CALL_INTERRUPTED) {
                HostError::Deadline
            } else {
                HostError::Guest(text)
            }
        })
    }

    /// Asks the policy about settings. A guest that fails or answers nonsense finds them invalid.
    ///
    /// # Errors
    ///
    /// When the policy wrote an invalid log entry.
    pub fn validate_settings(&self, settings: &Settings) -> Result<SettingsVerdict, HostError> {
        let refuse = |message| SettingsVerdict {
            valid: false,
            message: Some(message),
        };
        match self.call("validate_settings", &serde_json::to_vec(settings)?) {
            Ok(answer) => Ok(serde_json::from_slice(&answer).unwrap_or_else(|error| {
                refuse(format!("error: invalid response from policy: {error}"))
            })),
            Err(error @ (HostError::Guest(_) | HostError::Deadline)) => Ok(refuse(format!(
                "Error invoking settings validation callback: {error}"
            ))),
            Err(error) => Err(error),
        }
    }

    /// Puts a request to the policy. The answer is the policy's own, without any [`Handling`].
    ///
    /// # Errors
    ///
    /// When the policy wrote an invalid log entry. A guest that fails or runs out of time is no
    /// error but a refusal with code 500.
    pub fn evaluate(
        &self,
        request: &AdmissionRequest,
        settings: &Settings,
    ) -> Result<AdmissionResponse, HostError> {
        let uid = &request.uid;
        // policy-server writes the request as a tree twice: for the patch and for the payload.
        let tree = serde_json::to_value(request)?;
        let answer = match self.call("validate", &payload(request, settings)?) {
            Ok(answer) => answer,
            Err(HostError::Deadline) => return Ok(AdmissionResponse::deadline_exceeded(uid)),
            Err(HostError::Guest(text)) => {
                return Ok(AdmissionResponse::internal_error(uid, &text));
            }
            Err(error) => return Err(error),
        };
        Ok(match serde_json::from_slice::<PolicyAnswer>(&answer) {
            Ok(answer) => AdmissionResponse::from_answer(uid, tree.get("object"), answer)?,
            Err(error) => AdmissionResponse::internal_error(
                uid,
                &format!("invalid response from policy: {error}"),
            ),
        })
    }

    fn check_log(&self) -> Result<(), HostError> {
        self.callback
            .take_fault()
            .map_or(Ok(()), |fault| Err(HostError::Log(fault)))
    }
}

/// The payload of `validate`, byte for byte as policy-server writes it: two keys, and the keys of
/// every object in alphabetical order, since it goes through a tree.
///
/// # Errors
///
/// When it cannot be written as JSON.
pub fn payload(request: &AdmissionRequest, settings: &Settings) -> Result<Vec<u8>, HostError> {
    let tree = serde_json::to_value(Payload { request, settings })?;
    Ok(serde_json::to_vec(&tree)?)
}

#[derive(Serialize)]
struct Payload<'a> {
    request: &'a AdmissionRequest,
    settings: &'a Settings,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionReviewAnswer {
    kind: &'static str,
    api_version: &'static str,
    response: AdmissionResponse,
}
