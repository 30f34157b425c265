//! What a policy may ask of its host.

use std::sync::{Arc, Mutex};

use policy_host::{FuelMeter, Host};
use serde_json::json;

use crate::guest::{Act, policy, request};

#[track_caller]
fn outcome(call: [&str; 4]) -> String {
    let wasm = policy(&Act::CallHost(call));
    let host = Host::from_bytes(&wasm).unwrap();
    let outcome = match host.evaluate(&request(), &json!({})) {
        Ok(response) if response.allowed => "accepted".to_owned(),
        Ok(response) => response.status.unwrap().message.unwrap(),
        Err(error) => error.to_string(),
    };
    // The other linker answers in the same way.
    let counted = FuelMeter::load(&wasm).unwrap().measure("validate", b"{}");
    let counted = counted.map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
    assert!(outcome.ends_with(&counted), "{outcome} / {counted}");
    outcome
}

#[test]
fn refuses_every_capability_with_the_text_of_policy_server() {
    for ([binding, namespace, operation], text) in [
        (
            ["kubewarden", "oci", "v1/manifest_digest"],
            "Policy has not been granted access to the 'oci/v1/manifest_digest' host capability. \
             The violation has been reported.",
        ),
        (
            ["kubewarden", "kubernetes", "get_resource"],
            "Policy has not been granted access to the 'kubernetes/get_resource' host \
             capability. The violation has been reported.",
        ),
        (
            ["kubewarden", "tracing", "trace"],
            "unknown operation: trace",
        ),
        (["wapc", "tracing", "log"], "unknown binding: wapc"),
    ] {
        assert_eq!(
            outcome([binding, namespace, operation, "\"x\""]),
            format!("internal server error: Guest call failure: {text}")
        );
    }
}

#[test]
fn takes_log_entries() {
    let entry = r#"{"level":"WARNING","message":"a\nb","line":3}"#;
    let wasm = policy(&Act::CallHost(["kubewarden", "tracing", "log", entry]));
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    let host = Host::from_bytes(&wasm)
        .unwrap()
        .on_log(move |entry| sink.lock().unwrap().push(entry.to_string()));
    assert!(host.evaluate(&request(), &json!({})).unwrap().allowed);
    assert_eq!(*log.lock().unwrap(), ["warning: a\nb line=3"]);
}

#[test]
fn fails_on_log_entries_that_kubewarden_drops() {
    for (entry, problem) in [
        (
            r#"{"level":"warn","message":"x"}"#,
            "unknown level `warn`, expected `trace`, `debug`, `info`, `warning` or `error`",
        ),
        ("plain", "expected value at line 1 column 1"),
    ] {
        let outcome = outcome(["kubewarden", "tracing", "log", entry]);
        assert!(
            outcome.starts_with(&format!("the policy wrote an invalid log entry: {problem}")),
            "{outcome}"
        );
    }
}
