//! The commands, one module each.

mod bench;
mod images;
mod inspect;

use std::io::Write;

use anyhow::Result;
use clap::Subcommand;
use policy_host::registry;
use policy_publish::command::{Pull, Push, Scaffold};
use policy_runner::command::{Annotate, Run, Show};

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Show(Show),
    Bench(bench::Bench),
    Annotate(Annotate),
    Inspect(inspect::Inspect),
    Push(Push),
    Pull(Pull),
    Scaffold(Scaffold),
    Images(images::Images),
}

impl Command {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Run(run) => run.execute(out, registry::answer),
            Self::Show(show) => show.execute(out),
            Self::Bench(bench) => bench.execute(out),
            Self::Annotate(annotate) => annotate.execute(),
            Self::Inspect(inspect) => inspect.execute(out),
            Self::Push(push) => push.execute(out),
            Self::Pull(pull) => pull.execute(out),
            Self::Scaffold(scaffold) => scaffold.execute(out),
            Self::Images(images) => images.execute(out),
        }
    }
}
