//! `rollout-guard drift`: an image that somebody changed by hand, and what else happens to workloads.

use serde_json::{Value, json};

use crate::command::Workshop;

const GIT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: redis, namespace: prod }
spec:
  selector: { matchLabels: { app: redis } }
  template:
    metadata: { labels: { app: redis } }
    spec:
      containers:
        - name: redis
          image: redis:7.2-alpine # Docker Hub
";

const RUNS: &str = "example.azurecr.io/redis:7.2-alpine-final";
const DIGEST: &str = "sha256:5c2e36bf7e4d8a1b0f93c6d27e81a4f5b6c7d8e9f0a1b2c3d4e5f60718293a4b";

const SETTINGS: &str = "mirrors:\n  - { source: \"docker.io/library/redis:7.2-alpine\", mirror: \"example.azurecr.io/redis:7.2-alpine-final\" }\n";

const ALLOW: &str = "registries: { allow: [docker.io, example.azurecr.io] }\n";

fn workload(kind: &str, name: &str, image: &str) -> Value {
    let template = json!({ "metadata": { "labels": { "app": name } }, "spec": { "containers": [{ "name": name, "image": image }] } });
    let spec = match kind {
        "CronJob" => {
            json!({ "schedule": "* * * * *", "jobTemplate": { "spec": { "template": template } } })
        }
        "StatefulSet" => json!({ "serviceName": name, "selector": {}, "template": template }),
        _ => json!({ "selector": {}, "template": template }),
    };
    let group = if kind == "CronJob" {
        "batch/v1"
    } else {
        "apps/v1"
    };
    json!({ "apiVersion": group, "kind": kind, "metadata": { "name": name, "namespace": "prod" }, "spec": spec })
}

/// A Pod of `owner`, a kind and a name, that runs an image, or waits for it.
fn pod(
    owner: (&str, &str),
    name: &str,
    container: &str,
    image: &str,
    waiting: Option<&str>,
) -> Value {
    let state = match waiting {
        None => json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } }),
        Some(reason) => json!({ "waiting": { "reason": reason } }),
    };
    let image_id = if waiting.is_none() {
        format!("{image}@{DIGEST}").replace(":7.2-alpine-final", "")
    } else {
        String::new()
    };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{}-{name}", owner.1), "namespace": "prod",
            "labels": { "pod-template-hash": owner.1.rsplit('-').next().unwrap() },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": owner.0, "name": owner.1, "uid": "1", "controller": true }],
        },
        "spec": { "containers": [{ "name": container, "image": image }] },
        "status": { "containerStatuses": [{
            "name": container, "image": image, "imageID": image_id, "ready": waiting.is_none(), "restartCount": 0, "state": state,
        }] },
    })
}

fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

fn redis_pod(image: &str) -> Value {
    pod(
        ("ReplicaSet", "redis-57f57df567"),
        "qzjmq",
        "redis",
        image,
        None,
    )
}

fn workshop(name: &str, live: &[Value]) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("git/redis.yaml", GIT)
        .file("settings.yaml", SETTINGS)
        .file("allow.yaml", ALLOW)
        .file("live.json", list(live));
    workshop
}

fn states(report: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                format!("{} {}", text(row, "name"), text(row, "what")),
                text(row, "state"),
            )
        })
        .collect()
}

fn state(report: &Value) -> String {
    states(report).into_iter().next().unwrap().1
}

/// Git says Docker Hub, somebody put another image into the cluster by hand.
#[test]
fn the_incident_is_found_and_written_into_git() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-incident", &live);
    let outcome = workshop.run("drift --git git --cluster live.json");
    insta::assert_snapshot!("incident", outcome.shown());
    let outcome = workshop.run("drift --git git --cluster live.json --format markdown");
    insta::assert_snapshot!("incident_markdown", outcome.shown());
    workshop.run("drift -s allow.yaml --git git --cluster live.json --write");
    assert_eq!(
        workshop.read("git/redis.yaml"),
        GIT.replace("redis:7.2-alpine", RUNS)
    );
    assert_eq!(workshop.run("drift --git git --cluster live.json").code, 0);
}

#[test]
fn an_image_that_differs_by_its_mirror_is_in_sync() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let outcome =
        workshop("drift-mirror", &live).run("drift -s settings.yaml --git git --cluster live.json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "1 in sync\n"));
}

#[test]
fn a_pod_that_the_policy_rewrote_is_in_sync() {
    let live = vec![
        workload("Deployment", "redis", "redis:7.2-alpine"),
        redis_pod(RUNS),
    ];
    let workshop = workshop("drift-rewritten", &live);
    let report = workshop.json("drift -s settings.yaml --git git --cluster live.json");
    assert_eq!(state(&report), "in-sync");
    // Without the mirror nobody can know.
    let report = workshop.json("drift --git git --cluster live.json");
    assert_eq!(state(&report), "cluster-was-edited");
}

