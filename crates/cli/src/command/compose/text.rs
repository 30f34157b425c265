//! Composed settings as a person would write them, with where each part comes from.

use super::merge::Composed;
use super::section::{Item, Origin, Part, Parts, Section, Written};
use crate::manifest::writer::write_value;
use std::fmt::Write as _;

/// The settings as YAML; `place` names an origin, such as `own.yaml:12`.
pub(super) fn write(composed: &Composed<'_>, place: &dyn Fn(&Origin) -> String) -> String {
    let mut text = String::new();
    for (key, section) in &composed.sections {
        match section {
            Section::Value(written) => {
                comment(written, 0, place, &mut text);
                member(key, written, 0, &mut text);
            }
            Section::Parts(parts) => {
                let _ = writeln!(text, "{key}:");
                write_parts(parts, 2, place, &mut text);
            }
            Section::Items(items) if items.is_empty() => {}
            Section::Items(items) => {
                let _ = writeln!(text, "{key}:");
                for item in items {
                    match item {
                        Item::Whole(written) => {
                            comment(written, 2, place, &mut text);
                            element(written, 2, &mut text);
                        }
                        Item::Parts(parts) => {
                            let mut map = String::new();
                            write_parts(parts, 4, place, &mut map);
                            // A comment cannot stand behind the dash.
                            text += if map.trim_start().starts_with('#') {
                                "  -\n"
                            } else {
                                "  - "
                            };
                            let map = if text.ends_with('\n') {
                                &map
                            } else {
                                map.trim_start()
                            };
                            text += map;
                        }
                    }
                }
            }
        }
    }
    text
}

/// The members of a map; entries that follow each other in a file have one comment.
fn write_parts(
    parts: &Parts<'_>,
    indent: usize,
    place: &dyn Fn(&Origin) -> String,
    text: &mut String,
) {
    let spaces = " ".repeat(indent);
    for (key, part) in parts {
        match part {
            Part::Value(written) => {
                comment(written, indent, place, text);
                member(key, written, indent, text);
            }
            Part::Entries(entries) if entries.is_empty() => {
                let _ = writeln!(text, "{spaces}{key}: []");
            }
            Part::Entries(entries) => {
                let _ = writeln!(text, "{spaces}{key}:");
                let mut last = None;
                for entry in entries {
                    if last != Some(entry.origin.file) {
                        comment(entry, indent + 2, place, text);
                        last = Some(entry.origin.file);
                    }
                    element(entry, indent + 2, text);
                }
            }
        }
    }
}

fn comment(
    written: &Written<'_>,
    indent: usize,
    place: &dyn Fn(&Origin) -> String,
    text: &mut String,
) {
    let spaces = " ".repeat(indent);
    let _ = writeln!(text, "{spaces}# {}", place(&written.origin));
}

fn member(key: &str, written: &Written<'_>, indent: usize, text: &mut String) {
    let spaces = " ".repeat(indent);
    let is_block = written.value.is_composite() && !written.value.is_empty();
    let space = if is_block {
        format!("\n{spaces}  ")
    } else {
        " ".to_owned()
    };
    let value = write_value(written.value, indent + 2);
    let _ = writeln!(text, "{spaces}{key}:{space}{value}");
}

fn element(written: &Written<'_>, indent: usize, text: &mut String) {
    let spaces = " ".repeat(indent);
    let value = write_value(written.value, indent + 2);
    let _ = writeln!(text, "{spaces}- {value}");
}
