//! Decides whether a Kubernetes object may be admitted.
//!
//! ```text
//! payload ──▶ request ──▶ workload ──▶ image ──▶ check ──▶ policy ──▶ verdict ──▶ answer
//!   wire       what is     every image  normal    one rule  what is    what the user
//!              asked       in it        form      a file    new, what  is told
//!                                                           is exempt
//! settings ──▶ the rules, each read where it is ──▶
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `guest` | the module for Kubewarden, and nothing else: it is thin |
//! | [`wire`] | Kubewarden's protocol as functions from bytes to answers |
//! | [`policy`] | the order in which a request is judged; the only module that knows every rule |
//! | [`settings`] | the sections of the settings together, and those that contradict each other |
//! | [`change`] | what is guarded, from whom, and what differs |
//! | [`annotation`], [`mirror`], [`exemption`] | the rules about annotations, one a file; where images are pulled from instead; what rules do not apply to |
//! | [`check`] | the lists that images are held against, one a file, and the items that they stand in |
//! | [`selector`], [`date`], [`verdict`] | the `match` of a rule; dates and the clock; everything that is wrong, and the answer that says it |
//! | [`request`], `drift` | what is asked; what was applied last |
//! | `schema`, [`violation`], [`workload`], [`splice`] | values of the settings and mistakes in them; one thing wrong, and where; every image in an object, by its shape; edits that leave every other byte |
//! | [`json`], [`kind`], [`pattern`] | the payload and the places in it; kinds of objects; what a list entry matches |
//! | [`code`], [`image`], [`registry`], `hashing`, `shown` | the words for what is wrong; references; what a registry is asked; hashes; user text in messages |
//! | [`glob`] | globs |
//!
//! A module imports only what stands in a later row. A rule is one module: how it is written in the settings, what it
//! means, what it says, and what it accepts and rejects, as an example.
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
pub mod date;
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

pub use shown::is_hidden;
