//! `check --base`, `--context` and `--cluster`: the verdict on a change.

use serde_json::{Value, json};

use crate::command::{Outcome, Workshop, outcome, pod};

/// An annotation that contradicts an existing load balancer.
const SPEC: &str = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec";

const SETTINGS: &str = "\
registries: { allow: [ghcr.io] }
annotations:
  - name: keep-the-existing-load-balancer
    match: { kinds: [core/Service], oldFields: { status.loadBalancer.ingress: \"*\" } }
    prefix: service.beta.kubernetes.io/alibaba-cloud-loadbalancer-
    createOnly: [spec]
  - name: as-created
    match: { kinds: [core/Service] }
    createOnly: [example.com/zone]
    immutable: [example.com/class]
    keep: [example.com/owner]
changes:
  - name: images-come-from-git
    match: { kinds: [apps/Deployment] }
    guard: [images]
    allowUsers: [argocd]
";

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: prod
  annotations:
    example.com/class: a
    example.com/owner: me
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
";

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: prod }
spec:
  template:
    spec:
      containers:
        - { name: old, image: \"redis:7\" }
        - { name: app, image: \"ghcr.io/org/app:1\" }
";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("deploy/service.yaml", SERVICE)
        .file("deploy/web.yaml", DEPLOYMENT)
        .commit();
    workshop
}

/// A Service with an annotation more.
fn with(key: &str, value: &str) -> String {
    SERVICE.replace(
        "    example.com/owner",
        &format!("    {key}: {value}\n    example.com/owner"),
    )
}

/// The Service as the cluster has it, and what was last applied with kubectl.
fn live_service(last_applied: bool) -> Value {
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "prod", "uid": "1", "resourceVersion": "7",
            "annotations": { "example.com/class": "a", "example.com/owner": "me", "controller.example.com/id": "lb-1" },
        },
        "spec": { "type": "LoadBalancer", "clusterIP": "10.0.0.1", "ports": [{ "port": 80, "nodePort": 31000, "protocol": "TCP" }] },
        "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } },
    });
    if last_applied {
        let applied: Value = yaml_serde::from_str(SERVICE).unwrap();
        service["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
            json!(applied.to_string());
    }
    service
}

fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

/// The code and the rule of each violation.
fn violations(outcome: &Outcome) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let errors = findings.filter(|finding| finding["severity"] == "error");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    errors
        .map(|finding| (text(finding, "code"), text(finding, "rule")))
        .collect()
}

#[test]
fn the_annotation_of_an_existing_load_balancer_is_refused_where_the_cluster_is_seen() {
    let workshop = workshop("before-k8s-003");
    workshop
        .file("deploy/service.yaml", with(SPEC, "slb.s1.small"))
        .file("live.json", list(&[live_service(true)]));
    let refused = [(
        "annotation-create-only".to_owned(),
        "keep-the-existing-load-balancer".to_owned(),
    )];
    let check = "check -s settings.yaml deploy/service.yaml --format json";
    for (arguments, wanted) in [
        ("", &[][..]),
        ("--base HEAD", &[]),
        ("--cluster live.json", &refused),
        ("--cluster live.json --base HEAD", &refused),
    ] {
        let outcome = workshop.run(&format!("{check} {arguments}"));
        assert_eq!(violations(&outcome), wanted, "{arguments}: {outcome:?}");
    }
    let outcome = workshop.run("check -s settings.yaml deploy/service.yaml --cluster live.json");
    insta::assert_snapshot!("load_balancer", outcome.shown());
    // Rules that need no status hold against the revision too.
    for (service, code) in [
        (with("example.com/zone", "z"), "annotation-create-only"),
        (
            SERVICE.replace("class: a", "class: b"),
            "annotation-immutable",
        ),
        (
            SERVICE.replace("    example.com/owner: me\n", ""),
            "annotation-keep",
        ),
    ] {
        workshop.file("deploy/service.yaml", service);
        for arguments in [
            "--base HEAD",
            "--cluster live.json",
            "--cluster live.json --base HEAD",
        ] {
            let outcome = workshop.run(&format!("{check} {arguments}"));
            let codes: Vec<_> = violations(&outcome)
                .into_iter()
                .map(|(code, _)| code)
                .collect();
            assert_eq!(codes, [code], "{arguments}: {outcome:?}");
        }
        assert_eq!(workshop.run(check).code, 0);
    }
}

