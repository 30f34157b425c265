//! `rollout-guard audit`: a cluster that was recorded, and one that kubectl asks.

use std::fmt::Write as _;

use std::path::Path;

use serde_json::{Value, json};
use wapc::WapcHost;

use crate::command::Workshop;
use crate::same_verdict::load;

const SETTINGS: &str = "\
registries: { allow: [ghcr.io, registry.example.com] }
mirrors: [{ source: docker.io/library, mirror: registry.example.com/hub }]
annotations: [{ name: team, match: { kinds: [core/Service] }, required: [team], action: warn }]
";

fn metadata(namespace: &str, name: &str, owner: Option<(&str, &str)>) -> Value {
    let mut metadata = json!({ "name": name, "namespace": namespace });
    if let Some((kind, name)) = owner {
        metadata["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": true }]);
    }
    metadata
}

fn containers(images: &[&str]) -> Value {
    let containers = images.iter().enumerate();
    let containers: Vec<_> = containers
        .map(|(index, image)| json!({ "name": format!("c{index}"), "image": image }))
        .collect();
    json!({ "containers": containers })
}

fn deployment(namespace: &str, name: &str, images: &[&str]) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(namespace, name, None),
        "spec": { "template": { "metadata": {}, "spec": containers(images) } },
    })
}

fn replica_set(namespace: &str, of: &str, images: &[&str]) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": metadata(namespace, &format!("{of}-abc"), Some(("Deployment", of))),
        "spec": { "template": { "metadata": {}, "spec": containers(images) } },
    })
}

fn pod(namespace: &str, name: &str, owner: Option<(&str, &str)>, images: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata(namespace, name, owner),
        "spec": containers(images), "status": { "phase": "Running" },
    })
}

/// A cluster with something of everything.
fn objects() -> Vec<Value> {
    let set = Some(("ReplicaSet", "web-abc"));
    let mut over = pod(
        "prod",
        "old-1",
        Some(("Job", "old")),
        &["quay.io/org/job:0"],
    );
    over["status"]["phase"] = json!("Succeeded");
    let mut mirror = pod(
        "kube-system",
        "etcd-node",
        Some(("Node", "node")),
        &["quay.io/coreos/etcd:3"],
    );
    mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" });
    let mut objects = vec![
        // A Pod comes before what it belongs to.
        pod("prod", "web-abc-1", set, &["quay.io/org/app:1", "redis:7"]),
        pod(
            "prod",
            "web-abc-2",
            set,
            &["quay.io/org/app:1", "redis:7", "docker.io/istio/proxyv2:1"],
        ),
        replica_set("prod", "web", &["quay.io/org/app:1", "redis:7"]),
        deployment("prod", "web", &["quay.io/org/app:1", "redis:7"]),
        deployment("stage", "web", &["quay.io/org/app:1"]),
        deployment("stage", "good", &["ghcr.io/org/app:1"]),
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("prod", "old", None), "spec": { "template": { "spec": containers(&["ghcr.io/org/job:1"]) } } }),
        over,
        mirror,
        pod(
            "prod",
            "operated-0",
            Some(("Thing", "operated")),
            &["quay.io/org/thing:1"],
        ),
        pod(
            "prod",
            "operated-1",
            Some(("Thing", "operated")),
            &["quay.io/org/thing:1"],
        ),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata("prod", "web", None), "spec": {} }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("prod", "web", None), "data": {} }),
    ];
    for (number, object) in objects.iter_mut().enumerate() {
        object["metadata"]["uid"] = json!(format!("uid-{number}"));
    }
    objects
}

fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("live.json", list(&objects()));
    workshop
}

