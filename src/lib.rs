//! Decides whether a Kubernetes object may be admitted.
//!
//! ```text
//! payload ──▶ request ──▶ workload ──▶ image ──▶ check ──▶ policy ──▶ verdict ──▶ answer
//!   wire       what is     every image  normal    one rule  what is    what the user
//!              asked       in it        form      a file    new, what  is told
//!                                                           is exempt
//! settings ──▶ pattern, selector, exemption ─────▶
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`wire`] | Kubewarden's protocol as functions from bytes to answers |
//! | [`policy`] | the order in which a request is judged; the only module that knows every check |
//! | [`check`], [`annotation`] | the rules about images and about annotations, one a file |
//! | [`change`], `drift` | what is guarded, from whom, and what differs; the live object beside what was applied |
//! | [`exemption`], [`selector`] | what the rules do not apply to; the `match` of a rule |
//! | [`settings`] | what the user wrote, checked, every mistake with its path |
//! | [`request`], [`workload`], [`kind`] | what is asked; every image in an object, by its shape |
//! | [`mirror`], [`registry`] | where images are pulled from instead; what a registry is asked |
//! | [`image`], [`pattern`], [`glob`] | references, and what a list entry matches |
//! | [`verdict`], [`violation`] | what is wrong, where, and how it is told |
//! | [`splice`] | changes to an object that leave every other byte as it is |
//! | [`json`] | values borrowed from the payload, and the places in it |
//!
//! Imports point down this table. `guest` exists only in the module for Kubewarden and is thin.
//!
//! # What always holds
//!
//! - **Fail closed.** What cannot be read is a violation; nothing that a request or settings can
//!   hold makes a function here panic.
//! - **One index.** A payload is held to the grammar and indexed in one pass; whatever is read is a cursor
//!   into that index. What is slower happens only when something is wrong.
//! - **One spelling.** Images and settings become the same normal form through the same grammar.
//!
//! ```
//! let payload = br#"{
//!   "request": {
//!     "kind": { "group": "", "version": "v1", "kind": "Pod" },
//!     "operation": "CREATE",
//!     "object": { "spec": { "containers": [{ "name": "app", "image": "redis:7" }] } }
//!   },
//!   "settings": { "registries": { "allow": ["ghcr.io"] } }
//! }"#;
//! let answer: serde_json::Value = serde_json::from_slice(&rollout_guard::wire::validate(payload))?;
//! assert_eq!(
//!     answer["message"],
//!     "spec.containers[0] \"app\": image `redis:7`: registry `docker.io` is not allowed, use `ghcr.io` [registry-not-allowed]"
//! );
//! # Ok::<_, serde_json::Error>(())
//! ```

pub mod annotation;
pub mod change;
pub mod check;
pub mod code;
mod drift;
pub mod exemption;
pub mod glob;
#[cfg(target_os = "wasi")]
mod guest;
mod hashing;
pub mod image;
pub mod json;
pub mod kind;
pub mod mirror;
pub mod pattern;
pub mod policy;
pub mod registry;
pub mod request;
mod schema;
pub mod selector;
pub mod settings;
mod shown;
pub mod splice;
pub mod verdict;
pub mod violation;
pub mod wire;
pub mod workload;
