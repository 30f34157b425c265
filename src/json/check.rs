//! Why a text cannot be read.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::scan::{space_end, value_end};

/// Holds a text to the grammar of JSON.
///
/// # Errors
///
/// What is wrong with it, and where.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let start = space_end(text.as_bytes(), 0);
    match value_end(text, start) {
        Some(end) if space_end(text.as_bytes(), end) == text.len() => Ok(()),
        _ => Err(no_json(text)),
    }
}

/// What is wrong with a text that is no JSON, and where: `serde_json` says so.
pub(crate) fn no_json(text: &str) -> String {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = IgnoredAny::deserialize(&mut deserializer).and_then(|_| deserializer.end());
    match read {
        Ok(()) => "not JSON".to_owned(),
        // There is more to say, with much code for it in the module, and hosts write good JSON.
        Err(error) if error.is_eof() => at_place("ends too early", error.line(), error.column()),
        Err(error) => at_place("not JSON", error.line(), error.column()),
    }
}

/// That the value at `position` of a text is nested too deep.
pub(crate) fn too_deep(text: &str, position: usize) -> String {
    let before = text.get(..position).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
    at_place("nested deeper than 128 levels", line, column)
}

fn at_place(problem: &str, line: usize, column: usize) -> String {
    format!("{problem} at line {line} column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_no_json_and_where() {
        for (text, problem) in [
            ("", "ends too early at line 1 column 0"),
            ("{\"a\":", "ends too early at line 1 column 5"),
            ("{}\n{}", "not JSON at line 2 column 1"),
            ("{'a':1}", "not JSON at line 1 column 2"),
            ("[01]", "not JSON at line 1 column 3"),
            ("{\"a\":1,}", "not JSON at line 1 column 8"),
        ] {
            assert_eq!(check(text).unwrap_err(), problem, "{text}");
        }
    }
}