#[test]
fn an_edit_after_the_last_apply_is_told_from_a_stale_git() {
    let mut edited = workload("Deployment", "redis", RUNS);
    let applied = workload("Deployment", "redis", "redis:7.2-alpine").to_string();
    edited["metadata"]["annotations"] =
        json!({ "kubectl.kubernetes.io/last-applied-configuration": applied });
    let report = workshop("drift-edited", &[edited, redis_pod(RUNS)])
        .json("drift --git git --cluster live.json");
    assert_eq!(state(&report), "cluster-was-edited");
    assert_eq!(
        report["rows"][0]["advice"],
        format!("write `{RUNS}` in Git")
    );
}

#[test]
fn a_rollout_with_two_replica_sets_is_in_progress() {
    let mut deployment = workload("Deployment", "redis", "redis:7.2-alpine");
    deployment["metadata"]["generation"] = json!(4);
    deployment["status"] = json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1 });
    let new = |waiting| {
        pod(
            ("ReplicaSet", "redis-6c9"),
            "aaaaa",
            "redis",
            "redis:7.2-alpine",
            waiting,
        )
    };
    let workshop = workshop(
        "drift-rollout",
        &[deployment.clone(), redis_pod(RUNS), new(None)],
    );
    let report = workshop.json("drift --git git --cluster live.json");
    assert_eq!(state(&report), "rollout-in-progress");
    assert_eq!(report["rows"][0]["isDifference"], false);
    // The new Pod cannot pull, the old one still runs what works.
    workshop.file(
        "live.json",
        list(&[deployment, redis_pod(RUNS), new(Some("ImagePullBackOff"))]),
    );
    let outcome = workshop.run("drift --git git --cluster live.json");
    assert_eq!(outcome.code, 1);
    insta::assert_snapshot!("stuck", outcome.shown());
}

