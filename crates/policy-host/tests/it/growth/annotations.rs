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

/// A Service with one annotation, a list of so many elements.
fn listing(count: usize, element: &str) -> String {
    let elements = vec![element; count].join(",");
    let object = format!(
        r#"{{"metadata":{{"annotations":{{"a":{}}}}}}}"#,
        json!(elements)
    );
    create(SERVICE, &object)
}

/// Values that are long, and many values.
pub(super) fn checks_of_values() -> Vec<Growing> {
    let values = |checks: Value| json!({ "annotations": [{ "values": { "a*": checks } }] });
    vec![
        growing(
            "annotations, and numbers by a glob over their names",
            values(json!({ "min": 1, "max": 9, "not": ["*x*"], "anyCase": true })),
            |count| create(SERVICE, &service(count, "a", "5")),
        ),
        growing(
            "annotations, and a pattern that is compiled",
            values(json!({ "pattern": r"\b[0-9]+\b" })),
            |count| create(SERVICE, &service(count, "a", "5")),
        ),
        growing(
            "elements of a list in a value",
            values(
                json!({ "each": { "separator": ",", "trim": true, "oneOf": ["b", "c", "A"], "anyCase": true }, "count": { "min": 1 } }),
            ),
            |count| listing(count, "a"),
        ).up_to(82, 64),
        growing(
            "networks in a value",
            values(
                json!({ "each": { "separator": ",", "cidr": true, "not": ["10.0.0.0/8", "::/0"] } }),
            ),
            |count| listing(count, "0::/8"),
        ).up_to(152, 64),
        growing(
            "keys of JSON in a value",
            values(json!({ "json": "object" })),
            |count| {
                let members = list(count, |index| format!(r#""{index}":0"#));
                let object = format!(
                    r#"{{"metadata":{{"annotations":{{"a":{}}}}}}}"#,
                    json!(format!("{{{members}}}"))
                );
                create(SERVICE, &object)
            },
        ),
        growing(
            "maps of JSON in a value",
            values(json!({ "json": "array" })),
            |count| {
                let maps = list(count, |_| "{}".to_owned());
                let object = format!(
                    r#"{{"metadata":{{"annotations":{{"a":{}}}}}}}"#,
                    json!(format!("[{maps}]"))
                );
                create(SERVICE, &object)
            },
        ),
        growing(
            "annotations, and fields that they are held against",
            values(json!({ "path": "spec.ports[*].port", "startsWithPath": "spec.type" })),
            |count| {
                let annotations = list(count, |index| format!(r#""a{index}":"{index}""#));
                let ports = list(count, |index| format!(r#"{{"port":{index}}}"#));
                let object = format!(
                    r#"{{"metadata":{{"annotations":{{{annotations}}}}},"spec":{{"type":"1","ports":[{ports}]}}}}"#
                );
                create(SERVICE, &object)
            },
        ),
        growing(
            "annotations, and alternatives that are required",
            json!({ "annotations": [{ "requires": [{
                "when": [{ "x*": "*" }, { "a*": { "not": ["c"] } }],
                "then": [{ "y*": { "min": 1 } }, { "z*": { "path": "spec.type" } }],
            }] }] }),
            |count| create(SERVICE, &service(count, "a", "b")),
        ),
        growing(
            "fields that are not admitted",
            json!({ "annotations": [{ "fields": { "spec.ports[*].port": { "min": 1, "not": ["*x*"] } } }] }),
            |count| {
                let ports = list(count, |_| r#"{"port":0}"#.to_owned());
                create(SERVICE, &format!(r#"{{"spec":{{"ports":[{ports}]}}}}"#))
            },
        ),
        growing(
            "annotations, and other names of them",
            json!({ "annotations": [{
                "aliases": (0..50).map(|index| (format!("n{index}"), json!([format!("a{index}")]))).collect::<serde_json::Map<_, _>>(),
                "emptyIsAbsent": true, "immutable": ["*"], "values": { "n*": { "max": 9 } },
            }] }),
            |count| create(SERVICE, &service(count, "a", "5")),
        ).up_to(80, 64),
        growing(
            "annotations that are nearly allowed",
            json!({ "annotations": [{
                "prefix": "a", "allowed": (0..200).map(|index| format!("{index}-aaaaaaaaaaaaaaaa")).collect::<Vec<_>>(),
            }] }),
            |count| create(SERVICE, &service(count, "a5-aaaaaaaaaaaaaaa", "5")),
        ),
        growing(
            "JSON in many values",
            values(json!({ "json": "object" })),
            |count| create(SERVICE, &service(count, "a", "{}")),
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
            "annotations that change, and globs that compare",
            json!({ "annotations": [{ "prefix": "a", "aliasPrefixes": ["b"], "immutable": ["*"], "createOnly": ["b*"], "keep": ["*"], "keepAny": [["x", "y"], ["0", "1"]], "required": ["c*"] }] }),
            changing,
        ).up_to(128, 68),
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