#[test]
fn what_a_cluster_would_refuse_is_told_by_code_and_image() {
    let workshop = workshop("audit-human");
    let told = workshop.run("audit -s settings.yaml --cluster live.json");
    assert_eq!(told.code, 1);
    insta::assert_snapshot!("audit", told.shown());
    let told = workshop.run("audit -s settings.yaml --cluster live.json -v --group-by namespace");
    insta::assert_snapshot!("audit_namespaces", told.shown());
    let told = workshop.run("audit -s settings.yaml --cluster live.json --format markdown");
    insta::assert_snapshot!("audit_markdown", told.shown());
    let stdin = workshop.run_with(
        "audit -s settings.yaml --cluster - --group-by image",
        &workshop.read("live.json"),
    );
    assert_eq!(stdin.code, 1);
    assert!(
        stdin
            .stdout
            .contains("quay.io/org/app:1: 3 objects in 2 namespaces"),
        "{stdin:?}"
    );
    let only = workshop.json("audit -s settings.yaml -n stage --cluster live.json");
    assert_eq!(only["summary"]["namespaces"], 1);
}

/// Pods and `ReplicaSets` count as their Deployment, but for a Pod that runs something else.
#[test]
fn what_a_workload_makes_is_part_of_it() {
    let workshop = workshop("audit-fold");
    let audit = workshop.json("audit -s settings.yaml --cluster live.json");
    let rows: Vec<_> = audit["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let verdict =
                ["refusedAsNew", "nextPodRefused", "updateRefused"].map(|key| row[key] == true);
            (
                format!("{} {}/{}", text("kind"), text("namespace"), text("name")),
                row["pods"].as_u64().unwrap(),
                verdict,
            )
        })
        .collect();
    let row = |name: &str, pods, verdict| (name.to_owned(), pods, verdict);
    assert_eq!(
        rows,
        [
            // Its kubelet runs it whatever the policy says.
            row("Pod kube-system/etcd-node", 0, [false, false, false]),
            row("Deployment prod/web", 1, [true, true, false]),
            row("Job prod/old", 0, [false, false, false]),
            row("Pod prod/operated-0", 1, [true, false, false]),
            row("Pod prod/web-abc-2", 0, [true, false, false]),
            row("Service prod/web", 0, [false, false, false]),
            row("Deployment stage/good", 0, [false, false, false]),
            row("Deployment stage/web", 0, [true, true, false]),
        ]
    );
    assert_eq!(audit["summary"]["warnings"], 2, "{audit:#}");
    let strict =
        workshop.run("audit -s settings.yaml -n stage --cluster live.json --fail-on warnings");
    assert_eq!(strict.code, 1);
}

#[test]
fn updates_are_refused_where_everything_is_judged() {
    let workshop = workshop("audit-update");
    workshop.file("settings.yaml", format!("{SETTINGS}onUpdate: all\n"));
    let audit = workshop.json("audit -s settings.yaml --cluster live.json");
    assert_eq!(
        audit["summary"]["updateRefused"], 0,
        "an update that changes nothing is bookkeeping"
    );
    workshop.file(
        "settings.yaml",
        "drift: { lastApplied: reject }\nonUpdate: all\n",
    );
    assert_eq!(
        workshop
            .run("audit -s settings.yaml --cluster live.json")
            .code,
        0
    );
}

/// The fields of `openreports.io/v1alpha1`, as reports-api has them.
#[test]
fn open_reports_have_what_their_api_requires() {
    let workshop = workshop("audit-openreports");
    let told = workshop.run("audit -s settings.yaml --cluster live.json --format openreports");
    assert_eq!(told.code, 1);
    let list: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    let reports = list["items"].as_array().unwrap();
    assert!(reports.len() >= 4);
    let mut names = Vec::new();
    for report in reports {
        assert_eq!(report["apiVersion"], "openreports.io/v1alpha1");
        assert_eq!(report["kind"], "Report");
        let name = report["metadata"]["name"].as_str().unwrap();
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{name}"
        );
        names.push(name);
        let results = report["results"].as_array().unwrap();
        let count = |wanted: &str| {
            results
                .iter()
                .filter(|result| result["result"] == wanted)
                .count()
        };
        assert_eq!(report["summary"]["fail"], count("fail"));
        assert_eq!(report["summary"]["warn"], count("warn"));
        for result in results {
            for key in [
                "source", "policy", "rule", "category", "severity", "result", "message",
            ] {
                assert!(result[key].is_string(), "{key}: {result}");
            }
            assert!(result["timestamp"]["seconds"].as_u64().unwrap() > 1_700_000_000);
            assert!(["high", "low"].contains(&result["severity"].as_str().unwrap()));
            assert!(
                result["properties"]
                    .as_object()
                    .unwrap()
                    .values()
                    .all(Value::is_string)
            );
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), reports.len());
}