#[test]
fn stateful_sets_and_cron_jobs_are_compared() {
    let workshop = Workshop::new("drift-kinds");
    let git = [
        workload("StatefulSet", "db", "db:1"),
        workload("CronJob", "backup", "backup:1"),
        workload("DaemonSet", "agent", "agent:1"),
    ];
    let mut live = git.to_vec();
    live[0] = workload("StatefulSet", "db", "db:2");
    live.push(pod(("StatefulSet", "db"), "0", "db", "db:2", None));
    live.push(pod(
        ("Job", "backup-29000000"),
        "x",
        "backup",
        "backup:0",
        None,
    ));
    live.push(pod(
        ("DaemonSet", "agent"),
        "x",
        "agent",
        "docker.io/library/agent:1",
        None,
    ));
    workshop
        .file("git.json", list(&git))
        .file("live.json", list(&live));
    let report = workshop.json("drift --git git.json --cluster live.json");
    let expected = [
        ("backup container backup", "cluster-was-edited"),
        ("agent container agent", "in-sync"),
        ("db container db", "git-is-stale"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
        .collect();
    assert_eq!(states(&report), expected);
}

#[test]
fn a_workload_that_one_side_lacks_is_told() {
    let live = vec![workload("Deployment", "other", "x"), redis_pod(RUNS)];
    let mut elsewhere = workload("Deployment", "elsewhere", "x");
    elsewhere["metadata"]["namespace"] = json!("kube-system");
    let mut live = live;
    live.push(elsewhere);
    let report = workshop("drift-missing", &live).json("drift --git git --cluster live.json");
    let expected = [
        ("other workload", "only-in-cluster"),
        ("redis workload", "only-in-git"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
        .collect();
    assert_eq!(states(&report), expected);
}

#[test]
fn a_digest_in_git_is_held_against_what_was_pulled() {
    let pinned = |digest: &str| format!("redis:7.2-alpine@{digest}");
    let live = |image: &str| {
        let mut running = redis_pod("redis:7.2-alpine");
        running["status"]["containerStatuses"][0]["image"] = json!(DIGEST);
        running["status"]["containerStatuses"][0]["imageID"] =
            json!(format!("docker-pullable://redis@{DIGEST}"));
        vec![workload("Deployment", "redis", image), running]
    };
    let workshop = workshop("drift-digest", &live(&pinned(DIGEST)));
    workshop.file(
        "git/redis.yaml",
        GIT.replace("redis:7.2-alpine", &pinned(DIGEST)),
    );
    let report = workshop.json("drift --git git --cluster live.json");
    assert_eq!(state(&report), "in-sync");
    let other = DIGEST.replace("5c2e", "0000");
    workshop
        .file(
            "git/redis.yaml",
            GIT.replace("redis:7.2-alpine", &pinned(&other)),
        )
        .file("live.json", list(&live(&pinned(&other))));
    let report = workshop.json("drift --git git --cluster live.json");
    assert_eq!(state(&report), "cluster-was-edited");
}

/// An object with annotations, and with those of its pod template.
fn annotated(kind: &str, name: &str, own: &Value, template: &Value) -> Value {
    let mut object = workload(kind, name, "x:1");
    object["metadata"]["annotations"] = own.clone();
    let way = if kind == "CronJob" {
        "/spec/jobTemplate/spec/template/metadata"
    } else {
        "/spec/template/metadata"
    };
    object.pointer_mut(way).unwrap()["annotations"] = template.clone();
    object
}

#[test]
fn guarded_annotations_of_objects_and_their_pods_are_compared() {
    let workshop = Workshop::new("drift-annotations");
    let none = json!({});
    let mut job = annotated("CronJob", "job", &none, &json!({ "example.com/a": "1" }));
    job["spec"]["jobTemplate"]["metadata"] = json!({ "annotations": { "example.com/b": "1" } });
    let git = [
        annotated(
            "Deployment",
            "web",
            &json!({ "example.com/team": "a", "example.com/same": "s", "other": "1" }),
            &json!({ "example.com/config": "1", "example.com/gone": "g" }),
        ),
        job.clone(),
        // No rule is about this kind.
        annotated(
            "StatefulSet",
            "db",
            &json!({ "example.com/team": "a" }),
            &none,
        ),
    ];
    let mut live = [
        annotated(
            "Deployment",
            "web",
            &json!({
                "example.com/team": "b", "example.com/same": "s", "other": "2", "example.com/new": "n",
                "deployment.kubernetes.io/revision": "3",
            }),
            &json!({ "example.com/config": "2", "kubectl.kubernetes.io/restartedAt": "2026" }),
        ),
        job,
        annotated(
            "StatefulSet",
            "db",
            &json!({ "example.com/team": "b" }),
            &none,
        ),
    ];
    live[1]["spec"]["jobTemplate"]["metadata"]["annotations"]["example.com/b"] = json!("2");
    live[0]["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!(git[0].to_string());
    workshop
        .file("git.json", list(&git))
        .file("live.json", list(&live))
        .file(
            "settings.yaml",
            "changes:\n  - match: { kinds: [apps/Deployment, batch/CronJob], namespaces: [prod], operations: [UPDATE], users: [nobody] }\n    guard: [\"annotations:*\"]\n  - match: { names: [we?] }\n    guard: [images, \"annotations:example.com/*\"]\n",
        );
    let outcome = workshop.run("drift -s settings.yaml --git git.json --cluster live.json");
    assert_eq!(outcome.code, 1);
    insta::assert_snapshot!("annotations", outcome.shown());
    // With no guard, or another object's, annotations are nobody's business.
    for settings in [
        "tags: { reject: [latest] }\n",
        "changes: [{ guard: [images, \"labels:*\"] }]\n",
        "changes: [{ match: { names: [other] }, guard: [\"annotations:*\"] }]\n",
    ] {
        workshop.file("settings.yaml", settings);
        let outcome = workshop.run("drift -s settings.yaml --git git.json --cluster live.json");
        assert_eq!(outcome.stdout, "3 in sync\n", "{settings}");
    }
}

#[test]
fn a_guard_holds_where_either_side_matches_and_what_is_live_is_written_into_git() {
    let workshop = Workshop::new("drift-annotations-write");
    let git = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: prod
  labels: { tier: edge }
  annotations:
    example.com/team: 'a' # ours
spec:
  selector: {}
  template:
    metadata:
      annotations: {example.com/config: \"1\"}
    spec:
      containers: [{ name: web, image: \"x:1\" }]
";
    let live = annotated(
        "Deployment",
        "web",
        &json!({ "example.com/team": "b" }),
        &json!({ "example.com/config": "2" }),
    );
    workshop
        .file("git/web.yaml", git)
        .file("live.json", list(&[live]))
        .file(
            "settings.yaml",
            "changes: [{ match: { labels: { tier: edge } }, guard: [\"annotations:example.com/*\"] }]\n",
        );
    let arguments = "drift -s settings.yaml --git git --cluster live.json";
    let report = workshop.json(arguments);
    let rows: Vec<_> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["what"].as_str().unwrap(),
                row["state"].as_str().unwrap(),
                row["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "annotation example.com/config of the Pods",
                "git-is-stale",
                13
            ),
            ("annotation example.com/team", "git-is-stale", 8),
            ("container web", "in-sync", 15),
        ]
    );
    let outcome = workshop.run(&format!("{arguments} --write"));
    assert_eq!(workshop.read("git/web.yaml"), git);
    assert!(
        outcome
            .stderr
            .contains("git/web.yaml:8:23: `b` is not written: it is no image"),
        "{outcome:?}"
    );
    workshop.run(&format!("{arguments} --write=spec"));
    assert_eq!(
        workshop.read("git/web.yaml"),
        git.replace("'a'", "'b'").replace("\"1\"", "\"2\"")
    );
    assert_eq!(workshop.run(arguments).code, 0);
}

#[test]
fn the_mirrors_of_a_policy_in_a_namespace_are_for_that_namespace() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-namespace", &live);
    let policy = |namespace: &str| {
        format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: {{ name: mirrors, namespace: {namespace} }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  rules:\n    - {{ apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE] }}\n  settings:\n    {}",
            SETTINGS.replace('\n', "\n    ")
        )
    };
    for (namespace, code) in [("prod", 0), ("stage", 1)] {
        workshop.file("policy.yaml", policy(namespace));
        let outcome = workshop.run("drift -s policy.yaml --git git --cluster live.json");
        assert_eq!(outcome.code, code, "{namespace}: {outcome:?}");
    }
}

#[test]
fn a_template_is_told_and_not_compared() {
    let live = vec![workload("Deployment", "redis", "redis:7.2-alpine")];
    let workshop = workshop("drift-template", &live);
    workshop
        .file(".rollout-guard.yaml", "helm: off\n")
        .file("git/chart/Chart.yaml", "apiVersion: v2\nname: c\n")
        .file(
            "git/chart/templates/redis.yaml",
            GIT.replace("redis:7.2-alpine", "\"{{ .Values.image }}\""),
        )
        .file("git/other.yaml", "a: {{ if .x }}\n---\nb: {{ end }}\n");
    let outcome = workshop.run("drift --git git --cluster live.json");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "1 in sync\n"));
    assert_eq!(
        outcome.stderr,
        "git/chart/templates/redis.yaml: a template, not rendered: it is not compared\ngit/other.yaml: a template, not rendered: it is not compared\n"
    );
    let outcome = workshop.run("fix -s settings.yaml --check git/chart git/other.yaml");
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (
            0,
            "0 changes to make in 0 files\n  2 templates not rendered: left as they are\n"
        )
    );
}

#[test]
fn a_cluster_is_asked_with_kubectl() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-kubectl", &live);
    let run = |script: &str| {
        workshop
            .program("kubectl", script)
            .run_with_programs("drift --git git --context prod")
    };
    let outcome = run("echo \"$@\" >arguments; cat live.json");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""));
    assert!(
        outcome.stdout.contains(&format!("write `{RUNS}` in Git")),
        "{outcome:?}"
    );
    assert_eq!(
        workshop.read("arguments"),
        "--context prod get deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,cronjobs.batch,jobs.batch,replicationcontrollers,pods --all-namespaces --output json\n"
    );
    let outcome = run(
        "echo 'Error in configuration: context was not found for specified context: prod' >&2; exit 1",
    );
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
    assert_eq!(
        outcome.stderr,
        "error: kubectl: Error in configuration: context was not found for specified context: prod\n"
    );
    assert_eq!(run("echo 'no json'").code, 3);
}

