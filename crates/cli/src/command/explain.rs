//! `rollout-guard explain`: what a code means.

use std::io::{self, IsTerminal, Write};

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::wrap::{columns, wrap};

/// Explain the code of a message, with an example that is refused and one that passes
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  rollout-guard explain registry-not-allowed")]
pub(crate) struct Explain {
    /// The code in brackets at the end of a message; without it, all codes
    code: Option<String>,
}

const MESSAGES: &str = include_str!("../../../../docs/messages.md");

impl Explain {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let Some(code) = &self.code else {
            for code in codes() {
                let section = section(code).unwrap_or_default();
                let sentence = format!("    {}", first_sentence(section));
                writeln!(out, "{code}\n{}", wrap(&sentence, columns(), 0))?;
            }
            return Ok(Exit::Clean);
        };
        let wanted = code.trim_matches(['[', ']']).to_ascii_lowercase();
        let Some(section) = section(&wanted) else {
            let nearest = codes()
                .map(|known| (strsim::damerau_levenshtein(known, &wanted), known))
                .min()
                .filter(|(distance, _)| *distance <= 4);
            let instead = match nearest {
                Some((_, known)) => format!("did you mean `{known}`?"),
                None => "`rollout-guard explain` lists all".to_owned(),
            };
            return Err(Failure::wrong_use(format!("no code `{code}`, {instead}")));
        };
        if io::stdout().is_terminal() {
            write!(out, "{}", plain(section, columns()))?;
        } else {
            writeln!(out, "{}", markdown(section).trim_end())?;
        }
        Ok(Exit::Clean)
    }
}

/// The section of a code, with its heading.
pub(crate) fn section(code: &str) -> Option<&'static str> {
    let heading = format!("\n## {code}\n");
    let start = MESSAGES.find(&heading)? + 1;
    let rest = MESSAGES.get(start..)?;
    let end = rest.find("\n## ").map_or(rest.len(), |end| end + 1);
    rest.get(..end)
}

/// What a section says first, without the marks of links and code.
pub(crate) fn first_sentence(section: &str) -> String {
    let text = section.split("\n\n").nth(1).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = match text.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => text,
    };
    without_links(&sentence)
}

/// Every code that has a section.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    MESSAGES.lines().filter_map(|line| line.strip_prefix("## "))
}

/// A section as Markdown that can be read anywhere: its links lead to the pages of the repository.
pub(crate) fn markdown(section: &str) -> String {
    with_links(section, |label, url| format!("[{label}]({url})"))
}

/// A section as plain text: without marks of Markdown, with the addresses of its links, and with its
/// paragraphs broken to fit so many columns.
pub(crate) fn plain(section: &str, columns: Option<usize>) -> String {
    let section = with_links(section, |label, url| format!("{label} ({url})"));
    let mut text = String::new();
    let mut paragraph = String::new();
    let mut is_example = false;
    let end = |paragraph: &mut String, text: &mut String| {
        if !paragraph.is_empty() {
            let more = if paragraph.starts_with("- ") { 2 } else { 0 };
            text.push_str(&wrap(paragraph, columns, more));
            text.push('\n');
            paragraph.clear();
        }
    };
    for line in section.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            end(&mut paragraph, &mut text);
            // The word behind the language says what the example is: `yaml refused`.
            if let Some((_, what)) = fence.split_once(' ') {
                text.push_str(what);
                text.push_str(":\n");
            }
            is_example = !is_example;
        } else if is_example {
            let line = format!("    {line}");
            text.push_str(line.trim_end());
            text.push('\n');
        } else if line.is_empty() {
            end(&mut paragraph, &mut text);
            text.push('\n');
        } else {
            if line.starts_with("- ") {
                end(&mut paragraph, &mut text);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            let line = line.trim_start_matches('#').trim();
            paragraph.push_str(&line.replace("**", ""));
        }
    }
    end(&mut paragraph, &mut text);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A text in which each link becomes what `link` makes of its label and its address.
fn with_links(text: &str, link: impl Fn(&str, &str) -> String) -> String {
    const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/");
    let mut linked = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('[') {
        linked.push_str(before);
        if let Some((label, target)) = behind.split_once("](")
            && !label.contains(['[', '\n'])
            && let Some((target, behind)) = target.split_once(')')
        {
            let url = if target.contains("://") {
                target.to_owned()
            } else if target.starts_with('#') {
                format!("{DOCS}messages.md{target}")
            } else {
                format!("{DOCS}{target}")
            };
            linked.push_str(&link(label, &url));
            rest = behind;
        } else {
            linked.push('[');
            rest = behind;
        }
    }
    linked + rest
}

/// `[text](url)` becomes `text`.
fn without_links(text: &str) -> String {
    with_links(text, |label, _| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_addresses_and_no_marks() {
        let section = "## a-code\n\nSet [`x`](settings.md#x), **or**\nnot [y](#y). See [z](https://z/).\n\n```yaml refused\na: [1]\n```\n";
        let docs = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/");
        assert_eq!(
            plain(section, None),
            format!(
                "a-code\n\nSet `x` ({docs}settings.md#x), or not y ({docs}messages.md#y). See z (https://z/).\n\nrefused:\n    a: [1]\n"
            )
        );
        assert!(markdown(section).contains(&format!("[`x`]({docs}settings.md#x)")));
        assert!(markdown(section).contains("a: [1]"));
    }

    #[test]
    fn no_section_has_marks_of_markdown_left_in_it() {
        for code in codes() {
            let text = plain(section(code).unwrap(), Some(60));
            assert!(text.starts_with(code), "{text}");
            assert!(!text.contains("](") && !text.contains("```"), "{text}");
        }
    }
}
