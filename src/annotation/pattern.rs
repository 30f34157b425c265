//! Regular expressions over values: compiled only where a value is there to be judged, and only those
//! that are not [`plain`].

mod plain;

use std::sync::OnceLock;

use regex_lite::{Regex, RegexBuilder};

/// A pattern has at most this many bytes.
const LONGEST_PATTERN: usize = 512;

/// No pattern matches a longer value: the time that matching takes is the product of the two lengths.
const LONGEST_VALUE: usize = 16 * 1024;

/// What a compiled pattern may take, so that `(a{99}){99}` is refused.
const LARGEST_PROGRAM: usize = 256 * 1024;

/// A regular expression that must match a whole value.
#[derive(Clone, Debug)]
pub struct Pattern<'a> {
    text: &'a str,
    ignores_case: bool,
    /// Compiled for the first value that needs it: there may be many values.
    regex: OnceLock<Result<Regex, String>>,
}

impl<'a> Pattern<'a> {
    pub(super) const fn new(text: &'a str, ignores_case: bool) -> Self {
        Self {
            text,
            ignores_case,
            regex: OnceLock::new(),
        }
    }

    /// The pattern as it is written.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Whether it matches a whole value.
    ///
    /// # Errors
    ///
    /// Where it is no pattern, or the value is too long.
    pub(super) fn matches(&self, value: &str) -> Result<bool, String> {
        if value.len() > LONGEST_VALUE {
            return Err(format!("it is longer than {LONGEST_VALUE} bytes"));
        }
        // A web page has time to compile a pattern, and is loaded sooner without another way.
        let is_in_page = cfg!(all(target_family = "wasm", target_os = "unknown"));
        if !is_in_page && let Some(is_match) = plain::matches(self.text, value, self.ignores_case) {
            return Ok(is_match);
        }
        let compile = || whole(self.text, self.ignores_case).map_err(|error| error.to_string());
        match self.regex.get_or_init(compile) {
            Ok(regex) => Ok(regex.is_match(value)),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// Says what is wrong with it, and at which character (counted from 1).
    ///
    /// # Errors
    ///
    /// Where it is too long, too large, or no regular expression.
    pub(super) fn check(&self) -> Result<(), String> {
        let pattern = self.text;
        if pattern.len() > LONGEST_PATTERN {
            return Err(format!("a pattern has at most {LONGEST_PATTERN} bytes"));
        }
        let Err(error) = whole(pattern, self.ignores_case) else {
            return Ok(());
        };
        let problem = error.to_string();
        // regex-lite does not say where; the shortest beginning with the same mistake does.
        let mut position = pattern.chars().count();
        let mut begins = pattern;
        while let Some((last, _)) = begins.char_indices().next_back() {
            begins = begins.get(..last).unwrap_or_default();
            if !compile(begins, self.ignores_case).is_err_and(|error| error.to_string() == problem)
            {
                break;
            }
            position -= 1;
        }
        Err(format!("{problem} at character {position}"))
    }
}

/// The pattern, anchored at both ends.
fn whole(pattern: &str, ignores_case: bool) -> Result<Regex, regex_lite::Error> {
    // A pattern that closes a group of its own making would escape from the anchors: `a)|(?:b`.
    if pattern.contains(')') {
        compile(pattern, ignores_case)?;
    }
    compile(&format!(r"\A(?:{pattern})\z"), ignores_case)
}

fn compile(pattern: &str, ignores_case: bool) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignores_case)
        .size_limit(LARGEST_PROGRAM)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> Result<bool, String> {
        Pattern::new(pattern, false).matches(value)
    }

    fn check(pattern: &str) -> Result<(), String> {
        Pattern::new(pattern, false).check()
    }

    #[test]
    fn matches_whole_values() {
        for (pattern, value) in [
            ("[0-9]{1,3}", "50"),
            ("a|ab", "ab"),
            ("", ""),
            ("(?i)on", "ON"),
            ("a.c", "a√c"),
        ] {
            assert_eq!(matches(pattern, value), Ok(true), "{pattern} {value}");
        }
        for (pattern, value) in [
            ("[0-9]{1,3}", "50%"),
            ("a|b", "ab"),
            ("a", "a\n"),
            ("(?m)a$", "a\nb"),
            ("[123]", "x1y"),
        ] {
            assert_eq!(matches(pattern, value), Ok(false), "{pattern} {value}");
        }
    }

    #[test]
    fn letter_case_can_be_ignored() {
        for value in ["on", "ON", "oFF"] {
            assert_eq!(
                Pattern::new("on|off", true).matches(value),
                Ok(true),
                "{value}"
            );
            let compiled = Pattern::new(r"\bon|off\b", true);
            assert_eq!(compiled.matches(value), Ok(true), "{value}");
        }
        assert_eq!(Pattern::new("on|off", true).matches("no"), Ok(false));
    }

    #[test]
    fn a_pattern_cannot_escape_from_the_anchors() {
        for pattern in ["a)|(?:b", "a)|(b", "(?x)a # "] {
            assert!(check(pattern).is_err(), "{pattern}");
            assert!(matches(pattern, "xb").is_err(), "{pattern}");
        }
    }

    #[test]
    fn says_where_a_pattern_is_wrong() {
        for (pattern, error) in [
            (
                "[a-z",
                "non-empty character class has no closing bracket at character 4",
            ),
            (
                "ab(c",
                "found open group without closing ')' at character 3",
            ),
            (
                "ab)c",
                "found closing ')' without matching '(' at character 3",
            ),
            (
                "é{2",
                "expected closing brace for counted repetition, but got something else at character 3",
            ),
            ("[z-a]x", "invalid range in character class at character 4"),
            (
                "a{3,2}b",
                "found counted repetition with a min bigger than its max at character 6",
            ),
            (
                r"a\pLb",
                "Unicode character classes are not supported at character 3",
            ),
        ] {
            assert_eq!(check(pattern).unwrap_err(), error, "{pattern}");
        }
        assert_eq!(
            check("(a{99}){99}").unwrap_err(),
            "compiled regex exceeded size limit at character 11"
        );
        assert_eq!(
            check(&"a".repeat(513)).unwrap_err(),
            "a pattern has at most 512 bytes"
        );
    }

    #[test]
    fn no_pattern_matches_a_value_that_is_too_long() {
        assert!(matches("a*", &"a".repeat(16 * 1024)).is_ok_and(|matches| matches));
        assert!(matches("a*", &"a".repeat(16 * 1024 + 1)).is_err());
    }
}
