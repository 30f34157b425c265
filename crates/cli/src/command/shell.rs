//! `rollout-guard completions` and `rollout-guard man`: what a package installs beside the command.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  rollout-guard completions bash > /etc/bash_completion.d/rollout-guard"
)]
pub(crate) struct Completions {
    shell: Shell,
}

/// Print a man page: of the command, or of one of its commands
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  rollout-guard man check > rollout-guard-check.1")]
pub(crate) struct Man {
    command: Option<String>,
}

impl Completions {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        let mut command = Arguments::command();
        clap_complete::generate(self.shell, &mut command, "rollout-guard", &mut text);
        out.write_all(&text)?;
        Ok(Exit::Clean)
    }
}

impl Man {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut all = Arguments::command();
        all.build();
        let command = match &self.command {
            None => all,
            Some(name) => all
                .find_subcommand(name)
                .cloned()
                .ok_or_else(|| Failure::wrong_use(format!("no command `{name}`")))?,
        };
        clap_mangen::Man::new(command).render(out)?;
        Ok(Exit::Clean)
    }
}
