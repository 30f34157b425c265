//! The JSON Schema of the settings, held against the engine: key by key, and document by document.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rollout_guard::json::Document;
use rollout_guard::settings::{Settings, SettingsErrors};
use serde_json::{Value, json};

use crate::command::Workshop;

const COMMITTED: &str = include_str!("../../../../settings.schema.json");

/// Words of the engine that are no keys, but that it reads where it reads keys.
const OF_THE_USER: &str = "no-key-of-ours";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> Value {
    serde_json::from_str(COMMITTED).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).unwrap()
}

/// What the engine has against settings.
fn judge(settings: &Value) -> Option<SettingsErrors> {
    let text = settings.to_string();
    Settings::validate(Document::of(&text).unwrap().root()).err()
}

#[test]
fn the_committed_schema_is_what_the_command_prints() {
    let outcome = Workshop::new("schema-print").run("settings --schema");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert!(
        outcome.stdout == COMMITTED,
        "run `rollout-guard settings --schema > settings.schema.json`"
    );
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
}

/// A place in the schema, and how settings lead there.
struct Place<'s> {
    schema: &'s Value,
    path: String,
    around: Vec<Around>,
}

/// What is around a value.
#[derive(Clone)]
enum Around {
    /// A map that has it, beside what else such a map needs.
    Key(String),
    List,
}

impl Place<'_> {
    /// Settings with a value at this place.
    fn settings(&self, value: Value) -> Value {
        self.around
            .iter()
            .rev()
            .fold(value, |value, around| match around {
                Around::Key(key) => json!({ key.as_str(): value }),
                Around::List => json!([value]),
            })
    }

    /// Whether the engine knows a key here: then it does not complain of its name.
    fn engine_knows(&self, key: &str) -> bool {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        // A value of no type that any key has.
        let errors = judge(&self.settings(json!({ key: 0.5 }))).unwrap();
        let about: Vec<_> = errors.iter().filter(|error| error.path == path).collect();
        !about.is_empty()
            && about
                .iter()
                .all(|error| !error.problem.starts_with("unknown key"))
    }
}

/// Every map of the schema, with what is below it.
fn places(schema: &Value) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut open = vec![Place {
        schema,
        path: String::new(),
        around: Vec::new(),
    }];
    while let Some(place) = open.pop() {
        for form in forms(schema, place.schema) {
            let below = |schema, step: String, around| Place {
                schema,
                path: if place.path.is_empty() && !step.starts_with('[') {
                    step
                } else {
                    format!(
                        "{}{}{step}",
                        place.path,
                        if step.starts_with('[') { "" } else { "." }
                    )
                },
                around: place.around.iter().cloned().chain([around]).collect(),
            };
            if let Some(items) = form.get("items") {
                open.push(below(items, "[0]".to_owned(), Around::List));
            }
            if let Some(Value::Object(others)) = form.get("additionalProperties") {
                let others = form
                    .get("additionalProperties")
                    .filter(|_| !others.is_empty());
                let key = "example";
                open.extend(
                    others.map(|others| below(others, key.to_owned(), Around::Key(key.to_owned()))),
                );
            }
            for (key, member) in form
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                open.push(below(member, key.clone(), Around::Key(key.clone())));
            }
            if form["type"] == "object" || form["type"] == json!(["object", "null"]) {
                places.push(Place {
                    schema: form,
                    ..place.clone()
                });
            }
        }
    }
    places
}

impl Clone for Place<'_> {
    fn clone(&self) -> Self {
        Self {
            schema: self.schema,
            path: self.path.clone(),
            around: self.around.clone(),
        }
    }
}

/// What a schema stands for: itself, or those that it refers to.
fn forms<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        return forms(root, target);
    }
    for several in ["anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            return all.iter().flat_map(|form| forms(root, form)).collect();
        }
    }
    vec![schema]
}

