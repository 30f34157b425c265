//! What becomes of images that have a mirror: what is asked, told and changed.

use crate::exemption::Check;
use crate::hashing::{ByHash, Seen, hash_of};
use crate::image::Reference;
use crate::mirror::{Mirror, Mirrored, Note, OnCheckError, Rewrite, Unused, missing, no_answer};
use crate::registry::{Existence, Registry, Unreachable};
use crate::splice::{self, Change, Edit};
use crate::violation::{Code, Reason};
use crate::workload::{ImageField, Object};

use super::context::Subject;
use super::exempted::Exempted;
use super::finding::{AboutImage, OfImage};
use super::pull::{Pull, Pulls};
use super::{Judged, pull_secrets};

/// Registries are asked for so many images of a request.
const MOST_ASKED: usize = 100;

/// What becomes of an image.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Where it is pulled from, if that is a mirror.
    pub(super) mirrored: Option<String>,
    /// Its mirror, where it is not pulled from there.
    pub(super) instead: Option<String>,
    /// Whether the object changes.
    is_edited: bool,
    /// Although nobody knows whether the mirror has it.
    is_rewritten_all_the_same: bool,
    /// What else there is to say.
    note: Option<Note>,
    /// Why it is not pulled from its mirror, and where that would have been if it is known.
    pub(super) cause: Option<Cause>,
    /// A registry has to be asked first.
    pub(super) is_open: bool,
}

/// Why an image is not pulled from its mirror.
#[derive(Debug)]
pub(super) struct Cause {
    /// In words that continue a refusal.
    pub(super) reason: Reason,
    /// Where it would be pulled from.
    pub(super) mirror: Option<String>,
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
    asked: ByHash<Existence>,
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
            pull_secrets: Vec::new(),
        }
    }

    /// What becomes of an image.
    pub(super) fn runs(
        &mut self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        exempted: &mut Exempted<'_, '_, '_>,
    ) -> Runs {
        let mut is_exempt = || exempted.cover(Check::Mirrors, Some(written));
        match self.pulls.pull(image, written, &mut is_exempt) {
            Pull::Written => Runs::default(),
            Pull::Available(text) => Runs {
                instead: Some(text),
                ..Runs::default()
            },
            Pull::Kept(rule, why) => Runs::unused(rule, &why),
            Pull::Mirror {
                rule,
                text,
                is_edited: true,
                is_asked: true,
            } => self.asked(rule, written, text),
            Pull::Mirror {
                text, is_edited, ..
            } => Runs::from(text, is_edited),
        }
    }

    /// The mirror of an image, were it written in this object, if there is one that may be used.
    ///
    /// # Errors
    ///
    /// Where the request could be refused for the mirror alone.
    pub(super) fn of(&self, image: &Reference<'_>) -> Result<Option<String>, ()> {
        if self.pulls.context.settings.rewrite == Rewrite::Never {
            return Ok(None);
        }
        let Some(rule) = self.pulls.rule(image) else {
            return Ok(None);
        };
        match rule.mirrored(image) {
            Mirrored::Left | Mirrored::NeedsTag => Ok(None),
            Mirrored::Invalid(..) => Err(()),
            Mirrored::To(_) if rule.check_exists && rule.on_check_error == OnCheckError::Reject => {
                Err(())
            }
            Mirrored::To(text) => Ok(Some(text)),
        }
    }

    /// What becomes of an image whose mirror has to be asked for it.
    fn asked(&mut self, rule: &Mirror<'_>, written: &Reference<'_>, text: String) -> Runs {
        if self.asking == Asking::Later {
            if self.wanted.len() < MOST_ASKED || self.wanted.contains(&text) {
                self.wanted.insert(&text);
                return Runs {
                    is_open: true,
                    ..Runs::default()
                };
            }
            let error = format!("only {MOST_ASKED} images of a request are asked for");
            return unchecked(rule, written, text, &error);
        }
        match self.exists(&text) {
            Existence::There => Runs::from(text, true),
            Existence::Missing => {
                let cause = missing(&text);
                let note = Note::keeps(Code::MirrorMissing, written, &cause);
                Runs::kept(note, cause, text)
            }
            Existence::Unknown(error) => unchecked(rule, written, text, &error),
        }
    }

    /// Says what becomes of an image, which is given as it is written, and as its mirror.
    pub(super) fn note(
        &mut self,
        (written, mirrored): (&Reference<'_>, Option<&Reference<'_>>),
        runs: &Runs,
        exempted: &mut Exempted<'_, '_, '_>,
        judged: &mut Judged<'_>,
        put: &mut OfImage<'_, '_>,
    ) {
        let image = put.image;
        if self.pulls.is_new_pod() && !image.is_never_pulled {
            self.need_secrets(written, mirrored.unwrap_or(written), exempted);
        }
        let is_suggested =
            || self.pulls.context.settings.rewrite == Rewrite::Never && !put.is_refused;
        let note = match (&runs.note, &runs.mirrored, &runs.instead) {
            (Some(note), ..) => note.clone(),
            (None, Some(mirror), _) => Note::used(mirror, runs.is_edited),
            (None, None, Some(mirror)) if is_suggested() => {
                Note::available(&image.spelling_of(mirror))
            }
            _ => return,
        };
        let about = AboutImage {
            code: note.code,
            action: note.action,
            runs: mirrored.unwrap_or(written),
            is_mirror: false,
            is_of_accepted: note.code == Code::MirrorUsed || runs.is_rewritten_all_the_same,
            reason: &|_| note.reason.clone(),
        };
        put.add(&about, &mut judged.findings);
    }

    /// Notes what the object changes.
    pub(super) fn change(&self, image: &ImageField<'_>, runs: Runs, judged: &mut Judged<'_>) {
        if let (true, Some(mirror)) = (runs.is_edited, runs.mirrored) {
            if !image.is_private() {
                let position = image.raw.position();
                judged.rewritten.add(position, &image.text, &mirror);
            }
            splice::add(&mut judged.edits, edit(self.pulls.object, image, mirror));
        }
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
        if let Some(known) = self.asked.get(&hash) {
            return known.clone();
        }
        if self.asking == Asking::Never {
            return Existence::There;
        }
        let answer = match self.subject {
            Subject::New(registry) => registry.has(text),
            Subject::Old => Unreachable.has(text),
        };
        self.asked.insert(hash, answer.clone());
        answer
    }
}

