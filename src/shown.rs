//! How text that a user wrote is shown in a message.

use std::fmt::{self, Display, Write as _};

/// At most this many characters of one piece of user text are shown.
const LONGEST: usize = 128;

/// User text as it appears in a message: control characters escaped, cut at 128 characters.
///
/// A newline in an image must not forge a line of the message, the API server drops a warning that
/// holds one, and a character that turns the direction of writing could disguise the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, character) in self.0.chars().enumerate() {
            if position == LONGEST {
                return f.write_char('…');
            }
            if is_deceptive(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Controls, line and paragraph separators, and the marks that change the direction of writing.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_forge_a_line() {
        assert_eq!(
            Shown("a\nb\u{7f}\u{2028}\u{202e}c").to_string(),
            r"a\nb\u{7f}\u{2028}\u{202e}c"
        );
    }

    #[test]
    fn cuts_at_128_characters_not_bytes() {
        assert_eq!(Shown(&"é".repeat(128)).to_string(), "é".repeat(128));
        assert_eq!(
            Shown(&"é".repeat(129)).to_string(),
            format!("{}…", "é".repeat(128))
        );
    }
}
