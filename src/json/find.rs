//! What a path leads to in a JSON value.

use super::{Location, Step, Value};

/// How deep what is looked into may be nested. `serde_json`, which hosts read with, goes as deep.
pub(crate) const DEEPEST: usize = 128;

/// Every value that `path` leads to in `value`, and its place.
///
/// A key that occurs twice leads to both its values. What does not have the shape that the path
/// expects leads nowhere.
pub(crate) fn find<'a>(value: Value<'a>, path: &[Step<'_>]) -> Vec<(Location<'a>, Value<'a>)> {
    let mut found = Vec::new();
    descend(value, path, &mut Vec::new(), &mut |way, value| {
        found.push((Location(way.to_vec()), value));
    });
    found
}

/// As [`find`], without the places.
pub(crate) fn lookup<'a>(value: Value<'a>, path: &[Step<'_>]) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    descend(value, path, &mut Vec::new(), &mut |_, value| {
        found.push(value);
    });
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
    way: &mut Vec<Step<'a>>,
    found: &mut dyn FnMut(&[Step<'a>], Value<'a>),
) {
    let Some((step, rest)) = path.split_first() else {
        return found(way, value);
    };
    if way.len() >= DEEPEST {
        return;
    }
    if let Step::Key(wanted) = step {
        for (key, below) in value.members() {
            if key.is(wanted) {
                way.push(Step::key(key.text()));
                descend(below, rest, way, found);
                way.pop();
            }
        }
        return;
    }
    for (index, below) in value.elements().enumerate() {
        if !matches!(step, Step::Index(wanted) if *wanted != index) {
            way.push(Step::Index(index));
            descend(below, rest, way, found);
            way.pop();
        }
    }
}

/// That a value is nested too deep.
pub(crate) fn too_deep(value: Value<'_>) -> String {
    let (line, column) = value.line_and_column();
    format!("nested deeper than {DEEPEST} levels at line {line} column {column}")
}
