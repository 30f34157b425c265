//! `CONTRIBUTING.md` is a tour of files that exist.

use std::collections::BTreeSet;
use std::path::Path;

const TOUR: &str = include_str!("../../CONTRIBUTING.md");

/// Folders at the top of the repository in which a path of the tour begins.
const FOLDERS: [&str; 11] = [
    ".ci",
    ".github",
    "bundles",
    "crates",
    "docs",
    "e2e-tests",
    "examples",
    "fuzz",
    "release",
    "src",
    "tests",
];

/// What the tour quotes as code that is a path.
fn paths() -> BTreeSet<&'static str> {
    let quoted = TOUR.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let first = text.split('/').next();
        text.contains('/')
            && !text.contains(char::is_whitespace)
            && FOLDERS.iter().any(|folder| first == Some(*folder))
    };
    quoted.filter(is_path).collect()
}

#[test]
fn every_path_of_the_tour_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = paths();
    assert!(paths.len() > 50, "only {} paths were found", paths.len());
    let missing: Vec<_> = paths
        .into_iter()
        .filter(|path| match path.strip_suffix('/') {
            Some(folder) => !root.join(folder).is_dir(),
            None => !root.join(path).exists(),
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The house lists every crate and every module that is a folder of the engine.
#[test]
fn every_crate_is_in_the_house() {
    let (_, house) = TOUR.split_once("\n## The house\n").unwrap();
    let (house, _) = house.split_once("\n## ").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    for entry in std::fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(house.contains(&format!("`crates/{name}`")), "{name}");
    }
}

/// Each recipe names tests that exist, and at most five files.
#[test]
fn every_recipe_is_short_and_names_its_test() {
    let rows = crate::docs::rows(TOUR, "to add");
    assert!(rows.len() >= 7, "{rows:?}");
    for row in rows {
        let files = crate::docs::quoted(row[1])
            .iter()
            .filter(|text| text.contains('/'))
            .count();
        assert!((1..=5).contains(&files), "{}: {files} files", row[0]);
        for test in crate::docs::quoted(row[2]) {
            let Some((module, name)) = test.split_once("::") else {
                continue;
            };
            let folder = if row[2].contains("`crates/cli`") {
                "crates/cli/tests/it"
            } else {
                "tests/it"
            };
            let file = format!("{}/{folder}/{module}.rs", env!("CARGO_MANIFEST_DIR"));
            let code = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("no {file}"));
            assert!(code.contains(&format!("fn {name}")), "{test}");
        }
    }
}