#[test]
fn the_current_context_is_asked_unless_another_is_named() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-current", &live);
    let current = "case \"$*\" in 'config current-context') echo shop-prod;; *) echo \"$@\" >arguments; cat live.json;; esac";
    workshop.program("kubectl", current);
    let outcome = workshop.run_with_programs("drift --git git -n prod");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        "asking the cluster of kubectl's current context, `shop-prod`\n"
    );
    // Whoever may list only one namespace asks about that.
    let arguments = workshop.read("arguments");
    assert!(arguments.starts_with("get deployments.apps,"));
    assert!(arguments.ends_with("pods --namespace prod --output json\n"));
    // What is in others is not compared, and not told to be missing.
    let outcome = workshop.run_with_programs("drift --git git -n other");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stderr.contains(
        "Deployment: 1 object in Git not compared, since only the namespace `other` was asked about"
    ));
    for (script, told) in [
        (
            "",
            "kubectl has no current context: name one with --context",
        ),
        (
            "echo 'error: current-context is not set' >&2; exit 1",
            "error: current-context is not set",
        ),
    ] {
        let outcome = workshop
            .program("kubectl", script)
            .run_with_programs("drift --git git");
        assert_ne!(outcome.code, 0);
        assert!(outcome.stderr.contains(told), "{outcome:?}");
    }
    std::fs::remove_file(workshop.0.join("bin/kubectl")).unwrap();
    let mut command = workshop.command(".", "drift --git git");
    let outcome = crate::command::outcome(command.env("PATH", workshop.0.join("bin")), "");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome
            .stderr
            .contains("kubectl: cannot be run: no such file or directory")
    );
}

