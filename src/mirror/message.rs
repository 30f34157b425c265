//! What is said of images that have a mirror.

use crate::image::Reference;
use crate::shown::Shown;
use crate::violation::Reason;

use super::Mirror;

/// Why a mirror is not used for an image.
#[derive(Debug)]
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

/// The image is pulled from its mirror, as of now or in Pods.
pub(crate) fn used(mirror: &str, is_edited: bool) -> Reason {
    let when = if is_edited { "is" } else { "in Pods, is" };
    let problem = format!("{when} pulled from its mirror `{}`", Shown(mirror));
    Reason::alone(problem)
}

/// The image could be pulled from its mirror.
pub(crate) fn available(mirror: &str) -> Reason {
    let advice = format!("use `{}`", Shown(mirror));
    Reason::new("it has a mirror".to_owned(), &advice)
}

/// The image keeps its registry, since the mirror does not have it or cannot be asked.
pub(crate) fn keeps(written: &Reference<'_>, cause: &str) -> Reason {
    Reason::alone(format!("keeps `{}`: {cause}", Shown(written.host())))
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
        match self {
            Self::NeverPulled => Some(Reason::alone(because(
                rule,
                "not used with `imagePullPolicy: Never`",
            ))),
            Self::Digest => {
                let why = "not used for images with a digest";
                Some(Reason::alone(because(rule, why)))
            }
            Self::NoTag => Some(used_without_digests(rule)),
            Self::Invalid(..) => None,
        }
    }
}

fn because(rule: &Mirror<'_>, why: &str) -> String {
    format!("its mirror `{}` is {why}", Shown(rule.target.text()))
}

fn used_without_digests(rule: &Mirror<'_>) -> Reason {
    Reason::new(because(rule, "used without digests"), "add a tag")
}

/// The image keeps its registry, since without its digest it has no tag.
pub(crate) fn needs_tag(rule: &Mirror<'_>) -> Reason {
    let mut reason = used_without_digests(rule);
    reason.problem.insert_str(0, "keeps its registry: ");
    reason
}

/// What the template of a rule makes of the image is no reference, and why.
pub(crate) fn invalid(rule: &Mirror<'_>, text: &str, problem: &str) -> Reason {
    let target = Shown(rule.target.text());
    let problem = format!("its mirror would be `{}`, which {problem}", Shown(text));
    let advice = format!("change the image or the mirror `{target}`");
    Reason::new(problem, &advice)
}

/// The image is pulled from its mirror, although nobody can say whether that has it.
pub(crate) fn rewritten_anyway(cause: &str) -> Reason {
    Reason::alone(["is rewritten anyway: ", cause].concat())
}
