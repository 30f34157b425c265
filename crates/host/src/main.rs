//! `policy-host`: runs, measures, annotates and inspects Kubewarden policies without a cluster.

mod command;
mod document;
mod failure;
mod table;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use command::Command;

/// Runs, measures, annotates and inspects Kubewarden policies without a cluster.
///
/// The commands take the arguments of kwctl where they do the same.
#[derive(Parser)]
#[command(
    name = "policy-host",
    version,
    after_help = "Exit codes: 0 done (also when a policy denies), 1 not done, 2 wrong arguments."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    failure::catch_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::of_arguments(&error),
    };
    let mut out = io::stdout().lock();
    let done = arguments
        .command
        .execute(&mut out)
        .and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::of_command(&error),
    }
}
