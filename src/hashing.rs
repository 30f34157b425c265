//! Hashes with keys of this instance's own, so that nobody can write an object much of which has one hash.

use std::collections::{HashMap, HashSet};
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

/// What has been seen, by its hashes.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashSet<u64>);

impl Seen {
    /// Notes something; `false` if it has been seen before.
    pub(crate) fn insert(&mut self, value: &(impl Hash + ?Sized)) -> bool {
        self.0.insert(hash_of(value))
    }

    pub(crate) fn contains(&self, value: &(impl Hash + ?Sized)) -> bool {
        self.0.contains(&hash_of(value))
    }
}

/// Where in a list things are, by their hashes.
#[derive(Clone, Debug)]
pub(crate) struct Index(HashMap<u64, Vec<usize>>);

impl Index {
    /// Up to so many things are found sooner by looking at each.
    pub(crate) const FEW: usize = 32;

    /// Of a list, given the hashes in its order.
    pub(crate) fn new(hashes: &mut dyn Iterator<Item = u64>) -> Self {
        let mut index: HashMap<u64, Vec<usize>> = HashMap::new();
        for (position, hash) in hashes.enumerate() {
            index.entry(hash).or_default().push(position);
        }
        Self(index)
    }

    /// The positions of all things of a hash.
    pub(crate) fn get(&self, hash: u64) -> &[usize] {
        self.0.get(&hash).map_or(&[], Vec::as_slice)
    }
}
