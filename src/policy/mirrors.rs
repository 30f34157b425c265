//! In which objects an image is pulled from its mirror.
//!
//! | object | with `rewrite` | judged |
//! |---|---|---|
//! | any | `never` | as written |
//! | Pod, CREATE | `pods`, `workloads` | as rewritten, and rewritten |
//! | Pod, UPDATE, where the old object runs the mirror in that container | `pods`, `workloads` | as rewritten, and rewritten: what runs is restored |
//! | Pod, UPDATE, any other image | `pods`, `workloads` | as written |
//! | Pod, new ephemeral container | `pods`, `workloads` | as rewritten, and rewritten |
//! | Pod without a user (audit scanner), mirror of a static Pod | `pods`, `workloads` | as written |
//! | template | `pods` | as rewritten, not rewritten: its Pods will be |
//! | template, CREATE | `workloads` | as rewritten, and rewritten |
//! | template, UPDATE, image not as in the old object | `workloads` | as rewritten, and rewritten |
//! | template, UPDATE, image as in the old object | `workloads` | as rewritten, not rewritten |
//! | template of a `ReplicaSet` with an owner, of a Job on UPDATE, or without a user | `workloads` | as rewritten, not rewritten |
//! | image at a path of the settings, in no template | `pods` | as written |
//! | pull policy `Never`, `auto` of Istio, exempt | any | as written |
//! | pinned, with `digest: skip`; not on the mirror, with `checkExists` | any | as written |

use crate::exemption::Check;
use crate::hashing::{ByHash, Seen, hash_of};
use crate::image::Reference;
use crate::json::{Step, lookup};
use crate::kind::GroupKind;
use crate::mirror::{self, Mirror, Mirrored, OnCheckError, Rewrite};
use crate::registry::{Existence, Registry, Unreachable};
use crate::request::{Operation, Request};
use crate::shown::Shown;
use crate::splice::{self, Change, Edit};
use crate::violation::{Action, Code, Fate};
use crate::workload::{ImageField, Object, Source};

use super::applies::Applies;
use super::context::{Context, Subject};
use super::exempted::Exempted;
use super::finding::{AboutImage, OfImage};
use super::pull_secrets;
use super::{Judged, is_filled_in_by_istio, is_static_pod};

/// Registries are asked for so many images of a request.
const MOST_ASKED: usize = 100;

/// How the images of an object are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    /// As written.
    Written,
    /// As rewritten, by whoever comes later.
    Rewritten,
    /// As rewritten, and rewritten.
    Edited,
    /// As rewritten, and rewritten where it is not as in the old object.
    EditedIfChanged,
    /// As rewritten, and rewritten, where the old object runs the mirror; else as written.
    Restored,
    /// New ephemeral containers as [`Edited`](Self::Edited), others as [`Restored`](Self::Restored).
    NewEphemeral,
}

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
    told: Option<(Code, Action, String)>,
    /// Why it is not pulled from its mirror, and where that would have been if it is known.
    pub(super) cause: Option<Cause>,
    /// A registry has to be asked first.
    pub(super) is_open: bool,
}

/// Why an image is not pulled from its mirror.
#[derive(Debug)]
pub(super) struct Cause {
    /// In words that continue a refusal.
    pub(super) text: String,
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
    context: &'p Context<'p, 's, 'c>,
    object: &'p Object<'r>,
    subject: Subject<'p>,
    treatment: Treatment,
    applies: Applies,
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
    pub(super) fn new(
        context: &'p Context<'p, 's, 'c>,
        object: &'p Object<'r>,
        subject: Subject<'p>,
    ) -> Self {
        let settings = context.settings;
        let treatment = if settings.mirrors.is_empty() {
            Treatment::Written
        } else {
            let is_old = matches!(subject, Subject::Old);
            treatment(settings.rewrite, context.request, object, is_old)
        };
        Self {
            context,
            object,
            subject,
            treatment,
            applies: Applies::new(settings),
            asking: Asking::Later,
            wanted: Seen::default(),
            asked: ByHash::default(),
            pull_secrets: Vec::new(),
        }
    }

