//! `bundles/ack/`: its rules against what the cloud controller does, its manifests against the schema
//! of Kubewarden.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use rollout_guard::wire;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::manifest::{fit, without_nulls};

const PREFIX: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-";
const LEGACY: &str = "service.beta.kubernetes.io/alicloud-loadbalancer-";

/// What the controller does with an annotation of one sort of load balancer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Row {
    name: String,
    lb: LoadBalancer,
    /// What the annotation needs beside it.
    #[serde(default)]
    with: BTreeMap<String, String>,
    good: Option<String>,
    bad: Option<String>,
    /// Why no value is bad.
    no_bad: Option<String>,
    change: Option<Change>,
    /// What becomes of it when it is removed, with what cannot stand without it.
    removal: Option<Verdict>,
    #[serde(default)]
    goes_with: Vec<String>,
    /// Why no value is good.
    note: Option<String>,
    /// What the controller knows and no policy can.
    unknown: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum LoadBalancer {
    Clb,
    Nlb,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    to: String,
    verdict: Verdict,
    /// What cannot stand beside the new value.
    #[serde(default)]
    without: Vec<String>,
    /// What the new value needs.
    #[serde(default)]
    with: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Passes,
    Refused,
}

impl Row {
    /// The annotations of a Service with this value.
    fn annotations(&self, value: Option<&str>) -> Map<String, Value> {
        let mut annotations = Map::new();
        for (name, value) in &self.with {
            annotations.insert(key(name), json!(value));
        }
        if let Some(value) = value {
            annotations.insert(key(&self.name), json!(value));
        }
        annotations
    }

    fn service(&self, annotations: &Map<String, Value>, is_live: bool) -> Value {
        let class = match self.lb {
            LoadBalancer::Clb => Value::Null,
            LoadBalancer::Nlb => json!("alibabacloud.com/nlb"),
        };
        let ingress = if is_live {
            json!([{ "ip": "203.0.113.5" }])
        } else {
            Value::Null
        };
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "web", "annotations": annotations },
            "spec": { "type": "LoadBalancer", "loadBalancerClass": class },
            "status": { "loadBalancer": { "ingress": ingress } },
        })
    }
}

fn key(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{PREFIX}{name}")
    }
}

/// The lines of the refusal; none if the request passes.
fn refusals(settings: &Value, object: &Value, old: Option<&Value>) -> Vec<String> {
    let answer = answer(settings, object, old);
    let message = answer["message"].as_str().unwrap_or_default();
    let lines = message.lines().filter(|line| !line.ends_with(" problems:"));
    lines.map(str::to_owned).collect()
}

fn answer(settings: &Value, object: &Value, old: Option<&Value>) -> Value {
    let payload = json!({
        "request": {
            "uid": "1",
            "kind": { "group": "", "version": "v1", "kind": object["kind"] },
            "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
            "userInfo": { "username": "jane@example.com" },
            "namespace": "default",
            "object": object,
            "oldObject": old,
        },
        "settings": settings,
    });
    serde_json::from_slice(&wire::validate(payload.to_string().as_bytes())).unwrap()
}

fn rows() -> Vec<Row> {
    yaml_serde::from_str(&read("tests/bundle/annotations.yaml")).unwrap()
}

