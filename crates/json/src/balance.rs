//! Over a value by its brackets, 64 bytes at a time.

use wide::u8x16;

use super::value_end;

/// Where the value ends that starts here: a list or map where its brackets do, whatever stands between
/// them.
///
/// For what is known to be JSON, or need not be: nothing else is checked. Some times faster than
/// [`value_end`](crate::value_end).
pub fn balanced_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(start), Some(b'{' | b'[')) {
        return value_end(text, start);
    }
    let mut at = start;
    let mut depth = 0;
    let mut strings = Strings::default();
    loop {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let marks = if let Some(block) = rest.first_chunk() {
            Marks::of(block)
        } else {
            let mut block = [b' '; 64];
            for (to, from) in block.iter_mut().zip(rest) {
                *to = *from;
            }
            Marks::of(&block)
        };
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
        at += 64;
    }
}

/// Where some characters are in 64 bytes, a bit for each byte.
struct Marks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl Marks {
    #[inline(always)]
    fn of(block: &[u8; 64]) -> Self {
        let mut marks = Self {
            quotes: 0,
            backslashes: 0,
            opening: 0,
            closing: 0,
        };
        let (parts, _) = block.as_chunks::<16>();
        for (part, shift) in parts.iter().zip([0, 16, 32, 48]) {
            let part = u8x16::new(*part);
            let mark = |part: u8x16, byte| {
                u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask()) << shift
            };
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
    inside: u64,
    /// One if the next character is escaped.
    escaped: u64,
}

impl Strings {
    /// The bytes that are in strings, with the quote before them.
    #[inline(always)]
    fn inside(&mut self, marks: &Marks) -> u64 {
        let mut quotes = marks.quotes;
        if marks.backslashes | self.escaped != 0 {
            quotes &= !self.escaped(marks.backslashes);
        }
        // Each bit becomes whether there is an odd number of quotes up to it.
        for shift in [1, 2, 4, 8, 16, 32] {
            quotes ^= quotes << shift;
        }
        let inside = quotes ^ self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        inside
    }

    /// The bytes that are escaped: every second one of those that follow a backslash without a break.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslashes = backslashes & !self.escaped;
        let behind = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !behind;
        // A run that starts at an odd byte carries over to where it ends.
        let (ends, is_over) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(is_over);
        (EVEN ^ (ends << 1)) & behind
    }
}
