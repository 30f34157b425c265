//! Reports of every size in every format, and what reads them: GitHub, GitLab, code scanning.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

use crate::command::{Outcome, Workshop, has, outcome, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\n";

const FORMATS: [&str; 5] = ["human", "json", "sarif", "github", "junit"];

/// A folder with so many violations, in files of ten Pods, and one Pod with nothing wrong.
fn workshop(name: &str, violations: usize) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("m/clean.yaml", pod("clean", "ghcr.io/org/app:1"));
    let numbers: Vec<_> = (0..violations).collect();
    for (index, numbers) in numbers.chunks(10).enumerate() {
        let pods: Vec<_> = numbers
            .iter()
            .map(|number| pod(&format!("p{number}"), &format!("redis:{}", number % 3)))
            .collect();
        workshop.file(&format!("m/{index:02}.yaml"), pods.join("---\n"));
    }
    workshop
}

/// Lines that differ only by their numbers, once and with how many they are.
fn folded(text: &str) -> String {
    let masked = |line: &str| {
        let mut masked = line.replace(|mark: char| mark.is_ascii_digit(), "0");
        while masked.contains("00") {
            masked = masked.replace("00", "0");
        }
        masked
    };
    let mut folded = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut more = 0;
        while lines.next_if(|next| masked(next) == masked(line)).is_some() {
            more += 1;
        }
        folded.push_str(line);
        folded.push('\n');
        if more > 0 {
            writeln!(folded, "   ({more} more of these)").unwrap();
        }
    }
    folded
}

/// A SARIF report, a result a line and without the rules, which docs/messages.md has.
fn sarif(report: &str) -> String {
    let mut sarif: Value = serde_json::from_str(report).unwrap();
    validate_sarif(&sarif);
    sarif["runs"][0]["tool"]["driver"]["rules"].take();
    let results = sarif["runs"][0]["results"].take();
    let mut text = format!("{sarif}\n");
    for result in results.as_array().unwrap() {
        writeln!(text, "{result}").unwrap();
    }
    text
}

#[test]
fn every_format_with_no_one_and_two_hundred_findings() {
    for number in [0, 1, 200] {
        let workshop = workshop(&format!("reports-{number}"), number);
        for format in FORMATS {
            let found = workshop.run(&format!("check -s settings.yaml m --format {format}"));
            assert_eq!(found.code, i32::from(number > 0), "{format}: {found:?}");
            let report = match format {
                "sarif" => sarif(&found.stdout),
                "junit" => {
                    validate_junit(&found.stdout);
                    found.stdout.clone()
                }
                "human" => found.stdout.replace("\n\n", "\n"),
                _ => found.stdout.clone(),
            };
            let shown = match format {
                // Blocks of lines: the first one, and the end.
                "human" | "junit" if number == 200 => {
                    let lines: Vec<_> = report.lines().collect();
                    let end = lines.len() - 8;
                    format!(
                        "{}\n…\n{}\n",
                        lines[..8].join("\n"),
                        lines[end..].join("\n")
                    )
                }
                _ => folded(&report),
            };
            let shown = format!("{shown}stderr:\n{}", found.stderr);
            insta::assert_snapshot!(format!("{format}_{number}"), shown);
        }
        let report = workshop.json("check -s settings.yaml m");
        assert_eq!(report["findings"].as_array().unwrap().len(), number);
    }
}

#[test]
fn findings_are_put_together_by_image_file_and_rule() {
    let workshop = workshop("reports-groups", 25);
    workshop.file(
        "settings.yaml",
        "registries: { allow: [ghcr.io] }\nannotations: [{ name: ownership, required: [team], action: warn }]\n",
    );
    for by in ["image", "file", "rule"] {
        let outcome = workshop.run(&format!("check -s settings.yaml m --group-by {by}"));
        assert_eq!(outcome.code, 1);
        insta::assert_snapshot!(format!("group_by_{by}"), outcome.shown());
    }
    // In other formats nothing is put together.
    let outcome = workshop.run("check -s settings.yaml m --group-by image --format json");
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .contains("--group-by is for the human format")
    );
}

