//! Positions hold the value that is told, and a fix changes it and nothing else.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Deserialize;
use serde_json::Value;

use crate::command::Workshop;

/// How an image is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    Plain,
    Single,
    Double,
    Escaped,
    Block,
}

/// A Pod in a file.
#[derive(Clone, Debug)]
struct PodText {
    containers: Vec<(Style, bool, u8)>,
    is_flow: bool,
    indent: usize,
    comment: String,
    has_anchor: bool,
}

#[derive(Clone, Debug)]
struct FileText {
    pods: Vec<PodText>,
    has_bom: bool,
    has_crlf: bool,
    ends_in_line: bool,
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![
        Just(Style::Plain),
        Just(Style::Single),
        Just(Style::Double),
        Just(Style::Escaped),
        Just(Style::Block),
    ]
}

fn pod() -> impl Strategy<Value = PodText> {
    (
        prop::collection::vec((style(), any::<bool>(), 0_u8..3), 1..4),
        any::<bool>(),
        1_usize..4,
        prop_oneof![
            Just(String::new()),
            Just("# tab\there".to_owned()),
            Just("# é 漢 🚀 'quote\" {{".to_owned()),
            Just("# --- no marker".to_owned()),
        ],
        any::<bool>(),
    )
        .prop_map(
            |(containers, is_flow, indent, comment, has_anchor)| PodText {
                containers,
                is_flow,
                indent,
                comment,
                has_anchor,
            },
        )
}

fn file() -> impl Strategy<Value = FileText> {
    (
        prop::collection::vec(pod(), 1..4),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(pods, has_bom, has_crlf, ends_in_line)| FileText {
            pods,
            has_bom,
            has_crlf,
            ends_in_line,
        })
}

impl FileText {
    /// The file, and its images that can and cannot be changed in place.
    fn write(&self) -> (String, Vec<String>) {
        let mut text = String::new();
        let mut images = Vec::new();
        for (number, pod) in self.pods.iter().enumerate() {
            writeln!(text, "{}", pod.comment).unwrap();
            text.push_str(if number % 2 == 0 {
                "---\n"
            } else {
                "--- # next\n"
            });
            pod.write(number, &mut text, &mut images);
        }
        if !self.ends_in_line {
            text.truncate(text.trim_end().len());
        }
        if self.has_crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.has_bom {
            text.insert(0, '\u{feff}');
        }
        (text, images)
    }
}

impl PodText {
    fn write(&self, number: usize, text: &mut String, images: &mut Vec<String>) {
        let pad = " ".repeat(self.indent);
        writeln!(
            text,
            "apiVersion: v1\nkind: Pod\nmetadata:\n{pad}name: p{number} {}",
            self.comment
        )
        .unwrap();
        writeln!(text, "spec:").unwrap();
        if self.is_flow {
            write!(text, "{pad}containers: [ ").unwrap();
            for (index, (style, _, tag)) in self.containers.iter().enumerate() {
                let image = format!("evil.example.com/p{number}/c{index}:{tag}");
                let written = written(*style, &image, None);
                let separator = if index == 0 { "" } else { ",\n        " };
                write!(text, "{separator}{{name: \"é{index}\", image: {written} }}").unwrap();
                images.push(image);
            }
            writeln!(text, " ] {}", self.comment).unwrap();
            return;
        }
        writeln!(text, "{pad}containers:").unwrap();
        for (index, (style, name_first, tag)) in self.containers.iter().enumerate() {
            let image = format!("evil.example.com/p{number}/c{index}:{tag}");
            let anchor = if self.has_anchor {
                format!("&a{index} ")
            } else {
                String::new()
            };
            let block = format!("{pad}      ");
            let written = format!("{anchor}{}", written(*style, &image, Some(&block)));
            let comment = if matches!(style, Style::Block) {
                ""
            } else {
                &self.comment
            };
            if *name_first {
                writeln!(
                    text,
                    "{pad}- name: c{index}\n{pad}  image:  {written} {comment}"
                )
                .unwrap();
            } else {
                writeln!(
                    text,
                    "{pad}- image: {written} {comment}\n{pad}  name: c{index}"
                )
                .unwrap();
            }
            images.push(image);
        }
    }
}

fn written(style: Style, image: &str, block: Option<&str>) -> String {
    match (style, block) {
        (Style::Plain, _) => image.to_owned(),
        (Style::Single, _) => format!("'{image}'"),
        (Style::Escaped, _) => format!(
            "\"{}\"",
            image.replace('/', "\\x2f").replace(':', "\\u003a")
        ),
        (Style::Block, Some(pad)) => format!("|-\n{pad}{image}"),
        (Style::Double | Style::Block, _) => format!("\"{image}\""),
    }
}

/// What is between two places, which count from one and in characters.
fn between(text: &str, start: (usize, usize), end: (usize, usize)) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = String::new();
    let (mut line, mut column) = (1, 1);
    for mark in text.chars() {
        if (line, column) >= start && (line, column) < end {
            found.push(mark);
        }
        if mark == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    found
}

fn unquoted(text: &str) -> String {
    let text = text.trim_end();
    yaml_serde::from_str::<Value>(text)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| text.to_owned())
}

fn run(
    name: &str,
    settings: &str,
    test: impl Fn(&Workshop, FileText) -> Result<(), TestCaseError>,
) {
    let workshop = Workshop::new(name);
    workshop.file("settings.yaml", settings);
    let config = Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&file(), |file| test(&workshop, file))
        .unwrap();
}

