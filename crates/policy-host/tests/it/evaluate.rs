//! The library: what becomes of requests, settings and answers.

use policy_host::{
    AdmissionRequest, FuelMeter, Handling, Host, HostError, Mode, Settings, fuel, payload,
};
use serde_json::{Value, json};

use crate::guest::{ACCEPT, Act, guest, policy, request};

#[track_caller]
fn evaluate(validate: &Act<'_>, request: &Value) -> Value {
    let host = Host::from_bytes(&policy(validate)).unwrap();
    serde_json::to_value(host.evaluate(request, &json!({})).unwrap()).unwrap()
}

#[track_caller]
fn review(answer: &str, mode: Mode, mutating: bool) -> Value {
    let host = Host::from_bytes(&policy(&Act::Answer(answer))).unwrap();
    let request = AdmissionRequest::from_value(&request()).unwrap();
    let handling = Handling { mode, mutating };
    let response = host.review(&request, &Settings::default(), Some(handling));
    serde_json::to_value(response.unwrap()).unwrap()
}

const MUTATE: &str = r#"{"accepted":true,"warnings":["w"],
    "mutated_object":{"kind":"Pod","metadata":{"name":"web"},"spec":{"replicas":2}}}"#;

#[test]
fn passes_on_what_the_policy_answers() {
    let answer = r#"{"accepted":false,"message":"no","code":403,"warnings":["w"],
        "audit_annotations":{"b":"2","a":"1"},"mutated_object":null}"#;
    assert_eq!(
        evaluate(&Act::Answer(answer), &request()),
        json!({
            "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
            "allowed": false,
            "status": {"message": "no", "code": 403},
            "auditAnnotations": {"a": "1", "b": "2"},
            "warnings": ["w"],
        })
    );
}

#[test]
fn refuses_with_500_when_the_guest_fails() {
    for (act, message) in [
        (
            Act::Fail("no rules"),
            "internal server error: Guest call failure: no rules",
        ),
        (
            Act::Trap,
            "internal server error: Guest call failure: error while executing at wasm backtrace:",
        ),
        (
            Act::Answer("{}"),
            "internal server error: invalid response from policy: missing field `accepted` at \
             line 1 column 2",
        ),
        (
            Act::Loop,
            "Policy execution interrupted because it exceeded the allowed execution time",
        ),
    ] {
        let response = evaluate(&act, &request());
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 500);
        let got = response["status"]["message"].as_str().unwrap();
        assert!(got.starts_with(message), "{got}");
    }
}

#[test]
fn makes_a_patch_of_a_changed_object() {
    let host = Host::from_bytes(&policy(&Act::Answer(MUTATE))).unwrap();
    let response = host.evaluate(&request(), &json!({})).unwrap();
    assert_eq!(
        response.patch_operations().unwrap(),
        [json!({"op": "replace", "path": "/spec/replicas", "value": 2})]
    );
}

#[test]
fn makes_no_patch_of_an_object_that_comes_back_unchanged() {
    let answer = json!({"accepted": true, "mutated_object": request()["object"]}).to_string();
    let response = evaluate(&Act::Answer(&answer), &request());
    assert!(response.get("patch").is_none());
    assert!(response.get("patchType").is_none());
}

#[test]
fn refuses_a_mutation_of_nothing() {
    let mut delete = request();
    delete["operation"] = json!("DELETE");
    delete["object"] = Value::Null;
    let response = evaluate(&Act::Answer(MUTATE), &delete);
    assert_eq!(
        response["status"],
        json!({"message": "Incoming object is null, which happens only with DELETE operations, \
            but the policy is attempting a mutation. This is not allowed"})
    );
    assert_eq!(response["allowed"], false);
}

#[test]
fn monitor_mode_allows_all_and_keeps_the_warnings() {
    for answer in [
        MUTATE,
        r#"{"accepted":false,"message":"no","warnings":["w"]}"#,
    ] {
        let response = review(answer, Mode::Monitor, false);
        assert_eq!(
            response,
            json!({
                "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
                "allowed": true,
                "auditAnnotations": null,
                "warnings": ["w"],
            })
        );
    }
}

#[test]
fn refuses_the_mutation_of_a_policy_that_may_not_mutate() {
    let response = review(MUTATE, Mode::Protect, false);
    assert_eq!(response["allowed"], false);
    assert_eq!(
        response["status"],
        json!({"message": "Request rejected by policy policy-from-cli. The policy attempted to \
            mutate the request, but it is currently configured to not allow mutations."})
    );
    assert_eq!(response["warnings"], json!(["w"]));
    assert!(response.get("patch").is_none());
    assert_eq!(review(MUTATE, Mode::Protect, true)["allowed"], true);
}

#[test]
fn drops_nulls_and_unknown_fields_and_sorts_the_keys() {
    let request = json!({
        "userInfo": {"username": "alice", "uid": null, "groups": ["a"], "color": "red"},
        "uid": "1", "operation": "UPDATE",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": null, "requestSubResource": "status", "dryRun": false,
        "object": {"z": null, "a": {"camelCase": 1, "snake_case": 1}},
        "oldObject": null, "options": null, "unknown": true,
    });
    let settings = Settings::from_yaml("{b: 1, a: [x]}").unwrap();
    let expected = r#"{"request":{"dryRun":false,"kind":{"group":"","kind":"Pod","version":"v1"},"object":{"a":{"camelCase":1,"snake_case":1},"z":null},"operation":"UPDATE","requestSubResource":"status","resource":{"group":"","resource":"pods","version":"v1"},"uid":"1","userInfo":{"groups":["a"],"username":"alice"}},"settings":{"a":["x"],"b":1}}"#;
    let bare = AdmissionRequest::from_value(&request).unwrap();
    let bytes = payload(&bare, &settings).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);

    let review = json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request,
    });
    assert_eq!(AdmissionRequest::from_value(&review).unwrap(), bare);
}

