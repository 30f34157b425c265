//! Strings: where they end, what their escapes mean, and how they are written.

use std::sync::OnceLock;

use wide::u8x16;

/// A string with escapes.
#[derive(Debug)]
pub(crate) struct Meaning {
    /// The byte behind it.
    pub(crate) end: usize,
    /// The string without its escapes, once somebody has asked.
    text: OnceLock<Box<str>>,
}

impl Meaning {
    pub(crate) const fn of(end: usize) -> Self {
        Self {
            end,
            text: OnceLock::new(),
        }
    }

    /// The string, given what stands between its quotes.
    ///
    /// One with half of a surrogate pair, which is no text, stays as it is written: no rule can name it,
    /// and it is no reference to an image.
    pub(crate) fn text(&self, written: &str) -> &str {
        self.text.get_or_init(|| {
            unescaped(written).map_or_else(|| written.into(), String::into_boxed_str)
        })
    }
}

/// Where quotes, backslashes and control characters are, looked for in 64 bytes at a time.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    /// The first of the bytes that have been looked at last.
    start: usize,
    /// A bit for each of them.
    found: u64,
    /// All that is found are quotes.
    pub(crate) are_quotes: bool,
}

impl Marks {
    /// Nothing has been looked at.
    pub(crate) const NONE: Self = Self {
        start: usize::MAX - 63,
        found: 0,
        are_quotes: true,
    };

    /// Where the next one is, or the text ends. Asked in the order of the text.
    #[inline(always)]
    pub(crate) fn next(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            let offset = at.wrapping_sub(self.start);
            if offset < 64 {
                let found = self.found >> offset;
                if found != 0 {
                    return at + found.trailing_zeros() as usize;
                }
                at = self.start + 64;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            (self.found, self.are_quotes) = match rest.first_chunk() {
                Some(block) => marks(block),
                None => marks_at_the_end(rest),
            };
            self.start = at;
        }
    }
}

/// Where the string ends that is read up to a backslash here, and the marks from there on.
///
/// # Errors
///
/// Where it is no string.
#[inline(never)]
pub(crate) fn escaped_end(
    bytes: &[u8],
    mut at: usize,
    mut marks: Marks,
) -> Result<(usize, Marks), usize> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((at + 1, marks)),
            Some(b'\\') => at = marks.next(bytes, escape_end(bytes, at).ok_or(at)?),
            _ => return Err(at),
        }
    }
}

/// Where the quotes, backslashes and control characters are in a text of less than 64 bytes, behind which all counts
/// as a control character.
#[cold]
#[inline(never)]
fn marks_at_the_end(bytes: &[u8]) -> (u64, bool) {
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(bytes) {
        *place = *byte;
    }
    marks(&block)
}

/// Where the quotes, backslashes and control characters are, a bit for each, and whether all are quotes.
#[inline(always)]
fn marks(block: &[u8; 64]) -> (u64, bool) {
    let quotes = |part: u8x16| part.simd_eq(u8x16::splat(b'"'));
    let others = |part: u8x16| {
        part.simd_eq(u8x16::splat(b'\\')) | part.simd_eq(part.min(u8x16::splat(b' ' - 1)))
    };
    let parts = block.as_chunks().0.iter();
    let any = parts.fold(u8x16::ZERO, |any, part| any | others(u8x16::new(*part)));
    if any.any() {
        return (bits(block, |part| quotes(part) | others(part)), false);
    }
    (bits(block, quotes), true)
}

/// A bit for each byte for which something holds.
#[inline(always)]
fn bits(block: &[u8; 64], holds: impl Fn(u8x16) -> u8x16) -> u64 {
    let parts = block.as_chunks().0.iter().zip([0, 16, 32, 48]);
    parts.fold(0, |bits, (part, shift)| {
        bits | u64::from(holds(u8x16::new(*part)).to_bitmask()) << shift
    })
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

/// A string, given what stands between its quotes; none where that is no text.
fn unescaped(written: &str) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let character = escape.bytes().next()?;
        rest = escape.get(1..)?;
        text.push(match character {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut unit = unit(rest)?;
                rest = rest.get(4..)?;
                if let 0xD800..0xDC00 = unit {
                    rest = rest.strip_prefix("\\u")?;
                    let low = self::unit(rest).filter(|low| (0xDC00..0xE000).contains(low))?;
                    rest = rest.get(4..)?;
                    unit = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                }
                char::from_u32(unit)?
            }
            character => char::from(character),
        });
    }
    text.push_str(rest);
    Some(text)
}

/// The four hexadecimal digits that a text begins with.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(..4)?, 16).ok()
}

/// Appends a text as a JSON string.
pub fn write_string(json: &mut String, text: &str) {
    let mut marks = Marks::NONE;
    json.push('"');
    let mut at = 0;
    loop {
        let plain = marks.next(text.as_bytes(), at);
        json.push_str(text.get(at..plain).unwrap_or_default());
        let Some(byte) = text.as_bytes().get(plain) else {
            break;
        };
        at = plain + 1;
        json.push('\\');
        match byte {
            b'\n' => json.push('n'),
            b'\r' => json.push('r'),
            b'\t' => json.push('t'),
            ..b' ' => {
                json.push_str("u00");
                for digit in [byte >> 4, byte & 15] {
                    json.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
                }
            }
            byte => json.push(char::from(*byte)),
        }
    }
    json.push('"');
}