/// Policies as a cluster has them: one that mutates, then one that validates what came of it.
fn policies() -> Vec<Value> {
    let policy = |name: &str, mutating: bool, settings: Value| {
        json!({
            "apiVersion": "policies.kubewarden.io/v1", "kind": "ClusterAdmissionPolicy", "metadata": { "name": name },
            "spec": {
                "module": "registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0", "mutating": mutating,
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }],
                "settings": settings,
            },
        })
    };
    vec![
        policy(
            "validating",
            false,
            json!({ "registries": { "allow": ["registry.example.com"] } }),
        ),
        policy(
            "mutating",
            true,
            json!({ "mirrors": [{ "source": "docker.io", "mirror": "registry.example.com/hub" }] }),
        ),
    ]
}

#[test]
fn the_policies_of_a_cluster_are_asked_in_its_order() {
    let workshop = Workshop::new("audit-policies");
    let mut live = policies();
    live.push(deployment("prod", "mirrored", &["redis:7"]));
    live.push(deployment("prod", "other", &["quay.io/org/app:1"]));
    workshop.file("live.json", list(&live));
    let audit = workshop.json("audit --policies --cluster live.json");
    let refused: Vec<_> = audit["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["nextPodRefused"] == true)
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(refused, ["other"], "{audit:#}");
    assert_eq!(
        audit["summary"]["refusedAsNew"], 0,
        "no rule names Deployments"
    );
    let by_policy = workshop.run("audit --policies --cluster live.json --group-by policy");
    assert!(
        by_policy
            .stdout
            .contains("ClusterAdmissionPolicy validating: 1 object"),
        "{by_policy:?}"
    );
    assert_eq!(
        workshop.run_with("audit --policies --cluster -", "").code,
        2
    );
    // Without a policy of this module there is nothing to judge with, whatever else is installed.
    let mut other = policies().remove(0);
    other["spec"]["module"] = json!("registry://ghcr.io/kubewarden/policies/other:v1");
    for live in [vec![], vec![other]] {
        workshop.file(
            "none.json",
            list(&[live, vec![deployment("a", "a", &["a"])]].concat()),
        );
        let told = workshop.run("audit --policies --cluster none.json");
        assert_eq!(
            (told.code, told.stderr.as_str()),
            (
                2,
                "error: none.json has no policy that runs rollout-guard\n"
            )
        );
    }
}

#[test]
fn policies_that_may_not_be_read_are_told_to_be_unread() {
    let workshop = Workshop::new("audit-policies-forbidden");
    let groups = json!({ "groups": [{ "name": "policies.kubewarden.io", "preferredVersion": { "version": "v1" } }] });
    let policies = api(&[("clusteradmissionpolicies", "ClusterAdmissionPolicy")]);
    kubectl(
        &workshop,
        &[
            ("/apis", &groups),
            ("/api/v1", &api(&[])),
            ("/apis/policies.kubewarden.io/v1", &policies),
        ],
    );
    let told = workshop.run_with_programs("audit --policies");
    assert_eq!((told.code, told.stdout.as_str()), (3, ""), "{told:?}");
    assert_eq!(
        told.stderr,
        "error: no policy was read: clusteradmissionpolicies.policies.kubewarden.io: Error from server (Forbidden): clusteradmissionpolicies.policies.kubewarden.io is forbidden: User \"jane\" cannot list resource \"clusteradmissionpolicies\" in API group \"policies.kubewarden.io\" at the cluster scope\n"
    );
}

/// What is not read is told beside what was, and there is no success.
#[test]
fn half_a_recording_is_reported_as_half() {
    let workshop = workshop("audit-half");
    let live = workshop.read("live.json");
    workshop.file("cut.json", live.as_bytes().get(..live.len() - 40).unwrap());
    let told = workshop.run("audit -s settings.yaml --cluster cut.json");
    assert_eq!(told.code, 3);
    assert!(
        told.stdout.contains("quay.io/org/app:1: 3 objects"),
        "{told:?}"
    );
    assert!(
        told.stdout
            .contains("Not read:\n  cut.json: EOF while parsing"),
        "{told:?}"
    );
    let page = json!({ "apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": { "continue": "x", "remainingItemCount": 4 }, "items": [deployment("a", "a", &["ghcr.io/a/a"])] });
    workshop.file("page.json", page.to_string());
    let told = workshop.run("audit -s settings.yaml --cluster page.json nowhere.json");
    assert_eq!(told.code, 3);
    assert!(
        told.stdout
            .contains("nowhere.json: no such file or directory"),
        "{told:?}"
    );
    assert!(
        told.stdout.contains("page.json: the rest of a list"),
        "{told:?}"
    );
    workshop
        .file("empty.json", list(&[]))
        .file("text", "nothing\n");
    assert_eq!(
        workshop
            .run("audit -s settings.yaml --cluster empty.json")
            .code,
        3
    );
    assert_eq!(
        workshop.run("audit -s settings.yaml --cluster text").code,
        3
    );
    let yaml = "apiVersion: v1\nkind: List\nitems:\n  - { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: \"quay.io/a\" }] } }\n";
    workshop.file("live.yaml", yaml);
    assert_eq!(
        workshop
            .run("audit -s settings.yaml --cluster live.yaml")
            .code,
        1
    );
}

/// A kubectl that answers paths from files, and writes down what it was asked.
fn kubectl(workshop: &Workshop, answers: &[(&str, &Value)]) {
    let mut script = String::from(
        "echo \"$@\" >>asked\n[ \"$1\" = --context ] && shift 2\ncase \"$1 $2 $3\" in\n",
    );
    for (index, (path, answer)) in answers.iter().enumerate() {
        workshop.file(&format!("answers/{index}.json"), answer.to_string());
        writeln!(script, "\"get --raw {path}\") cat answers/{index}.json ;;").unwrap();
    }
    script.push_str(
        "*forbidden*) echo 'Error from server (Forbidden): services is forbidden: User \"jane\" cannot list resource \"services\" in API group \"\" at the cluster scope' >&2; exit 1 ;;\n\
         *policies?limit*) echo 'Error from server (Forbidden): clusteradmissionpolicies.policies.kubewarden.io is forbidden: User \"jane\" cannot list resource \"clusteradmissionpolicies\" in API group \"policies.kubewarden.io\" at the cluster scope' >&2; exit 1 ;;\n\
         *gone*) echo 'The connection to the server cluster.example.com:6443 was refused - did you specify the right host or port?' >&2; exit 1 ;;\n\
         *expired*) echo 'Error from server (Expired): The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.' >&2; exit 1 ;;\n\
         'config current-context '*) echo kind-kind ;;\n\
         *) echo \"Error from server (NotFound): $3\" >&2; exit 1 ;;\nesac",
    );
    workshop.program("kubectl", &script);
}

fn api(resources: &[(&str, &str)]) -> Value {
    let resources: Vec<_> = resources
        .iter()
        .map(|(name, kind)| json!({ "name": name, "kind": kind, "namespaced": true, "verbs": ["get", "list"] }))
        .collect();
    json!({ "kind": "APIResourceList", "resources": resources })
}

fn typed(kind: &str, version: &str, token: &str, items: &[Value]) -> Value {
    let mut items = items.to_vec();
    for item in &mut items {
        let item = item.as_object_mut().unwrap();
        item.remove("kind");
        item.remove("apiVersion");
    }
    json!({ "kind": kind, "apiVersion": version, "metadata": { "continue": token }, "items": items })
}

#[test]
fn a_cluster_is_read_page_by_page_and_nothing_is_written_to_it() {
    let workshop = Workshop::new("audit-kubectl");
    workshop.file("settings.yaml", SETTINGS);
    let groups = json!({ "groups": [
        { "name": "apps", "preferredVersion": { "version": "v1" } },
        { "name": "tekton.dev", "preferredVersion": { "version": "v1" } },
        { "name": "example.com", "preferredVersion": { "version": "v1" } },
    ] });
    let core = api(&[
        ("pods", "Pod"),
        ("pods/log", "Pod"),
        ("secrets", "Secret"),
        ("services", "Service"),
    ]);
    let apps = api(&[
        ("deployments", "Deployment"),
        ("controllerrevisions", "ControllerRevision"),
    ]);
    let tekton = api(&[("tasks", "Task")]);
    let none = typed("PodList", "v1", "", &[]);
    let first = typed(
        "DeploymentList",
        "apps/v1",
        "a+b/c=",
        &[deployment("a", "one", &["quay.io/a/a"])],
    );
    let second = typed(
        "DeploymentList",
        "apps/v1",
        "",
        &[deployment("b", "two", &["ghcr.io/a/a"])],
    );
    let tasks = typed(
        "TaskList",
        "tekton.dev/v1",
        "",
        &[json!({ "metadata": metadata("a", "task", None), "spec": { "steps": [] } })],
    );
    let mut answers = vec![
        ("/apis", &groups),
        ("/api/v1", &core),
        ("/apis/apps/v1", &apps),
        ("/apis/tekton.dev/v1", &tekton),
        ("/api/v1/pods?limit=500", &none),
        ("/api/v1/services?limit=500", &none),
        ("/apis/apps/v1/deployments?limit=500", &first),
        (
            "/apis/apps/v1/deployments?limit=500&continue=a%2Bb%2Fc%3D",
            &second,
        ),
        ("/apis/tekton.dev/v1/tasks?limit=500", &tasks),
    ];
    kubectl(&workshop, &answers);
    let told = workshop.run_with_programs("audit -s settings.yaml");
    assert_eq!(told.code, 1, "{told:?}");
    insta::assert_snapshot!("audit_kubectl", told.shown());
    let asked = workshop.read("asked");
    for line in asked.lines() {
        assert!(
            line.starts_with("get --raw /api") || line == "config current-context",
            "{line}"
        );
        assert!(
            !line.contains("secrets") && !line.contains("example.com") && !line.contains("log"),
            "{line}"
        );
    }
    let _ = std::fs::remove_file(workshop.0.join("asked"));
    let told = workshop.run_with_programs("audit -s settings.yaml --context prod -n a");
    assert!(
        workshop
            .read("asked")
            .contains("--context prod get --raw /api/v1/namespaces/a/pods?limit=500\n")
    );
    assert!(told.stdout.contains("context `prod`"), "{told:?}");

    // The token for the second page is too old: what came before counts, and there is no success.
    answers.retain(|(path, _)| !path.contains("continue"));
    let expired = typed(
        "DeploymentList",
        "apps/v1",
        "expired",
        &[deployment("a", "one", &["quay.io/a/a"])],
    );
    answers
        .iter_mut()
        .filter(|(path, _)| path.ends_with("deployments?limit=500"))
        .for_each(|(_, answer)| *answer = &expired);
    answers.retain(|(path, _)| !path.contains("services"));
    kubectl(&workshop, &answers);
    let told = workshop.run_with_programs("audit -s settings.yaml");
    assert_eq!(told.code, 3);
    insta::assert_snapshot!("audit_expired", told.shown());
}

#[test]
fn a_cluster_that_does_not_answer_is_told_in_a_line() {
    let workshop = Workshop::new("audit-lost");
    workshop.file("settings.yaml", SETTINGS);
    let no_kubectl = {
        let mut command = workshop.command(".", "audit -s settings.yaml");
        crate::command::outcome(command.env("PATH", "/nowhere"), "")
    };
    assert_eq!(no_kubectl.code, 3);
    assert_eq!(
        no_kubectl.stderr,
        "error: the cluster cannot be asked: cannot run kubectl: no such file or directory\n"
    );
    workshop.program(
        "kubectl",
        "echo 'error: context \"prod\" does not exist' >&2; exit 1",
    );
    let wrong = workshop.run_with_programs("audit -s settings.yaml --context prod");
    assert_eq!(wrong.code, 3);
    assert_eq!(
        wrong.stderr,
        "error: the cluster cannot be asked: error: context \"prod\" does not exist\n"
    );
    // It goes away in the middle: the rest is not asked for, and named.
    let groups = json!({ "groups": [{ "name": "apps", "preferredVersion": { "version": "v1" } }] });
    let pods = typed(
        "PodList",
        "v1",
        "gone",
        &[pod("a", "one", None, &["quay.io/a/a"])],
    );
    kubectl(
        &workshop,
        &[
            ("/apis", &groups),
            ("/api/v1", &api(&[("pods", "Pod"), ("services", "Service")])),
            ("/apis/apps/v1", &api(&[("deployments", "Deployment")])),
            ("/api/v1/pods?limit=500", &pods),
        ],
    );
    let told = workshop.run_with_programs("audit -s settings.yaml");
    assert_eq!(told.code, 3);
    insta::assert_snapshot!("audit_gone", told.shown());
}

/// Policies with selectors, in a cluster whose namespaces have labels.
fn selecting_policies() -> Vec<Value> {
    let of = |name: &str, resource: &str, spec: Value, host: &str| {
        let mut policy = policies().remove(0);
        policy["metadata"]["name"] = json!(name);
        policy["spec"]["settings"] = json!({ "registries": { "allow": [host] } });
        policy["spec"]["rules"][0]["apiGroups"] = json!(["*"]);
        policy["spec"]["rules"][0]["resources"] = json!([resource]);
        for (key, value) in spec.as_object().unwrap() {
            policy["spec"][key] = value.clone();
        }
        policy
    };
    let namespace = |name: &str, tier: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "tier": tier } } });
    vec![
        of(
            "edge",
            "deployments",
            json!({ "namespaceSelector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["edge"] }] }, "matchConditions": [{ "name": "a", "expression": "true" }] }),
            "edge.example.com",
        ),
        of(
            "strict",
            "deployments",
            json!({ "objectSelector": { "matchLabels": { "strict": "a" } } }),
            "strict.example.com",
        ),
        of(
            "strict-pods",
            "pods",
            json!({ "objectSelector": { "matchExpressions": [{ "key": "strict", "operator": "Exists" }] } }),
            "pods.example.com",
        ),
        namespace("front", "edge"),
        namespace("prod", "core"),
    ]
}

fn labelled(namespace: &str, name: &str, own: &Value, template: &Value) -> Value {
    let mut object = deployment(namespace, name, &["ghcr.io/org/app:1"]);
    object["metadata"]["labels"] = own.clone();
    object["spec"]["template"]["metadata"]["labels"] = template.clone();
    object
}

/// The policies that refuse each object.
fn refused_by(audit: &Value) -> Vec<(String, Vec<String>)> {
    let rows = audit["objects"].as_array().unwrap().iter();
    rows.map(|row| {
        let findings = row["findings"].as_array().unwrap().iter();
        let policy = |finding: &Value| {
            finding["policy"]
                .as_str()
                .unwrap()
                .replace("ClusterAdmissionPolicy ", "")
        };
        let mut by: Vec<_> = findings.map(policy).collect();
        by.sort();
        (row["name"].as_str().unwrap().to_owned(), by)
    })
    .collect()
}

#[test]
fn selectors_of_a_cluster_s_policies_decide_what_is_audited() {
    let workshop = Workshop::new("audit-selectors");
    let none = json!({});
    let strict = json!({ "strict": "a" });
    let deployments = [
        labelled("front", "edge", &none, &none),
        labelled("prod", "core", &none, &none),
        labelled("prod", "own", &strict, &none),
        labelled("prod", "template", &none, &strict),
        labelled("unknown", "somewhere", &none, &none),
    ];
    let mut live = selecting_policies();
    live.extend(deployments.clone());
    workshop.file("live.json", list(&live));
    let audit = workshop.json("audit --policies --cluster live.json");
    let wanted = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(name, by)| ((*name).to_owned(), vec![(*by).to_owned()]))
            .collect::<Vec<_>>()
    };
    let refused = wanted(&[
        ("edge", "edge"),
        ("own", "strict"),
        ("template", "strict-pods"),
    ]);
    assert_eq!(refused_by(&audit), refused, "{audit:#}");
    let told = workshop.run("audit --policies --cluster live.json");
    assert!(
        told.stdout
            .contains("`matchConditions` is not evaluated (CEL)"),
        "{told:?}"
    );
    assert!(!told.stdout.contains("Selector"), "{told:?}");

    // Where nobody knows the labels of namespaces, their selectors leave nothing out, and that is said.
    live.retain(|object| object["kind"] != "Namespace");
    workshop.file("live.json", list(&live));
    let audit = workshop.json("audit --policies --cluster live.json");
    let by_edge = refused_by(&audit)
        .into_iter()
        .filter(|(_, by)| by.contains(&"edge".to_owned()));
    assert_eq!(by_edge.count(), deployments.len(), "{audit:#}");
    let told = workshop.run("audit --policies --cluster live.json");
    assert!(
        told.stdout
            .contains("`namespaceSelector` is not considered, since the namespaces were not read"),
        "{told:?}"
    );

    // The same from a cluster that kubectl asks.
    let (policies, namespaces) = (selecting_policies(), selecting_policies());
    let group = json!({ "groups": [
        { "name": "apps", "preferredVersion": { "version": "v1" } },
        { "name": "policies.kubewarden.io", "preferredVersion": { "version": "v1" } },
    ] });
    let core = api(&[("namespaces", "Namespace")]);
    let apps = api(&[("deployments", "Deployment")]);
    let kubewarden = api(&[
        ("clusteradmissionpolicies", "ClusterAdmissionPolicy"),
        ("policyservers", "PolicyServer"),
    ]);
    let kubewarden_list = typed(
        "ClusterAdmissionPolicyList",
        "policies.kubewarden.io/v1",
        "",
        &policies[..3],
    );
    let namespace_list = typed("NamespaceList", "v1", "", &namespaces[3..]);
    let deployment_list = typed("DeploymentList", "apps/v1", "", &deployments);
    let mut answers = vec![
        ("/apis", &group),
        ("/api/v1", &core),
        ("/apis/apps/v1", &apps),
        ("/apis/policies.kubewarden.io/v1", &kubewarden),
        (
            "/apis/policies.kubewarden.io/v1/clusteradmissionpolicies?limit=500",
            &kubewarden_list,
        ),
        ("/api/v1/namespaces?limit=500", &namespace_list),
        ("/apis/apps/v1/deployments?limit=500", &deployment_list),
    ];
    kubectl(&workshop, &answers);
    let told = workshop.run_with_programs("audit --policies --format json");
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(
        refused_by(&serde_json::from_str(&told.stdout).unwrap()),
        refused
    );
    assert!(!workshop.read("asked").contains("policyservers?"));
    answers.retain(|(path, _)| !path.contains("namespaces?"));
    kubectl(&workshop, &answers);
    let told = workshop.run_with_programs("audit --policies");
    assert_eq!(told.code, 3, "{told:?}");
    assert!(
        told.stdout.contains("namespaces: Error from server"),
        "{told:?}"
    );
    assert!(
        told.stdout.contains("the namespaces were not read"),
        "{told:?}"
    );
}