/// Every word that stands in quotes in the engine.
fn words_of_the_engine() -> BTreeSet<String> {
    let mut words = BTreeSet::from([OF_THE_USER.to_owned()]);
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let is_word = |word: &&str| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            words.extend(text.split('"').filter(is_word).map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_schema_has_the_keys_that_the_engine_knows_and_no_others() {
    let schema = schema();
    let words = words_of_the_engine();
    let (mut maps, mut keys) = (0, 0);
    for place in places(&schema) {
        maps += 1;
        let known = place.schema.get("properties").and_then(Value::as_object);
        let Some(known) = known else {
            assert!(
                place.engine_knows(OF_THE_USER),
                "{}: a map with keys of the user",
                place.path
            );
            continue;
        };
        assert_eq!(
            place.schema["additionalProperties"], false,
            "{}",
            place.path
        );
        for (key, member) in known {
            keys += 1;
            assert!(
                place.engine_knows(key),
                "{}: the engine has no `{key}`",
                place.path
            );
            let description = member["description"].as_str().unwrap_or_default();
            assert!(
                description.ends_with('.'),
                "{}.{key}: {description:?}",
                place.path
            );
        }
        for word in words.iter().filter(|word| !known.contains_key(*word)) {
            assert!(
                !place.engine_knows(word),
                "{}: the schema has no `{word}`",
                place.path
            );
        }
    }
    // So that a schema in which nothing is found does not pass.
    assert!(maps >= 20 && keys >= 90, "{keys} keys in {maps} maps");
}

#[test]
fn the_schema_has_the_words_that_the_engine_knows_and_no_others() {
    let schema = schema();
    let words = words_of_the_engine();
    let mut count = 0;
    for place in places(&schema) {
        let members = place.schema.get("properties").and_then(Value::as_object);
        for (key, member) in members.into_iter().flatten() {
            let known: Vec<_> = forms(&schema, member)
                .into_iter()
                .filter_map(|form| {
                    form["items"].as_object().map_or(form, |_| &form["items"])["enum"].as_array()
                })
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if known.is_empty() {
                continue;
            }
            count += 1;
            let is_list = forms(&schema, member)
                .iter()
                .any(|form| form.get("items").is_some());
            let takes = |word: &str| {
                let (value, index) = if is_list {
                    (json!([word]), "[0]")
                } else {
                    (json!(word), "")
                };
                let path = format!("{}.{key}{index}", place.path);
                let path = path.trim_start_matches('.');
                let errors = judge(&place.settings(json!({ key.as_str(): value })));
                let errors = errors.iter().flat_map(SettingsErrors::iter);
                let is_refused = |problem: &str| {
                    problem.contains(" is not one of ") || problem.contains(" is unknown")
                };
                !errors
                    .filter(|error| error.path == path)
                    .any(|error| is_refused(&error.problem))
            };
            for word in &words {
                assert_eq!(
                    takes(word),
                    known.contains(&word.as_str()),
                    "{}.{key}: {word}",
                    place.path
                );
            }
        }
    }
    assert!(count >= 12, "only {count} keys with words of their own");
}

/// A default that is written out says what it says when it is left out.
#[test]
fn the_defaults_are_those_of_the_engine() {
    let schema = schema();
    let mut count = 0;
    for place in places(&schema) {
        let members = place.schema.get("properties").and_then(Value::as_object);
        for (key, member) in members.into_iter().flatten() {
            let Some(default) = member.get("default") else {
                continue;
            };
            count += 1;
            let without = enough(&place);
            let mut with = without.clone();
            let at = place
                .around
                .iter()
                .fold(&mut with, |value, around| match around {
                    Around::Key(key) => &mut value[key.as_str()],
                    Around::List => &mut value[0],
                });
            at[key.as_str()] = default.clone();
            let read = |settings: &Value| {
                let text = settings.to_string();
                let document = Document::of(&text).unwrap();
                let settings = Settings::read(document.root());
                format!("{:?}", settings.unwrap_or_else(|errors| panic!("{errors}")))
            };
            assert_eq!(read(&with), read(&without), "{}.{key}", place.path);
        }
    }
    assert!(count >= 12, "only {count} defaults");
}

/// Valid settings that reach to a place.
fn enough(place: &Place<'_>) -> Value {
    let mut settings = json!({
        "registries": { "allow": ["ghcr.io"] },
        "images": { "reject": ["redis"] },
        "tags": { "reject": ["latest"] },
        "digests": { "require": ["ghcr.io/*"] },
        "mirrors": [{ "source": "docker.io", "mirror": "ghcr.io/hub" }],
        "annotations": [{ "required": ["team"] }],
        "changes": [{ "guard": ["images"], "match": { "kinds": ["Pod"] } }],
        "drift": {},
    });
    let at = place.around.first().cloned();
    if let Some(Around::Key(key)) = at {
        assert!(
            settings.get(&key).is_some(),
            "{}: no settings reach there",
            place.path
        );
    }
    settings["exemptions"] = Value::Null;
    settings
}

/// Every settings document of the repository: its name, and what is in it.
fn documents() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for table in rollout_guard_cases::tables() {
        let name = |note: &str| format!("{}: {note}", table.name);
        let cases = table.cases.iter();
        found.extend(cases.map(|case| (name(&case.note), case.settings.clone())));
    }
    let mut folders = vec![
        root().join("examples"),
        root().join("bundles"),
        root().join("benches"),
        root().join("docs"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("yaml") => {
                    found.extend(in_file(&name, &std::fs::read_to_string(&path).unwrap()));
                }
                Some("md") => {
                    found.extend(in_page(&name, &std::fs::read_to_string(&path).unwrap()));
                }
                _ => {}
            }
        }
    }
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    found.extend(in_page("README.md", &readme));
    found
}

