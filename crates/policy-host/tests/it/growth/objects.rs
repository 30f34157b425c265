//! Objects with much of something.

use serde_json::json;

use super::*;

/// Two and three bytes an element: what is kept of each counts.
pub(super) fn short_elements() -> Vec<Growing> {
    let rules = json!({
        "registries": { "allow": ["ghcr.io"] },
        "changes": [{ "guard": ["images", "annotations:*", "spec"], "allowUsers": ["bot"] }],
        "drift": { "lastApplied": "reject" },
        "onUpdate": "all",
    });
    vec![
        growing("the shortest elements", rules.clone(), |count| {
            update(CUSTOM, &repeated(count, "1"), &repeated(count, "2"))
        }),
        growing("the shortest lists", rules, |count| {
            update(CUSTOM, &repeated(count, "[]"), &repeated(count, "[ ]"))
        }),
    ]
}

fn repeated(count: usize, element: &str) -> String {
    let elements = list(count, |_| element.to_owned());
    format!(r#"{{"spec":[{elements}]}}"#)
}

pub(super) fn requests() -> Vec<Growing> {
    let required = json!({ "annotations": [{ "target": "both", "required": ["team"] }] });
    let guarded =
        json!({ "changes": [{ "guard": ["annotations:*", "labels:*"], "allowUsers": ["bot"] }] });
    let drift = json!({ "drift": { "lastApplied": "reject" }, "changes": [{ "guard": ["images"], "allowUsers": ["bot"] }] });
    let paths: Vec<_> = (0..20).map(|index| format!("*/**/redis{index}")).collect();
    let registries =
        json!({ "registries": { "allow": ["ghcr.io"] }, "tags": { "reject": ["latest"] } });
    vec![
        growing(
            "images, and mirrors for a field",
            mirrors(&json!({ "fields": { "spec.type": "a" } })),
            |count| create(POD, &pod(&containers(count))),
        ),
        growing(
            "images, and mirrors for a label",
            mirrors(&json!({ "labels": { "a": "b" } })),
            |count| create(POD, &pod(&containers(count))),
        ),
        growing(
            "templates that lack an annotation",
            required.clone(),
            |count| create(JOB_SET, &job_set(count, "b")),
        ),
        growing("templates that lacked an annotation", required, |count| {
            update(JOB_SET, &job_set(count, "b"), &job_set(count, "b"))
        }),
        growing("templates whose annotations change", guarded, |count| {
            update(JOB_SET, &job_set(count, "b"), &job_set(count, "c"))
        }),
        growing("images that drifted before", drift, |count| {
            let object = |count| {
                applied(
                    "Pod",
                    "",
                    &format!(r#"{{"containers":[{}]}}"#, containers(count)),
                )
            };
            update(POD, &object(count), &object(count))
        }),
        growing(
            "long paths, and globs over any depth",
            json!({ "images": { "reject": paths } }),
            |count| {
                let path = "a/".repeat(100);
                let images = list(count, |index| {
                    format!(r#"{{"image":"ghcr.io/{path}{index}"}}"#)
                });
                create(POD, &pod(&images))
            },
        ),
        growing("annotations in an older spelling", ack(), |count| {
            create(SERVICE, &service(count, ALIAS, "a"))
        }),
        growing(
            "annotations in an older spelling that change",
            ack(),
            |count| {
                update(
                    SERVICE,
                    &service(count, ALIAS, "a"),
                    &service(count, ALIAS, "b"),
                )
            },
        ),
        growing(
            "numbers at a path of the settings",
            json!({ "registries": { "allow": ["ghcr.io"] }, "imagePaths": [{ "kind": "Custom", "path": "spec.images" }] }),
            |count| {
                create(
                    CUSTOM,
                    &format!(
                        r#"{{"spec":{{"images":[{}]}}}}"#,
                        list(count, |_| "1".to_owned())
                    ),
                )
            },
        ),
        growing("numbers for containers", registries.clone(), |count| {
            create(POD, &pod(&list(count, |_| "1".to_owned())))
        }),
        growing("images of one letter", registries.clone(), |count| {
            let images = list(count, |_| r#"{"image":"A"}"#.to_owned());
            create(
                CUSTOM,
                &format!(r#"{{"spec":{{"containers":[{images}]}}}}"#),
            )
        }),
        growing("empty lists in the deep", registries, |count| {
            create(
                CUSTOM,
                &deep(count / 120, |_| r#""containers":[]"#.to_owned()),
            )
        }),
    ]
}

/// What is found by its place or its key, where there is much of it.
pub(super) fn by_place() -> Vec<Growing> {
    let names: Vec<_> = (0..1500).map(|index| format!("name{index}")).collect();
    vec![
        growing(
            "old violations in a template that changes",
            json!({ "registries": { "allow": ["ghcr.io"] } }),
            |count| {
                let object = |value: &str| {
                    let variables = list(count, |index| {
                        format!(r#"{{"name":"v{index}","value":"{value}"}}"#)
                    });
                    let containers =
                        list(100, |index| format!(r#"{{"name":"c{index}","image":"a"}}"#));
                    format!(
                        r#"{{"spec":{{"template":{{"spec":{{"env":[{variables}],"containers":[{containers}]}}}}}}}}"#
                    )
                };
                update(DEPLOYMENT, &object("a"), &object("b"))
            },
        ),
        growing(
            "annotations, and many that are required",
            json!({ "annotations": [{ "required": names }] }),
            |count| create(SERVICE, &service(count, "a", "b")),
        ),
        growing(
            "members of an object whose status is written",
            json!({ "annotations": [{ "required": ["team"] }] }),
            |count| {
                let object = |prefix: &str| {
                    let members = list(count, |index| format!(r#""{prefix}{index}":1"#));
                    format!(
                        r#"{{"metadata":{{"name":"a","annotations":{{"{prefix}":""}}}},{members}}}"#
                    )
                };
                let request = update(CUSTOM, &object("a"), &object("b"));
                request.replacen('{', r#"{"subResource":"status","#, 1)
            },
        ),
        growing(
            "lists of containers under one key",
            json!({ "annotations": [{ "target": "both", "denied": ["a*"] }] }),
            |count| {
                let annotations = list(count, |index| format!(r#""a{index}":"b""#));
                let lists = list(count, |_| r#""containers":[]"#.to_owned());
                create(
                    JOB_SET,
                    &format!(
                        r#"{{"spec":{{"template":{{"metadata":{{"annotations":{{{annotations}}}}},"spec":{{{lists}}}}}}}}}"#
                    ),
                )
            },
        ),
    ]
}
