//! What shells, terminals and man pages show.

use std::process::Command;

use serde_json::Value;

use crate::command::{Workshop, has, outcome, pod};

/// A folder with a file to complete, and the completions of a shell, installed as its users do.
fn workshop(name: &str, shell: &str, file: &str) -> Workshop {
    let workshop = Workshop::new(name);
    let script = workshop.run(&format!("completions {shell}"));
    assert_eq!(script.code, 0);
    workshop
        .file(file, script.stdout)
        .file("manifests/a.yaml", "")
        .file("manifest.yaml", "");
    let bin = workshop.0.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(
        env!("CARGO_BIN_EXE_rollout-guard"),
        bin.join("rollout-guard"),
    )
    .unwrap();
    workshop
}

/// Lines to complete, each with words that are offered, and one that is not.
const LINES: [(&str, &[&str], &str); 8] = [
    ("rollout-guard ch", &["check"], "fix"),
    (
        "rollout-guard ",
        &[
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
        ],
        "--settings",
    ),
    ("rollout-guard check --fail", &["--fail-on"], "--write"),
    (
        "rollout-guard check --format j",
        &["json", "junit"],
        "sarif",
    ),
    (
        "rollout-guard check --fail-on ",
        &["violations", "warnings", "incomplete"],
        "json",
    ),
    ("rollout-guard drift --wr", &["--write"], "--fail-on"),
    (
        "rollout-guard explain registry-",
        &["registry-not-allowed", "registry-rejected"],
        "tag-rejected",
    ),
    (
        "rollout-guard completions ",
        &["bash", "fish", "zsh"],
        "check",
    ),
];

fn offers(shell: &str, line: &str, offered: &str, words: &[&str], other: &str) {
    let offered: Vec<_> = offered.split_whitespace().collect();
    for word in words {
        assert!(
            offered.contains(word),
            "{shell}: `{line}` lacks {word}: {offered:?}"
        );
    }
    assert!(
        !offered.contains(&other),
        "{shell}: `{line}` has {other}: {offered:?}"
    );
}

#[test]
fn bash_completes() {
    if !has("bash") {
        return;
    }
    let workshop = workshop("shell-bash", "bash", "rollout-guard.bash");
    for (line, words, other) in LINES {
        // As readline calls it: by the function that `complete` registers.
        let script = format!(
            "source rollout-guard.bash\n\
             function=$(complete -p rollout-guard | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
             line='{line}'\n\
             read -ra COMP_WORDS <<<\"$line\"\n\
             [[ $line == *' ' ]] && COMP_WORDS+=('')\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             COMP_LINE=$line COMP_POINT=${{#line}}\n\
             \"$function\" rollout-guard \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-c", &script])
            .current_dir(&workshop.0);
        let told = outcome(&mut bash, "");
        assert_eq!(told.stderr, "", "{line}");
        offers("bash", line, &told.stdout, words, other);
    }
}

#[test]
fn fish_completes() {
    if !has("fish") {
        return;
    }
    let workshop = workshop("shell-fish", "fish", "rollout-guard.fish");
    let fish = |line: &str| {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c"])
            .arg(format!(
                "source rollout-guard.fish; complete --do-complete '{line}'"
            ))
            .env("HOME", &workshop.0)
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", workshop.0.join("bin").display()),
            )
            .current_dir(&workshop.0);
        let told = outcome(&mut fish, "");
        assert_eq!(told.stderr, "", "{line}");
        // A word, a tab, and what it means.
        let words = told
            .stdout
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned());
        words.collect::<Vec<_>>().join("\n")
    };
    for (line, words, other) in LINES {
        offers("fish", line, &fish(line), words, other);
    }
    offers(
        "fish",
        "files",
        &fish("rollout-guard check mani"),
        &["manifest.yaml", "manifests/"],
        "check",
    );
}

#[test]
fn zsh_completes() {
    if !has("zsh") {
        return;
    }
    let workshop = workshop("shell-zsh", "zsh", "functions/_rollout-guard");
    for (line, words, other) in LINES {
        // In a terminal of its own, as completion runs nowhere else: Tab lists what there is.
        let script = format!(
            "zmodload zsh/zpty\n\
             zpty -b shell 'PS1=READY zsh -f -i'\n\
             zpty -w shell 'unsetopt prompt_sp prompt_cr; COLUMNS=200; LINES=100; fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; LISTMAX=10000; zstyle \":completion:*\" list-prompt \"\"; setopt list_ambiguous no_list_beep; bindkey \"^I\" list-choices; print LOADED'\n\
             text=; for try in {{1..200}}; do zpty -rt shell part && text+=$part; [[ $text == *$'\\n'LOADED* ]] && break; sleep 0.05; done\n\
             zpty -wn shell $'{line}\\t'\n\
             sleep 1\n\
             text=; for try in {{1..20}}; do if zpty -rt shell part; then text+=$part; else sleep 0.05; fi; done\n\
             print -r -- $text\n\
             zpty -d shell\n"
        );
        let mut zsh = Command::new("zsh");
        zsh.args(["-f", "-c", &script])
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", workshop.0.join("bin").display()),
            )
            .env("TERM", "dumb")
            .current_dir(&workshop.0);
        let told = outcome(&mut zsh, "");
        // What was typed comes back first.
        let offered = told.stdout.replacen(line, "", 1);
        offers("zsh", line, &offered, words, other);
    }
}

