//! How it is told that something went wrong: one line on stderr, and the exit code.

use std::{
    io::{self, Write},
    panic,
    process::{self, ExitCode},
};

use clap::error::ErrorKind;
use thiserror::Error;

use super::document::reason;

/// Arguments that the parser of the command line could not see through.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct WrongArguments(pub String);

/// The policy does not want these settings. The text begins as kwctl's does, and the policy's
/// message keeps its lines.
#[derive(Debug, Error)]
#[error("Provided settings are not valid: {0}")]
pub(super) struct InvalidSettings(pub(super) String);

const FAILURE: i32 = 1;
const WRONG_ARGUMENTS: u8 = 2;

/// Tells what stopped a command. That nobody reads the output any more is no failure.
pub fn of_command(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        tell(&format!("cannot write the output: {}", reason(error)));
    } else if error.is::<InvalidSettings>() {
        let lines: Vec<_> = error.to_string().lines().map(printable).collect();
        tell(&lines.join("\n"));
    } else {
        tell(&one_line(&format!("{error:#}")));
    }
    if error.is::<WrongArguments>() {
        return ExitCode::from(WRONG_ARGUMENTS);
    }
    ExitCode::FAILURE
}

/// Makes a panic an ordinary failure. wasmtime-provider panics when a guest gives it an address
/// beyond the guest's memory.
pub fn catch_panics() {
    panic::set_hook(Box::new(|panic| {
        let cause = panic.payload_as_str().unwrap_or("no cause given");
        tell(&format!("internal error: {}", one_line(cause)));
        process::exit(FAILURE);
    }));
}

/// Prints the help or the version, or tells what is wrong with the arguments.
pub fn of_arguments(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe: nobody reads it any more.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(WRONG_ARGUMENTS)
        }
        _ => {
            tell(&of_parser(&error.to_string()));
            ExitCode::from(WRONG_ARGUMENTS)
        }
    }
}

/// The parser's text, which goes over several paragraphs, on one line.
fn of_parser(text: &str) -> String {
    let parts = text.split("\n\n").filter_map(|paragraph| {
        let paragraph = joined(paragraph).replace('\'', "`");
        if let Some(tip) = paragraph.strip_prefix("tip: ") {
            return Some(format!(" ({tip})"));
        }
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            // The words before the first option or value.
            let command: Vec<_> = usage
                .split(' ')
                .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
                .collect();
            return Some(format!(", see `{} --help`", command.join(" ")));
        }
        paragraph.strip_prefix("error: ").map(str::to_owned)
    });
    parts.collect()
}

/// The lines of a paragraph: what is wrong, and below it the arguments that it is about.
fn joined(paragraph: &str) -> String {
    let mut lines = paragraph
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let arguments: Vec<_> = lines
        .map(|line| match line.strip_prefix('[') {
            Some(_) => line.to_owned(),
            None => format!("`{line}`"),
        })
        .collect();
    printable(format!("{first} {}", arguments.join(", ")).trim_end())
}

fn tell(message: &str) {
    // When stderr is closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// A text without line breaks and control characters.
pub fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    printable(&words.join(" "))
}

/// A text whose control characters are escaped: it must not steer the terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let (plain, escaped) = if character.is_control() {
                (None, Some(character.escape_default()))
            } else {
                (Some(character), None)
            };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}
