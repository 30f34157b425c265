//! A JSON Patch as lines for people.

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use crate::command::failure::printable;

/// What the patch of an answer does to the object, a line for each operation; none without a patch.
pub(super) fn of(answer: &Value, object: &Value) -> Result<Vec<String>> {
    let Some(patch) = answer.get("patch").and_then(Value::as_str) else {
        return Ok(Vec::new());
    };
    let patch = STANDARD.decode(patch).context("`patch`: not base64")?;
    let Patch(operations) = serde_json::from_slice(&patch).context("`patch`: not a JSON Patch")?;
    let mut object = object.clone();
    let mut lines = Vec::with_capacity(operations.len());
    for operation in operations {
        lines.push(line(&operation, &object));
        // An operation sees the object as those before it have left it.
        json_patch::patch(&mut object, &[operation])
            .context("`patch`: made for another object than that of the request")?;
    }
    Ok(lines)
}

fn line(operation: &PatchOperation, object: &Value) -> String {
    let pointer = operation.path().as_str();
    let (place, before) = (place(pointer, object), object.pointer(pointer));
    match operation {
        PatchOperation::Add(add) => format!("{place}: {} is added", shown(&add.value)),
        PatchOperation::Replace(replace) => format!(
            "{place}: {} becomes {}",
            before.map(shown).unwrap_or_default(),
            shown(&replace.value)
        ),
        PatchOperation::Remove(_) => format!(
            "{place}: {} is removed",
            before.map(shown).unwrap_or_default()
        ),
        other => printable(&serde_json::to_string(other).unwrap_or_default()),
    }
}

/// A JSON Pointer as Kubernetes writes a path: `spec.containers[0].image`.
fn place(pointer: &str, object: &Value) -> String {
    let mut place = String::new();
    let mut at = Some(object);
    for token in pointer.split('/').skip(1) {
        let key = token.replace("~1", "/").replace("~0", "~");
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if at.is_some_and(Value::is_array) {
            place.extend(["[", &key, "]"]);
            at = at.and_then(|list| list.get(key.parse::<usize>().ok()?));
            continue;
        }
        if !key.chars().all(is_plain) {
            place.extend(["[\"", &printable(&key), "\"]"]);
        } else if place.is_empty() {
            place.push_str(&key);
        } else {
            place.push('.');
            place.push_str(&key);
        }
        at = at.and_then(|map| map.get(&key));
    }
    place
}

/// A text in backticks, or other JSON as it is.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", printable(text)),
        other => printable(&other.to_string()),
    }
}