#[test]
fn what_is_live_is_what_kubectl_apply_makes_of_it() {
    let workshop = workshop("before-apply");
    let check = "check -s settings.yaml deploy/service.yaml --cluster live.json --format json";
    // Nobody removes what only the cluster has: a controller wrote it.
    workshop.file(
        "settings.yaml",
        "annotations: [{ immutable: [controller.example.com/id, example.com/class], keep: [example.com/owner] }]\n",
    );
    workshop.file("live.json", list(&[live_service(true)]));
    let outcome = workshop.run(check);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    // Without a record of kubectl, what is missing in the manifest is taken to be others' too...
    workshop
        .file("live.json", list(&[live_service(false)]))
        .file(
            "deploy/service.yaml",
            SERVICE.replace("    example.com/owner: me\n", ""),
        );
    assert_eq!(workshop.run(check).code, 0);
    // ...unless the revision had it.
    let outcome = workshop.run(&format!("{check} --base HEAD"));
    let codes: Vec<_> = violations(&outcome)
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert_eq!(codes, ["annotation-keep"]);
}

#[test]
fn new_violations_are_told_from_old_ones() {
    let workshop = workshop("before-old");
    workshop.file(
        "deploy/web.yaml",
        DEPLOYMENT.replace("ghcr.io/org/app:1", "quay.io/org/app:2"),
    );
    let outcome = workshop.run("check -s settings.yaml --base HEAD deploy");
    insta::assert_snapshot!("old_and_new", outcome.shown());
    let report = workshop.json("check -s settings.yaml --base HEAD deploy");
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2);
    let (new, old) = (&findings[0], &findings[1]);
    assert_eq!(
        (&new["severity"], &new["old"]),
        (&json!("error"), &json!("ghcr.io/org/app:1"))
    );
    assert_eq!(new["preexisting"], Value::Null);
    assert_eq!(
        (&old["severity"], &old["old"]),
        (&json!("warning"), &json!("redis:7"))
    );
    assert_eq!(old["preexisting"], true);
    let summary = &report["summary"];
    assert_eq!(
        (
            &summary["objectsChanged"],
            &summary["preexisting"],
            &summary["guardedChanges"]
        ),
        (&json!(2), &json!(1), &json!(1))
    );
    // Nothing changed: nothing fails.
    workshop.file("deploy/web.yaml", DEPLOYMENT);
    assert_eq!(
        workshop
            .run("check -s settings.yaml --base HEAD deploy")
            .code,
        0
    );
    assert_eq!(workshop.run("check -s settings.yaml deploy").code, 1);
}

#[test]
fn what_is_removed_is_told_with_its_value_unless_that_is_data() {
    let workshop = Workshop::work_tree("before-removed");
    let objects = |annotations: &str, data: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{ name: a, annotations: {annotations} }}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{ name: a }}\ndata: {data}\n"
        )
    };
    workshop
        .file(
            "settings.yaml",
            "changes: [{ guard: [data, 'annotations:*'], allowUsers: [argocd] }]\n",
        )
        .file("a.yaml", objects("{ team: web }", "{ a: hidden, b: b }"))
        .commit();
    workshop.file("a.yaml", objects("{}", "{ b: b }"));
    let report = workshop.json("check -s settings.yaml --base HEAD --as jane a.yaml");
    let found = report["findings"].as_array().unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding["place"].as_str().unwrap(), finding["old"].as_str()))
        .collect();
    assert_eq!(
        found,
        [("metadata.annotations.team", Some("web")), ("data.a", None)],
        "{report}"
    );
    assert!(!report.to_string().contains("hidden"), "{report}");
}

