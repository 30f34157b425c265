//! Rules about annotations, and guards.

use serde_json::{Value, json};

use super::*;

/// Settings that guard these fields.
fn guarded(guards: &[&str]) -> Value {
    json!({ "changes": [{ "guard": guards, "allowUsers": ["bot"] }] })
}

fn changing(count: usize) -> String {
    update(
        SERVICE,
        &service(count, "a", "b"),
        &service(count, "a", "c"),
    )
}

pub(super) fn requests() -> Vec<Growing> {
    vec![
        growing(
            "malformed annotations",
            json!({ "annotations": [{ "required": ["team"] }] }),
            |count| {
                let annotations = list(count, |index| format!(r#""a{index}":1"#));
                create(
                    SERVICE,
                    &format!(r#"{{"metadata":{{"annotations":{{{annotations}}}}}}}"#),
                )
            },
        ),
        growing(
            "malformed annotations that change",
            json!({ "annotations": [{ "required": ["team"] }] }),
            |count| {
                let object = |value: &str| {
                    let annotations = list(count, |index| format!(r#""a{index}":{value}"#));
                    format!(r#"{{"metadata":{{"annotations":{{{annotations}}}}}}}"#)
                };
                update(SERVICE, &object("1"), &object("2"))
            },
        ),
        growing(
            "annotations through status, guarded",
            guarded(&["annotations:*"]),
            |count| {
                let request = update(
                    SERVICE,
                    &service(count, "a", "b"),
                    &service(count, "a", "c"),
                );
                request.replacen('{', r#"{"subResource":"status","#, 1)
            },
        ),
        growing(
            "annotations that come through status, guarded",
            guarded(&["annotations:*"]),
            |count| {
                let request = update(SERVICE, &service(count, "a", ""), "{}");
                request.replacen('{', r#"{"subResource":"status","#, 1)
            },
        ),
        growing(
            "annotations that come, guarded",
            guarded(&["annotations:*", "labels:*"]),
            |count| update(SERVICE, &service(count, "a", ""), "{}"),
        ),
        growing(
            "annotations that change, guarded",
            guarded(&["annotations:*"]),
            changing,
        ),
        growing(
            "annotations that change, guarded twice",
            guarded(&["annotations:*", "metadata.annotations"]),
            changing,
        ),
        growing(
            "labels that change, guarded",
            guarded(&["labels:*"]),
            changing_labels,
        ),
        growing(
            "labels and annotations that change, guarded",
            guarded(&["annotations:*", "labels:*"]),
            changing_labels,
        ),
        growing(
            "annotations that drifted",
            json!({ "drift": { "lastApplied": "reject" }, "changes": [{ "guard": ["annotations:*"], "allowUsers": ["bot"] }] }),
            |count| {
                let applied = format!(
                    r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"a","annotations":{{{}}}}}}}"#,
                    list(count, |index| format!(r#""a{index}":"""#))
                );
                let applied = Value::from(applied);
                let annotations = list(count, |index| format!(r#""a{index}":"b""#));
                let object = format!(
                    r#"{{"metadata":{{"name":"a","annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{applied},{annotations}}}}}}}"#
                );
                create(SERVICE, &object)
            },
        ),
    ]
}

/// Lists that a guard is about.
pub(super) fn lists() -> Vec<Growing> {
    vec![
        growing(
            "elements of a list that change, guarded",
            guarded(&["spec.names"]),
            |count| {
                let object = |value: &str| {
                    let names = list(count, |index| {
                        format!(r#"{{"name":"{index}","a":{value}}}"#)
                    });
                    format!(r#"{{"spec":{{"names":[{names}]}}}}"#)
                };
                update(CUSTOM, &object("1"), &object("2"))
            },
        ),
        growing(
            "elements of a list each, guarded",
            guarded(&["spec.names[*].a"]),
            |count| {
                let object = |value: &str| {
                    let names = list(count, |index| {
                        format!(r#"{{"name":"{index}","a":{value}}}"#)
                    });
                    format!(r#"{{"spec":{{"names":[{names}]}}}}"#)
                };
                update(CUSTOM, &object("1"), &object("2"))
            },
        ),
        growing(
            "elements of a list without names, guarded",
            guarded(&["spec.names[*]"]),
            |count| {
                let object = |value: &str| {
                    format!(
                        r#"{{"spec":{{"names":[{}]}}}}"#,
                        list(count, |_| value.to_owned())
                    )
                };
                update(CUSTOM, &object("1"), &object("2"))
            },
        )
        .up_to(56, 64),
        growing(
            "a list in another order, guarded",
            guarded(&["spec.names"]),
            |count| {
                let object = |start: usize| {
                    format!(
                        r#"{{"spec":{{"names":[{}]}}}}"#,
                        list(count, |index| (index + start).to_string())
                    )
                };
                update(CUSTOM, &object(0), &object(1))
            },
        ),
    ]
}

/// Settings with many rules.
pub(super) fn with_many_rules() -> Vec<Growing> {
    let comparing: Vec<_> = (0..200).map(|index| json!({ "immutable": [format!("name{index}")], "keep": ["b"], "createOnly": ["c"] })).collect();
    vec![
        growing(
            "annotations, and many rules that compare",
            json!({ "annotations": comparing }),
            changing,
        ),
        growing(
            "annotations, and globs that are denied",
            json!({ "annotations": [{ "denied": (0..100).map(|index| format!("a*{index}-")).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and many names that are denied",
            json!({ "annotations": [{ "denied": (0..1500).map(|index| format!("denied{index}")).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and globs that are allowed",
            json!({ "annotations": [{ "allowed": (0..100).map(|index| format!("a*{index}-")).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and many names that are allowed",
            json!({ "annotations": [{ "allowed": (0..1500).map(|index| format!("allowed{index}")).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and many criteria",
            json!({ "annotations": [{ "criteria": "doesNotContainOtherThan", "values": (0..1500).map(|index| format!("allowed{index}")).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and requirements on globs",
            json!({ "annotations": [{
            "values": (0..300).map(|index| (format!("v{index}"), json!({ "default": "a" }))).collect::<serde_json::Map<_, _>>(),
            "requires": (0..100).map(|index| json!({ "when": { format!("w{index}*"): "*" }, "then": { "a": "b" } })).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and many values",
            json!({ "annotations": [{
            "values": (0..1000).map(|index| (format!("a{index}"), json!({ "oneOf": ["a"] }))).collect::<serde_json::Map<_, _>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations, and many conflicts",
            json!({ "annotations": [{
            "conflicting": (0..1000).map(|index| json!([format!("a{index}"), "b"])).collect::<Vec<_>>() }] }),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
    ]
}
