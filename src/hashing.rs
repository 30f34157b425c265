//! Hashes with keys of this instance's own, so that nobody can write an object much of which has one hash.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

static KEYS: OnceLock<RandomState> = OnceLock::new();

/// The hash of what is written to it.
pub(crate) fn hash_by(write: &dyn Fn(&mut dyn Hasher)) -> u64 {
    let mut hasher = KEYS.get_or_init(RandomState::new).build_hasher();
    write(&mut hasher);
    hasher.finish()
}

/// The hash of a value.
pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    hash_by(&|mut hasher| value.hash(&mut hasher))
}