fn settings() -> Value {
    yaml_serde::from_str(&read("bundles/ack/settings.yaml")).unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_settings_are_valid() {
    let text = settings().to_string();
    assert_eq!(wire::validate_settings(text.as_bytes()), Ok(()));
}

#[test]
fn every_annotation_is_judged_as_the_controller_takes_it() {
    let settings = settings();
    let mut failures = String::new();
    let mut judged = BTreeMap::<&str, usize>::new();
    let rows = rows();
    for row in &rows {
        let mut check = |what: &'static str, wanted: Verdict, lines: Vec<String>| {
            *judged.entry(what).or_default() += 1;
            let names_it = lines.iter().any(|line| line.contains(&key(&row.name)));
            let is_right = match wanted {
                Verdict::Passes => lines.is_empty(),
                Verdict::Refused => names_it,
            };
            if !is_right {
                writeln!(
                    failures,
                    "{} ({:?}) {what}: wanted {wanted:?}: {lines:#?}",
                    row.name, row.lb
                )
                .unwrap();
            }
        };
        assert!(row.bad.is_some() != row.no_bad.is_some(), "{}", row.name);
        if let Some(bad) = &row.bad {
            let service = row.service(&row.annotations(Some(bad)), false);
            check(
                "a bad value on creation",
                Verdict::Refused,
                refusals(&settings, &service, None),
            );
        }
        let Some(good) = &row.good else {
            assert!(row.note.is_some(), "{}: why is nothing good?", row.name);
            continue;
        };
        let annotations = row.annotations(Some(good));
        let new = row.service(&annotations, false);
        check(
            "a good value on creation",
            Verdict::Passes,
            refusals(&settings, &new, None),
        );
        // The same under the older prefix.
        let legacy = |annotations: &Map<String, Value>| -> Map<String, Value> {
            let spell = |key: &String| key.replacen(PREFIX, LEGACY, 1);
            annotations
                .iter()
                .map(|(key, value)| (spell(key), value.clone()))
                .collect()
        };
        if let Some(bad) = row.bad.as_ref().filter(|_| !row.name.contains('/')) {
            let service = row.service(&legacy(&row.annotations(Some(bad))), false);
            let lines = refusals(&settings, &service, None);
            let lines = lines
                .into_iter()
                .map(|line| line.replace(LEGACY, PREFIX))
                .collect();
            check(
                "a bad value under the older prefix",
                Verdict::Refused,
                lines,
            );
        }
        let live = row.service(&annotations, true);
        check(
            "an update that leaves it",
            Verdict::Passes,
            refusals(&settings, &live, Some(&live)),
        );
        if let Some(change) = &row.change {
            let mut annotations = row.annotations(Some(&change.to));
            annotations.retain(|found, _| !change.without.iter().any(|name| key(name) == *found));
            let with = change.with.iter();
            annotations.extend(with.map(|(name, value)| (key(name), json!(value))));
            let changed = row.service(&annotations, true);
            let lines = refusals(&settings, &changed, Some(&live));
            check("a change after creation", change.verdict, lines);
        }
        let mut fewer = annotations.clone();
        fewer.remove(&key(&row.name));
        for name in &row.goes_with {
            assert!(fewer.remove(&key(name)).is_some(), "{}: {name}", row.name);
        }
        let removed = row.service(&fewer, true);
        let lines = refusals(&settings, &removed, Some(&live));
        check("a removal after creation", row.removal.unwrap(), lines);
    }
    assert!(failures.is_empty(), "{failures}");
    let told = told(&rows, &judged);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("ack_annotations", told);
    });
}

/// How many cases there were, and what is left out with what reason.
fn told(rows: &[Row], judged: &BTreeMap<&str, usize>) -> String {
    let names: BTreeSet<_> = rows.iter().map(|row| row.name.as_str()).collect();
    let mut told = format!("{} annotations\n", names.len());
    for (what, count) in judged {
        writeln!(told, "{count} cases of {what}").unwrap();
    }
    for (what, reason) in [
        (
            "no value is bad",
            (|row| row.no_bad.as_ref()) as fn(&Row) -> Option<&String>,
        ),
        ("no value is good", |row| row.note.as_ref()),
        ("out of reach of a policy", |row| row.unknown.as_ref()),
    ] {
        writeln!(told, "\n{what}:").unwrap();
        for row in rows {
            if let Some(reason) = reason(row) {
                writeln!(told, "- {} ({:?}): {reason}", row.name, row.lb).unwrap();
            }
        }
    }
    told
}

/// A Service that is created, or changed when its load balancer exists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    note: String,
    lb: Option<LoadBalancer>,
    before: Option<BTreeMap<String, String>>,
    after: BTreeMap<String, String>,
    /// The annotations that lines of the refusal are about.
    #[serde(default)]
    refused: Vec<String>,
    /// The annotations that other warnings are about.
    #[serde(default)]
    warned: Vec<String>,
    /// Texts that the answer holds.
    #[serde(default)]
    tells: Vec<String>,
    /// Texts that no part of the answer holds.
    #[serde(default)]
    hides: Vec<String>,
}

