//! One thing wrong, where, and what to write instead.

use std::fmt;

use crate::json::Location;
use crate::shown::{OneLine, Shown};

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

    /// The strictest of some and of another.
    pub(crate) const fn strictest(known: Option<Self>, other: Self) -> Option<Self> {
        match known {
            Some(Self::Reject) => known,
            _ => Some(other),
        }
    }
}

/// A verb of a problem that depends on what becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verb {
    refused: &'static str,
    warned: &'static str,
    preexisting: &'static str,
}

impl Verb {
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

    const fn new(refused: &'static str, warned: &'static str, preexisting: &'static str) -> Self {
        Self {
            refused,
            warned,
            preexisting,
        }
    }

    /// The verb for what becomes of the request.
    pub(crate) const fn of(self, fate: Fate) -> &'static str {
        match fate {
            Fate::Refused => self.refused,
            Fate::Warned => self.warned,
            Fate::Preexisting => self.preexisting,
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
    Preexisting,
}

/// One thing wrong with a request.
///
/// Displayed as one line: place, value, rule, what is wrong, what to write instead, code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What kind of thing.
    pub code: Code,
    /// Where: `spec.containers[0] "redis"`.
    pub place: String,
    /// The value in the object that it is about; empty where it is about the object, the request or
    /// the settings as a whole.
    pub path: Location<'static>,
    /// That value, as the message names it.
    pub value: Option<NamedValue>,
    /// What becomes of it, where it is neither refused nor only warned about.
    pub outcome: Option<Outcome>,
    /// The name of the item that says so.
    pub rule: Option<String>,
    /// What is wrong: ``registry `docker.io` is not allowed``.
    pub problem: String,
    /// What to write instead.
    pub advice: Option<Advice>,
}

/// A value as a message names it: ``image `redis:7` ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// What it is: `image`.
    pub noun: String,
    /// Its text, uncut; `None` where no message may show it.
    pub text: Option<String>,
    /// The mirror that an image is pulled from.
    pub mirror: Option<String>,
}

/// What to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Something that would pass: ``use `ghcr.io` ``.
    Instead(String),
    /// The `message` of the rule.
    Message(String),
}

/// What a rule has to say: what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) problem: String,
    pub(crate) advice: Option<Advice>,
}

impl Reason {
    /// A problem with advice that would pass.
    #[inline(never)]
    pub(crate) fn new(problem: String, advice: &str) -> Self {
        Self {
            problem,
            advice: Some(Advice::Instead(advice.to_owned())),
        }
    }

    /// A problem of which nobody can say what would pass.
    pub(crate) const fn alone(problem: String) -> Self {
        Self {
            problem,
            advice: None,
        }
    }
}

/// What becomes of something that its rule would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The old object has it as well, and nothing around it changes.
    Unchanged,
    /// The old object has it as well, but the pod template around it changes: the new Pods will be refused.
    TemplateChanges,
    /// The annotation is removed.
    Removed,
    /// The object passes, but its Pods will be refused.
    PodsRefused,
}

/// A place as messages show it: of a very long one the beginning and the end.
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
    /// Something wrong with the object, the request or the settings at a place that has no path.
    pub(crate) fn new(code: Code, place: String, problem: String) -> Self {
        Self {
            code,
            place,
            path: Location::default(),
            value: None,
            outcome: None,
            rule: None,
            problem,
            advice: None,
        }
    }

    /// Whether it passes because the old object has it as well.
    pub const fn is_preexisting(&self) -> bool {
        matches!(
            self.outcome,
            Some(Outcome::Unchanged | Outcome::TemplateChanges)
        )
    }

    /// The message without place and code.
    pub fn explanation(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            if let Some(value) = &self.value {
                write!(f, "{value}: ")?;
            }
            write!(f, "{}", self.reason())
        })
    }

    /// The message without place, value and code.
    pub fn reason(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            f.write_str(match self.outcome {
                None => "",
                Some(Outcome::Unchanged) => "existing violation, passes: ",
                Some(Outcome::TemplateChanges) => {
                    "existing violation, passes, but its new Pods will be refused: "
                }
                Some(Outcome::Removed) => "removed: ",
                Some(Outcome::PodsRefused) => "its Pods will be refused: ",
            })?;
            if let Some(rule) = &self.rule {
                write!(f, "rule `{}`: ", Shown(rule))?;
            }
            f.write_str(&self.problem)?;
            match &self.advice {
                None => Ok(()),
                Some(Advice::Instead(advice)) => write!(f, ", {advice}"),
                Some(Advice::Message(message)) => write!(f, ": {}", OneLine(message)),
            }
        })
    }
}

impl NamedValue {
    /// A value that a message shows.
    pub(crate) fn shown(noun: &str, text: &str) -> Self {
        Self {
            noun: noun.to_owned(),
            text: Some(text.to_owned()),
            mirror: None,
        }
    }

    /// A value that no message shows.
    pub(crate) fn hidden(noun: &str) -> Self {
        Self {
            noun: noun.to_owned(),
            text: None,
            mirror: None,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = Abridged(&self.place);
        write!(f, "{place}: {} [{}]", self.explanation(), self.code)
    }
}

impl fmt::Display for NamedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.noun)?;
        if let Some(text) = &self.text {
            write!(f, " `{}`", Shown(text))?;
        }
        if let Some(mirror) = &self.mirror {
            write!(f, " as `{}`", Shown(mirror))?;
        }
        Ok(())
    }
}
