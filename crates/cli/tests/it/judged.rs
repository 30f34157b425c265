//! What is judged, what is not, and how that decides the exit code.

use serde_json::{Value, json};

use crate::command::{Outcome, Workshop, outcome, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\ntags: { reject: [latest], action: warn }\nimagePaths: [{ kind: apps.kruise.io/ImagePullJob, path: spec.image }]\n";

/// A policy that is asked about these resources of apps and of the core group.
fn policy(resources: &str, settings: &str) -> String {
    format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{ name: images }}\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  rules:\n    - {{ apiGroups: [\"\", apps, batch], apiVersions: [v1], resources: [{resources}], operations: [CREATE, UPDATE] }}\n  settings: {settings}\n"
    )
}

fn deployment(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web, namespace: prod }}\nspec:\n  template:\n    metadata: {{ labels: {{ app: web }} }}\n    spec:\n      containers:\n        - name: app\n          image: {image}\n"
    )
}

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [] }\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop.file("settings.yaml", SETTINGS);
    workshop
}

fn gaps(report: &Value) -> Vec<(&str, u64, &str)> {
    let gaps = report["notJudged"].as_array().unwrap().iter();
    gaps.map(|gap| {
        (
            gap["what"].as_str().unwrap(),
            gap["count"].as_u64().unwrap(),
            gap["example"].as_str().unwrap(),
        )
    })
    .collect()
}

#[test]
fn nothing_judged_is_no_success() {
    let workshop = workshop("judged-nothing");
    workshop
        .file(
            "policy.yaml",
            policy("pods", "{ registries: { allow: [ghcr.io] } }"),
        )
        .file("empty/readme.md", "nothing\n")
        .file("values/values.yaml", "image: redis\n")
        .file("services/service.yaml", SERVICE)
        .file(".rollout-guard.yaml", "helm: off\n")
        .file("c/Chart.yaml", "name: c\n")
        .file(
            "c/templates/a.yaml",
            "kind: Pod\nmetadata: { name: {{ .x }} }\n",
        )
        .file(
            "k/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
        );
    for (arguments, stdin) in [
        ("-s settings.yaml -", ""),
        ("-s settings.yaml -", "\n# no object\n---\n"),
        ("-s settings.yaml -", "Error: chart not found\n"),
        (
            "-s settings.yaml -",
            "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}",
        ),
        ("-s settings.yaml empty", ""),
        ("-s settings.yaml values", ""),
        ("-s settings.yaml c", ""),
        ("-s settings.yaml k", ""),
        ("-s policy.yaml services", ""),
    ] {
        for more in [
            "",
            "--quiet",
            "--format json",
            "--format sarif -q",
            "--format junit",
            "--format github",
        ] {
            let outcome = workshop.run_with(&format!("check {arguments} {more}"), stdin);
            assert_eq!(outcome.code, 3, "{arguments} {more}: {outcome:?}");
            assert!(
                outcome.stderr.contains("nothing was judged"),
                "{arguments} {more}: {outcome:?}"
            );
        }
        let outcome = workshop.run_with(&format!("check --allow-empty {arguments}"), stdin);
        assert_eq!(outcome.code, 0, "{arguments}: {outcome:?}");
    }
    // What could not be read stays an error, and so do violations.
    workshop
        .file("broken.yaml", "kind: [\n")
        .file("refused.yaml", pod("a", "redis:7"));
    assert_eq!(
        workshop
            .run("check --allow-empty -s settings.yaml broken.yaml")
            .code,
        3
    );
    assert_eq!(
        workshop
            .run("check --allow-empty -s settings.yaml refused.yaml")
            .code,
        1
    );
    // The same for whoever edits, and for whoever compares.
    workshop.file(
        "live.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}",
    );
    assert_eq!(workshop.run_with("fix -s settings.yaml -", "").code, 3);
    assert_eq!(
        workshop
            .run_with("fix --allow-empty -s settings.yaml -", "")
            .code,
        0
    );
    assert_eq!(
        workshop.run("drift --git values --cluster live.json").code,
        3
    );
}