#[test]
fn what_a_user_may_not_list_does_not_hide_the_rest() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-forbidden", &live);
    workshop.file(
        "git/db.json",
        workload("StatefulSet", "db", "db:1").to_string(),
    );
    let outcome = workshop
        .program("kubectl", 
            "case \"$*\" in *statefulsets*) echo 'Error from server (Forbidden): statefulsets.apps is forbidden' >&2; exit 1;; *\" deployments.apps \"*) cat live.json;; *) echo '{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}';; esac",
        )
        .run_with_programs("drift --git git --context prod --format json");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        states(&report),
        [(
            "redis container redis".to_owned(),
            "git-is-stale".to_owned()
        )]
    );
    assert_eq!(report["notCompared"][0]["kind"], "StatefulSet");
    assert_eq!(
        outcome.stderr,
        "StatefulSet: 1 object in Git not compared, since the cluster's objects have none of this kind\nkubectl: statefulsets.apps not compared: Error from server (Forbidden): statefulsets.apps is forbidden (-n asks about one namespace)\n"
    );
    // Whoever may list one namespace may list no kind in all of them.
    let outcome = workshop
        .program("kubectl", "case \"$*\" in *' --namespace prod '*) cat live.json;; *) echo 'Error from server (Forbidden): pods is forbidden' >&2; exit 1;; esac")
        .run_with_programs("drift --git git --context prod");
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (
            3,
            "error: kubectl: Error from server (Forbidden): pods is forbidden (-n asks about one namespace)\n"
        ),
    );
    let outcome = workshop.run_with_programs("drift --git git --context prod -n prod");
    assert!(outcome.stdout.contains("Git is stale"), "{outcome:?}");
}

#[test]
fn a_file_that_lacks_a_kind_compares_the_kinds_that_it_has() {
    let git = [
        workload("Deployment", "redis", "redis:7.2-alpine"),
        workload("Deployment", "gone", "x:1"),
        workload("StatefulSet", "db", "db:1"),
        workload("CronJob", "backup", "backup:1"),
    ];
    let workshop = Workshop::new("drift-lacks");
    workshop
        .file("git.json", list(&git))
        .file("live.json", list(&[workload("Deployment", "redis", RUNS)]));
    let outcome = workshop.run("drift --git git.json --cluster live.json");
    insta::assert_snapshot!("lacks_a_kind", outcome.shown());
    assert_eq!(outcome.code, 1);
    // Without Pods nobody knows what runs, so nothing is written.
    workshop.file("allow.yaml", ALLOW);
    workshop.run("drift -s allow.yaml --git git.json --cluster live.json --write");
    assert_eq!(workshop.read("git.json"), list(&git));
    workshop.file("live.json", list(&[]));
    let outcome = workshop.run("drift --git git.json --cluster live.json");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome
            .stderr
            .contains("nothing was compared, for the reasons above")
    );
}

