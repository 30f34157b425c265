//! What always holds of changes and drift, on values that nobody wrote by hand, and on long ones.

use proptest::prelude::*;
use rollout_guard::wire;
use serde_json::{Map, Value, json};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn judge(settings: &Value, request: &Value) -> Value {
    let payload = json!({ "request": request, "settings": settings }).to_string();
    serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap()
}

fn update(kind: (&str, &str), old: &Value, new: &Value) -> Value {
    json!({
        "kind": { "group": kind.0, "version": "v1", "kind": kind.1 },
        "operation": "UPDATE",
        "userInfo": { "username": "jane@example.com", "groups": ["developers"] },
        "object": new,
        "oldObject": old,
    })
}

/// A value as the API server might hold it: maps and lists a few levels deep, lists of named
/// elements among them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-2i32..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let named = (Just("name"), "[ab]").prop_map(|(key, name)| (key.to_owned(), json!(name)));
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[a-c]", inner.clone()), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            proptest::collection::vec((named, "[cd]", inner), 0..3).prop_map(|elements| {
                let elements = elements.into_iter().map(|((name, text), key, value)| {
                    Value::Object(Map::from_iter([(name, text), (key, value)]))
                });
                Value::from(elements.collect::<Vec<_>>())
            }),
        ]
    })
}

/// The same value in other words: keys the other way round, numbers with a fraction, nulls for what
/// is absent.
fn reworded(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut texts: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{} : {}", json!(key), reworded(value)))
                .collect();
            texts.reverse();
            format!("{{ {} }}", texts.join(" , "))
        }
        Value::Array(elements) => {
            let texts: Vec<_> = elements.iter().map(reworded).collect();
            format!("[ {} ]", texts.join(", "))
        }
        Value::Number(number) => format!("{number}.0"),
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_guarded_field_differs_exactly_when_its_value_does(was in value(), is in value()) {
        let settings = json!({ "changes": [{ "guard": ["spec"] }] });
        let object = |spec: &Value| json!({ "metadata": { "name": "a" }, "spec": spec });
        let request = update(("example.com", "Thing"), &object(&was), &object(&is));
        let answer = judge(&settings, &request);
        prop_assert_eq!(answer["accepted"] == true, was == is, "{}", answer);
    }

    #[test]
    fn the_same_in_other_words_is_no_change(spec in value()) {
        let settings = r#"{ "changes": [{ "guard": ["spec", "images", "annotations:*", "spec.a[*].c"] }] }"#;
        let was = format!(r#"{{"metadata":{{"name":"a"}},"spec":{spec}}}"#);
        let is = format!(r#"{{"spec":{},"metadata":{{"annotations":null,"name":"a"}}}}"#, reworded(&spec));
        let payload = format!(
            r#"{{"request":{{"kind":{{"group":"example.com","version":"v1","kind":"Thing"}},"operation":"UPDATE","userInfo":{{"username":"jane"}},"object":{is},"oldObject":{was}}},"settings":{settings}}}"#
        );
        let answer: Value = serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap();
        prop_assert_eq!(&answer["accepted"], &json!(true), "{}", answer);
    }

    #[test]
    fn elements_in_any_order_are_no_change_of_a_field_of_each(
        images in proptest::collection::btree_map("[a-z]{1,3}", "[a-z]{1,5}:[0-9]", 1..6),
        turn in 0usize..6,
    ) {
        let settings = json!({ "changes": [{ "guard": ["images", "spec.containers[*].resources"] }] });
        let containers: Vec<_> = images
            .iter()
            .map(|(name, image)| json!({ "name": name, "image": image, "resources": { "limits": { "cpu": image } } }))
            .collect();
        let mut turned = containers.clone();
        turned.rotate_left(turn % containers.len());
        let pod = |containers: Vec<Value>| json!({ "metadata": { "name": "a" }, "spec": { "containers": containers } });
        let answer = judge(&settings, &update(("", "Pod"), &pod(containers), &pod(turned)));
        prop_assert_eq!(&answer["accepted"], &json!(true), "{}", answer);
    }

    #[test]
    fn nothing_in_an_object_traps(was in value(), is in value(), metadata in value(), annotation in ".{0,40}") {
        let settings = json!({
            "changes": [{
                "match": { "kinds": ["*"], "labels": { "a": "b" } },
                "guard": ["images", "annotations:*", "labels:*", "spec", "spec.a[*].b", "data", "metadata.ownerReferences"],
                "denyFieldManagers": ["b"], "requireAnnotations": ["a"], "guardDelete": true, "allowRestart": true,
            }],
            "drift": { "lastApplied": "warn" },
        });
        let annotated = json!({ "name": "a", "labels": { "a": "b" }, "annotations": { LAST_APPLIED: annotation }, "managedFields": metadata, "ownerReferences": is });
        for kind in [("", "Pod"), ("apps", "Deployment"), ("example.com", "Thing")] {
            for metadata in [&metadata, &annotated] {
                let old = json!({ "metadata": metadata, "spec": was });
                let new = json!({ "metadata": annotated, "spec": is });
                for request in [update(kind, &old, &new), update(kind, &was, &new), update(kind, &new, &was)] {
                    prop_assert!(judge(&settings, &request)["accepted"].is_boolean());
                }
                let mut deletion = update(kind, &old, &Value::Null);
                deletion["operation"] = json!("DELETE");
                prop_assert!(judge(&settings, &deletion)["accepted"].is_boolean());
            }
        }
    }
}

fn pod_with(last_applied: &str) -> Value {
    json!({
        "metadata": { "name": "a", "annotations": { LAST_APPLIED: last_applied } },
        "spec": { "containers": [{ "name": "a", "image": "a:2" }] },
    })
}

#[test]
fn a_long_last_applied_configuration_is_read_like_a_short_one() {
    let settings = json!({ "drift": { "lastApplied": "reject" } });
    let long = "x".repeat(200_000);
    let applied = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "a", "annotations": { "example.com/long": long } },
        "spec": { "containers": [{ "name": "a", "image": "a:1" }] },
    });
    let mut request = update(("", "Pod"), &Value::Null, &pod_with(&applied.to_string()));
    request["operation"] = json!("CREATE");
    let answer = judge(&settings, &request);
    assert_eq!(answer["audit_annotations"]["violations"], "image-drifted");
    for nonsense in [long, "[".repeat(200_000), "{\"a\":".repeat(50_000)] {
        request["object"] = pod_with(&nonsense);
        let answer = judge(&settings, &request);
        assert_eq!(answer["accepted"], true, "{answer}");
        assert_eq!(
            answer["audit_annotations"]["violations"],
            "last-applied-unreadable"
        );
    }
}

