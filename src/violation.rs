//! One thing wrong, where, and what to write instead.

use std::fmt;

use crate::json::Location;

pub use crate::code::Code;

/// What happens to a request that breaks a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// It is refused.
    #[default]
    Reject,
    /// It passes with a warning.
    Warn,
}

impl Action {
    /// The words of the settings for them.
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("reject", Self::Reject), ("warn", Self::Warn)];

    /// Of two the one that refuses.
    pub(crate) fn stricter(self, other: Self) -> Self {
        if self == Self::Reject { self } else { other }
    }
}

/// Words of a problem that say what becomes of the request: others are due where it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Where it is refused.
    refused: &'static str,
    /// Where the rule only warns.
    warned: &'static str,
    /// Where it passes since it was so before.
    kept: &'static str,
}

impl Outcome {
    pub(crate) const NOT_ALLOWED: Self = Self::new(
        "is not allowed",
        "is not recommended",
        "would not be allowed",
    );
    pub(crate) const REJECTED: Self =
        Self::new("is rejected", "is advised against", "would be rejected");
    pub(crate) const DENIED: Self = Self::new("is denied", "is advised against", "would be denied");
    pub(crate) const FORBIDDEN: Self =
        Self::new("is forbidden", "is advised against", "is forbidden");
    pub(crate) const REQUIRED: Self = Self::new("is required", "is recommended", "is required");

    const fn new(refused: &'static str, warned: &'static str, kept: &'static str) -> Self {
        Self {
            refused,
            warned,
            kept,
        }
    }

    /// The words for what becomes of the request.
    pub(crate) const fn words(self, fate: Fate) -> &'static str {
        match fate {
            Fate::Refused => self.refused,
            Fate::Warned => self.warned,
            Fate::Kept => self.kept,
        }
    }
}

/// What becomes of a request, as far as one problem decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is refused.
    Refused,
    /// The rule only warns.
    Warned,
    /// It passes since it was so before.
    Kept,
}

/// One thing wrong with a request.
///
/// Shown as one line: place, value, what is wrong and what to write instead, code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What kind of thing.
    pub code: Code,
    /// Where: `spec.containers[0] "redis"`.
    pub place: String,
    /// The value in the object that it is about; empty where it is about the object, the request or
    /// the settings as a whole.
    pub path: Location<'static>,
    /// The value it is about, as a phrase: ``image `redis:7` ``.
    pub value: Option<String>,
    /// Whether it passes because the object has it already, and with what consequence.
    pub kept: Option<Kept>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// Why a violation that the old object has as well only warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing around it changes.
    Unchanged,
    /// The pod template around it changes, so there will be new Pods with it.
    TemplateChanges,
}

/// A place as it is told: of one with endless keys the beginning and the end.
struct Abridged<'a>(&'a str);

impl fmt::Display for Abridged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 512;
        let place = self.0;
        if place.len() <= LONGEST {
            return f.write_str(place);
        }
        let (mut first, mut last) = (LONGEST / 2, place.len() - LONGEST / 2);
        while !place.is_char_boundary(first) {
            first -= 1;
        }
        while !place.is_char_boundary(last) {
            last += 1;
        }
        f.write_str(place.get(..first).unwrap_or_default())?;
        f.write_str("…")?;
        f.write_str(place.get(last..).unwrap_or_default())
    }
}

impl Violation {
    /// What a message says, but for place and code.
    pub const fn explanation(&self) -> Explanation<'_> {
        Explanation(self)
    }
}

/// Shows value, problem and what to write instead.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a>(&'a Violation);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = Abridged(&self.place);
        write!(f, "{place}: {} [{}]", self.explanation(), self.code)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(violation) = self;
        if let Some(value) = &violation.value {
            write!(f, "{value}: ")?;
        }
        match violation.kept {
            None => {}
            Some(Kept::Unchanged) => f.write_str("passes unchanged: ")?,
            Some(Kept::TemplateChanges) => {
                f.write_str("passes unchanged, but new Pods will be refused: ")?;
            }
        }
        f.write_str(&violation.problem)
    }
}
