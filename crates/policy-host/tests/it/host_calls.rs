//! What a policy may ask of its host.

use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow};
use policy_host::{CapabilityPattern, FuelMeter, Host, HostCapabilities, HostRequest};
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

/// What the host told the guest.
#[track_caller]
fn told(host: &Host) -> String {
    let response = host.evaluate(&request(), &json!({})).unwrap();
    let message = response.status.unwrap().message.unwrap();
    let prefix = "internal server error: Guest call failure: ";
    message.strip_prefix(prefix).unwrap().to_owned()
}

fn asking(namespace: &str, operation: &str, payload: &str) -> Host {
    let call = ["kubewarden", namespace, operation, payload];
    Host::from_bytes(&policy(&Act::TellAnswer(call))).unwrap()
}

fn granted(pattern: &str) -> HostCapabilities {
    [pattern.parse::<CapabilityPattern>().unwrap()]
        .into_iter()
        .collect()
}

const DIGEST: &str = r#"{"digest":"sha256:00"}"#;

#[test]
fn answers_a_request_for_a_digest_when_it_is_granted() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    for pattern in ["*", "oci/*", "oci/v1/*", "oci/v1/manifest_digest"] {
        let log = Arc::clone(&asked);
        let host = asking("oci", "v1/manifest_digest", r#""redis:7""#)
            .allow(granted(pattern))
            .on_request(move |request| {
                log.lock().unwrap().push(request.clone());
                Ok(DIGEST.into())
            });
        assert_eq!(told(&host), DIGEST, "{pattern}");
    }
    let expected = HostRequest::OciManifestDigest {
        image: "redis:7".to_owned(),
    };
    assert_eq!(*asked.lock().unwrap(), vec![expected; 4]);
}

#[test]
fn refuses_a_request_for_a_digest_that_is_not_granted() {
    for pattern in ["oci/v2/*", "net/*", "oci/v1/oci_manifest"] {
        let host = asking("oci", "v1/manifest_digest", r#""redis:7""#)
            .allow(granted(pattern))
            .on_request(|_| Ok(DIGEST.into()));
        assert_eq!(
            told(&host),
            "Policy has not been granted access to the 'oci/v1/manifest_digest' host \
             capability. The violation has been reported.",
            "{pattern}"
        );
    }
}

#[test]
fn has_no_other_capability_to_grant() {
    for (namespace, operation, text) in [
        (
            "oci",
            "v2/verify",
            "Policy has not been granted access to the 'oci/v2/verify' host capability. The \
             violation has been reported.",
        ),
        ("oci", "v9/verify", "unknown operation: v9/verify"),
        ("cache", "get", "unknown namespace: cache"),
    ] {
        let host = asking(namespace, operation, "{}")
            .allow(HostCapabilities::all())
            .on_request(|_| Ok(DIGEST.into()));
        assert_eq!(told(&host), text);
    }
}

#[test]
fn words_what_goes_wrong_as_policy_server_does() {
    let digest = |payload| asking("oci", "v1/manifest_digest", payload).allow(granted("oci/*"));
    assert_eq!(
        told(&digest("{}").on_request(|_| Ok(DIGEST.into()))),
        "invalid type: map, expected a string at line 1 column 0"
    );
    assert_eq!(
        told(&digest(r#""redis""#)),
        "Cannot process Wasm guest request: callback channel not provided"
    );
    assert_eq!(
        told(&digest(r#""redis""#).on_request(|_| Err(anyhow!("gone")))),
        "Callback evaluation failure: gone"
    );
    assert_eq!(
        told(&digest(r#""redis""#).on_request(|_| Err(anyhow!("refused")).context("no answer"))),
        "Callback evaluation failure: no answer\n\nCaused by:\n    refused"
    );
    let causes = || {
        Err(anyhow!("refused"))
            .context("no way")
            .context("no answer")
    };
    assert_eq!(
        told(&digest(r#""redis""#).on_request(move |_| causes())),
        "Callback evaluation failure: no answer\n\nCaused by:\n    0: no way\n    1: refused"
    );
}