#[test]
fn an_image_is_told_as_it_is_written_and_as_it_will_run() {
    let workshop = Workshop::new("reports-images");
    let settings = "mirrors: [{ source: docker.io, mirror: example.com/hub }]\nregistries: { allow: [ghcr.io] }\n";
    let deployment = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: a }}\nspec:\n  template:\n    spec:\n      containers: [{{ name: a, image: {image} }}]\n"
        )
    };
    for (rewrite, manifest, written, runs) in [
        (
            "pods",
            pod("a", "redis"),
            "redis",
            Some("example.com/hub/library/redis:latest"),
        ),
        (
            "pods",
            deployment("redis:7"),
            "redis:7",
            Some("example.com/hub/library/redis:7"),
        ),
        (
            "workloads",
            deployment("redis:7"),
            "redis:7",
            Some("example.com/hub/library/redis:7"),
        ),
        (
            "never",
            deployment("redis:7"),
            "redis:7",
            Some("docker.io/library/redis:7"),
        ),
        (
            "pods",
            deployment("quay.io/a:1"),
            "quay.io/a:1",
            Some("quay.io/a:1"),
        ),
        ("pods", deployment("'a b'"), "a b", None),
    ] {
        workshop
            .file("settings.yaml", format!("{settings}rewrite: {rewrite}\n"))
            .file("a.yaml", manifest);
        let report = workshop.json("check -s settings.yaml a.yaml");
        let finding = &report["findings"][0];
        let mut image = json!({ "written": written });
        if let Some(runs) = runs {
            image["runs"] = json!(runs);
        }
        assert_eq!(finding["image"], image, "{rewrite} {written}: {report}");
    }
}

#[test]
fn values_are_whole_in_json() {
    let workshop = Workshop::new("reports-values");
    let long = format!("quay.io/{}:1", "a/".repeat(90) + "b");
    workshop
        .file(
            "settings.yaml",
            "registries: { allow: [ghcr.io] }\nannotations: [{ denied: [debug] }]\n",
        )
        .file("long.yaml", pod("a", &long))
        .file(
            "debug.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: { name: s, annotations: { debug: \"on\" } }\n",
        );
    let report = workshop.json("check -s settings.yaml long.yaml");
    let finding = &report["findings"][0];
    assert!(finding["message"].as_str().unwrap().contains('…'));
    assert_eq!(finding["image"]["written"], long);
    assert_eq!(finding["value"], long);
    let report = workshop.json("check -s settings.yaml debug.yaml");
    assert_eq!(report["findings"][0]["value"], "on");
    assert_eq!(report["findings"][0]["rule"], "annotations[0]");
}

/// Everything that a check prints and writes, in every format.
fn everything(workshop: &Workshop, paths: &str) -> String {
    let mut all = String::new();
    let groups = ["image", "file", "rule"].map(|group| format!("human --group-by {group}"));
    for format in FORMATS.map(str::to_owned).iter().chain(&groups) {
        let arguments = format!("check -s settings.yaml {paths} --format {format}");
        let mut command = workshop.command(".", &arguments);
        let summary = workshop.0.join("summary.md");
        let outcome = outcome(command.env("GITHUB_STEP_SUMMARY", &summary), "");
        assert_eq!(outcome.code, 1, "{format}: {outcome:?}");
        all += &outcome.shown();
    }
    all + &workshop.read("summary.md")
}

