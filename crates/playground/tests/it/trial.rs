//! Texts as people write them.

use rollout_guard_playground::{answer, files};
use serde_json::{Value, json};

const MIRRORS: &str = "\
# Where the nodes pull from.
registries:
  allow: [registry.example.com]
mirrors:
  - source: docker.io/library
    mirror: registry.example.com/library
";

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  containers:
    - { name: é, image: redis }
    - name: cache
      image: \"redis:7\"
";

fn ask(trial: &Value) -> Value {
    serde_json::from_str(&answer(&trial.to_string()).unwrap()).unwrap()
}

fn place(mark: &Value) -> (u64, u64) {
    (
        mark["line"].as_u64().unwrap(),
        mark["column"].as_u64().unwrap(),
    )
}

#[test]
fn shows_every_image_before_and_after_and_the_patch() {
    let said = ask(&json!({ "settings": MIRRORS, "manifest": POD }));
    let verdict = &said["verdicts"][0];
    assert_eq!(
        verdict["accepted"], false,
        "nobody asks, so that nothing is rewritten: {said:#}"
    );
    assert_eq!(verdict["object"]["kind"], "Pod");
    assert_eq!(verdict["operation"], "CREATE");
    let images = verdict["images"].as_array().unwrap();
    let shown: Vec<_> = images
        .iter()
        .map(|image| {
            (
                place(image),
                image["image"].as_str(),
                image["rewritten"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ((6, 25), Some("redis"), None),
            ((8, 14), Some("redis:7"), None)
        ]
    );

    let said = ask(&json!({ "settings": MIRRORS, "manifest": POD, "user": "jane" }));
    let verdict = &said["verdicts"][0];
    assert_eq!(
        verdict["images"][1]["rewritten"],
        "registry.example.com/library/redis:7"
    );
    assert_eq!(
        verdict["patch"][1],
        json!({ "op": "replace", "path": "/spec/containers/1/image", "value": "registry.example.com/library/redis:7" })
    );
    assert_eq!(
        verdict["auditAnnotations"]["rewritten"],
        "redis=registry.example.com/library/redis,redis:7=registry.example.com/library/redis:7"
    );
}

#[test]
fn lists_the_images_at_image_paths() {
    let settings =
        "imagePaths: [{ kind: ImagePullJob, path: spec.image }]\ntags: { reject: [latest] }\n";
    let manifest = "apiVersion: apps.kruise.io/v1alpha1\nkind: ImagePullJob\nmetadata: { name: a }\nspec:\n  image: nginx\n";
    let said = ask(&json!({ "settings": settings, "manifest": manifest, "user": "jane" }));
    let verdict = &said["verdicts"][0];
    assert_eq!(verdict["images"][0]["image"], "nginx");
    assert_eq!(place(&verdict["images"][0]), (5, 10));
    assert_eq!(place(&verdict["findings"][0]), (5, 10));
}

#[test]
fn marks_what_is_wrong_in_the_text_that_holds_it() {
    let wrong = |trial: &Value| {
        let said = ask(trial);
        let marks = |text: &str| {
            let marks = if text == "settings" {
                &said["settings"]["marks"]
            } else {
                &said[text]
            };
            let marks = marks.as_array().unwrap().iter();
            marks
                .map(|mark| {
                    format!(
                        "{text}:{}: {}",
                        mark["line"],
                        mark["message"].as_str().unwrap()
                    )
                })
                .collect::<Vec<_>>()
        };
        ["settings", "manifest", "old"].map(marks).concat()
    };
    assert_eq!(
        wrong(&json!({ "settings": "tags:\n  rejct: [latest]\n", "manifest": POD })),
        ["settings:2: unknown key, did you mean `reject`?"]
    );
    let broken = wrong(&json!({ "settings": "tags: [\n", "manifest": "a: 'b\n" }));
    assert!(broken[0].starts_with("settings:"), "{broken:?}");
    assert!(broken[1].starts_with("manifest:"), "{broken:?}");
    assert_eq!(
        wrong(&json!({ "settings": MIRRORS, "manifest": "# a\nspec: {}\n" })),
        ["manifest:2: no Kubernetes object: it needs `apiVersion` and `kind`"]
    );
    assert_eq!(
        wrong(
            &json!({ "settings": MIRRORS, "manifest": POD, "operation": "UPDATE", "old": POD.replace("name: web", "name: other") })
        ),
        ["old:1: the manifest has no Pod shop/other: this is not used"]
    );
    assert_eq!(
        wrong(&json!({ "settings": "kind: Pod\napiVersion: v1\n" })),
        ["settings:1: neither settings nor a policy of Kubewarden"]
    );
    assert_eq!(wrong(&json!({})), [""; 0], "an empty page is no mistake");
}

#[test]
fn an_update_has_the_object_of_the_same_name_as_it_was() {
    let settings = "changes: [{ name: git, match: { kinds: [Pod] }, guard: [images] }]\n";
    let old = format!("{}---\n{POD}", POD.replace("name: web", "name: other"));
    let manifest = POD.replace("redis:7", "redis:8");
    let ask_as = |operation: &str| {
        ask(
            &json!({ "settings": settings, "manifest": manifest, "old": old, "operation": operation, "user": "jane" }),
        )
    };
    let said = ask_as("UPDATE");
    assert_eq!(
        said["verdicts"][0]["findings"][0]["code"],
        "change-not-allowed"
    );
    assert_eq!(place(&said["verdicts"][0]["findings"][0]), (8, 14));
    assert_eq!(ask_as("CREATE")["verdicts"][0]["accepted"], true);
    let settings = settings.replace("guard: [images]", "guardDelete: true");
    let said = ask(
        &json!({ "settings": settings, "manifest": POD, "operation": "DELETE", "user": "jane" }),
    );
    assert_eq!(
        said["verdicts"][0]["findings"][0]["code"],
        "delete-not-allowed"
    );
    assert_eq!(place(&said["verdicts"][0]["findings"][0]), (3, 19));
}

#[test]
fn a_request_that_cannot_be_read_is_marked_in_the_review() {
    let review = "{\n  \"kind\": \"AdmissionReview\",\n  \"request\": {\n    \"uid\": \"1\",\n    \"operation\": \"FLY\",\n    \"object\": {}\n  }\n}\n";
    let said = ask(&json!({ "settings": MIRRORS, "manifest": review }));
    assert_eq!(said["isReview"], true);
    let finding = &said["verdicts"][0]["findings"][0];
    assert_eq!(finding["code"], "request-malformed");
    assert!(finding["line"].as_u64() >= Some(3), "{finding}");
}

#[test]
fn a_policy_is_asked_by_its_rules_only() {
    let policy = |resources: &str| {
        let settings = MIRRORS.replace('\n', "\n    ");
        format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: a }}\nspec:\n  module: registry://example.com/rollout-guard:v1\n  mutating: true\n  rules:\n    - {{ apiGroups: [\"\"], apiVersions: [v1], resources: [{resources}], operations: [CREATE, UPDATE] }}\n  settings:\n    {settings}"
        )
    };
    let ask_with = |resources: &str, manifest: &str| {
        let said =
            ask(&json!({ "settings": policy(resources), "manifest": manifest, "user": "jane" }));
        said["verdicts"][0]["isAsked"] == true
    };
    assert!(ask_with("pods", POD));
    assert!(ask_with("\"*\"", POD));
    assert!(!ask_with("services", POD));
    assert!(!ask_with("pods/ephemeralcontainers", POD));
    let review = json!({ "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "resource": { "group": "", "version": "v1", "resource": "pods" },
        "subResource": "ephemeralcontainers", "operation": "UPDATE",
        "userInfo": { "username": "jane" }, "namespace": "shop",
        "object": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" }, "spec": {} },
    } })
    .to_string();
    for resources in [
        "pods/ephemeralcontainers",
        "pods/*",
        "\"*/*\"",
        "\"*/ephemeralcontainers\"",
    ] {
        assert!(ask_with(resources, &review), "{resources}");
    }
    assert!(!ask_with("pods", &review));
    assert!(!ask_with("\"*\"", &review));
}

