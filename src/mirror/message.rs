//! What is said of images that have a mirror.

use crate::image::Reference;
use crate::shown::Shown;
use crate::violation::{Action, Code, Reason};

use super::{Mirror, OnCheckError};

/// What is said of an image besides what the lists say.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) code: Code,
    pub(crate) action: Action,
    pub(crate) reason: Reason,
}

/// Why a mirror is not used for an image.
pub(crate) enum Unused {
    /// Nodes never pull it.
    NeverPulled,
    /// It has a digest.
    Digest,
    /// Without its digest it has no tag.
    NoTag,
    /// What the template makes of it is no reference: the text, and why.
    Invalid(String, String),
}

impl Note {
    const fn warning(code: Code, reason: Reason) -> Self {
        Self {
            code,
            action: Action::Warn,
            reason,
        }
    }

    /// The image is pulled from its mirror, as of now or in Pods.
    pub(crate) fn used(mirror: &str, is_edited: bool) -> Self {
        let when = if is_edited { "is" } else { "in Pods, is" };
        let problem = format!("{when} pulled from its mirror `{}`", Shown(mirror));
        Self::warning(Code::MirrorUsed, Reason::alone(problem))
    }

    /// The image could be pulled from its mirror.
    pub(crate) fn available(mirror: &str) -> Self {
        let advice = format!("use `{}`", Shown(mirror));
        let reason = Reason::new("it has a mirror".to_owned(), advice);
        Self::warning(Code::MirrorAvailable, reason)
    }

    /// The image keeps its registry, since the mirror does not have it or cannot be asked.
    pub(crate) fn keeps(code: Code, written: &Reference<'_>, cause: &str) -> Self {
        let problem = format!("keeps `{}`: {cause}", Shown(written.host()));
        Self::warning(code, Reason::alone(problem))
    }

    /// Nobody can say whether the mirror has the image.
    pub(crate) fn unchecked(rule: &Mirror<'_>, written: &Reference<'_>, cause: &str) -> Self {
        let code = Code::MirrorUnchecked;
        match rule.on_check_error {
            OnCheckError::Keep => Self::keeps(code, written, cause),
            OnCheckError::Reject => Self {
                code,
                action: Action::Reject,
                reason: Reason::new(cause.to_owned(), "try again later"),
            },
            OnCheckError::Rewrite => {
                let problem = format!("is rewritten anyway: {cause}");
                Self::warning(code, Reason::alone(problem))
            }
        }
    }
}

/// That a mirror does not have an image, in words that continue a refusal.
pub(crate) fn missing(mirror: &str) -> String {
    format!("its mirror `{}` does not have it", Shown(mirror))
}

/// That a mirror cannot be asked for an image, in words that continue a refusal.
pub(crate) fn no_answer(mirror: &str, error: &str) -> String {
    format!(
        "its mirror `{}` cannot be asked for it ({})",
        Shown(mirror),
        Shown(error.trim_end_matches('.'))
    )
}

impl Unused {
    /// In words that continue a refusal.
    pub(crate) fn cause(&self, rule: &Mirror<'_>) -> Option<Reason> {
        let mirror = Shown(rule.target.text());
        let because = |why: &str| format!("its mirror `{mirror}` is {why}");
        match self {
            Self::NeverPulled => Some(Reason::alone(because(
                "not used with `imagePullPolicy: Never`",
            ))),
            Self::Digest => Some(Reason::alone(because("not used for images with a digest"))),
            Self::NoTag => Some(Reason::new(because("used without digests"), "add a tag")),
            Self::Invalid(..) => None,
        }
    }

    /// What is said of the image.
    pub(crate) fn note(&self, rule: &Mirror<'_>) -> Option<Note> {
        match self {
            Self::NeverPulled | Self::Digest => None,
            Self::NoTag => {
                let mut reason = self.cause(rule)?;
                reason.problem.insert_str(0, "keeps its registry: ");
                Some(Note::warning(Code::MirrorNeedsTag, reason))
            }
            Self::Invalid(text, problem) => {
                let target = Shown(rule.target.text());
                let problem = format!("its mirror would be `{}`, which {problem}", Shown(text));
                let advice = format!("change the image or the mirror `{target}`");
                Some(Note {
                    code: Code::MirrorInvalid,
                    action: Action::Reject,
                    reason: Reason::new(problem, advice),
                })
            }
        }
    }
}
