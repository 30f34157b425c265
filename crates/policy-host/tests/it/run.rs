//! `policy-host run`.

use std::{io::Write, process::Stdio};

use serde_json::Value;

use crate::{
    command::{Outcome, Workshop, outcome},
    guest::{ACCEPT, Act, guest, policy, request},
};

fn workshop(name: &str, validate: &Act<'_>) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("policy.wasm", policy(validate))
        .file("request.json", request().to_string());
    workshop
}

#[track_caller]
fn answers(workshop: &Workshop, arguments: &str, line: &str) {
    let expected = Outcome {
        code: 0,
        stdout: format!("{line}\n"),
        stderr: String::new(),
    };
    assert_eq!(workshop.host(arguments), expected, "{arguments}");
}

#[test]
fn prints_one_line_in_the_form_of_kwctl() {
    let workshop = workshop("run-accept", &ACCEPT);
    answers(
        &workshop,
        "run -r request.json policy.wasm",
        r#"{"uid":"1299d386-525b-4032-98ae-1949f69f9cfc","allowed":true,"auditAnnotations":null,"warnings":null}"#,
    );
}

#[test]
fn a_denial_is_no_failure() {
    let answer = r#"{"accepted":false,"message":"no","code":403}"#;
    let workshop = workshop("run-deny", &Act::Answer(answer));
    answers(
        &workshop,
        "run --request-path request.json policy.wasm",
        r#"{"uid":"1299d386-525b-4032-98ae-1949f69f9cfc","allowed":false,"status":{"message":"no","code":403},"auditAnnotations":null,"warnings":null}"#,
    );
    answers(
        &workshop,
        "run -r request.json --mode monitor policy.wasm",
        r#"{"uid":"1299d386-525b-4032-98ae-1949f69f9cfc","allowed":true,"auditAnnotations":null,"warnings":null}"#,
    );
}

#[test]
fn prints_the_patch_in_base64() {
    let answer =
        r#"{"accepted":true,"mutated_object":{"kind":"Pod","metadata":{"name":"web"},"spec":{}}}"#;
    let workshop = workshop("run-mutate", &Act::Answer(answer));
    answers(
        &workshop,
        "run -r request.json policy.wasm",
        r#"{"uid":"1299d386-525b-4032-98ae-1949f69f9cfc","allowed":true,"patchType":"JSONPatch","patch":"W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL3NwZWMvcmVwbGljYXMifV0=","auditAnnotations":null,"warnings":null}"#,
    );
    let refused = workshop.host("run -r request.json --not-mutating policy.wasm");
    assert!(refused.stdout.contains("attempted to mutate"));
}

