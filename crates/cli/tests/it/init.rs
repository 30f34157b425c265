//! `rollout-guard init`: settings that admit what runs, and no more than that.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::command::Workshop;

fn pod_spec(images: &[&str]) -> Value {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(index, image)| json!({ "name": format!("c{index}"), "image": image }))
        .collect();
    json!({ "containers": containers })
}

fn workload(kind: &str, namespace: &str, name: &str, images: &[&str]) -> Value {
    let template = json!({ "metadata": {}, "spec": pod_spec(images) });
    let (version, spec) = match kind {
        "CronJob" => (
            "batch/v1",
            json!({ "jobTemplate": { "spec": { "template": template } } }),
        ),
        "Job" => ("batch/v1", json!({ "template": template })),
        "Pod" => ("v1", pod_spec(images)),
        _ => ("apps/v1", json!({ "template": template })),
    };
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": namespace }, "spec": spec })
}

fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

fn cluster() -> Vec<Value> {
    let mut objects = vec![
        workload(
            "Deployment",
            "prod",
            "web",
            &["redis:7.2", "registry.corp.io/team/web:1", "bad image"],
        ),
        workload(
            "CronJob",
            "stage",
            "job",
            &[
                "registry.corp.io/team/job@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
        ),
        workload(
            "DaemonSet",
            "kube-system",
            "proxy",
            &["registry.k8s.io/kube-proxy:v1.35.0"],
        ),
        workload("Pod", "stage", "one", &["nginx"]),
    ];
    for name in ["a", "b", "c", "d", "e"] {
        objects.push(workload(
            "StatefulSet",
            "stage",
            name,
            &[&format!("ghcr.io/org/{name}:1")],
        ));
    }
    for (object, manager) in [(0, "argocd-controller"), (1, "kubectl-client-side-apply")] {
        objects[object]["metadata"]["managedFields"] =
            json!([{ "manager": manager, "operation": "Apply" }]);
    }
    objects
}

#[test]
fn settings_are_written_as_a_person_would() {
    let workshop = Workshop::new("init-written");
    workshop.file("live.json", list(&cluster()));
    let told = workshop.run("init --cluster live.json");
    assert_eq!(told.code, 0);
    insta::assert_snapshot!("init", told.stdout);
    let told = workshop.run("init --cluster live.json --broad --unreachable docker.io");
    insta::assert_snapshot!("init_mirrors", told.stdout);
    let told = workshop.run("init --cluster live.json --unreachable docker.io --policy");
    insta::assert_snapshot!("init_policy", told.stdout);
    for (name, arguments) in [
        ("settings", ""),
        ("mirrors", "--unreachable docker.io"),
        ("policy", "--policy"),
        ("broad", "--broad"),
    ] {
        let written = workshop.run(&format!(
            "init --cluster live.json {arguments} --output {name}.yaml"
        ));
        assert_eq!(written.code, 0, "{written:?}");
        let valid = workshop.run(&format!("settings {name}.yaml"));
        assert_eq!(
            (valid.code, valid.stdout.contains("warning")),
            (0, false),
            "{valid:?}"
        );
        // Only what is no image is refused.
        let audit = workshop.json(&format!("audit -s {name}.yaml --cluster live.json"));
        let codes: Vec<_> = audit["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["codes"].to_string())
            .collect();
        assert_eq!(codes, ["[\"image-unparsable\"]"], "{name}: {audit:#}");
    }
    assert_eq!(
        workshop
            .run("init --cluster live.json --output settings.yaml")
            .code,
        3
    );
    let nowhere = workshop.run("init --cluster live.json --unreachable quay.io");
    assert!(
        nowhere
            .stderr
            .contains("--unreachable quay.io: no image is from there")
    );
    let broad = workshop.read("broad.yaml");
    assert!(
        !broad.contains("- docker.io #") && broad.contains("- ghcr.io #"),
        "{broad}"
    );
}

#[test]
fn manifests_are_read_as_well_and_what_cannot_be_is_told() {
    let workshop = Workshop::new("init-manifests");
    workshop.file("deploy/web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { template: { spec: { containers: [{ name: a, image: \"quay.io/a/b:1\" }] } } }\n");
    let told = workshop.run("init deploy");
    assert_eq!(told.code, 0);
    assert!(
        told.stdout
            .contains("    - quay.io/a/b # 1 image in 1 namespace\n"),
        "{told:?}"
    );
    workshop.file("deploy/bad.yaml", "kind: Pod\napiVersion: [\n");
    let told = workshop.run("init deploy");
    assert_eq!(told.code, 3);
    assert!(
        told.stderr.contains("not read: deploy/bad.yaml:"),
        "{told:?}"
    );
    assert!(told.stdout.contains("quay.io/a/b"));
    workshop.file(
        "none/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n",
    );
    let told = workshop.run("init none");
    assert_eq!(told.code, 3);
    assert!(told.stderr.contains("no image in 1 object"), "{told:?}");
}

/// Images of a few registries, whose repositories lie beside and below each other.
fn image() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just(""),
        Just("docker.io/"),
        Just("ghcr.io/"),
        Just("registry.corp.io:5000/"),
        Just("localhost/")
    ];
    let path = proptest::collection::vec(
        prop_oneof![Just("a"), Just("b"), Just("c-1"), Just("team"), Just("x_y")],
        1..4,
    );
    let tag = prop_oneof![
        Just(String::new()),
        Just(":1".to_owned()),
        Just(":latest".to_owned()),
        Just(format!("@sha256:{}", "a".repeat(64))),
        Just(format!(":2@sha256:{}", "b".repeat(64))),
    ];
    (host, path, tag).prop_map(|(host, path, tag)| format!("{host}{}{tag}", path.join("/")))
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    let kind = prop_oneof![
        Just("Deployment"),
        Just("CronJob"),
        Just("Job"),
        Just("Pod"),
        Just("DaemonSet")
    ];
    let namespace = prop_oneof![
        Just("prod"),
        Just("stage"),
        Just("kube-system"),
        Just("team-a")
    ];
    let one = (kind, namespace, proptest::collection::vec(image(), 1..4));
    proptest::collection::vec(one, 1..12).prop_map(|all| {
        let all = all.iter().enumerate();
        all.map(|(number, (kind, namespace, images))| {
            let images: Vec<_> = images.iter().map(String::as_str).collect();
            workload(kind, namespace, &format!("w{number}"), &images)
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What `init` writes refuses nothing that runs; without any one entry of the allow list, something is
    /// refused, or there is no rule left.
    #[test]
    fn what_is_written_admits_what_runs_and_every_entry_is_needed(objects in objects(), broad: bool) {
        let workshop = Workshop::new("init-property");
        workshop.file("live.json", list(&objects));
        let broad = if broad { "--broad" } else { "" };
        let written = workshop.run(&format!("init --cluster live.json {broad}"));
        prop_assert_eq!(written.code, 0, "{:?}", written);
        workshop.file("settings.yaml", &written.stdout);
        let audit = workshop.run("audit -s settings.yaml --cluster live.json");
        prop_assert_eq!(audit.code, 0, "{}\n{:?}", written.stdout, audit);
        prop_assert!(!written.stdout.contains("- docker.io #"));
        let entries: BTreeSet<_> = written.stdout.lines().filter(|line| line.starts_with("    - ")).collect();
        for entry in &entries {
            let without: Vec<_> = written.stdout.lines().filter(|line| line != entry).collect();
            workshop.file("settings.yaml", without.join("\n"));
            let audit = workshop.run("audit -s settings.yaml --cluster live.json");
            let wanted = if entries.len() == 1 { 2 } else { 1 };
            prop_assert_eq!(audit.code, wanted, "without {}: {:?}", entry, audit);
        }
    }
}
