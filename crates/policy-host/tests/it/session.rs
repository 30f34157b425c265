//! Recorded sessions.

use policy_host::{HostRequest, Session};

fn digest_of(image: &str) -> HostRequest {
    HostRequest::OciManifestDigest {
        image: image.to_owned(),
    }
}

#[track_caller]
fn answer(session: &Session, image: &str) -> String {
    match session.answer(&digest_of(image)) {
        Ok(answer) => String::from_utf8(answer).unwrap(),
        Err(error) => error.to_string(),
    }
}

/// As `kwctl run --record-host-capabilities-interactions` writes it.
const RECORDED: &str = r#"
- type: Exchange
  request: |
    !OciManifestDigest
    image: registry.example.com/redis:7.2
  response:
    type: Success
    payload: '{"digest":"sha256:00"}'
- type: Exchange
  request: |
    !OciManifestDigest
    image: registry.example.com/redis:9
  response:
    type: Error
    message: manifest unknown
"#;

#[test]
fn answers_in_the_order_of_the_file() {
    let session = Session::from_yaml(RECORDED).unwrap();
    let second = "registry.example.com/redis:9";
    assert_eq!(
        answer(&session, "registry.example.com/redis:7.2"),
        r#"{"digest":"sha256:00"}"#
    );
    assert_eq!(session.leftovers(), [digest_of(second)]);
    assert_eq!(answer(&session, second), "manifest unknown");
    assert_eq!(session.leftovers(), []);
    assert_eq!(
        answer(&session, second),
        "the list of recorded responses is empty"
    );
}

#[test]
fn another_request_uses_the_exchange_up() {
    let session = Session::from_yaml(RECORDED).unwrap();
    assert_eq!(
        answer(&session, "registry.example.com/redis:9"),
        "Replay error: unexpected request. Was expecting OciManifestDigest { image: \
         \"registry.example.com/redis:7.2\" }, got OciManifestDigest { image: \
         \"registry.example.com/redis:9\" } instead"
    );
    assert_eq!(
        session.leftovers(),
        [digest_of("registry.example.com/redis:9")]
    );
}

#[test]
fn reads_json() {
    let session = Session::from_yaml(
        r#"[{"type": "Exchange", "request": "!OciManifestDigest {image: a}",
            "response": {"type": "Success", "payload": "x"}}]"#,
    );
    assert_eq!(answer(&session.unwrap(), "a"), "x");
    assert_eq!(Session::from_yaml("[]").unwrap().leftovers(), []);
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let exchange =
        |request: &str, response: &str| format!("- request: '{request}'\n  response: {response}\n");
    let success = "{type: Success, payload: x}";
    for (text, problem) in [
        ("a: 1".to_owned(), "not a session: invalid type: map"),
        (
            "- type: Exchange".to_owned(),
            "not a session: .[0]: missing field `request`",
        ),
        (
            exchange("!OciManifestDigest {image: a}", "{type: Maybe}"),
            "not a session: .[0].response.type: unknown variant `Maybe`, expected `Success` or `Error`",
        ),
        (
            exchange("!OciManifestDigest {image: a}", success) + &exchange("{image: a}", success),
            "exchange 2: `request`: ",
        ),
        (
            exchange("!OciManifestDigest {}", success),
            "exchange 1: `request`: missing field `image`",
        ),
        (
            exchange("!KubernetesCanI {}", success),
            "exchange 1: `request`: unknown variant `KubernetesCanI`, expected `OciManifestDigest`",
        ),
    ] {
        let error = Session::from_yaml(&text).unwrap_err().to_string();
        assert!(error.starts_with(problem), "{text}\n{error}");
    }
}
