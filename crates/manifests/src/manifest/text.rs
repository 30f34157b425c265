//! Lines and columns of a text.

use std::cell::Cell;
use std::ops::Range;

/// Of a longer line only this many bytes around a place are kept.
const LONGEST_LINE: usize = 400;

/// A place in a text as editors count: both from one, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The lines of a text.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// A byte and the characters before it in its line: those of a very long line are counted once.
    counted: Cell<(usize, usize)>,
}

/// The lines around a range of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the first line.
    pub line: usize,
    /// The lines.
    pub text: String,
    /// Where the range is in this text.
    pub span: Range<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines of a text.
    pub fn new(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
            counted: Cell::new((0, 0)),
        }
    }

    /// The line and column of a byte.
    pub fn position(&self, at: usize) -> Position {
        let at = self.text.floor_char_boundary(at);
        let (line, start) = self.line(at);
        let (mut from, mut column) = self.counted.get();
        if from < start || from > at {
            (from, column) = (start, 0);
        }
        let between = self.text.get(from..at).unwrap_or_default();
        column += between.chars().filter(|mark| *mark != '\u{feff}').count();
        self.counted.set((at, column));
        Position {
            line,
            column: column + 1,
        }
    }

    /// The first line of a range.
    pub fn excerpt(&self, range: &Range<usize>) -> Excerpt {
        let (line, start) = self.line(range.start);
        let rest = self.text.get(start..).unwrap_or_default();
        let whole = rest.split('\n').next().unwrap_or_default();
        let trimmed = whole.trim_start_matches('\u{feff}');
        let mut start = start + whole.len() - trimmed.len();
        let mut shown = trimmed.trim_end_matches('\r');
        if shown.len() > LONGEST_LINE {
            let from =
                shown.floor_char_boundary((range.start - start).saturating_sub(LONGEST_LINE / 4));
            let to = shown.floor_char_boundary((from + LONGEST_LINE).min(shown.len()));
            shown = shown.get(from..to).unwrap_or_default();
            start += from;
        }
        let from = range.start.saturating_sub(start).min(shown.len());
        let to = range.end.saturating_sub(start).clamp(from, shown.len());
        Excerpt {
            line,
            text: shown.to_owned(),
            span: from..to,
        }
    }

    /// The number of the line that holds a byte, and where it begins.
    fn line(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line));
        (line, start.copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_one_and_in_characters() {
        let text = "\u{feff}é: x\r\nb:\n  c: y";
        let lines = Lines::new(text);
        let at = |needle| {
            let position = lines.position(text.find(needle).unwrap());
            (position.line, position.column)
        };
        assert_eq!(at('é'), (1, 1));
        assert_eq!(at('x'), (1, 4));
        assert_eq!(at('y'), (3, 6));
        assert_eq!(at('b'), (2, 1));
    }

    #[test]
    fn an_excerpt_is_the_line_without_its_end() {
        let text = "\u{feff}é: x\r\nb: 1";
        let excerpt = Lines::new(text).excerpt(&(7..8));
        assert_eq!((excerpt.line, excerpt.text.as_str()), (1, "é: x"));
        assert_eq!(excerpt.text.get(excerpt.span), Some("x"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}needle{}", "é".repeat(5000), "é".repeat(5000));
        let excerpt = Lines::new(&text).excerpt(&(10_000..10_006));
        assert!(excerpt.text.len() <= LONGEST_LINE);
        assert_eq!(excerpt.text.get(excerpt.span), Some("needle"));
    }
}
