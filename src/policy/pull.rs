//! Where an image is pulled from: decided here for the lists, for what is rewritten, for changes and for drift.
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
//! | image of a well-known kind, pulled for a Pod | `pods`, `workloads` | as a template |
//! | image of a well-known kind in parts | `pods`, `workloads` | as rewritten, not rewritten: its Pods will be |
//! | image of a well-known kind, pulled for no Pod | any | as written |
//! | image at a path of the settings, in no template | `pods` | as written |
//! | pull policy `Never`, `auto` of Istio, exempt | any | as written |
//! | pinned, with `digest: skip`; not on the mirror, with `checkExists` | any | as written |

use crate::exemption::Check;
use crate::image::Reference;
use crate::json::{Step, lookup};
use crate::kind::GroupKind;
use crate::mirror::{self, Mirror, Mirrored, Rewrite, Unused};
use crate::request::Operation;
use crate::workload::{ImageField, Object, Source};

use super::applies::Applies;
use super::context::Context;

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

/// Where an image is pulled from.
pub(super) enum Pull<'p, 's> {
    /// From where it says: it has no mirror, or is exempt from that.
    Written,
    /// From where it says, although it has a mirror that would be used here.
    Kept(&'p Mirror<'s>, Unused),
    /// From where it says, since mirrors are not used here. This is its mirror.
    Available(String),
    /// From its mirror.
    Mirror {
        rule: &'p Mirror<'s>,
        text: String,
        /// Whether the object changes.
        is_edited: bool,
        /// Whether the mirror is to be asked for it before the object changes.
        is_asked: bool,
    },
}

/// Where the images of one object are pulled from.
pub(super) struct Pulls<'p, 's, 'c, 'r> {
    pub(super) context: &'p Context<'p, 's, 'c>,
    pub(super) object: &'p Object<'r>,
    /// It is the object as it was, in which nothing changes.
    is_old: bool,
    treatment: Treatment,
    applies: Applies,
}

impl<'p, 's, 'c, 'r> Pulls<'p, 's, 'c, 'r> {
    /// `is_old` for the object as it was.
    pub(super) fn new(
        context: &'p Context<'p, 's, 'c>,
        object: &'p Object<'r>,
        is_old: bool,
    ) -> Self {
        let treatment = if context.settings.mirrors.is_empty() {
            Treatment::Written
        } else {
            treatment(context, object, is_old)
        };
        Self {
            context,
            object,
            is_old,
            treatment,
            applies: Applies::new(context.settings),
        }
    }

    /// Where an image of the object is pulled from; `is_exempt` says whether it is exempt from mirrors.
    pub(super) fn pull(
        &self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        is_exempt: &mut dyn FnMut() -> bool,
    ) -> Pull<'p, 's> {
        self.treated(self.treatment_of(image), image, written, is_exempt)
    }

    /// The image in the one spelling that `changes` compares: two images that come to the same, be it from a
    /// mirror, are no change. What a registry would have to be asked for counts as it is written, and so does
    /// what is no reference.
    pub(super) fn effective(&self, image: &ImageField<'_>) -> String {
        let treatment = self.treatment_of(image);
        let mirror = self.unmarked(treatment, image, |is_asked| !is_asked);
        mirror.unwrap_or_else(|| as_written(image))
    }

    /// The mirror, in its normal form, that Pods made by a template with this image pull it from.
    pub(super) fn in_pods(&self, image: &ImageField<'_>) -> Option<String> {
        self.unmarked(self.later(image), image, |_| true)
    }

    /// The mirror of an image that is treated so, where it `counts`, which depends on whether it is asked for it.
    /// No exemption is noted for it.
    fn unmarked(
        &self,
        treatment: Treatment,
        image: &ImageField<'_>,
        counts: fn(bool) -> bool,
    ) -> Option<String> {
        let written = Reference::parse(&image.text).ok()?;
        let mut is_exempt = || self.is_exempt(&written);
        match self.treated(treatment, image, &written, &mut is_exempt) {
            Pull::Mirror { text, is_asked, .. } if counts(is_asked) => {
                Some(Reference::parse(&text).ok()?.text())
            }
            _ => None,
        }
    }

    /// The rule whose mirror an image has, were it written in this object.
    pub(super) fn rule(&self, image: &Reference<'_>) -> Option<&'p Mirror<'s>> {
        let applies = |index, rule: &Mirror<'_>| self.is_about(index, rule);
        mirror::find(&self.context.settings.mirrors, image, applies)
    }

    /// Whether the rule at this position is about the object.
    pub(super) fn is_about(&self, index: usize, rule: &Mirror<'_>) -> bool {
        let request = self.context.request;
        (self.applies).mirror(index, &rule.selector, request, self.object)
    }

    /// Whether the object is a Pod that starts, in which mirrors are used.
    pub(super) fn is_new_pod(&self) -> bool {
        self.treatment == Treatment::Edited && self.context.request.kind.is_pod()
    }

