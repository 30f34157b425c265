//! Holds short values against plain patterns as they are written, where to compile a pattern costs many
//! times more than to use it once.
//!
//! The pattern is read once from left to right. The places in the value that what was read can reach are
//! kept as a set of bits. Nothing is tried and taken back, so the time is bounded by the product of the
//! two lengths, and by [`MOST_STEPS`] where groups repeat in groups.

/// A bit for each character of the value, and one for its end: what is there may be next.
type Places = u64;

/// A value has at most this many characters, so that there is a place for its end.
const LONGEST_VALUE: usize = 63;

/// How many characters, classes and groups are looked at, those in repeated groups each time.
const MOST_STEPS: usize = 4096;

/// How deep groups may be nested.
const DEEPEST: usize = 16;

/// From `Z` to `a`, in the half of a [`Class`] that has the letters.
const CASES: u64 = 0xFF << (b'Z' - 64);

/// Whether a pattern matches a whole value; `None` if the value is long, if groups are nested too deep or
/// repeat too often, or if the pattern has other parts than characters, classes of them, groups,
/// alternatives and counts, and `(?i)` before all.
///
/// It means what it does to `regex-lite`: classes such as `\d` and letter case are those of ASCII. Here it
/// may be larger than what is compiled: such a pattern is found where settings are validated.
pub(super) fn matches(pattern: &str, value: &str, ignores_case: bool) -> Option<bool> {
    // Plain patterns do not tell characters beyond ASCII apart.
    let characters = value
        .chars()
        .map(|character| u8::try_from(character).unwrap_or(u8::MAX))
        .take(LONGEST_VALUE + 1);
    let characters: Vec<u8> = characters.collect();
    if characters.len() > LONGEST_VALUE {
        return None;
    }
    let folded = pattern.strip_prefix("(?i)");
    let mut matcher = Matcher {
        pattern: folded.unwrap_or(pattern).as_bytes(),
        at: 0,
        characters: &characters,
        ignores_case: ignores_case || folded.is_some(),
        steps: 0,
    };
    let reached = matcher.alternatives(1, 0)?;
    (matcher.at == matcher.pattern.len()).then_some(reached >> characters.len() & 1 == 1)
}

struct Matcher<'m> {
    pattern: &'m [u8],
    /// What of the pattern is read next.
    at: usize,
    /// The characters of the value; all beyond ASCII are the same.
    characters: &'m [u8],
    ignores_case: bool,
    steps: usize,
}

/// What a count stands behind.
enum Part {
    /// A character or a class of them.
    Character(Class),
    /// A group, and where in the pattern its inside begins.
    Group(usize),
}

