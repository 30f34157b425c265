//! `policy-host show`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{command::Workshop, guest::request};

/// A directory with a request about this object, and an answer with this patch.
fn workshop(name: &str, object: &Value, patch: &Value) -> Workshop {
    let mut request = request();
    request["object"] = object.clone();
    let patch = STANDARD.encode(patch.to_string());
    let answer = json!({ "uid": "1", "allowed": true, "patchType": "JSONPatch", "patch": patch });
    let workshop = Workshop::new(name);
    workshop
        .file("request.json", request.to_string())
        .file("answer.json", answer.to_string());
    workshop
}

#[test]
fn shows_a_patch_as_text() {
    let object = json!({
        "metadata": { "annotations": { "a.b/c~d": "x" } },
        "spec": { "containers": [{ "image": "a" }, { "image": "b" }], "replicas": 1 },
    });
    let patch = json!([
        { "op": "replace", "path": "/spec/containers/1/image", "value": "c\u{1b}[2J" },
        { "op": "remove", "path": "/spec/containers/0" },
        { "op": "replace", "path": "/spec/containers/0/image", "value": "d" },
        { "op": "add", "path": "/spec/imagePullSecrets", "value": [{ "name": "pull" }] },
        { "op": "remove", "path": "/metadata/annotations/a.b~1c~0d" },
        { "op": "replace", "path": "/spec/replicas", "value": 2 },
    ]);
    let shown = workshop("show-patch", &object, &patch)
        .host("show -r request.json answer.json")
        .stdout;
    let changes = "
Verdict
  allowed, with changes

Changes
  - spec.containers[1].image: `b` becomes `c\\u{1b}[2J`
  - spec.containers[0]: {\"image\":\"a\"} is removed
  - spec.containers[0].image: `c\\u{1b}[2J` becomes `d`
  - spec.imagePullSecrets: [{\"name\":\"pull\"}] is added
  - metadata.annotations[\"a.b/c~d\"]: `x` is removed
  - spec.replicas: 1 becomes 2

Answer to the API server
";
    assert!(shown.contains(changes), "{shown}");
}

#[test]
fn says_when_a_patch_is_not_for_the_request() {
    let patch = json!([{ "op": "remove", "path": "/spec/replicas" }]);
    let shown = workshop("show-other", &json!({}), &patch).host("show -r request.json answer.json");
    assert_eq!(shown.code, 1);
    let problem = "`answer.json`: `patch`: made for another object than that of the request";
    assert!(shown.stderr.contains(problem), "{}", shown.stderr);
    let shown = workshop("show-nonsense", &json!({}), &json!(1))
        .host("show -r request.json answer.json")
        .stderr;
    assert!(
        shown.contains("`answer.json`: `patch`: not a JSON Patch"),
        "{shown}"
    );
}