/// What `audit`, `check` and the webhook are asked with.
fn agreed_settings() -> Value {
    json!({
        "registries": { "allow": ["ghcr.io", "registry.example.com"] },
        "mirrors": [{ "source": "docker.io/library", "mirror": "registry.example.com/hub" }],
        "annotations": [
            { "name": "team", "match": { "kinds": ["core/Service"] }, "required": ["team"], "action": "warn" },
            { "name": "class", "match": { "kinds": ["core/Service", "apps/Deployment"] }, "immutable": ["class"], "createOnly": ["zone"] },
        ],
        "changes": [{ "name": "git", "match": { "kinds": ["apps/Deployment"] }, "guard": ["images"], "allowUsers": ["argocd"] }],
    })
}

/// The webhook: the engine as it reads a request, and the built module, where `POLICY_WASM` names one.
fn webhook(module: Option<&WapcHost>, object: &Value, old: Option<&Value>) -> Value {
    let version = object["apiVersion"].as_str().unwrap();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let review = json!({
        "settings": agreed_settings(),
        "request": {
            "uid": "1", "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
            "userInfo": { "username": "rollout-guard" },
            "kind": { "group": group, "version": version, "kind": object["kind"] },
            "namespace": object["metadata"]["namespace"], "name": object["metadata"]["name"],
            "object": object, "oldObject": old,
        },
    });
    let payload = review.to_string();
    let answer = rollout_guard::wire::validate(payload.as_bytes());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    if let Some(module) = module {
        let told = module.call("validate", payload.as_bytes()).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told, answer, "{review:#}");
    }
    answer
}

