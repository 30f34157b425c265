//! Every folder in `examples/` says what the policy answers to its request.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollout_guard::wire;
use serde_json::{Map, Value, json};

use crate::patch::patch;

/// The files of an example, and whether it must have them.
const FILES: [(&str, bool); 6] = [
    ("README.md", true),
    ("expected.json", true),
    ("mutating-policy.yaml", false),
    ("policy.yaml", false),
    ("request.json", true),
    ("settings.yaml", true),
];

/// The members of an `AdmissionReview`'s request that an API server always sends.
const MEMBERS: [&str; 10] = [
    "uid",
    "kind",
    "resource",
    "requestKind",
    "requestResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "options",
];

#[test]
fn every_example_gets_the_answer_that_it_expects() {
    let mut failures = String::new();
    for example in examples() {
        let request = &json_file(&example.join("request.json"))["request"];
        let settings = yaml_file(&example.join("settings.yaml"));
        let text = settings.to_string();
        wire::validate_settings(text.as_bytes())
            .unwrap_or_else(|errors| panic!("{}: {errors}", example.display()));
        let payload = json!({ "request": request, "settings": settings }).to_string();
        let answer: Value = serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap();
        let response = admission_response(request, &answer);
        if response != json_file(&example.join("expected.json")) {
            writeln!(failures, "{}: {response:#}", example.display()).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The answer as Kubewarden hands it on to the API server: of an object that changes, the difference.
fn admission_response(request: &Value, answer: &Value) -> Value {
    let mut response = Map::new();
    response.insert("uid".into(), request["uid"].clone());
    response.insert("allowed".into(), answer["accepted"].clone());
    if let Some(mutated) = answer.get("mutated_object") {
        let patch = patch(&request["object"], mutated);
        let patch = STANDARD.encode(serde_json::to_string(&patch).unwrap());
        response.insert("patchType".into(), "JSONPatch".into());
        response.insert("patch".into(), patch.into());
    }
    if answer["accepted"] == false {
        let status = json!({ "message": answer["message"], "code": answer["code"] });
        response.insert("status".into(), status);
    }
    response.insert(
        "auditAnnotations".into(),
        answer["audit_annotations"].clone(),
    );
    response.insert("warnings".into(), answer["warnings"].clone());
    Value::Object(response)
}

#[test]
fn every_example_is_whole() {
    let examples = examples();
    assert!(!examples.is_empty(), "no examples");
    for (position, example) in examples.iter().enumerate() {
        let name = file_name(example);
        let number = format!("{:02}-", position + 1);
        assert!(name.starts_with(&number), "{name}: begins with {number}");
        let files: Vec<_> = rollout_guard_cases::entries(example)
            .iter()
            .map(|path| file_name(path))
            .collect();
        for (file, is_needed) in FILES {
            let is_there = files.iter().any(|found| found == file);
            assert!(is_there || !is_needed, "{name}: {file} is missing");
        }
        for file in &files {
            assert!(
                FILES.iter().any(|(known, _)| known == file),
                "{name}: what is {file}?"
            );
        }
        let readme = std::fs::read_to_string(example.join("README.md")).unwrap();
        assert!(readme.starts_with("# "), "{name}: a README has a title");
    }
}

#[test]
fn every_request_is_what_an_api_server_sends() {
    for example in examples() {
        let name = file_name(&example);
        let review = json_file(&example.join("request.json"));
        assert_eq!(review["kind"], "AdmissionReview", "{name}");
        assert_eq!(review["apiVersion"], "admission.k8s.io/v1", "{name}");
        let request = &review["request"];
        for member in MEMBERS {
            assert!(!request[member].is_null(), "{name}: {member} is missing");
        }
        // What goes is the old object, and there is no new one.
        let is_deletion = request["operation"] == "DELETE";
        assert_eq!(is_deletion, request["object"].is_null(), "{name}: object");
        let object = &request[if is_deletion { "oldObject" } else { "object" }];
        let kind = &request["kind"];
        let group = kind["group"].as_str().unwrap();
        let version = kind["version"].as_str().unwrap();
        let api_version = match group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        };
        assert_eq!(object["apiVersion"], api_version, "{name}");
        assert_eq!(object["kind"], kind["kind"], "{name}");
        assert_eq!(object["metadata"]["name"], request["name"], "{name}");
        assert_eq!(
            object["metadata"]["namespace"], request["namespace"],
            "{name}"
        );
        assert_eq!(
            is_deletion || request["operation"] == "UPDATE",
            request["oldObject"].is_object(),
            "{name}: an UPDATE or DELETE has an old object"
        );
    }
}

#[test]
fn every_policy_has_the_settings_of_its_example_and_names_its_resource() {
    let metadata = yaml_file(&root().join("metadata.yml"));
    let url = metadata["annotations"]["io.kubewarden.policy.ociUrl"]
        .as_str()
        .unwrap();
    let module = format!("registry://{url}:v{}", env!("CARGO_PKG_VERSION"));
    let mut count = 0;
    for example in examples() {
        let settings = yaml_file(&example.join("settings.yaml"));
        let request = json_file(&example.join("request.json"));
        for file in ["policy.yaml", "mutating-policy.yaml"] {
            let path = example.join(file);
            if !path.exists() {
                continue;
            }
            count += 1;
            let name = path.display().to_string();
            let policy = yaml_file(&path);
            assert_eq!(policy["kind"], "ClusterAdmissionPolicy", "{name}");
            let spec = &policy["spec"];
            assert_eq!(spec["module"], module, "{name}");
            let own = &spec["settings"];
            let rewrites = !own["mirrors"].is_null() && own["rewrite"] != "never";
            assert_eq!(spec["mutating"], rewrites, "{name}");
            if file == "policy.yaml" {
                assert_eq!(*own, settings, "{name}");
            } else {
                // The same rules, called earlier.
                assert!(rewrites, "{name}");
                assert_eq!(without_rewrite(own), without_rewrite(&settings), "{name}");
            }
            assert_names_its_resource(&name, spec, &request["request"]);
        }
    }
    assert!(count > 4, "only {count} policies were found");
}

fn without_rewrite(settings: &Value) -> Value {
    let mut settings = settings.clone();
    settings.as_object_mut().unwrap().remove("rewrite");
    settings
}

fn assert_names_its_resource(name: &str, spec: &Value, request: &Value) {
    // Some versions of Kubewarden drop `matchLabels`.
    assert!(
        spec["namespaceSelector"]["matchLabels"].is_null(),
        "{name}: write matchExpressions"
    );
    let resource = &request["resource"];
    let has = |list: &Value, wanted: &Value| list.as_array().unwrap().contains(wanted);
    let rules = spec["rules"].as_array().unwrap();
    let sends = |rule: &Value| {
        has(&rule["apiGroups"], &resource["group"])
            && has(&rule["apiVersions"], &resource["version"])
            && has(&rule["resources"], &resource["resource"])
            && has(&rule["operations"], &request["operation"])
    };
    assert!(rules.iter().any(sends), "{name}: no rule sends the request");
    for rule in rules {
        // The audit scanner tries each group with each resource.
        assert_eq!(rule["apiGroups"].as_array().unwrap().len(), 1, "{name}");
        assert_eq!(rule["apiVersions"].as_array().unwrap().len(), 1, "{name}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> Vec<PathBuf> {
    let examples = rollout_guard_cases::examples().into_iter();
    examples.map(|example| example.folder).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn json_file(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml_file(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