#[test]
fn no_report_shows_the_data_of_a_secret() {
    const HIDDEN: &str = "quay.io/hidden/app:1";
    let workshop = Workshop::new("reports-secrets");
    let paths: String = ["data", "stringData", "binaryData"]
        .map(|data| format!("{{ kind: Secret, path: {data}.image }}"))
        .join(", ");
    workshop.file(
        "settings.yaml",
        format!("registries: {{ allow: [ghcr.io] }}\nimagePaths: [{paths}]\nannotations: [{{ denied: [debug] }}]\n"),
    );
    let meta =
        "apiVersion: v1\nkind: Secret\nmetadata: { name: s, annotations: { debug: shown } }\n";
    for data in ["data", "stringData", "binaryData"] {
        for written in [
            format!("{meta}{data}: {{ image: '{HIDDEN}' }}\n"),
            format!("{meta}{data}:\n  image: {HIDDEN}\n"),
            format!("{meta}{data}:\n  image: >-\n    {HIDDEN}\n"),
            // A key that occurs twice is told with its line.
            format!("{meta}{data}:\n  image: {HIDDEN}\n  image: {HIDDEN}\n"),
        ] {
            workshop.file("secret.yaml", &written);
            let all = everything(&workshop, "secret.yaml");
            assert!(!all.contains("hidden"), "{written}: {all}");
            // The place is told, and the line of everything else is shown.
            // Of a key that occurs twice the last one counts.
            let place = written.lines().rev().position(|line| line.contains(HIDDEN));
            let line = written.lines().count() - place.unwrap();
            let place = format!("--> secret.yaml:{line}:");
            assert!(all.contains(&place), "{written}: {all}");
            assert!(all.contains("3 | metadata: { name: s"), "{written}: {all}");
        }
        // What is wrong elsewhere in the line does not show it either.
        for written in [
            format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{{\"name\":\"s\",\"annotations\":{{\"debug\":\"on\"}}}},\"{data}\":{{\"a\":\"{HIDDEN}\"}}}}\n"
            ),
            format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{{\"name\":\"s\",\"annotations\":{{\"debug\":\"on\"}}}}}},{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{{\"name\":\"s\"}},\"{data}\":{{\"a\":\"{HIDDEN}\"}}}}]}}\n"
            ),
        ] {
            workshop.file("secret.yaml", &written);
            let all = everything(&workshop, "secret.yaml");
            assert!(!all.contains("hidden"), "{written}: {all}");
        }
    }
}

#[test]
fn no_report_shows_what_tools_or_an_unreadable_file_keep_of_a_secret() {
    let workshop = Workshop::new("reports-kept-secrets");
    workshop.file(
        "settings.yaml",
        "annotations: [{ denied: ['kubectl.kubernetes.io/*'] }]\n",
    );
    let applied = "kubectl.kubernetes.io/last-applied-configuration";
    for (text, place, code) in [
        (
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    {applied}: '{{\"data\":{{\"a\":\"hidden\"}}}}'\n"
            ),
            "secret.yaml:6:",
            1,
        ),
        (
            "apiVersion: v1\nkind: Secret\nstringData: { a: hidden, b: [}\n".to_owned(),
            "secret.yaml:3:",
            3,
        ),
        (
            "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":\"hidden\" \"b\"}}\n"
                .to_owned(),
            "secret.yaml:1:",
            3,
        ),
    ] {
        workshop.file("secret.yaml", &text);
        for format in FORMATS {
            let outcome = workshop.run(&format!(
                "check -s settings.yaml secret.yaml --format {format}"
            ));
            assert_eq!(outcome.code, code, "{format}: {outcome:?}");
            assert!(!outcome.shown().contains("hidden"), "{format}: {outcome:?}");
            if format == "human" {
                assert!(outcome.stdout.contains(place), "{outcome:?}");
            }
        }
    }
}

#[test]
fn the_lines_of_what_is_no_secret_are_shown() {
    let workshop = Workshop::new("reports-no-secrets");
    workshop.file(
        "settings.yaml",
        "registries: { allow: [ghcr.io] }\nimagePaths: [{ kind: ConfigMap, path: data.image }, { kind: example.com/Secret, path: data.image }]\n",
    );
    for kind in [
        "apiVersion: v1\nkind: ConfigMap",
        "apiVersion: example.com/v1\nkind: Secret",
    ] {
        workshop.file(
            "data.yaml",
            format!("{kind}\nmetadata: {{ name: s }}\ndata:\n  image: quay.io/shown/app:1\n"),
        );
        let human = workshop.run("check -s settings.yaml data.yaml");
        assert!(
            human.stdout.contains("5 |   image: quay.io/shown/app:1"),
            "{human:?}"
        );
    }
    // A name that only sounds like one.
    workshop.file(
        "data.yaml",
        "apiVersion: v1\nkind: Pod\nspec: { imagePullSecrets: [shown }\n",
    );
    let human = workshop.run("check -s settings.yaml data.yaml");
    assert!(human.stdout.contains("3 | spec: "), "{human:?}");
    // Another document of the same file.
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData:\n  a: hidden\n---\n";
    workshop.file(
        "data.yaml",
        secret.to_owned() + &pod("a", "quay.io/shown/app:1"),
    );
    let human = workshop.run("check -s settings.yaml data.yaml");
    assert!(
        human.stdout.contains("|       image: quay.io/shown/app:1"),
        "{human:?}"
    );
}

#[test]
fn no_report_shows_the_data_of_a_secret_that_is_built() {
    if !has("kubectl") || !has("helm") {
        return;
    }
    let workshop = Workshop::work_tree("reports-built-secrets");
    let meta = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\n";
    workshop
        .file("settings.yaml", "registries: { allow: [ghcr.io] }\nimagePaths: [{ kind: Secret, path: stringData.image }, { kind: Secret, path: data.image }]\nannotations: [{ denied: [debug] }]\n")
        .file("root/kustomization.yaml", "resources: [secret.yaml, line.json]\nsecretGenerator: [{ name: made, literals: [image=quay.io/hidden/app:1] }]\n")
        .file("root/secret.yaml", format!("{meta}stringData:\n  image: quay.io/hidden/app:1\n"))
        .file("root/line.json", "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"t\",\"annotations\":{\"debug\":\"on\"}},\"stringData\":{\"a\":\"quay.io/hidden/app:1\"}}\n")
        .file("chart/Chart.yaml", "{ apiVersion: v2, name: web, version: 1.0.0 }\n")
        .file("chart/values.yaml", "image: quay.io/hidden/app:1\n")
        .file("chart/templates/secret.yaml", format!("{meta}stringData:\n  image: {{{{ .Values.image }}}}\n"));
    let all = everything(&workshop, "root chart");
    for place in [
        "root/secret.yaml:5",
        "chart/values.yaml:1",
        "root/line.json:1",
    ] {
        assert!(all.contains(&format!("--> {place}:")), "{place}: {all}");
    }
    assert!(!all.contains("hidden"), "{all}");
}

/// An admission answer names the first hundred; a report has all of them.
#[test]
fn a_report_has_every_finding_of_an_object() {
    const MANY: usize = 130;
    let workshop = Workshop::work_tree("reports-all");
    let lines = |line: &dyn Fn(usize) -> String| (0..MANY).map(line).collect::<String>();
    let deployment = |tag: &str, annotations: &str| {
        let containers = lines(&|number| {
            format!("        - {{ name: c{number}, image: 'ghcr.io/org/c{number}:{tag}' }}\n")
        });
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n{annotations}spec:\n  template:\n    spec:\n      containers:\n{containers}"
        )
    };
    let settings = "registries: { reject: [docker.io] }\nannotations: [{ name: no-debug, denied: ['debug-*'] }]\nchanges: [{ name: git, guard: [images], allowUsers: [argocd] }]\n";
    workshop
        .file("settings.yaml", settings)
        .file("web.yaml", deployment("1", ""))
        .commit();
    let denied = lines(&|number| format!("    debug-{number}: a\n"));
    let images = lines(&|number| format!("    - {{ name: c{number}, image: 'redis:{number}' }}\n"));
    let malformed = lines(&|number| format!("    - {number}\n"));
    let pod = |containers: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: a }}\nspec:\n  containers:\n{containers}"
        )
    };
    workshop
        .file("images.yaml", pod(&images))
        .file("malformed.yaml", pod(&malformed))
        .file(
            "web.yaml",
            deployment("2", &format!("  annotations:\n{denied}")),
        );
    for (arguments, code, last, findings) in [
        ("images.yaml", "registry-rejected", "containers[129]", MANY),
        (
            "malformed.yaml",
            "object-malformed",
            "containers[129]",
            MANY,
        ),
        (
            "web.yaml --base HEAD --as jane",
            "change-not-allowed",
            "containers[129]",
            MANY,
        ),
        (
            "web.yaml --base HEAD --as jane",
            "annotation-denied",
            "debug-129",
            MANY,
        ),
    ] {
        let check = format!("check -s settings.yaml {arguments}");
        let report = workshop.json(&check);
        let found = report["findings"].as_array().unwrap();
        let of_code = found.iter().filter(|finding| finding["code"] == code);
        assert_eq!(of_code.count(), findings, "{arguments}: {report:#}");
        assert_eq!(report["summary"]["violations"], found.len(), "{arguments}");
        for format in ["json", "sarif", "junit", "human"] {
            let outcome = workshop.run(&format!("{check} --format {format}"));
            assert!(
                outcome.stdout.contains(last),
                "{arguments} {format}: {outcome:?}"
            );
        }
    }
    let counted = workshop.json("check -s settings.yaml web.yaml --base HEAD");
    assert_eq!(counted["summary"]["guardedChanges"], MANY);
    // So has the report on a cluster, and a baseline.
    let audit = workshop.json("audit -s settings.yaml --cluster images.yaml");
    let row = &audit["objects"][0]["findings"];
    assert_eq!(row.as_array().unwrap().len(), MANY, "{audit:#}");
    let accepted = "check -s settings.yaml images.yaml --baseline accepted.yaml";
    workshop.run(&format!("{accepted} --write-baseline"));
    assert_eq!(workshop.run(accepted).code, 0);
}