#[test]
fn changes_are_judged_where_it_is_said_who_applies_them() {
    let workshop = workshop("before-changes");
    workshop.file("deploy/web.yaml", DEPLOYMENT.replace("app:1", "app:2"));
    for (who, code, told) in [
        (
            "",
            0,
            "1 change guarded by `changes`, not judged: say who applies with --as",
        ),
        ("--as argocd", 0, "1 warning about what was so before"),
        (
            "--as jane",
            1,
            "rule `images-come-from-git`: `jane` may not change it from `ghcr.io/org/app:1`",
        ),
        ("--audit", 0, "1 warning about what was so before"),
    ] {
        let outcome = workshop.run(&format!("check -s settings.yaml --base HEAD deploy {who}"));
        assert_eq!(outcome.code, code, "{who}: {outcome:?}");
        assert!(outcome.stdout.contains(told), "{who}: {outcome:?}");
        assert_eq!(
            outcome.stdout.contains("guarded by"),
            who.is_empty(),
            "{outcome:?}"
        );
    }
}

#[test]
fn an_object_is_known_by_its_name_wherever_it_is_in_what_is_judged() {
    let workshop = workshop("before-moved");
    // It moves to another file and becomes an item of a list, and what may never change changes.
    std::fs::remove_file(workshop.0.join("deploy/service.yaml")).unwrap();
    let object: Value = yaml_serde::from_str(&SERVICE.replace("class: a", "class: b")).unwrap();
    workshop.file("deploy/sub/list.json", list(&[object]));
    let base = "check -s settings.yaml --base HEAD deploy";
    assert_eq!(workshop.run(base).code, 1);
    // A second object of that name does not make it new.
    workshop
        .file("deploy/service.yaml", SERVICE)
        .file("deploy/again.yaml", with("example.com/zone", "z"));
    let outcome = workshop.run(base);
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
    // Nor does a name that is spelled otherwise.
    workshop
        .file(
            "deploy/service.yaml",
            SERVICE.replace("name: web", "name: \"w\\x65b\""),
        )
        .commit();
    let outcome = workshop.run(base);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    workshop.file("deploy/again.yaml", with("example.com/zone", "y"));
    let outcome = workshop.run(base);
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
    std::fs::remove_file(workshop.0.join("deploy/again.yaml")).unwrap();
    workshop.commit();
    workshop.file("deploy/again.yaml", with("example.com/zone", "y"));
    let outcome = workshop.run(base);
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
    // In another namespace it is another one.
    std::fs::remove_dir_all(workshop.0.join("deploy/sub")).unwrap();
    workshop.file(
        "deploy/again.yaml",
        with("example.com/zone", "z").replace("namespace: prod", "namespace: stage"),
    );
    assert_eq!(workshop.run(base).code, 0);
    // Where two have one name, that in the same file counts.
    workshop
        .file(
            "deploy/a/service.yaml",
            SERVICE.replace("class: a", "class: x"),
        )
        .file(
            "deploy/b/service.yaml",
            SERVICE.replace("class: a", "class: y"),
        );
    workshop.commit();
    assert_eq!(workshop.run(base).code, 0);
    // From another folder it is found as from the top.
    let outcome = workshop.run_in("deploy", "check -s ../settings.yaml --base HEAD b");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("1 object judged as a change"),
        "{outcome:?}"
    );
    let outcome = workshop.run_in(
        "deploy",
        "check -s ../settings.yaml --base HEAD b/service.yaml",
    );
    assert!(
        outcome.stdout.contains("1 object judged as a change"),
        "{outcome:?}"
    );
}

