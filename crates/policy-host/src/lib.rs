//! What [`policy_runner`] has, and what needs a network: answers from registries, artifacts to and from
//! them, and the files that are made for them.
//!
//! | module | what it owns |
//! |---|---|
//! | [`registry`] | answers from registries, and artifacts to and from them |
//! | [`artifact`] | policies and bundles of settings as registries keep them |
//! | [`artifact_hub`] | what Artifact Hub and Rancher show of a policy |
//!
//! ```no_run
//! use policy_host::{Host, HostCapabilities, registry};
//! use serde_json::json;
//!
//! let host = Host::load("policy.wasm")?
//!     .allow(HostCapabilities::all())
//!     .on_request(registry::answer);
//! assert!(host.validate_settings(&json!({"tags": {"reject": ["latest"]}}))?.valid);
//! # Ok::<(), policy_host::HostError>(())
//! ```

pub mod artifact;
pub mod artifact_hub;
pub mod registry;

pub use policy_runner::*;
