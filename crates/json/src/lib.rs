//! Reads JSON in place: over what is not wanted, and into what is.
//!
//! The one reader of JSON in the engine. It holds what it passes to the grammar of RFC 8259, so that a
//! payload is read and checked in one pass, and is some times faster than a parser that hands out every
//! value. It is held to `serde_json`'s verdict by tests.
//!
//! A crate of its own because it is compiled for speed and the rest for size: most of what a request
//! costs is spent here.

use std::borrow::Cow;
use std::fmt;

/// The type of a JSON value, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map, which Kubernetes calls an object.
    Map,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Map => "an object",
        })
    }
}

/// The string that `text` is; none if it is something else.
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    text.strip_prefix('"')?.strip_suffix('"').map(unescaped)
}

/// The type of the value that starts here, which its first character tells.
pub fn kind_at(text: &str, start: usize) -> Kind {
    match text.as_bytes().get(start) {
        Some(b'"') => Kind::Text,
        Some(b'{') => Kind::Map,
        Some(b'[') => Kind::List,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// The type of the value that `text` begins with.
pub fn kind_of(text: &str) -> Kind {
    kind_at(text, 0)
}

/// Hands each member of the map that starts here to `read`: its key, and where its value starts.
/// `read` says where the value ends. Says where the map ends.
pub fn each_member<'a>(
    text: &'a str,
    start: usize,
    read: &mut dyn FnMut(Cow<'a, str>, usize) -> Option<usize>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    each(bytes, start, b'{', b'}', &mut |at| {
        let (end, is_plain) = string_end(bytes, at)?;
        let key = text.get(at + 1..end - 1)?;
        let key = if is_plain {
            Cow::Borrowed(key)
        } else {
            unescaped(key)
        };
        read(key, colon_end(bytes, end)?)
    })
}

/// Hands each element of the list that starts here to `read`, which says where it ends. Says where the
/// list ends.
pub fn each_element(
    text: &str,
    start: usize,
    read: &mut dyn FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    each(text.as_bytes(), start, b'[', b']', read)
}

fn each(
    bytes: &[u8],
    start: usize,
    opening: u8,
    closing: u8,
    read: &mut dyn FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    let start = space_end(bytes, start);
    if bytes.get(start) != Some(&opening) {
        return None;
    }
    let mut at = space_end(bytes, start + 1);
    if bytes.get(at) == Some(&closing) {
        return Some(at + 1);
    }
    loop {
        at = space_end(bytes, read(at)?);
        match bytes.get(at)? {
            b',' => at = space_end(bytes, at + 1),
            byte if *byte == closing => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Where the value ends that starts here; `None` where it is no JSON.
pub fn value_end(text: &str, start: usize) -> Option<usize> {
    skip(text.as_bytes(), start, usize::MAX, &|_| false)
}

/// As [`value_end`], but `None` as well where a key below is written with escapes or `is_wanted`, or
/// something is nested deeper than this.
pub fn plain_end(
    text: &str,
    start: usize,
    deepest: usize,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> Option<usize> {
    skip(text.as_bytes(), start, deepest, is_wanted)
}

fn skip(
    bytes: &[u8],
    start: usize,
    deepest: usize,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> Option<usize> {
    let is_watching = deepest != usize::MAX;
    let mut at = start;
    let mut open = Open::default();
    loop {
        let opening = *bytes.get(at)?;
        match opening {
            b'"' => at = string_end(bytes, at)?.0,
            b'{' | b'[' => {
                open.push(opening == b'{');
                if open.depth > deepest {
                    return None;
                }
                at = space_end(bytes, at + 1);
                // An empty one closes below; `{` and `[` are two before what closes them.
                if bytes.get(at) != Some(&(opening + 2)) {
                    if opening == b'{' {
                        at = key_end(bytes, at, is_watching, is_wanted)?;
                    }
                    continue;
                }
            }
            _ => at = literal_end(bytes, at)?,
        }
        loop {
            if open.depth == 0 {
                return Some(at);
            }
            at = space_end(bytes, at);
            match (bytes.get(at)?, open.is_map()) {
                (b',', is_map) => {
                    at = space_end(bytes, at + 1);
                    if is_map {
                        at = key_end(bytes, at, is_watching, is_wanted)?;
                    }
                    break;
                }
                (b'}', true) | (b']', false) => {
                    open.pop();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// Which maps and lists are open.
#[derive(Default)]
struct Open {
    depth: usize,
    /// The innermost 64 or less, a bit for each: whether it is a map.
    bits: u64,
    /// What is around them.
    others: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_map: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.others.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(is_map);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.others.pop().unwrap_or_default();
        }
    }

    const fn is_map(&self) -> bool {
        self.bits & 1 == 1
    }
}

/// Where the value starts whose key is here.
fn key_end(
    bytes: &[u8],
    at: usize,
    is_watching: bool,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> Option<usize> {
    let (end, is_plain) = string_end(bytes, at)?;
    if is_watching && (!is_plain || is_wanted(bytes.get(at + 1..end - 1)?)) {
        return None;
    }
    colon_end(bytes, end)
}

/// Where the value starts whose colon comes next.
fn colon_end(bytes: &[u8], at: usize) -> Option<usize> {
    let at = space_end(bytes, at);
    (bytes.get(at) == Some(&b':')).then(|| space_end(bytes, at + 1))
}

/// Where the string ends that starts here, and whether it has no escapes.
///
/// Most bytes are in strings, so eight are looked at together: where `word ^ wanted` has a byte that
/// is zero, subtracting one borrows its highest bit. The lowest bit found is always a true one.
fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const QUOTES: u64 = ONES * b'"' as u64;
    const ESCAPES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    let mut is_plain = true;
    loop {
        if let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            let (quotes, escapes) = (word ^ QUOTES, word ^ ESCAPES);
            let found = quotes.wrapping_sub(ONES) & !quotes
                | escapes.wrapping_sub(ONES) & !escapes
                // Control characters.
                | word.wrapping_sub(SPACES) & !word;
            let found = found & (ONES << 7);
            if found == 0 {
                at += 8;
                continue;
            }
            at += found.trailing_zeros() as usize / 8;
        }
        match bytes.get(at)? {
            b'"' => return Some((at + 1, is_plain)),
            b'\\' => {
                at = escape_end(bytes, at)?;
                is_plain = false;
            }
            ..b' ' => return None,
            _ => at += 1,
        }
    }
}

fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = bytes.get(at + 2..at + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)
        }
        _ => None,
    }
}

/// Where the number or word ends that starts here.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    for word in ["true", "false", "null"] {
        if rest.starts_with(word.as_bytes()) {
            return Some(at + word.len());
        }
    }
    let mut at = at + usize::from(rest.first() == Some(&b'-'));
    at = match bytes.get(at)? {
        b'0' => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let is_signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(bytes, at + 1 + usize::from(is_signed))?;
    }
    Some(at)
}

/// Where the digits end, of which there is at least one.
fn digits_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > start).then_some(at)
}

