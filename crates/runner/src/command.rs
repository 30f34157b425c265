//! The commands that `policy-runner` and `policy-host` have in common, one module each, and how both
//! read files and report failures.

mod annotate;
pub mod document;
pub mod failure;
mod run;
mod show;

pub use annotate::Annotate;
pub use run::Run;
pub use show::Show;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Error, Result};
use clap::Parser;

/// Runs a program: `execute` gets its arguments and standard output. Of an error one line goes to
/// stderr, and `exit_code` may give it an exit code of its own.
pub fn main<Arguments: Parser>(
    execute: impl FnOnce(&Arguments, &mut dyn Write) -> Result<()>,
    exit_code: impl FnOnce(&Error) -> Option<u8>,
) -> ExitCode {
    failure::catch_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::of_arguments(&error),
    };
    let mut out = io::stdout().lock();
    let done = execute(&arguments, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let general = failure::of_command(&error);
            exit_code(&error).map_or(general, ExitCode::from)
        }
    }
}
