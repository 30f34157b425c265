//! What the pages in `docs/` say is what the engine does: their headings, their examples, their
//! tables.
//!
//! A fence says what its block is:
//!
//! | fence | block |
//! |---|---|
//! | `yaml settings` | settings without a mistake |
//! | `yaml invalid-settings` | settings with mistakes; the `text` that follows is what is said of them |
//! | `yaml refused` | an object that the settings above refuse; the `text` that follows is the message |
//! | `yaml mended` | an object that the settings above accept without a warning or a change |
//! | `yaml passes` | an object that they accept; the `text` that follows is the warnings |
//! | `yaml becomes` | what the object above is changed to |
//! | `yaml refused-request`, `yaml mended-request`, `yaml passes-request` | the same for a whole request |
//! | `yaml registry` | what registries answer about images, for the objects that follow |
//! | `yaml policy` | a `ClusterAdmissionPolicy` |
//! | `yaml manifest`, `yaml policies`, `yaml verification` | of docs/install.md and docs/live-cluster.md: `install.rs` looks at them |
//! | `sh run` | what is typed and needs no cluster: `e2e-tests/install.bats` runs it |
//! | `yaml suite`, `yaml own`, `text output` | a suite, settings that extend others, and what the command prints: its own tests look at them |
//! | `sh`, `yaml workflow` | what is typed, and files of other tools: not looked at |
//!
//! In tables, `sha256:a…` stands for a digest of as many `a` as it has digits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rollout_guard::annotation::TOOLS_KEYS;
use rollout_guard::date::{Clock, Time};
use rollout_guard::glob;
use rollout_guard::json::Document;
use rollout_guard::settings::{Settings, SettingsError, SettingsErrorKind};
use rollout_guard::violation::Code;
use rollout_guard::wire;
use serde_json::{Value, json};

use crate::registry::Answers;

const MESSAGES: &str = include_str!("../../docs/messages.md");
const SETTINGS: &str = include_str!("../../docs/settings.md");
const MIRRORS: &str = include_str!("../../docs/mirrors.md");
const CODE: &str = include_str!("../../src/policy/pull.rs");
const COMING: &str = include_str!("../../docs/coming-from-trusted-repos.md");

/// Pages of later sections of the settings come with these.
const LEAST_PAGES: usize = 5;

#[test]
fn every_code_has_its_heading_in_the_order_of_the_codes() {
    let codes = Code::ALL.map(Code::as_str);
    let headings: Vec<_> = headings(MESSAGES)
        .into_iter()
        .filter(|heading| heading.level == 2)
        .map(|heading| heading.text)
        .collect();
    assert_eq!(headings, codes);
}

#[test]
fn every_code_has_an_example_that_gives_it() {
    for code in Code::ALL {
        let section = section(MESSAGES, code.as_str());
        let message = blocks(section)
            .into_iter()
            .find(|block| block.info == "text")
            .unwrap_or_else(|| panic!("{code}: no message"))
            .text;
        if code == Code::SettingsInvalid {
            let settings = only(section, "yaml invalid-settings");
            let answer = judge(&yaml(settings), &pod("ghcr.io/acme/app:1"));
            let lines = answer["message"].as_str().unwrap().lines().skip(1);
            let mistakes = message.lines().skip(1);
            assert!(lines.eq(mistakes.map(|line| format!("{line} [{code}]"))));
        } else {
            for line in message.lines().filter(|line| !line.ends_with(" problems:")) {
                assert!(line.ends_with(&format!(" [{code}]")), "{line}");
            }
        }
        let last = blocks(section).pop().unwrap();
        assert!(
            matches!(
                last.info,
                "yaml mended" | "yaml mended-request" | "yaml settings"
            ),
            "{code}: what is refused is mended at the end"
        );
    }
}

