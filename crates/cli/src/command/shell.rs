//! `rollout-guard completions` and `rollout-guard man`: what a package installs beside the command.

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::explain;
use crate::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  rollout-guard completions bash > /etc/bash_completion.d/rollout-guard"
)]
pub(crate) struct Completions {
    /// The shell to complete in
    shell: Shell,
}

/// Print a man page: of the command, or of one of its commands
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  rollout-guard man check > rollout-guard-check.1")]
pub(crate) struct Man {
    /// A command, such as `check`; without it, the page of `rollout-guard` itself
    command: Option<String>,
}

/// The name of the command.
const NAME: &str = "rollout-guard";

fn shells() -> Vec<&'static str> {
    vec!["bash", "elvish", "fish", "powershell", "zsh"]
}

impl Completions {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        // Only here: `explain` also takes a code in brackets, or misspelt.
        let mut command = Arguments::command().mut_subcommand("explain", |explain| {
            let codes = PossibleValuesParser::new(explain::codes());
            explain.mut_arg("code", |code| code.value_parser(codes))
        });
        clap_complete::generate(self.shell, &mut command, NAME, &mut text);
        match self.shell {
            Shell::Bash => {
                // The generator spells a hyphen in the name of the command in two ways (clap_complete
                // 4.6), so that no subcommand is ever found.
                let text = String::from_utf8_lossy(&text);
                let text = text.replace("rollout__subcmd__guard", "rollout__guard");
                out.write_all(text.as_bytes())?;
            }
            Shell::Fish => {
                out.write_all(&text)?;
                // Its generator knows only options.
                for (subcommand, words) in [
                    ("explain", explain::codes().collect::<Vec<_>>()),
                    ("completions", shells()),
                ] {
                    writeln!(
                        out,
                        "complete -c {NAME} -n \"__fish_seen_subcommand_from {subcommand}\" -f -a \"{}\"",
                        words.join(" ")
                    )?;
                }
            }
            _ => out.write_all(&text)?,
        }
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
        let source = concat!("rollout-guard ", env!("CARGO_PKG_VERSION"));
        clap_mangen::Man::new(command)
            .source(source)
            .manual("rollout-guard")
            .render(out)?;
        Ok(Exit::Clean)
    }
}
