//! Finds the values of a text and holds it to the grammar, in one pass.

use super::Document;
use super::string::{Marks, Meaning, escaped_end};

/// Where a key, a value, or the end of a list or map stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The first byte; the three highest bits say what is there.
    start: u32,
    /// Of a string, number or word, the byte behind it; of a string with escapes, its position among
    /// these; of a list or map, the place that closes it, and of that place the one that opens it.
    end: u32,
}

/// A bracket or brace.
const BRACKET: u32 = 1 << 31;

/// A string with escapes.
const ESCAPED: u32 = 1 << 30;

/// Of a list or map, that a key that is noted stands in it.
const HOLDS_NOTED: u32 = 1 << 29;

/// Where a text must end: three bits of a position say what is there.
pub(crate) const LONGEST: usize = 1 << 29;

/// Of a bracket, that it opens a map.
const MAP: u32 = ESCAPED;

/// The lengths of the keys that are noted, a bit for each, with their quotes.
const LENGTHS: u32 = (1 << 10 | 1 << 19 | 1 << 14 | 1 << 8 | 1 << 7) << 2;

/// There is no list or map around the value.
const ROOT: u32 = u32::MAX;

impl Place {
    /// `null`, at the start of a text.
    pub(crate) const NULL: Self = Self { start: 0, end: 4 };

    #[inline(always)]
    pub(crate) const fn start(self) -> usize {
        (self.start & !(BRACKET | ESCAPED | HOLDS_NOTED)) as usize
    }

    #[inline(always)]
    pub(crate) const fn end(self) -> usize {
        self.end as usize
    }

    #[inline(always)]
    pub(crate) const fn is_bracket(self) -> bool {
        self.start & BRACKET != 0
    }

    /// Whether a key that is noted, or a string with escapes, stands in the list or map.
    #[inline(always)]
    pub(crate) const fn holds_noted(self) -> bool {
        self.start & (BRACKET | HOLDS_NOTED) == BRACKET | HOLDS_NOTED
    }

    #[inline(always)]
    pub(crate) const fn is_escaped(self) -> bool {
        self.start & ESCAPED != 0
    }
}

impl Document<'_> {
    /// Adds the string that starts here, and says where it ends.
    #[inline(always)]
    fn string(
        &mut self,
        bytes: &[u8],
        places: &mut Places,
        marks: &mut Marks,
        start: usize,
    ) -> Result<usize, Stop> {
        let at = marks.next(bytes, start + 1);
        if marks.are_quotes || bytes.get(at) == Some(&b'"') {
            places.put(narrow(start), narrow(at + 1))?;
            return Ok(at + 1);
        }
        let (at, read) = escaped_end(bytes, at, *marks).map_err(Stop::NotJson)?;
        *marks = read;
        places.last_noted = places.put(narrow(start) | ESCAPED, narrow(self.escaped.len()))?;
        self.escaped.push(Meaning::of(at));
        Ok(at)
    }

    /// Finds the places of the value that the text begins with, as far as there is room, and says where what is
    /// behind the value starts.
    pub(crate) fn fill(&mut self) -> Result<usize, Stop> {
        let bytes = self.text.as_bytes();
        // Of its own while it is filled, which keeps it in registers.
        let mut places = Places {
            all: std::mem::take(&mut self.places),
            last_noted: 0,
        };
        let mut marks = Marks::NONE;
        // What is innermost: the place that opens it, and the character that closes it.
        let (mut open, mut closing) = (ROOT, closing_of(ROOT));
        let (mut depth, mut deepest) = (0, 0);
        let (mut at, mut first) = next(bytes, 0);
        loop {
            // A value starts here, or behind this key.
            if closing == '}' {
                if first != '"' {
                    return Err(Stop::NotJson(at));
                }
                let start = at;
                at = self.string(bytes, &mut places, &mut marks, start)?;
                if LENGTHS.wrapping_shr(narrow(at - start)) & 1 != 0
                    && is_noted(bytes.get(start..at))
                {
                    places.last_noted = narrow(places.all.len()) - 1;
                }
                if bytes.get(at) != Some(&b':') {
                    at = behind_space(bytes, at).0;
                    if bytes.get(at) != Some(&b':') {
                        return Err(Stop::NotJson(at));
                    }
                }
                (at, first) = next(bytes, at + 1);
            }
            match first {
                '"' => at = self.string(bytes, &mut places, &mut marks, at)?,
                '{' | '[' => {
                    let map = if first == '{' { MAP } else { 0 };
                    open = places.put(narrow(at) | BRACKET, open)? | map;
                    closing = closing_of(open);
                    depth += 1;
                    deepest = if depth > deepest { depth } else { deepest };
                    (at, first) = next(bytes, at + 1);
                    if first != closing {
                        continue;
                    }
                }
                _ => {
                    let start = at;
                    at = literal_end(bytes, at, first)?;
                    places.put(narrow(start), narrow(at))?;
                }
            }
            let mut behind;
            (at, behind) = next(bytes, at);
            while behind != ',' || open == ROOT {
                if behind != closing {
                    if open != ROOT {
                        return Err(Stop::NotJson(at));
                    }
                    (self.depth, self.places) = (deepest, places.all);
                    return Ok(at);
                }
                let close = places.put(narrow(at) | BRACKET, open & !MAP)?;
                open = places.close(open & !MAP, close)?;
                closing = closing_of(open);
                depth -= 1;
                (at, behind) = next(bytes, at + 1);
            }
            (at, first) = next(bytes, at + 1);
        }
    }
}