#[test]
fn warnings_and_gaps_fail_where_they_are_asked_to() {
    let workshop = workshop("judged-fail-on");
    workshop
        .file("policy.yaml", policy("pods", "{ registries: { allow: [ghcr.io] } }"))
        .file("clean.yaml", pod("a", "ghcr.io/org/app:1"))
        .file("warned.yaml", pod("b", "ghcr.io/org/app"))
        .file("refused.yaml", pod("c", "redis:7"))
        .file("twice.yaml", pod("d", "ghcr.io/org/app:1") + "spec: {}\n")
        .file("service.yaml", SERVICE)
        .file("template.yaml", "kind: {{ .kind }}\n")
        .file("k/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n")
        .file(
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: web }\n",
        )
        .file(
            "custom.yaml",
            "apiVersion: apps.kruise.io/v1alpha1\nkind: SidecarSet\nmetadata: { name: s }\nspec: { containers: [{ name: a, image: redis }] }\n",
        );
    for (arguments, code) in [
        (
            "-s settings.yaml clean.yaml --fail-on warnings --fail-on incomplete",
            0,
        ),
        ("-s settings.yaml warned.yaml", 0),
        ("-s settings.yaml warned.yaml --fail-on warnings", 1),
        ("-s settings.yaml warned.yaml --fail-on incomplete", 0),
        (
            "-s settings.yaml warned.yaml --fail-on=incomplete,warnings",
            1,
        ),
        ("-s settings.yaml warned.yaml --fail-on violations", 0),
        ("-s settings.yaml twice.yaml --fail-on warnings", 1),
        ("-s settings.yaml clean.yaml template.yaml", 0),
        (
            "-s settings.yaml clean.yaml template.yaml --fail-on incomplete",
            3,
        ),
        (
            "-s settings.yaml refused.yaml template.yaml --fail-on incomplete",
            3,
        ),
        (
            "-s settings.yaml refused.yaml template.yaml --fail-on warnings",
            1,
        ),
        ("-s settings.yaml clean.yaml k --fail-on incomplete", 3),
        (
            "-s settings.yaml clean.yaml release.yaml --fail-on incomplete",
            3,
        ),
        // A Service runs no images; another kind that the rules leave out may.
        (
            "-s policy.yaml clean.yaml service.yaml --fail-on incomplete",
            0,
        ),
        ("-s policy.yaml clean.yaml custom.yaml", 0),
        (
            "-s policy.yaml clean.yaml custom.yaml --fail-on incomplete",
            3,
        ),
        ("-s settings.yaml clean.yaml --fail-on nonsense", 2),
    ] {
        let outcome = workshop.run(&format!("check {arguments}"));
        assert_eq!(outcome.code, code, "{arguments}: {outcome:?}");
        let quiet = workshop.run(&format!("check -q {arguments}"));
        assert_eq!(quiet.code, code, "{arguments}: {quiet:?}");
        if code == 3 {
            assert!(
                quiet.stderr.contains("not everything was judged"),
                "{quiet:?}"
            );
        }
    }
}

