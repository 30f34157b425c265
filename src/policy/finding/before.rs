//! What was wrong with the object as it was: the same in the new one only warns.

use std::cell::{OnceCell, RefCell};
use std::hash::Hasher;

use crate::hashing::{ByHash, hash_by, hash_of};
use crate::json::{Place, same};
use crate::workload::Object;

/// How often the same was found in the object as it was, by what makes it the same.
pub(in crate::policy) type Counts = ByHash;

/// What becomes of what the old object has as well.
#[derive(Clone, Copy)]
pub(in crate::policy) enum Before<'j> {
    /// There is none to compare with: everything is new.
    Nothing,
    /// It only warns.
    Was(&'j dyn Known),
    /// This is the old object: it is counted.
    Counted(&'j RefCell<Counts>),
}

/// What is known of the old object.
pub(in crate::policy) trait Known {
    /// Whether the same was wrong before, once for each time that it was, and all of its members were there.
    fn takes(&self, identity: &dyn Fn(&mut dyn Hasher), members: &[u64]) -> bool;

    /// Whether what was so before is told.
    fn is_told(&self) -> bool;

    /// Whether a template is another one than in the old object.
    fn changes(&self, template: &Place<'_>) -> bool;
}

/// What was wrong with the old object, judged when the first finding asks.
pub(in crate::policy) struct Was<'j, 'r> {
    new: &'j Object<'r>,
    /// Reads the old object, if what it has as well counts.
    read: &'j dyn Fn() -> Option<&'j Object<'j>>,
    judge: &'j dyn Fn(&Object<'_>) -> Counts,
    is_told: bool,
    old: OnceCell<Option<&'j Object<'j>>>,
    left: OnceCell<RefCell<Counts>>,
    /// Of the templates that were asked about, whether each is another one.
    asked: RefCell<ByHash>,
}

impl<'j, 'r> Was<'j, 'r> {
    pub(in crate::policy) fn new(
        new: &'j Object<'r>,
        read: &'j dyn Fn() -> Option<&'j Object<'j>>,
        judge: &'j dyn Fn(&Object<'_>) -> Counts,
        is_told: bool,
    ) -> Self {
        Self {
            new,
            read,
            judge,
            is_told,
            old: OnceCell::new(),
            left: OnceCell::new(),
            asked: RefCell::default(),
        }
    }

    fn old(&self) -> Option<&'j Object<'j>> {
        *self.old.get_or_init(self.read)
    }
}

impl Known for Was<'_, '_> {
    fn takes(&self, identity: &dyn Fn(&mut dyn Hasher), members: &[u64]) -> bool {
        let judge = || RefCell::new(self.old().map(self.judge).unwrap_or_default());
        let left = self.left.get_or_init(judge);
        let mut left = left.borrow_mut();
        if left.is_empty() {
            return false;
        }
        let is_there = |member: &u64| left.contains_key(&hash_of_member(*member));
        if !members.iter().all(is_there) {
            return false;
        }
        let key = hash_by(identity);
        match left.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn is_told(&self) -> bool {
        self.is_told
    }

    fn changes(&self, template: &Place<'_>) -> bool {
        // A template in another one changes with that: no part of the object is compared twice.
        let around = std::iter::successors(Some(template), |place| place.above());
        let outermost = around.filter(|place| !self.new.marked(place).is_empty());
        let template = outermost.last().unwrap_or(template);
        let is_changed = || {
            let old = self.old().map(|old| old.marked(template));
            match (
                self.new.marked(template).as_slice(),
                old.unwrap_or_default().as_slice(),
            ) {
                ([new], [old]) => !same(*new, *old),
                _ => true,
            }
        };
        let mut asked = self.asked.borrow_mut();
        let asked = asked.entry(hash_of(template));
        *asked.or_insert_with(|| usize::from(is_changed())) != 0
    }
}

/// The hash of what else must have been there, among those of violations.
pub(super) fn hash_of_member(member: u64) -> u64 {
    hash_of(&("member", member))
}