#[test]
fn a_new_pod_that_cannot_pull_its_image_is_a_stuck_rollout() {
    let deployment = |image: &str| {
        let mut deployment = workload("Deployment", "redis", image);
        deployment["metadata"]["generation"] = json!(4);
        deployment["status"] =
            json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1 });
        deployment
    };
    let git = "redis:7.2-alpine";
    let new = |image: &str, waiting| {
        pod(
            ("ReplicaSet", "redis-6c9"),
            "aaaaa",
            "redis",
            image,
            waiting,
        )
    };
    let workshop = workshop("drift-stuck", &[]);
    let ask = |live: &[Value]| {
        workshop.file("live.json", list(live));
        let report = workshop.json("drift --git git --cluster live.json");
        let row = report["rows"][0].clone();
        (
            row["state"].as_str().unwrap().to_owned(),
            row["isDifference"].as_bool().unwrap(),
            row["advice"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for reason in ["ImagePullBackOff", "ErrImagePull", "InvalidImageName"] {
        let (state, is_difference, advice) =
            ask(&[deployment(git), redis_pod(RUNS), new(git, Some(reason))]);
        assert_eq!(
            (state.as_str(), is_difference),
            ("stuck-rollout", true),
            "{reason}"
        );
        assert_eq!(advice, format!("write `{RUNS}` in Git"));
    }
    // Containers that are only being created are a rollout.
    let (state, is_difference, _) = ask(&[
        deployment(git),
        redis_pod(RUNS),
        new(git, Some("ContainerCreating")),
    ]);
    assert_eq!(
        (state.as_str(), is_difference),
        ("rollout-in-progress", false)
    );
    // The first Pods of all: nothing runs.
    let mut first = workload("Deployment", "redis", git);
    first["status"] = json!({ "replicas": 1, "updatedReplicas": 1 });
    let (state, _, advice) = ask(&[first, new(git, Some("ErrImagePull"))]);
    assert_eq!(state, "stuck-rollout");
    assert_eq!(
        advice,
        "no Pod can pull it: write an image in Git that the nodes can pull"
    );
    // One node of two cannot pull what the other one runs.
    let (state, _, advice) = ask(&[
        deployment(git),
        redis_pod(git),
        new(git, Some("ErrImagePull")),
    ]);
    assert_eq!(state, "stuck-rollout");
    assert_eq!(
        advice,
        "some Pods run it: look at the nodes of those that cannot pull it"
    );
}

/// A real incident: `kubectl apply` brought the image of Git back, and what
/// ran before still runs.
#[test]
fn an_image_that_apply_reverted_is_found_and_what_runs_is_written() {
    let path = ".pipeline/k8s/base/redis/deployment.yaml";
    let git = GIT.replace("namespace: prod", "namespace: klinematrix-prod");
    let in_namespace = |mut object: Value| {
        object["metadata"]["namespace"] = json!("klinematrix-prod");
        object
    };
    let spec = |image: &str| in_namespace(workload("Deployment", "redis", image));
    let old = in_namespace(redis_pod(RUNS));
    let new = |image: &str, waiting| {
        in_namespace(pod(
            ("ReplicaSet", "redis-6c9f"),
            "x2v4k",
            "redis",
            image,
            waiting,
        ))
    };
    let evil = "evil.example.com/x:1";
    let settings = "registries: { allow: [\"example.azurecr.io\"] }\n";
    let workshop = Workshop::new("drift-reverted");
    workshop.file("settings.yaml", settings);
    for (live, state, written) in [
        // As it was found: the image was set by hand.
        (vec![spec(RUNS), old.clone()], "git-is-stale", true),
        // As the next apply broke it.
        (
            vec![
                spec("redis:7.2-alpine"),
                old.clone(),
                new("redis:7.2-alpine", Some("ImagePullBackOff")),
            ],
            "stuck-rollout",
            true,
        ),
        // Somebody put another image into the live spec: not rolled out, stuck, half and all the way.
        (vec![spec(evil), old.clone()], "git-is-stale", true),
        (
            vec![spec(evil), old.clone(), new(evil, Some("ErrImagePull"))],
            "git-is-stale",
            true,
        ),
        (
            vec![spec(evil), old.clone(), new(evil, None)],
            "git-is-stale",
            false,
        ),
        (vec![spec(evil), new(evil, None)], "git-is-stale", false),
        (
            vec![spec(evil), new(evil, Some("ErrImagePull"))],
            "git-is-stale",
            false,
        ),
        (vec![spec(evil)], "git-is-stale", false),
    ] {
        workshop.file(path, &git).file("live.json", list(&live));
        let drift = "drift -s settings.yaml --git .pipeline --cluster live.json";
        let report = workshop.json(drift);
        assert_eq!(report["rows"][0]["state"], state, "{live:?}");
        let outcome = workshop.run(&format!("{drift} --write"));
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let wanted = if written {
            git.replace("redis:7.2-alpine", RUNS)
        } else {
            git.clone()
        };
        assert_eq!(workshop.read(path), wanted, "{live:?}: {outcome:?}");
    }
}

#[test]
fn guarded_annotations_of_services_and_ingresses_are_compared() {
    let object = |kind: &str, name: &str, annotations: &Value| {
        let group = if kind == "Service" {
            "v1"
        } else {
            "networking.k8s.io/v1"
        };
        json!({
            "apiVersion": group, "kind": kind,
            "metadata": { "name": name, "namespace": "prod", "annotations": annotations },
            "spec": {},
        })
    };
    let spec = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec";
    let git = [
        object(
            "Service",
            "web",
            &json!({ spec: "slb.s1.small", "team": "a" }),
        ),
        object("Service", "gone", &json!({ spec: "slb.s1.small" })),
        object(
            "Ingress",
            "web",
            &json!({ "nginx.ingress.kubernetes.io/rewrite-target": "/" }),
        ),
    ];
    let live = [
        object("Service", "web", &json!({ "team": "b" })),
        object("Service", "new", &json!({})),
        object(
            "Ingress",
            "web",
            &json!({ "nginx.ingress.kubernetes.io/rewrite-target": "/" }),
        ),
    ];
    let workshop = Workshop::new("drift-services");
    workshop
        .file("git.json", list(&git))
        .file("live.json", list(&live))
        .file(
            "settings.yaml",
            "changes:\n  - match: { kinds: [core/Service, networking.k8s.io/Ingress] }\n    guard: [\"annotations:service.beta.kubernetes.io/*\", \"annotations:nginx.ingress.kubernetes.io/*\"]\n",
        );
    let outcome = workshop.run("drift -s settings.yaml --git git.json --cluster live.json");
    assert_eq!(outcome.code, 1);
    insta::assert_snapshot!("services", outcome.shown());
    // Without a guard they are nobody's business, and the cluster is not asked about them.
    let outcome = workshop.run("drift --git git.json --cluster live.json");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    for (settings, asks) in [("", false), ("-s settings.yaml", true)] {
        workshop
            .program("kubectl", "echo \"$@\" >arguments; cat live.json")
            .run_with_programs(&format!("drift {settings} --git git.json --context prod"));
        let asked = workshop.read("arguments");
        assert_eq!(
            asked.contains("services,ingresses.networking.k8s.io"),
            asks,
            "{asked}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let workshop = workshop(
        "drift-broken",
        &[workload("Deployment", "redis", "redis:7.2-alpine")],
    );
    workshop.file("git/broken.yaml", "kind: [1\n");
    let outcome = workshop.run("drift --git git --cluster live.json");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome.stderr.contains("git/broken.yaml:1:7: "),
        "{outcome:?}"
    );
    assert_eq!(workshop.run("drift --git git --cluster none.json").code, 3);
    workshop.file("live.json", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"redis","namespace":"prod"},"spec":7}"#);
    let outcome = workshop.run("drift --git git/redis.yaml --cluster live.json");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome.stderr.contains("Deployment prod/redis"),
        "{outcome:?}"
    );
}

