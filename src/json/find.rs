//! What a path leads to in a JSON value.

use crate::hashing::{Index, Seen};

use super::{Spot, Step, Value};

/// How deep what is looked into may be nested. `serde_json`, which hosts read with, goes as deep.
pub(crate) const DEEPEST: usize = 128;

/// Hands every value that `path` leads to in `value` to `found`, with where it stands: nowhere where the
/// path is empty.
///
/// A key that occurs twice leads to both its values. What does not have the shape that the path
/// expects leads nowhere, nor does a path of more than [`DEEPEST`] steps.
pub(crate) fn each_at<'a>(
    value: Value<'a>,
    path: &[Step<'_>],
    found: &mut dyn FnMut(Option<&Spot<'_, 'a>>, Value<'a>),
) {
    if path.len() <= DEEPEST {
        descend(value, path, None, found);
    }
}

/// Every value that a path leads to, as [`each_at`] finds them.
pub(crate) fn lookup<'a>(value: Value<'a>, path: &[Step<'_>]) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    each_at(value, path, &mut |_, value| found.push(value));
    found
}

/// The text that a path leads to, the last one where a key is repeated; none where it leads to
/// nothing or to something else.
pub(crate) fn text_at<'a>(value: Value<'a>, path: &[Step<'_>]) -> Option<&'a str> {
    lookup(value, path).last()?.string()
}

fn descend<'a>(
    value: Value<'a>,
    path: &[Step<'_>],
    above: Option<&Spot<'_, 'a>>,
    found: &mut dyn FnMut(Option<&Spot<'_, 'a>>, Value<'a>),
) {
    let Some((step, rest)) = path.split_first() else {
        return found(above, value);
    };
    if let Step::Key(wanted) = step {
        return value.each(wanted, &mut |key, below| {
            let spot = Spot::below(above, Step::key(key.text()));
            descend(below, rest, Some(&spot), found);
        });
    }
    for (index, below) in value.elements().enumerate() {
        if !matches!(step, Step::Index(wanted) if *wanted != index) {
            let spot = Spot::below(above, Step::Index(index));
            descend(below, rest, Some(&spot), found);
        }
    }
}

/// Whether a key occurs in a map twice.
pub(crate) fn repeats_a_key(map: Value<'_>) -> bool {
    if map.members().nth(Index::FEW).is_some() {
        let mut seen = Seen::default();
        return map.members().any(|(key, _)| !seen.insert(key.text()));
    }
    let mut seen = 0_u64;
    map.members().enumerate().any(|(at, (key, _))| {
        // A bit that few keys share.
        let (length, first) = key.length_and_first();
        let bit = 1 << ((length * 7 + usize::from(first.unwrap_or_default())) & 63);
        let may_be_known = seen & bit != 0;
        seen |= bit;
        let mut earlier = map.members().take(at);
        may_be_known && earlier.any(|(earlier, _)| earlier.is(key.text()))
    })
}

/// That a value is nested too deep.
pub(crate) fn too_deep(value: Value<'_>) -> String {
    let (line, column) = value.line_and_column();
    format!("nested deeper than {DEEPEST} levels at line {line} column {column}")
}
