//! Regular expressions over values: compiled only where a value is there to be judged.

use regex_lite::{Regex, RegexBuilder};

/// A pattern has at most this many bytes.
const LONGEST_PATTERN: usize = 512;

/// No pattern matches a longer value: the time that matching takes is the product of the two lengths.
const LONGEST_VALUE: usize = 16 * 1024;

/// What a compiled pattern may take, so that `(a{99}){99}` is refused.
const LARGEST_PROGRAM: usize = 256 * 1024;

/// Whether a pattern matches a whole value.
///
/// # Errors
///
/// Where the pattern is none, or the value is too long.
pub(super) fn matches(pattern: &str, value: &str) -> Result<bool, String> {
    if value.len() > LONGEST_VALUE {
        return Err(format!("it is longer than {LONGEST_VALUE} bytes"));
    }
    if let Some((literal, least, most)) = length(pattern) {
        return Ok(value.strip_prefix(literal).is_some_and(|rest| {
            !rest.contains('\n') && (least..=most).contains(&rest.chars().count())
        }));
    }
    let regex = whole(pattern).map_err(|error| error.to_string())?;
    Ok(regex.is_match(value))
}

/// What a pattern of the form `/.{1,80}` begins with, and how many characters follow at least and at
/// most: a length is counted at once, where a compiled pattern has a state for each character.
fn length(pattern: &str) -> Option<(&str, usize, usize)> {
    let (literal, counts) = pattern.strip_suffix('}')?.split_once('{')?;
    let literal = literal.strip_suffix('.')?;
    let (least, most) = counts.split_once(',')?;
    let is_literal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let is_number = |text: &str| text.len() < 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !literal.bytes().all(is_literal) || !is_number(least) || !is_number(most) {
        return None;
    }
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most).then_some((literal, least, most))
}

/// Says what is wrong with a pattern, and at which character (counted from 1).
///
/// # Errors
///
/// Where it is too long, too large, or no regular expression.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!("a pattern has at most {LONGEST_PATTERN} bytes"));
    }
    let Err(error) = whole(pattern) else {
        return Ok(());
    };
    let problem = error.to_string();
    // regex-lite does not say where; the shortest beginning with the same mistake does.
    let mut position = pattern.chars().count();
    let mut begins = pattern;
    while let Some((last, _)) = begins.char_indices().next_back() {
        begins = begins.get(..last).unwrap_or_default();
        if !compile(begins).is_err_and(|error| error.to_string() == problem) {
            break;
        }
        position -= 1;
    }
    Err(format!("{problem} at character {position}"))
}

/// The pattern, anchored at both ends.
fn whole(pattern: &str) -> Result<Regex, regex_lite::Error> {
    // A pattern that closes a group of its own making would escape from the anchors: `a)|(?:b`.
    if pattern.contains(')') && !is_closed(pattern) {
        compile(pattern)?;
    }
    compile(&format!(r"\A(?:{pattern})\z"))
}

/// Whether a pattern certainly closes no group but its own; one that does not look so may all the same.
fn is_closed(pattern: &str) -> bool {
    let mut open = 0_usize;
    let mut is_class = false;
    let mut bytes = pattern.as_bytes().iter();
    while let Some(byte) = bytes.next() {
        match byte {
            // With the flag `x` a comment begins.
            b'#' => return false,
            b'\\' => is_class |= bytes.next().is_none(),
            // A class in a class, and one that begins with what ends it; with the flag `x` white space
            // may come before that.
            b'[' => {
                let inside = bytes.as_slice();
                let inside = inside.strip_prefix(b"^").unwrap_or(inside);
                let begins_plainly = |byte: &u8| byte.is_ascii_graphic() && *byte != b']';
                if is_class || !inside.first().is_some_and(begins_plainly) {
                    return false;
                }
                is_class = true;
            }
            b']' => is_class = false,
            b'(' if !is_class => open += 1,
            b')' if !is_class => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return false,
            },
            _ => {}
        }
    }
    open == 0 && !is_class
}

fn compile(pattern: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern)
        .size_limit(LARGEST_PROGRAM)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn lengths_are_counted_as_regular_expressions_do() {
        for pattern in [".{1,3}", "/.{0,2}", "a-_.{2,2}", ".{0,0}", "x.{3,12}"] {
            assert!(length(pattern).is_some(), "{pattern}");
            for value in [
                "", "a", "é", "ab", "/", "/é", "//√", "a\n", "a-_ab", "a-_abc", "x123",
            ] {
                let wanted = whole(pattern).unwrap().is_match(value);
                assert_eq!(matches(pattern, value), Ok(wanted), "{pattern} {value:?}");
            }
        }
        for pattern in [
            ".{1}", ".{1,}", "a.{,2}", "[.{1,2}", ".+.{1,2}", r"\.{1,2}", ".{2,1}", ".{1,2}}",
            "é.{1,2}",
        ] {
            assert_eq!(length(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_closes_only_its_own_groups_compiles_as_it_stands() {
        let parts = [
            "(", ")", "[", "]", "^", "\\", "a", "(?x)", "#", "|", "-", "\n",
        ];
        let mut closed = 0;
        for code in 0..parts.len().pow(5) {
            let part = |place| parts[code / parts.len().pow(place) % parts.len()];
            let pattern = [part(0), part(1), part(2), part(3), part(4)].concat();
            // A pattern that compiles only between the anchors closes what it did not open.
            if is_closed(&pattern) {
                closed += 1;
                let escapes =
                    compile(&format!(r"\A(?:{pattern})\z")).is_ok() && compile(&pattern).is_err();
                assert!(!escapes, "{pattern}");
            }
        }
        assert!(closed > 10_000, "{closed}");
        assert!(!is_closed("(?x)[ ](]a)|(?x)(?:b[ ])]"));
        assert!(!is_closed("(?x)[^ ](]a)|(?x)(?:b[^ ])]"));
        assert!(check("(?x)[ ](]a)|(?x)(?:b[ ])]").is_err());
    }
}