#[test]
fn github_shows_ten_of_each_and_the_job_summary_the_rest() {
    let workshop = workshop("reports-github", 30);
    workshop
        .file(
            "settings.yaml",
            "registries: { allow: [ghcr.io] }\ntags: { reject: [\"0\"], action: warn }\n",
        )
        .file("summary.md", "# of the step before\n")
        .file("broken.yaml", "kind: [1\n");
    let run = |file: &str| -> Outcome {
        let mut command =
            workshop.command(".", "check -s settings.yaml m broken.yaml --format github");
        command.env("GITHUB_STEP_SUMMARY", file);
        outcome(&mut command, "")
    };
    let found = run("summary.md");
    assert_eq!(found.code, 3);
    let count = |start: &str| {
        found
            .stdout
            .lines()
            .filter(|line| line.starts_with(start))
            .count()
    };
    assert_eq!((count("::error "), count("::warning ")), (10, 10));
    let last = found.stdout.lines().last().unwrap();
    assert_eq!(
        last,
        "and 21 more errors: GitHub shows 10 errors and 10 warnings of a step, the job summary lists all"
    );
    let summary = workshop.read("summary.md");
    assert!(summary.starts_with(
        "# of the step before\n### rollout-guard: 30 violations, 10 warnings, 1 file not readable"
    ));
    let rows = |kind: &str| {
        summary
            .lines()
            .filter(|line| line.starts_with(kind))
            .count()
    };
    assert_eq!((rows("| error |"), rows("| warning |")), (31, 10));
    assert!(summary.contains("| `docker.io/library/redis:0` | 10 | 10 | 10 |\n"));
    // It may be where nothing can be written, which fails nothing else.
    let found = run("none/summary.md");
    assert_eq!(found.code, 3);
    assert!(
        found
            .stderr
            .contains("GITHUB_STEP_SUMMARY: none/summary.md: not written")
    );
    // What a step may write is bounded, whatever was written before.
    workshop.file("summary.md", "x".repeat((1 << 20) - (40 << 10)));
    run("summary.md");
    let summary = workshop.read("summary.md");
    assert!(summary.len() <= 1 << 20, "{}", summary.len());
    workshop.file("summary.md", "x".repeat((1 << 20) - (33 << 10)));
    run("summary.md");
    let summary = workshop.read("summary.md");
    assert!(summary.len() <= 1 << 20, "{}", summary.len());
    assert!(summary.contains("more findings, for which GitHub's job summary has no room"));
}

