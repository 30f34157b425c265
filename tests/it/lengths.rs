//! Files and functions stay short enough to be read at once, or say here why they are longer.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code in a file, without comments, blank lines and its tests.
const LONGEST_FILE: usize = 400;

/// Lines of a function, from its signature to its end.
const LONGEST_FUNCTION: usize = 80;

/// Files that are longer, and why.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "crates/cli/src/build/decision.rs",
        "one decision for each kind of build",
    ),
    ("crates/cli/src/build/helm.rs", "all that is asked of helm"),
    (
        "crates/cli/src/command/audit/report.rs",
        "five formats of one report",
    ),
    (
        "crates/cli/src/command/fix.rs",
        "the sub-command with its plan",
    ),
    (
        "crates/cli/src/command/fix/built.rs",
        "edits of what a build is made of",
    ),
    (
        "crates/cli/src/command/test/init.rs",
        "a suite for every part of the settings",
    ),
    (
        "crates/cli/src/command/test/suite.rs",
        "the format of a suite",
    ),
    (
        "crates/cli/src/config.rs",
        "the format of the configuration",
    ),
    (
        "crates/cli/src/drift/compare.rs",
        "three sides of one table",
    ),
    (
        "crates/cli/src/drift/workload.rs",
        "one reader for each kind of workload",
    ),
    ("crates/cli/src/edit.rs", "one edit for each style of YAML"),
    (
        "crates/cli/src/input.rs",
        "all that can be named on the command line",
    ),
    (
        "crates/manifests/src/policy_file.rs",
        "every form that settings come in",
    ),
    (
        "crates/manifests/src/manifest/yaml.rs",
        "one state for each event of YAML",
    ),
];

/// Functions that are longer, and why.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "crates/cli/src/command/check.rs",
        "execute",
        "the steps of the sub-command",
    ),
    (
        "crates/cli/src/command/config.rs",
        "execute",
        "the steps of the sub-command",
    ),
    (
        "crates/cli/src/command/drift.rs",
        "execute",
        "the steps of the sub-command",
    ),
    (
        "crates/cli/src/command/fix/built.rs",
        "propose",
        "one case after the other",
    ),
    (
        "crates/cli/src/drift/compare.rs",
        "judge",
        "one case after the other",
    ),
    (
        "crates/cli/src/drift/workload.rs",
        "read",
        "an arm for each kind",
    ),
    ("crates/cli/src/edit.rs", "element", "an arm for each style"),
    (
        "crates/cli/src/report/human.rs",
        "summary",
        "a line for each count",
    ),
    (
        "crates/manifests/src/settings_text/annotations.rs",
        "annotation_rule",
        "a sentence for each key",
    ),
    (
        "crates/manifests/src/settings_text.rs",
        "sentences",
        "a sentence for each key",
    ),
    (
        "src/workload/walk.rs",
        "map",
        "an arm for each shape that holds an image",
    ),
];

/// The files with Rust in a folder, tests left out.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["tests", "target", "node_modules"].contains(&name) {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// Each file with its name from the root and its text up to its tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("src"), &mut found);
    files(&root.join("crates"), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        (name.to_owned(), code.to_owned())
    };
    let sources: Vec<_> = found.into_iter().map(read).collect();
    assert!(
        sources.len() > 150,
        "only {} files were found",
        sources.len()
    );
    sources
}

fn is_code(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with("//")
}

/// What may stand before `fn`.
const QUALIFIERS: [&str; 8] = [
    "pub",
    "pub(crate)",
    "pub(super)",
    "const",
    "unsafe",
    "async",
    "extern",
    "\"C\"",
];

/// The functions of a text that rustfmt has laid out, each with its lines of code.
fn functions(code: &str) -> Vec<(&str, usize)> {
    let lines: Vec<_> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((before, name)) = line.split_once("fn ") else {
            continue;
        };
        let is_function = before
            .split_whitespace()
            .all(|word| QUALIFIERS.contains(&word));
        if !is_function || line.ends_with(['}', ';']) {
            continue;
        }
        let name = name.split(['(', '<']).next().unwrap();
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let body = lines.iter().skip(start).take_while(|line| **line != end);
        found.push((name, body.filter(|line| is_code(line)).count() + 1));
    }
    found
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for (name, code) in sources() {
        let lines = code.lines().filter(|line| is_code(line)).count();
        let is_known = LONG_FILES.iter().any(|(known, _)| *known == name);
        if lines > LONGEST_FILE && !is_known {
            long.push(format!("{name}: {lines}"));
        }
    }
    assert!(long.is_empty(), "too long: {long:#?}");
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    let mut count = 0;
    for (name, code) in sources() {
        for (function, lines) in functions(&code) {
            count += 1;
            let is_known =
                |(file, known, _): &(&str, &str, &str)| *file == name && *known == function;
            if lines > LONGEST_FUNCTION && !LONG_FUNCTIONS.iter().any(is_known) {
                long.push(format!("{name}: {function}: {lines}"));
            }
        }
    }
    assert!(count > 2000, "only {count} functions were found");
    assert!(long.is_empty(), "too long: {long:#?}");
}
