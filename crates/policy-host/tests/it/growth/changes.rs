//! Images and annotations that are rewritten, removed or asked for.

use serde_json::{Value, json};

use super::*;

pub(super) fn requests() -> Vec<Growing> {
    let removing = |rule: Value| {
        let mut rule = rule;
        rule["action"] = json!("remove");
        rule["target"] = json!("both");
        json!({ "annotations": [rule] })
    };
    let mirrors = json!([{ "source": "docker.io/library", "mirror": "m.example.com/hub" }]);
    let checked = json!({ "mirrors": [{ "source": "docker.io/library", "mirror": "m.example.com/hub", "checkExists": true }], "rewrite": "workloads",
        "changes": [{ "guard": ["images"], "allowUsers": ["bot"] }] });
    vec![
        growing(
            "annotations that are removed",
            removing(json!({ "denied": ["a*"] })),
            |count| create(SERVICE, &service(count, "a", "")),
        ),
        growing(
            "annotations of a template that are removed",
            removing(json!({ "denied": ["a*"] })),
            |count| create(DEPLOYMENT, &template(count, "")),
        ),
        growing(
            "annotations that are removed from what changes",
            removing(json!({ "denied": ["a*"] })),
            |count| update(SERVICE, &service(count, "a", ""), &service(count, "b", "")),
        ),
        growing(
            "annotations that were there and are removed",
            removing(json!({ "denied": ["a*"] })),
            |count| update(SERVICE, &service(count, "a", ""), &service(count, "a", "")),
        ),
        growing(
            "images in annotations that are removed",
            {
                let mut settings = removing(json!({ "denied": ["a*"] }));
                settings["mirrors"] = mirrors.clone();
                settings["imagePaths"] = (0..20).map(|index| json!({ "kind": "Service", "path": format!("metadata.annotations.a{index}") })).collect();
                settings
            },
            |count| create(SERVICE, &service(count, "a", "b")),
        ),
        growing(
            "images that are rewritten in a template",
            json!({ "mirrors": mirrors, "rewrite": "workloads" }),
            |count| update(DEPLOYMENT, &deployment(count, "a"), "{}"),
        ).up_to(43, 64),
        growing(
            "images that are rewritten in a template, and others before",
            json!({ "mirrors": mirrors, "rewrite": "workloads" }),
            |count| update(DEPLOYMENT, &deployment(count, "a"), &deployment(count, "b")),
        ).up_to(60, 64),
        growing(
            "images that are rewritten in a Pod",
            json!({ "mirrors": mirrors }),
            |count| create(POD, &pod(&images(count, "a"))),
        ).up_to(43, 64),
        growing(
            "images in data that are rewritten",
            json!({ "mirrors": mirrors, "rewrite": "workloads", "imagePaths": [{ "kind": "Custom", "path": "data.images" }] }),
            |count| {
                create(
                    CUSTOM,
                    &format!(
                        r#"{{"data":{{"images":[{}]}}}}"#,
                        list(count, |index| format!(r#""a{index}""#))
                    ),
                )
            },
        ).up_to(77, 66),
        growing(
            "images in data that are rewritten and guarded",
            json!({ "mirrors": mirrors, "rewrite": "workloads", "imagePaths": [{ "kind": "Custom", "path": "data.images" }], "changes": [{ "guard": ["images"], "allowUsers": ["bot"] }] }),
            |count| {
                let object = |name: &str| {
                    format!(
                        r#"{{"data":{{"images":[{}]}}}}"#,
                        list(count, |index| format!(r#""{name}{index}""#))
                    )
                };
                update(CUSTOM, &object("a"), &object("b"))
            },
        ).up_to(178, 72),
        growing(
            "images to ask registries for, guarded",
            checked.clone(),
            |count| update(DEPLOYMENT, &deployment(count, "a"), &deployment(count, "b")),
        ).up_to(95, 64),
        growing("images to ask registries for", checked, |count| {
            create(DEPLOYMENT, &deployment(count, "a"))
        }),
    ]
}