#[test]
fn every_example_is_true() {
    let pages = pages();
    assert!(pages.len() >= LEAST_PAGES, "{pages:?}");
    let mut failures = String::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut settings = None;
        let mut registry = Answers::default();
        let mut said: Option<String> = None;
        let mut becomes: Option<Value> = None;
        let (mut true_texts, mut other_texts) = (BTreeSet::new(), Vec::new());
        for block in blocks(&text) {
            let mut fail = |problem: &str| {
                let line = block.line;
                writeln!(failures, "{}:{line}: {problem}", page.display()).unwrap();
            };
            match said.take() {
                Some(said) if block.info != "text" || said != block.text => {
                    fail(&format!("the text ought to be\n{said}"));
                }
                Some(said) => {
                    true_texts.insert(said);
                }
                None if block.info == "text" => other_texts.push(block.text),
                None => {}
            }
            match becomes.take() {
                Some(object) if block.info == "text" => becomes = Some(object),
                Some(object) if block.info != "yaml becomes" || object != yaml(block.text) => {
                    fail(&format!("the object ought to become\n{object:#}"));
                }
                None if block.info == "yaml becomes" => fail("nothing changes"),
                _ => {}
            }
            match block.info {
                "yaml settings" => {
                    let value = yaml(block.text);
                    if let Err(errors) = validate(&value) {
                        fail(&shown(&errors));
                    }
                    settings = Some(value);
                    registry = Answers::default();
                }
                "yaml registry" => registry = Answers::new(strings(&yaml(block.text))),
                "yaml invalid-settings" => {
                    let text = yaml(block.text).to_string();
                    match wire::validate_settings(text.as_bytes()) {
                        Err(errors) => said = Some(errors),
                        Ok(()) => fail("these settings are valid"),
                    }
                }
                "yaml policy" => {
                    if let Err(errors) = validate(&yaml(block.text)["spec"]["settings"]) {
                        fail(&shown(&errors));
                    }
                }
                "text" | "text output" | "sh" | "sh run" | "yaml becomes" | "yaml config"
                | "yaml workflow" | "yaml manifest" | "yaml policies" | "yaml suite"
                | "yaml own" | "yaml verification" => {}
                info => {
                    let (verdict, is_request) = match info {
                        "yaml refused" => ("refused", false),
                        "yaml refused-request" => ("refused", true),
                        "yaml mended" => ("mended", false),
                        "yaml mended-request" => ("mended", true),
                        "yaml passes" => ("passes", false),
                        "yaml passes-request" => ("passes", true),
                        _ => panic!("{}:{}: unknown fence", page.display(), block.line),
                    };
                    let settings = settings.as_ref().unwrap();
                    let object = yaml(block.text);
                    let request = if is_request { object } else { request(&object) };
                    let answer = judge_with(settings, &request, &registry);
                    match (verdict, answer["message"].as_str()) {
                        ("refused", Some(message)) => said = Some(message.to_owned()),
                        ("mended", None) if answer == json!({ "accepted": true }) => {}
                        ("passes", None) if answer != json!({ "accepted": true }) => {
                            said = warnings(&answer);
                            becomes = answer.get("mutated_object").cloned();
                        }
                        _ => fail(&answer.to_string()),
                    }
                }
            }
        }
        assert_eq!(said, None, "{}: a text is missing", page.display());
        assert_eq!(becomes, None, "{}: a change is missing", page.display());
        // A text that shows what messages look like is one of them.
        for text in other_texts {
            assert!(true_texts.contains(text), "{}: {text}", page.display());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_key_has_its_heading() {
    let mut known = BTreeSet::new();
    for key in Settings::KEYS {
        known.insert(key.to_owned());
    }
    let words = words_of_the_engine();
    for key in Settings::KEYS {
        below(key, &|value| json!({ key: value }), &words, &mut known);
    }
    // `match` is one language for every section, so it has a place of its own in the page; its exception has the
    // same keys. What stands in `actions` and `messages` are the checks, which have theirs.
    // Entries are maps alike in all lists.
    let is_told_together = |key: &&String| {
        let of_a_check = ["annotations.actions.", "annotations.messages."];
        let of_an_entry = [".entry", ".use", ".message"];
        of_a_check.iter().any(|way| key.starts_with(way))
            || (key.matches('.').count() == 2 && of_an_entry.iter().any(|end| key.ends_with(end)))
    };
    let known: BTreeSet<_> = known
        .iter()
        .filter(|key| !is_told_together(key))
        .map(|key| match key.split_once(".match.") {
            Some((_, below)) if below.starts_with("except.") => "match.except".to_owned(),
            Some((_, below)) => format!("match.{below}"),
            None => key.clone(),
        })
        .collect();
    let described: Vec<_> = headings(SETTINGS)
        .into_iter()
        .filter(|heading| is_key(heading.text))
        .map(|heading| heading.text.to_owned())
        .collect();
    let once: BTreeSet<_> = described.iter().cloned().collect();
    assert_eq!(described.len(), once.len(), "a key is described twice");
    assert_eq!(once, known);
    let top: Vec<_> = headings(SETTINGS)
        .into_iter()
        .filter(|heading| heading.level == 2 && is_key(heading.text))
        .map(|heading| heading.text)
        .collect();
    assert_eq!(top, Settings::KEYS, "sections in the order of the keys");
}

#[test]
fn tables_of_entries_are_true() {
    let mut failures = String::new();
    let mut count = 0;
    for table in tables(SETTINGS) {
        let [Some(what), Some("matches"), Some("does not match")] =
            [0, 1, 2].map(|column| table.header.get(column).copied())
        else {
            continue;
        };
        for row in &table.rows {
            let entry = &quoted(row[0])[0];
            for (cell, wanted) in [(row[1], true), (row[2], false)] {
                for text in quoted(cell) {
                    count += 1;
                    if matches(what, entry, &text) != wanted {
                        writeln!(failures, "{what} `{entry}` `{text}`: not {wanted}").unwrap();
                    }
                }
            }
        }
    }
    assert!(count > 100, "only {count} entries were found");
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn keys_that_are_always_allowed_are_listed() {
    let page = std::fs::read_to_string(root().join("docs/annotations.md")).unwrap();
    let tables = tables(&page);
    let table = tables
        .iter()
        .find(|table| table.header == ["key", "written by", "source"]);
    let listed: Vec<_> = table
        .unwrap()
        .rows
        .iter()
        .map(|row| quoted(row[0]).remove(0))
        .collect();
    assert_eq!(listed, TOOLS_KEYS);
    let settings = json!({ "annotations": [{ "allowed": ["team"] }] });
    for key in TOOLS_KEYS {
        let object = json!({ "kind": "ConfigMap", "metadata": { "annotations": { key: "" } } });
        assert_eq!(
            judge(&settings, &request(&object))["accepted"],
            true,
            "{key}"
        );
    }
}

/// Whether an entry matches, as the tables call it: `` `images.allow` entry`` or `glob`.
fn matches(what: &str, entry: &str, text: &str) -> bool {
    if what == "glob" {
        return glob::matches(entry, text);
    }
    let list = what.split('`').nth(1).unwrap();
    if list == "mirrors.source" {
        return mirrored(entry, "mirror.example.com/{repository}", text).is_some();
    }
    let (section, sense) = list.split_once('.').unwrap();
    let answer = judge(&json!({ section: { sense: [entry] } }), &pod(text));
    let accepted = answer["accepted"] == true;
    if !accepted {
        let code = answer["audit_annotations"]["violations"].as_str().unwrap();
        let wanted = if sense == "allow" {
            "-not-allowed"
        } else {
            "-rejected"
        };
        assert!(code.ends_with(wanted), "{list} `{entry}` `{text}`: {code}");
    }
    accepted == (sense == "allow")
}

#[test]
fn tables_of_mirrors_are_true() {
    let mut count = 0;
    for table in tables(SETTINGS) {
        if table.header != ["source", "mirror", "image", "is pulled from"] {
            continue;
        }
        for row in &table.rows {
            let [source, mirror, image, wanted] = [0, 1, 2, 3].map(|column| quoted(row[column]));
            count += 1;
            assert_eq!(
                mirrored(&source[0], &mirror[0], &image[0]),
                wanted.first().cloned(),
                "{row:?}"
            );
        }
    }
    assert!(count > 5, "only {count} rows were found");
}

/// What the image of a Pod becomes by one rule.
fn mirrored(source: &str, mirror: &str, image: &str) -> Option<String> {
    let rule = json!({ "source": source, "mirror": mirror });
    let answer = judge(&json!({ "mirrors": [rule] }), &pod(image));
    assert_eq!(answer["accepted"], true, "{answer}");
    let image = answer.pointer("/mutated_object/spec/containers/0/image");
    image.map(|image| image.as_str().unwrap().to_owned())
}

/// Which object is judged how is one table, in the code and in the page.
#[test]
fn what_is_rewritten_is_what_the_code_says() {
    let comment: String = CODE
        .split_inclusive('\n')
        .filter_map(|line| line.strip_prefix("//! "))
        .filter(|line| line.starts_with('|'))
        .collect();
    let code = tables(&comment).pop().unwrap();
    assert!(code.rows.len() > 10);
    let page = tables(MIRRORS)
        .into_iter()
        .find(|table| table.header == code.header)
        .unwrap();
    assert_eq!(page.rows, code.rows);
}

#[test]
fn differences_from_trusted_repos_are_true_of_this_policy() {
    let mut failures = String::new();
    let mut count = 0;
    for table in tables(COMING) {
        if table.header.first() != Some(&"settings") {
            continue;
        }
        for row in &table.rows {
            let settings = inline(&quoted(row[0])[0]);
            for image in quoted(row[1]) {
                count += 1;
                let verdict = match validate(&settings) {
                    Err(_) => "settings error",
                    Ok(()) if judge(&settings, &pod(&image))["accepted"] == true => "admits",
                    Ok(()) => "refuses",
                };
                if !row[3].starts_with(verdict) {
                    writeln!(failures, "{settings} `{image}`: {verdict}").unwrap();
                }
            }
            // What is said there to be written is at least valid.
            for instead in quoted(row[4]) {
                if let Err(errors) = validate(&inline(&instead)) {
                    writeln!(failures, "`{instead}`: {}", shown(&errors)).unwrap();
                }
            }
        }
    }
    assert!(count > 40, "only {count} images were found");
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.with_file_name(file)
            };
            let target_text = std::fs::read_to_string(&target)
                .unwrap_or_else(|error| panic!("{}: {link}: {error}", page.display()));
            let has_anchor = headings(&target_text)
                .iter()
                .any(|heading| slug(heading.text) == anchor);
            assert!(
                anchor.is_empty() || has_anchor,
                "{}: {link}",
                page.display()
            );
        }
    }
}