#[test]
fn every_position_holds_the_value_that_is_told() {
    run(
        "properties-positions",
        "images: { reject: [\"evil.example.com/*\"] }\n",
        |workshop, file| {
            let (text, images) = file.write();
            workshop.file("a.yaml", &text);
            let report = workshop.json("check -s settings.yaml a.yaml");
            let findings = report["findings"].as_array().unwrap();
            prop_assert_eq!(findings.len(), images.len(), "{}\n{}", text, report);
            for (found, image) in findings.iter().zip(&images) {
                let at = |line: &str, column: &str| {
                    let number = |key: &str| usize::try_from(found[key].as_u64().unwrap()).unwrap();
                    (number(line), number(column))
                };
                let value = between(&text, at("line", "column"), at("endLine", "endColumn"));
                prop_assert_eq!(&unquoted(&value), image, "{}\n{}", text, found);
                prop_assert!(found["message"].as_str().unwrap().contains(image.as_str()));
            }
            Ok(())
        },
    );
}

#[test]
fn a_fix_changes_the_images_and_nothing_else() {
    let settings = "mirrors: [{ source: evil.example.com, mirror: registry.example.com/good }]\n";
    run("properties-fix", settings, |workshop, mut file| {
        for container in file.pods.iter_mut().flat_map(|pod| &mut pod.containers) {
            if matches!(container.0, Style::Block) {
                container.0 = Style::Plain;
            }
        }
        let (before, _) = file.write();
        workshop.file("a.yaml", &before);
        let outcome = workshop.run("fix -s settings.yaml a.yaml");
        prop_assert_eq!(outcome.code, 0, "{}\n{:?}", before, outcome);
        let after = workshop.read("a.yaml");
        let wanted: Vec<_> = documents(&before).into_iter().map(mirrored).collect();
        prop_assert_eq!(documents(&after), wanted, "{}\n{}", before, after);
        let mut lines = after.split_inclusive('\n');
        for line in before.split_inclusive('\n') {
            let now = lines.next();
            if !line.contains("evil") {
                prop_assert_eq!(now, Some(line));
            }
        }
        prop_assert_eq!(lines.next(), None);
        // The second time there is nothing to change.
        let again = workshop.run("fix -s settings.yaml a.yaml");
        prop_assert_eq!(again.stdout, "0 changes made in 0 files\n");
        prop_assert_eq!(workshop.read("a.yaml"), after);
        Ok(())
    });
}

#[test]
fn a_fix_takes_out_the_annotations_that_are_denied_and_nothing_else() {
    let workshop = Workshop::new("properties-removal");
    workshop.file(
        "settings.yaml",
        "annotations: [{ denied: [\"debug*\"], action: remove }]\n",
    );
    let entries = prop::collection::vec((any::<bool>(), 0..3_usize, any::<bool>()), 1..6);
    let config = Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(
            &(entries, any::<bool>(), any::<bool>()),
            |(entries, is_flow, has_crlf)| {
                let before = annotated(&entries, is_flow, has_crlf);
                workshop.file("a.yaml", &before);
                let outcome = workshop.run("fix -s settings.yaml a.yaml");
                prop_assert_eq!(outcome.code, 0, "{}\n{:?}", before, outcome);
                let after = workshop.read("a.yaml");
                let mut wanted = documents(&before);
                for document in &mut wanted {
                    let annotations = document["metadata"]["annotations"].as_object_mut();
                    annotations
                        .unwrap()
                        .retain(|key, _| !key.starts_with("debug"));
                }
                prop_assert_eq!(documents(&after), wanted, "{}\n{}", before, after);
                let kept = |text: &str| -> Vec<String> {
                    let lines = text.split_inclusive('\n').map(str::to_owned);
                    lines
                        .filter(|line| !line.contains("debug") && !line.contains('{'))
                        .collect()
                };
                prop_assert_eq!(kept(&after), kept(&before));
                let again = workshop.run("fix -s settings.yaml a.yaml");
                prop_assert_eq!(again.stdout, "0 changes made in 0 files\n");
                Ok(())
            },
        )
        .unwrap();
}

/// A Service with annotations, each denied or not, in a style, with a comment or not.
fn annotated(entries: &[(bool, usize, bool)], is_flow: bool, has_crlf: bool) -> String {
    let mut text = "# é\napiVersion: v1\nkind: Service\nmetadata:\n  annotations:".to_owned();
    let entry = |index: usize, (is_denied, style, _): (bool, usize, bool)| {
        let name = if is_denied {
            "debug"
        } else {
            "example.com/kept"
        };
        let value = ["plain", "'si''ngle'", "\"dou\\\"ble\""][style];
        format!("{name}-{index}: {value}")
    };
    if is_flow {
        let entries = entries.iter().enumerate();
        let entries: Vec<_> = entries.map(|(index, shape)| entry(index, *shape)).collect();
        writeln!(text, " {{ {} }} # all", entries.join(", ")).unwrap();
    } else {
        text.push('\n');
        for (index, shape) in entries.iter().enumerate() {
            let comment = if shape.2 { " # why" } else { "" };
            writeln!(text, "    {}{comment}", entry(index, *shape)).unwrap();
        }
    }
    text.push_str("  name: web # the name\nspec:\n  type: LoadBalancer\n");
    if has_crlf {
        text = text.replace('\n', "\r\n");
    }
    text
}

/// The documents of a file, by a reader that is not the command's.
fn documents(text: &str) -> Vec<Value> {
    yaml_serde::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|value| !value.is_null())
        .collect()
}

fn mirrored(mut document: Value) -> Value {
    let containers = document["spec"]["containers"].as_array_mut().unwrap();
    for container in containers {
        let image = container["image"].as_str().unwrap();
        let image = image.replace("evil.example.com/", "registry.example.com/good/");
        container["image"] = Value::String(image);
    }
    document
}
