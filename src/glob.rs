//! Globs: `*` is any characters, `?` is one.

/// Whether the whole of `text` matches `pattern`. Case counts.
///
/// ```
/// use rollout_guard::glob;
///
/// assert!(glob::matches("prod-*", "prod-eu"));
/// assert!(!glob::matches("prod-?", "prod-"));
/// ```
pub fn matches(pattern: &str, text: &str) -> bool {
    run(
        pattern.as_bytes(),
        text.as_bytes(),
        |wanted, found| match wanted {
            // `?` is one character, however many bytes it has.
            b'?' => !is_continuation(found),
            _ => wanted == found,
        },
    )
}

/// Whether `pattern` certainly matches everything that the glob `other` matches.
///
/// It may say no where the answer is yes, never the other way round.
pub(crate) fn covers(pattern: &str, other: &str) -> bool {
    run(
        pattern.as_bytes(),
        other.as_bytes(),
        |wanted, found| match wanted {
            b'?' => found != b'*' && !is_continuation(found),
            _ => wanted == found,
        },
    )
}

/// Whether the text holds a wildcard.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Matches with a single point to return to, the last `*`: the time is at most the product of the
/// two lengths, whatever the pattern.
fn run(pattern: &[u8], text: &[u8], step: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&found) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(&wanted) if step(wanted, found) => {
                at += 1;
                read += 1;
                // A character that `?` took is taken whole.
                if wanted == b'?' {
                    while text.get(read).is_some_and(|&byte| is_continuation(byte)) {
                        read += 1;
                    }
                }
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = star else {
            return false;
        };
        at = after + 1;
        read = from + 1;
        star = Some((after, read));
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&byte| byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_whole_text() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "anything"),
            ("a*c", "abbc"),
            ("a*c", "ac"),
            ("*b*", "abc"),
            ("a?c", "aéc"),
            ("*a*b*c*", "xaybzc"),
            ("**", "x"),
            ("*?", "é"),
            ("*-rc*", "1.0-rc1"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a", "A"),
            ("a*c", "abcd"),
            ("?", ""),
            ("?", "ab"),
            ("??", "é"),
            ("a?", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn covering_is_matching_every_match() {
        for (pattern, other) in [
            ("*", "a*"),
            ("a*", "a?b*"),
            ("a?", "a?"),
            ("*.io", "*.corp.io"),
            ("a", "a"),
        ] {
            assert!(covers(pattern, other), "{pattern} {other}");
        }
        for (pattern, other) in [
            ("a?", "a*"),
            ("a", "?"),
            ("*.corp.io", "*.io"),
            ("ab*", "a*"),
        ] {
            assert!(!covers(pattern, other), "{pattern} {other}");
        }
    }
}
