//! Reads settings that are valid, and puts what stands in them into words.

use rollout_guard::json::Value;

/// `a, b and c`.
pub(super) fn all(words: &[String]) -> String {
    joined(words, "and")
}

/// `a, b or c`.
pub(super) fn either(words: &[String]) -> String {
    joined(words, "or")
}

fn joined(words: &[String], last: &str) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((end, before)) if !before.is_empty() => {
            format!("{} {last} {end}", before.join(", "))
        }
        _ => words.concat(),
    }
}

pub(super) fn get<'n>(value: Value<'n>, key: &str) -> Option<Value<'n>> {
    value.get(key).filter(|member| !member.is_null())
}

pub(super) fn text<'n>(value: Value<'n>, key: &str) -> Option<&'n str> {
    get(value, key)?.string()
}

pub(super) fn is_true(value: Value<'_>, key: &str) -> bool {
    get(value, key).is_some_and(|member| member.text() == "true")
}

/// The entries of a list; none of an empty one.
pub(super) fn list(value: Value<'_>, key: &str) -> Option<Vec<String>> {
    let texts = texts(get(value, key)?);
    (!texts.is_empty()).then_some(texts)
}

/// The lists in a list.
pub(super) fn groups(value: Value<'_>, key: &str) -> Vec<Vec<String>> {
    items(value, key).map(texts).collect()
}

pub(super) fn texts(list: Value<'_>) -> Vec<String> {
    let entries = list.elements();
    let entries = entries.map(|entry| get(entry, "entry").unwrap_or(entry));
    let texts = entries.filter_map(Value::string);
    texts.map(str::to_owned).collect()
}

pub(super) fn items<'n>(value: Value<'n>, key: &str) -> impl Iterator<Item = Value<'n>> {
    get(value, key).into_iter().flat_map(Value::elements)
}
