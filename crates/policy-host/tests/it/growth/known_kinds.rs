//! Objects of well-known kinds, and placeholders.

use serde_json::json;

use super::*;

const WORKFLOW: (&str, &str) = ("argoproj.io", "Workflow");
const TASK: (&str, &str) = ("tekton.dev", "Task");

pub(super) fn requests() -> Vec<Growing> {
    let registries = json!({ "registries": { "allow": ["ghcr.io"] } });
    let lists = json!({
        "registries": { "allow": (0..50).map(|index| format!("registry{index}.example.com/a/*/b")).collect::<Vec<_>>(), "reject": ["docker.io/evil"] },
        "images": { "reject": (0..50).map(|index| format!("*/**/redis{index}")).collect::<Vec<_>>(), "allow": ["*/**"] },
        "tags": { "allow": (0..50).map(|index| format!("*.{index}")).collect::<Vec<_>>() },
        "mirrors": [{ "source": "quay.io/a/*/b", "mirror": "m.example.com/{repository}" }],
    });
    vec![
        growing("empty templates of Argo", registries.clone(), |count| {
            create(WORKFLOW, &templates(&list(count, |_| "{}".to_owned())))
        }),
        growing("templates of Argo", registries.clone(), |count| {
            create(
                WORKFLOW,
                &templates(&list(count, |_| r#"{"a":1}"#.to_owned())),
            )
        }),
        growing(
            "members of a template of Argo",
            registries.clone(),
            |count| {
                let members = list(count, |_| r#""a":1"#.to_owned());
                create(WORKFLOW, &templates(&format!("{{{members}}}")))
            },
        ),
        growing(
            "templates of Argo in templates",
            registries.clone(),
            |count| {
                let steps = deep_in("{}", 30, |below| {
                    format!(
                        r#"{{"steps":[[{{"inline":{below}}}]],"container":{{"image":"ghcr.io/a"}}}}"#
                    )
                });
                create(WORKFLOW, &templates(&list(count / 16, |_| steps.clone())))
            },
        ),
        growing("volumes in volumes", registries.clone(), |count| {
            let volume = |index: usize| {
                format!(r#"{{"csi":{{"volumeAttributes":{{"image":"ghcr.io/a{index}"}}}}}}"#)
            };
            let volumes = deep_in("[]", 36, |below| {
                format!(
                    r#"[{{"csi":{{"volumeAttributes":{{"image":"ghcr.io/a"}},"volumes":{below}}}}},{}]"#,
                    list(count / 36, volume)
                )
            });
            create(CUSTOM, &format!(r#"{{"spec":{{"volumes":{volumes}}}}}"#))
        }),
        growing("numbers for images", registries.clone(), |count| {
            create(TASK, &steps(&list(count, |_| r#"{"image":1}"#.to_owned())))
        }),
        growing("images of steps", registries, |count| {
            create(TASK, &steps(&images(count, "ghcr.io/a/")))
        }),
        growing("placeholders", lists.clone(), |count| {
            create(
                TASK,
                &steps(&images_with(count, |index| format!("$(params.x{index})"))),
            )
        })
        .up_to(110, 64),
        growing("placeholders in paths", lists.clone(), |count| {
            create(
                TASK,
                &steps(&images_with(count, |index| {
                    format!(
                        "registry{}.example.com/a/$(params.x{index})/b:$(params.x)",
                        index % 50
                    )
                })),
            )
        })
        .up_to(85, 64),
        growing("one placeholder", lists, |count| {
            create(
                TASK,
                &steps(&images_with(count, |_| "$(params.image)".to_owned())),
            )
        }),
    ]
}

fn templates(templates: &str) -> String {
    format!(r#"{{"spec":{{"templates":[{templates}]}}}}"#)
}

fn steps(steps: &str) -> String {
    format!(r#"{{"spec":{{"steps":[{steps}]}}}}"#)
}

fn images_with(count: usize, image: impl Fn(usize) -> String) -> String {
    list(count, |index| format!(r#"{{"image":"{}"}}"#, image(index)))
}

/// Something in itself, so many levels deep.
fn deep_in(innermost: &str, levels: usize, around: impl Fn(&str) -> String) -> String {
    (0..levels).fold(innermost.to_owned(), |below, _| around(&below))
}