impl Service {
    fn object(&self, annotations: &BTreeMap<String, String>, is_live: bool) -> Value {
        let key = |name: &String| match name.strip_prefix("old:") {
            Some(name) => format!("{LEGACY}{name}"),
            None => key(name),
        };
        let class = match self.lb {
            Some(LoadBalancer::Nlb) => json!("alibabacloud.com/nlb"),
            _ => Value::Null,
        };
        let ingress = is_live.then(|| json!([{ "ip": "203.0.113.5" }]));
        let annotations: Map<_, _> = annotations
            .iter()
            .map(|(name, value)| (key(name), json!(value)))
            .collect();
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "web", "annotations": annotations },
            "spec": { "type": "LoadBalancer", "loadBalancerClass": class },
            "status": { "loadBalancer": { "ingress": ingress } },
        })
    }
}

/// The annotation that a line is about, in the short form of the tables.
fn subject(line: &str) -> String {
    let (_, rest) = line.split_once("annotations[\"").unwrap_or(("", line));
    let (name, _) = rest.split_once("\"]").unwrap_or((rest, ""));
    name.replace(PREFIX, "").replace(LEGACY, "old:")
}

#[test]
fn services_are_judged_as_the_controller_takes_them() {
    let settings = settings();
    let services: Vec<Service> = yaml_serde::from_str(&read("tests/bundle/services.yaml")).unwrap();
    let (mut failures, mut told) = (String::new(), String::new());
    for service in &services {
        let old = service.before.as_ref();
        let old = old.map(|before| service.object(before, true));
        let new = service.object(&service.after, old.is_some());
        let answer = answer(&settings, &new, old.as_ref());
        let refusals = refusals(&settings, &new, old.as_ref());
        let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
        // A violation is a warning as well, and may be cut there.
        let warned: Vec<_> = warnings
            .iter()
            .map(|warning| warning.as_str().unwrap())
            .skip(refusals.len())
            .collect();
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let subjects = |lines: &[&str]| sorted(lines.iter().map(|line| subject(line)).collect());
        let lines: Vec<_> = refusals.iter().map(String::as_str).collect();
        let text = [refusals.join("\n"), warned.join("\n")].join("\n");
        let is_right = subjects(&lines) == sorted(service.refused.clone())
            && subjects(&warned) == sorted(service.warned.clone())
            && service.tells.iter().all(|words| text.contains(words))
            && service.hides.iter().all(|words| !text.contains(words));
        if !is_right {
            writeln!(failures, "{}:\n{text}", service.note).unwrap();
        }
        writeln!(told, "# {}\n{}", service.note, text.trim()).unwrap();
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("ack_services", told);
    });
    assert!(failures.is_empty(), "{failures}");
}

/// Names without an older spelling.
///
/// Source: `pkg/controller/helper/service_utils.go` reads these two only as they are.
const ONE_SPELLING: [&str; 2] = ["type", "tunnel-type"];