#[test]
fn many_keys_are_compared_each_with_its_own() {
    let data = |changed: usize| -> Value {
        let entries = (0..20_000).map(|index| {
            let value = if index == changed {
                "new"
            } else {
                "a value that stays as it is"
            };
            (format!("key-{index}"), json!(value))
        });
        Value::Object(entries.collect())
    };
    let object = |changed| json!({ "metadata": { "name": "a" }, "data": data(changed) });
    let settings = json!({ "changes": [{ "guard": ["data"] }] });
    let answer = judge(
        &settings,
        &update(("", "ConfigMap"), &object(50_000), &object(19_999)),
    );
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.starts_with("data.key-19999: changed: "),
        "{message}"
    );
}

#[test]
fn an_old_object_that_is_nested_too_deep_is_refused() {
    let settings = r#"{ "changes": [{ "guard": ["images"] }] }"#;
    let deep = format!(
        r#"{{"metadata":{{"name":"a"}},"spec":{}1{}}}"#,
        r#"{"a":"#.repeat(200),
        "}".repeat(200)
    );
    let payload = format!(
        r#"{{"request":{{"kind":{{"group":"","version":"v1","kind":"Pod"}},"operation":"UPDATE","userInfo":{{"username":"jane"}},"object":{{"metadata":{{"name":"a"}},"spec":{{"containers":[]}}}},"oldObject":{deep}}},"settings":{settings}}}"#
    );
    let answer: Value = serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap();
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.starts_with("request.oldObject: nested deeper than 128 levels"),
        "{message}"
    );
}
