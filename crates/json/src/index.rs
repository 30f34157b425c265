//! Finds the values of a text and holds it to the grammar, in one pass.

use wide::u8x16;

use super::string::{Marks, Meaning, escaped_end};

/// Where a key, a value, or the end of a list or map stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The first byte; the two highest bits say what is there.
    start: u32,
    /// Of a string, number or word, the byte behind it; of a string with escapes, its position among
    /// these; of a list or map, the place that closes it, and of that place the one that opens it.
    end: u32,
}

/// A bracket or brace.
const BRACKET: u32 = 1 << 31;

/// A string with escapes.
const ESCAPED: u32 = 1 << 30;

/// Where a text must end: two bits of a position say what is there.
const LONGEST: usize = 1 << 30;

/// There is no list or map around the value.
const ROOT: u32 = u32::MAX;

impl Place {
    /// `null`, at the start of a text.
    pub(crate) const NULL: Self = Self { start: 0, end: 4 };

    #[inline(always)]
    pub(crate) const fn start(self) -> usize {
        (self.start & !(BRACKET | ESCAPED)) as usize
    }

    #[inline(always)]
    pub(crate) const fn end(self) -> usize {
        self.end as usize
    }

    #[inline(always)]
    pub(crate) const fn is_bracket(self) -> bool {
        self.start & BRACKET != 0
    }

    /// Whether it may be a string of one of these lengths, a bit for each. What is longer than 31 or no string
    /// may be, too.
    #[inline(always)]
    pub(crate) const fn may_be_string_of(self, lengths: u32) -> bool {
        // Of the difference the lowest five bits count, and two of its characters are quotes.
        lengths
            .rotate_left(2)
            .wrapping_shr(self.end.wrapping_sub(self.start))
            & 1
            == 1
            || self.is_escaped()
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

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// Where it stops being JSON.
    pub(crate) fn read(text: &str) -> Result<Self, usize> {
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
            match index.fill(bytes) {
                Ok(()) => return Ok(index),
                Err(Stop::NotJson(at)) => return Err(at),
                Err(Stop::Full) => most = most_places(bytes),
            }
        }
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        // Of its own while it is filled, which keeps it in registers.
        let mut places = Places(std::mem::take(&mut self.places));
        let escaped = &mut self.escaped;
        let mut marks = Marks::NONE;
        // What is innermost: the place that opens it, and the character that closes it.
        let (mut open, mut closing) = (ROOT, b' ');
        let (mut depth, mut deepest) = (0, 0);
        let (mut at, mut byte) = next(bytes, 0);
        loop {
            // A value starts here, or behind this key.
            if closing == b'}' {
                if byte != b'"' {
                    return Err(Stop::NotJson(at));
                }
                at = places.string(bytes, &mut marks, escaped, at)?;
                (at, byte) = next(bytes, at);
                if byte != b':' {
                    return Err(Stop::NotJson(at));
                }
                (at, byte) = next(bytes, at + 1);
            }
            match byte {
                b'"' => at = places.string(bytes, &mut marks, escaped, at)?,
                b'{' | b'[' => {
                    open = places.put(narrow(at) | BRACKET, open)?;
                    closing = byte + 2;
                    depth += 1;
                    deepest = if depth > deepest { depth } else { deepest };
                    (at, byte) = next(bytes, at + 1);
                    if byte != closing {
                        continue;
                    }
                }
                _ => {
                    let start = at;
                    at = literal_end(bytes, at, byte)?;
                    places.put(narrow(start), narrow(at))?;
                }
            }
            (at, byte) = next(bytes, at);
            while byte != b',' {
                if byte != closing {
                    if open != ROOT || at < bytes.len() {
                        return Err(Stop::NotJson(at));
                    }
                    (self.depth, self.places) = (deepest, places.0);
                    return Ok(());
                }
                let close = places.put(narrow(at) | BRACKET, open)?;
                open = places.close(open, close)?;
                closing = places.closing(bytes, open);
                depth -= 1;
                (at, byte) = next(bytes, at + 1);
            }
            if open == ROOT {
                return Err(Stop::NotJson(at));
            }
            (at, byte) = next(bytes, at + 1);
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
struct Places(Vec<Place>);

impl Places {
    /// Adds a place, and says which one it is.
    #[inline(always)]
    fn put(&mut self, start: u32, end: u32) -> Result<u32, Stop> {
        let count = self.0.len();
        if count == self.0.capacity() {
            return Err(Stop::Full);
        }
        self.0.push(Place { start, end });
        Ok(narrow(count))
    }

    /// Notes where a list or map is closed, and says what is around it.
    #[inline(always)]
    fn close(&mut self, open: u32, close: u32) -> Result<u32, Stop> {
        let place = self.0.get_mut(open as usize).ok_or(Stop::Full)?;
        Ok(std::mem::replace(&mut place.end, close))
    }

    /// The character that closes what is opened here.
    #[inline(always)]
    fn closing(&self, bytes: &[u8], open: u32) -> u8 {
        let place = self.0.get(open as usize);
        let opening = place.and_then(|place| bytes.get(place.start()));
        opening.map_or(b' ', |opening| opening + 2)
    }

    /// Adds the string that starts here, and says where it ends.
    #[inline(always)]
    fn string(
        &mut self,
        bytes: &[u8],
        marks: &mut Marks,
        escaped: &mut Vec<Meaning>,
        start: usize,
    ) -> Result<usize, Stop> {
        let at = marks.next(bytes, start + 1);
        if bytes.get(at) == Some(&b'"') {
            self.put(narrow(start), narrow(at + 1))?;
            return Ok(at + 1);
        }
        let (at, read) = escaped_end(bytes, at, *marks).map_err(Stop::NotJson)?;
        *marks = read;
        self.put(narrow(start) | ESCAPED, narrow(escaped.len()))?;
        escaped.push(Meaning::of(narrow(at)));
        Ok(at)
    }
}

/// A position, of which there are less than [`LONGEST`].
#[inline(always)]
fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
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
fn next(bytes: &[u8], at: usize) -> (usize, u8) {
    match bytes.get(at) {
        // Hosts write none.
        Some(byte) if *byte > b' ' => (at, *byte),
        _ => behind_space(bytes, at),
    }
}

#[cold]
#[inline(never)]
fn behind_space(bytes: &[u8], mut at: usize) -> (usize, u8) {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    (at, bytes.get(at).copied().unwrap_or_default())
}

/// Where the number or word ends that starts here.
#[inline(always)]
fn literal_end(bytes: &[u8], start: usize, first: u8) -> Result<usize, Stop> {
    let mut at = start;
    while matches!(bytes.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    // Most are small integers.
    if at == start || first == b'0' || matches!(bytes.get(at), Some(b'.' | b'e' | b'E')) {
        return other_end(bytes, start, first).ok_or(Stop::NotJson(start));
    }
    Ok(at)
}

#[inline(never)]
fn other_end(bytes: &[u8], at: usize, first: u8) -> Option<usize> {
    let word: &[u8] = match first {
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
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
            let is_json = Index::read(element).is_ok();
            let text = format!(
                "[{}]",
                vec![element; (2 << 20) / (element.len() + 1)].join(",")
            );
            // What has been too small stays behind in the module.
            let places = text.len() / 4 + most_places(text.as_bytes());
            let index = Index::read(&text);
            assert_eq!(index.is_ok(), is_json, "{element}");
            let strings = index.map_or(0, |index| index.escaped.capacity() * 2);
            let bytes = places * size_of::<Place>() + strings * size_of::<Meaning>();
            assert!(bytes <= 40 << 20, "{element}: {bytes}");
        }
    }
}