/// Where the white space ends that may be here.
pub fn space_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// A string, given what stands between its quotes.
///
/// One with half of a surrogate pair, which is no text, stays as it is written: no rule can name it,
/// and it is no reference to an image.
fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut parts = written.split('\\');
    text.push_str(parts.next().unwrap_or_default());
    let mut first_half = None;
    while let Some(part) = parts.next() {
        let mut rest = part.chars();
        let character = match rest.next() {
            // Two backslashes have nothing between them.
            None if first_half.is_some() => return Cow::Borrowed(written),
            None => {
                text.push('\\');
                text.push_str(parts.next().unwrap_or_default());
                continue;
            }
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (digits, after) = part.split_at_checked(5).unwrap_or_default();
                let unit = u32::from_str_radix(digits.trim_start_matches('u'), 16);
                rest = after.chars();
                match (first_half.take(), unit.unwrap_or_default()) {
                    (None, unit @ 0xD800..0xDC00) if after.is_empty() => {
                        first_half = Some(unit);
                        continue;
                    }
                    (Some(high), low @ 0xDC00..0xE000) => {
                        let character = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        char::from_u32(character).unwrap_or_default()
                    }
                    (None, unit) => match char::from_u32(unit) {
                        Some(character) => character,
                        None => return Cow::Borrowed(written),
                    },
                    _ => return Cow::Borrowed(written),
                }
            }
            Some(character) => character,
        };
        if first_half.is_some() {
            return Cow::Borrowed(written);
        }
        text.push(character);
        text.push_str(rest.as_str());
    }
    if first_half.is_some() {
        return Cow::Borrowed(written);
    }
    Cow::Owned(text)
}

/// Whether two texts are the same to the byte, eight at a time.
pub fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    left.iter()
        .zip(right)
        .all(|(left, right)| u64::from_le_bytes(*left) == u64::from_le_bytes(*right))
        && left_rest == right_rest
}

