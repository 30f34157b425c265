//! What becomes of images that have a mirror: what is asked, told and changed.

use crate::exemption::Check;
use crate::hashing::{ByHash, Seen, hash_of};
use crate::image::Reference;
use crate::mirror::{self, Mirror, MirrorImage, Mirrored, OnCheckError, Rewrite, Unused};
use crate::registry::{Existence, Registry, Unreachable};
use crate::splice::{self, Change, Edit};
use crate::violation::{Action, Code, Reason};
use crate::workload::{ImageField, Object};

use super::context::{Context, Subject};
use super::dated::Dated;
use super::exempted::Exempted;
use super::finding::{AboutImage, OfImage};
use super::pull::{Pull, Pulls};
use super::{Judged, pull_secrets};

/// Registries are asked for so many images of a request.
const MOST_ASKED: usize = 100;

/// What becomes of an image.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one image"
)]
pub(super) struct Runs<'p, 's, 't> {
    /// Its mirror.
    mirror: Option<MirrorImage<'t>>,
    /// Whether it is pulled from there.
    is_used: bool,
    /// Whether the rule of that mirror never rewrites.
    pub(super) is_only_named: bool,
    /// Whether the object changes.
    pub(super) is_edited: bool,
    /// What is in the way of its mirror, and the rule.
    obstacle: Option<(&'p Mirror<'s>, Obstacle)>,
    /// A registry has to be asked first.
    pub(super) is_open: bool,
}

/// Takes what is told of an image, and why.
type Tell<'t> = &'t mut dyn FnMut(Code, Action, &dyn Fn() -> Reason);

/// What is in the way of an image's mirror.
#[derive(Debug)]
enum Obstacle {
    /// It is not used for the image.
    Unused(Unused),
    /// It does not have the image.
    Missing,
    /// Nobody can say whether it has the image: it gave this error, or was not asked.
    Unchecked(Option<String>),
}

/// Whether registries are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Not yet: what needs an answer is left open.
    Later,
    /// They are.
    Now,
    /// Not any more: the request is refused whatever they say.
    Never,
}

/// The mirrors of the settings, for one object.
pub(super) struct Mirrors<'p, 's, 'c, 'r> {
    pulls: &'p Pulls<'p, 's, 'c, 'r>,
    subject: Subject<'p>,
    /// Whether registries are asked.
    pub(super) asking: Asking,
    /// The images that a registry is to be asked for.
    wanted: Seen,
    /// What the registry said of which image.
    /// Where images stand among the answers.
    asked: ByHash,
    answers: Vec<Existence>,
    /// The secrets that the Pod needs.
    pull_secrets: Vec<&'s str>,
}

impl<'p, 's, 'c, 'r> Mirrors<'p, 's, 'c, 'r> {
    pub(super) fn new(pulls: &'p Pulls<'p, 's, 'c, 'r>, subject: Subject<'p>) -> Self {
        Self {
            pulls,
            subject,
            asking: Asking::Later,
            wanted: Seen::default(),
            asked: ByHash::default(),
            answers: Vec::new(),
            pull_secrets: Vec::new(),
        }
    }

    pub(super) const fn context(&self) -> &'p Context<'p, 's, 'c> {
        self.pulls.context
    }

