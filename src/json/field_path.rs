//! Paths to fields as a user writes them in settings.

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
        match self.instead {
            "" => Ok(()),
            instead => write!(f, ", write `{}`", Shown(instead)),
        }
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
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (step, after) = if let Some(after) = rest.strip_prefix("[*]") {
                (Step::Each, after)
            } else if let Some(inside) = rest.strip_prefix('[') {
                if !inside.starts_with('"') {
                    return fail(
                        "expected `[*]` (any element) or a key in double quotes",
                        rest,
                    );
                }
                let Some((key, after)) = quoted(inside) else {
                    return fail("expected a string in quotes", inside);
                };
                let Some(after) = after.strip_prefix(']') else {
                    return fail("expected `]`", after);
                };
                (Step::Key(key.into()), after)
            } else {
                let mut problem = "expected a key";
                if !steps.is_empty() {
                    let Some(after) = rest.strip_prefix('.') else {
                        return fail("expected `.` or `[`", rest);
                    };
                    (rest, problem) = (after, "expected a key after `.`");
                }
                let (key, after) = rest.split_at_checked(key_end(rest)).unwrap_or_default();
                if key.is_empty() {
                    return fail(problem, rest);
                }
                (Step::key(key), after)
            };
            steps.push(step);
            if after.is_empty() {
                return Ok(Self(steps));
            }
            rest = after;
        }
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.0
    }
}

/// The key that a text begins with as a JSON string, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    let (string, behind) = text.split_at_checked(end? + 2)?;
    let document = Document::of(string).ok()?;
    Some((document.root().string()?.to_owned(), behind))
}

/// Where a key ends that a text begins with.
fn key_end(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let rest = text.get(letters..).unwrap_or_default();
    letters + rest.find(is_reserved).unwrap_or(rest.len())
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