    fn is_exempt(&self, image: &Reference<'_>) -> bool {
        let mut exemptions = self.context.settings.exemptions.iter().enumerate();
        exemptions.any(|(index, exemption)| {
            let selector = &exemption.selector;
            exemption.checks.contains(&Check::Mirrors)
                && exemption.covers(Some(image))
                && (self.applies).exemption(index, selector, self.context.request, self.object)
        })
    }

    /// How this image of the object is judged.
    fn treatment_of(&self, image: &ImageField<'_>) -> Treatment {
        match self.treatment {
            _ if image.is_artifact() => Treatment::Written,
            Treatment::NewEphemeral => {
                if image.is_ephemeral() && self.context.image_before(image).is_none() {
                    Treatment::Edited
                } else {
                    Treatment::Restored
                }
            }
            // It is in no template: nothing rewrites it later.
            Treatment::Rewritten if image.source == Source::Path => Treatment::Written,
            // As it would be now, and what is in parts as its Pods will run it.
            Treatment::Edited | Treatment::EditedIfChanged
                if self.is_old || image.is_in_parts() =>
            {
                Treatment::Rewritten
            }
            treatment => treatment,
        }
    }

    /// How an image is judged that is rewritten later, if it is.
    fn later(&self, image: &ImageField<'_>) -> Treatment {
        match self.context.settings.rewrite {
            Rewrite::Never => Treatment::Written,
            _ if image.is_artifact() => Treatment::Written,
            Rewrite::Pods if image.source == Source::Path => Treatment::Written,
            Rewrite::Pods | Rewrite::Workloads => Treatment::Rewritten,
        }
    }

    fn treated(
        &self,
        treatment: Treatment,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        is_exempt: &mut dyn FnMut() -> bool,
    ) -> Pull<'p, 's> {
        if self.context.settings.mirrors.is_empty() || self.context.is_filled_in_by_istio(image) {
            return Pull::Written;
        }
        let Some(rule) = self.rule(written) else {
            return Pull::Written;
        };
        let is_written = matches!(treatment, Treatment::Written | Treatment::Restored);
        let kept = |why| {
            if is_written {
                Pull::Written
            } else {
                Pull::Kept(rule, why)
            }
        };
        let outcome = rule.mirrored(written);
        // What is left alone is nobody's exemption.
        let is_left = image.is_never_pulled || outcome == Mirrored::Left;
        if !is_left && is_exempt() {
            return Pull::Written;
        }
        let text = match outcome {
            _ if image.is_never_pulled => return kept(Unused::NeverPulled),
            Mirrored::To(text) => text,
            Mirrored::Left => return kept(Unused::Digest),
            Mirrored::NeedsTag => return kept(Unused::NoTag),
            Mirrored::Invalid(text, problem) => return kept(Unused::Invalid(text, problem)),
        };
        let ran = |before: Option<&ImageField<'_>>| {
            let mirror = Reference::parse(&text);
            before.is_some_and(|before| {
                matches!((&mirror, Reference::parse(&before.text)), (Ok(mirror), Ok(before)) if *mirror == before)
            })
        };
        let is_edited = match treatment {
            Treatment::Rewritten => false,
            Treatment::Edited => true,
            Treatment::EditedIfChanged => {
                let before = self.context.image_before(image);
                if ran(before) {
                    // What runs there already is there.
                    return Pull::restored(rule, text);
                }
                let before = before.map(|before| Reference::parse(&before.text));
                !before.is_some_and(|before| before.is_ok_and(|before| before == *written))
            }
            Treatment::Restored if ran(self.context.image_before(image)) => {
                return Pull::restored(rule, text);
            }
            Treatment::Written | Treatment::Restored | Treatment::NewEphemeral => {
                return Pull::Available(text);
            }
        };
        Pull::Mirror {
            rule,
            text,
            is_edited,
            is_asked: rule.check_exists,
        }
    }
}

impl<'p, 's> Pull<'p, 's> {
    /// From the mirror that was pulled from before.
    const fn restored(rule: &'p Mirror<'s>, text: String) -> Self {
        Self::Mirror {
            rule,
            text,
            is_edited: true,
            is_asked: false,
        }
    }
}

/// The image as it is written, in its normal form.
pub(super) fn as_written(image: &ImageField<'_>) -> String {
    match Reference::parse(&image.text) {
        Ok(reference) => reference.text(),
        Err(_) => image.text.to_string(),
    }
}

fn treatment(context: &Context<'_, '_, '_>, object: &Object<'_>, is_old: bool) -> Treatment {
    let (request, rewrite) = (context.request, context.settings.rewrite);
    if rewrite == Rewrite::Never {
        return Treatment::Written;
    }
    let has_user = request.user.is_some();
    let is_update = request.operation == Operation::Update;
    if request.kind.is_pod() {
        return match request.sub_resource {
            _ if is_old || !has_user || context.is_static_pod(object) => Treatment::Written,
            Some(_) => Treatment::NewEphemeral,
            None if is_update => Treatment::Restored,
            None => Treatment::Edited,
        };
    }
    let is_left = !has_user
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
