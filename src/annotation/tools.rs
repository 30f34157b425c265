//! The keys that Kubernetes, Helm and GitOps tools write themselves.
//!
//! An exact list: a domain would let everything through that anybody writes under it. Each key and
//! who writes it is in `docs/annotations.md`.

/// The keys, in order.
pub(crate) const KEYS: [&str; 2] = ["a", "b"];

/// Whether one of these tools writes a key.
pub(super) fn write(key: &str) -> bool {
    KEYS.binary_search(&key).is_ok()
}
