//! Reads JSON in place: over what is not wanted, and into what is.
//!
//! The one reader of JSON in the engine. It holds what it passes to the grammar of RFC 8259, but for
//! [`balanced_end`], so that a payload is read and checked in one pass, and is some times faster than a
//! parser that hands out every value. It is held to `serde_json`'s verdict by tests.
//!
//! A crate of its own because it is compiled for speed and the rest for size: most of what a request
//! costs is spent here.

#![expect(
    clippy::inline_always,
    reason = "what looks at every character is called from a crate that is compiled for size"
)]

mod balance;

use std::borrow::Cow;
use std::fmt;

use wide::u8x16;

pub use balance::balanced_end;

/// The type of a JSON value, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// The string that starts here, and where it ends.
pub fn string_at(text: &str, start: usize) -> Option<(Cow<'_, str>, usize)> {
    string_from(text, start)
}

#[inline(always)]
fn string_from(text: &str, start: usize) -> Option<(Cow<'_, str>, usize)> {
    let first = *text.as_bytes().get(start)?;
    let (end, is_plain) = string_end(text.as_bytes(), start, first)?;
    let written = text.get(start + 1..end - 1)?;
    let string = if is_plain {
        Cow::Borrowed(written)
    } else {
        unescaped(written)
    };
    Some((string, end))
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
        let (key, end) = string_from(text, at)?;
        let (colon, byte) = next(bytes, end)?;
        if byte != b':' {
            return None;
        }
        read(key, next(bytes, colon + 1)?.0)
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

#[inline(always)]
fn each(
    bytes: &[u8],
    start: usize,
    opening: u8,
    closing: u8,
    read: &mut (impl FnMut(usize) -> Option<usize> + ?Sized),
) -> Option<usize> {
    let (mut at, mut byte) = next(bytes, start)?;
    if byte != opening {
        return None;
    }
    (at, byte) = next(bytes, at + 1)?;
    if byte == closing {
        return Some(at + 1);
    }
    loop {
        (at, byte) = next(bytes, read(at)?)?;
        match byte {
            b',' => at = next(bytes, at + 1)?.0,
            byte if byte == closing => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Where the value ends that starts here; `None` where it is no JSON.
pub fn value_end(text: &str, start: usize) -> Option<usize> {
    let nothing = Wanted {
        lengths: 0,
        is_wanted: &|_| false,
    };
    skip::<false>(text.as_bytes(), start, usize::MAX, &nothing)
}

/// Keys that are looked for.
pub struct Wanted<'w> {
    /// The lengths that they have, a bit for each: most other keys are told by theirs.
    pub lengths: u32,
    /// Whether a key of one of these lengths is one of them.
    pub is_wanted: &'w dyn Fn(&[u8]) -> bool,
}

impl Wanted<'_> {
    #[inline(always)]
    fn has(&self, key: &[u8]) -> bool {
        key.len() < 32 && self.lengths >> key.len() & 1 == 1 && (self.is_wanted)(key)
    }
}

/// As [`value_end`], but `None` as well where a key below is written with escapes or is `wanted`, or
/// something is nested deeper than this.
pub fn plain_end(text: &str, start: usize, deepest: usize, wanted: &Wanted<'_>) -> Option<usize> {
    skip::<true>(text.as_bytes(), start, deepest, wanted)
}

fn skip<const WATCHES: bool>(
    bytes: &[u8],
    start: usize,
    deepest: usize,
    wanted: &Wanted<'_>,
) -> Option<usize> {
    let (mut at, mut byte) = (start, *bytes.get(start)?);
    let mut open = Open::default();
    let mut outer = Vec::new();
    let mut is_key = false;
    loop {
        if is_key {
            let (end, is_plain) = string_end(bytes, at, byte)?;
            if WATCHES && (!is_plain || wanted.has(bytes.get(at + 1..end - 1)?)) {
                return None;
            }
            (at, byte) = next(bytes, end)?;
            if byte != b':' {
                return None;
            }
            (at, byte) = next(bytes, at + 1)?;
        }
        match byte {
            b'"' => at = string_end(bytes, at, byte)?.0,
            opening @ (b'{' | b'[') => {
                is_key = opening == b'{';
                open = open.push(is_key, &mut outer);
                if WATCHES && open.depth > deepest {
                    return None;
                }
                (at, byte) = next(bytes, at + 1)?;
                // An empty one closes below; `{` and `[` are two before what closes them.
                if byte != opening + 2 {
                    continue;
                }
            }
            first => {
                let digits = at;
                while matches!(bytes.get(at), Some(b'0'..=b'9')) {
                    at += 1;
                }
                // Most are small integers.
                if at == digits
                    || first == b'0'
                    || matches!(bytes.get(at), Some(b'.' | b'e' | b'E'))
                {
                    at = literal_end(bytes, digits, first)?;
                }
            }
        }
        loop {
            if open.depth == 0 {
                return Some(at);
            }
            (at, byte) = next(bytes, at)?;
            match (byte, open.is_map()) {
                (b',', is_map) => {
                    (at, byte) = next(bytes, at + 1)?;
                    is_key = is_map;
                    break;
                }
                (b'}', true) | (b']', false) => {
                    open = open.pop(&mut outer);
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// Which maps and lists are open.
#[derive(Clone, Copy, Default)]
struct Open {
    depth: usize,
    /// The innermost 64 or less, a bit for each: whether it is a map.
    bits: u64,
}

impl Open {
    /// `outer` keeps what is around the innermost 64.
    #[inline(always)]
    fn push(self, is_map: bool, outer: &mut Vec<u64>) -> Self {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            keep(outer, self.bits);
        }
        Self {
            depth: self.depth + 1,
            bits: self.bits << 1 | u64::from(is_map),
        }
    }

    #[inline(always)]
    fn pop(self, outer: &mut Vec<u64>) -> Self {
        let depth = self.depth - 1;
        let mut bits = self.bits >> 1;
        if depth > 0 && depth.is_multiple_of(64) {
            bits = outer.pop().unwrap_or_default();
        }
        Self { depth, bits }
    }

    const fn is_map(self) -> bool {
        self.bits & 1 == 1
    }
}

#[cold]
#[inline(never)]
fn keep(outer: &mut Vec<u64>, bits: u64) {
    outer.push(bits);
}

/// What comes next that is no white space, and where.
#[inline(always)]
fn next(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let byte = *bytes.get(at)?;
    if byte > b' ' {
        return Some((at, byte));
    }
    let at = some_space_end(bytes, at);
    Some((at, *bytes.get(at)?))
}

/// Where the string ends that starts here with this character, and whether it has no escapes.
#[inline(always)]
fn string_end(bytes: &[u8], start: usize, first: u8) -> Option<(usize, bool)> {
    if first != b'"' {
        return None;
    }
    let at = plain_text_end(bytes, start + 1);
    if bytes.get(at) == Some(&b'"') {
        return Some((at + 1, true));
    }
    escaped_string_end(bytes, at).map(|end| (end, false))
}

/// Where the next quote, backslash or control character is.
///
/// Most bytes are in strings, so sixteen are looked at together.
#[inline(always)]
fn plain_text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let block = u8x16::new(*block);
        let found = block.simd_eq(u8x16::splat(b'"'))
            | block.simd_eq(u8x16::splat(b'\\'))
            | block.simd_eq(block.min(u8x16::splat(b' ' - 1)));
        let found = found.to_bitmask();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    while !matches!(bytes.get(at), None | Some(b'"' | b'\\' | ..b' ')) {
        at += 1;
    }
    at
}

/// Where the string ends that is read up to an escape here.
#[inline(never)]
fn escaped_string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = plain_text_end(bytes, escape_end(bytes, at)?),
            _ => return None,
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
fn literal_end(bytes: &[u8], at: usize, first: u8) -> Option<usize> {
    match first {
        b't' => word_end(bytes, at, *b"true"),
        b'n' => word_end(bytes, at, *b"null"),
        b'f' => word_end(bytes, at + 1, *b"alse"),
        _ => number_end(bytes, at),
    }
}

fn word_end(bytes: &[u8], at: usize, word: [u8; 4]) -> Option<usize> {
    (bytes.get(at..)?.first_chunk() == Some(&word)).then_some(at + 4)
}

fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + usize::from(bytes.get(at) == Some(&b'-'));
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
#[inline(always)]
pub fn space_end(bytes: &[u8], at: usize) -> usize {
    // Hosts write none.
    match bytes.get(at) {
        Some(..=b' ') => some_space_end(bytes, at),
        _ => at,
    }
}

#[cold]
#[inline(never)]
fn some_space_end(bytes: &[u8], mut at: usize) -> usize {
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
    let bytes = written.as_bytes();
    if plain_text_end(bytes, 0) == bytes.len() || !bytes.contains(&b'\\') {
        return Cow::Borrowed(written);
    }
    read_escapes(written).map_or(Cow::Borrowed(written), Cow::Owned)
}

fn read_escapes(written: &str) -> Option<String> {
    let bytes = written.as_bytes();
    let mut text = String::with_capacity(written.len());
    let mut at = 0;
    loop {
        let escape = plain_text_end(bytes, at);
        text.push_str(written.get(at..escape)?);
        let Some(character) = bytes.get(escape + 1) else {
            return Some(text);
        };
        at = escape + 2;
        text.push(match character {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut unit = unit_at(written, at)?;
                at += 4;
                if let 0xD800..0xDC00 = unit {
                    let second = unit_at(written, at + 2)?;
                    if bytes.get(at..at + 2)? != b"\\u" || !(0xDC00..0xE000).contains(&second) {
                        return None;
                    }
                    at += 6;
                    unit = 0x1_0000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
                }
                char::from_u32(unit)?
            }
            character => char::from(*character),
        });
    }
}

/// The four hexadecimal digits that stand here.
fn unit_at(written: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(written.get(at..at + 4)?, 16).ok()
}

/// Whether a text holds one of these bytes of ASCII, eight looked at together.
#[inline(never)]
pub fn has_any(text: &str, wanted: [u8; 3]) -> bool {
    let bytes = text.as_bytes();
    let [one, two, three] = wanted;
    match bytes.last_chunk() {
        Some(last) => {
            let (words, _) = bytes.as_chunks::<8>();
            let mut words = words.iter().chain([last]);
            words.any(|word| {
                let word = u64::from_le_bytes(*word);
                has_byte(word, one) || has_byte(word, two) || has_byte(word, three)
            })
        }
        None => bytes
            .iter()
            .any(|byte| *byte == one || *byte == two || *byte == three),
    }
}

/// Whether one of eight bytes is this.
#[inline(always)]
const fn has_byte(word: u64, byte: u8) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let others = word ^ (ONES * byte as u64);
    others.wrapping_sub(ONES) & !others & ONES << 7 != 0
}

/// Whether two texts are the same to the byte, eight at a time.
#[inline(always)]
pub fn is_same(left: &str, right: &str) -> bool {
    // Most are told by their lengths.
    left.len() == right.len() && has_same_bytes(left.as_bytes(), right.as_bytes())
}

#[inline(never)]
fn has_same_bytes(left: &[u8], right: &[u8]) -> bool {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let is_same = |(left, right): (&[u8; 8], &[u8; 8])| {
        u64::from_le_bytes(*left) == u64::from_le_bytes(*right)
    };
    let mut rests = left_rest.iter().zip(right_rest);
    left.iter().zip(right).all(is_same) && rests.all(|(left, right)| left == right)
}

/// Appends a text as a JSON string.
pub fn write_string(json: &mut String, text: &str) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let bytes = text.as_bytes();
    json.push('"');
    let mut at = 0;
    loop {
        let plain = plain_text_end(bytes, at);
        json.push_str(text.get(at..plain).unwrap_or_default());
        let Some(byte) = bytes.get(plain) else {
            break;
        };
        at = plain + 1;
        json.push('\\');
        match byte {
            b'\n' => json.push('n'),
            ..b' ' => {
                json.push_str("u00");
                for digit in [byte >> 4, byte & 15] {
                    let digit = DIGITS.get(usize::from(digit)).unwrap_or(&b'0');
                    json.push(char::from(*digit));
                }
            }
            byte => json.push(char::from(*byte)),
        }
    }
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
            // Around the sixteen bytes that are looked at together.
            "\"12345678901234\"",
            "\"123456789012345\"",
            "\"1234567890123456\"",
            "\"12345678901234\\u0041\"",
            "\"123456789012345\\\\\"",
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
    fn finds_any_of_some_bytes() {
        let text = "0123456789abcdefghi";
        for (at, byte) in text.bytes().enumerate() {
            assert!(has_any(text, [byte, b'/', b'*']), "{at}");
            assert!(has_any(text, [b'/', b'*', byte]), "{at}");
        }
        for text in ["", "é", "\u{80}\u{af}\u{aa}", text, ".-+)>0"] {
            assert!(!has_any(text, [b'/', b'*', b'?']), "{text}");
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

    #[test]
    fn what_is_nested_deep_closes_as_it_opened() {
        for levels in [63, 64, 65, 127, 128, 129, 300] {
            let opening: String = (0..levels)
                .map(|level| if level % 3 == 0 { "[" } else { "{\"a\":" })
                .collect();
            let closing: String = (0..levels)
                .rev()
                .map(|level| if level % 3 == 0 { ']' } else { '}' })
                .collect();
            assert!(is_json(&format!("{opening}1{closing}")), "{levels}");
            for at in [0, levels / 2, levels - 1] {
                let mut wrong: Vec<_> = closing.chars().collect();
                wrong[at] = if wrong[at] == ']' { '}' } else { ']' };
                let wrong: String = wrong.into_iter().collect();
                assert!(!is_json(&format!("{opening}1{wrong}")), "{levels} {at}");
            }
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

        #[test]
        fn lists_and_maps_end_where_their_brackets_do(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                r#""]""#, r#""\\""#, r#""\"]}\\""#, r#"{"a":[{}]}"#, "[[],[1]]", "12345678", r#""\u007d""#,
                r#"{"\\\"[":"}"}"#, r#""\\\\\\\\\\\\\\\"""#, r#""1234567890""#, r#""é[é""#,
            ]), 0..24),
            padding in 0usize..64,
            rest in proptest::sample::select(vec!["", ",1]", "}", "\"", "]]"]),
        ) {
            let start = " ".repeat(padding);
            for text in [
                format!("{start}[{}]{rest}", parts.join(",")),
                format!("{start}{{\"a\":[{}]}}{rest}", parts.join(" , ")),
            ] {
                let end = value_end(&text, padding);
                proptest::prop_assert!(end.is_some(), "{}", text);
                proptest::prop_assert_eq!(balanced_end(&text, padding), end, "{}", text);
                // What does not end has no end.
                let cut = text.get(..end.unwrap() - 1).unwrap();
                proptest::prop_assert_eq!(balanced_end(cut, padding), None, "{}", cut);
            }
        }

        #[test]
        fn strings_end_where_their_quotes_do(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                r"\\", r#"\""#, r"\n", r"\u0041", "a", "1234567890", "é", "]", r"\\\\\\\\",
            ]), 0..40),
            rest in proptest::sample::select(vec!["", ",1]", "}", "\"", "\\\"]"]),
        ) {
            let text = format!("\"{}\"{rest}", parts.concat());
            let end = value_end(&text, 0);
            proptest::prop_assert!(end.is_some(), "{}", text);
            proptest::prop_assert_eq!(balanced_end(&text, 0), end, "{}", text);
            let cut = text.get(..end.unwrap() - 1).unwrap();
            proptest::prop_assert_eq!(balanced_end(cut, 0), None, "{}", cut);
        }

        #[test]
        fn is_read_over_on_trial_where_nothing_is_wanted(
            keys in proptest::collection::vec(proptest::sample::select(vec![
                "image", "imagf", "images", "", r"im\u0061ge", "a",
            ]), 1..6),
            deepest in 0usize..12,
        ) {
            let mut text = "1".to_owned();
            for key in &keys {
                text = format!(r#"{{"{key}":[{text},"image"]}}"#);
            }
            let wanted = Wanted { lengths: 1 << 5, is_wanted: &|key| key == b"image" };
            let is_plain = keys.iter().all(|key| *key != "image" && !key.contains('\\'));
            let end = (is_plain && keys.len() * 2 <= deepest).then_some(text.len());
            proptest::prop_assert_eq!(plain_end(&text, 0, deepest, &wanted), end, "{}", text);
        }
    }
}
