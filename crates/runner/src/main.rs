//! `policy-runner`: runs, shows and annotates Kubewarden policies without a cluster and without a
//! network.

use std::{io::Write, process::ExitCode};

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use policy_runner::{
    HostRequest,
    command::{self, Annotate, Run, Show},
};

/// Runs, shows and annotates Kubewarden policies without a cluster and without a network.
///
/// The commands take the arguments of kwctl where they do the same. `policy-host` has them too, and more.
#[derive(Parser)]
#[command(
    name = "policy-runner",
    version,
    after_help = "Exit codes: 0 done (also when a policy denies), 1 not done, 2 wrong arguments."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Run),
    Show(Show),
    Annotate(Annotate),
}

impl Command {
    fn execute(&self, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Run(run) => run.execute(out, refuse),
            Self::Show(show) => show.execute(out),
            Self::Annotate(annotate) => annotate.execute(),
        }
    }
}

/// Short: a policy repeats it in a warning, which is cut.
fn refuse(_: &HostRequest) -> Result<Vec<u8>> {
    bail!("only `policy-host run` asks registries")
}

fn main() -> ExitCode {
    command::main(
        |arguments: &Arguments, out| arguments.command.execute(out),
        |_| None,
    )
}
