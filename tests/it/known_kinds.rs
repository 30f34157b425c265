//! The table of well-known kinds: what it finds is what the schemas of the kinds have, no less and no more, and
//! what the page in `docs/` says.
#![expect(
    clippy::string_slice,
    reason = "the notation is ASCII, and a test that meets something else fails"
)]

use std::collections::BTreeSet;
use std::fs;

use rollout_guard::json::Document;
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::settings::Settings;
use rollout_guard::workload::known::{GROUPS, KnownKinds, PARTS, POD_METADATA, VOLUMES, kinds_of};
use serde_json::{Map, Value, json};

/// What the schemas have; see the file's head.
const SCHEMAS: &str = include_str!("../corpus/known-kinds.txt");

/// Every line of the table, with its group.
fn known_kinds() -> impl Iterator<Item = (&'static str, KnownKinds)> {
    let groups = GROUPS.iter();
    groups.flat_map(|(group, lines)| kinds_of(lines).map(|entry| (*group, entry)))
}

/// The group of a kind: each of Elastic's kinds has one of its own.
fn group_of<'g>(group: &'g str, kind: &str) -> &'g str {
    let schemas = schemas().into_iter();
    let mut of_kind = schemas.filter(|schema| schema.kind == kind);
    match group.strip_prefix('*') {
        None if group.is_empty() => "core",
        None => group,
        Some(domain) => of_kind
            .find(|schema| schema.group.ends_with(domain))
            .map_or(group, |schema| schema.group),
    }
}

/// A line of the corpus.
struct Schema<'s> {
    group: &'s str,
    kind: &'s str,
    path: &'s str,
    scheme: &'s str,
    fields: Vec<(&'s str, &'s str)>,
}

fn schemas() -> Vec<Schema<'static>> {
    let lines = SCHEMAS.lines().filter(|line| !line.starts_with('#'));
    let schemas = lines.map(|line| {
        let mut words = line.split(' ').peekable();
        let mut next = || words.next().unwrap();
        let (group, kind, path) = (next(), next(), next());
        let scheme = words.next_if(|word| word.ends_with("://"));
        Schema {
            group: if group == "core" { "" } else { group },
            kind,
            path,
            scheme: scheme.unwrap_or_default(),
            fields: words.map(|word| word.split_once('=').unwrap()).collect(),
        }
    });
    schemas.collect()
}

/// Sets what a path leads to, in the first element of each list, and under the key `any` for `*`.
fn set(value: &mut Value, path: &str, new: Value) {
    if path.is_empty() {
        *value = new;
    } else if let Some(rest) = path.strip_prefix("[*]") {
        if value.is_null() {
            *value = json!([null]);
        }
        set(&mut value[0], rest, new);
    } else {
        let path = path.strip_prefix('.').unwrap_or(path);
        let (key, rest) = match path.strip_prefix("[\"") {
            Some(quoted) => quoted.split_once("\"]").unwrap(),
            None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
        };
        let key = if key == "*" { "any" } else { key };
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        set(&mut value[key], rest, new);
    }
}

/// An object of the kind with this image, and where that stands in it.
fn object(schema: &Schema<'_>, image: &str) -> (Value, String) {
    let mut object = json!({ "apiVersion": format!("{}/v1", schema.group), "kind": schema.kind, "metadata": { "name": "a" } });
    for (path, value) in &schema.fields {
        set(&mut object, path, json!(value));
    }
    let text = if schema.kind == "NodeImage" {
        // The image is the key.
        "1".to_owned()
    } else {
        [schema.scheme, image].concat()
    };
    set(&mut object, schema.path, json!(text));
    let place = schema.path.replace("[*]", "[0]").replace(".*", ".any");
    (object, place)
}

/// The places of what refuses the object where only `ghcr.io` is allowed.
fn refused(schema: &Schema<'_>, object: &Value, settings: Value) -> Vec<String> {
    let mut settings = settings;
    settings["registries"] = json!({ "allow": ["ghcr.io"] });
    let settings = settings.to_string();
    let settings = Document::of(&settings).unwrap();
    let settings = Settings::validate(settings.root()).unwrap();
    let request = json!({ "operation": "CREATE", "kind": { "group": schema.group, "kind": schema.kind }, "userInfo": { "username": "jane" }, "object": object });
    let request = request.to_string();
    let request = Document::of(&request);
    let request = Request::of(&request).unwrap();
    let verdict = Policy::new(&settings).evaluate(request);
    let places = verdict.violations.iter().map(|violation| {
        assert_eq!(violation.code.as_str(), "registry-not-allowed");
        violation.path.to_string()
    });
    places.collect()
}

