//! A message with the line that it is about.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet as Source};

use crate::failure::printable;
use crate::finding::Severity;
use crate::manifest::{Excerpt, Position};
use crate::wrap::{columns, wrap};

/// A message with the line that it is about, laid out for a person.
///
/// The colours are always in it: the stream that it is written to leaves them out where they do not
/// belong.
#[derive(Clone, Debug)]
pub(crate) struct Snippet<'s> {
    level: Level<'static>,
    code: Option<&'s str>,
    message: &'s str,
    source: Option<(&'s str, Result<&'s Excerpt, Position>, &'s str)>,
    note: Option<&'s str>,
}

impl<'s> Snippet<'s> {
    pub(crate) fn new(severity: Severity, message: &'s str) -> Self {
        Self {
            level: match severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            },
            code: None,
            message,
            source: None,
            note: None,
        }
    }

    pub(crate) fn code(mut self, code: &'s str) -> Self {
        self.code = Some(code);
        self
    }

    /// The lines, and what to write beside the place in them.
    pub(crate) fn at(mut self, file: &'s str, excerpt: &'s Excerpt, label: &'s str) -> Self {
        self.source = Some((file, Ok(excerpt), label));
        self
    }

    /// As [`at`](Self::at), without the lines where these are not to be shown.
    pub(crate) fn place(
        mut self,
        file: &'s str,
        at: Position,
        excerpt: Option<&'s Excerpt>,
        label: &'s str,
    ) -> Self {
        self.source = Some((file, excerpt.ok_or(at), label));
        self
    }

    pub(crate) fn note(mut self, note: &'s str) -> Self {
        self.note = Some(note);
        self
    }

    pub(crate) fn render(self) -> String {
        let columns = columns();
        let message = printable(self.message);
        let mut title = self.level.primary_title(&message);
        if let Some(code) = self.code {
            title = title.id(code);
        }
        let mut label = String::new();
        let mut is_beside = true;
        let mut group = match self.source {
            None => annotate_snippets::Group::with_title(title),
            Some((file, Err(at), text)) => {
                label = printable(text);
                is_beside = label.is_empty();
                title.element(Origin::path(file).line(at.line).char_column(at.column))
            }
            Some((file, Ok(excerpt), text)) => {
                label = printable(text);
                // A caret needs something to stand under.
                let end = excerpt.span.end.max(excerpt.span.start + 1);
                let mut annotation = AnnotationKind::Primary.span(excerpt.span.start..end);
                is_beside = fits(columns, excerpt, &label);
                if !label.is_empty() && is_beside {
                    annotation = annotation.label(&label);
                }
                title.element(
                    Source::source(&excerpt.text)
                        .line_start(excerpt.line)
                        .path(file)
                        .annotation(annotation),
                )
            }
        };
        let note = self.note.map(printable);
        if !is_beside {
            group = group.element(Level::NOTE.message(&label));
        }
        if let Some(note) = &note {
            group = group.element(Level::NOTE.message(note));
        }
        let mut renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
        if let Some(columns) = columns {
            renderer = renderer.term_width(columns);
        }
        let text = renderer.render(&[group]);
        let mut wrapped = String::with_capacity(text.len());
        for (position, line) in text.lines().enumerate() {
            // The lines of the file are cut, not broken.
            if position == 0 || line.contains("= ") {
                wrapped.push_str(&wrap(line, columns, 4));
            } else {
                wrapped.push_str(line);
            }
            wrapped.push('\n');
        }
        wrapped
    }
}

/// Whether a label fits beside the place that it is about.
fn fits(columns: Option<usize>, excerpt: &Excerpt, label: &str) -> bool {
    let Some(columns) = columns else { return true };
    let gutter = excerpt.line.to_string().len() + " | ".len();
    let line = excerpt.text.chars().count();
    let until = excerpt.text.get(..excerpt.span.end).unwrap_or_default();
    let beside = until.chars().count() + 1 + label.chars().count();
    gutter + line.max(beside) <= columns
}
