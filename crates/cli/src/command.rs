//! The commands, one module each.

mod audit;
mod check;
mod compose;
mod config;
mod drift;
pub(crate) mod explain;
mod fix;
mod images;
mod init;
mod settings;
mod shell;
mod survey;
mod test;

use std::io::Write;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
    Fix(fix::Fix),
    Drift(drift::Drift),
    Audit(audit::AuditCommand),
    Init(init::Init),
    Images(images::Images),
    Test(test::Test),
    Compose(compose::Compose),
    Settings(settings::SettingsCommand),
    Config(config::ConfigCommand),
    Explain(explain::Explain),
    #[command(hide = true)]
    Man(shell::Man),
    Completions(shell::Completions),
}

impl Command {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self {
            Self::Check(check) => check.execute(out),
            Self::Fix(fix) => fix.execute(out),
            Self::Drift(drift) => drift.execute(out),
            Self::Audit(audit) => audit.execute(out),
            Self::Init(init) => init.execute(out),
            Self::Images(images) => images.execute(out),
            Self::Test(test) => test.execute(out),
            Self::Compose(compose) => compose.execute(out),
            Self::Settings(settings) => settings.execute(out),
            Self::Config(config) => config.execute(out),
            Self::Man(man) => man.execute(out),
            Self::Completions(completions) => completions.execute(out),
            Self::Explain(explain) => explain.execute(out),
        }
    }
}
