//! `rollout-guard check`: findings, formats, exit codes.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{Workshop, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\ntags: { reject: [latest], action: warn }\ndocsUrl: https://wiki.example.com/images\n";

const MANIFESTS: &str = "\
# comment, then a marker
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: prod }
spec:
  template:
    spec:
      containers:
        - name: cache
          image: redis:7.2   # the cache
        - {name: app, image: \"ghcr.io/org/app\"}
---
apiVersion: v1
kind: Pod
metadata:
  name: bad
spec:
  containers:
    name: app
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: 'busybox:1'}]}}
";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("a.yaml", MANIFESTS);
    workshop
}

#[test]
fn shows_each_violation_with_its_line() {
    let shown = workshop("check-human")
        .run("check -s settings.yaml a.yaml")
        .shown();
    insta::assert_snapshot!("human", shown);
}

#[test]
fn every_format_has_the_same_findings_at_the_same_places() {
    let workshop = workshop("check-formats");
    for format in ["json", "sarif", "github", "junit"] {
        let outcome = workshop.run(&format!("check -s settings.yaml a.yaml --format {format}"));
        assert_eq!(outcome.code, 1, "{format}");
        let shown = match format {
            "sarif" => format!("{}\nstderr:\n{}", sarif(&outcome.stdout), outcome.stderr),
            _ => outcome.shown(),
        };
        insta::assert_snapshot!(format, shown);
    }
}

/// A SARIF report as a snapshot keeps it: without its rules, which are docs/messages.md, once every
/// result has been found to name its own.
fn sarif(report: &str) -> String {
    let mut sarif: Value = serde_json::from_str(report).unwrap();
    let run = &mut sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].take();
    for rule in rules.as_array().unwrap() {
        let description = rule["shortDescription"]["text"].as_str().unwrap();
        assert!(!description.is_empty(), "{rule}");
    }
    for result in run["results"].as_array_mut().unwrap() {
        let index = result.as_object_mut().unwrap().remove("ruleIndex").unwrap();
        let rule = &rules[usize::try_from(index.as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    serde_json::to_string_pretty(&sarif).unwrap()
}

#[test]
fn exit_codes_say_what_was_found() {
    let workshop = Workshop::new("check-exit");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("clean.yaml", pod("a", "ghcr.io/org/app:1"))
        .file("warned.yaml", pod("a", "ghcr.io/org/app"))
        .file("refused.yaml", pod("a", "redis:7"))
        .file("broken.yaml", "kind: [1\n")
        .file("wrong.yaml", "registry: {}\n");
    for (arguments, code) in [
        ("check -s settings.yaml clean.yaml", 0),
        ("check -s settings.yaml warned.yaml", 0),
        ("check -s settings.yaml refused.yaml", 1),
        ("check -s settings.yaml refused.yaml broken.yaml", 3),
        ("check -s settings.yaml none.yaml", 3),
        ("check -s wrong.yaml clean.yaml", 2),
        ("check -s none.yaml clean.yaml", 2),
        ("check -s broken.yaml clean.yaml", 2),
        ("check clean.yaml", 2),
        ("check -s settings.yaml", 2),
        ("check -s settings.yaml --as-group g clean.yaml", 2),
        ("explain no-code", 2),
        ("explain tag-rejected", 0),
    ] {
        assert_eq!(workshop.run(arguments).code, code, "{arguments}");
    }
}

#[test]
fn one_file_that_cannot_be_read_does_not_stop_the_others() {
    let workshop = Workshop::new("check-unreadable");
    workshop
        .file("settings.yaml", SETTINGS)
        .file(
            "m/a.yaml",
            format!("a: {{b\n---\n{}", pod("seen", "redis:7")),
        )
        .file("m/b.yaml", b"\xff\xfek\0i\0n\0d\0\x00\xd8")
        .file("m/c.yaml", b"kind: \0\x01\xfe\xff")
        .file("m/d.yaml", b"kind: \xe9\n")
        .file("m/f.json", "{\"kind\": ")
        .file("m/h.yaml", "kind: .nan\n")
        .file("m/i.yaml", "kind: *nothing\n")
        .file(
            "m/j.yaml",
            "apiVersion: v1\nkind: List\nitems: [{ apiVersion: v1 }]\n",
        )
        .file("m/readme.txt", "not a manifest");
    std::os::unix::fs::symlink("loop.yaml", workshop.0.join("m/loop.yaml")).unwrap();
    let shown = workshop.run("check -s settings.yaml m").shown();
    insta::assert_snapshot!("unreadable", shown);
}

#[test]
fn an_alias_bomb_is_refused_and_counted() {
    let workshop = Workshop::new("check-bomb");
    let mut bomb = "Pod\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let last = level - 1;
        let aliases = vec![format!("*a{last}"); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    workshop
        .file("settings.yaml", SETTINGS)
        .file("bomb.yaml", format!("kind: {bomb}"))
        .file("self.yaml", "kind: &a [*a]\n");
    let outcome = workshop.run("check -s settings.yaml bomb.yaml self.yaml");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome
            .stdout
            .contains("aliases make this document larger than 3 MiB")
    );
    assert!(
        outcome
            .stdout
            .contains("this alias is part of what it stands for")
    );
}

#[test]
fn deep_nesting_is_refused() {
    let workshop = Workshop::new("check-deep");
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let pod = |depth| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{}}}",
            deep(depth)
        )
    };
    workshop
        .file("settings.yaml", SETTINGS)
        .file("yaml.yaml", deep(100_000))
        .file("json.json", pod(100_000))
        .file("pod.yaml", format!("a: {}", deep(100_000)));
    let outcome = workshop.run("check -s settings.yaml json.json");
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stdout.contains("nested deeper than 128 levels"),
        "{outcome:?}"
    );
    assert_ne!(
        workshop
            .run("check -s settings.yaml yaml.yaml pod.yaml")
            .code,
        0
    );
}