#[test]
fn the_summary_says_what_was_not_judged_and_what_would_judge_it() {
    let workshop = workshop("judged-summary");
    workshop
        .file("policy.yaml", policy("pods, configmaps", "{ registries: { allow: [ghcr.io] } }"))
        .file("clean.yaml", pod("a", "ghcr.io/org/app:1"))
        .file("broken.yaml", "kind: Pod\na: [\n")
        .file(".rollout-guard.yaml", "helm: off\n")
        .file("charts/web/Chart.yaml", "name: web\n")
        .file("charts/web/templates/a.yaml", "kind: {{ .a }}\n")
        .file("charts/web/templates/sub/b.yaml", "kind: {{ .b }}\n")
        .file("template.yaml", "a: {{ if .x }}\n")
        .file("debug/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [redis.yaml]\n")
        .file("debug/redis.yaml", deployment("ghcr.io/org/redis:7"))
        .file("custom.yaml", "apiVersion: apps.kruise.io/v1alpha1\nkind: SidecarSet\nmetadata: { name: s }\nspec: { containers: [{ name: a, image: redis }] }\n")
        .file("service.yaml", SERVICE)
        .file("values.yaml", "a: b\n")
        .file("release.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: app }\nspec: { source: { chart: redis } }\n");
    let shown = workshop.run("check -s policy.yaml .").shown();
    insta::assert_snapshot!("not_judged", shown);
    let report = workshop.json("check -s settings.yaml .");
    assert_eq!(
        gaps(&report),
        [
            ("unreadable-file", 1, "broken.yaml"),
            ("chart-template", 2, "charts/web/templates/a.yaml"),
            ("template", 1, "template.yaml"),
            ("kustomization", 1, "debug/kustomization.yaml"),
            ("chart", 1, "`Application app` in release.yaml"),
        ]
    );
    let remedies: Vec<_> = report["notJudged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| gap["remedy"].as_str().unwrap())
        .collect();
    assert_eq!(
        remedies[1],
        "`helm template charts/web | rollout-guard check -`"
    );
    assert_eq!(
        remedies[3],
        "nothing includes this component: check a kustomization that does"
    );
}

/// What a policy about Pods says of a workload: places and lines, and messages.
fn as_pods(
    workshop: &Workshop,
    policy_text: &str,
    manifest: &str,
    more: &str,
) -> (Vec<(String, u64)>, Outcome) {
    workshop
        .file("pods.yaml", policy_text)
        .file("w.yaml", manifest);
    let report = workshop.json(&format!("check -s pods.yaml w.yaml {more}"));
    let found = report["findings"].as_array().unwrap().iter();
    let found = found.map(|found| {
        (
            found["path"].as_str().unwrap().to_owned(),
            found["line"].as_u64().unwrap(),
        )
    });
    (
        found.collect(),
        workshop.run(&format!("check -s pods.yaml w.yaml {more}")),
    )
}

#[test]
fn a_policy_about_pods_judges_workloads_by_their_pods() {
    let workshop = workshop("judged-pods");
    let pods = policy("pods", "{ registries: { allow: [ghcr.io] } }");
    let (found, outcome) = as_pods(&workshop, &pods, &deployment("redis:7"), "");
    assert_eq!(
        found,
        [("spec.template.spec.containers[0].image".to_owned(), 10)]
    );
    assert_eq!(outcome.code, 1);
    insta::assert_snapshot!("as_pods", outcome.shown());
    let (_, outcome) = as_pods(
        &workshop,
        &pods,
        &deployment("ghcr.io/org/app:1"),
        "--fail-on incomplete",
    );
    assert_eq!(outcome.code, 0, "{outcome:?}");
    // Every workload of Kubernetes, and what has the shape of one.
    let template = "{ spec: { initContainers: [{ name: i, image: 'redis:6' }], containers: [{ name: a, image: 'redis:7' }] } }";
    for (api, kind, spec, paths) in [
        (
            "apps/v1",
            "StatefulSet",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "apps/v1",
            "DaemonSet",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "apps/v1",
            "ReplicaSet",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "v1",
            "ReplicationController",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "batch/v1",
            "Job",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "batch/v1",
            "CronJob",
            format!("{{ jobTemplate: {{ spec: {{ template: {template} }} }} }}"),
            "spec.jobTemplate.spec.template",
        ),
        (
            "argoproj.io/v1alpha1",
            "Rollout",
            format!("{{ template: {template} }}"),
            "spec.template",
        ),
        (
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            format!(
                "{{ replicatedJobs: [{{ template: {{ spec: {{ template: {template} }} }} }}] }}"
            ),
            "spec.replicatedJobs[0].template.spec.template",
        ),
    ] {
        let manifest =
            format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{ name: w }}\nspec: {spec}\n");
        let (found, outcome) = as_pods(&workshop, &pods, &manifest, "");
        let found: Vec<_> = found.into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            found,
            [
                format!("{paths}.spec.initContainers[0].image"),
                format!("{paths}.spec.containers[0].image"),
            ],
            "{kind}"
        );
        assert!(
            outcome
                .stdout
                .contains("its Pods will be refused: registry `docker.io`"),
            "{kind}: {outcome:?}"
        );
        assert!(
            outcome.stdout.contains("1 object with 2 images"),
            "{kind}: {outcome:?}"
        );
    }
    // A malformed template is no way around.
    let (found, _) = as_pods(
        &workshop,
        &pods,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: w }\nspec: { template: { spec: { containers: { a: { image: redis } } } } }\n",
        "",
    );
    assert_eq!(found, [("spec.template.spec.containers".to_owned(), 4)]);
}