#[test]
fn completions_and_man_pages_are_printed() {
    let workshop = Workshop::new("shell-printed");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = workshop.run(&format!("completions {shell}"));
        assert!(outcome.stdout.contains("rollout-guard"), "{shell}");
    }
    for page in [
        "",
        "check",
        "fix",
        "drift",
        "settings",
        "config",
        "explain",
        "completions",
        "man",
    ] {
        let outcome = workshop.run(&format!("man {page}"));
        assert!(outcome.stdout.contains(".SH SYNOPSIS"), "{page}");
        // Every option and argument is followed by what it means.
        let lines: Vec<_> = outcome.stdout.lines().collect();
        let entries = lines.windows(3).filter(|window| window[0] == ".TP");
        for entry in entries {
            let is_text = entry[2].starts_with(|first: char| first.is_ascii_uppercase());
            assert!(is_text, "{page}: {entry:?}");
        }
    }
}

/// What a command shows in a terminal with so many columns.
fn in_terminal(workshop: &Workshop, columns: usize, arguments: &str) -> String {
    let program = env!("CARGO_BIN_EXE_rollout-guard");
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command"])
        .arg(format!(
            "stty rows 24 cols {columns}; {program} {arguments}"
        ))
        .arg("/dev/null")
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .current_dir(&workshop.0);
    outcome(&mut script, "").stdout.replace('\r', "")
}

#[test]
fn explain_is_plain_text_with_addresses_in_a_terminal() {
    if !has("script") {
        return;
    }
    let workshop = Workshop::new("shell-explain");
    let shown = in_terminal(&workshop, 80, "explain registry-not-allowed");
    insta::assert_snapshot!("explain", shown);
    // Elsewhere it is Markdown, with links that lead somewhere.
    let piped = workshop.run("explain registry-not-allowed").stdout;
    assert!(piped.starts_with("## registry-not-allowed\n"), "{piped}");
    let link = concat!(
        "(",
        env!("CARGO_PKG_REPOSITORY"),
        "/blob/main/docs/settings.md#registriesallow)"
    );
    assert!(piped.contains(link), "{piped}");
    workshop
        .file("settings.yaml", "registries: { allow: [ghcr.io] }\n")
        .file("a.yaml", pod("a", "redis"));
    let sarif = workshop
        .run("check -s settings.yaml a.yaml --format sarif")
        .stdout;
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
    {
        let (text, markdown) = (
            rule["help"]["text"].as_str().unwrap(),
            rule["help"]["markdown"].as_str().unwrap(),
        );
        assert!(!text.contains("](") && !text.contains("```"), "{text}");
        assert!(
            !markdown.contains("](settings.md") && !markdown.contains("](#"),
            "{markdown}"
        );
    }
}

#[test]
fn output_fits_sixty_columns() {
    if !has("script") {
        return;
    }
    let workshop = Workshop::new("shell-columns");
    workshop
        .file("settings.yaml", "registries: { allow: [ghcr.io, registry.example.com/cache/docker.io] }\nmirrors: [{ source: quay.io, mirror: ghcr.io/quay }]\n")
        .file("m/a.yaml", pod("a-name-that-is-rather-long", "docker.io/library/redis:7.2-alpine # and a comment that goes on and on"))
        .file("m/b.yaml", pod("b", "quay.io/org/app:1"))
        .file("m/kustomization.yaml", "resources: [a.yaml]\n")
        .file("m/c.yaml", "kind: {{ .x }}\n")
        .file("live.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}");
    for arguments in [
        "check -s settings.yaml m",
        "check -s settings.yaml m --fail-on incomplete",
        "check -s settings.yaml m --group-by image",
        "fix -s settings.yaml --check m/b.yaml",
        "drift --git m --cluster live.json",
        "config",
        "explain",
        "explain registry-rejected",
        "--help",
        "check --help",
        "fix --help",
        "drift --help",
        "settings --help",
        "config --help",
        "explain --help",
        "completions --help",
    ] {
        let shown = in_terminal(&workshop, 60, arguments);
        assert!(!shown.is_empty(), "{arguments}");
        let mut is_example = false;
        for line in shown.lines() {
            is_example = line.starts_with("    ") || (is_example && line.is_empty());
            // What cannot be broken may be longer: addresses, and examples as they are.
            let is_long = line.chars().count() > 60;
            let is_one_word = line.trim().split(' ').count() <= 2;
            let is_example = is_example && arguments.starts_with("explain ");
            assert!(
                !is_long || is_one_word || is_example,
                "{arguments}: {line:?}"
            );
        }
    }
    // Programs get lines as they are, whatever terminal is around them.
    let piped = workshop.run("check -s settings.yaml m/a.yaml").stdout;
    assert!(piped.lines().next().unwrap().len() > 60, "{piped}");
}

#[test]
fn help_names_every_reason_for_an_exit_code() {
    let workshop = Workshop::new("shell-help");
    let help = workshop.run("--help").stdout;
    let codes = help.split("Exit codes:").nth(1).unwrap();
    for reason in [
        "violations",
        "--fail-on warnings",
        "by hand",
        "--check",
        "differences",
        "configuration",
        "judged nothing",
        "--fail-on\n     incomplete",
        "closed early",
    ] {
        assert!(codes.contains(reason), "{reason}: {codes}");
    }
}
