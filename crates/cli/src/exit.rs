//! How a command ends.

use std::process::ExitCode;

/// The exit codes of every command, the same as in `--help` and docs/cli.md.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, and nothing is wrong.
    #[default]
    Clean = 0,
    /// Violations; with `fix --check` and `drift`, differences.
    Violations = 1,
    /// Wrong arguments, or settings that cannot be meant.
    WrongUse = 2,
    /// Files that could not be read, parsed or written. Beats [`Exit::Violations`].
    Unreadable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