#[test]
fn pods_are_created_by_their_controller_where_the_workload_is() {
    let workshop = workshop("judged-pods-identity");
    let settings = |exemption: &str| {
        policy(
            "pods",
            &format!(
                "{{ registries: {{ allow: [ghcr.io] }}, exemptions: [{{ name: e, match: {{ {exemption} }} }}] }}"
            ),
        )
    };
    let web = deployment("redis:7");
    for (exemption, more, code) in [
        // Who applies the Deployment does not create its Pods.
        ("users: [jane]", "--as jane", 1),
        (
            "users: [\"system:serviceaccount:kube-system:replicaset-controller\"]",
            "--as jane",
            0,
        ),
        ("groups: [\"system:serviceaccounts:kube-system\"]", "", 0),
        (
            "groups: [\"system:serviceaccounts:kube-system\"]",
            "--audit",
            1,
        ),
        ("namespaces: [prod]", "", 0),
        ("namespaces: [default]", "", 1),
        ("namespaces: [prod], labels: { app: web }", "", 0),
        ("namespaces: [prod], kinds: [apps/Deployment]", "", 1),
        ("namespaces: [prod], names: [\"web-*\"]", "", 0),
    ] {
        let (_, outcome) = as_pods(&workshop, &settings(exemption), &web, more);
        assert_eq!(outcome.code, code, "{exemption} {more}: {outcome:?}");
    }
    // The namespace of a policy is that of the workload, whatever the template says.
    let namespaced = policy("pods", "{ registries: { allow: [ghcr.io] } }")
        .replace("ClusterAdmissionPolicy", "AdmissionPolicy")
        .replace("{ name: images }", "{ name: images, namespace: prod }");
    let elsewhere = web.replace("metadata: { labels", "metadata: { namespace: stage, labels");
    assert_eq!(as_pods(&workshop, &namespaced, &elsewhere, "").1.code, 1);
    let moved = web.replace("namespace: prod", "namespace: stage");
    assert_eq!(as_pods(&workshop, &namespaced, &moved, "").1.code, 3);
    // Rules about annotations see those of the template, and mirrors are used.
    let annotated = policy(
        "pods",
        "{ annotations: [{ name: team, required: [example.com/team] }], mirrors: [{ source: docker.io, mirror: ghcr.io/hub }] }",
    );
    let (found, outcome) = as_pods(&workshop, &annotated, &web, "");
    assert_eq!(outcome.code, 1);
    assert_eq!(
        found[0],
        ("spec.template.metadata".to_owned(), 6),
        "{outcome:?}"
    );
    // Whoever is asked about the workload as well is not asked twice.
    let both = policy("pods, deployments", "{ registries: { allow: [ghcr.io] } }");
    let (found, outcome) = as_pods(&workshop, &both, &web, "");
    assert_eq!(found.len(), 1);
    assert!(!outcome.stdout.contains("its Pods"), "{outcome:?}");
    // `fix` writes into the template what the Pods would run.
    workshop.file("pods.yaml", policy("pods", "{ mirrors: [{ source: docker.io, mirror: ghcr.io/hub, match: { kinds: [core/Pod] } }] }"));
    assert_eq!(workshop.run("fix -s pods.yaml w.yaml").code, 0);
    assert_eq!(
        workshop.read("w.yaml"),
        deployment("ghcr.io/hub/library/redis:7")
    );
}

#[test]
fn of_two_equal_keys_the_last_counts_with_a_warning() {
    let workshop = workshop("judged-twice");
    workshop
        .file("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers:\n    - name: app\n      image: redis:7\n      image: ghcr.io/org/app:1\n")
        .file("b.json", "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"kind\": \"Pod\",\n \"metadata\": {\"name\": \"b\"}, \"spec\": {\"containers\": [{\"name\": \"a\", \"image\": \"busybox\"}]},\n \"spec\": {}}")
        .file("values.yaml", "a: 1\na: 2\n");
    let outcome = workshop.run("check -s settings.yaml .");
    insta::assert_snapshot!("twice", outcome.shown());
    for format in ["json", "sarif", "github", "junit"] {
        let outcome = workshop.run(&format!("check -s settings.yaml . --format {format}"));
        assert_eq!(outcome.code, 1);
        assert!(
            outcome.stdout.contains("the key `image` occurs twice"),
            "{outcome:?}"
        );
    }
    // Neither of the two is written.
    workshop.file(
        "mirrors.yaml",
        "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\n",
    );
    let before = workshop.read("a.yaml");
    let outcome = workshop.run("fix -s mirrors.yaml a.yaml");
    assert_eq!(
        (outcome.code, workshop.read("a.yaml")),
        (1, before),
        "{outcome:?}"
    );
    assert!(
        outcome
            .stdout
            .contains("a key on the way to it occurs twice"),
        "{outcome:?}"
    );
    // Settings must not leave anybody to guess.
    workshop.file(
        "wrong.yaml",
        "tags: { reject: [a] }\ntags: { reject: [b] }\n",
    );
    assert_eq!(workshop.run("check -s wrong.yaml a.yaml").code, 2);
}