/// The places and codes of what refuses, as a report has them.
fn refusals<'f>(findings: impl Iterator<Item = &'f Value>) -> Vec<(String, String)> {
    let refusing = findings.filter(|finding| finding["severity"] == "error");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let mut refusals: Vec<_> = refusing
        .map(|finding| (text(finding, "place"), text(finding, "code")))
        .collect();
    refusals.sort();
    refusals
}

/// Holds a report against the answer of the webhook: the same number of lines, with the same places and codes.
fn assert_agrees(answer: &Value, ours: &[(String, String)], about: &str) {
    assert_eq!(answer["accepted"], ours.is_empty(), "{about}: {answer:#}");
    let message = answer["message"].as_str().unwrap_or_default();
    let lines: Vec<_> = message.lines().filter(|line| line.ends_with(']')).collect();
    assert_eq!(lines.len(), ours.len(), "{about}: {message}: {ours:?}");
    for (place, code) in ours {
        let is_told = |line: &&str| line.starts_with(place) && line.ends_with(&format!("[{code}]"));
        assert!(
            lines.iter().any(is_told),
            "{about}: {message}: {place} {code}"
        );
    }
}

/// An object with another image and other annotations.
fn changed(object: &Value) -> Value {
    let mut after = object.clone();
    after["metadata"]["annotations"] = json!({ "class": "b", "zone": "z", "team": "t" });
    for way in ["/spec/template/spec/containers/0", "/spec/containers/0"] {
        if let Some(container) = after.pointer_mut(way) {
            container["image"] = json!("quay.io/new/app:9");
        }
    }
    after
}