#[test]
fn a_report_goes_into_a_file_whole_or_not_at_all() {
    let workshop = workshop("reports-output", 2);
    workshop.file("settings.yaml", SETTINGS);
    for format in FORMATS {
        let printed = workshop.run(&format!("check -s settings.yaml m --format {format}"));
        let found = workshop.run(&format!(
            "check -s settings.yaml m --format {format} --output report"
        ));
        assert_eq!((found.code, found.stdout.as_str()), (1, ""), "{format}");
        assert_eq!(workshop.read("report"), printed.stdout, "{format}");
        assert!(
            found.stderr.starts_with("2 violations: 3 objects"),
            "{found:?}"
        );
    }
    let quiet = workshop.run("check -q -s settings.yaml m -o report");
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    // Colours are for terminals.
    workshop.run("check -s settings.yaml m -o report");
    assert!(!workshop.read("report").contains('\u{1b}'));
    workshop.run("check -s settings.yaml m -o report --color always");
    assert!(workshop.read("report").contains('\u{1b}'));
    // It can be read by whoever may read other new files.
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(workshop.0.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    workshop.file("other", "");
    assert_eq!(mode("report"), mode("other"));
    let device = workshop.run("check -s settings.yaml m -o /dev/stdout");
    assert!(
        device.stdout.starts_with("error[registry-not-allowed]"),
        "{device:?}"
    );
    let missing = workshop.run("check -s settings.yaml m -o none/report");
    assert_eq!(missing.code, 3);
    assert_eq!(
        missing.stderr,
        "error: none/report: not written: no such file or directory\n"
    );
    // A report that was there stays until there is a new one.
    workshop.file("report", "old");
    let wrong = workshop.run("check -s settings.yaml m -o report --group-by image --format json");
    assert_eq!(wrong.code, 2);
    assert_eq!(workshop.read("report"), "old");
}

#[test]
fn two_cases_of_one_file_have_two_names() {
    let workshop = Workshop::new("reports-names");
    workshop.file("settings.yaml", SETTINGS).file(
        "a.yaml",
        format!(
            "{}---\n{}---\na: [\nkind: x\n---\nb: [\nkind: y\n",
            pod("a", "redis:7"),
            pod("a", "ghcr.io/org/app:1")
        ),
    );
    let outcome = workshop.run("check -s settings.yaml a.yaml --format junit");
    validate_junit(&outcome.stdout);
    assert!(
        outcome.stdout.contains("name=\"Pod default/a (2)\""),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("name=\"readable (2)\""),
        "{outcome:?}"
    );
}

/// The members that an object of SARIF 2.1.0 may have, of those that a report uses, and those that it
/// must have (`additionalProperties` and `required` of its schema).
fn members(value: &Value, known: &[&str], required: &[&str]) {
    let object = value.as_object().unwrap();
    for key in object.keys() {
        assert!(known.contains(&key.as_str()), "{key} in {value}");
    }
    for key in required {
        assert!(object.contains_key(*key), "no {key} in {value}");
    }
}

fn message(value: &Value) {
    members(value, &["text", "markdown"], &["text"]);
    assert!(!value["text"].as_str().unwrap().is_empty());
}

/// Holds a report against what the schema of SARIF 2.1.0 requires of it, and what GitHub requires besides.
fn validate_sarif(log: &Value) {
    members(log, &["$schema", "version", "runs"], &["version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else {
        panic!("one run: {log}");
    };
    members(
        run,
        &["tool", "results", "invocations", "columnKind"],
        &["tool", "results"],
    );
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    members(&run["tool"], &["driver"], &["driver"]);
    let driver = &run["tool"]["driver"];
    members(
        driver,
        &["name", "version", "informationUri", "rules"],
        &["name"],
    );
    let rules = driver["rules"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for rule in rules {
        let keys = ["id", "shortDescription", "help", "helpUri"];
        members(rule, &keys, &keys);
        message(&rule["shortDescription"]);
        message(&rule["help"]);
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"));
        assert!(ids.insert(rule["id"].as_str().unwrap()));
    }
    for invocation in run["invocations"].as_array().unwrap() {
        let keys = ["executionSuccessful", "toolExecutionNotifications"];
        members(invocation, &keys, &keys[..1]);
        assert!(invocation["executionSuccessful"].is_boolean());
        for notification in invocation["toolExecutionNotifications"].as_array().unwrap() {
            members(
                notification,
                &["level", "message", "locations"],
                &["message"],
            );
            message(&notification["message"]);
        }
    }
    for result in run["results"].as_array().unwrap() {
        members(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message",
                "locations",
                "partialFingerprints",
                "properties",
                "suppressions",
            ],
            &["message"],
        );
        message(&result["message"]);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        for fingerprint in result["partialFingerprints"].as_object().unwrap().values() {
            assert!(!fingerprint.as_str().unwrap().is_empty());
        }
        for suppression in result["suppressions"].as_array().into_iter().flatten() {
            members(suppression, &["kind", "justification"], &["kind"]);
            assert_eq!(suppression["kind"], "external");
        }
        for location in result["locations"].as_array().unwrap() {
            members(location, &["physicalLocation", "logicalLocations"], &[]);
            let physical = &location["physicalLocation"];
            members(
                physical,
                &["artifactLocation", "region"],
                &["artifactLocation"],
            );
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            let is_plain = |mark: char| mark.is_ascii_alphanumeric() || "/-._~%".contains(mark);
            assert!(uri.chars().all(is_plain), "{uri}");
            let region = &physical["region"];
            let keys = ["startLine", "startColumn", "endLine", "endColumn"];
            members(region, &keys, &keys);
            let [line, column, end_line, end_column] =
                keys.map(|key| region[key].as_u64().unwrap());
            assert!(line > 0 && column > 0 && (line, column) <= (end_line, end_column));
        }
    }
}

fn attributes(element: &BytesStart<'_>) -> Vec<(String, String)> {
    element
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            (
                String::from_utf8(attribute.key.0.to_vec()).unwrap(),
                String::from_utf8(attribute.value.to_vec()).unwrap(),
            )
        })
        .collect()
}