impl Matcher<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    /// Takes what is next in the pattern if it is this.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Where alternatives lead from some places.
    fn alternatives(&mut self, from: Places, depth: usize) -> Option<Places> {
        let mut reached = 0;
        loop {
            reached |= self.sequence(from, depth)?;
            if !self.take(b'|') {
                return Some(reached);
            }
        }
    }

    fn sequence(&mut self, from: Places, depth: usize) -> Option<Places> {
        let mut places = from;
        loop {
            match self.peek() {
                None | Some(b'|' | b')') => return Some(places),
                Some(byte) if self.is_literal(byte) => {
                    self.at += 1;
                    self.steps += 1;
                    let mut class = Class::default();
                    class.add(byte, byte);
                    places = self.advance(places, class);
                    continue;
                }
                Some(_) => {}
            }
            let part = self.part()?;
            let mut reached = self.step(&part, places, depth)?;
            let (least, most) = self.count()?;
            let behind = self.at;
            places = if least == 0 { places } else { 0 };
            let mut times = 1;
            while times <= most {
                if times >= least {
                    // From where it got in fewer turns it goes on at least as far.
                    reached &= !places;
                    places |= reached;
                }
                if reached == 0 {
                    break;
                }
                times += 1;
                if times <= most {
                    reached = self.step(&part, reached, depth)?;
                }
            }
            self.at = behind;
        }
    }

    /// Whether what comes next is this character once: most of a pattern is.
    fn is_literal(&self, byte: u8) -> bool {
        let is_count = |next: &u8| matches!(next, b'*' | b'+' | b'?' | b'{');
        (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b',' | b':' | b'/' | b'_'))
            && !self.pattern.get(self.at + 1).is_some_and(is_count)
    }

    /// The places behind the characters at `from` that are of a class.
    fn advance(&self, from: Places, mut class: Class) -> Places {
        if self.ignores_case {
            class.fold();
        }
        let (mut reached, mut left) = (0, from);
        while left != 0 {
            let character = self.characters.get(left.trailing_zeros() as usize);
            let place = left & left.wrapping_neg();
            left ^= place;
            if character.is_some_and(|character| class.has(*character)) {
                reached |= place << 1;
            }
        }
        reached
    }

    /// Reads what comes next, but not a group: only where it begins.
    fn part(&mut self) -> Option<Part> {
        if !self.take(b'(') {
            return self.class().map(Part::Character);
        }
        if self.take(b'?') && !self.take(b':') {
            return None;
        }
        Some(Part::Group(self.at))
    }

    /// Where a part leads from some places. Behind a group, its end is what is read next.
    fn step(&mut self, part: &Part, from: Places, depth: usize) -> Option<Places> {
        self.steps += 1;
        match part {
            Part::Character(class) => Some(self.advance(from, *class)),
            Part::Group(inside) if depth < DEEPEST && self.steps < MOST_STEPS => {
                self.at = *inside;
                let reached = self.alternatives(from, depth + 1)?;
                self.take(b')').then_some(reached)
            }
            Part::Group(_) => None,
        }
    }

    /// How often the part before may stand there: at least, and at most.
    fn count(&mut self) -> Option<(usize, usize)> {
        let count = match self.peek() {
            Some(b'*') => (0, usize::MAX),
            Some(b'+') => (1, usize::MAX),
            Some(b'?') => (0, 1),
            Some(b'{') => {
                self.at += 1;
                let least = self.number()?;
                let most = if !self.take(b',') {
                    least
                } else if self.peek() == Some(b'}') {
                    usize::MAX
                } else {
                    self.number()?
                };
                if self.peek() != Some(b'}') || most < least {
                    return None;
                }
                (least, most)
            }
            _ => return Some((1, 1)),
        };
        self.at += 1;
        // A count behind a count says how it is tried, or counts again.
        let is_last = !matches!(self.peek(), Some(b'*' | b'+' | b'?' | b'{'));
        is_last.then_some(count)
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0'));
            self.at += 1;
            if number > Some(999) {
                return None;
            }
        }
        number
    }

    /// A character, or a class of them.
    fn class(&mut self) -> Option<Class> {
        let mut class = Class::default();
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'[' => {
                class.is_negated = self.take(b'^');
                loop {
                    let start = self.peek()?;
                    self.at += 1;
                    match start {
                        b'\\' => self.escaped(&mut class)?,
                        // At the end, or between the ends of a range.
                        b'-' if self.peek() != Some(b']') => return None,
                        b'[' | b']' | b'&' | b'~' | 0x80.. => return None,
                        _ if self.peek() != Some(b'-') => class.add(start, start),
                        _ => {
                            self.at += 1;
                            match self.peek()? {
                                b']' => {
                                    class.add(start, start);
                                    class.add(b'-', b'-');
                                }
                                end if start <= end
                                    && start / 64 == end / 64
                                    && end.is_ascii_alphanumeric() =>
                                {
                                    self.at += 1;
                                    class.add(start, end);
                                }
                                _ => return None,
                            }
                        }
                    }
                    if self.take(b']') {
                        break;
                    }
                }
            }
            b'.' => {
                class.is_negated = true;
                class.add(b'\n', b'\n');
            }
            b'\\' => self.escaped(&mut class)?,
            b'*' | b'+' | b'?' | b'{' | b'}' | b']' | b'^' | b'$' | 0x80.. => return None,
            _ => class.add(byte, byte),
        }
        // What runs from upper to lower case, `regex-lite` folds in part only.
        let is_across = class.halves[1] & CASES == CASES;
        (!self.ignores_case || !is_across).then_some(class)
    }

    /// Adds what a backslash and the next character stand for.
    fn escaped(&mut self, class: &mut Class) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'd' => class.add(b'0', b'9'),
            b's' => {
                class.add(b'\t', b'\r');
                class.add(b' ', b' ');
            }
            b'w' => {
                class.add(b'0', b'9');
                class.add(b'A', b'Z');
                class.add(b'_', b'_');
                class.add(b'a', b'z');
            }
            b'\\' | b'.' | b'+' | b'*' | b'?' | b'(' | b')' | b'|' | b'[' | b']' | b'{' | b'}'
            | b'^' | b'$' | b'-' | b'/' => class.add(byte, byte),
            _ => return None,
        }
        Some(())
    }
}

/// Characters of ASCII, a bit for each.
#[derive(Clone, Copy, Default)]
struct Class {
    /// Those before `@`, and those from it on.
    halves: [u64; 2],
    /// All others are meant, those beyond ASCII too.
    is_negated: bool,
}

impl Class {
    /// Adds characters of one half.
    fn add(&mut self, start: u8, end: u8) {
        let [low, high] = &mut self.halves;
        let half = if start < 64 { low } else { high };
        *half |= u64::MAX >> (63 - (end - start)) << (start & 63);
    }

