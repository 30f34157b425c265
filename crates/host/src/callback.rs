//! What a policy may ask of its host: to write a log entry, and nothing else.
//!
//! Every other host capability is refused with policy-server's own text, as a policy that was
//! granted none would see it (`policy-evaluator`, `runtimes/callback.rs`).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

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

/// Where the log entries go.
pub(crate) type LogSink = Arc<dyn Fn(&LogEntry) + Send + Sync>;

/// The host's end of one instance.
#[derive(Clone)]
pub(crate) struct Callback {
    log: LogSink,
    fault: Arc<Mutex<Option<String>>>,
}

impl Callback {
    pub(crate) fn new(log: LogSink) -> Self {
        Self {
            log,
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
            ("kubewarden", ..) => Err(format!(
                "Policy has not been granted access to the '{namespace}/{operation}' host \
                 capability. The violation has been reported."
            )),
            _ => Err(format!("unknown binding: {binding}")),
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
            Ok(entry) => (self.log)(&entry),
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
