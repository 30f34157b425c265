//! How a command ends.

use std::process::ExitCode;

/// The exit codes of every command, the same as in `--help` and docs/cli.md.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, and nothing is wrong.
    #[default]
    Clean = 0,
    /// Violations, or warnings with `--fail-on warnings`; with `fix` what has to be changed by hand, with
    /// `fix --check` and `drift` differences.
    Violations = 1,
    /// Wrong arguments, or an invalid configuration or settings.
    WrongUse = 2,
    /// Files that could not be read, parsed or written; nothing that was judged, or not everything with
    /// `--fail-on incomplete`. Beats [`Exit::Violations`].
    Unreadable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