#[test]
fn pods_of_an_unchanged_template_are_not_made_anew() {
    let workshop = workshop("before-pods");
    workshop.file(
        "policy.yaml",
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: pods }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  rules:\n    - { apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE] }\n  settings: { registries: { allow: [ghcr.io] } }\n",
    );
    let check = "check -s policy.yaml --base HEAD deploy";
    workshop.file(
        "deploy/web.yaml",
        DEPLOYMENT.replace("namespace: prod }", "namespace: prod, labels: { a: b } }"),
    );
    let outcome = workshop.run(check);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("existing violation, passes"),
        "{outcome:?}"
    );
    workshop.file("deploy/web.yaml", DEPLOYMENT.replace("app:1", "app:2"));
    let outcome = workshop.run(check);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("its Pods will be refused"),
        "{outcome:?}"
    );
}

#[test]
fn a_policy_is_asked_about_the_operations_that_it_names() {
    let workshop = workshop("before-operations");
    for (operation, code) in [("CREATE", 3), ("UPDATE", 1)] {
        workshop
            .file(
                "policy.yaml",
                format!(
                    "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: services }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  rules:\n    - {{ apiGroups: [\"\"], apiVersions: [v1], resources: [services], operations: [{operation}] }}\n  settings: {{ annotations: [{{ immutable: [example.com/class] }}] }}\n"
                ),
            )
            .file("deploy/service.yaml", SERVICE.replace("class: a", "class: b"));
        let outcome = workshop.run("check -s policy.yaml --base HEAD deploy/service.yaml");
        assert_eq!(outcome.code, code, "{operation}: {outcome:?}");
    }
}

/// An API server converts what is applied to the version that a rule names.
#[test]
fn a_policy_is_asked_about_every_version_of_a_kind_unless_it_says_otherwise() {
    let workshop = Workshop::new("before-versions");
    workshop.file(
        "set.yaml",
        "apiVersion: apps.kruise.io/v1alpha1\nkind: ImagePullJob\nmetadata: { name: a }\nspec: { image: evil.example.com/x }\n",
    );
    for (policy, code) in [
        ("", 1),
        ("matchPolicy: Equivalent", 1),
        ("matchPolicy: Exact", 3),
    ] {
        workshop.file(
            "policy.yaml",
            format!(
                "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: images }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  {policy}\n  rules:\n    - {{ apiGroups: [apps.kruise.io], apiVersions: [v1beta1], resources: [imagepulljobs], operations: [CREATE] }}\n  settings: {{ registries: {{ allow: [ghcr.io] }}, imagePaths: [{{ kind: apps.kruise.io/ImagePullJob, path: spec.image }}] }}\n"
            ),
        );
        let outcome = workshop.run("check -s policy.yaml set.yaml");
        assert_eq!(outcome.code, code, "{policy}: {outcome:?}");
    }
}

#[test]
fn a_revision_that_cannot_be_read_is_said_and_the_rest_is_judged() {
    let workshop = workshop("before-wrong");
    let check = |revision: &str, paths: &str| {
        let mut command = workshop.command(".", "check -s settings.yaml");
        command
            .arg(format!("--base={revision}"))
            .args(paths.split_whitespace());
        outcome(&mut command, "")
    };
    for revision in ["nowhere", "--help", "-x", "HEAD:deploy", "a b"] {
        let outcome = check(revision, "deploy");
        assert_eq!(outcome.code, 3, "{revision}: {outcome:?}");
        let told = format!("error: --base: `{revision}` is no revision of ");
        assert!(outcome.stderr.starts_with(&told), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
        assert!(
            outcome.stdout.contains("1 violation: 2 objects"),
            "{outcome:?}"
        );
    }
    assert_eq!(check("HEAD", "-").code, 2);
    // A file that did not parse counts as absent.
    workshop.file("deploy/web.yaml", "kind: [\n").commit();
    workshop.file("deploy/web.yaml", DEPLOYMENT);
    let outcome = check("HEAD", "deploy");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("deploy/web.yaml at `HEAD`: ")
            && outcome
                .stdout
                .contains("counts as absent, its objects are judged as new"),
        "{outcome:?}"
    );
    // A shallow clone lacks what came before.
    workshop.commit();
    let bare = workshop.0.join("shallow");
    workshop.git(&format!(
        "clone --quiet --depth 1 file://{} {}",
        workshop.0.display(),
        bare.display()
    ));
    let outcome = workshop.run_in("shallow", "check -s settings.yaml --base HEAD~1 deploy");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.stderr.contains("the clone is shallow"),
        "{outcome:?}"
    );
    // Outside a work tree there is no revision.
    let outside = std::env::temp_dir().join("rollout-guard-outside.yaml");
    std::fs::write(&outside, pod("a", "ghcr.io/org/app:1")).unwrap();
    let outcome = check("HEAD", outside.to_str().unwrap());
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.stderr.contains("in no Git work tree"),
        "{outcome:?}"
    );
}