#[test]
fn versions_agree() {
    let metadata = std::fs::read_to_string(root().join("metadata.yml")).unwrap();
    let annotations = &yaml(&metadata)["annotations"];
    assert_eq!(
        annotations["io.kubewarden.policy.version"],
        env!("CARGO_PKG_VERSION")
    );
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && !"-.".contains(letter);
        for after in text.split("rollout-guard:v").skip(1) {
            let version = after.split(ends).next().unwrap();
            assert_eq!(version, env!("CARGO_PKG_VERSION"), "{}", page.display());
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

pub(crate) fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// Settings as the tables write them: a map, with or without its braces.
fn inline(text: &str) -> Value {
    if text.starts_with('{') {
        yaml(text)
    } else {
        yaml(&format!("{{ {text} }}"))
    }
}

fn validate(settings: &Value) -> Result<(), Vec<SettingsError>> {
    let text = settings.to_string();
    let document = Document::of(&text).unwrap();
    Settings::validate(document.root())
        .map(|_| ())
        .map_err(|errors| errors.iter().cloned().collect())
}

fn shown(errors: &[SettingsError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn judge(settings: &Value, request: &Value) -> Value {
    judge_with(settings, request, &Answers::default())
}

fn judge_with(settings: &Value, request: &Value, registry: &Answers) -> Value {
    let payload = json!({ "request": request, "settings": settings }).to_string();
    // In the pages it is always the same day.
    let clock = Clock::At(Time::parse("2026-12-20").unwrap());
    serde_json::from_slice(&wire::validate_at(payload.as_bytes(), registry, clock)).unwrap()
}

/// The warnings of an answer, a line each.
fn warnings(answer: &Value) -> Option<String> {
    let lines = answer["warnings"].as_array()?;
    let lines: Vec<_> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    Some(lines.join("\n"))
}

fn strings(map: &Value) -> BTreeMap<String, String> {
    let members = map.as_object().unwrap().iter();
    members
        .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// A request to create an object.
fn request(object: &Value) -> Value {
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap_or("Pod");
    json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": { "group": group, "version": version, "kind": kind },
        "operation": "CREATE",
        "userInfo": { "username": "jane@example.com" },
        "object": object,
    })
}

fn pod(image: &str) -> Value {
    request(&json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web" },
        "spec": { "containers": [{ "name": "app", "image": image }] },
    }))
}

/// Every word in the sources that could be a key: a key that is none of them, nobody can write.
fn words_of_the_engine() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
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

/// Adds the keys below the one at `place`, which the engine gives away by complaining of their value
/// instead of their name.
fn below(
    place: &str,
    around: &dyn Fn(Value) -> Value,
    words: &BTreeSet<String>,
    known: &mut BTreeSet<String>,
) {
    for index in ["", "[0]"] {
        let wrap = |value: Value| {
            around(if index.is_empty() {
                value
            } else {
                json!([value])
            })
        };
        let is_known = |word: &str| {
            let path = format!("{place}{index}.{word}");
            let Err(errors) = validate(&wrap(json!({ word: 0 }))) else {
                return false;
            };
            errors
                .iter()
                .any(|error| error.path == path && error.kind != SettingsErrorKind::UnknownKey)
        };
        // A map with keys of the user's own.
        if is_known("noKeyOfOurs") {
            continue;
        }
        for word in words.iter().filter(|word| is_known(word)) {
            let place = format!("{place}{index}.{word}");
            known.insert(place.replace("[0]", ""));
            below(&place, &|value| wrap(json!({ word: value })), words, known);
        }
    }
}

struct Heading<'t> {
    level: usize,
    text: &'t str,
}