    /// Adds the other case of every letter.
    fn fold(&mut self) {
        const LETTERS: u64 = 0x07FF_FFFE;
        let [_, high] = &mut self.halves;
        let letters = (*high | *high >> 32) & LETTERS;
        *high |= letters | letters << 32;
    }

    fn has(&self, byte: u8) -> bool {
        let [low, high] = self.halves;
        let half = if byte < 64 { low } else { high };
        (byte.is_ascii() && half >> (byte & 63) & 1 == 1) != self.is_negated
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    fn matches(pattern: &str, value: &str) -> Option<bool> {
        super::matches(pattern, value, false)
    }

    /// As `regex-lite` sees it; `None` if it is no pattern.
    fn by_regex(pattern: &str, value: &str) -> Option<bool> {
        let regex = Regex::new(&format!(r"\A(?:{pattern})\z")).ok()?;
        Some(regex.is_match(value))
    }

    #[test]
    fn takes_what_settings_are_made_of() {
        for (pattern, value, matched) in [
            ("", "", true),
            (
                "(http|https|tcp|udp):[0-9]{1,5}(,(http|https|tcp|udp):[0-9]{1,5})*",
                "https:443,http:80",
                true,
            ),
            (
                "(http|https|tcp|udp):[0-9]{1,5}(,(http|https|tcp|udp):[0-9]{1,5})*",
                "https:443,",
                false,
            ),
            (
                r"[^,\s]+(,[^,\s]+)*",
                "1234567_18a2b3c4d5e_-123456789_-987654321",
                true,
            ),
            (r"\$_ip|[A-Za-z0-9.-]{1,80}", "$_ip", true),
            ("(?i)on|off", "OfF", true),
            ("(?i)[^a-c]", "B", false),
            (".{1,80}", "größer", true),
            (".{1,80}", "a\nb", false),
            ("/.{0,79}", "/", true),
            (
                "(a*)*b",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
                false,
            ),
            ("[a-]{2}", "-a", true),
            ("a{0}b{2,}", "bbb", true),
            ("(a|ab)(c|bcd)", "abcd", true),
        ] {
            assert_eq!(matches(pattern, value), Some(matched), "{pattern} {value}");
            assert_eq!(by_regex(pattern, value), Some(matched), "{pattern} {value}");
        }
    }

    #[test]
    fn leaves_what_it_does_not_know() {
        for pattern in [
            "^a$",
            r"\Aa",
            r"\bx",
            r"\pL",
            r"\x41",
            "a*?",
            "a**",
            "a{1}{2}",
            "(?x)a",
            "(?P<n>a)",
            "[[:alpha:]]",
            "[a&&b]",
            "[]a]",
            "[--a]",
            "[z-a]",
            "[a-",
            "a{2,1}",
            "a{,1}",
            "a{1000}",
            "é",
            "(a",
            "a)",
            "*",
            "a|*",
            "\\",
        ] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
        assert_eq!(matches("a*", &"a".repeat(63)), Some(true));
        assert_eq!(matches("a*", &"a".repeat(64)), None);
        assert_eq!(
            matches(&format!("{}a{}", "(".repeat(16), ")".repeat(16)), "a"),
            Some(true)
        );
        assert_eq!(
            matches(&format!("{}a{}", "(".repeat(17), ")".repeat(17)), "a"),
            None
        );
        assert_eq!(
            matches("(((a{99}){99}){99}){99}", &"a".repeat(60)),
            Some(false)
        );
        assert_eq!(matches("((((a?){999}){999}){999}){999}", "a"), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4096))]
        #[test]
        fn says_what_regex_lite_says(
            pattern in proptest::collection::vec(proptest::sample::select(vec![
                "a", "b", "B", "-", ",", ".", "(", "(?:", ")", ")", "|", "*", "+", "?", "{2}", "{0,2}", "{1,}", "{",
                "[a-b]",
                "[A-b]",
                "[^B-a]", "[^a]", "[^,\\s]", "[-a]", "[a-]", "[", "]", "^", "$", r"\.", r"\s", r"\d", r"\w", r"\n", "(?i)", "é", "1", "}",
            ]), 0..10),
            value in proptest::collection::vec(proptest::sample::select(vec![
                "a", "b", "A", "B", "-", ",", ".", "é", "\n", " ", "1", "k", "\u{212a}",
            ]), 0..6),
        ) {
            let (pattern, value) = (pattern.concat(), value.concat());
            if let Some(matched) = matches(&pattern, &value) {
                proptest::prop_assert_eq!(by_regex(&pattern, &value), Some(matched), "{} {:?}", pattern, value);
            }
        }
    }
}