#[test]
fn git_is_run_as_often_for_one_file_as_for_many() {
    let workshop = workshop("before-processes");
    workshop.count_runs("git");
    let mut numbers = Vec::new();
    for files in [1, 300] {
        for file in 0..files {
            let text = pod(&format!("p{file}"), "ghcr.io/org/app:1");
            workshop.file(&format!("many/{file}.yaml"), text);
        }
        workshop.commit();
        workshop.runs("git");
        let found = workshop.run_with_programs("check -s settings.yaml --base HEAD many");
        assert_eq!(found.code, 0, "{found:?}");
        assert!(
            found.stdout.contains(&format!(" {files} object")),
            "{found:?}"
        );
        numbers.push(workshop.runs("git"));
    }
    assert_eq!(numbers, [5, 5]);
}

#[test]
fn a_cluster_is_asked_for_the_kinds_of_the_manifests() {
    let workshop = workshop("before-kubectl");
    workshop
        .file("deploy/service.yaml", with(SPEC, "slb.s1.small"))
        .file("live.json", list(&[live_service(true)]));
    let check = "check -s settings.yaml --context prod deploy/service.yaml";
    workshop.program("kubectl", "echo \"$@\" >>arguments; cat live.json");
    let outcome = workshop.run_with_programs(check);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
    assert_eq!(
        workshop.read("arguments"),
        "--context prod get services --all-namespaces --output json\n"
    );
    // From a pipe too.
    let path = format!("{}:/usr/bin:/bin", workshop.0.join("bin").display());
    let mut command = workshop.command(".", "check -s settings.yaml --context prod -");
    let outcome = crate::command::outcome(command.env("PATH", path), with(SPEC, "slb.s1.small"));
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
}