/// Holds a report against what GitLab reads of `JUnit` XML: its elements and attributes, the numbers of the
/// suites, and a name of its own for every case.
fn validate_junit(report: &str) {
    let mut reader = Reader::from_str(report);
    let mut open: Vec<String> = Vec::new();
    let mut cases = BTreeSet::new();
    let mut counted = [0_usize; 3];
    let mut told = [0_usize; 3];
    loop {
        let event = reader.read_event().unwrap();
        let (element, is_empty) = match &event {
            Event::Eof => break,
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            _ => continue,
        };
        let name = String::from_utf8(element.name().0.to_vec()).unwrap();
        let attributes = attributes(element);
        let get = |key: &str| {
            let found = attributes.iter().find(|(name, _)| name == key);
            found
                .unwrap_or_else(|| panic!("{name} has no {key}: {attributes:?}"))
                .1
                .clone()
        };
        let parent = open.last().map_or("", String::as_str);
        match (parent, name.as_str()) {
            ("", "testsuites") => {
                told = ["tests", "failures", "errors"].map(|key| get(key).parse().unwrap());
            }
            ("testsuites", "testsuite") => {
                get("name");
            }
            ("testsuite", "testcase") => {
                counted[0] += 1;
                assert!(
                    cases.insert((get("classname"), get("name"))),
                    "{attributes:?}"
                );
            }
            ("testcase", "failure") => {
                counted[1] += 1;
                get("message");
                get("type");
            }
            ("testcase", "error") => {
                counted[2] += 1;
                get("message");
            }
            ("testcase" | "testsuite", "system-out") => {}
            other => panic!("{other:?}"),
        }
        if !is_empty {
            open.push(name);
        }
    }
    assert_eq!(counted, told, "{report}");
}