#[test]
fn every_image_of_the_schemas_is_found_where_it_stands() {
    let mut failures = Vec::new();
    for schema in schemas() {
        let (object, place) = object(&schema, "docker.io/library/redis:7");
        let found = refused(&schema, &object, json!({}));
        if found != [place.clone()] {
            failures.push(format!(
                "{} {}: {place}: {found:?}",
                schema.group, schema.kind
            ));
        }
        let off = refused(&schema, &object, json!({ "wellKnownKinds": false }));
        if !off.is_empty() {
            failures.push(format!("{place} is found by its shape: {off:?}"));
        }
        let (allowed, place) = self::object(&schema, "ghcr.io/org/app:7");
        let found = refused(&schema, &allowed, json!({}));
        if schema.kind != "NodeImage" && !found.is_empty() {
            failures.push(format!("{place}: an allowed image is refused: {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_path_belongs_to_its_kind_in_its_group() {
    for schema in schemas() {
        let (object, place) = object(&schema, "docker.io/library/redis:7");
        for (group, kind) in [("example.com", schema.kind), (schema.group, "Thing")] {
            let other = Schema {
                group,
                kind,
                fields: Vec::new(),
                ..schema
            };
            let found = refused(&other, &object, json!({}));
            assert!(found.is_empty(), "{group}/{kind}: {place}");
        }
    }
}

/// Every path that a notation stands for; a part within itself is left out.
fn expand(text: &str, within: &[&str], path: &str, found: &mut BTreeSet<String>) {
    let Some(sign) = text.chars().next() else {
        found.insert(path.to_owned());
        return;
    };
    match sign {
        '{' => {
            let mut depth = 0;
            let mut starts = vec![1];
            let mut end = 0;
            for (at, sign) in text.char_indices() {
                match sign {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => starts.push(at + 1),
                    _ => {}
                }
                if depth == 0 {
                    end = at;
                    break;
                }
            }
            starts.push(end + 1);
            for pair in starts.windows(2) {
                let alternative = &text[pair[0]..pair[1] - 1];
                let text = [alternative, &text[end + 1..]].concat();
                expand(&text, within, path, found);
            }
        }
        '<' => {
            let (name, rest) = text[1..].split_once('>').unwrap();
            if name == "Object" || within.iter().filter(|part| **part == name).count() > 1 {
                return;
            }
            let (_, part) = PARTS
                .iter()
                .find(|(part, _)| *part == name)
                .unwrap_or_else(|| panic!("no part {name}"));
            let within = [within, &[name]].concat();
            expand(&[part, rest].concat(), &within, path, found);
        }
        '(' => expand(text.split_once(')').unwrap().1, within, path, found),
        '~' | ':' | '+' | '/' | '%' => {
            found.insert(path.to_owned());
        }
        '.' if path.is_empty() || path.ends_with('.') => expand(&text[1..], within, path, found),
        '.' if text[1..].starts_with(['{', '<', '(']) => {
            expand(&text[1..], within, &format!("{path}."), found);
        }
        _ => {
            let path = if text.starts_with('[') {
                path.trim_end_matches('.')
            } else {
                path
            };
            let end = if text.starts_with("[*]") {
                3
            } else if text.starts_with("[\"") {
                text.find("\"]").unwrap() + 2
            } else {
                let from = usize::from(text.starts_with('.'));
                text[from..]
                    .find(['.', '[', '{', '<', '(', '~', ':', '+', '/', '%'])
                    .map_or(text.len(), |at| at + from)
            };
            let step = &text[..end];
            let dot = if step.starts_with(['.', '[']) || path.is_empty() || path.ends_with('.') {
                ""
            } else {
                "."
            };
            expand(&text[end..], within, &[path, dot, step].concat(), found);
        }
    }
}

#[test]
fn the_table_has_nothing_that_no_schema_has() {
    let known: BTreeSet<_> = schemas()
        .iter()
        .map(|schema| {
            let group = if schema.group.is_empty() {
                "core"
            } else {
                schema.group
            };
            format!("{group} {} {}", schema.kind, schema.path)
        })
        .collect();
    let mut without = Vec::new();
    for (group, entry) in known_kinds() {
        let mut paths = BTreeSet::new();
        expand(entry.images, &[], "", &mut paths);
        for path in paths.iter().filter(|path| !path.is_empty()) {
            for kind in entry.kinds.split(' ') {
                let line = format!("{} {kind} {path}", group_of(group, kind));
                // A pipeline in a pipeline has what a pipeline has.
                let refers = path.contains("Ref.") || path.contains(".ref.");
                let is_nested = path.contains(".pipelineSpec.") && refers;
                if !is_nested && !known.contains(&line) {
                    without.push(line);
                }
            }
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn the_page_has_the_table() {
    let page = fs::read_to_string("docs/custom-kinds.md").unwrap();
    let (_, page) = page.split_once("## Well-known kinds").expect("its section");
    let page = page.split("| sign |").next().unwrap();
    let code = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("`{text}`")
        }
    };
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| {
            line.starts_with("| ")
                && !line.starts_with("| API group")
                && !line.starts_with("| part")
        })
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let kinds: Vec<_> = rows.iter().filter(|row| row.len() == 5).collect();
    let known: Vec<_> = known_kinds().collect();
    for ((group, entry), row) in known.iter().zip(&kinds) {
        let group = if group.is_empty() { "core" } else { group };
        let placeholders: Vec<_> = entry.placeholders.split(' ').map(code).collect();
        let wanted = [
            group.to_owned(),
            entry.kinds.replace(' ', ", "),
            code(entry.images),
            placeholders.join(" "),
        ];
        assert_eq!(row[..4], wanted);
        assert!(!row[4].is_empty(), "a source of {}", entry.kinds);
    }
    assert_eq!(kinds.len(), known.len());
    let parts: Vec<_> = rows
        .iter()
        .filter(|row| row.len() == 2)
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let wanted: Vec<_> = PARTS
        .iter()
        .map(|(name, images)| (code(&format!("<{name}>")), code(images)))
        .collect();
    assert_eq!(parts, wanted);
    let page = fs::read_to_string("docs/custom-kinds.md").unwrap();
    for images in [VOLUMES, POD_METADATA] {
        assert!(page.contains(&code(images)), "{images}");
    }
}