#[test]
fn what_a_user_may_not_list_is_asked_for_by_namespace_or_said() {
    let workshop = workshop("before-forbidden");
    workshop
        .file("deploy/service.yaml", with(SPEC, "slb.s1.small"))
        .file("live.json", list(&[live_service(true)]));
    let forbidden = "echo 'Error from server (Forbidden): services is forbidden: User \"jane\" cannot list resource' >&2; exit 1";
    let none = "echo '{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}'";
    let check = "check -s settings.yaml --context prod deploy";
    // Only in their own namespace.
    let script = format!(
        "case \"$*\" in *services*all-namespaces*) {forbidden};; *'services --namespace prod'*) cat live.json;; *) {none};; esac"
    );
    let outcome = workshop
        .program("kubectl", &script)
        .run_with_programs(check);
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (1, ""),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("annotation-create-only"),
        "{outcome:?}"
    );
    // Nowhere: the rest is judged, and what was not compared is said.
    let script = format!("case \"$*\" in *services*) {forbidden};; *) {none};; esac");
    let outcome = workshop
        .program("kubectl", &script)
        .run_with_programs(check);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(
        outcome.stderr.starts_with(
            "error: services not compared with the cluster: Error from server (Forbidden)"
        ),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("registry-not-allowed"),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("Service: 1 object judged as new, since the cluster's objects of this kind could not be read"),
        "{outcome:?}"
    );
    // With a revision, that stands in.
    workshop.file(
        "deploy/service.yaml",
        SERVICE.replace("class: a", "class: b"),
    );
    let outcome = workshop.run_with_programs(&format!("{check} --base HEAD"));
    assert!(
        outcome.stdout.contains("annotation-immutable"),
        "{outcome:?}"
    );
    // A kind that the cluster does not know has no objects there.
    let script = format!(
        "case \"$*\" in *services*) echo \"error: the server doesn't have a resource type \\\"services\\\"\" >&2; exit 1;; *) {none};; esac"
    );
    let outcome = workshop
        .program("kubectl", &script)
        .run_with_programs(check);
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (1, ""),
        "{outcome:?}"
    );
    // Of what is in no namespace there is no other list.
    let script = "echo 'Error from server (Forbidden): namespaces is forbidden: User \"jane\" cannot list resource' >&2; exit 1";
    let outcome = workshop
        .file(
            "prod.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: { name: prod }\n",
        )
        .program("kubectl", script)
        .run_with_programs("check -s settings.yaml --context prod prod.yaml");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.stderr.starts_with(
            "error: namespaces not compared with the cluster: Error from server (Forbidden)"
        ),
        "{outcome:?}"
    );
    // No cluster at all.
    let script = "echo 'Error in configuration: context was not found for specified context: prod' >&2; exit 1";
    let outcome = workshop.program("kubectl", script).run_with_programs(check);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        "error: kubectl: Error in configuration: context was not found for specified context: prod; objects are not compared with the cluster\n"
    );
}

#[test]
fn what_is_new_in_the_cluster_is_created_whatever_the_revision_had() {
    let workshop = workshop("before-created");
    workshop
        .file("deploy/service.yaml", SERVICE.replace("class: a", "class: b"))
        .file("live.json", list(&[json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "other", "namespace": "prod" },
        })]));
    let check = "check -s settings.yaml --base HEAD deploy/service.yaml";
    assert_eq!(workshop.run(check).code, 1);
    assert_eq!(
        workshop.run(&format!("{check} --cluster live.json")).code,
        0
    );
    // A file that has none of the kind says nothing about it.
    workshop.file("live.json", list(&[]));
    assert_eq!(
        workshop.run(&format!("{check} --cluster live.json")).code,
        1
    );
    let outcome = workshop.run("check -s settings.yaml --cluster live.json deploy/service.yaml");
    assert!(
        outcome.stdout.contains(
            "Service: 1 object judged as new, since the cluster's objects have none of this kind"
        ),
        "{outcome:?}"
    );
    workshop.file("live.json", "not: an answer\n");
    let outcome = workshop.run("check -s settings.yaml --cluster live.json deploy/service.yaml");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(
        workshop
            .run("check -s settings.yaml --cluster none.json deploy")
            .code,
        3
    );
}

/// A policy of the cluster.
fn policy(name: &str, module: &str, spec: &Value, settings: &Value) -> Value {
    let mut policy = json!({
        "apiVersion": "policies.kubewarden.io/v1", "kind": "ClusterAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "module": module, "settings": settings, "mutating": false,
            "rules": [{ "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE", "UPDATE"] }],
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        policy["spec"][key] = value.clone();
    }
    policy
}

