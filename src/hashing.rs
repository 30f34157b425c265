//! Hashes with keys of this instance's own, so that nobody can write an object much of which has one hash.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

static KEYS: OnceLock<RandomState> = OnceLock::new();

/// The hash of a value.
pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    KEYS.get_or_init(RandomState::new).hash_one(value)
}
