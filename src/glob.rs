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

/// The first and the last byte of a glob or a text; 0 for a wildcard, and of what is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    first: u8,
    last: u8,
}

impl Ends {
    pub(crate) fn of(text: &str) -> Self {
        let literal = |byte: Option<u8>| byte.filter(|byte| !matches!(byte, b'*' | b'?'));
        Self {
            first: literal(text.bytes().next()).unwrap_or_default(),
            last: literal(text.bytes().next_back()).unwrap_or_default(),
        }
    }

    /// Whether a glob with these ends may match a text with those: that tells most apart, sooner than the glob does.
    #[inline]
    pub(crate) const fn may_match(self, text: Self) -> bool {
        (self.last == text.last || self.last == 0) && (self.first == text.first || self.first == 0)
    }
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

/// In [`may_meet`], any characters: there `*` and `?` are no `/`.
pub(crate) const ANY_DEPTH: char = '>';

/// Whether some text matches both globs, in which [`ANY_DEPTH`] is a wildcard too.
pub(crate) fn may_meet(left: &str, right: &str) -> bool {
    let is_star = |byte: u8| byte == b'*' || char::from(byte) == ANY_DEPTH;
    // Whether a wildcard can be this character.
    let takes = |wildcard: u8, byte: u8| byte != b'/' || char::from(wildcard) == ANY_DEPTH;
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    // Most differ before their first wildcard.
    let is_wild = |byte: u8| is_star(byte) || byte == b'?';
    while let (Some((&one, after_one)), Some((&other, after_other))) =
        (left.split_first(), right.split_first())
        && !is_wild(one)
        && !is_wild(other)
    {
        if one != other {
            return false;
        }
        (left, right) = (after_one, after_other);
    }
    // Whether what is left of both, from each position on, may be the same text: from the end. Two rows are
    // enough, and memory is never freed in the module.
    let mut below = vec![false; right.len() + 1];
    let mut here = vec![false; right.len() + 1];
    for at_left in (0..=left.len()).rev() {
        for at_right in (0..=right.len()).rev() {
            let open = |row: &[bool], at: usize| row.get(at) == Some(&true);
            let meets = match (left.get(at_left), right.get(at_right)) {
                (None, None) => true,
                (Some(&one), _) if is_star(one) && open(&below, at_right) => true,
                (_, Some(&other)) if is_star(other) && open(&here, at_right + 1) => true,
                (Some(&one), Some(&other)) if is_star(one) => {
                    takes(one, other) && open(&here, at_right + 1)
                }
                (Some(&one), Some(&other)) if is_star(other) => {
                    takes(other, one) && open(&below, at_right)
                }
                (Some(&one), Some(&other)) => {
                    (one == other
                        || (one == b'?' && takes(one, other))
                        || (other == b'?' && takes(other, one)))
                        && open(&below, at_right + 1)
                }
                _ => false,
            };
            if let Some(slot) = here.get_mut(at_right) {
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
            let (pattern_ends, ends) = (Ends::of(pattern), Ends::of(text));
            assert!(pattern_ends.may_match(ends), "{pattern} {text}");
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
            assert!(may_meet(left, right), "{left} {right}");
            assert!(may_meet(right, left), "{right} {left}");
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
            assert!(!may_meet(left, right), "{left} {right}");
            assert!(!may_meet(right, left), "{right} {left}");
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
