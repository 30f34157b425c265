//! Writes YAML as a person would.

use rollout_guard::json::{Document, Kind, Value, write_string};

use super::scalar::is_bare;

/// A line in brackets may be as long as this.
const WIDEST: usize = 100;

/// A value of `serde_json` as YAML, with its keys in the order of the alphabet; otherwise as [`write_value`].
pub fn write(value: &serde_json::Value, indent: usize) -> String {
    let json = value.to_string();
    Document::of(&json).map_or_else(
        |_| json.clone(),
        |document| write_value(document.root(), indent),
    )
}

/// A value as YAML, with every line but the first indented by `indent` spaces.
///
/// Below the outermost level, lists and maps stand in brackets where they hold no more than one other
/// level and fit a line. What a reader of YAML 1.1 takes for something else than a string (`on`, `010`)
/// is quoted.
pub fn write_value(value: Value<'_>, indent: usize) -> String {
    let mut text = String::new();
    block(value, indent, &mut text);
    text
}

/// A string as it may stand anywhere in a YAML document.
pub fn write_scalar(text: &str) -> String {
    let mut written = String::new();
    scalar(text, &mut written);
    written
}

fn scalar(text: &str, written: &mut String) {
    // In prose, spaces are fine where no character means anything to YAML.
    let is_prose = text.split(' ').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
    }) && text.contains(' ')
        && text.starts_with(|first: char| first.is_ascii_alphabetic());
    if is_bare(text) || is_prose {
        written.push_str(text);
    } else if text.contains(['"', '\\'])
        && !text.contains(|mark: char| mark == '\'' || mark.is_control())
    {
        written.extend(["'", text, "'"]);
    } else {
        write_string(written, text);
    }
}

fn block(value: Value<'_>, indent: usize, text: &mut String) {
    match value.kind() {
        Kind::List if !value.is_empty() => {
            for (position, element) in value.elements().enumerate() {
                if position > 0 {
                    new_line(indent, text);
                }
                text.push_str("- ");
                match fitting(element, indent + 2) {
                    Some(flow) => text.push_str(&flow),
                    None => block(element, indent + 2, text),
                }
            }
        }
        Kind::Map if !value.is_empty() => {
            for (position, (key, member)) in value.members().enumerate() {
                if position > 0 {
                    new_line(indent, text);
                }
                let key = write_scalar(key.text());
                text.push_str(&key);
                text.push(':');
                if let Some(flow) = fitting(member, indent + key.len() + 2) {
                    text.push(' ');
                    text.push_str(&flow);
                } else {
                    new_line(indent + 2, text);
                    block(member, indent + 2, text);
                }
            }
        }
        _ => flow(value, text),
    }
}

/// A value as it stands on a line from a column on; none if it needs more lines.
fn fitting(value: Value<'_>, column: usize) -> Option<String> {
    let mut text = String::new();
    flow(value, &mut text);
    let fits = depth(value) == 0 || (depth(value) <= 2 && column + text.len() <= WIDEST);
    fits.then_some(text)
}

fn new_line(indent: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// How many levels of lists and maps there are.
fn depth(value: Value<'_>) -> usize {
    let inside = value
        .elements()
        .chain(value.members().map(|(_, member)| member));
    match value.kind() {
        Kind::List | Kind::Map => 1 + inside.map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn flow(value: Value<'_>, text: &mut String) {
    match value.kind() {
        Kind::Text => scalar(value.string().unwrap_or_default(), text),
        Kind::List => {
            text.push('[');
            for (position, element) in value.elements().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                flow(element, text);
            }
            text.push(']');
        }
        Kind::Map if value.is_empty() => text.push_str("{}"),
        Kind::Map => {
            text.push_str("{ ");
            for (position, (key, member)) in value.members().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                scalar(key.text(), text);
                text.push_str(": ");
                flow(member, text);
            }
            text.push_str(" }");
        }
        _ => text.push_str(value.text()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let texts = [
            "on",
            "off",
            "y",
            "010",
            "1.0",
            "null",
            "~",
            "",
            " a",
            "a b",
            "a: b",
            "a #b",
            "- a",
            "*",
            "&a",
            "!x",
            "a\nb",
            "'",
            "\"",
            "{a}",
            "[a]",
            "0x1f",
            "1e3",
            "=",
            "<<",
            "ä",
            "a:",
            "redis:7.2",
            "2026-01-01",
            "yes no",
            "@a",
            "`a`",
            "%a",
            "? a",
            "a, b",
        ];
        let map: serde_json::Map<_, _> = texts
            .iter()
            .map(|text| {
                (
                    (*text).to_owned(),
                    json!([text, { "a": text, "b": [] }, {}, [[text]]]),
                )
            })
            .collect();
        let value = json!({ "deep": { "map": map, "list": texts.as_slice(), "numbers": [1, 1.5, true, null] } });
        let text = write(&value, 0);
        let mut read: Vec<serde_json::Value> = Vec::new();
        manifest::documents(&text, &mut |part| {
            let document = part.unwrap();
            read.push(serde_json::from_str(document.tree.json()).unwrap());
        });
        assert_eq!(read, [value], "{text}");
    }

    #[test]
    fn what_fits_a_line_stands_on_one() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "app" },
            "spec": { "containers": [{ "name": "app", "image": "redis:7.2" }] },
        });
        assert_eq!(
            write(&pod, 0),
            "apiVersion: v1\nkind: Pod\nmetadata: { name: app }\nspec:\n  containers: [{ image: redis:7.2, name: app }]"
        );
    }
}
