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
            b'?' => !is_continuation(found) && char::from(found) != ANY_DEPTH,
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

/// In [`may_meet`], any characters: there `*` and `?` are no `/`. No image has it.
pub(crate) const ANY_DEPTH: char = '>';

/// What is held against another glob in [`may_meet`] is no longer: paths have 255 characters at most.
const LONGEST: usize = 270;

/// Whether some text matches both globs, in which [`ANY_DEPTH`] is a wildcard too. The second comes in two parts.
///
/// It may say yes where the answer is no, for what is longer than a path.
pub(crate) fn may_meet(left: &str, (right, end): (&str, &str)) -> bool {
    let is_star = |byte: u8| byte == b'*' || char::from(byte) == ANY_DEPTH;
    // Whether a wildcard can be this character.
    let takes = |wildcard: u8, byte: u8| byte != b'/' || char::from(wildcard) == ANY_DEPTH;
    let is_wild = |byte: u8| is_star(byte) || byte == b'?';
    let left = left.as_bytes();
    let right_at = |at: usize| {
        let later = || end.as_bytes().get(at.checked_sub(right.len())?);
        right.as_bytes().get(at).or_else(later).copied()
    };
    let (mut from, mut left_end, mut right_end) = (0, left.len(), right.len() + end.len());
    // Most differ before their first wildcard, or behind their last.
    while let (Some(&one), Some(other)) = (left.get(from), right_at(from))
        && !is_wild(one)
        && !is_wild(other)
    {
        if one != other {
            return false;
        }
        from += 1;
    }
    while left_end > from
        && right_end > from
        && let (Some(&one), Some(other)) = (left.get(left_end - 1), right_at(right_end - 1))
        && !is_wild(one)
        && !is_wild(other)
    {
        if one != other {
            return false;
        }
        (left_end, right_end) = (left_end - 1, right_end - 1);
    }
    let is_anything = |byte: Option<u8>| byte.map(char::from) == Some(ANY_DEPTH);
    if (left_end == from + 1 && is_anything(left.get(from).copied()))
        || (right_end == from + 1 && is_anything(right_at(from)))
    {
        return true;
    }
    // Whether what is left of both, from each position on, may be the same text: from the end. Two rows are
    // enough.
    let (mut below, mut here) = ([false; LONGEST], [false; LONGEST]);
    if right_end - from >= LONGEST {
        return true;
    }
    for at_left in (from..=left_end).rev() {
        let one = left.get(at_left).copied().filter(|_| at_left < left_end);
        for at_right in (from..=right_end).rev() {
            let other = right_at(at_right).filter(|_| at_right < right_end);
            let open = |row: &[bool], at: usize| row.get(at - from) == Some(&true);
            let meets = match (one, other) {
                (None, None) => true,
                (Some(one), _) if is_star(one) && open(&below, at_right) => true,
                (_, Some(other)) if is_star(other) && open(&here, at_right + 1) => true,
                (Some(one), Some(other)) if is_star(one) => {
                    takes(one, other) && open(&here, at_right + 1)
                }
                (Some(one), Some(other)) if is_star(other) => {
                    takes(other, one) && open(&below, at_right)
                }
                (Some(one), Some(other)) => {
                    (one == other
                        || (one == b'?' && takes(one, other))
                        || (other == b'?' && takes(other, one)))
                        && open(&below, at_right + 1)
                }
                _ => false,
            };
            if let Some(slot) = here.get_mut(at_right - from) {
                *slot = meets;
            }
        }
        std::mem::swap(&mut below, &mut here);
    }
    below.first() == Some(&true)
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
    // The end tells most texts apart.
    if let Some(last) = pattern.last()
        && !matches!(last, b'*' | b'?')
        && text.last() != Some(last)
    {
        return false;
    }
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
    fn globs_meet_in_a_text() {
        for (left, right) in [
            ("a", "a"),
            ("*", ""),
            ("a*", "*b"),
            ("a?c", "*b*"),
            ("*x*", "*y*"),
            ("a/*/c", "a/b>"),
            (">", "a/b"),
            ("*/?", "a>"),
            ("a/>", "*/b/c"),
        ] {
            for (left, right) in [(left, right), (right, left)] {
                for at in 0..=right.len() {
                    assert!(may_meet(left, right.split_at(at)), "{left} {right}");
                }
            }
        }
        for (left, right) in [
            ("a", "b"),
            ("a*", "b*"),
            ("*a", "*b"),
            ("a?", "a"),
            ("", "?*"),
            ("a/*/c", "a/b*"),
            ("*", "a/b"),
            ("a?b", "a/b"),
            ("a/>", "a"),
        ] {
            for (left, right) in [(left, right), (right, left)] {
                for at in 0..=right.len() {
                    assert!(!may_meet(left, right.split_at(at)), "{left} {right}");
                }
            }
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