#[test]
fn helm_templates_are_told_apart_from_broken_files() {
    let workshop = Workshop::work_tree("check-helm");
    let template =
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: \"{{ .Values.image }}\"\n";
    workshop
        .file("settings.yaml", SETTINGS)
        .file(".rollout-guard.yaml", "helm: off\n")
        .file("c/chart/Chart.yaml", "apiVersion: v2\nname: c\n")
        .file("c/chart/templates/sub/pod.yaml", template)
        .file("c/chart/templates/plain.yaml", pod("plain", "redis:7"))
        .file("c/other.yaml", "a: {{ if .x }}\n{{ end }}\n")
        .file(
            "c/rule.yaml",
            "apiVersion: v1\nkind: ConfigMap\ndata: { text: \"{{ $labels }}\" }\n",
        );
    let report = workshop.json("check -s settings.yaml c");
    assert_eq!(
        report["templates"],
        serde_json::json!(["c/chart/templates/sub/pod.yaml", "c/other.yaml"])
    );
    assert_eq!(report["summary"]["objects"], 2);
    assert_eq!(report["summary"]["violations"], 1);
    // Where no chart is around it, what parses is judged.
    let outcome = workshop.run_with("check -s settings.yaml -", template);
    assert!(outcome.stdout.contains("image-unparsable"), "{outcome:?}");
}

#[test]
fn reads_standard_input() {
    let workshop = Workshop::new("check-stdin");
    workshop.file("settings.yaml", SETTINGS);
    let outcome = workshop.run_with(
        "check -s settings.yaml - --format github",
        &pod("a", "redis:7"),
    );
    assert_eq!(outcome.code, 1);
    assert!(
        outcome
            .stdout
            .starts_with("::error file=<stdin>,line=7,col=14,endColumn=21,")
    );
}

#[test]
fn standard_input_is_asked_for_once() {
    let workshop = Workshop::new("check-stdin-twice");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("a.yaml", pod("a", "redis:7"));
    for arguments in [
        "check -s - -",
        "check -s settings.yaml - -",
        "fix -s - -",
        "drift -s - --git a.yaml --cluster -",
    ] {
        let outcome = workshop.run_with(arguments, SETTINGS);
        assert_eq!(outcome.code, 2, "{arguments}: {outcome:?}");
        assert!(outcome.stderr.contains("only once"), "{outcome:?}");
    }
    assert_eq!(workshop.run_with("check -s - a.yaml", SETTINGS).code, 1);
}

