//! `check --baseline`: what a team has accepted, and what is new.

use crate::command::{Workshop, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\ntags: { reject: [latest], action: warn }\nannotations: [{ name: ownership, match: { kinds: [Service] }, required: [team] }]\nimagePaths: [{ kind: Secret, path: stringData.image }]\n";

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: prod }\n";

const CHECK: &str = "check -s settings.yaml --baseline accepted.yaml m";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("m/a.yaml", pod("a", "redis:7"))
        .file("m/b.yaml", pod("b", "redis"))
        .file("m/s.yaml", SERVICE);
    workshop
}

#[test]
fn what_is_accepted_passes_and_what_is_new_fails() {
    let workshop = workshop("baseline-new");
    let outcome = workshop.run(&format!("{CHECK} --write-baseline"));
    insta::assert_snapshot!("baseline_written", outcome.shown());
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!("baseline_file", workshop.read("accepted.yaml"));
    let outcome = workshop.run(CHECK);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("3 findings in the baseline, not shown")
    );
    // The file and the line do not count.
    workshop
        .file(
            "m/sub/moved.yaml",
            format!("# moved\n\n---\n{}", pod("a", "redis:7")),
        )
        .file("m/a.yaml", "");
    assert_eq!(workshop.run(CHECK).code, 0);
    // The container's name, the object, the namespace, the code and the value do.
    for other in [
        pod("a", "redis:8"),
        pod("c", "redis:7"),
        pod("a", "redis:7").replace("name: app", "name: other"),
        pod("a", "redis:7").replace("{ name: a }", "{ name: a, namespace: prod }"),
        pod("a", "redis:7").replace("containers:", "initContainers:"),
        pod("a", "'a b'"),
    ] {
        workshop.file("m/sub/moved.yaml", &other);
        assert_eq!(workshop.run(CHECK).code, 1, "{other}");
    }
}

#[test]
fn what_no_longer_occurs_is_told() {
    let workshop = workshop("baseline-gone");
    workshop.run(&format!("{CHECK} --write-baseline"));
    workshop.file("m/a.yaml", pod("a", "ghcr.io/org/app:1"));
    std::fs::remove_file(workshop.0.join("m/s.yaml")).unwrap();
    let outcome = workshop.run(CHECK);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    insta::assert_snapshot!("baseline_gone", outcome.shown());
    let report = workshop.json(CHECK);
    assert_eq!(report["baseline"]["gone"][0]["name"], "a");
    assert_eq!(report["baseline"]["gone"][0]["line"], 5);
    assert_eq!(report["baseline"]["entriesNotJudged"], 1);
}

#[test]
fn warnings_are_accepted_where_they_fail() {
    let workshop = workshop("baseline-warnings");
    workshop.run(&format!("{CHECK} --write-baseline"));
    assert_eq!(workshop.run(&format!("{CHECK} --fail-on warnings")).code, 1);
    workshop.run(&format!("{CHECK} --write-baseline --fail-on warnings"));
    assert_eq!(workshop.run(&format!("{CHECK} --fail-on warnings")).code, 0);
}

#[test]
fn every_format_tells_what_is_accepted_apart() {
    let workshop = workshop("baseline-formats");
    workshop.run(&format!("{CHECK} --write-baseline"));
    workshop.file("m/new.yaml", pod("new", "redis:7"));
    let report = workshop.json(CHECK);
    let accepted: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| finding["inBaseline"] == true)
        .collect();
    assert_eq!(accepted, [true, true, false, true]);
    assert_eq!(report["summary"]["violations"], 1);
    assert_eq!(report["summary"]["inBaseline"], 3);
    let sarif = workshop.run(&format!("{CHECK} --format sarif")).stdout;
    assert_eq!(sarif.matches("\"suppressions\":[{").count(), 3);
    let github = workshop.run(&format!("{CHECK} --format github")).stdout;
    assert_eq!(github.matches("::error ").count(), 1);
    let junit = workshop.run(&format!("{CHECK} --format junit")).stdout;
    assert!(
        junit.contains("tests=\"4\" skipped=\"0\" failures=\"1\""),
        "{junit}"
    );
    assert_eq!(junit.matches("in the baseline: ").count(), 3);
    let human = workshop.run(&format!("{CHECK} --group-by image")).stdout;
    assert!(
        human.contains("docker.io/library/redis:7: 1 violation\n"),
        "{human}"
    );
}