#[test]
fn serves_as_it_evaluates() {
    let host = Host::from_bytes(&policy(&Act::FailWithPayload)).unwrap();
    let body = json!({"kind": "AdmissionReview", "request": request()});
    let handling = Handling {
        mode: Mode::Protect,
        mutating: true,
    };
    let served = host
        .serve(body.to_string().as_bytes(), &Settings::default(), handling)
        .unwrap();
    let served: Value = serde_json::from_slice(&served).unwrap();
    let evaluated = host.evaluate(&body, &json!({})).unwrap();
    assert_eq!(
        served,
        json!({
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "response": evaluated,
        })
    );
}

#[test]
fn takes_a_fresh_instance_for_every_call() {
    let counting = Act::CountCalls("first", "later");
    let host = Host::from_bytes(&guest(&counting, &counting, &counting)).unwrap();
    assert_eq!(host.call("validate", b"").unwrap(), b"first");
    assert_eq!(host.call("validate", b"").unwrap(), b"first");
    let instance = host.instance().unwrap();
    assert_eq!(instance.call("validate_settings", b"").unwrap(), b"first");
    assert_eq!(instance.call("validate", b"").unwrap(), b"later");
}

#[test]
fn a_guest_that_fails_finds_the_settings_invalid() {
    let verdict = |settings: &Act<'_>| {
        let wasm = guest(&ACCEPT, settings, &ACCEPT);
        let host = Host::from_bytes(&wasm).unwrap();
        let verdict = host.validate_settings(&json!({"a": 1})).unwrap();
        (verdict.valid, verdict.message.unwrap())
    };
    assert_eq!(
        verdict(&Act::FailWithPayload),
        (
            false,
            "Error invoking settings validation callback: Guest call failure: {\"a\":1}".to_owned()
        )
    );
    assert_eq!(
        verdict(&Act::Answer("[]")).1,
        "error: invalid response from policy: invalid length 0, expected an object with `valid` \
         and `message` at line 1 column 2"
    );
}

#[test]
fn settings_are_an_object_or_null() {
    assert_eq!(Settings::from_yaml("null").unwrap(), Settings::default());
    for (yaml, problem) in [
        ("[a]", "settings are a list, expected an object"),
        ("on", "settings are a string, expected an object"),
        ("3", "settings are a number, expected an object"),
    ] {
        assert_eq!(
            Settings::from_yaml(yaml).unwrap_err().to_string(),
            problem,
            "{yaml}"
        );
    }
}

#[test]
fn names_what_is_wrong_with_a_request() {
    let mut no_user = request();
    no_user.as_object_mut().unwrap().remove("userInfo");
    no_user.as_object_mut().unwrap().remove("uid");
    let mut odd_kind = request();
    odd_kind["kind"] = json!("Pod");
    let mut odd_version = request();
    odd_version["requestKind"] = json!({"group": "", "version": 1, "kind": "Pod"});
    for (request, problem) in [
        (no_user, "the request lacks `uid`, `userInfo`"),
        (
            odd_kind,
            "`kind`: invalid type: string \"Pod\", expected an object of `group`, `version` and \
             `kind`",
        ),
        (
            odd_version,
            "`requestKind.version`: invalid type: integer `1`, expected a string",
        ),
        (
            json!({"kind": "AdmissionReview"}),
            "the AdmissionReview holds no `request`",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod"}),
            "expected an AdmissionReview or its request, got a `Pod`",
        ),
        (
            json!([]),
            "expected an AdmissionReview or its request, got a list",
        ),
    ] {
        assert_eq!(
            AdmissionRequest::from_value(&request)
                .unwrap_err()
                .to_string(),
            problem
        );
    }
}

#[test]
fn asks_as_the_audit_scanner_asks() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
        "status": {"replicas": 1},
    });
    assert_eq!(
        serde_json::to_value(AdmissionRequest::audit(&object).unwrap()).unwrap(),
        json!({
            "uid": "u", "name": "web", "namespace": "shop", "operation": "CREATE",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "requestKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "resource": {"group": "apps", "version": "v1", "resource": "Deployment"},
            "userInfo": {},
            "object": object,
        })
    );
    let list = json!({"apiVersion": "v1", "kind": "List", "items": []});
    assert_eq!(
        AdmissionRequest::audit(&list).unwrap_err().to_string(),
        "not a live object: a `List` is not scanned, only what it holds"
    );
}

#[test]
fn counts_the_same_instructions_every_time() {
    let wasm = policy(&ACCEPT);
    let count = fuel(&wasm, b"{}").unwrap();
    assert_eq!(count.answer, br#"{"accepted":true}"#);
    assert_eq!(count, fuel(&wasm, b"{}").unwrap());
    // Only calls of the host lie between the two: the payload's size costs the guest nothing.
    assert_eq!(count, fuel(&wasm, &[b' '; 5000]).unwrap());
    assert_eq!(count.total(), count.init + count.call);

    let failure = fuel(&policy(&Act::Trap), b"{}").unwrap_err();
    assert_eq!(
        failure.to_string(),
        "Guest call failure: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[test]
fn knows_the_protocol_version() {
    let answering = |protocol| guest(&ACCEPT, &ACCEPT, &Act::Answer(protocol));
    let host = Host::from_bytes(&answering("\"v1\"")).unwrap();
    host.check_protocol().unwrap();
    let host = Host::from_bytes(&answering("\"v2\"")).unwrap();
    assert!(matches!(host.check_protocol(), Err(HostError::Protocol(_))));
}

#[test]
fn can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Host>();
    shared::<FuelMeter>();
}
