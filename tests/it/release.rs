//! The workflows in `.github/`, the action, and what they call.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn workflows() -> Vec<String> {
    let mut workflows: Vec<_> = std::fs::read_dir(root().join(".github/workflows"))
        .unwrap()
        .map(|entry| read(entry.unwrap().path()))
        .collect();
    workflows.sort();
    assert!(workflows.len() >= 2);
    workflows
}

#[test]
fn actions_are_pinned_by_their_commit_and_say_their_version() {
    let mut versions = std::collections::BTreeMap::new();
    for workflow in workflows().into_iter().chain([read("action.yml")]) {
        for line in workflow.lines() {
            let Some((_, used)) = line.split_once("uses: ") else {
                continue;
            };
            let (action, version) = used.split_once(" # ").unwrap_or_else(|| panic!("{line}"));
            let (name, commit) = action.split_once('@').unwrap();
            let is_commit =
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{line}");
            assert!(
                version.starts_with('v') && version.split('.').count() == 3,
                "{line}"
            );
            let known = versions.insert(name.to_owned(), commit.to_owned());
            assert!(
                known.is_none_or(|known| known == commit),
                "{name}: two commits"
            );
        }
    }
    assert!(versions.len() >= 4, "{versions:?}");
}

#[test]
fn workflows_call_what_is_there() {
    let makefile = read("Makefile");
    let (mut scripts, mut targets) = (0, 0);
    for workflow in workflows() {
        for word in workflow.split([' ', '\n', '(']) {
            if word.starts_with("release/") || word.starts_with("scripts/") || word == ".ci/run" {
                assert!(root().join(word).is_file(), "{word}");
                scripts += 1;
            }
        }
        for line in workflow.lines() {
            let Some((_, called)) = line.split_once("run: make ") else {
                continue;
            };
            for target in called.split_whitespace() {
                assert!(makefile.contains(&format!("\n{target}:")), "{target}");
                targets += 1;
            }
        }
    }
    assert!(scripts >= 6 && targets >= 3, "{scripts} {targets}");
}

#[test]
fn the_oldest_compiler_is_the_one_that_is_used() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap()
        .trim_matches('"');
    assert_eq!(
        channel.rsplit_once('.').unwrap().0,
        env!("CARGO_PKG_RUST_VERSION")
    );
}