#[test]
fn gives_the_policy_its_settings_from_yaml_or_json() {
    let workshop = workshop("run-settings", &Act::FailWithPayload);
    workshop
        .file("settings.yaml", "names: [a]\nnested: {on: true}\n")
        .file("empty.yaml", "{}\n");
    for (arguments, settings) in [
        ("", "{}"),
        ("-s empty.yaml", "{}"),
        (
            "-s settings.yaml",
            r#"{"names":["a"],"nested":{"on":true}}"#,
        ),
        ("--settings-json {\"names\":[\"a\"]}", r#"{"names":["a"]}"#),
        ("--settings-json null", "{}"),
    ] {
        let outcome = workshop.host(&format!("run -r request.json {arguments} policy.wasm"));
        let response: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let message = response["status"]["message"].as_str().unwrap();
        assert!(
            message.ends_with(&format!(r#""settings":{settings}}}"#)),
            "{message}"
        );
    }
}

#[test]
fn reads_reviews_yaml_and_standard_input() {
    let workshop = workshop("run-forms", &Act::FailWithPayload);
    let review = serde_json::json!({"kind": "AdmissionReview", "request": request()});
    workshop
        .file("review.json", review.to_string())
        .file("request.yaml", yaml_serde::to_string(&request()).unwrap());
    let bare = workshop.host("run -r request.json policy.wasm");
    assert_eq!(bare, workshop.host("run -r review.json policy.wasm"));
    assert_eq!(bare, workshop.host("run -r request.yaml policy.wasm"));

    let mut child = workshop
        .command("run -r - policy.wasm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request().to_string().as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(bare, outcome(&child.wait_with_output().unwrap()));
}

#[test]
fn asks_the_audit_scanners_question_about_a_live_object() {
    let workshop = workshop("run-audit", &Act::FailWithPayload);
    workshop.file(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, uid: u-1}\n",
    );
    let audited = workshop.host("run --audit -r pod.yaml policy.wasm");
    let response: Value = serde_json::from_str(&audited.stdout).unwrap();
    assert_eq!(response["uid"], "u-1");
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.contains(r#""resource":{"group":"","resource":"Pod","version":"v1"}"#),
        "{message}"
    );
    workshop.fails(
        1,
        "run -r pod.yaml policy.wasm",
        "`pod.yaml`: expected an AdmissionReview or its request, got a `Pod`; `--audit` judges \
         it as the audit scanner would",
    );
}

#[test]
fn stops_at_settings_that_the_policy_does_not_want() {
    let workshop = workshop("run-invalid-settings", &ACCEPT);
    let settings = Act::Answer(r#"{"valid":false,"message":"2 problems:\na: x\nb: \u001b[1m"}"#);
    workshop.file("policy.wasm", guest(&ACCEPT, &settings, &ACCEPT));
    workshop.fails(
        1,
        "run -r request.json policy.wasm",
        "Provided settings are not valid: 2 problems:\na: x\nb: \\u{1b}[1m",
    );
}

#[test]
fn takes_one_instance_for_both_calls_only_on_demand() {
    let workshop = workshop("run-instances", &ACCEPT);
    let validate = Act::CountCalls(r#"{"accepted":true}"#, r#"{"accepted":false}"#);
    let settings = Act::Answer(r#"{"valid":true}"#);
    workshop.file("policy.wasm", guest(&validate, &settings, &ACCEPT));
    let fresh = workshop.host("run -r request.json policy.wasm");
    assert!(fresh.stdout.contains(r#""allowed":true"#));
    let same = workshop.host("run -r request.json --same-instance policy.wasm");
    assert!(same.stdout.contains(r#""allowed":false"#));
}

#[test]
fn shows_the_log_and_fails_on_a_bad_one() {
    let log = |entry| Act::CallHost(["kubewarden", "tracing", "log", entry]);
    let workshop = workshop("run-log", &log(r#"{"level":"info","message":"it's\n1"}"#));
    let logged = workshop.host("run -r request.json policy.wasm");
    assert_eq!(logged.code, 0);
    assert_eq!(logged.stderr, "policy log: info: it's\\n1\n");

    workshop.file("policy.wasm", policy(&log(r#"{"level":"warn"}"#)));
    workshop.fails(
        1,
        "run -r request.json policy.wasm",
        "the policy wrote an invalid log entry: unknown level `warn`, expected `trace`, `debug`, \
         `info`, `warning` or `error` at line 1 column 16 in `{\"level\":\"warn\"}`",
    );
}

#[test]
fn survives_a_guest_that_points_beyond_its_memory() {
    let workshop = workshop("run-overreach", &Act::Overreach);
    let stopped = workshop.host("run -r request.json policy.wasm");
    assert_eq!((stopped.code, stopped.stdout.as_str()), (1, ""));
    assert!(
        stopped.stderr.starts_with("error: internal error: range"),
        "{}",
        stopped.stderr
    );
    workshop.fails(
        1,
        "bench --fuel -r request.json policy.wasm",
        "`policy`: Guest call failure: the guest points beyond its memory",
    );
}

const SESSION: &str = r#"
- type: Exchange
  request: "!OciManifestDigest {image: redis:7}"
  response: {type: Success, payload: '{"digest":"sha256:00"}'}
- type: Exchange
  request: "!OciManifestDigest {image: redis:8}"
  response: {type: Error, message: manifest unknown}
"#;

fn asks_for_a_digest(name: &str, image: &str) -> Workshop {
    let payload = format!("\"{image}\"");
    let call = ["kubewarden", "oci", "v1/manifest_digest", &payload];
    let workshop = workshop(name, &Act::TellAnswer(call));
    workshop.file("session.yaml", SESSION);
    workshop
}

const REPLAY: &str =
    "run -r request.json --replay-host-capabilities-interactions session.yaml policy.wasm";

#[test]
fn replays_a_session_and_warns_of_what_is_left() {
    let workshop = asks_for_a_digest("run-replay", "redis:7");
    let replayed = workshop.host(REPLAY);
    assert!(
        replayed.stdout.contains(r#"{\"digest\":\"sha256:00\"}"#),
        "{}",
        replayed.stdout
    );
    assert_eq!(
        (replayed.code, replayed.stderr.as_str()),
        (
            0,
            "warning: `session.yaml`: not asked for: 1 of the recorded exchanges, the first is \
             OciManifestDigest { image: \"redis:8\" }\n"
        )
    );
}

#[test]
fn a_session_of_something_else_is_an_error_to_the_policy() {
    let workshop = asks_for_a_digest("run-replay-other", "redis:9");
    let replayed = workshop.host(REPLAY);
    let response: Value = serde_json::from_str(&replayed.stdout).unwrap();
    assert_eq!(
        response["status"]["message"],
        "internal server error: Guest call failure: Callback evaluation failure: Replay error: \
         unexpected request. Was expecting OciManifestDigest { image: \"redis:7\" }, got \
         OciManifestDigest { image: \"redis:9\" } instead"
    );
    workshop.file("session.yaml", "[]");
    let replayed = workshop.host(REPLAY);
    assert!(
        replayed
            .stdout
            .contains("failure: the list of recorded responses is empty"),
        "{}",
        replayed.stdout
    );
    assert_eq!(replayed.stderr, "");
}

#[test]
fn stops_at_a_session_that_cannot_be_read() {
    let workshop = asks_for_a_digest("run-replay-broken", "redis:7");
    workshop.file("session.yaml", "a: 1");
    workshop.fails(
        1,
        REPLAY,
        "`session.yaml`: not a session: invalid type: map, expected a sequence",
    );
    workshop.fails(
        1,
        "run -r request.json --replay-host-capabilities-interactions none.yaml policy.wasm",
        "cannot read `none.yaml`: no such file or directory",
    );
}

#[test]
fn stops_at_a_capability_that_kubewarden_does_not_have() {
    workshop("run-capability", &ACCEPT).fails(
        2,
        "run -r request.json --allowed-host-capabilities oci/v9/* -- policy.wasm",
        "invalid value `oci/v9/*` for `--allowed-host-capabilities [<PATTERN>...]`: unknown \
         segment `v9`, expected `v1` or `v2`",
    );
}
