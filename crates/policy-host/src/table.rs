//! Text in aligned columns.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Rows of cells, of which the last may be missing.
pub(crate) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

/// To which side the cells of a column go.
#[derive(Clone, Copy)]
pub(crate) enum Alignment {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// A table without a header line.
    pub(crate) fn new(alignments: &[Alignment]) -> Self {
        Self {
            alignments: alignments.to_owned(),
            rows: Vec::new(),
        }
    }

    /// Adds a line.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) {
        self.rows
            .push(cells.iter().map(ToString::to_string).collect());
    }

    /// Writes all lines.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<_> = (0..self.alignments.len())
            .map(|column| {
                let widths = self.rows.iter().filter_map(|row| row.get(column));
                widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for row in &self.rows {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .zip(&self.alignments)
                .map(|((cell, &width), alignment)| match alignment {
                    Alignment::Left => format!("{cell:<width$}"),
                    Alignment::Right => format!("{cell:>width$}"),
                })
                .collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A number with its thousands set apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
