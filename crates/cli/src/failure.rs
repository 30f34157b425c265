//! What stops a command before it has an answer: a line on stderr, and the exit code.

use std::io::{self, Write};
use std::{panic, process};

use clap::error::ErrorKind;

use crate::exit::Exit;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// One line, or lines that are already laid out.
    pub(crate) text: String,
    is_laid_out: bool,
}

impl Failure {
    /// Wrong arguments, or a settings file that is none.
    pub(crate) fn wrong_use(text: impl Into<String>) -> Self {
        Self::new(Exit::WrongUse, text)
    }

    /// A file that could not be read or written.
    pub(crate) fn unreadable(text: impl Into<String>) -> Self {
        Self::new(Exit::Unreadable, text)
    }

    /// Errors that show the place in a file.
    pub(crate) const fn laid_out(exit: Exit, text: String) -> Self {
        Self {
            exit,
            text,
            is_laid_out: true,
        }
    }

    fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
            is_laid_out: false,
        }
    }

    /// Tells it, and how the command ends.
    pub(crate) fn tell(&self) -> Exit {
        if self.is_laid_out && self.text.is_empty() {
            // There is nobody to tell.
        } else if self.is_laid_out {
            let _ = writeln!(anstream::stderr(), "{}", self.text.trim_end());
        } else {
            error(&self.text);
        }
        self.exit
    }
}

impl From<io::Error> for Failure {
    /// For the output. That nobody reads it any more needs no words, but it is no answer either.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::laid_out(Exit::Unreadable, String::new());
        }
        Self::unreadable(format!("cannot write the output: {}", reason(&error)))
    }
}

/// Why a file cannot be read or written.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => {
            let text = error.to_string();
            // Without the number of the operating system.
            let text = text.split(" (os error").next().unwrap_or_default();
            text.to_lowercase()
        }
    }
}

/// Prints the help or the version, or tells what is wrong with the arguments.
pub(crate) fn of_arguments(error: &clap::Error) -> Exit {
    // A closed pipe: nobody reads it any more.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Clean,
        _ => Exit::WrongUse,
    }
}

/// Makes a panic one line and an exit code that says that there is no answer.
pub(crate) fn catch_panics() {
    panic::set_hook(Box::new(|panic| {
        let cause = panic.payload_as_str().unwrap_or("no cause given");
        error(&format!("internal error: {cause}"));
        process::exit(Exit::Unreadable as i32);
    }));
}

/// Reports on stderr why the answer is none.
pub(crate) fn error(text: &str) {
    report(anstyle::AnsiColor::Red, "error", text);
}

/// Reports on stderr what the answer does not depend on.
pub(crate) fn warn(text: &str) {
    report(anstyle::AnsiColor::Yellow, "warning", text);
}

fn report(colour: anstyle::AnsiColor, level: &str, text: &str) {
    let style = colour.on_default().bold();
    // When stderr is closed there is nobody left to tell.
    let _ = writeln!(
        anstream::stderr(),
        "{style}{level}{style:#}: {}",
        printable(text)
    );
}

/// A text whose control characters are escaped: it must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
