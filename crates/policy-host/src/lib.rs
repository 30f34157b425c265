//! What [`policy_runner`] has, with answers from registries.
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

pub use policy_publish::registry;
pub use policy_runner::*;