#[test]
fn what_a_match_says_of_one_prefix_it_or_its_twin_says_of_the_other() {
    let settings = settings();
    let rules = settings["annotations"].as_array().unwrap();
    let spelled = |prefix: &str, name: &str| format!("metadata.annotations[\"{prefix}{name}\"]");
    let without_match = |rule: &Value| {
        let mut rule = rule.as_object().unwrap().clone();
        rule.remove("match");
        rule.remove("name");
        rule
    };
    let mut count = 0;
    for rule in rules {
        for map in ["fields", "oldFields"] {
            let fields = rule["match"][map].as_object().cloned().unwrap_or_default();
            for (key, condition) in &fields {
                let names = [PREFIX, LEGACY].map(|prefix| {
                    let start = format!("metadata.annotations[\"{prefix}");
                    key.strip_prefix(&start)
                        .map(|rest| rest.trim_end_matches("\"]").to_owned())
                });
                let (name, other) = match names {
                    [Some(name), _] => (name, LEGACY),
                    [_, Some(name)] => (name, PREFIX),
                    _ => continue,
                };
                if ONE_SPELLING.contains(&name.as_str()) {
                    continue;
                }
                count += 1;
                let other = spelled(other, &name);
                let has_twin = rules.iter().any(|twin| {
                    without_match(twin) == without_match(rule)
                        && twin["match"][map].get(&other) == Some(condition)
                });
                assert!(
                    fields.contains_key(&other) && condition == "!*" || has_twin,
                    "{}: {map} names {key} and no rule names {other}",
                    rule["name"]
                );
            }
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn what_an_annotation_needs_must_stand_beside_it() {
    let settings = settings();
    let mut failures = String::new();
    let mut count = 0;
    for row in rows().iter().filter(|row| row.good.is_some()) {
        for name in row.with.keys() {
            let mut without = row.annotations(row.good.as_deref());
            without.remove(&key(name));
            let service = row.service(&without, false);
            count += 1;
            let lines = refusals(&settings, &service, None);
            if lines.is_empty() {
                writeln!(failures, "{} ({:?}) without {name}", row.name, row.lb).unwrap();
            }
        }
    }
    assert!(count > 60, "{count}");
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_manifests_have_the_settings_and_fit_the_schema() {
    let schema: Value =
        yaml_serde::from_str(&read("tests/bundle/clusteradmissionpolicy.yaml")).unwrap();
    let metadata: Value = yaml_serde::from_str(&read("metadata.yml")).unwrap();
    let kustomization: Value =
        yaml_serde::from_str(&read("bundles/ack/kustomization.yaml")).unwrap();
    let files = kustomization["resources"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    for file in files {
        let name = file.as_str().unwrap();
        let policy: Value = yaml_serde::from_str(&read(&format!("bundles/ack/{name}"))).unwrap();
        let mut problems = Vec::new();
        fit(&schema, &policy, name, &mut problems);
        assert_eq!(problems, [""; 0]);
        assert_eq!(policy["kind"], "ClusterAdmissionPolicy", "{name}");
        assert_eq!(policy["apiVersion"], "policies.kubewarden.io/v1", "{name}");
        let mut wanted = settings();
        if name.contains("validating") {
            // It sees Pods after the other one has rewritten them, and may not do it itself.
            wanted["rewrite"] = json!("never");
        }
        let applied = without_nulls(&policy["spec"]["settings"]);
        assert_eq!(applied, wanted, "{name}");
        assert_eq!(
            policy["spec"]["mutating"],
            name.contains("mutating"),
            "{name}"
        );
        let url = metadata["annotations"]["io.kubewarden.policy.ociUrl"]
            .as_str()
            .unwrap();
        let module = format!("registry://{url}:v{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(policy["spec"]["module"], module, "{name}");
        for rule in policy["spec"]["rules"].as_array().unwrap() {
            let is_known = metadata["rules"].as_array().unwrap().iter().any(|known| {
                let has = |list: &Value, all: &Value| {
                    list.as_array()
                        .unwrap()
                        .iter()
                        .all(|one| all.as_array().unwrap().contains(one))
                };
                ["apiGroups", "apiVersions", "resources", "operations"]
                    .iter()
                    .all(|key| has(&rule[key], &known[key]))
            });
            assert!(is_known, "{name}: {rule}");
        }
    }
    // The test can tell: each of these is refused.
    let policy: Value = yaml_serde::from_str(&read("bundles/ack/policy-validating.yaml")).unwrap();
    for (pointer, value) in [
        ("/spec/mode", json!("watch")),
        ("/spec/mutating", json!("false")),
        ("/spec/rules/0/resources", json!("pods")),
        ("/spec/timeoutEvalSeconds", json!(31)),
        ("/spec/module", Value::Null),
        ("/spec/setings", json!({})),
    ] {
        let mut policy = policy.clone();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        policy.pointer_mut(parent).unwrap()[last] = value;
        let mut problems = Vec::new();
        fit(&schema, &policy, "", &mut problems);
        assert_eq!(problems.len(), 1, "{pointer}: {problems:?}");
    }
}

/// The settings of a manifest, if its policy is asked about a resource.
fn settings_for(file: &str, resource: &str) -> Option<Value> {
    let policy: Value = yaml_serde::from_str(&read(&format!("bundles/ack/{file}.yaml"))).unwrap();
    let is_asked = policy["spec"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .any(|rule| {
            rule["resources"]
                .as_array()
                .unwrap()
                .contains(&json!(resource))
        });
    is_asked.then(|| policy["spec"]["settings"].clone())
}

#[test]
fn pods_run_from_the_mirrors_and_pass_both_policies() {
    let mutating = settings_for("policy-mutating", "pods").unwrap();
    let validating = settings_for("policy-validating", "pods").unwrap();
    let hangzhou = "registry.cn-hangzhou.aliyuncs.com";
    let digest = format!("sha256:{}", "a".repeat(64));
    for (written, runs) in [
        (
            "redis:7.2-alpine",
            "example.azurecr.io/library/redis:7.2-alpine".to_owned(),
        ),
        (
            &format!("registry.k8s.io/ingress-nginx/controller:v1.9.4@{digest}"),
            format!("{hangzhou}/google_containers/nginx-ingress-controller:v1.9.4"),
        ),
    ] {
        let containers = json!([{ "name": "app", "image": written }]);
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": containers } });
        let answer = answer(&mutating, &pod, None);
        assert_eq!(answer["accepted"], true, "{answer}");
        let rewritten = &answer["mutated_object"];
        assert_eq!(
            rewritten["spec"]["containers"][0]["image"], runs,
            "{answer}"
        );
        assert_eq!(refusals(&validating, rewritten, None), [""; 0]);
        // Kubewarden refuses what a policy changes that may not.
        let unseen = self::answer(&validating, &pod, None);
        assert_eq!(unseen["accepted"], false, "{unseen}");
        assert_eq!(unseen["mutated_object"], Value::Null, "{unseen}");
        assert!(
            unseen["message"].as_str().unwrap().contains(&runs),
            "{unseen}"
        );
        // The workload stays as Git has it; only the policy that knows what becomes of it is asked.
        let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" }, "spec": { "template": { "spec": { "containers": containers } } } });
        let answer = self::answer(&mutating, &deployment, None);
        assert_eq!(answer["accepted"], true, "{answer}");
        assert_eq!(answer["mutated_object"], Value::Null, "{answer}");
    }
    assert!(settings_for("policy-mutating", "deployments").is_some());
    assert!(settings_for("policy-validating", "deployments").is_none());
    let pod = |image: &str| json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "app", "image": image }] } });
    for refused in [
        "prom/statsd-exporter:v0.28.0",
        &format!("redis@{digest}"),
        // On these anybody has a namespace or an instance.
        "registry.cn-hangzhou.aliyuncs.com/library/redis:7.2-alpine",
        "registry.cn-hangzhou.aliyuncs.com/evil/redis:7",
        "registry-vpc.cn-hangzhou.aliyuncs.com/evil/redis:7",
        "registry.cn-hangzhou.aliyuncs.com/google_containers-evil/redis:7",
        "registry.oss-cn-hangzhou.aliyuncs.com/google_containers/pause:3.9",
        "evil-registry.cn-hangzhou.cr.aliyuncs.com/google_containers/pause:3.9",
        "crpi-1.cn-hangzhou.personal.cr.aliyuncs.com/google_containers/pause:3.9",
        "evil.azurecr.io/redis:7",
        "evilexample.azurecr.io/redis:7",
    ] {
        assert_eq!(
            refusals(&mutating, &pod(refused), None).len(),
            1,
            "{refused}"
        );
    }
    for admitted in [
        "registry.cn-beijing.aliyuncs.com/google_containers/pause:3.9",
        "registry-vpc.cn-shanghai.aliyuncs.com/google_containers/pause:3.9",
        "registry.aliyuncs.com/google_containers/pause:3.9",
        "registry-cn-hangzhou-vpc.ack.aliyuncs.com/acs/coredns:v1.9.3",
        "example.azurecr.io/klinecubic/backend:prod-v0.6.0",
    ] {
        assert_eq!(
            refusals(&mutating, &pod(admitted), None),
            [""; 0],
            "{admitted}"
        );
    }
}
