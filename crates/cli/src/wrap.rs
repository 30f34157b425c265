//! Lines that fit a terminal.

use std::io::{self, IsTerminal};

/// The columns that output should fit: what `COLUMNS` says, else those of the terminal. None where the
/// output goes to a file or to a program.
pub(crate) fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let of_terminal = || {
        let is_terminal = io::stdout().is_terminal();
        let size = is_terminal.then(terminal_size::terminal_size).flatten();
        size.map(|(width, _)| usize::from(width.0))
    };
    said.or_else(of_terminal).filter(|columns| *columns > 0)
}

/// Breaks a line at spaces, so that it fits; what follows stands as far in as the line did, and
/// `more`. A word that is longer than that stays whole.
pub(crate) fn wrap(line: &str, columns: Option<usize>, more: usize) -> String {
    let Some(columns) = columns.filter(|columns| visible(line) > *columns) else {
        return line.to_owned();
    };
    let words = line.trim_start();
    let indent = line.len() - words.len();
    let mut wrapped = " ".repeat(indent);
    let mut width = indent;
    for (position, word) in words.split(' ').enumerate() {
        let length = visible(word);
        if position > 0 && width + 1 + length > columns {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent + more));
            width = indent + more;
        } else if position > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
    }
    wrapped
}

/// The characters of a text that a terminal shows: without the sequences that colour it.
fn visible(word: &str) -> usize {
    let mut count = 0;
    let mut rest = word.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            rest.by_ref().find(char::is_ascii_alphabetic);
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_stay_in() {
        assert_eq!(wrap("  one two three", Some(9), 2), "  one two\n    three");
        assert_eq!(wrap("  one two three", None, 2), "  one two three");
        assert_eq!(
            wrap("a-very-long-word b", Some(5), 0),
            "a-very-long-word\nb"
        );
        assert_eq!(
            wrap("\u{1b}[31mred\u{1b}[0m one", Some(7), 0),
            "\u{1b}[31mred\u{1b}[0m one"
        );
    }
}