/// The headings of a page, those in code left out.
fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut in_code = false;
    let mut headings = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if let Some((marks, text)) = line.split_once(' ')
            && !in_code
            && !marks.is_empty()
            && marks.bytes().all(|byte| byte == b'#')
        {
            let level = marks.len();
            headings.push(Heading { level, text });
        }
    }
    headings
}

/// Whether a heading is a key of the settings or a way to one: words in lower case without spaces.
fn is_key(heading: &str) -> bool {
    heading.starts_with(|first: char| first.is_ascii_lowercase())
        && heading
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

/// The anchor that a heading gets.
fn slug(heading: &str) -> String {
    heading
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
        .map(|character| match character {
            ' ' => '-',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// What stands below a heading of the second level.
pub(crate) fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

pub(crate) struct Block<'t> {
    pub(crate) info: &'t str,
    pub(crate) text: &'t str,
    pub(crate) line: usize,
}

/// The fenced blocks of a page, without the line break at their end.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            match open.take() {
                None => open = Some((info.trim_end(), at + line.len(), number + 1)),
                Some((info, from, line)) => blocks.push(Block {
                    info,
                    text: text.get(from..at).unwrap().trim_end_matches('\n'),
                    line,
                }),
            }
        }
        at += line.len();
    }
    assert!(open.is_none(), "a fence is open");
    blocks
}

