//! Finds the values of a text and holds it to the grammar, in one pass.

use wide::u8x16;

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
const LONGEST: usize = 1 << 29;

/// Of a bracket, that it opens a map.
const MAP: u32 = ESCAPED;

/// The lengths of the keys that are noted, a bit for each, with their quotes.
const LENGTHS: u32 = (1 << 10 | 1 << 19 | 1 << 14 | 1 << 8 | 1 << 7) << 2;

/// There is no list or map around the value.
const ROOT: u32 = u32::MAX;

/// What closes nothing.
const NOTHING: char = ' ';

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

/// The places of a text, in its order.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) places: Vec<Place>,
    pub(crate) escaped: Vec<Meaning>,
    /// How deep lists and maps are nested.
    pub(crate) depth: usize,
}

impl Index {
    /// The index of no text.
    pub(crate) const EMPTY: Self = Self {
        places: Vec::new(),
        escaped: Vec::new(),
        depth: 0,
    };

    /// Reads a text: one value, behind which there is nothing but white space, or anything where `is_open`.
    ///
    /// # Errors
    ///
    /// Where it stops being JSON.
    pub(crate) fn read(text: &str, is_open: bool) -> Result<Self, usize> {
        let bytes = text.as_bytes();
        if bytes.len() >= LONGEST {
            return Err(LONGEST);
        }
        // Mostly that is enough; if not, they are counted. Memory is never given back in the module: a vector
        // that grows would leave more behind.
        let mut most = bytes.len() / 4;
        loop {
            let mut index = Self {
                places: Vec::with_capacity(most),
                ..Self::EMPTY
            };
            match index.fill(bytes, is_open) {
                Ok(()) => return Ok(index),
                Err(Stop::NotJson(at)) => return Err(at),
                Err(Stop::Full) => most = most_places(bytes),
            }
        }
    }

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
        let place = places.put(narrow(start) | ESCAPED, narrow(self.escaped.len()))?;
        self.escaped.push(Meaning::of(narrow(at)));
        places.last_noted = place;
        Ok(at)
    }

    fn fill(&mut self, bytes: &[u8], is_open: bool) -> Result<(), Stop> {
        // Of its own while it is filled, which keeps it in registers.
        let mut places = Places {
            all: std::mem::take(&mut self.places),
            last_noted: 0,
        };
        let mut marks = Marks::NONE;
        // What is innermost: the place that opens it, and the character that closes it.
        let (mut open, mut closing) = (ROOT, NOTHING);
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
                    if open != ROOT || (at < bytes.len() && !is_open) {
                        return Err(Stop::NotJson(at));
                    }
                    (self.depth, self.places) = (deepest, places.all);
                    return Ok(());
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
enum Stop {
    /// It is no JSON from this byte on.
    NotJson(usize),
    /// There are more.
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

/// The character that closes what is opened here.
#[inline(always)]
const fn closing_of(open: u32) -> char {
    match open {
        ROOT => NOTHING,
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

/// At least as many places as a text has: a value is the first or stands behind `[`, `,` or `:`, a key
/// behind `{` or `,`.
pub(crate) fn most_places(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut last = [0; 16];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let mut count = 1;
    for block in blocks.iter().chain([&last]) {
        let block = u8x16::new(*block);
        let is = |block: u8x16, byte| block.simd_eq(u8x16::splat(byte));
        // `[` and `{`, `]` and `}` are one bit apart, and nothing else is there.
        let brackets = block | u8x16::splat(b'{' ^ b'[');
        let found = is(brackets, b'{') | is(brackets, b'}') | is(block, b',') | is(block, b':');
        count += found.to_bitmask().count_ones() as usize;
    }
    count
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
    let mut at = start;
    while matches!(bytes.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    // Most are small integers.
    if at == start || first == '0' || matches!(bytes.get(at), Some(b'.' | b'e' | b'E')) {
        return other_end(bytes, start, first).ok_or(Stop::NotJson(start));
    }
    Ok(at)
}

#[inline(never)]
fn other_end(bytes: &[u8], at: usize, first: char) -> Option<usize> {
    let word: &[u8] = match first {
        't' => b"true",
        'f' => b"false",
        'n' => b"null",
        _ => return number_end(bytes, at),
    };
    bytes
        .get(at..)?
        .starts_with(word)
        .then_some(at + word.len())
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
    let digits = bytes
        .get(start..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let count = digits.count();
    (count > 0).then_some(start + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mebibytes_take_at_most_forty() {
        for element in [
            "[]", "1", "[[]]", "[1]", "{}", "{\"\":1}", "\"\"", "\"\\n\"", "[,\",{:",
        ] {
            let is_json = Index::read(element, false).is_ok();
            let text = format!(
                "[{}]",
                vec![element; (2 << 20) / (element.len() + 1)].join(",")
            );
            // What has been too small stays behind in the module.
            let places = text.len() / 4 + most_places(text.as_bytes());
            let index = Index::read(&text, false);
            assert_eq!(index.is_ok(), is_json, "{element}");
            let strings = index.map_or(0, |index| index.escaped.capacity() * 2);
            let bytes = places * size_of::<Place>() + strings * size_of::<Meaning>();
            assert!(bytes <= 40 << 20, "{element}: {bytes}");
        }
    }
}
