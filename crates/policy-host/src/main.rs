//! `policy-host`: runs, measures, annotates, inspects, pushes and pulls Kubewarden policies without a
//! cluster.

mod command;
mod table;

use std::process::ExitCode;

use clap::Parser;
use policy_host::registry::{FailureKind, RegistryFailure};
use policy_runner::command::{document, failure};

use command::Command;

/// Runs, measures, annotates, inspects, pushes and pulls Kubewarden policies without a cluster, and asks
/// registries for images.
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

const REFUSED: u8 = 3;
const NOT_FOUND: u8 = 4;
const UNAVAILABLE: u8 = 5;

fn main() -> ExitCode {
    policy_runner::command::main(
        |arguments: &Arguments, out| arguments.command.execute(out),
        exit_code,
    )
}

/// What a registry did not do has an exit code of its own.
fn exit_code(error: &anyhow::Error) -> Option<u8> {
    match error.downcast_ref::<RegistryFailure>()?.kind {
        FailureKind::Refused => Some(REFUSED),
        FailureKind::NotFound => Some(NOT_FOUND),
        FailureKind::Unavailable => Some(UNAVAILABLE),
        FailureKind::Other => None,
    }
}