/// Why the places of a text are not known.
pub(crate) enum Stop {
    /// It is no JSON from this byte on.
    NotJson(usize),
    /// There is no room for all of them.
    Full,
}

/// Places that are being filled, no more than there is room for.
struct Places {
    all: Vec<Place>,
    /// The last key that is noted, or string with escapes, which may be one; 0 before the first.
    last_noted: u32,
}

impl Places {
    /// Adds a place, and says which one it is.
    #[inline(always)]
    fn put(&mut self, start: u32, end: u32) -> Result<u32, Stop> {
        let count = self.all.len();
        if count == self.all.capacity() {
            return Err(Stop::Full);
        }
        self.all.push(Place { start, end });
        Ok(narrow(count))
    }

    /// Notes where a list or map is closed, and says what is around it.
    #[inline(always)]
    fn close(&mut self, open: u32, close: u32) -> Result<u32, Stop> {
        let place = self.all.get_mut(open as usize).ok_or(Stop::Full)?;
        if self.last_noted > open {
            place.start |= HOLDS_NOTED;
        }
        Ok(std::mem::replace(&mut place.end, close))
    }
}

/// The character that closes what is opened here; one that closes nothing at the root.
#[inline(always)]
const fn closing_of(open: u32) -> char {
    match open {
        ROOT => ' ',
        open if open & MAP != 0 => '}',
        _ => ']',
    }
}

/// A position, of which there are less than [`LONGEST`].
#[inline(always)]
fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Whether a key, with its quotes, is noted: what stands there is looked for at any depth of an object.
#[inline(never)]
fn is_noted(key: Option<&[u8]>) -> bool {
    matches!(
        key,
        Some(
            b"\"containers\""
                | b"\"ephemeralContainers\""
                | b"\"initContainers\""
                | b"\"metadata\""
                | b"\"volumes\""
        )
    )
}

/// What comes next that is no white space, and where; 0 at the end, which is no part of JSON.
#[inline(always)]
fn next(bytes: &[u8], at: usize) -> (usize, char) {
    match bytes.get(at) {
        // Hosts write none.
        Some(byte) if *byte > b' ' => (at, char::from(*byte)),
        _ => behind_space(bytes, at),
    }
}

#[cold]
#[inline(never)]
fn behind_space(bytes: &[u8], mut at: usize) -> (usize, char) {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    (at, bytes.get(at).copied().map_or('\0', char::from))
}

/// Where the number or word ends that starts here.
#[inline(always)]
fn literal_end(bytes: &[u8], start: usize, first: char) -> Result<usize, Stop> {
    match digits_end(bytes, start) {
        // Most are small integers.
        Some(end) if first != '0' && !matches!(bytes.get(end), Some(b'.' | b'e' | b'E')) => Ok(end),
        _ => other_end(bytes, start, first).ok_or(Stop::NotJson(start)),
    }
}

#[inline(never)]
fn other_end(bytes: &[u8], at: usize, first: char) -> Option<usize> {
    let word: &[u8] = match first {
        't' => b"true",
        'f' => b"false",
        'n' => b"null",
        _ => return number_end(bytes, at),
    };
    let rest = bytes.get(at..)?;
    rest.starts_with(word).then_some(at + word.len())
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
    let rest = bytes.get(start..)?.iter();
    let count = rest.take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(start + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mebibytes_take_at_most_forty() {
        for element in [
            "[]", "1", "[[]]", "[1]", "{}", "{\"\":1}", "\"\"", "\"\\n\"",
        ] {
            let text = format!(
                "[{}]",
                vec![element; (2 << 20) / (element.len() + 1)].join(",")
            );
            let document = Document::of(&text).unwrap();
            let mut places = document.places.capacity();
            if places > text.len() / 4 {
                // What has been too small stays behind in the module.
                places += text.len() / 4;
            }
            let strings = document.escaped.capacity() * 2;
            let bytes = places * size_of::<Place>() + strings * size_of::<Meaning>();
            assert!(bytes <= 40 << 20, "{element}: {bytes}");
        }
    }
}
