//! What a policy may ask of its host: to write a log entry, and what it is granted besides.
//!
//! Of Kubewarden's capabilities this host has one, the digest of an image. All others are refused
//! with policy-server's own text, as a policy that was not granted them would see it
//! (`policy-evaluator`, `runtimes/callback.rs`).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use crate::capability::{self, HostCapabilities};

/// One entry of a policy's log: the payload of the host call `tracing/log`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(expecting = "an object with `level` and `message`")]
pub struct LogEntry {
    /// How grave it is.
    pub level: LogLevel,
    /// The text; it may be absent.
    pub message: Option<String>,
    /// All other keys: the SDK adds the place in the source and the logger's values.
    #[serde(flatten)]
    pub data: Map<String, Value>,
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        for (key, value) in &self.data {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}

/// The levels that Kubewarden knows (`policy-evaluator`, `policy_tracing.rs`), in any case. `warn`
/// is not one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// `trace`
    Trace,
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `warning`
    Warning,
    /// `error`
    Error,
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let level = String::deserialize(deserializer)?;
        match level.to_ascii_lowercase().as_str() {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warning" => Ok(Self::Warning),
            "error" => Ok(Self::Error),
            _ => Err(de::Error::custom(format_args!(
                "unknown level `{level}`, expected `trace`, `debug`, `info`, `warning` or `error`"
            ))),
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a policy asks of the world outside (`policy-evaluator`, `callback_requests.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum HostRequest {
    /// The digest of an image's manifest: the host call `oci/v1/manifest_digest`, answered with
    /// `{"digest":"sha256:…"}`.
    OciManifestDigest {
        /// As the policy wrote it: `registry.example.com/redis:7.2`.
        image: String,
    },
}

/// Who answers; an error reaches the policy as text, with its causes.
type Answer = dyn Fn(&HostRequest) -> anyhow::Result<Vec<u8>> + Send + Sync;

/// What a host does for its policies.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) log: Arc<dyn Fn(&LogEntry) + Send + Sync>,
    pub(crate) capabilities: HostCapabilities,
    pub(crate) answer: Option<Arc<Answer>>,
}

impl Default for Services {
    fn default() -> Self {
        Self {
            log: Arc::new(|_| ()),
            capabilities: HostCapabilities::default(),
            answer: None,
        }
    }
}

/// The host's end of one instance.
#[derive(Clone)]
pub(crate) struct Callback {
    services: Services,
    fault: Arc<Mutex<Option<String>>>,
}

impl Callback {
    pub(crate) fn new(services: Services) -> Self {
        Self {
            services,
            fault: Arc::default(),
        }
    }

    /// Answers one host call; an error reaches the guest as text.
    pub(crate) fn answer(
        &self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, String> {
        match (binding, namespace, operation) {
            ("kubewarden", "tracing", "log") => {
                self.write_log(payload);
                Ok(Vec::new())
            }
            ("kubewarden", "tracing", _) => Err(format!("unknown operation: {operation}")),
            ("kubewarden", ..) => self.use_capability(namespace, operation, payload),
            _ => Err(format!("unknown binding: {binding}")),
        }
    }

    fn use_capability(
        &self,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, String> {
        let path = format!("{namespace}/{operation}");
        let granted = self.services.capabilities.allow(&path);
        match path.as_str() {
            "oci/v1/manifest_digest" if granted => {
                let image = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
                self.ask(&HostRequest::OciManifestDigest { image })
            }
            _ if granted && !capability::is_known_namespace(namespace) => {
                Err(format!("unknown namespace: {namespace}"))
            }
            _ if granted && !capability::is_known(&path) => {
                Err(format!("unknown operation: {operation}"))
            }
            _ => Err(format!(
                "Policy has not been granted access to the '{path}' host capability. The \
                 violation has been reported."
            )),
        }
    }

    fn ask(&self, request: &HostRequest) -> Result<Vec<u8>, String> {
        match &self.services.answer {
            Some(answer) => answer(request)
                .map_err(|error| format!("Callback evaluation failure: {}", WithCauses(error))),
            None => {
                Err("Cannot process Wasm guest request: callback channel not provided".to_owned())
            }
        }
    }

    /// The first log entry since the last look that Kubewarden would have dropped. It tells the
    /// policy nothing, so such a mistake would stay unseen: here it is kept for the caller.
    pub(crate) fn take_fault(&self) -> Option<String> {
        self.fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn write_log(&self, payload: &[u8]) {
        match serde_json::from_slice::<LogEntry>(payload) {
            Ok(entry) => (self.services.log)(&entry),
            Err(error) => {
                self.fault
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert_with(|| {
                        format!("{error} in `{}`", String::from_utf8_lossy(payload))
                    });
            }
        }
    }
}

/// An error as policy-server words it, which is anyhow's form for programmers, here always without a
/// backtrace: a policy's verdict must not depend on `RUST_BACKTRACE`.
struct WithCauses(anyhow::Error);

impl fmt::Display for WithCauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let causes: Vec<_> = self.0.chain().skip(1).collect();
        if let [cause] = causes.as_slice() {
            return write!(f, "\n\nCaused by:\n    {cause}");
        }
        for (number, cause) in causes.iter().enumerate() {
            let before = if number == 0 { "\n\nCaused by:" } else { "" };
            write!(f, "{before}\n    {number}: {cause}")?;
        }
        Ok(())
    }
}
