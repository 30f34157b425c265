//! `policy-host`: runs, measures, annotates, inspects, pushes and pulls Kubewarden policies without a
//! cluster.

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

/// Runs, measures, annotates, inspects, pushes and pulls Kubewarden policies without a cluster.
///
/// The commands take the arguments of kwctl where they do the same.
#[derive(Parser)]
#[command(
    name = "policy-host",
    version,
    after_help = "Exit codes: 0 done (also when a policy denies), 1 not done, 2 wrong arguments; from \
                  registries: 3 access refused (401, 403), 4 not there (404), 5 no whole answer, try \
                  again (429, 5xx, no connection)."
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
