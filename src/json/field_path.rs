//! Paths to fields as a user writes them in settings.

use std::borrow::Cow;
use std::fmt;

use crate::shown::Shown;

use super::Document;
use super::location::Step;

/// A path to a field: `spec.type`, `spec.containers[*].image`, `metadata.annotations["a.b/c"]`.
///
/// # Syntax
///
/// Keys are joined by dots; `[*]` is every element of a list; a key with a dot, a slash, a bracket or
/// a space in it stands in brackets as a JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath<'a>(Vec<Step<'a>>);

/// Why a text is no field path, and at which character (counted from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPathError<'a> {
    problem: &'static str,
    position: usize,
    /// What to write instead, where that can be told.
    instead: &'a str,
}

impl fmt::Display for FieldPathError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.problem, self.position)?;
        if !self.instead.is_empty() {
            write!(f, ", write `{}`", Shown(self.instead))?;
        }
        Ok(())
    }
}

impl<'a> FieldPath<'a> {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// What is wrong with the first part that does not parse.
    ///
    /// ```
    /// use rollout_guard::json::FieldPath;
    ///
    /// assert!(FieldPath::parse(r#"spec.containers[*]["x.y/z"]"#).is_ok());
    /// assert_eq!(
    ///     FieldPath::parse("spec..type").unwrap_err().to_string(),
    ///     "expected a key after `.` at character 6"
    /// );
    /// ```
    pub fn parse(text: &'a str) -> Result<Self, FieldPathError<'a>> {
        let mut steps = Vec::new();
        let mut rest = text;
        let fail = |problem, rest: &str| {
            let read = text.len() - rest.len();
            let position = text.get(..read).map_or(read, |read| read.chars().count()) + 1;
            Err(FieldPathError {
                problem,
                position,
                // As in JSONPath and jq.
                instead: text.strip_prefix('.').unwrap_or_default(),
            })
        };
        if rest.is_empty() {
            return fail("expected a key", rest);
        }
        loop {
            if let Some(inside) = rest.strip_prefix('[') {
                if let Some(after) = inside.strip_prefix("*]") {
                    steps.push(Step::Each);
                    rest = after;
                } else if inside.starts_with('"') {
                    let (string, after) = split_at(inside, end_of_string(inside));
                    let Some(key) = key(string) else {
                        return fail("expected a string in quotes", inside);
                    };
                    let Some(after) = after.strip_prefix(']') else {
                        return fail("expected `]`", after);
                    };
                    steps.push(Step::Key(key));
                    rest = after;
                } else {
                    return fail(
                        "expected `[*]` (any element) or a key in double quotes",
                        rest,
                    );
                }
            } else {
                if !steps.is_empty() {
                    match rest.strip_prefix('.') {
                        Some(after) => rest = after,
                        None => return fail("expected `.` or `[`", rest),
                    }
                }
                let end = key_end(rest);
                let (key, after) = split_at(rest, end);
                if key.is_empty() {
                    return fail(
                        if steps.is_empty() {
                            "expected a key"
                        } else {
                            "expected a key after `.`"
                        },
                        rest,
                    );
                }
                steps.push(Step::key(key));
                rest = after;
            }
            if rest.is_empty() {
                return Ok(Self(steps));
            }
        }
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.0
    }
}

/// The key that a JSON string is.
fn key(string: &str) -> Option<Cow<'_, str>> {
    let document = Document::of(string).ok()?;
    let key = document.root().string()?;
    let written = string.get(1..string.len() - 1)?;
    Some(if key == written {
        Cow::Borrowed(written)
    } else {
        Cow::Owned(key.to_owned())
    })
}

/// Where the string ends that a text begins with: behind the second quote that is not escaped.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if byte == b'"' && !is_escaped {
            return at + 1;
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    text.len()
}

/// As `str::split_at`, which has a message for a place within a character.
fn split_at(text: &str, at: usize) -> (&str, &str) {
    (
        text.get(..at).unwrap_or_default(),
        text.get(at..).unwrap_or_default(),
    )
}

/// Where a key ends that a text begins with.
fn key_end(text: &str) -> usize {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let plain = text.bytes().take_while(|byte| is_plain(byte)).count();
    let rest = text.get(plain..).unwrap_or_default();
    plain + rest.find(is_reserved).unwrap_or(rest.len())
}

fn is_reserved(character: char) -> bool {
    matches!(character, '.' | '/' | '[' | ']' | '"' | '\'' | '*')
        || character.is_whitespace()
        || character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Location;

    #[test]
    fn says_what_it_read() {
        for text in [
            "a",
            "spec.type",
            "a[*].b",
            r#"a["x.y/z"].b"#,
            r#"["x.y"][*]"#,
            "a[*][*]",
        ] {
            assert_eq!(
                Location(FieldPath::parse(text).unwrap().0).to_string(),
                text
            );
        }
        assert_eq!(
            FieldPath::parse(r#"a["x\"y"]"#).unwrap().0[1],
            Step::Key("x\"y".into())
        );
        assert_eq!(
            FieldPath::parse(r#"a["\\"].b"#).unwrap().0[1],
            Step::Key("\\".into())
        );
    }

    #[test]
    fn says_where_it_stops() {
        for (text, error) in [
            ("", "expected a key at character 1"),
            (".spec", "expected a key at character 1, write `spec`"),
            (".", "expected a key at character 1"),
            ("spec.", "expected a key after `.` at character 6"),
            ("ä..b", "expected a key after `.` at character 3"),
            (
                "a[0]",
                "expected `[*]` (any element) or a key in double quotes at character 2",
            ),
            ("a[*]b", "expected `.` or `[` at character 5"),
            (r#"a["b"#, "expected a string in quotes at character 3"),
            (r#"a["b"c"#, "expected `]` at character 6"),
            (r#"a["b\""#, "expected a string in quotes at character 3"),
            (r#"a["b\\]"#, "expected a string in quotes at character 3"),
            ("/spec/a", "expected a key at character 1"),
            ("a/b", "expected `.` or `[` at character 2"),
            ("a b", "expected `.` or `[` at character 2"),
            ("a.*", "expected a key after `.` at character 3"),
        ] {
            assert_eq!(
                FieldPath::parse(text).unwrap_err().to_string(),
                error,
                "{text}"
            );
        }
    }
}
