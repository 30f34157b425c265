//! What becomes of a changed object: the JSON Patch that Kubewarden makes of it.

use json_patch::Patch;
use rollout_guard::wire;
use serde_json::{Value, json};

/// The difference between two objects, as policy-server and kwctl compute it.
pub(crate) fn patch(object: &Value, mutated: &Value) -> Patch {
    json_patch::diff(object, mutated)
}

/// The patch for a Pod with this member, whose image has a mirror. The host reads the text of the
/// API server, and hands on what it has read.
fn patch_beside(member: &str) -> Value {
    let object: Value = serde_json::from_str(&format!(
        r#"{{"spec":{{"containers":[{{"name":"a","image":"redis:7"}}]}},"kind":"Pod","apiVersion":"v1","x":{member}}}"#
    ))
    .unwrap();
    let payload = json!({
        "request": {
            "uid": "1",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "operation": "CREATE",
            "userInfo": { "username": "jane" },
            "object": object,
        },
        "settings": { "mirrors": [{ "source": "docker.io", "mirror": "r.example.com" }] },
    });
    let answer = wire::validate(payload.to_string().as_bytes());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    serde_json::to_value(patch(&object, &answer["mutated_object"])).unwrap()
}

#[test]
fn a_patch_holds_the_named_change_and_no_other() {
    for member in [
        "null",
        "{}",
        "[]",
        "1e2",
        "1E+2",
        "-0",
        "-0.0",
        "0.1",
        "18446744073709551615",
        "-9223372036854775808",
        "20000000000000000000",
        r#""\u00e9\u0007\/\ud83d\ude00""#,
        r#"{"b":1,"a":[null,true,{"image":"redis:7"}],"\u0061\"":2}"#,
    ] {
        let image = json!([{ "op": "replace", "path": "/spec/containers/0/image", "value": "r.example.com/library/redis:7" }]);
        assert_eq!(patch_beside(member), image, "{member}");
    }
}

/// docs/mirrors.md says so.
#[test]
fn some_numbers_are_read_back_as_others_by_the_host_itself() {
    for member in ["94541307296334789365", "6.8965106946085625e-09"] {
        let host: Value = serde_json::from_str(member).unwrap();
        let again: Value = serde_json::from_str(&host.to_string()).unwrap();
        assert_ne!(host, again, "{member}");
        let patch = patch_beside(member);
        let operations = patch.as_array().unwrap();
        assert_eq!(operations.len(), 2, "{patch}");
        let number = json!({ "op": "replace", "path": "/x", "value": again });
        assert_eq!(operations[1], number);
    }
}