/// `audit`, `check` without and with a cluster, and the webhook say the same about the same objects.
#[test]
fn audit_check_and_the_webhook_agree() {
    let module = std::env::var_os("POLICY_WASM").map(|path| load(Path::new(&path)));
    let workshop = workshop("audit-agrees");
    workshop.file("settings.yaml", agreed_settings().to_string());
    let audit = workshop.json("audit -s settings.yaml --cluster live.json");
    let check = |arguments: &str| {
        let report = workshop.json(&format!(
            "check -s settings.yaml object.json --as rollout-guard {arguments}"
        ));
        assert_eq!(report["summary"]["objects"], 1, "{report:#}");
        refusals(report["findings"].as_array().unwrap().iter())
    };
    let objects = objects();
    let (mut compared, mut of_changes) = (0, 0);
    for row in audit["objects"].as_array().unwrap() {
        let is_row = |object: &&Value| {
            object["kind"] == row["kind"]
                && object["metadata"]["name"] == row["name"]
                && object["metadata"]["namespace"] == row["namespace"]
        };
        let object = objects.iter().find(is_row).unwrap();
        if object["metadata"]["annotations"].is_object() {
            // Its kubelet asks, whom `check` cannot be.
            continue;
        }
        let about = format!("{} {}", object["kind"], object["metadata"]["name"]);
        let audited = |question: &str| {
            let findings = row["findings"].as_array().unwrap().iter();
            refusals(findings.filter(|finding| finding["question"] == question))
        };
        workshop.file("object.json", object.to_string());
        // As new, and as an update that changes nothing.
        for (question, arguments, old) in [
            ("new", "", None),
            ("update", "--cluster live.json", Some(object)),
        ] {
            let ours = check(arguments);
            assert_eq!(audited(question), ours, "{about}");
            assert_agrees(&webhook(module.as_ref(), object, old), &ours, &about);
        }
        let after = changed(object);
        workshop.file("object.json", after.to_string());
        let ours = check("--cluster live.json");
        assert_agrees(
            &webhook(module.as_ref(), &after, Some(object)),
            &ours,
            &about,
        );
        of_changes += ours.len();
        compared += 1;
    }
    assert_eq!(compared, 7);
    assert!(of_changes > 15, "{of_changes}");
}
