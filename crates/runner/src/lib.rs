//! Runs Kubewarden policies as policy-server does, without a cluster.
//!
//! ```text
//!  AdmissionReview ─┐                                        ┌─ AdmissionResponse
//!  live object ─────┴─▶ AdmissionRequest ─▶ payload ─▶ guest ┴─▶ Handling (mode, mutating)
//!  settings ──────────▶ Settings ───────────────┘
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`host`] | a compiled policy, its instances, the calls into them |
//! | [`callback`] | what the guest may ask of its host, and the texts of a refusal |
//! | [`capability`] | which host capabilities a policy is granted |
//! | [`session`] | answers from a recorded session, in kwctl's format |
//! | [`admission_request`] | what Kubernetes or the audit scanner asks |
//! | [`admission_response`] | what becomes of the policy's answer |
//! | [`settings`] | the settings and the policy's verdict about them |
//! | [`mod@fuel`] | exact instruction counts, on a linker of its own |
//! | [`wasm_file`] | what a wasm file says about itself without being run |
//! | [`metadata`] | the custom section `io.kubewarden.metadata` |
//! | [`command`] | what `policy-runner` and `policy-host` do with it |
//!
//! The model is Kubewarden 1.36 (`policy-evaluator`, `policy-server`, `kwctl`), with its engine: the
//! crates `wapc` 2.1.0 and `wasmtime-provider` 2.19.0. Left out, because a policy can be judged
//! without them: HTTP and its limit of 2 MiB per request, the Kubernetes API, signatures, the
//! manifests of images, policy groups, `spec.message`.
//!
//! ```no_run
//! use policy_runner::Host;
//! use serde_json::json;
//!
//! let host = Host::load("policy.wasm")?;
//! let request = json!({
//!     "uid": "1", "operation": "CREATE", "userInfo": {},
//!     "kind": {"group": "", "version": "v1", "kind": "Pod"},
//!     "resource": {"group": "", "version": "v1", "resource": "pods"},
//!     "object": {"spec": {"containers": []}},
//! });
//! let settings = json!({});
//! assert!(host.validate_settings(&settings)?.valid);
//! assert!(host.evaluate(&request, &settings)?.allowed);
//! # Ok::<(), policy_runner::HostError>(())
//! ```

pub mod admission_request;
pub mod admission_response;
pub mod callback;
pub mod capability;
pub mod command;
mod engine;
pub mod fuel;
pub mod host;
mod json;
pub mod metadata;
pub mod session;
pub mod settings;
pub mod wasm_file;

pub use admission_request::AdmissionRequest;
pub use admission_response::{AdmissionResponse, Handling, Mode};
pub use callback::HostRequest;
pub use capability::{CapabilityPattern, HostCapabilities};
pub use fuel::{Fuel, FuelMeter, fuel};
pub use host::{Host, HostError, Instance, payload};
pub use metadata::Metadata;
pub use session::Session;
pub use settings::{Settings, SettingsVerdict};
pub use wasm_file::WasmFile;
