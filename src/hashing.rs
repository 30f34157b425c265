//! Hashes with keys of this instance's own, so that nobody can write an object much of which has one hash.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
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

/// A number or position for each of some things, by their hashes. The one map that the engine has, since the
/// module would hold the code of another one again.
pub(crate) type ByHash = HashMap<u64, usize, BuildHasherDefault<IsHash>>;

/// Takes what is a hash already as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IsHash(u64);

impl Hasher for IsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// What has been seen, by its hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(ByHash);

impl Seen {
    /// Notes something; `false` if it has been seen before.
    pub(crate) fn insert(&mut self, value: &(impl Hash + ?Sized)) -> bool {
        self.0.insert(hash_of(value), 0).is_none()
    }

    pub(crate) fn contains(&self, value: &(impl Hash + ?Sized)) -> bool {
        self.0.contains_key(&hash_of(value))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Where in a list things are, by their hashes.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// The first of a hash.
    first: ByHash,
    /// For each the next of the same hash.
    next: Vec<Option<usize>>,
}

impl Index {
    /// Up to so many things are found sooner by looking at each.
    pub(crate) const FEW: usize = 32;

    /// Of a list of this length, given the hash at each position.
    pub(crate) fn new(length: usize, hash_at: &dyn Fn(usize) -> Option<u64>) -> Self {
        let mut first = ByHash::with_capacity_and_hasher(length, BuildHasherDefault::default());
        let mut next = vec![None; length];
        for (position, next) in next.iter_mut().enumerate().rev() {
            if let Some(hash) = hash_at(position) {
                *next = first.insert(hash, position);
            }
        }
        Self { first, next }
    }

    /// The first thing of a hash that has not been taken yet.
    pub(crate) fn take(&mut self, hash: u64) -> Option<usize> {
        let position = *self.first.get(&hash)?;
        match self.next.get(position).copied().flatten() {
            Some(next) => self.first.insert(hash, next),
            None => self.first.remove(&hash),
        }
    }

    /// The positions of all things of a hash, in the order of the list.
    pub(crate) fn get(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.first.get(&hash).copied();
        std::iter::successors(first, |position| {
            self.next.get(*position).copied().flatten()
        })
    }
}