    /// What becomes of an image.
    pub(super) fn runs<'t>(
        &mut self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        text: &'t mut String,
        exempted: &mut Exempted<'_, '_, '_>,
    ) -> Runs<'p, 's, 't> {
        let mut is_exempt = || exempted.cover(Check::Mirrors, Some(written));
        match self.pulls.pull(image, written, text, &mut is_exempt) {
            Pull::Written => Runs::default(),
            Pull::Available {
                mirror,
                is_only_named,
            } => Runs {
                mirror: Some(mirror),
                is_only_named,
                ..Runs::default()
            },
            Pull::Kept(rule, why) => Runs {
                obstacle: Some((rule, Obstacle::Unused(why))),
                ..Runs::default()
            },
            Pull::Mirror {
                rule,
                mirror,
                is_edited: true,
                is_asked: true,
            } => self.asked(rule, mirror),
            Pull::Mirror {
                mirror, is_edited, ..
            } => Runs::from(mirror, is_edited),
        }
    }

    /// The mirror of an image, were it written in this object, if there is one that may be used.
    ///
    /// # Errors
    ///
    /// Where the request could be refused for the mirror alone.
    pub(super) fn of<'t>(
        &self,
        image: &Reference<'_>,
        text: &'t mut String,
    ) -> Result<Option<Reference<'t>>, ()> {
        if self.pulls.context.settings.rewrite == Rewrite::Never {
            return Ok(None);
        }
        let rule = self.pulls.rule(image);
        let Some((rule, rest)) = rule.filter(|(rule, _)| !rule.is_only_named) else {
            return Ok(None);
        };
        match rule.mirrored(image, rest, text) {
            Mirrored::Left | Mirrored::NeedsTag => Ok(None),
            Mirrored::Invalid(..) => Err(()),
            Mirrored::To(_) if rule.check_exists && rule.on_check_error == OnCheckError::Reject => {
                Err(())
            }
            Mirrored::To(mirror) => Ok(Some(mirror.reference)),
        }
    }

    /// What becomes of an image whose mirror has to be asked for it.
    fn asked<'t>(&mut self, rule: &'p Mirror<'s>, mirror: MirrorImage<'t>) -> Runs<'p, 's, 't> {
        let obstacle = if self.asking == Asking::Later {
            if self.wanted.len() < MOST_ASKED || self.wanted.contains(mirror.text) {
                self.wanted.insert(mirror.text);
                return Runs {
                    is_open: true,
                    ..Runs::default()
                };
            }
            Obstacle::Unchecked(None)
        } else {
            match self.exists(mirror.text) {
                Existence::There => return Runs::from(mirror, true),
                Existence::Missing => Obstacle::Missing,
                Existence::Unknown(error) => Obstacle::Unchecked(Some(error)),
            }
        };
        let is_used = matches!(obstacle, Obstacle::Unchecked(_))
            && rule.on_check_error == OnCheckError::Rewrite;
        Runs {
            mirror: Some(mirror),
            is_used,
            is_only_named: false,
            is_edited: is_used,
            obstacle: Some((rule, obstacle)),
            is_open: false,
        }
    }

    /// Says what becomes of an image.
    pub(super) fn note(
        &mut self,
        written: &Reference<'_>,
        runs: &Runs<'_, '_, '_>,
        exempted: &mut Exempted<'_, '_, '_>,
        judged: &mut Judged<'_>,
        put: &mut OfImage<'_, '_>,
    ) {
        let run = runs.mirrored().unwrap_or(written);
        if self.pulls.is_new_pod() && !put.image.is_never_pulled {
            self.need_secrets(written, run, exempted);
        }
        let is_never = self.pulls.context.settings.rewrite == Rewrite::Never || runs.is_only_named;
        let is_suggested = is_never && !put.is_refused;
        runs.tell(
            put.image,
            written,
            is_suggested,
            &mut |code, action, reason| {
                // A date of the lists says nothing about mirrors.
                let findings = &mut judged.findings;
                if exempted.lifts(Check::Mirrors, Some(written), None, findings) {
                    return;
                }
                if action == Action::Warn {
                    findings.dated = Dated::default();
                }
                let about = AboutImage {
                    code,
                    action,
                    runs: Ok(run),
                    is_mirror: false,
                    is_of_accepted: runs.is_used,
                    position: 0,
                    rule: &|| None,
                    reason: &|_| reason(),
                };
                put.add(&about, findings);
            },
        );
    }

    /// Changes the object, so that an image is pulled from this mirror.
    pub(super) fn change(&self, image: &ImageField<'_>, mirror: String, judged: &mut Judged<'_>) {
        if !image.is_private() {
            let position = image.raw.position();
            judged.rewritten.add(position, &image.text, &mirror);
        }
        if judged.edits.is_empty() {
            judged.edits.reserve(self.pulls.object.found.len());
        }
        splice::add(&mut judged.edits, edit(self.pulls.object, image, mirror));
    }

    /// Adds the secrets that the Pod needs for its mirrors.
    pub(super) fn add_pull_secrets(&self, judged: &mut Judged<'_>) {
        pull_secrets::add(&self.pull_secrets, self.pulls.object, judged);
    }

    fn need_secrets(
        &mut self,
        written: &Reference<'_>,
        runs: &Reference<'_>,
        exempted: &mut Exempted<'_, '_, '_>,
    ) {
        for (index, mirror) in self.pulls.context.settings.mirrors.iter().enumerate() {
            if !mirror.pull_secrets.is_empty()
                && mirror.holds(runs)
                && self.pulls.is_about(index, mirror)
                && !exempted.cover(Check::Mirrors, Some(written))
            {
                for secret in &mirror.pull_secrets {
                    if !self.pull_secrets.contains(secret) {
                        self.pull_secrets.push(secret);
                    }
                }
            }
        }
    }

    /// Whether the registry has an image; asked once for each.
    fn exists(&mut self, text: &str) -> Existence {
        let hash = hash_of(text);
        let known = self.asked.get(&hash);
        if let Some(known) = known.and_then(|position| self.answers.get(*position)) {
            return known.clone();
        }
        if self.asking == Asking::Never {
            return Existence::There;
        }
        let answer = match self.subject {
            Subject::New(registry) => registry.has(text),
            Subject::Old => Unreachable.has(text),
        };
        self.asked.insert(hash, self.answers.len());
        self.answers.push(answer.clone());
        answer
    }
}