/// A Pod of a Deployment with an image in a state.
fn pod_in(image: &str, state: &Value) -> Value {
    let mut pod = redis_pod(image);
    pod["status"]["containerStatuses"][0]["state"] = state.clone();
    pod
}

#[test]
fn only_an_image_that_runs_and_that_the_settings_admit_is_written() {
    let evil = "evil.example.com/x:1";
    let running = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
    let completed = json!({ "terminated": { "exitCode": 0 } });
    let failed = json!({ "terminated": { "exitCode": 1 } });
    let waiting = json!({ "waiting": { "reason": "ImagePullBackOff" } });
    let rejects = "registries: { reject: [quay.io] }\nimages: { allow: [\"*\"], action: warn }\n";
    let elsewhere = "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: { name: a, namespace: other }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v1\n  rules: [{ apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [CREATE] }]\n  settings: { registries: { allow: [evil.example.com] } }\n";
    let unlisted = Some("no `allow` list of the settings is about it");
    for (image, state, settings, reason) in [
        (RUNS, Some(&running), ALLOW, None),
        (RUNS, Some(&completed), ALLOW, None),
        (
            RUNS,
            Some(&running),
            "images: { allow: [\"example.azurecr.io/*\"] }\n",
            None,
        ),
        (RUNS, Some(&failed), ALLOW, Some("no Pod runs it")),
        (RUNS, Some(&waiting), ALLOW, Some("no Pod runs it")),
        (RUNS, Some(&json!({})), ALLOW, Some("no Pod runs it")),
        (RUNS, None, ALLOW, Some("no Pod runs it")),
        (evil, None, ALLOW, Some("no Pod runs it")),
        (
            evil,
            Some(&running),
            ALLOW,
            Some("the settings refuse it: registry `evil.example.com` is not allowed"),
        ),
        // What is not refused is not admitted yet.
        (evil, Some(&running), SETTINGS, unlisted),
        (evil, Some(&running), rejects, unlisted),
        (evil, Some(&running), elsewhere, unlisted),
        (
            RUNS,
            Some(&running),
            &format!("{ALLOW}tags: {{ reject: [\"*-final\"] }}\n"),
            Some("the settings refuse it: tag `7.2-alpine-final`"),
        ),
        // Another container is not this one's business, and a warning refuses nothing.
        (
            RUNS,
            Some(&running),
            &format!("{ALLOW}tags: {{ reject: [\"*-final\"], action: warn }}\n"),
            None,
        ),
    ] {
        let mut live = vec![workload("Deployment", "redis", image)];
        live.extend(state.map(|state| pod_in(image, state)));
        let workshop = workshop("drift-write", &live);
        workshop.file("strict.yaml", settings);
        let drift = "drift -s strict.yaml --git git --cluster live.json";
        for format in ["human", "json", "markdown"] {
            let report = workshop.run(&format!("{drift} --format {format}")).stdout;
            let refusal = reason.and_then(|reason| reason.strip_prefix("the settings refuse it: "));
            let refuses = format!("the settings refuse `{image}`: ");
            let advises = format!("write `{image}` in Git");
            match refusal {
                Some(refusal) => {
                    assert!(report.contains(&format!("{refuses}{refusal}")), "{report}");
                    assert!(!report.contains(&advises), "{report}");
                }
                // Whether it runs or not, a registry that is not allowed is none to write.
                None if image == evil && settings == ALLOW => {
                    assert!(report.contains(&refuses), "{report}");
                }
                None => assert!(report.contains(&advises), "{report}"),
            }
        }
        let outcome = workshop.run(&format!("{drift} --write"));
        assert_eq!(outcome.code, 1);
        let wanted = GIT.replace("redis:7.2-alpine", image);
        match reason {
            None => {
                assert_eq!(workshop.read("git/redis.yaml"), wanted, "{outcome:?}");
                assert!(
                    outcome
                        .stderr
                        .contains(&format!("git/redis.yaml:11:18: written: `{image}`")),
                    "{outcome:?}"
                );
            }
            Some(reason) => {
                assert_eq!(workshop.read("git/redis.yaml"), GIT, "{outcome:?}");
                let told = format!("git/redis.yaml:11:18: `{image}` is not written: {reason}");
                assert!(outcome.stderr.contains(&told), "{outcome:?}");
                assert!(outcome.stderr.contains("--write=spec"), "{outcome:?}");
                let outcome = workshop.run(&format!("{drift} --write=spec"));
                assert_eq!(workshop.read("git/redis.yaml"), wanted, "{outcome:?}");
            }
        }
    }
}