/// So many times as many findings of one object take less than twice so many times as long: going through the
/// object again for each took 30 times as long.
#[test]
fn the_time_for_findings_of_one_object_grows_with_their_number() {
    const FEW: usize = 1000;
    const TIMES: u32 = 8;
    let workshop = Workshop::work_tree("reports-growth");
    workshop.file(
        "settings.yaml",
        "registries: { allow: [ghcr.io] }\nannotations: [{ denied: [\"debug-*\"] }]\n",
    );
    let many = FEW * TIMES as usize;
    let lines = |count, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let deployment = |count, tag: &str| {
        let container =
            |number| format!("        - {{ name: c{number}, image: 'redis:{number}{tag}' }}\n");
        let containers = lines(count, &container);
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web }}\nspec:\n  template:\n    spec:\n      containers:\n{containers}"
        )
    };
    let service = |count| {
        let annotations = lines(count, &|number| format!("    debug-{number}: a\n"));
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n{annotations}"
        )
    };
    for (size, count) in [("few", FEW), ("many", many)] {
        workshop
            .file(&format!("{size}/containers.yaml"), deployment(count, ""))
            .file(&format!("{size}/changed.yaml"), deployment(count, ""))
            .file(&format!("{size}/annotations.yaml"), service(count));
    }
    workshop.commit();
    for (size, count) in [("few", FEW), ("many", many)] {
        workshop.file(&format!("{size}/changed.yaml"), deployment(count, "-new"));
    }
    for (file, arguments) in [
        ("containers", "--format json"),
        ("containers", "--format human"),
        ("containers", "--format sarif"),
        ("annotations", "--format json"),
        ("changed", "--format json --base HEAD"),
    ] {
        let shortest = |size: &str| {
            let run = || {
                let since = std::time::Instant::now();
                let check = format!("check -s settings.yaml {size}/{file}.yaml {arguments}");
                let outcome = workshop.run(&check);
                assert_eq!(outcome.code, 1, "{check}: {}", outcome.stderr);
                since.elapsed()
            };
            (0..3).map(|_| run()).min().unwrap()
        };
        let (few, many) = (shortest("few"), shortest("many"));
        assert!(
            many < few * TIMES * 2,
            "{file} {arguments}: {few:?}, {many:?}"
        );
    }
}
