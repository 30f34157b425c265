//! Bytes in, bytes out: whatever the payload is, the answer is one that Kubewarden reads.

use rollout_guard::json::Document;
use rollout_guard::policy::Policy;
use rollout_guard::request::Payload;
use rollout_guard::settings::Settings;
use rollout_guard::verdict::Verdict;
use rollout_guard::wire;
use serde_json::{Value, json};

fn validate(payload: &[u8]) -> Value {
    serde_json::from_slice(&wire::validate(payload)).unwrap()
}

#[track_caller]
fn refused(payload: &[u8], message: &str) {
    let answer = validate(payload);
    assert_eq!(answer["accepted"], false);
    assert_eq!(answer["code"], 403);
    assert_eq!(answer["message"], message);
}

const SETTINGS: &str = r#"{"registries":{"reject":["docker.io"]}}"#;

fn payload(request: &str) -> Vec<u8> {
    format!(r#"{{"request":{request},"settings":{SETTINGS}}}"#).into_bytes()
}

fn pod(object: &str) -> Vec<u8> {
    payload(&format!(
        r#"{{"kind":{{"group":"","version":"v1","kind":"Pod"}},"object":{object},"operation":"CREATE","uid":"1","userInfo":{{}}}}"#
    ))
}

#[test]
fn accepts_with_nothing_but_the_verdict() {
    let answer = wire::validate(&pod(r#"{"spec":{"containers":[{"image":"ghcr.io/a/b"}]}}"#));
    assert_eq!(String::from_utf8(answer).unwrap(), r#"{"accepted":true}"#);
}

#[test]
fn refuses_with_message_code_warning_and_annotation() {
    let answer = validate(&pod(
        r#"{"spec":{"containers":[{"image":"redis","name":"app"}]}}"#,
    ));
    let line = r#"spec.containers[0] "app": image `redis`: registry `docker.io` is rejected by `docker.io`, use another registry [registry-rejected]"#;
    assert_eq!(
        answer,
        json!({
            "accepted": false,
            "message": line,
            "code": 403,
            "audit_annotations": { "violations": "registry-rejected" },
            "warnings": [line],
        })
    );
}

#[test]
fn refuses_what_is_no_payload() {
    refused(b"", "payload: not JSON [request-malformed]");
    refused(b"\xff", "payload: not UTF-8 at byte 0 [request-malformed]");
    refused(b"[]", "payload: expected an object [request-malformed]");
    refused(
        br#"{"request":{"object":{"spec":"#,
        "payload: not JSON [request-malformed]",
    );
    refused(
        br#"{"request":{},"settings":{}} x"#,
        "payload: not JSON [request-malformed]",
    );
    refused(
        br#"{"request":{},"request":{},"settings":{}}"#,
        "request: occurs twice [request-malformed]",
    );
    refused(
        br#"{"request":{},"settings":{},"other":1,"settings":{}}"#,
        "settings: occurs twice [request-malformed]",
    );
    for other in [
        "null",
        "true",
        "-1",
        "1",
        "1.5",
        r#""a""#,
        r#""\n""#,
        r#"[1,{"a":[]}]"#,
    ] {
        let message = "payload: expected an object [request-malformed]";
        refused(other.as_bytes(), message);
        let message = "request: expected an object [request-malformed]";
        refused(&payload(other), message);
    }
}

#[test]
fn every_prefix_of_a_payload_is_refused() {
    let whole = pod(r#"{"spec":{"containers":[{"image":"ghcr.io/a/b"}]}}"#);
    for end in 0..whole.len() {
        assert_eq!(validate(&whole[..end])["accepted"], false, "{end}");
    }
    assert_eq!(validate(&whole)["accepted"], true);
}

#[test]
fn refuses_a_request_that_lacks_what_it_is_judged_by() {
    refused(&payload("{}"), "request.kind: missing [request-malformed]");
    refused(
        &payload("null"),
        "request: expected an object [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":"Pod"}"#),
        "request.kind: expected an object with the strings `group` and `kind` [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":{"kind":"Pod"}}"#),
        "request.operation: missing [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":{"kind":"Pod"},"operation":"create"}"#),
        "request.operation: must be `CREATE`, `UPDATE`, `DELETE` or `CONNECT`, not `create` [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":{"kind":"Pod"},"operation":"CREATE"}"#),
        "request.object: missing [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":{"kind":"Pod"},"operation":"CREATE","object":{},"namespace":1}"#),
        "request.namespace: expected a string, got a number [request-malformed]",
    );
    refused(
        &payload(
            r#"{"kind":{"kind":"Pod"},"operation":"CREATE","object":{},"userInfo":{"groups":"a"}}"#,
        ),
        "request.userInfo.groups: expected a list, got a string [request-malformed]",
    );
    refused(
        &payload(r#"{"kind":{"kind":"Pod"},"operation":"CREATE","object":{},"object":{}}"#),
        "request.object: occurs twice [request-malformed]",
    );
    refused(
        &payload(
            r#"{"kind":{"kind":"Pod"},"operation":"CREATE","old_object":{},"oldObject":{},"object":{}}"#,
        ),
        "request.oldObject: occurs twice [request-malformed]",
    );
}

#[test]
fn escapes_in_a_key_hide_nothing() {
    let bad = r#"{"spec":{"containers":[{"image":"redis"}]}}"#;
    let message = "spec.containers[0]: image `redis`: registry `docker.io` is rejected by `docker.io`, use another registry [registry-rejected]";
    refused(
        &payload(&format!(
            r#"{{"kind":{{"kind":"Pod"}},"operation":"CREATE","objec\u0074":{bad}}}"#
        )),
        message,
    );
    refused(
        &pod(r#"{"metadat\u0061":{},"spec":{"contain\u0065rs":[{"imag\u0065":"redis"}]}}"#),
        message,
    );
    refused(
        &payload(&format!(
            r#"{{"kind":{{"kind":"Pod"}},"operation":"CREATE","objec\u0074":{{}},"object":{bad}}}"#
        )),
        "request.object: occurs twice [request-malformed]",
    );
}

#[test]
fn reads_both_spellings_and_any_order() {
    let bad = r#"{"spec":{"containers":[{"image":"redis"}]}}"#;
    for request in [
        format!(
            r#"{{"object":{bad},"kind":{{"kind":"Pod"}},"operation":"UPDATE","oldObject":{bad}}}"#
        ),
        format!(
            r#"{{"old_object":{bad},"operation":"UPDATE","object":{bad},"kind":{{"group":null,"kind":"Pod"}}}}"#
        ),
    ] {
        let answer = validate(&payload(&request));
        assert_eq!(
            answer["accepted"], true,
            "an old violation passes: {answer}"
        );
        assert_eq!(answer["warnings"].as_array().unwrap().len(), 1);
    }
    let status = format!(
        r#"{{"object":{bad},"kind":{{"kind":"Pod"}},"operation":"UPDATE","sub_resource":"status"}}"#
    );
    assert_eq!(validate(&payload(&status))["accepted"], true);
    let first = format!(
        r#" {{ "settings" : {SETTINGS} , "request" : {{ "kind" : {{ "kind" : "Pod" }} , "object" : {bad} , "operation" : "CREATE" }} }} "#
    );
    assert_eq!(
        validate(first.as_bytes())["accepted"],
        false,
        "settings may come first"
    );
}

#[test]
fn null_is_as_good_as_absent() {
    let request = r#"{"kind":{"kind":"Pod"},"operation":"DELETE","object":null,"oldObject":null,"subResource":null,"namespace":null,"userInfo":null,"options":null}"#;
    assert_eq!(validate(&payload(request))["accepted"], true);
    refused(
        &payload(r#"{"kind":{"kind":"Pod"},"operation":"CREATE","object":null}"#),
        "request.object: missing [request-malformed]",
    );
    refused(
        &payload(r#"{"object": null ,"kind":{"kind":"Pod"},"operation":"CREATE"}"#),
        "request.object: missing [request-malformed]",
    );
}

#[test]
fn refuses_an_object_that_is_none() {
    refused(
        &pod(r#""spec""#),
        "object: expected an object, got a string [object-malformed]",
    );
    refused(
        &pod("[]"),
        "object: expected an object, got a list [object-malformed]",
    );
    refused(
        &pod("1"),
        "object: expected an object, got a number [object-malformed]",
    );
}

#[test]
fn finds_images_in_an_object_that_is_a_list() {
    let list = r#"[1,{"a":[{"b":[]},{"spec":{"containers":[{"image":"redis"}]}}]},[]]"#;
    for kind in ["Pod", "Set"] {
        let request =
            format!(r#"{{"kind":{{"kind":"{kind}"}},"operation":"CREATE","object":{list}}}"#);
        let answer = validate(&payload(&request));
        assert_eq!(answer["accepted"], false);
        let message = answer["message"].as_str().unwrap();
        assert!(
            message.contains("[1].a[1].spec.containers[0]: image `redis`"),
            "{message}"
        );
    }
}

#[test]
fn judges_a_repeated_key_in_both_its_values() {
    for spec in [
        r#"{"containers":[{"image":"redis","image":"ghcr.io/a/b"}]}"#,
        r#"{"containers":[{"image":"ghcr.io/a/b","image":"redis"}]}"#,
        r#"{"containers":[{"image":"redis"}],"containers":[]}"#,
        r#"{"containers":[],"containers":[{"image":"redis"}]}"#,
    ] {
        assert_eq!(
            validate(&pod(&format!(r#"{{"spec":{spec}}}"#)))["accepted"],
            false,
            "{spec}"
        );
        assert_eq!(
            validate(&pod(&format!(r#"{{"spec":{spec},"spec":{{}}}}"#)))["accepted"],
            false,
            "{spec}"
        );
    }
}

#[test]
fn reads_an_image_written_with_escapes() {
    let answer = validate(&pod(
        r#"{"spec":{"contain\u0065rs":[{"im\u0061ge":"r\u0065dis"}]}}"#,
    ));
    assert_eq!(answer["accepted"], false);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("image `redis`")
    );
}

#[test]
fn refuses_ten_thousand_levels() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let answer = validate(&pod(&format!(r#"{{"spec":{{"a":{nested}}}}}"#)));
        assert_eq!(answer["accepted"], false);
        let message = answer["message"].as_str().unwrap();
        assert!(
            message.contains("nested deeper than 128 levels"),
            "{message}"
        );
        // What is not looked at may be as deep as it likes.
        let answer = validate(&pod(&format!(
            r#"{{"metadata":{{"a":{nested}}},"status":{nested}}}"#
        )));
        assert_eq!(answer["accepted"], true, "{answer}");
    }
}

#[test]
fn judges_two_mebibytes() {
    let filler = "x".repeat(2 << 20);
    let answer = validate(&pod(&format!(
        r#"{{"data":"{filler}","spec":{{"containers":[{{"image":"redis"}}]}}}}"#
    )));
    assert_eq!(answer["accepted"], false);
    let image = format!(r#"{{"spec":{{"containers":[{{"image":"{filler}"}}]}}}}"#);
    assert!(
        wire::validate(&pod(&image)).len() < 2_000,
        "an answer is short whatever the image is"
    );
}

#[test]
fn a_value_too_long_for_a_pattern_is_not_got_out_of_a_requirement() {
    let settings = json!({ "annotations": [{ "requires": [
        { "when": { "snippet": { "pattern": "(?s).*proxy_pass.*" } }, "then": { "reviewed": "*" } },
        { "when": { "hosts": { "each": { "separator": ",", "pattern": "[a-z]+" } } }, "then": { "owner": "*" } },
    ] }] });
    let long = "x".repeat(16 * 1024);
    let request = json!({
        "uid": "1", "operation": "CREATE", "kind": { "group": "", "version": "v1", "kind": "Service" },
        "object": { "metadata": { "annotations": { "snippet": format!("proxy_pass {long}"), "hosts": format!("a,{long}b") } } },
    });
    let payload = json!({ "request": request, "settings": settings }).to_string();
    let answer: Value = serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap();
    let message = answer["message"].as_str().unwrap();
    for needed in ["annotations.reviewed", "annotations.owner"] {
        assert!(message.contains(needed), "{message}");
    }
}

#[test]
fn a_line_is_short_however_deep_its_place() {
    let key = "ä".repeat(200);
    let open = format!("{{\"{key}\":").repeat(100);
    let close = "}".repeat(100);
    let object = format!(r#"{{"spec":{open}{{"containers":[{{"image":"redis"}}]}}{close}}}"#);
    let answer = validate(&pod(&object));
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("spec[\"ää"), "{message}");
    assert!(
        message.contains("….") || message.contains("…ä"),
        "{message}"
    );
    assert!(
        message.contains("containers[0]: image `redis`: registry `docker.io` is rejected"),
        "{message}"
    );
    assert!(message.len() < 1_000, "{message}");
}

#[test]
fn a_message_has_a_hundred_lines_and_sixteen_warnings() {
    let containers = vec![r#"{"image":"redis"}"#; 250].join(",");
    let answer = validate(&pod(&format!(
        r#"{{"spec":{{"containers":[{containers}]}}}}"#
    )));
    let lines: Vec<_> = answer["message"].as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 102);
    assert_eq!((lines[0], lines[101]), ("250 problems:", "and 150 more"));
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 16);
    assert_eq!(warnings[15], "and 235 more");
}

/// A report that has to be complete tells what the answer only counts, and the rest of the verdict is the same.
#[test]
fn a_policy_without_a_limit_tells_every_finding() {
    let settings = r#"{"registries":{"reject":["docker.io"]},"mirrors":[{"source":"quay.io","mirror":"ghcr.io/quay"}]}"#;
    let settings = Document::of(settings).unwrap();
    let settings = Settings::validate(settings.root()).unwrap();
    let policy = Policy::new(&settings);
    let (image, number) = (r#"{"image":"redis"}"#, "1");
    for (containers, violations, rewritten) in [
        (image.to_owned(), 250, 0),
        // What has the wrong JSON type has a limit of its own.
        (number.to_owned(), 250, 0),
        (format!("{image},{number}"), 500, 0),
        (r#"{"image":"quay.io/a"}"#.to_owned(), 0, 250),
    ] {
        let all = vec![containers.as_str(); 250].join(",");
        let request = format!(
            r#"{{"request":{{"uid":"1","operation":"CREATE","userInfo":{{"username":"jane"}},"kind":{{"group":"","version":"v1","kind":"Pod"}},"object":{{"spec":{{"containers":[{all}]}}}}}},"settings":{{}}}}"#
        );
        let document = Document::read(request.as_bytes()).unwrap();
        let request = Payload::read(&document).unwrap().request.unwrap();
        let first = policy.evaluate(request.clone());
        let whole = policy.without_limit().evaluate(request);
        assert_eq!(whole.violations.len(), violations, "{containers}");
        assert_eq!((whole.more_violations, whole.more_warnings), (0, 0));
        assert_eq!(whole.rewritten.len(), rewritten, "{containers}");
        let both = whole.violations.iter().zip(&first.violations);
        assert_eq!(
            both.take(100).filter(|(one, other)| one == other).count(),
            violations.min(100)
        );
        assert_eq!(whole.codes(), first.codes());
        assert_eq!(whole.edits, first.edits);
        let problems = |verdict: &Verdict<'_>| {
            verdict
                .message()
                .map(|message| message.lines().next().unwrap().to_owned())
        };
        assert_eq!(problems(&whole), problems(&first));
    }
}

#[test]
fn says_what_is_wrong_with_the_settings_instead_of_judging() {
    let answer = validate(br#"{"request":{"kind":{"kind":"Pod"},"operation":"CREATE","object":{}},"settings":{"image":{}}}"#);
    assert_eq!(answer["accepted"], false);
    assert_eq!(
        answer["message"],
        "image: unknown key, did you mean `images`? [settings-invalid]"
    );
    let answer =
        validate(br#"{"request":{"kind":{"kind":"Pod"},"operation":"CREATE","object":{}}}"#);
    assert_eq!(answer["accepted"], false);
    assert!(answer["message"].as_str().unwrap().contains("no rule"));
}

#[test]
fn settings_are_read_whole_but_in_the_requests_of_hosts() {
    let settings = r#""settings":{"images":{"reject":["nginx:"]},"drift":{"lastApplied":"warn"}}"#;
    let (kind, object) = (r#""kind":{"kind":"Service"}"#, r#""object":{"spec":{}}"#);
    let with_image = r#""object":{"spec":{"containers":[{"image":"a"}]}}"#;
    let request =
        |one: &str, other: &str| format!(r#""request":{{"operation":"CREATE",{one},{other}}}"#);
    // Of an object without images, nothing that is said of images matters.
    let written_by_a_host = format!("{{{},{settings}}}", request(kind, object));
    assert_eq!(
        validate(written_by_a_host.as_bytes()),
        json!({ "accepted": true })
    );
    for payload in [
        format!("{{{},{settings}}}", request(kind, with_image)),
        format!("{{{},{settings}}}", request(object, kind)),
        format!("{{{settings},{}}}", request(kind, object)),
    ] {
        refused(
            payload.as_bytes(),
            "images.reject[0]: `nginx:`: tag: empty tag after `:` [settings-invalid]",
        );
    }
    // Nor are rules that are none passed over, for there is nothing that they may name.
    for (rule, message) in [
        (
            "{}",
            "annotations[0]: no rule: say what is `required`, `denied`, `allowed`, …",
        ),
        (
            r#"{"values":{"a":["b"]}}"#,
            "annotations[0].values.a: expected an object, got a list",
        ),
    ] {
        let settings = format!(r#""settings":{{"annotations":[{rule}]}}"#);
        let payload = format!("{{{},{settings}}}", request(kind, object));
        refused(payload.as_bytes(), &format!("{message} [settings-invalid]"));
    }
}

#[test]
fn validates_settings() {
    assert_eq!(wire::validate_settings(SETTINGS.as_bytes()), Ok(()));
    let error = |settings: &[u8]| wire::validate_settings(settings).unwrap_err();
    assert_eq!(error(b"{"), "settings: not JSON");
    assert_eq!(error(b"[]"), "settings: expected an object, got a list");
    assert!(error(b"{}").starts_with("settings: no rule: set "));
    assert!(error(b"null").starts_with("settings: no rule: set "));
    assert_eq!(error(b"\xff"), "settings: not UTF-8 at byte 0");
    assert_eq!(error(b"registries: {}"), "settings: not JSON");
    assert_eq!(
        error(br#"{"images":{"alow":["a"],"reject":["nginx:",3]},"onUpdate":true}"#),
        "4 errors:\n\
         images.alow: unknown key, did you mean `allow`?\n\
         images.reject[0]: `nginx:`: tag: empty tag after `:`\n\
         images.reject[1]: expected a string, got a number, put it in quotes\n\
         onUpdate: expected a string, got a boolean, put it in quotes"
    );
}
