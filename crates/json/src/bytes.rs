//! What looks at the bytes of texts, eight at a time: the rest of the module is compiled for size, and the
//! standard library's own looks at one.

/// Whether a text holds one of these bytes of ASCII.
#[inline(never)]
pub fn has_any(text: &str, wanted: [u8; 3]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let holds = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        wanted.iter().any(|byte| {
            let others = word ^ (ONES * u64::from(*byte));
            others.wrapping_sub(ONES) & !others & ONES << 7 != 0
        })
    };
    let bytes = text.as_bytes();
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().chain([last]).any(holds),
        None => bytes.iter().any(|byte| wanted.contains(byte)),
    }
}

/// Whether two texts are the same to the byte.
#[inline(always)]
pub fn is_same(left: &str, right: &str) -> bool {
    // Most are told by their lengths.
    left.len() == right.len() && has_same_bytes(left.as_bytes(), right.as_bytes())
}

#[inline(never)]
fn has_same_bytes(left: &[u8], right: &[u8]) -> bool {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut words = left.iter().zip(right);
    let mut rests = left_rest.iter().zip(right_rest);
    words.all(|(left, right)| left == right) && rests.all(|(left, right)| left == right)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
