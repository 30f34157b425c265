//! What differs between two builds of an object.

use rollout_guard::json::{Location, Step};
use serde_json::{Map, Value as Json};

/// The paths at which two values differ, with what is there now.
///
/// A map that is gone had members that are gone; an empty one is none.
pub(crate) fn differences(before: &Json, after: &Json) -> Vec<(String, Option<Json>)> {
    let mut found = Vec::new();
    compare(before, Some(after), &mut Vec::new(), &mut found);
    found
}

fn compare(
    before: &Json,
    after: Option<&Json>,
    way: &mut Vec<Step<'static>>,
    found: &mut Vec<(String, Option<Json>)>,
) {
    match (before, after) {
        (Json::Object(before), Some(Json::Object(_)) | None) => {
            let none = Map::new();
            let after = after.and_then(Json::as_object).unwrap_or(&none);
            for (key, value) in before {
                way.push(Step::Key(key.clone().into()));
                compare(value, after.get(key), way, found);
                way.pop();
            }
            let is_new = |(key, value): &(&String, &Json)| {
                !before.contains_key(*key) && value.as_object().is_none_or(|map| !map.is_empty())
            };
            for (key, value) in after.iter().filter(is_new) {
                way.push(Step::Key(key.clone().into()));
                found.push((shown(way), Some(value.clone())));
                way.pop();
            }
        }
        (Json::Array(before), Some(Json::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                way.push(Step::Index(index));
                compare(before, Some(after), way, found);
                way.pop();
            }
        }
        (before, Some(after)) if before == after => {}
        (_, after) => found.push((shown(way), after.cloned())),
    }
}

fn shown(way: &[Step<'static>]) -> String {
    format!("{:#}", Location(way.to_vec()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_found() {
        for (before, after, wanted) in [
            (
                json!({"a": [1, {"b": 2}]}),
                json!({"a": [1, {"b": 2}]}),
                vec![],
            ),
            (
                json!({"a": [1, {"b": 2}]}),
                json!({"a": [1, {"b": 3}]}),
                vec![("a[1].b", Some(json!(3)))],
            ),
            (json!({"a": {"b": 1}}), json!({}), vec![("a.b", None)]),
            (
                json!({"a": {"b": 1}}),
                json!({"a": {}}),
                vec![("a.b", None)],
            ),
            (json!({}), json!({"a": {}}), vec![]),
            (
                json!({}),
                json!({"a": {"b": 1}}),
                vec![("a", Some(json!({"b": 1})))],
            ),
            (
                json!({"a": [1]}),
                json!({"a": [1, 2]}),
                vec![("a", Some(json!([1, 2])))],
            ),
            (
                json!({"a": 1}),
                json!({"a": null}),
                vec![("a", Some(json!(null)))],
            ),
        ] {
            let wanted: Vec<_> = wanted
                .into_iter()
                .map(|(path, value)| (path.to_owned(), value))
                .collect();
            assert_eq!(differences(&before, &after), wanted, "{before} {after}");
        }
    }
}
