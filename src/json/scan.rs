//! Quick ways through a JSON text that has been read before.
//!
//! `serde_json` checks what it skips. An object of a request was checked when the payload was read, so
//! here only strings and brackets are looked at, which is some times faster. Text that was not
//! checked leads to nothing or to the wrong place, never further than its end.

use std::borrow::Cow;

use super::location::Step;

/// A path is followed this far; deeper objects are refused elsewhere.
const DEEPEST: usize = 128;

/// The members of the map that `text` begins with, a repeated key as often as it was written; `None`
/// if it begins with something else.
pub(crate) fn members(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut found = Vec::new();
    each(text, 0, b'{', &mut |key, start| {
        let end = value_end(text, start)?;
        found.push((unescaped(key)?, text.get(start..end)?));
        Some(end)
    })
    .map(|_| found)
}

/// The value that `text` begins with, without what follows it.
pub(crate) fn value(text: &str) -> Option<&str> {
    let start = space_end(text, 0);
    text.get(start..value_end(text, start)?)
}

/// Every value that a path of keys and positions leads to in the value that `text` begins with.
pub(crate) fn lookup<'a>(text: &'a str, path: &[Step<'_>]) -> Vec<&'a str> {
    let mut found = Vec::new();
    descend(text, space_end(text, 0), path, DEEPEST, &mut found);
    found
}

/// The elements of the list that `text` begins with; none if it begins with something else.
pub(crate) fn elements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    each(text, 0, b'[', &mut |_, start| {
        let end = value_end(text, start)?;
        found.push(text.get(start..end)?);
        Some(end)
    });
    found
}

/// Follows a path from the value at `start`, and says where that value ends.
fn descend<'a>(
    text: &'a str,
    start: usize,
    path: &[Step<'_>],
    deeper: usize,
    found: &mut Vec<&'a str>,
) -> Option<usize> {
    let (Some((step, rest)), true) = (path.split_first(), deeper > 0) else {
        let end = value_end(text, start)?;
        if path.is_empty() {
            found.push(text.get(start..end)?);
        }
        return Some(end);
    };
    let opening = match step {
        Step::Key(_) => b'{',
        Step::Index(_) | Step::Each => b'[',
    };
    if text.as_bytes().get(start) != Some(&opening) {
        return value_end(text, start);
    }
    let mut index = 0;
    each(text, start, opening, &mut |key, start| {
        let is_wanted = match step {
            Step::Key(wanted) => is_key(key, wanted),
            Step::Index(wanted) => *wanted == index,
            Step::Each => true,
        };
        index += 1;
        if is_wanted {
            descend(text, start, rest, deeper - 1, found)
        } else {
            value_end(text, start)
        }
    })
}

/// Hands each member or element to `read`: its key between the quotes, and where its value starts.
/// `read` says where the value ends. Says where the map or list ends.
fn each<'a>(
    text: &'a str,
    start: usize,
    opening: u8,
    read: &mut dyn FnMut(&'a str, usize) -> Option<usize>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let start = space_end(text, start);
    if bytes.get(start) != Some(&opening) {
        return None;
    }
    let mut at = space_end(text, start + 1);
    loop {
        match bytes.get(at)? {
            b'}' | b']' => return Some(at + 1),
            b',' => at = space_end(text, at + 1),
            _ => {}
        }
        let mut key = "";
        if opening == b'{' {
            let end = value_end(text, at)?;
            key = text.get(at + 1..end.checked_sub(1)?)?;
            // Over the colon.
            at = space_end(text, space_end(text, end) + 1);
        }
        at = space_end(text, read(key, at)?);
    }
}

/// Where the value ends that starts here.
fn value_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut open = 0usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at + 1)?;
            }
            b'{' | b'[' => {
                open += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                open = open.checked_sub(1)?;
                at += 1;
            }
            _ if open > 0 => {
                at += 1;
                continue;
            }
            _ => {
                while bytes.get(at).is_some_and(|byte| !is_delimiter(*byte)) {
                    at += 1;
                }
            }
        }
        if open == 0 {
            // A value takes up space, else nobody gets any further.
            return Some(at).filter(|end| *end > start);
        }
    }
}

/// Where the string ends of which this is the first byte.
///
/// Most bytes are in strings, so eight are looked at together: where `word ^ wanted` has a byte that
/// is zero, subtracting one borrows its highest bit. The lowest bit found is always a true one.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const QUOTES: u64 = ONES * b'"' as u64;
    const ESCAPES: u64 = ONES * b'\\' as u64;
    loop {
        if let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            let (quotes, escapes) = (word ^ QUOTES, word ^ ESCAPES);
            let found = quotes.wrapping_sub(ONES) & !quotes | escapes.wrapping_sub(ONES) & !escapes;
            let found = found & (ONES << 7);
            if found == 0 {
                at += 8;
                continue;
            }
            at += found.trailing_zeros() as usize / 8;
        }
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
}

/// Whether two texts are the same to the byte, eight at a time.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
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

fn space_end(text: &str, mut at: usize) -> usize {
    while matches!(text.as_bytes().get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

fn is_key(written: &str, wanted: &str) -> bool {
    written == wanted || (written.contains('\\') && unescaped(written).as_deref() == Some(wanted))
}

/// A string, given what stands between its quotes.
fn unescaped(written: &str) -> Option<Cow<'_, str>> {
    if !written.contains('\\') {
        return Some(Cow::Borrowed(written));
    }
    serde_json::from_str(&format!("\"{written}\""))
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there() {
        let text = r#" { "a\"}" : [ 1 , {"b":"]}\\"} , [ ] ,null], "c":{"d":{"e":-1.5e3}},"c" : {"d":"x" } } , "rest""#;
        let all = members(text).unwrap();
        assert_eq!(
            all[0],
            ("a\"}".into(), r#"[ 1 , {"b":"]}\\"} , [ ] ,null]"#)
        );
        assert_eq!(all[2], ("c".into(), r#"{"d":"x" }"#));
        assert_eq!(elements(all[0].1), ["1", r#"{"b":"]}\\"}"#, "[ ]", "null"]);
        let keys = |path: &[&'static str]| -> Vec<Step<'static>> {
            path.iter().map(|key| Step::key(key)).collect()
        };
        assert_eq!(
            lookup(text, &keys(&["c", "d"])),
            [r#"{"e":-1.5e3}"#, "\"x\""]
        );
        assert_eq!(lookup(text, &keys(&["c", "d", "e"])), ["-1.5e3"]);
        let way = [Step::key("a\"}"), Step::Index(1), Step::key("b")];
        assert_eq!(lookup(text, &way), [r#""]}\\""#]);
        assert!(members("[]").is_none());
        assert!(elements("{}").is_empty());
        assert!(elements(" [ ]").is_empty());
    }

    #[test]
    fn stops_at_the_end_of_what_is_no_json() {
        for text in [
            "",
            "{",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{:}",
            "{,}",
            "[1",
            "[,",
            "[}",
            "\"\\",
            "{\"a\" 1}",
        ] {
            let _ = members(text);
            let _ = elements(text);
            let _ = lookup(text, &[Step::key("a"), Step::Each]);
        }
    }
}