/// A cluster with policies of this module and of another one, and namespaces with labels.
fn cluster_with_policies(name: &str) -> (Workshop, Vec<Value>) {
    let workshop = workshop(name);
    let ours = "registry://mirror.example.com/kubewarden/rollout-guard:v0.1.0";
    let allow = |host: &str| json!({ "registries": { "allow": [host] } });
    let namespace = |name: &str, tier: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "tier": tier } } });
    let items = vec![
        policy("images", ours, &json!({}), &allow("ghcr.io")),
        policy(
            "edge",
            ours,
            &json!({ "namespaceSelector": { "matchLabels": { "tier": "edge" } }, "matchConditions": [{ "name": "a", "expression": "true" }] }),
            &allow("edge.example.com"),
        ),
        policy(
            "labelled",
            ours,
            &json!({ "objectSelector": { "matchExpressions": [{ "key": "strict", "operator": "Exists" }] } }),
            &allow("strict.example.com"),
        ),
        policy(
            "other",
            "registry://ghcr.io/kubewarden/policies/other:v1",
            &json!({}),
            &json!({ "a": "b" }),
        ),
        namespace("prod", "core"),
        namespace("front", "edge"),
    ];
    workshop.file("policies.json", list(&items));
    workshop.program("kubectl", 
        "echo \"$@\" >>arguments; case \"$*\" in *policies.kubewarden.io*) cat policies.json;; *) echo '{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}';; esac",
    );
    (workshop, items)
}

/// A Pod in a namespace, with labels.
fn pod_in(namespace: &str, labels: &str) -> String {
    pod("a", "ghcr.io/org/app:1").replace(
        "{ name: a }",
        &format!("{{ name: a, namespace: {namespace}, labels: {labels} }}"),
    )
}

#[test]
fn the_policies_of_a_cluster_are_what_is_judged_with() {
    let (workshop, _) = cluster_with_policies("before-policies");
    let check = |arguments: &str| {
        workshop.run_with_programs(&format!("check --context prod pod.yaml {arguments}"))
    };
    for (namespace, labels, code, by) in [
        ("prod", "{}", 0, ""),
        ("front", "{}", 1, "by ClusterAdmissionPolicy edge"),
        (
            "prod",
            "{ strict: a }",
            1,
            "by ClusterAdmissionPolicy labelled",
        ),
        ("unknown", "{}", 0, ""),
    ] {
        workshop.file("pod.yaml", pod_in(namespace, labels));
        let outcome = check("--policies");
        assert_eq!(outcome.code, code, "{namespace} {labels}: {outcome:?}");
        assert!(outcome.stdout.contains(by), "{outcome:?}");
        assert!(
            outcome
                .stdout
                .contains("ClusterAdmissionPolicy edge: `matchConditions` is not evaluated (CEL)"),
            "{outcome:?}"
        );
        assert!(
            !outcome.stdout.contains("Selector` is for a cluster"),
            "{outcome:?}"
        );
    }
    assert!(workshop.read("arguments").starts_with(
        "--context prod get clusteradmissionpolicies.policies.kubewarden.io,admissionpolicies.policies.kubewarden.io,"
    ));
}

#[test]
fn a_policy_of_a_cluster_is_named_and_one_that_is_not_there_is_said() {
    let (workshop, items) = cluster_with_policies("before-named-policy");
    let check = |arguments: &str| {
        workshop.run_with_programs(&format!("check --context prod pod.yaml {arguments}"))
    };
    // One of them by its name, whatever its module is called.
    workshop.file("pod.yaml", pod_in("prod", "{}"));
    assert_eq!(check("-s cluster:images").code, 0);
    let outcome = check("-s cluster:nowhere");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("cluster:nowhere: the cluster has no policy `nowhere`")
    );
    let outcome = check("-s cluster:other");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("unknown key"), "{outcome:?}");
    // What is asked of the cluster needs one.
    assert_eq!(workshop.run("check --policies pod.yaml").code, 2);
    assert_eq!(
        workshop
            .run("check --policies -s settings.yaml --context a pod.yaml")
            .code,
        2
    );
    workshop.file("policies.json", list(&items[3..]));
    let outcome = check("--policies");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("the cluster has no policy that runs rollout-guard")
    );
    workshop.program(
        "kubectl",
        "echo 'error: You must be logged in to the server' >&2; exit 1",
    );
    let outcome = check("--policies");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        "error: kubectl: error: You must be logged in to the server\n"
    );
}
