//! `mirrors`: where an image is pulled from instead.
//!
//! ```yaml
//! mirrors:
//!   - source: docker.io/library
//!     mirror: registry.example.com/library
//! ```
//!
//! Owns what a rule does to an image, from the image's text alone. In which objects it is done is in
//! [`policy`](crate::policy).

mod message;
mod read;
mod target;

use crate::image::Reference;
use crate::pattern::SourcePattern;
use crate::selector::Selector;

pub(crate) use message::{
    Unused, available, invalid, keeps, missing, needs_tag, no_answer, rewritten_anyway, used,
};
pub(crate) use read::{find_contradictions, read};
pub use target::{Target, TargetError};

/// An item of `mirrors`.
#[derive(Clone, Debug)]
pub struct Mirror<'a> {
    /// Which images.
    pub source: SourcePattern<'a>,
    /// Where they are pulled from.
    pub target: Target<'a>,
    /// What becomes of a digest.
    pub digest: DigestRule,
    /// Secrets that Pods need to pull from there.
    pub pull_secrets: Vec<&'a str>,
    /// Whether the registry is asked first.
    pub check_exists: bool,
    /// What happens where it gives no answer.
    pub on_check_error: OnCheckError,
    /// Whether it only names what to use instead: no image is rewritten by it.
    pub is_only_named: bool,
    /// Which requests.
    pub selector: Selector<'a>,
}

/// What becomes of a digest when an image is pulled from its mirror.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestRule {
    /// It stays: the mirror has the same bytes.
    #[default]
    Keep,
    /// It goes: the mirror has the image under a digest of its own.
    Drop,
    /// A pinned image is left alone.
    Skip,
}

/// What happens where a registry cannot be asked whether it has an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCheckError {
    /// The image stays as written.
    #[default]
    Keep,
    /// It is pulled from the mirror all the same.
    Rewrite,
    /// The request is refused.
    Reject,
}

/// When images become those of their mirrors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewrite {
    /// When a Pod is created.
    #[default]
    Pods,
    /// When a workload is written, and when a Pod is created.
    Workloads,
    /// Never: messages name the mirror.
    Never,
}

/// What a rule says about an image that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirrored<'t> {
    /// It is pulled from here.
    To(MirrorImage<'t>),
    /// It stays as it is.
    Left,
    /// It stays, since without its digest it would become `latest`.
    NeedsTag,
    /// What the template makes of it is no reference, or not what was meant: the text, and why.
    Invalid(&'t str, String),
}

/// An image on its mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorImage<'t> {
    /// As the rule writes it.
    pub text: &'t str,
    /// The same, read.
    pub reference: Reference<'t>,
}

impl Mirror<'_> {
    /// What follows the source in the path of an image; none where the rule does not cover it, whatever its `match`.
    fn rest<'i>(&self, image: &'i Reference<'_>) -> Option<&'i str> {
        // A tag names what runs only where no digest does.
        let is_pinned = image.digest().is_some();
        if is_pinned && self.source.tag().is_some() && self.digest != DigestRule::Drop {
            return None;
        }
        self.source.rest(image)
    }

    /// Whether an image is under its mirror.
    pub(crate) fn holds(&self, image: &Reference<'_>) -> bool {
        self.target.holds(image, self.source.may_be_at())
    }

    /// What becomes of an image that it covers, with this `rest` of its path behind the source. The image on its mirror
    /// is written to `text`.
    pub fn mirrored<'t>(
        &self,
        image: &Reference<'_>,
        rest: &str,
        text: &'t mut String,
    ) -> Mirrored<'t> {
        let digest = match (self.digest, image.digest()) {
            (DigestRule::Skip, Some(_)) => return Mirrored::Left,
            (DigestRule::Drop, Some(_)) if image.tag().is_none() => return Mirrored::NeedsTag,
            (DigestRule::Drop, _) => None,
            (_, digest) => digest,
        };
        self.target.fill(image, rest, digest, text);
        match Reference::parse(text) {
            Ok(reference) if self.holds(&reference) => {
                Mirrored::To(MirrorImage { text, reference })
            }
            // `{registry}` without a dot or a port, where a host belongs.
            Ok(reference) => {
                let problem = format!("is read as `{reference}`");
                Mirrored::Invalid(text, problem)
            }
            Err(error) => {
                Mirrored::Invalid(text, format!("is not a valid image reference: {error}"))
            }
        }
    }
}

/// The first rule about an image whose `match` holds, if the image is not under a mirror already, and what
/// follows its source in the path of the image.
///
/// Whichever rule's mirror that is, and whatever its `match`: an image that was rewritten is never
/// rewritten again. What a rule only names is an image like others.
pub fn find<'m, 'a, 'i>(
    mirrors: &'m [Mirror<'a>],
    image: &'i Reference<'_>,
    mut applies: impl FnMut(usize, &Mirror<'a>) -> bool,
) -> Option<(&'m Mirror<'a>, &'i str)> {
    let found = mirrors.iter().enumerate().find_map(|(index, mirror)| {
        let rest = mirror.rest(image)?;
        applies(index, mirror).then_some((mirror, rest))
    })?;
    let mut rewriting = mirrors.iter().filter(|mirror| !mirror.is_only_named);
    let is_there = rewriting.any(|mirror| mirror.holds(image))
        || (found.0.is_only_named && found.0.holds(image));
    (!is_there).then_some(found)
}
