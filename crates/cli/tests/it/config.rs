//! `.rollout-guard.yaml`: where it is found, what it sets, and what is wrong with it.

use serde_json::{Value, json};

use crate::command::{Workshop, pod};

const SCHEMA: &str = include_str!("../../../../rollout-guard.schema.json");

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop
        .file(
            "policy/settings.yaml",
            "registries: { allow: [ghcr.io] }\ntags: { reject: [latest], action: warn }\nexemptions: [{ name: a, match: { namespaces: [team-a] } }]\n",
        )
        .file("other.yaml", "registries: { allow: [docker.io] }\n")
        .file("deploy/a.yaml", pod("a", "redis:7"))
        .file("deploy/warned.yaml", pod("b", "ghcr.io/org/app"))
        .file("charts/c.yaml", pod("c", "redis:7"));
    workshop
}

#[test]
fn it_is_found_upwards_to_the_top_of_the_work_tree() {
    let workshop = workshop("config-found");
    assert_eq!(workshop.run("check deploy").code, 2);
    workshop.file(
        ".rollout-guard.yaml",
        "settings: policy/settings.yaml\nexclude: [/charts]\n",
    );
    for (folder, path) in [
        (".", "."),
        ("deploy", "."),
        ("deploy", ".."),
        ("policy", "../deploy"),
    ] {
        let outcome = workshop.run_in(folder, &format!("check {path} --format github"));
        assert_eq!(outcome.code, 1, "{folder}: {outcome:?}");
        assert!(
            outcome.stdout.contains("a.yaml") && !outcome.stdout.contains("c.yaml"),
            "{outcome:?}"
        );
    }
    // The nearest one counts.
    workshop.file("deploy/.rollout-guard.yaml", "settings: ../other.yaml\n");
    assert_eq!(workshop.run_in("deploy", "check a.yaml").code, 0);
    // Not further up than the work tree.
    workshop.git_in("policy", "init --quiet", "");
    assert_eq!(workshop.run_in("policy", "check ../deploy").code, 2);
}

#[test]
fn options_beat_it() {
    let workshop = workshop("config-options");
    workshop.file(
        ".rollout-guard.yaml",
        "settings: policy/settings.yaml\nexclude: [charts]\nnamespace: team-a\nfailOn: warnings\n",
    );
    for (arguments, code) in [
        ("deploy/a.yaml", 0),
        ("deploy/a.yaml -n prod", 1),
        ("deploy/warned.yaml -n prod", 1),
        ("deploy/warned.yaml -n prod --fail-on violations", 0),
        ("deploy/a.yaml -n prod -s other.yaml", 0),
        ("charts", 3),
        ("charts --exclude none", 0),
    ] {
        let outcome = workshop.run(&format!("check {arguments}"));
        assert_eq!(outcome.code, code, "{arguments}: {outcome:?}");
    }
    // The other commands too.
    workshop
        .file(
            "policy/settings.yaml",
            "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\n",
        )
        .file(
            "live.json",
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\",\"namespace\":\"other\"}}",
        );
    assert_eq!(workshop.run("fix --check .").code, 1);
    let report = workshop.json("drift --git . --cluster live.json");
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row["namespace"] == "team-a"),
        "{report}"
    );
}

#[test]
fn what_is_in_force_is_shown_with_who_says_so() {
    let workshop = workshop("config-shown");
    insta::assert_snapshot!("config_none", workshop.run("config").shown());
    workshop.file(
        ".rollout-guard.yaml",
        "# ours\nsettings: policy/settings.yaml\nexclude: ['charts/**', 'a b']\nfailOn: [warnings, incomplete]\nbaseline: policy/accepted.yaml\n",
    );
    let shown = workshop.run_in("deploy", "config -n prod").shown();
    insta::assert_snapshot!("config", shown);
}

#[test]
fn mistakes_are_shown_with_their_lines_and_nothing_is_judged() {
    let workshop = workshop("config-mistakes");
    workshop.file(
        ".rollout-guard.yaml",
        "setings: a.yaml\nnamespace: on\nexclude: charts\nfail-on: warnings\nfailOn: [warning, 1]\nsomething: else\n",
    );
    insta::assert_snapshot!("config_mistakes", workshop.run("check deploy").shown());
    for (text, line) in [
        ("settings: [\n", 1),
        ("namespace: prod\nnamespace: stage\n", 2),
        ("- settings: a\n", 1),
        ("settings: ''\n", 1),
        ("settings:\n", 1),
        ("exclude: [a, '']\n", 1),
        ("exclude: ['[z-a]']\n", 1),
        ("a: {{ b }}\n", 1),
    ] {
        workshop.file(".rollout-guard.yaml", text);
        for command in [
            "check -s other.yaml deploy",
            "fix -s other.yaml deploy",
            "config",
            "drift --git deploy --cluster live.json",
        ] {
            let outcome = workshop.run(command);
            assert_eq!(outcome.code, 2, "{command} with {text}: {outcome:?}");
            assert_eq!(outcome.stdout, "");
            let place = format!(".rollout-guard.yaml:{line}:");
            assert!(
                outcome.stderr.contains(&place),
                "{command} with {text}: {outcome:?}"
            );
        }
    }
    workshop.file(".rollout-guard.yaml", "a: b\n---\nc: d\n");
    assert_eq!(workshop.run("check -s other.yaml deploy").code, 2);
    // A comment alone sets nothing.
    workshop.file(".rollout-guard.yaml", "# nothing yet\n");
    assert_eq!(workshop.run("check -s other.yaml deploy/a.yaml").code, 0);
    std::fs::remove_file(workshop.0.join(".rollout-guard.yaml")).unwrap();
    workshop.file(".rollout-guard.yml", "settings: other.yaml\n");
    let outcome = workshop.run("check -s other.yaml deploy/a.yaml");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .contains("rename it to `.rollout-guard.yaml`"),
        "{outcome:?}"
    );
}

#[test]
fn the_schema_accepts_what_is_read_and_refuses_what_is_not() {
    let workshop = workshop("config-schema");
    assert_eq!(workshop.run("config --schema").stdout, SCHEMA);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for document in [
        json!({}),
        json!({ "settings": "other.yaml", "exclude": ["a", "b/**"], "namespace": "prod", "failOn": "incomplete" }),
        json!({ "failOn": ["warnings", "violations"] }),
        json!({ "baseline": "policy/baseline.yaml" }),
        json!({ "baseline": "" }),
        json!({ "baseline": ["a"] }),
        json!({ "baseline": null }),
        json!({ "failOn": "warning" }),
        json!({ "failOn": [true] }),
        json!({ "settings": "" }),
        json!({ "settings": 1 }),
        json!({ "exclude": "a" }),
        json!({ "exclude": [""] }),
        json!({ "namespace": true }),
        json!({ "settings": null }),
        json!({ "exclude": null }),
        json!({ "exclude": [] }),
        json!({ "failOn": null }),
        json!({ "failOn": [] }),
        json!({ "unknown": 1 }),
        json!([]),
    ] {
        workshop.file(".rollout-guard.yaml", document.to_string());
        let is_read = workshop.run("config").code == 0;
        assert_eq!(validator.is_valid(&document), is_read, "{document}");
    }
}
