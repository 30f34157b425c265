//! How text that a user wrote is shown in a message.

use std::fmt::{self, Display, Write as _};

/// At most this many characters of one piece of user text are shown.
const LONGEST: usize = 128;

/// User text as it appears between backticks in a message: backticks and control characters escaped,
/// cut at 128 characters. JSON is shown as it is.
///
/// A newline in an image must not forge a line of the message, the API server drops a warning that
/// holds one, and a character that turns the direction of writing could disguise the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a>(pub(crate) &'a str);

/// As [`Shown`], between double quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

/// As [`Shown`], for text that holds quotes of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, Some('`'), LONGEST)
    }
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, Some('"'), LONGEST)
    }
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, None, LONGEST)
    }
}

/// A text of ours that may hold user text, whole and on one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, None, usize::MAX)
    }
}

/// Members of an object whose values no message shows: those of Secrets, and whatever else is data.
const DATA: [&str; 3] = ["data", "stringData", "binaryData"];

/// Annotations in which tools keep the whole object as they applied it, a Secret's data included.
///
/// Sources: `pkg/apis/core/annotation_key_constants.go` of Kubernetes, "Diff stage" in the
/// documentation and `pkg/kapp/diff/resource_with_history.go` of kapp, `pkg/apply` of Rancher's wrangler,
/// `patch/annotation.go` of Banzai Cloud's k8s-objectmatcher, the configuration of kopf.
const RECORDS: [&str; 7] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "kapp.k14s.io/original-diff",
    "kapp.k14s.io/original-diff-full",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
    "kopf.zalando.org/last-handled-configuration",
];

/// Whether a member of an object is data, which no message shows.
pub(crate) fn is_private(key: &str) -> bool {
    DATA.contains(&key)
}

/// Whether an annotation holds the object as it was applied, which no message shows.
pub(crate) fn is_record(key: &str) -> bool {
    RECORDS.contains(&key)
}

/// What a process is started with: passwords stand there, although they should not.
const OF_A_PROCESS: [&str; 3] = ["env", "args", "command"];

/// Whether a message must not show the values that a field path leads to, by its keys.
pub fn is_hidden<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    keys.enumerate().any(|(at, key)| {
        (at == 0 && is_private(key)) || is_record(key) || OF_A_PROCESS.contains(&key)
    })
}

/// Of a list a message names this many entries.
pub(crate) const NAMED: usize = 5;

/// Entries of a list as a message names them: the first few.
pub(crate) fn listed(entries: &[&str]) -> String {
    let text = quoted(entries.get(..NAMED).unwrap_or(entries), ", ");
    match entries.len().checked_sub(NAMED) {
        None | Some(0) => text,
        Some(more) => format!("{text} and {more} more"),
    }
}

/// As [`listed`], of which one is to be chosen.
pub(crate) fn one_of(entries: &[&str]) -> String {
    let mut text = listed(entries);
    if entries.len() != 1 {
        text.insert_str(0, "one of ");
    }
    text
}

/// Texts in quotes, with `word` between them.
#[inline(never)]
pub(crate) fn quoted(texts: &[&str], word: &str) -> String {
    let mut all = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            all += word;
        }
        // Writing to a string cannot fail.
        let _ = fmt::write(&mut all, format_args!("`{}`", Shown(text)));
    }
    all
}

fn write(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    quote: Option<char>,
    longest: usize,
) -> fmt::Result {
    // Nearly every text is as plain as this.
    let is_plain = |byte| matches!(byte, b' '..=b'~') && Some(char::from(byte)) != quote;
    if text.len() <= longest && text.bytes().all(is_plain) {
        return f.write_str(text);
    }
    for (position, character) in text.chars().enumerate() {
        if position == longest {
            return f.write_char('…');
        }
        if Some(character) == quote {
            f.write_char('\\')?;
        }
        if is_deceptive(character) {
            write!(f, "{}", character.escape_default())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

/// Controls, line and paragraph separators, marks that change the direction of writing, and
/// characters without width.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{2066}'..='\u{2069}')
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
    fn escapes_the_quotes_of_messages() {
        assert_eq!(Shown("a`b\"").to_string(), r#"a\`b""#);
        assert_eq!(Quoted("a`b\"").to_string(), r#"a`b\""#);
        assert_eq!(Escaped("a`b\"").to_string(), "a`b\"");
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