#[test]
fn without_settings_nothing_is_written_but_by_those_who_insist() {
    let evil = "evil.example.com/x:1";
    let live = vec![workload("Deployment", "redis", evil), redis_pod(evil)];
    let workshop = workshop("drift-write-alone", &live);
    let drift = "drift --git git --cluster live.json";
    let outcome = workshop.run(&format!("{drift} --write"));
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    insta::assert_snapshot!("write_without_settings", outcome.stderr);
    assert_eq!(workshop.read("git/redis.yaml"), GIT);
    workshop.file(".rollout-guard.yaml", "settings: allow.yaml\n");
    let outcome = workshop.run(&format!("{drift} --write"));
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(workshop.read("git/redis.yaml"), GIT);
    std::fs::remove_file(workshop.0.join(".rollout-guard.yaml")).unwrap();
    workshop.run(&format!("{drift} --write=spec"));
    let wanted = GIT.replace("redis:7.2-alpine", evil);
    assert_eq!(workshop.read("git/redis.yaml"), wanted);
}

#[test]
fn standard_input_is_not_written_before_anything_else() {
    let workshop = workshop("drift-stdin", &[]);
    for arguments in [
        "drift --git - --cluster live.json --write",
        "drift --git - --cluster none.json --write=spec -s none.yaml",
        "drift --write --git git - --context none",
    ] {
        let outcome = workshop.run_with(arguments, GIT);
        assert_eq!(outcome.code, 2, "{arguments}: {outcome:?}");
        assert!(
            outcome.stderr.contains("`--git -` is standard input"),
            "{outcome:?}"
        );
    }
    assert_eq!(
        workshop
            .run("drift --git git --cluster live.json --write=nonsense")
            .code,
        2
    );
    // The value needs its sign: what follows is not taken for it.
    assert_eq!(
        workshop
            .run("drift --git git --cluster live.json --write spec")
            .code,
        2
    );
}

#[test]
fn an_object_in_two_places_is_told_and_not_written() {
    let live = vec![workload("Deployment", "redis", RUNS), redis_pod(RUNS)];
    let workshop = workshop("drift-twice", &live);
    workshop
        .file("git/sub/again.yaml", format!("# again\n{GIT}"))
        .link("redis.yaml", "git/link.yaml");
    for write in ["", "--write", "--write=spec"] {
        let outcome = workshop.run(&format!(
            "drift -s allow.yaml --git git --cluster live.json {write}"
        ));
        assert_eq!(outcome.code, 1);
        assert_eq!(workshop.read("git/redis.yaml"), GIT);
        assert_eq!(
            workshop.read("git/sub/again.yaml"),
            format!("# again\n{GIT}")
        );
        let told = "Deployment prod/redis is in Git more than once: git/redis.yaml:1:1, git/sub/again.yaml:2:1";
        assert!(outcome.stderr.contains(told), "{write}: {outcome:?}");
        let is_told = outcome
            .stderr
            .contains("is not written: the object is in Git more than once");
        assert_eq!(is_told, !write.is_empty(), "{outcome:?}");
    }
}