impl Runs {
    fn from(mirror: String, is_edited: bool) -> Self {
        Self {
            mirrored: Some(mirror),
            is_edited,
            ..Self::default()
        }
    }

    /// An image that keeps its registry, since its mirror is not known to have it.
    fn kept(note: Note, cause: String, mirror: String) -> Self {
        Self {
            note: Some(note),
            cause: Some(Cause {
                reason: Reason::alone(cause),
                mirror: Some(mirror),
            }),
            ..Self::default()
        }
    }

    /// An image whose mirror is not used.
    fn unused(rule: &Mirror<'_>, why: &Unused) -> Self {
        let cause = why.cause(rule);
        Self {
            note: why.note(rule),
            cause: cause.map(|reason| Cause {
                reason,
                mirror: None,
            }),
            ..Self::default()
        }
    }
}

/// What becomes of an image where nobody can say whether its mirror has it.
fn unchecked(rule: &Mirror<'_>, written: &Reference<'_>, mirror: String, error: &str) -> Runs {
    let cause = no_answer(&mirror, error);
    let note = Note::unchecked(rule, written, &cause);
    match rule.on_check_error {
        OnCheckError::Keep => Runs::kept(note, cause, mirror),
        OnCheckError::Reject => Runs {
            note: Some(note),
            ..Runs::default()
        },
        OnCheckError::Rewrite => Runs {
            is_rewritten_all_the_same: true,
            note: Some(note),
            ..Runs::from(mirror, true)
        },
    }
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
