//! Decides whether a Kubernetes object may be admitted.
pub mod check;
pub mod exemption;
pub mod glob;
#[cfg(target_os = "wasi")]
mod guest;
pub mod image;
pub mod json;
pub mod kind;
pub mod pattern;
pub mod policy;
pub mod request;
pub mod selector;
pub mod settings;
mod shown;
pub mod verdict;
pub mod violation;
pub mod wire;
pub mod workload;
