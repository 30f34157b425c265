//! What is documented is what is there.

use crate::command::Workshop;

const CLI: &str = include_str!("../../../../docs/cli.md");

#[test]
fn every_command_and_option_is_on_the_page() {
    let workshop = Workshop::new("docs-options");
    for command in [
        "check",
        "fix",
        "drift",
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
            .filter(|word| !matches!(*word, "help" | "color" | "validate" | "output"))
            .collect();
        for option in options {
            let is_documented = section.contains(&format!("`--{option}"))
                || CLI.contains(&format!("| `--{option}"));
            assert!(is_documented, "{command} --{option}");
        }
    }
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
