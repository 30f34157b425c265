//! `rollout-guard explain`: what a code means.

use std::io::Write;

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;

/// Explain the code of a message, with a rejected and a mended example
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
                writeln!(out, "{code}\n    {}", first_sentence(section))?;
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
        writeln!(out, "{}", section.trim_end())?;
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

fn codes() -> impl Iterator<Item = &'static str> {
    MESSAGES.lines().filter_map(|line| line.strip_prefix("## "))
}

/// `[text](url)` becomes `text`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        if let Some((label, target)) = link.split_once("](")
            && let Some((_, behind)) = target.split_once(')')
        {
            plain.push_str(label);
            rest = behind;
        } else {
            plain.push('[');
            rest = link;
        }
    }
    plain + rest
}