#[test]
fn the_configuration_names_a_baseline_for_everybody() {
    let workshop = workshop("baseline-config");
    let outcome = workshop.run("check -s settings.yaml m --write-baseline");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("no baseline: name a file with `--baseline`, or with `baseline:` in `.rollout-guard.yaml`"),
        "{outcome:?}"
    );
    workshop.file(
        ".rollout-guard.yaml",
        "settings: settings.yaml\nbaseline: policy/accepted.yaml\n",
    );
    // A file that is named and not there accepts nothing.
    std::fs::create_dir(workshop.0.join("policy")).unwrap();
    assert_eq!(workshop.run("check m").code, 3);
    assert_eq!(workshop.run("check m --write-baseline").code, 0);
    assert!(workshop.read("policy/accepted.yaml").contains("core/Pod"));
    assert_eq!(workshop.run("check m").code, 0);
    assert_eq!(workshop.run("check m --no-baseline").code, 1);
    assert_eq!(
        workshop.run("check m --no-baseline --write-baseline").code,
        2
    );
    // An option beats it.
    workshop.file("none.yaml", "version: 1\nviolations: []\n");
    assert_eq!(workshop.run("check m --baseline none.yaml").code, 1);
    // From a folder below, as from the top.
    workshop.git("init --quiet");
    assert_eq!(workshop.run_in("m", "check .").code, 0);
    workshop.file("m/new.yaml", pod("new", "redis:7"));
    assert_eq!(workshop.run_in("m", "check .").code, 1);
}

#[test]
fn a_value_that_no_report_shows_is_not_accepted() {
    let workshop = workshop("baseline-secret");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { image: quay.io/hidden/app:1 }\n";
    workshop.file("m/secret.yaml", secret);
    let outcome = workshop.run(&format!("{CHECK} --write-baseline"));
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("1 finding not written, about a value that no report shows")
    );
    assert!(!workshop.read("accepted.yaml").contains("quay.io"));
}

#[test]
fn a_baseline_that_cannot_be_used_accepts_nothing() {
    let workshop = workshop("baseline-wrong");
    for (text, told) in [
        (
            "version: 2\nviolations: []\n",
            "accepted.yaml:1: a baseline of version 2, and this command reads version 1: write it anew with --write-baseline",
        ),
        ("a: b\n", "no baseline: expected `version` and `violations`"),
        ("", "no baseline: expected one document"),
        ("version: 1\nviolations: [\n", "accepted.yaml:"),
        (
            "version: 1\nviolations: {}\n",
            "accepted.yaml:2: `violations`: expected a list, got a map",
        ),
        (
            "version: 1\nviolations:\n  - { kind: core/Pod, nam: a, place: x, code: y }\n",
            "accepted.yaml:3: unknown key `nam`",
        ),
        (
            "version: 1\nviolations:\n  - { kind: core/Pod, name: a, place: x, code: 3 }\n",
            "accepted.yaml:3: `code`: expected a string, got a number",
        ),
        (
            "version: 1\nviolations:\n  - { kind: core/Pod, name: a, place: x }\n",
            "accepted.yaml:3: `code` is missing",
        ),
    ] {
        workshop.file("accepted.yaml", text);
        let outcome = workshop.run(CHECK);
        assert_eq!(outcome.code, 3, "{text}: {outcome:?}");
        assert!(outcome.stderr.contains(told), "{text}: {outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
        assert!(
            outcome.stdout.contains("3 violations, 1 warning"),
            "{outcome:?}"
        );
    }
    std::fs::remove_file(workshop.0.join("accepted.yaml")).unwrap();
    assert_eq!(workshop.run(CHECK).code, 3);
    assert_eq!(
        workshop
            .run("check -s settings.yaml m --write-baseline")
            .code,
        2
    );
    // Another file is not overwritten by mistake.
    let outcome =
        workshop.run("check -s settings.yaml m --baseline settings.yaml --write-baseline");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("not overwritten, since it is no baseline")
    );
    assert_eq!(workshop.read("settings.yaml"), SETTINGS);
}
