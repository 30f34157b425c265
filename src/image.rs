//! Image references: what a container names, and what it comes to.
//!
//! Owns the grammar and the normal form. What a reference is compared with is in
//! [`pattern`](crate::pattern).

mod error;
pub(crate) mod grammar;
pub(crate) mod host;
mod open;
mod reference;

pub use error::{Part, ReferenceError};
pub(crate) use host::{
    DEFAULT_PORT, DOCKER_HUB, DOCKER_HUB_ALIASES, OFFICIAL, Wild, normalize_host, split_port,
};
pub(crate) use open::globs;
pub use reference::Reference;
pub(crate) use reference::{Split, after_scheme};

/// Whether the first part of a reference is a host: `ghcr.io` is, and `library` is none.
pub fn is_host(first: &str) -> bool {
    host::is_host(first, Wild::Never)
}