#[test]
fn the_policy_to_copy_has_the_settings_as_they_are_written() {
    let take = |settings: &str| -> Value {
        let trial = json!({ "settings": settings, "manifest": POD, "user": "jane" });
        serde_json::from_str(&files(&trial.to_string()).unwrap()).unwrap()
    };
    let taken = take(MIRRORS);
    let policy = taken["policy"].as_str().unwrap();
    assert!(
        policy.contains("    # Where the nodes pull from.\n    registries:\n"),
        "{policy}"
    );
    assert!(policy.contains("mutating: true"), "{policy}");
    assert!(
        policy.contains("module: registry://ghcr.io/rollout-guard/rollout-guard:v"),
        "{policy}"
    );
    assert!(!policy.contains("DELETE"), "{policy}");
    let said = ask(&json!({ "settings": policy, "manifest": POD, "user": "jane" }));
    assert_eq!(said["settings"]["marks"], json!([]));
    assert_eq!(
        said["verdicts"][0]["images"][1]["rewritten"],
        "registry.example.com/library/redis:7"
    );
    let review: Value = serde_json::from_str(taken["requests"][0].as_str().unwrap()).unwrap();
    assert_eq!(review["request"]["resource"]["resource"], "pods");
    assert_eq!(review["request"]["object"]["metadata"]["name"], "web");

    let policy = take("changes: [{ name: a, match: { kinds: [Service] }, guardDelete: true }]\n");
    let policy = policy["policy"].as_str().unwrap();
    assert!(policy.contains("mutating: false"), "{policy}");
    assert!(policy.contains("DELETE"), "{policy}");
    // What cannot stand below a key as it is written.
    for odd in [
        "%YAML 1.2\n---\ntags: { reject: [latest] }\n",
        "--- { tags: { reject: [latest] } }\n",
        "{\"tags\":\n\t{\"reject\": [\"latest\"]}}",
        "---\ntags:\n  reject: [latest]\n...\n",
    ] {
        let policy = take(odd);
        let policy = policy["policy"].as_str().unwrap_or_else(|| panic!("{odd}"));
        let said = ask(&json!({ "settings": policy, "manifest": POD }));
        assert_eq!(said["settings"]["marks"], json!([]), "{policy}");
        assert_eq!(
            said["verdicts"][0]["findings"][0]["code"], "tag-rejected",
            "{policy}"
        );
    }
    assert_eq!(take("tags: 1\n")["policy"], Value::Null);
}