impl<'t> Runs<'_, '_, 't> {
    fn from(mirror: MirrorImage<'t>, is_edited: bool) -> Self {
        Self {
            mirror: Some(mirror),
            is_used: true,
            is_edited,
            ..Self::default()
        }
    }

    /// Where the image is pulled from, if that is a mirror.
    pub(super) fn mirrored(&self) -> Option<&Reference<'t>> {
        let mirror = self.mirror.as_ref().filter(|_| self.is_used);
        mirror.map(|mirror| &mirror.reference)
    }

    /// Its mirror, where it is not pulled from there although nothing is in the way.
    pub(super) fn instead(&self) -> Option<&Reference<'t>> {
        let is_unused = !self.is_used && self.obstacle.is_none();
        let mirror = self.mirror.as_ref().filter(|_| is_unused);
        mirror.map(|mirror| &mirror.reference)
    }

    /// Leaves a mirror alone that is no help.
    pub(super) fn forget_mirror(&mut self) {
        self.mirror = None;
    }

    /// Says what becomes of the image, if that is told; `is_suggested`: so is a mirror that is not used.
    fn tell(
        &self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        is_suggested: bool,
        tell: Tell<'_>,
    ) {
        let warn = Action::Warn;
        match (&self.obstacle, &self.mirror) {
            (Some((rule, Obstacle::Unused(why))), _) => match why {
                Unused::NeverPulled | Unused::Digest => {}
                Unused::NoTag => tell(Code::MirrorNeedsTag, warn, &|| mirror::needs_tag(rule)),
                Unused::Invalid(text, problem) => {
                    let reason = || mirror::invalid(rule, text, problem);
                    tell(Code::MirrorInvalid, Action::Reject, &reason);
                }
            },
            (Some((_, Obstacle::Missing)), Some(mirror)) => {
                let reason = || mirror::keeps(written, &mirror::missing(mirror.text));
                tell(Code::MirrorMissing, warn, &reason);
            }
            (Some((rule, Obstacle::Unchecked(error))), Some(mirror)) => {
                let cause = || no_answer(mirror, error.as_deref());
                let (action, reason): (_, &dyn Fn() -> Reason) = match rule.on_check_error {
                    OnCheckError::Keep => (warn, &|| mirror::keeps(written, &cause())),
                    OnCheckError::Rewrite => (warn, &|| mirror::rewritten_anyway(&cause())),
                    OnCheckError::Reject => {
                        (Action::Reject, &|| Reason::new(cause(), "try again later"))
                    }
                };
                tell(Code::MirrorUnchecked, action, reason);
            }
            (None, Some(mirror)) if self.is_used => {
                let reason = || mirror::used(mirror.text, self.is_edited);
                tell(Code::MirrorUsed, warn, &reason);
            }
            (None, Some(mirror)) if is_suggested => {
                tell(Code::MirrorAvailable, warn, &|| {
                    mirror::available(&image.spelling_of(mirror.text))
                });
            }
            (_, None) | (None, Some(_)) => {}
        }
    }

    /// Why the image is not pulled from its mirror, in words that continue a refusal, and where that would have been
    /// if it is known.
    pub(super) fn cause(&self) -> Option<(Reason, Option<&Reference<'t>>)> {
        let (rule, obstacle) = self.obstacle.as_ref()?;
        let (cause, mirror) = match (obstacle, &self.mirror) {
            (Obstacle::Unused(why), _) => return Some((why.cause(rule)?, None)),
            (Obstacle::Missing, Some(mirror)) => (mirror::missing(mirror.text), mirror),
            (Obstacle::Unchecked(error), Some(mirror))
                if rule.on_check_error == OnCheckError::Keep =>
            {
                (no_answer(mirror, error.as_deref()), mirror)
            }
            _ => return None,
        };
        Some((Reason::alone(cause), Some(&mirror.reference)))
    }
}

/// Why nobody can say whether a mirror has an image, in words that continue a refusal.
fn no_answer(mirror: &MirrorImage<'_>, error: Option<&str>) -> String {
    let not_asked = || format!("only {MOST_ASKED} images of a request are asked for");
    let error = error.map_or_else(not_asked, str::to_owned);
    mirror::no_answer(mirror.text, &error)
}

/// Whether an image stands in an annotation that is removed: it is pulled from nowhere.
pub(super) fn is_removed(image: &ImageField<'_>, judged: &Judged<'_>) -> bool {
    let removes = &judged.annotations.removes;
    removes.len() > 0 && removes.contains(&image.raw.position())
}

/// The change of the image's text.
fn edit(object: &Object<'_>, image: &ImageField<'_>, mirror: String) -> Edit {
    let start = object.value.span().start;
    let span = image.raw.span();
    Edit {
        at: span.start - start,
        change: Change::Set(mirror),
        span: span.start - start..span.end - start,
    }
}
