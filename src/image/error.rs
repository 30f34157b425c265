//! Why a text is no image reference.

use std::fmt;

/// The part of a reference that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The whole reference.
    Reference,
    /// Registry host and port.
    Registry,
    /// The repository's path on its registry.
    Repository,
    /// What stands after `:`.
    Tag,
    /// What stands after `@`.
    Digest,
}

/// What is wrong with a reference, and at which character (counted from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    pub(super) part: Part,
    pub(super) problem: &'static str,
    pub(super) position: usize,
}

impl ReferenceError {
    /// The part that does not parse.
    pub const fn part(&self) -> Part {
        self.part
    }
}

impl Part {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Reference => "",
            Self::Registry => "registry: ",
            Self::Repository => "repository: ",
            Self::Tag => "tag: ",
            Self::Digest => "digest: ",
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{} at character {}",
            self.part.prefix(),
            self.problem,
            self.position
        )
    }
}

impl std::error::Error for ReferenceError {}