#[test]
fn a_reader_that_goes_away_has_no_answer() {
    let workshop = Workshop::new("check-pipe");
    workshop.file("settings.yaml", SETTINGS);
    let many: Vec<_> = (0..2000)
        .map(|number| pod(&format!("p{number}"), "redis:7"))
        .collect();
    workshop.file("many.yaml", many.join("---\n"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollout-guard"))
        .current_dir(&workshop.0)
        .args(["check", "-s", "settings.yaml", "many.yaml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn what_is_no_file_is_passed_over_in_a_folder() {
    let workshop = Workshop::new("check-special");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("m/a.yaml", pod("a", "redis:7"));
    let status = Command::new("mkfifo")
        .arg(workshop.0.join("m/pipe.yaml"))
        .status();
    assert!(status.unwrap().success());
    let link = |to: &str, from: &str| {
        std::os::unix::fs::symlink(to, workshop.0.join(from)).unwrap();
    };
    link("pipe.yaml", "m/to-pipe.yaml");
    link("/dev/zero", "m/to-device.yaml");
    link("..", "m/to-folder.yaml");
    link(".", "m/loop");
    let report = workshop.json("check -s settings.yaml m");
    assert_eq!(report["summary"]["files"], 1);
    assert_eq!(report["summary"]["violations"], 1);
}

#[test]
fn reads_booleans_as_kubectl_does() {
    let workshop = Workshop::new("check-on");
    let settings = "registries: { allow: [ghcr.io] }\n";
    workshop
        .file("settings.yaml", settings)
        .file("on.yaml", pod("a", "on"))
        .file("quoted.yaml", pod("a", "\"on\""));
    let code = |file: &str| {
        let report = workshop.json(&format!("check -s settings.yaml {file}"));
        report["findings"][0]["code"].clone()
    };
    assert_eq!(code("on.yaml"), "object-malformed");
    assert_eq!(code("quoted.yaml"), "registry-not-allowed");
    workshop.file("wrong.yaml", "registries: { allow: [on] }\n");
    let outcome = workshop.run("check -s wrong.yaml on.yaml");
    insta::assert_snapshot!("a_boolean_in_settings", outcome.shown());
}

#[test]
fn merges_and_aliases_are_judged_where_they_stand() {
    let workshop = Workshop::new("check-merge");
    workshop.file("settings.yaml", SETTINGS).file(
        "a.yaml",
        "x-base: &base\n  image: redis:7\n  name: base\napiVersion: v1\nkind: Pod\nmetadata: {name: m}\nspec:\n  containers:\n    - <<: *base\n      name: one\n    - {<<: *base, image: ghcr.io/org/app:1, name: two}\n    - *base\n",
    );
    let report = workshop.json("check -s settings.yaml a.yaml");
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            (
                found["path"].as_str().unwrap(),
                found["line"].as_u64().unwrap(),
                found["column"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("spec.containers[0].image", 2, 10),
            ("spec.containers[2].image", 2, 10)
        ]
    );
}

#[test]
fn identity_and_namespace_decide_as_in_admission() {
    let workshop = Workshop::new("check-identity");
    workshop
        .file(
            "settings.yaml",
            "registries: { allow: [ghcr.io] }\nexemptions:\n  - { name: ns, match: { namespaces: [team-a] } }\n  - { name: jane, match: { users: [jane] } }\n  - { name: ops, match: { groups: [ops] } }\n",
        )
        .file("a.yaml", pod("a", "redis:7"))
        .file("ns.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, namespace: team-a }\n");
    for (arguments, code) in [
        ("", 1),
        ("-n team-a", 0),
        ("--as jane", 0),
        ("--as john --as-group ops", 0),
        ("--as john", 1),
        ("--audit", 1),
    ] {
        let outcome = workshop.run(&format!("check -s settings.yaml a.yaml {arguments}"));
        assert_eq!(outcome.code, code, "{arguments}: {outcome:?}");
    }
    let outcome = workshop.run("check -s settings.yaml a.yaml ns.yaml");
    assert!(
        outcome
            .stdout
            .contains("1 object without a namespace, judged as in `default`"),
        "{outcome:?}"
    );
}

#[test]
fn a_policy_gives_its_settings_and_its_rules() {
    let workshop = Workshop::new("check-policy");
    workshop
        .file(
            "policy.yaml",
            "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: images }\nspec:\n  module: registry://mirror.example.com/guard:v1\n  mode: monitor\n  rules:\n    - { apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE] }\n    - { apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [UPDATE] }\n  settings:\n    registries: { allow: [ghcr.io] }\n",
        )
        .file(
            "group.yaml",
            "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicyGroup\nmetadata: { name: both, namespace: prod }\nspec:\n  rules:\n    - { apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [\"*\"] }\n  expression: images() || other()\n  policies:\n    images:\n      module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n      settings: { registries: { allow: [ghcr.io] } }\n    other:\n      module: registry://ghcr.io/kubewarden/policies/other:v1\n      settings: { a: b }\n    tags:\n      module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n      settings: { tags: { reject: [\"7\"] } }\n",
        )
        .file("wrong.yaml", "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: images }\nspec:\n  module: x\n  settings:\n    registries:\n      alow: [ghcr.io]\n")
        .file("pod.yaml", pod("a", "redis:7"))
        .file("deploy.yaml", pod("a", "redis:7").replace("v1\nkind: Pod", "apps/v1\nkind: Deployment"))
        .file("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n");
    let outcome = workshop.run("check -s policy.yaml pod.yaml deploy.yaml");
    insta::assert_snapshot!("policy", outcome.shown());
    let outcome = workshop.run("check -s group.yaml -n prod pod.yaml");
    insta::assert_snapshot!("group", outcome.shown());
    assert_eq!(
        workshop.run("check -s group.yaml -n stage pod.yaml").code,
        3
    );
    let outcome = workshop.run("check -s wrong.yaml pod.yaml");
    insta::assert_snapshot!("settings_in_a_policy", outcome.shown());
    assert_eq!(workshop.run("check -s other.yaml pod.yaml").code, 2);
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let workshop = workshop("check-colour");
    let plain = workshop.run("check -s settings.yaml a.yaml").stdout;
    assert!(!plain.contains('\u{1b}'));
    let coloured = workshop
        .run("check -s settings.yaml a.yaml --color always")
        .stdout;
    assert!(coloured.contains("\u{1b}["));
}

#[test]
fn control_characters_in_a_manifest_do_not_reach_the_terminal() {
    let workshop = Workshop::new("check-control");
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: { name: \"a\\e[31mb\" }\nspec: { containers: [ { name: x, image: \"re\\e[2Jdis\" } ] }\n";
    workshop
        .file("settings.yaml", SETTINGS)
        .file("a.yaml", manifest);
    let outcome = workshop.run("check -s settings.yaml a.yaml --color never");
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome:?}");
    assert_eq!(outcome.code, 1);
}