/// Appends a text as a JSON string.
pub fn write_string(json: &mut String, text: &str) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest
        .bytes()
        .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))
    {
        let Some((plain, after)) = rest.split_at_checked(at) else {
            break;
        };
        json.push_str(plain);
        let mut after = after.chars();
        match after.next() {
            Some('\n') => json.push_str("\\n"),
            Some(character @ ..' ') => {
                let code = character as usize;
                json.push_str("\\u00");
                json.extend([code >> 4, code & 15].map(|digit| DIGITS.get(digit).unwrap_or(&'0')));
            }
            Some(character) => json.extend(['\\', character]),
            None => {}
        }
        rest = after.as_str();
    }
    json.push_str(rest);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a text is one JSON value, and nothing follows.
    fn is_json(text: &str) -> bool {
        let end = value_end(text, space_end(text.as_bytes(), 0));
        end.is_some_and(|end| space_end(text.as_bytes(), end) == text.len())
    }

    fn is_json_to_serde(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    #[test]
    fn takes_each_part_of_the_grammar() {
        for text in [
            "0",
            "-0",
            "-1.5e+3",
            "1E9",
            "10",
            "[]",
            "{}",
            " [ ] ",
            "[[],{}]",
            "\"\\u00e9\\\\\\n\"",
            "\"\\ud800\"",
            "\"\u{7f}\u{80}\"",
            "true",
            "{\"\":null,\"\":false}",
            // A string of eight bytes and one, and an escape across their border.
            "\"12345678\"",
            "\"1234567\\u0041\"",
        ] {
            assert!(is_json(text) && is_json_to_serde(text), "{text}");
        }
        for text in [
            "",
            "-",
            "01",
            "1.",
            ".1",
            "1e",
            "1e+",
            "+1",
            "nul",
            "truex",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:1}",
            "{\"a\" 1}",
            "[}",
            "{]",
            "[1",
            "{\"a\":1",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\t\"",
            "\"1234567\n\"",
            "1 2",
            "[]]",
            "'a'",
            "NaN",
            "\u{feff}1",
        ] {
            assert!(!is_json(text) && !is_json_to_serde(text), "{text}");
        }
    }

    #[test]
    fn holds_levels_beyond_any_word_apart() {
        let open = "[{\"a\":".repeat(150);
        let close = "}]".repeat(150);
        assert!(is_json(&format!("{open}1{close}")));
        for wrong in 1..close.len() {
            let mut close = close.clone().into_bytes();
            close.swap(wrong - 1, wrong);
            let close = String::from_utf8(close).unwrap();
            assert!(!is_json(&format!("{open}1{close}")));
        }
    }

    #[test]
    fn reads_escapes() {
        for written in [
            r#"a\"b\\c\/d\b\f\n\r\t"#,
            r"\\\\",
            r"\u0041b",
            r"\u00e9",
            r"\ud83d\ude00!",
            r"x\\u0041",
            r"\\\u0041",
        ] {
            let json = format!("\"{written}\"");
            let text: String = serde_json::from_str(&json).unwrap();
            assert_eq!(unescaped(written), text, "{written}");
        }
        for half in [
            r"\ud83d",
            r"a\ude00",
            r"\ud83d\u0041",
            r"\ud83dx",
            r"\ud83d\ud83d\ude00",
            r"\ud83d\n",
            r"\ud83d\\",
            r"\ud83dx\ude00",
            r"\ud83d\\\ude00",
        ] {
            assert!(serde_json::from_str::<String>(&format!("\"{half}\"")).is_err());
            assert_eq!(unescaped(half), half, "{half}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["", "a", "é\"\\/\u{7f}\u{2028}", "\n\t\u{0}\u{1f}\u{1}x"] {
            let mut json = String::new();
            write_string(&mut json, text);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(string(&json).unwrap(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_escapes_as_serde_json_does(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                r"\\", r#"\""#, r"\n", r"\u0041", r"\ud83d", r"\ude00", r"\u20ac", "a", "u0041", "é", r"\/",
            ]), 0..8),
        ) {
            let written = parts.concat();
            let json = format!("\"{written}\"");
            let text = serde_json::from_str(&json).unwrap_or(written.clone());
            proptest::prop_assert_eq!(unescaped(&written), text);
        }

        #[test]
        fn agrees_with_serde_json(
            tokens in proptest::collection::vec(proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "\\", "\\u", "00e9", "\\n", "a", "é",
                "1", "0", "-", ".", "e", "E+", "true", "false", "null", " ", "\n", "\t", "\u{1}", "12345678",
            ]), 0..24),
        ) {
            let text = tokens.concat();
            proptest::prop_assert_eq!(is_json(&text), is_json_to_serde(&text), "{}", text);
        }

        #[test]
        fn agrees_with_serde_json_on_what_was_json(
            elements in proptest::collection::vec(
                proptest::sample::select(vec![
                    r#"{"a\\b":[1,-2.5e-3,"x\"y"],"":{}}"#, "[]", r#""\u00e9é""#, "null", "[true,[false]]",
                ]),
                0..4,
            ),
            at in 0usize..200,
            put in proptest::sample::select(vec!["", "\"", "\\", "{", "]", ",", "0", "\u{0}", "x"]),
        ) {
            let mut text = format!("[{}]", elements.join(" , "));
            let at = at % (text.len() + 1);
            if text.is_char_boundary(at) {
                text.insert_str(at, put);
            }
            proptest::prop_assert_eq!(is_json(&text), is_json_to_serde(&text), "{}", text);
        }
    }
}
