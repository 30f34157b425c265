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

use std::cell::Cell;

use crate::exemption::Check;
use crate::image::Reference;
use crate::json::{Step, lookup};
use crate::kind::GroupKind;
use crate::mirror::{self, Mirror, MirrorImage, Mirrored, Rewrite, Unused};
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

impl Treatment {
    /// What a rule makes of it: the mirror of one that only names it is never pulled.
    const fn by(self, rule: &Mirror<'_>) -> Self {
        if rule.is_only_named {
            Self::Written
        } else {
            self
        }
    }
}

/// Where an image is pulled from.
pub(super) enum Pull<'p, 's, 't> {
    /// From where it says: it has no mirror, or is exempt from that.
    Written,
    /// From where it says, although it has a mirror that would be used here.
    Kept(&'p Mirror<'s>, Unused),
    /// From where it says, since mirrors are not used here. This is its mirror.
    Available {
        mirror: MirrorImage<'t>,
        /// Whether its rule never rewrites.
        is_only_named: bool,
    },
    /// From its mirror.
    Mirror {
        rule: &'p Mirror<'s>,
        mirror: MirrorImage<'t>,
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
    /// For an image on its mirror, one at a time.
    text: Cell<String>,
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
            text: Cell::default(),
        }
    }

    /// Where an image of the object is pulled from; `is_exempt` says whether it is exempt from mirrors. Its mirror is
    /// written to `text`.
    pub(super) fn pull<'t>(
        &self,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        text: &'t mut String,
        is_exempt: &mut dyn FnMut() -> bool,
    ) -> Pull<'p, 's, 't> {
        let treatment = self.treatment_of(image);
        let (rule, mirror) = match self.mirror(treatment, image, written, text, is_exempt) {
            Pull::Mirror { rule, mirror, .. } => (rule, mirror),
            other => return other,
        };
        let treatment = treatment.by(rule);
        let before = match treatment {
            Treatment::EditedIfChanged | Treatment::Restored => self.before(image),
            _ => None,
        };
        let is_there = before.as_ref() == Some(&mirror.reference);
        let is_edited = match treatment {
            Treatment::Rewritten => false,
            Treatment::Edited => true,
            Treatment::EditedIfChanged => before.as_ref() != Some(written),
            Treatment::Restored if is_there => true,
            Treatment::Written | Treatment::Restored | Treatment::NewEphemeral => {
                return Pull::Available {
                    mirror,
                    is_only_named: rule.is_only_named,
                };
            }
        };
        Pull::Mirror {
            rule,
            mirror,
            is_edited,
            // What runs there already is there.
            is_asked: rule.check_exists && !is_there,
        }
    }

    /// Whether an image of the object comes to the same as one of another object, be it from a mirror, as `changes`
    /// compares them. What a registry would have to be asked for counts as it is written, and so does what is
    /// no reference.
    pub(super) fn pulls_the_same(
        &self,
        image: &ImageField<'_>,
        others: &Self,
        other: &ImageField<'_>,
    ) -> bool {
        let (mut text, mut other_text) = (self.text.take(), others.text.take());
        let treatment = others.treatment_of(other);
        let is_same = self.as_pulled(self.treatment_of(image), image, false, &mut text)
            == others.as_pulled(treatment, other, false, &mut other_text);
        self.text.set(text);
        others.text.set(other_text);
        is_same
    }

    /// The image that Pods made by a template with this one pull, for [`drift`](super::drift).
    pub(super) fn in_pods<'t>(
        &self,
        image: &'t ImageField<'_>,
        text: &'t mut String,
    ) -> Result<Reference<'t>, &'t str> {
        self.as_pulled(self.later(image), image, true, text)
    }

    /// What is pulled for an image that is treated so; `is_there`: its mirror has it without being asked. No
    /// exemption is noted for it.
    fn as_pulled<'t>(
        &self,
        treatment: Treatment,
        image: &'t ImageField<'_>,
        is_there: bool,
        text: &'t mut String,
    ) -> Result<Reference<'t>, &'t str> {
        let written = as_written(image)?;
        let mut is_exempt = || self.is_exempt(&written);
        let pull = self.mirror(treatment, image, &written, text, &mut is_exempt);
        let Pull::Mirror { rule, mirror, .. } = pull else {
            return Ok(written);
        };
        let was_there = || self.before(image).as_ref() == Some(&mirror.reference);
        let is_known = is_there || !rule.check_exists;
        let is_used = match treatment.by(rule) {
            Treatment::Rewritten | Treatment::Edited => is_known,
            Treatment::EditedIfChanged => is_known || was_there(),
            Treatment::Restored => was_there(),
            Treatment::Written | Treatment::NewEphemeral => false,
        };
        Ok(if is_used { mirror.reference } else { written })
    }

    /// The image of the same container or volume in the object as it was.
    fn before(&self, image: &ImageField<'_>) -> Option<Reference<'p>> {
        as_written(self.context.image_before(image)?).ok()
    }

    /// The rule whose mirror an image has, were it written in this object, and what follows its source in the path of
    /// the image.
    pub(super) fn rule<'i>(&self, image: &'i Reference<'_>) -> Option<(&'p Mirror<'s>, &'i str)> {
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
            !exemption.has_ended(self.context.settings.clock)
                && exemption.checks.contains(&Check::Mirrors)
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

    /// The mirror of an image, and why it is not used where that does not depend on what the image was.
    fn mirror<'t>(
        &self,
        treatment: Treatment,
        image: &ImageField<'_>,
        written: &Reference<'_>,
        text: &'t mut String,
        is_exempt: &mut dyn FnMut() -> bool,
    ) -> Pull<'p, 's, 't> {
        if self.context.settings.mirrors.is_empty() || self.context.is_filled_in_by_istio(image) {
            return Pull::Written;
        }
        let Some((rule, rest)) = self.rule(written) else {
            return Pull::Written;
        };
        let treatment = treatment.by(rule);
        let is_written = matches!(treatment, Treatment::Written | Treatment::Restored);
        let kept = |why| {
            if is_written {
                Pull::Written
            } else {
                Pull::Kept(rule, why)
            }
        };
        let outcome = rule.mirrored(written, rest, text);
        // What is left alone is nobody's exemption.
        let is_left = image.is_never_pulled || outcome == Mirrored::Left;
        if !is_left && is_exempt() {
            return Pull::Written;
        }
        match outcome {
            _ if image.is_never_pulled => kept(Unused::NeverPulled),
            Mirrored::Left => kept(Unused::Digest),
            Mirrored::NeedsTag => kept(Unused::NoTag),
            Mirrored::Invalid(text, problem) => kept(Unused::Invalid(text.to_owned(), problem)),
            Mirrored::To(mirror) => Pull::Mirror {
                rule,
                mirror,
                is_edited: false,
                is_asked: false,
            },
        }
    }
}

/// The image as it is written; its text where that is no reference.
pub(super) fn as_written<'t>(image: &'t ImageField<'_>) -> Result<Reference<'t>, &'t str> {
    Reference::parse(&image.text).map_err(|_| image.text.as_ref())
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
