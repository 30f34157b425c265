//! What is documented is what is there.

use crate::command::Workshop;

const README: &str = include_str!("../../../../README.md");
const CLI: &str = include_str!("../../../../docs/cli.md");

#[test]
fn every_command_and_option_is_on_the_page() {
    let workshop = Workshop::new("docs-options");
    for command in [
        "check",
        "fix",
        "drift",
        "audit",
        "init",
        "images",
        "test",
        "settings",
        "config",
        "explain",
        "completions",
    ] {
        assert!(CLI.contains(&format!("\n## {command}\n")), "{command}");
        let section = CLI.split(&format!("\n## {command}\n")).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let help = workshop.run(&format!("{command} --help")).stdout;
        assert!(help.contains("Example"), "{command} shows an example");
        let options: Vec<_> = help
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--"))
            .map(|word| word.trim_end_matches(|mark: char| !mark.is_ascii_alphanumeric()))
            .filter(|word| !word.is_empty() && !word.contains(['=', '[']))
            .filter(|word| !matches!(*word, "help" | "color" | "now" | "validate"))
            .collect();
        for option in options {
            let is_documented = section.contains(&format!("`--{option}"))
                || CLI.contains(&format!("| `--{option}"));
            assert!(is_documented, "{command} --{option}");
        }
    }
}

/// The text between a line and the end of the block that it opens.
fn block<'a>(page: &'a str, first: &str) -> &'a str {
    let (_, rest) = page.split_once(first).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_first_screen_of_the_readme_is_what_check_prints() {
    let workshop = Workshop::new("docs-readme");
    let (_, settings) = README.split_once("\n## Try it in a minute\n").unwrap();
    workshop
        .file("settings.yaml", block(settings, "```yaml\n"))
        .file(
            "deploy/redis.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: cache, namespace: shop }\nspec:\n  \
             selector: { matchLabels: { app: cache } }\n  template:\n    metadata: { labels: { app: cache } }\n    \
             spec:\n      containers:\n        - name: redis\n          image: redis:7.2-alpine\n",
        );
    let shown = block(README, "```text\n");
    let (command, output) = shown.split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ rollout-guard ").unwrap();
    let outcome = workshop.run(arguments);
    assert_eq!(format!("{}{}", outcome.stdout, outcome.stderr), output);
    assert!(README.lines().count() <= 120);
}

#[test]
fn every_code_is_explained() {
    let workshop = Workshop::new("docs-explain");
    let all = workshop.run("explain").stdout;
    let codes: Vec<_> = all.lines().filter(|line| !line.starts_with(' ')).collect();
    let known = rollout_guard::violation::Code::ALL.map(rollout_guard::violation::Code::as_str);
    assert_eq!(codes, known);
    for code in codes {
        let told = workshop.run(&format!("explain {code}"));
        assert!(told.stdout.starts_with(&format!("## {code}\n")), "{told:?}");
    }
    let outcome = workshop.run("explain registry-not-alowed");
    assert!(
        outcome
            .stderr
            .contains("did you mean `registry-not-allowed`?")
    );
}

/// Every output on the page about a live cluster is what the command prints.
#[test]
fn what_the_page_about_a_live_cluster_shows_is_printed() {
    const PAGE: &str = include_str!("../../../../docs/live-cluster.md");
    let workshop = Workshop::new("docs-live-cluster");
    let cluster = include_str!("../../../../tests/fixtures/cluster.json");
    workshop.file("cluster.json", cluster);
    let mut shown = 0;
    for block in PAGE.split("```text output\n").skip(1) {
        let (command, output) = block.split_once("```").unwrap().0.split_once('\n').unwrap();
        let arguments = command.strip_prefix("$ rollout-guard ").unwrap();
        if arguments.contains("strict.yaml") {
            let settings = workshop.read("settings.yaml");
            workshop.file(
                "strict.yaml",
                format!("{settings}tags: {{ reject: [latest] }}\n"),
            );
        }
        let told = workshop.run(arguments);
        assert_eq!(
            format!("{}{}", told.stdout, told.stderr),
            output,
            "{command}"
        );
        shown += 1;
    }
    assert_eq!(shown, 3);
}
