//! Over a value by its brackets or its quotes, 32 bytes at a time.

use wide::u8x16;

use super::{plain_text_end, value_end};

/// Where the value ends that starts here: a list or map where its brackets do, a string where its
/// quotes do, whatever stands between them.
///
/// For what is known to be JSON, or need not be: nothing else is checked. Some times faster than
/// [`value_end`](crate::value_end).
pub fn balanced_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match *bytes.get(start)? {
        b'{' | b'[' => brackets_end(bytes, start),
        b'"' => {
            let at = plain_text_end(bytes, start + 1);
            if bytes.get(at) == Some(&b'"') {
                return Some(at + 1);
            }
            quote_end(bytes, at)
        }
        _ => value_end(text, start),
    }
}

fn brackets_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_u32;
    let mut strings = Strings::default();
    loop {
        let rest = bytes.get(at..)?;
        let Some(block) = rest.first_chunk() else {
            return strings.end_in(rest, depth).map(|end| at + end);
        };
        let marks = Marks::of(block);
        let outside = !strings.inside(&marks);
        let (opening, closing) = (marks.opening & outside, marks.closing & outside);
        if depth > closing.count_ones() {
            depth = depth + opening.count_ones() - closing.count_ones();
        } else {
            let mut brackets = opening | closing;
            while brackets != 0 {
                let bracket = brackets.trailing_zeros();
                if opening >> bracket & 1 == 1 {
                    depth += 1;
                } else {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + bracket as usize + 1);
                    }
                }
                brackets &= brackets - 1;
            }
        }
        at += 32;
    }
}

/// Where the string ends that goes on here.
#[inline(never)]
fn quote_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut strings = Strings::default();
    while let Some(block) = bytes.get(at..)?.first_chunk() {
        let marks = Marks::of(block);
        let quotes = marks.quotes & !strings.escaped(marks.backslashes);
        if quotes != 0 {
            return Some(at + quotes.trailing_zeros() as usize + 1);
        }
        at += 32;
    }
    let mut is_escaped = strings.escaped != 0;
    for (after, byte) in bytes.get(at..)?.iter().enumerate() {
        if *byte == b'"' && !is_escaped {
            return Some(at + after + 1);
        }
        is_escaped = *byte == b'\\' && !is_escaped;
    }
    None
}

/// Where some characters are in 32 bytes, a bit for each byte.
struct Marks {
    quotes: u32,
    backslashes: u32,
    opening: u32,
    closing: u32,
}

impl Marks {
    #[inline(always)]
    fn of(block: &[u8; 32]) -> Self {
        let mut marks = Self {
            quotes: 0,
            backslashes: 0,
            opening: 0,
            closing: 0,
        };
        let (parts, _) = block.as_chunks::<16>();
        for (part, shift) in parts.iter().zip([0, 16]) {
            let part = u8x16::new(*part);
            let mark = |part: u8x16, byte| part.simd_eq(u8x16::splat(byte)).to_bitmask() << shift;
            marks.quotes |= mark(part, b'"');
            marks.backslashes |= mark(part, b'\\');
            // `[` and `{`, `]` and `}` are one bit apart, and nothing else is there.
            let brackets = part | u8x16::splat(b'{' ^ b'[');
            marks.opening |= mark(brackets, b'{');
            marks.closing |= mark(brackets, b'}');
        }
        marks
    }
}

/// What goes over from one block to the next.
#[derive(Default)]
struct Strings {
    /// All bits are set if a string has begun.
    inside: u32,
    /// One if the next character is escaped.
    escaped: u32,
}

impl Strings {
    /// Where as many brackets as `depth` are closed in the last bytes, which are less than a block.
    fn end_in(&self, rest: &[u8], mut depth: u32) -> Option<usize> {
        let (mut is_inside, mut is_escaped) = (self.inside != 0, self.escaped != 0);
        for (at, byte) in rest.iter().enumerate() {
            if is_escaped {
                is_escaped = false;
                continue;
            }
            match byte {
                b'\\' => is_escaped = true,
                b'"' => is_inside = !is_inside,
                b'{' | b'[' if !is_inside => depth += 1,
                b'}' | b']' if !is_inside => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The bytes that are in strings, with the quote before them.
    #[inline(always)]
    fn inside(&mut self, marks: &Marks) -> u32 {
        let mut quotes = marks.quotes & !self.escaped(marks.backslashes);
        // Each bit becomes whether there is an odd number of quotes up to it.
        for shift in [1, 2, 4, 8, 16] {
            quotes ^= quotes << shift;
        }
        let inside = quotes ^ self.inside;
        self.inside = 0_u32.wrapping_sub(inside >> 31);
        inside
    }

    /// The bytes that are escaped: every second one of those that follow a backslash without a break.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u32) -> u32 {
        const EVEN: u32 = 0x5555_5555;
        if backslashes | self.escaped == 0 {
            return 0;
        }
        let backslashes = backslashes & !self.escaped;
        let behind = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !behind;
        // A run that starts at an odd byte carries over to where it ends.
        let (ends, is_over) = odd_starts.overflowing_add(backslashes);
        self.escaped = u32::from(is_over);
        (EVEN ^ (ends << 1)) & behind
    }
}