/// The only block of its sort.
pub(crate) fn only<'t>(text: &'t str, info: &str) -> &'t str {
    let found: Vec<_> = blocks(text)
        .into_iter()
        .filter(|block| block.info == info)
        .collect();
    assert_eq!(found.len(), 1, "{info}");
    found[0].text
}

/// The rows of the table whose first column is called so.
pub(crate) fn rows<'t>(text: &'t str, first: &str) -> Vec<Vec<&'t str>> {
    let table = tables(text)
        .into_iter()
        .find(|table| table.header.first() == Some(&first));
    table.unwrap_or_else(|| panic!("no table `{first}`")).rows
}

struct Table<'t> {
    header: Vec<&'t str>,
    rows: Vec<Vec<&'t str>>,
}

/// The tables of a page.
fn tables(text: &str) -> Vec<Table<'_>> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        let Some(inside) = line.strip_prefix('|') else {
            in_table = false;
            continue;
        };
        let cells: Vec<_> = inside
            .trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        if !in_table {
            in_table = true;
            tables.push(Table {
                header: cells,
                rows: Vec::new(),
            });
        } else if !inside.starts_with("---") {
            let table = tables.last_mut().unwrap();
            assert_eq!(cells.len(), table.header.len(), "{line}");
            table.rows.push(cells);
        }
    }
    tables
}

/// The pieces of code in a cell, with digests written out.
pub(crate) fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(|text| match text.split_once('…') {
            None => text.to_owned(),
            Some((before, after)) => {
                let digit = before.chars().last().unwrap();
                format!("{before}{}{after}", digit.to_string().repeat(63))
            }
        })
        .collect()
}