/// The settings of a file: all of it, or those of the policies in it.
fn in_file(name: &str, text: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for document in yaml_serde::Deserializer::from_str(text) {
        let value: Value = serde::Deserialize::deserialize(document).unwrap();
        let settings = &value["spec"]["settings"];
        if settings.is_object() {
            found.push((name.to_owned(), settings.clone()));
        }
        let members = value["spec"]["policies"].as_object();
        for (member, policy) in members.into_iter().flatten() {
            let is_ours = policy["module"]
                .as_str()
                .is_some_and(|module| module.contains("rollout-guard"));
            if is_ours {
                found.push((format!("{name}: {member}"), policy["settings"].clone()));
            }
        }
        if name.ends_with("settings.yaml") || name.starts_with("benches/") {
            found.push((name.to_owned(), value));
        }
    }
    found
}

/// The settings in the blocks of a page that say that they are such.
fn in_page(name: &str, text: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut parts = text.split("\n```");
    parts.next();
    while let (Some(block), _) = (parts.next(), parts.next()) {
        let (info, body) = block.split_once('\n').unwrap_or_default();
        match info {
            "yaml settings" | "yaml invalid-settings" => {
                found.push((
                    format!("{name}: {info}"),
                    yaml_serde::from_str(body).unwrap(),
                ));
            }
            "yaml policy" => found.extend(in_file(name, body)),
            _ => {}
        }
    }
    found
}

#[test]
fn what_the_engine_accepts_the_schema_accepts() {
    let validator = validator();
    let (mut accepted, mut malformed) = (0, 0);
    let mut failures = String::new();
    for (name, settings) in documents() {
        let errors = judge(&settings);
        let told: Vec<_> = validator
            .iter_errors(&settings)
            .map(|error| error.to_string())
            .collect();
        match &errors {
            None => {
                accepted += 1;
                if !told.is_empty() {
                    writeln!(failures, "{name}: {}", told.join("; ")).unwrap();
                }
            }
            Some(errors) if errors.iter().any(|error| is_of_form(&error.problem)) => {
                malformed += 1;
                if told.is_empty() {
                    writeln!(
                        failures,
                        "{name}: the schema accepts what the engine refuses: {errors}"
                    )
                    .unwrap();
                }
            }
            Some(_) => {}
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(
        accepted > 500 && malformed > 30,
        "{accepted} accepted, {malformed} malformed"
    );
}

/// Whether a mistake is one that a schema can tell: of keys, types and words.
fn is_of_form(problem: &str) -> bool {
    problem.starts_with("unknown key")
        || problem.starts_with("expected ")
        || problem.starts_with("must not be empty")
        || problem.contains(" is not one of ")
        || problem.ends_with(" is missing")
}

/// Documents of the repository, each with something in it replaced or added.
#[test]
fn what_the_engine_says_of_keys_and_types_the_schema_says() {
    let validator = validator();
    let valid: Vec<_> = documents()
        .into_iter()
        .map(|(_, settings)| settings)
        .filter(|settings| judge(settings).is_none())
        .collect();
    let replacements = vec![
        Value::Null,
        json!([]),
        json!({}),
        json!(""),
        json!(0),
        json!(true),
        json!("*"),
        json!("reject"),
        json!(["a"]),
        json!({ "a": "b" }),
    ];
    let change = (
        0..valid.len(),
        any::<prop::sample::Index>(),
        prop::sample::select(replacements),
        any::<bool>(),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&change, |(document, place, new, is_added)| {
            let mut settings = valid[document].clone();
            let mut pointers = Vec::new();
            pointers_of(&settings, String::new(), &mut pointers);
            let pointer = place.get(&pointers);
            let value = settings.pointer_mut(pointer).unwrap();
            match value {
                Value::Object(members) if is_added => {
                    members.insert("unknown".to_owned(), new);
                }
                value => *value = new,
            }
            let errors = judge(&settings);
            let is_valid = validator.is_valid(&settings);
            match errors {
                None => prop_assert!(is_valid, "the schema refuses {settings} at {pointer}"),
                Some(errors) if errors.iter().any(|error| is_of_form(&error.problem)) => {
                    prop_assert!(!is_valid, "the schema accepts {settings}: {errors}");
                }
                Some(_) => {}
            }
            Ok(())
        })
        .unwrap();
}

/// The places in a value, as JSON pointers.
fn pointers_of(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers_of(value, format!("{pointer}/{key}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                pointers_of(value, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(pointer);
}
