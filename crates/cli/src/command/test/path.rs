//! Field paths as messages write them, `spec.containers[0].image`, in JSON values.

use rollout_guard::json::{Location, Step};
use serde_json::{Map, Value};

/// Reads a path: keys joined by dots, `[0]` for an element of a list, `["a.b/c"]` for a key with dots.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Location<'static>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (step, behind) = if inside.starts_with('"') {
                let mut strings = serde_json::Deserializer::from_str(inside).into_iter::<String>();
                let Some(Ok(key)) = strings.next() else {
                    return Err("expected a key in double quotes after `[`".to_owned());
                };
                (Step::Key(key.into()), inside.get(strings.byte_offset()..))
            } else {
                let end = inside.find(']').unwrap_or(inside.len());
                let (index, behind) = inside.split_at_checked(end).unwrap_or_default();
                let index = index.parse();
                let index =
                    index.map_err(|_| "expected a number or a key in double quotes after `[`")?;
                (Step::Index(index), Some(behind))
            };
            let Some(behind) = behind.and_then(|behind| behind.strip_prefix(']')) else {
                return Err("a `[` is not closed".to_owned());
            };
            steps.push(step);
            rest = behind;
        } else {
            if !steps.is_empty() {
                let Some(behind) = rest.strip_prefix('.') else {
                    return Err(format!("expected `.` or `[` before `{rest}`"));
                };
                rest = behind;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if key.is_empty() {
                return Err("a key is missing".to_owned());
            }
            steps.push(Step::Key(key.to_owned().into()));
            rest = behind;
        }
    }
    if steps.is_empty() {
        return Err("a key is missing".to_owned());
    }
    Ok(Location(steps))
}

/// The value at a place.
pub(super) fn get<'v>(root: &'v Value, path: &Location<'_>) -> Option<&'v Value> {
    path.steps()
        .iter()
        .try_fold(root, |value, step| match step {
            Step::Key(key) => value.get(key.as_ref()),
            Step::Index(index) => value.get(index),
            Step::Each => None,
        })
}

/// Sets a value, with the maps on the way to it; `null` removes it. The element behind the last of a
/// list is added.
///
/// # Errors
///
/// Where the way leads through something else.
pub(super) fn set(root: &mut Value, path: &Location<'_>, new: &Value) -> Result<(), String> {
    let Some((last, way)) = path.steps().split_last() else {
        return Err("a key is missing".to_owned());
    };
    let mut at = root;
    for step in way {
        if new.is_null() && member(at, step).is_none() {
            return Ok(());
        }
        at = enter(at, step)?;
    }
    if !new.is_null() {
        *enter(at, last)? = new.clone();
        return Ok(());
    }
    match (at, last) {
        (Value::Object(map), Step::Key(key)) => {
            map.remove(key.as_ref());
        }
        (Value::Array(elements), Step::Index(index)) if *index < elements.len() => {
            elements.remove(*index);
        }
        _ => {}
    }
    Ok(())
}

fn member<'v>(value: &'v Value, step: &Step<'_>) -> Option<&'v Value> {
    get(value, &Location(vec![step.clone()]))
}

/// The member at a step, made where it is not there.
fn enter<'v>(value: &'v mut Value, step: &Step<'_>) -> Result<&'v mut Value, String> {
    match step {
        Step::Key(key) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            let Value::Object(map) = value else {
                return Err(format!("`{key}` is not in a map"));
            };
            Ok(map.entry(key.as_ref()).or_insert(Value::Null))
        }
        Step::Index(index) => {
            if value.is_null() {
                *value = Value::Array(Vec::new());
            }
            let Value::Array(list) = value else {
                return Err(format!("`[{index}]` is not in a list"));
            };
            if *index == list.len() {
                list.push(Value::Null);
            }
            let length = list.len();
            let element = list.get_mut(*index);
            element.ok_or_else(|| format!("`[{index}]` is behind the end of {length} elements"))
        }
        Step::Each => Err("`[*]` is more than one place".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_read_as_messages_write_it() {
        for path in [
            "spec",
            "spec.containers[0].image",
            "metadata.annotations[\"a.b/c\"]",
            "a[1][2]",
        ] {
            let read = parse(path).map(|path| format!("{path:#}"));
            assert_eq!(read, Ok(path.to_owned()));
        }
        let quoted = parse("metadata[\"a\\\"]b\"].c").map(|path| path.0);
        let steps = ["metadata", "a\"]b", "c"].map(Step::key);
        assert_eq!(quoted, Ok(steps.to_vec()));
        for path in [
            "", ".", "a.", "a..b", "a[", "a[x]", "a[0]b", "[*]", "a[\"b\"", "a[-1]",
        ] {
            assert!(parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn values_are_set_and_removed() {
        let mut value = json!({ "spec": { "containers": [{ "image": "a" }] } });
        let mut set = |path: &str, new: Value| set(&mut value, &parse(path).unwrap(), &new);
        set("spec.containers[0].image", json!("b")).unwrap();
        set("spec.containers[1].image", json!("c")).unwrap();
        set("metadata.annotations[\"a.b/c\"]", json!("1")).unwrap();
        set("metadata.labels.team", Value::Null).unwrap();
        assert!(set("spec.containers[5].image", json!("c")).is_err());
        assert!(set("spec.containers.image", json!("c")).is_err());
        set("spec.containers[0]", Value::Null).unwrap();
        assert_eq!(
            value,
            json!({ "metadata": { "annotations": { "a.b/c": "1" } }, "spec": { "containers": [{ "image": "c" }] } })
        );
    }
}