#[test]
fn utf16_and_json_lines_are_read() {
    let workshop = workshop("judged-forms");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(bytes)
            .collect()
    };
    let lines: Vec<_> = ["redis:6", "redis:7"]
        .iter()
        .map(|image| format!("{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"p\"}},\"spec\":{{\"containers\":[{{\"name\":\"a\",\"image\":\"{image}\"}}]}}}}"))
        .collect();
    workshop
        .file("le.yaml", utf16(&pod("é", "redis:7"), u16::to_le_bytes))
        .file("be.yaml", utf16(&pod("b", "redis:7"), u16::to_be_bytes))
        .file("lines.json", lines.join("\n"))
        .file(
            "broken-line.json",
            format!("{}\n{{\"kind\": oops}}\n{}\n", lines[0], lines[1]),
        )
        .file(
            "first-line.json",
            format!("{{\"kind\": oops\n{}\n", lines[1]),
        )
        .file("no-end.json", format!("{}garbage kind", lines[1]));
    let report = workshop.json("check -s settings.yaml .");
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{}:{}", found["file"].as_str().unwrap(), found["line"]))
        .collect();
    assert_eq!(
        found,
        [
            "be.yaml:7",
            "broken-line.json:1",
            "broken-line.json:3",
            "first-line.json:2",
            "le.yaml:7",
            "lines.json:1",
            "lines.json:2",
            "no-end.json:1"
        ]
    );
    let unreadable: Vec<_> = report["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{}:{}", found["file"].as_str().unwrap(), found["line"]))
        .collect();
    assert_eq!(
        unreadable,
        ["broken-line.json:2", "first-line.json:1", "no-end.json:1"]
    );
    let mut command = workshop.command(".", "check -s settings.yaml -");
    let piped = outcome(&mut command, utf16(&pod("p", "redis:7"), u16::to_le_bytes));
    assert_eq!(piped.code, 1, "{piped:?}");
    // An edit keeps the encoding.
    workshop.file(
        "mirrors.yaml",
        "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\n",
    );
    let outcome = workshop.run("fix -s mirrors.yaml le.yaml be.yaml");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let bytes = std::fs::read(workshop.0.join("le.yaml")).unwrap();
    assert_eq!(
        bytes,
        utf16(&pod("é", "ghcr.io/hub/library/redis:7"), u16::to_le_bytes)
    );
    let bytes = std::fs::read(workshop.0.join("be.yaml")).unwrap();
    assert_eq!(
        bytes,
        utf16(&pod("b", "ghcr.io/hub/library/redis:7"), u16::to_be_bytes)
    );
}

#[test]
fn what_is_no_manifest_and_does_not_parse_is_left_out() {
    let workshop = workshop("judged-no-manifest");
    workshop
        .file("clean.yaml", pod("a", "ghcr.io/org/app:1"))
        .file(
            ".devcontainer/devcontainer.json",
            "{\n  // comments\n  \"name\": \"x\", // mankind\n}\n",
        )
        .file("latin.yaml", b"name: \xe9\n")
        .file("values.yaml", "a: [1\n");
    let report = workshop.json("check -s settings.yaml . --fail-on incomplete");
    assert_eq!(report["unreadable"], json!([]));
    assert_eq!(report["summary"]["filesWithoutObjects"], 4);
    for arguments in [
        ".",
        "clean.yaml .devcontainer/devcontainer.json",
        "--allow-empty .devcontainer/devcontainer.json latin.yaml",
    ] {
        let outcome = workshop.run(&format!("check -s settings.yaml {arguments}"));
        assert_eq!(outcome.code, 0, "{arguments}: {outcome:?}");
    }
    for (name, text) in [
        (
            "a.json",
            &b"{ /* comment */ \"kind\": \"Pod\", \"a\": ] }"[..],
        ),
        ("b.yaml", b"kind: \xe9\n"),
        ("c.yaml", b"'kind' : [\n"),
        ("d.yaml", b"{kind: Pod"),
    ] {
        workshop
            .file("broken/x", "")
            .file(&format!("broken/{name}"), text);
        let outcome = workshop.run(&format!("check -s settings.yaml clean.yaml broken/{name}"));
        assert_eq!(outcome.code, 3, "{name}: {outcome:?}");
    }
}

#[test]
fn an_item_without_a_kind_does_not_hide_the_others_of_its_list() {
    let workshop = workshop("judged-items");
    let items = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: redis}]}}\n- {metadata: {name: y}}\n";
    workshop.file("list.yaml", items);
    let report = workshop.json("check -s settings.yaml list.yaml");
    assert_eq!(report["findings"][0]["line"], 4);
    assert_eq!(report["unreadable"][0]["line"], 5);
    assert_eq!(workshop.run("check -s settings.yaml list.yaml").code, 3);
}

#[test]
fn images_at_paths_of_the_settings_are_counted() {
    let workshop = workshop("judged-image-paths");
    workshop.file(
        "job.yaml",
        "apiVersion: apps.kruise.io/v1alpha1\nkind: ImagePullJob\nmetadata: { name: j }\nspec: { image: \"ghcr.io/org/app:1\" }\n",
    ).file("config.yaml", CONFIG);
    let outcome = workshop.run("check -s settings.yaml .");
    assert!(
        outcome.stdout.contains("2 objects with 1 image in 3 files"),
        "{outcome:?}"
    );
}