#[test]
fn what_is_no_trial_is_an_error() {
    assert!(answer("{").is_err());
    assert!(answer(r#"{"sttings":""}"#).is_err());
    assert!(files("null").is_err());
}

#[test]
fn says_of_settings_in_json_too_that_no_registry_is_asked() {
    let settings = r#"{ "mirrors": [{ "source": "docker.io/library", "mirror": "registry.example.com/library", "checkExists" : true }] }"#;
    let said = ask(&json!({ "settings": settings, "manifest": POD }));
    let notes = said["settings"]["notes"].as_array().unwrap();
    assert!(
        notes[0].as_str().unwrap().contains("`checkExists`"),
        "{said:#}"
    );
    let without = settings.replace("true", "false");
    let said = ask(&json!({ "settings": without, "manifest": POD }));
    assert_eq!(said["settings"]["notes"], json!([]));
}

#[test]
fn shows_place_and_code_of_a_long_place_once() {
    let key = "a".repeat(600);
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: a, annotations: {{ {key}: b }} }}\n"
    );
    let settings = "annotations: [{ denied: [\"a*\"] }]";
    let said = ask(&json!({ "settings": settings, "manifest": manifest }));
    let finding = &said["verdicts"][0]["findings"][0];
    assert_eq!(finding["code"], "annotation-denied", "{said:#}");
    assert_eq!(
        finding["text"],
        "value `b`: rule `annotations[0]`: it is denied by `a*`, remove it"
    );
}