    /// Where an image is pulled from.
    pub(super) fn runs(
        &mut self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        exempted: &mut Exempted<'_, '_, '_>,
    ) -> Runs {
        let (request, object) = (self.context.request, self.object);
        let applies = |index, mirror: &Mirror<'_>| {
            self.applies
                .mirror(index, &mirror.selector, request, object)
        };
        if self.context.settings.mirrors.is_empty() || is_filled_in_by_istio(request, image) {
            return Runs::default();
        }
        let Some(mirror) = mirror::find(&self.context.settings.mirrors, written, applies) else {
            return Runs::default();
        };
        let treatment = self.treatment_of(image);
        let outcome = mirror.mirrored(written);
        let is_written = matches!(treatment, Treatment::Written | Treatment::Restored);
        let because = |why: &str| {
            let text = format!("its mirror `{}` {why}", Shown(mirror.target.text()));
            (!is_written).then_some(Cause { text, mirror: None })
        };
        // What is left alone is nobody's exemption.
        let left = if image.is_never_pulled {
            Some("is not used with `imagePullPolicy: Never`")
        } else if matches!(outcome, Mirrored::Left) {
            Some("is not used for images with a digest")
        } else {
            None
        };
        if let Some(why) = left {
            return Runs {
                cause: because(why),
                ..Runs::default()
            };
        }
        if exempted.cover(Check::Mirrors, Some(written)) {
            return Runs::default();
        }
        match outcome {
            Mirrored::NeedsTag if !is_written => {
                let cause = because("is used without digests, add a tag");
                let text = cause.as_ref().map(|cause| cause.text.as_str());
                let problem = format!("keeps its registry: {}", text.unwrap_or_default());
                Runs {
                    told: Some((Code::MirrorNeedsTag, Action::Warn, problem)),
                    cause,
                    ..Runs::default()
                }
            }
            Mirrored::Invalid(text, problem) if !is_written => Runs::told(
                Code::MirrorInvalid,
                Action::Reject,
                format!(
                    "its mirror would be `{}`, which {problem}, change the image or the mirror `{}`",
                    Shown(&text),
                    Shown(mirror.target.text())
                ),
            ),
            Mirrored::Left | Mirrored::NeedsTag | Mirrored::Invalid(..) => Runs::default(),
            Mirrored::To(text) => self.treated(treatment, mirror, image, written, text),
        }
    }

    /// The mirror of an image, were it written in this object, if there is one that may be used.
    ///
    /// # Errors
    ///
    /// Where the request could be refused for the mirror alone.
    pub(super) fn of(&self, image: &Reference<'_>) -> Result<Option<String>, ()> {
        if self.context.settings.mirrors.is_empty()
            || self.context.settings.rewrite == Rewrite::Never
        {
            return Ok(None);
        }
        let applies = |index, mirror: &Mirror<'_>| {
            let selector = &mirror.selector;
            (self.applies).mirror(index, selector, self.context.request, self.object)
        };
        let Some(mirror) = mirror::find(&self.context.settings.mirrors, image, applies) else {
            return Ok(None);
        };
        match mirror.mirrored(image) {
            Mirrored::Left | Mirrored::NeedsTag => Ok(None),
            Mirrored::Invalid(..) => Err(()),
            Mirrored::To(_)
                if mirror.check_exists && mirror.on_check_error == OnCheckError::Reject =>
            {
                Err(())
            }
            Mirrored::To(text) => Ok(Some(text)),
        }
    }

    /// How this image of the object is judged.
    fn treatment_of(&mut self, image: &ImageField<'_>) -> Treatment {
        match self.treatment {
            Treatment::NewEphemeral => {
                if image.is_ephemeral() && self.before(image).is_none() {
                    Treatment::Edited
                } else {
                    Treatment::Restored
                }
            }
            // It is in no template: nothing rewrites it later.
            Treatment::Rewritten if image.source == Source::Path => Treatment::Written,
            treatment => treatment,
        }
    }

    fn treated(
        &mut self,
        treatment: Treatment,
        mirror: &Mirror<'_>,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        text: String,
    ) -> Runs {
        let is = |now: &Reference<'_>, before: &str| {
            Reference::parse(before).is_ok_and(|before| before == *now)
        };
        let runs_before = |before: Option<&str>| {
            let runs = |before| Reference::parse(&text).is_ok_and(|now| is(&now, before));
            before.is_some_and(runs)
        };
        let is_edited = match treatment {
            Treatment::Rewritten => false,
            Treatment::Edited => true,
            Treatment::EditedIfChanged => {
                let before = self.before(image);
                if runs_before(before) {
                    // What runs there already is there.
                    return Runs::from(text, true);
                }
                !before.is_some_and(|before| is(written, before))
            }
            Treatment::Restored if runs_before(self.before(image)) => {
                return Runs::from(text, true);
            }
            Treatment::Written | Treatment::Restored | Treatment::NewEphemeral => {
                return Runs {
                    instead: Some(text),
                    ..Runs::default()
                };
            }
        };
        if !(is_edited && mirror.check_exists) {
            return Runs::from(text, is_edited);
        }
        if self.asking == Asking::Later {
            if self.wanted.len() < MOST_ASKED || self.wanted.contains(&text) {
                self.wanted.insert(&text);
                return Runs {
                    is_open: true,
                    ..Runs::default()
                };
            }
            let error = format!("only {MOST_ASKED} images of a request are asked for");
            return unchecked(mirror, written, text, &error);
        }
        match self.exists(&text) {
            Existence::There => Runs::from(text, true),
            Existence::Missing => {
                let cause = format!("its mirror `{}` does not have it", Shown(&text));
                Runs::kept(Code::MirrorMissing, written, cause, text)
            }
            Existence::Unknown(error) => unchecked(mirror, written, text, &error),
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
        if self.treatment == Treatment::Edited
            && self.context.request.kind.is_pod()
            && !image.is_never_pulled
        {
            self.need_secrets(written, mirrored.unwrap_or(written), exempted);
        }
        if runs.is_edited && is_removed(image, judged) {
            return;
        }
        let is_refused = put.is_refused;
        let mut tell = |code, action, problem: &dyn Fn(Fate) -> String| {
            put.add(
                &AboutImage {
                    code,
                    action,
                    runs: mirrored.unwrap_or(written),
                    is_mirror: false,
                    is_of_accepted: code == Code::MirrorUsed || runs.is_rewritten_all_the_same,
                    problem,
                },
                &mut judged.findings,
            );
        };
        if let Some((code, action, problem)) = &runs.told {
            tell(*code, *action, &|_| problem.clone());
        } else if let Some(mirror) = &runs.mirrored {
            let who = if runs.is_edited { "is" } else { "in Pods, is" };
            tell(Code::MirrorUsed, Action::Warn, &|_| {
                format!("{who} pulled from its mirror `{}`", Shown(mirror))
            });
        } else if let Some(mirror) = &runs.instead
            && self.context.settings.rewrite == Rewrite::Never
            && !is_refused
        {
            tell(Code::MirrorAvailable, Action::Warn, &|_| {
                format!("it has a mirror, use `{}`", Shown(mirror))
            });
        }
    }

    /// Notes what the object changes.
    pub(super) fn change(&self, image: &ImageField<'_>, runs: Runs, judged: &mut Judged<'_>) {
        if let (true, Some(mirror)) = (runs.is_edited, runs.mirrored)
            && !is_removed(image, judged)
        {
            if !image.is_private() {
                let position = image.raw.position();
                judged.rewritten.add(position, &image.text, &mirror);
            }
            splice::add(&mut judged.edits, edit(self.object, image, mirror));
        }
    }

    /// Adds the secrets that the Pod needs for its mirrors.
    pub(super) fn add_pull_secrets(&self, judged: &mut Judged<'_>) {
        pull_secrets::add(&self.pull_secrets, self.object, judged);
    }

    fn need_secrets(
        &mut self,
        written: &Reference<'_>,
        runs: &Reference<'_>,
        exempted: &mut Exempted<'_, '_, '_>,
    ) {
        for (index, mirror) in self.context.settings.mirrors.iter().enumerate() {
            let selector = &mirror.selector;
            if !mirror.pull_secrets.is_empty()
                && mirror.holds(runs)
                && (self.applies).mirror(index, selector, self.context.request, self.object)
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

    /// The image of the same container or volume in the old object, as it is written.
    fn before(&self, image: &ImageField<'_>) -> Option<&str> {
        let before = self.context.image_before(image);
        before.map(|before| before.text.as_ref())
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

    /// An image that keeps its registry.
    fn kept(code: Code, written: &Reference<'_>, cause: String, mirror: String) -> Self {
        let problem = format!("keeps `{}`: {cause}", Shown(written.host()));
        Self {
            cause: Some(Cause {
                text: cause,
                mirror: Some(mirror),
            }),
            ..Self::told(code, Action::Warn, problem)
        }
    }

    fn told(code: Code, action: Action, problem: String) -> Self {
        Self {
            told: Some((code, action, problem)),
            ..Self::default()
        }
    }
}

/// What becomes of an image where nobody can say whether its mirror has it.
fn unchecked(mirror: &Mirror<'_>, written: &Reference<'_>, text: String, error: &str) -> Runs {
    let problem = format!(
        "its mirror `{}` cannot be asked for it ({})",
        Shown(&text),
        Shown(error.trim_end_matches('.'))
    );
    let code = Code::MirrorUnchecked;
    match mirror.on_check_error {
        OnCheckError::Keep => Runs::kept(code, written, problem, text),
        OnCheckError::Reject => {
            Runs::told(code, Action::Reject, format!("{problem}, try again later"))
        }
        OnCheckError::Rewrite => Runs {
            is_rewritten_all_the_same: true,
            told: Some((
                code,
                Action::Warn,
                format!("is rewritten all the same: {problem}"),
            )),
            ..Runs::from(text, true)
        },
    }
}

/// Whether the images of an object become those that its old object runs, where that is their mirror.
pub(super) fn edits_what_changes(
    rewrite: Rewrite,
    request: &Request<'_>,
    object: &Object<'_>,
) -> bool {
    treatment(rewrite, request, object, false) == Treatment::EditedIfChanged
}

fn treatment(
    rewrite: Rewrite,
    request: &Request<'_>,
    object: &Object<'_>,
    is_old: bool,
) -> Treatment {
    if rewrite == Rewrite::Never {
        return Treatment::Written;
    }
    let has_user = request.user.is_some();
    let is_update = request.operation == Operation::Update;
    if request.kind.is_pod() {
        return match request.sub_resource {
            _ if is_old || !has_user || is_static_pod(request, object) => Treatment::Written,
            Some(_) => Treatment::NewEphemeral,
            None if is_update => Treatment::Restored,
            None => Treatment::Edited,
        };
    }
    let is_left = is_old
        || !has_user
        || (is_update && is(&request.kind, "batch", "Job"))
        || (is(&request.kind, "apps", "ReplicaSet") && has_owner(object));
    match rewrite {
        Rewrite::Workloads if !is_left && is_update => Treatment::EditedIfChanged,
        Rewrite::Workloads if !is_left => Treatment::Edited,
        _ => Treatment::Rewritten,
    }
}

fn is(kind: &GroupKind<'_>, group: &str, name: &str) -> bool {
    kind.group == group && kind.kind == name
}

fn has_owner(object: &Object<'_>) -> bool {
    let owner = [Step::key("ownerReferences"), Step::Each];
    object
        .metadata
        .is_some_and(|metadata| !lookup(metadata, &owner).is_empty())
}

/// Whether an image stands in an annotation that is removed: it is pulled from nowhere.
fn is_removed(image: &ImageField<'_>, judged: &Judged<'_>) -> bool {
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
