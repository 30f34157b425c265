//! Which module imports which: no two beside each other need each other, in one step or in more.
//!
//! A module may use what the one around it declares. Tests may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The way to a module, from the crate's root.
type Way = Vec<String>;

/// The modules in a folder, each with its text up to its tests.
fn modules(folder: &Path, way: &Way, found: &mut BTreeMap<Way, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let mut way = way.clone();
        way.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        if path.is_dir() {
            modules(&path, &way, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            found.insert(way, code.to_owned());
        }
    }
}

/// The paths that the rest of a `use` names, whose beginning is given: `b::{c, d::e}` names two.
fn named(beginning: &str, rest: &str, paths: &mut Vec<String>) {
    let Some((before, group)) = rest.split_once('{') else {
        paths.push([beginning, rest].concat());
        return;
    };
    let beginning = [beginning, before].concat();
    let (mut depth, mut start) = (0, 0);
    let group = group.strip_suffix('}').unwrap();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                named(&beginning, group.get(start..at).unwrap(), paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    named(&beginning, group.get(start..).unwrap(), paths);
}

/// The paths that the code of a module names, in a `use` or elsewhere, without spaces.
fn imports(code: &str) -> Vec<String> {
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut paths = Vec::new();
    for (at, _) in code
        .match_indices("crate::")
        .chain(code.match_indices("super::"))
    {
        let is_part = |character: char| character.is_alphanumeric() || "_:$".contains(character);
        let (before, code) = code.split_at(at);
        if before.chars().next_back().is_some_and(is_part) {
            continue;
        }
        let mut depth = 0;
        let is_inside = |character: &char| {
            depth += i32::from(*character == '{') - i32::from(*character == '}');
            depth > 0 || is_part(*character) || *character == '}'
        };
        let path: String = code.chars().take_while(is_inside).collect();
        let path: String = path.chars().filter(|c| !c.is_whitespace()).collect();
        named("", path.trim_end_matches("::"), &mut paths);
    }
    paths
}

/// The module that a path leads to from another one: the last that is a module.
fn target(from: &Way, path: &str, modules: &BTreeMap<Way, String>) -> Way {
    let mut steps = path.split("::").peekable();
    let mut way = from.clone();
    if steps.next_if_eq(&"crate").is_some() {
        way.clear();
    }
    while steps.next_if_eq(&"super").is_some() {
        way.pop();
    }
    for step in steps {
        way.push(step.to_owned());
        if !modules.contains_key(&way) {
            way.pop();
            break;
        }
    }
    way
}

/// For each module those beside it that it needs, itself or by what is in it.
fn needed(modules: &BTreeMap<Way, String>) -> BTreeMap<Way, BTreeSet<Way>> {
    let mut needed: BTreeMap<Way, BTreeSet<Way>> = BTreeMap::new();
    for (way, code) in modules {
        for path in imports(code) {
            let target = target(way, &path, modules);
            let same = way
                .iter()
                .zip(&target)
                .take_while(|(one, other)| one == other)
                .count();
            if let (Some(one), Some(other)) = (way.get(..=same), target.get(..=same)) {
                needed
                    .entry(one.to_vec())
                    .or_default()
                    .insert(other.to_vec());
            }
        }
    }
    needed
}

/// A way from a module back to itself.
fn circle(from: &Way, needed: &BTreeMap<Way, BTreeSet<Way>>) -> Option<Vec<Way>> {
    let (mut open, mut seen) = (vec![vec![from.clone()]], BTreeSet::new());
    while let Some(trail) = open.pop() {
        for next in needed.get(trail.last().unwrap()).into_iter().flatten() {
            let longer = [trail.as_slice(), std::slice::from_ref(next)].concat();
            if next == from {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                open.push(longer);
            }
        }
    }
    None
}

#[test]
fn no_module_needs_itself() {
    let mut found = BTreeMap::new();
    modules(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &Way::new(),
        &mut found,
    );
    assert!(found.len() > 90, "{}", found.len());
    let needed = needed(&found);
    let count: usize = needed.values().map(BTreeSet::len).sum();
    assert!(count > 150, "{count}");
    let circles: Vec<_> = needed
        .keys()
        .filter_map(|way| circle(way, &needed))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_map_of_the_crate_is_complete_and_imports_point_down_it() {
    let lib = include_str!("../../src/lib.rs");
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let table = lib.lines().filter(|line| line.starts_with("//! | "));
    for (row, line) in table.skip(1).enumerate() {
        let cell = line.split('|').nth(1).unwrap();
        for module in cell.split('`').skip(1).step_by(2) {
            assert_eq!(rows.insert(module, row), None, "{module} stands twice");
        }
    }
    let declared = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")))
        .map(|name| name.trim_end_matches(';'));
    assert_eq!(
        rows.keys().copied().collect::<BTreeSet<_>>(),
        declared.collect()
    );
    let mut found = BTreeMap::new();
    modules(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &Way::new(),
        &mut found,
    );
    let mut upward = Vec::new();
    for (from, to) in needed(&found) {
        let [from] = from.as_slice() else { continue };
        for to in to {
            let [to] = to.as_slice() else { continue };
            let row = |module: &str| rows.get(module).copied();
            if from != to && row(to).is_none_or(|to| Some(to) <= row(from)) {
                upward.push(format!("{from} imports {to}"));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn finds_circles() {
    let text = |text: &str| text.to_owned();
    let way = |way: &str| way.split("::").map(text).collect::<Way>();
    let modules = BTreeMap::from([
        (
            way("a"),
            text("pub use b::B;\n// use crate::e;\nuse crate::{d, c::{C, f::F}};"),
        ),
        (way("a::b"), text("use super::A;")),
        (way("c"), text("")),
        (way("c::e"), text("use crate::d::{self, D};")),
        (way("d"), text("")),
    ]);
    let before = needed(&modules);
    assert_eq!(before[&way("a")], BTreeSet::from([way("c"), way("d")]));
    assert!(before.keys().all(|way| circle(way, &before).is_none()));
    let mut modules = modules;
    modules.insert(way("d"), text("use super::a::b::B;"));
    let after = needed(&modules);
    assert_eq!(
        circle(&way("d"), &after).map(|circle| circle.len()),
        Some(3)
    );
}
