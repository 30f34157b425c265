//! Which elements of two lists, and which members of two maps, belong together.

use crate::hashing::{ByHash, hash_of};
use crate::json::{Value, repeats_a_key};

/// The key and the value of a member of a map.
pub(super) type Member<'a> = (&'a str, Value<'a>);

/// What belongs together in two lists; what is the same at the same position is left out.
pub(super) struct Pairs {
    pub(super) found: Vec<(Option<usize>, Option<usize>)>,
    /// By name, not by position.
    pub(super) are_named: bool,
}

impl Pairs {
    /// Whether what stays is in another order. Where only that differs, nothing else tells.
    pub(super) fn are_reordered(&self) -> bool {
        let mut last = 0;
        self.found
            .iter()
            .filter_map(|(before, now)| before.filter(|_| now.is_some()))
            .any(|before| std::mem::replace(&mut last, before) > before)
    }
}

pub(super) fn pairs(was: &[Value<'_>], is: &[Value<'_>]) -> Pairs {
    let kept: Vec<bool> = was
        .iter()
        .zip(is)
        .map(|(was, is)| was.is_written_as(*is))
        .collect();
    let is_kept = |index: usize| kept.get(index) == Some(&true);
    let changed = |list: &[Value<'_>]| -> Vec<usize> {
        (0..list.len()).filter(|index| !is_kept(*index)).collect()
    };
    let (before, now) = (changed(was), changed(is));
    let name_all = |list: &[Value<'_>], at: &[usize]| -> Option<Vec<u64>> {
        at.iter().map(|index| name(*list.get(*index)?)).collect()
    };
    let names_before = name_all(was, &before);
    let known = names_before.as_deref().and_then(positions);
    let names = name_all(is, &now).filter(|names| positions(names).is_some());
    let (Some(known), Some(names)) = (known, names) else {
        let longest = was.len().max(is.len());
        let by_position = (0..longest).filter(|index| !is_kept(*index)).map(|index| {
            let there = |list: &[Value<'_>]| (index < list.len()).then_some(index);
            (there(was), there(is))
        });
        return Pairs {
            found: by_position.collect(),
            are_named: false,
        };
    };
    let mut is_left: Vec<bool> = vec![false; before.len()];
    let mut found = Vec::new();
    for (name, now) in names.iter().zip(now) {
        let position = known.get(name).copied();
        if let Some(left) = position.and_then(|position| is_left.get_mut(position)) {
            *left = true;
        }
        let index = position.and_then(|position| before.get(position)).copied();
        found.push((index, Some(now)));
    }
    for (index, is_left) in before.iter().zip(is_left) {
        if !is_left {
            found.push((Some(*index), None));
        }
    }
    Pairs {
        found,
        are_named: true,
    }
}

/// The hash of the `name` of an element, if it has one and one only.
fn name(element: Value<'_>) -> Option<u64> {
    let mut names = element.all("name");
    let name = names.next()?.string()?;
    names.next().is_none().then(|| hash_of(name))
}

/// Where in a map as it was each key is of the map as it is; none where a key occurs twice in one of them.
pub(super) fn positions_before(
    map: Option<Value<'_>>,
    was: &[Member<'_>],
    is: &[Member<'_>],
) -> Option<Vec<Option<usize>>> {
    let mut keys = was.iter().zip(is);
    let are_alike = was.len() == is.len() && keys.all(|(before, now)| before.0 == now.0);
    if are_alike && !map.is_some_and(repeats_a_key) {
        return Some((0..was.len()).map(Some).collect());
    }
    let hashes = |map: &[Member<'_>]| map.iter().map(|(key, _)| hash_of(key)).collect();
    let (known, names): (Vec<_>, Vec<_>) = (hashes(was), hashes(is));
    let (before, _) = (positions(&known)?, positions(&names)?);
    Some(names.iter().map(|name| before.get(name).copied()).collect())
}

/// Where each hash is in its list; none if one of them occurs twice.
fn positions(hashes: &[u64]) -> Option<ByHash> {
    let mut positions = ByHash::default();
    for (position, hash) in hashes.iter().enumerate() {
        if positions.insert(*hash, position).is_some() {
            return None;
        }
    }
    Some(positions)
}
