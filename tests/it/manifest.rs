//! Manifests of Kubewarden and Flux: the schemas, restated in `tests/bundle/`, and what fits them.

use std::path::Path;

use regex_lite::Regex;
use rollout_guard::wire;
use serde_json::{Value, json};

const KUBEWARDEN: &str = "policies.kubewarden.io/v1";

/// The kinds whose schemas are known, and whether they are in a namespace.
pub(crate) const KINDS: [(&str, &str, bool); 7] = [
    ("AdmissionPolicy", KUBEWARDEN, true),
    ("AdmissionPolicyGroup", KUBEWARDEN, true),
    ("ClusterAdmissionPolicy", KUBEWARDEN, false),
    ("ClusterAdmissionPolicyGroup", KUBEWARDEN, false),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1", true),
    ("OCIRepository", "source.toolkit.fluxcd.io/v1", true),
    ("PolicyServer", KUBEWARDEN, false),
];

/// What is wrong with a manifest: against its schema, and in the settings that it holds.
pub(crate) fn problems(manifest: &Value) -> Vec<String> {
    let (kind, version) = (&manifest["kind"], &manifest["apiVersion"]);
    let known = KINDS
        .iter()
        .find(|(name, of, _)| kind == name && version == of);
    let Some(&(kind, _, is_namespaced)) = known else {
        return vec![format!("unknown kind {kind} of {version}")];
    };
    let mut problems = Vec::new();
    fit(&schema(kind), manifest, kind, &mut problems);
    let name = manifest["metadata"]["name"].as_str();
    if name.is_none_or(str::is_empty) {
        problems.push("no name".to_owned());
    }
    if is_namespaced != manifest["metadata"]["namespace"].is_string() {
        problems.push("a namespace is for kinds in a namespace".to_owned());
    }
    let spec = &manifest["spec"];
    let members = spec["policies"].as_object().into_iter().flatten();
    let policies = members
        .map(|(_, member)| member)
        .chain(kind.ends_with("AdmissionPolicy").then_some(spec));
    for policy in policies {
        problems.extend(problems_of_policy(policy));
    }
    for rule in spec["rules"].as_array().into_iter().flatten() {
        if !is_known(rule) {
            problems.push(format!("not a rule of metadata.yml: {rule}"));
        }
    }
    problems
}

/// A module and its settings.
pub(crate) fn problems_of_policy(policy: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if policy["module"] != module() {
        problems.push(format!(
            "module {}, expected {}",
            policy["module"],
            module()
        ));
    }
    let settings = match &policy["settings"] {
        Value::Null => json!({}),
        settings => settings.clone(),
    };
    if let Err(errors) = wire::validate_settings(settings.to_string().as_bytes()) {
        problems.push(errors);
    }
    if settings != without_nulls(&settings) {
        problems.push("a `null` that `kubectl apply` drops".to_owned());
    }
    problems
}

/// What `kubectl apply` makes of a custom resource: members that are `null` are not there.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(key, member)| (key.clone(), without_nulls(member)))
            .collect(),
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// The module of this version.
pub(crate) fn module() -> String {
    let metadata = yaml("metadata.yml");
    let url = metadata["annotations"]["io.kubewarden.policy.ociUrl"]
        .as_str()
        .unwrap();
    format!("registry://{url}:v{}", env!("CARGO_PKG_VERSION"))
}

/// Whether the metadata have such a rule, with these resources among others.
fn is_known(rule: &Value) -> bool {
    let metadata = yaml("metadata.yml");
    metadata["rules"].as_array().unwrap().iter().any(|known| {
        ["apiGroups", "apiVersions", "resources", "operations"]
            .iter()
            .all(|key| {
                let (wanted, all) = (
                    rule[key].as_array().unwrap(),
                    known[key].as_array().unwrap(),
                );
                wanted.iter().all(|one| all.contains(one))
            })
    })
}

fn schema(kind: &str) -> Value {
    yaml(&format!("tests/bundle/{}.yaml", kind.to_lowercase()))
}

fn yaml(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Notes where a value does not fit an `OpenAPI` schema, as strictly as `kubectl apply` validates.
pub(crate) fn fit(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let mut problem = |text: &str| problems.push(format!("{at}: {text}"));
    if schema["nullable"] == true && value.is_null() {
        return;
    }
    let is_right = match schema["type"].as_str().unwrap_or("object") {
        _ if schema["x-kubernetes-int-or-string"] == true => value.is_i64() || value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        other => panic!("{other}"),
    };
    if !is_right {
        return problem("wrong type");
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        problem("not in the enum");
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        problem("not of the pattern");
    }
    let number = value.as_i64();
    if number.is_some_and(|number| {
        schema["minimum"]
            .as_i64()
            .is_some_and(|least| number < least)
            || schema["maximum"].as_i64().is_some_and(|most| number > most)
    }) {
        problem("out of range");
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            problem("something required is missing");
        }
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        fit(
            &schema["items"],
            element,
            &format!("{at}[{index}]"),
            problems,
        );
    }
    let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true
        || (schema["properties"].is_null() && schema["additionalProperties"].is_null());
    for (key, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        match (&schema["properties"][key], &schema["additionalProperties"]) {
            (Value::Null, Value::Null) if is_open => {}
            (Value::Null, Value::Null) => problems.push(format!("{at}: unknown field")),
            (Value::Null, all) => fit(all, member, &at, problems),
            (known, _) => fit(known, member, &at, problems),
        }
    }
}
