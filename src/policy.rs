//! The order in which a request is judged.
//!
//! 1. CONNECT passes, and every sub-resource but `ephemeralcontainers`; DELETE and evictions pass unless
//!    a rule of `changes` guards the object; of `status` only annotations and labels are judged.
//! 2. Every image of the object is held against every list, as it will run: pulled from its mirror;
//!    then its annotations against their rules, and the object against what was last applied.
//! 3. What an exemption covers is left out.
//! 4. On UPDATE, what the old object has as well only warns; then rules of `changes` ask who changes
//!    what they guard.
//! 5. If nothing refuses, what is to change in the object does.

mod annotations;
mod applies;
mod changes;
mod context;
mod dated;
mod drift;
mod exempted;
mod finding;
mod images;
mod kept;
mod mirrors;
mod placeholders;
mod pull;
mod pull_secrets;

use std::cell::RefCell;

use crate::change::{ChangeRule, controllers};
use crate::json::{Document, Position, Step, Value, lookup};
use crate::kind::GroupKind;
use crate::registry::{Registry, Unreachable};
use crate::request::{Operation, Request, RequestError};
use crate::settings::{OnUpdate, Settings, SettingsErrors};
use crate::shown::Shown;
use crate::splice::{self, Edit};
use crate::verdict::{MOST_LINES, Verdict};
use crate::violation::{Advice, Code, Violation};
use crate::workload::Object;

use context::{Context, Subject};
use exempted::Exempted;
use finding::{Before, Counts, Findings, Known, Was};
use mirrors::Mirrors;
use pull::Pulls;

/// Settings, ready to judge requests.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'s> {
    settings: &'s Settings<'s>,
    /// So many findings are told of an object; the others are counted.
    most: usize,
}

/// What is wrong with an object, and what becomes of it.
struct Judged<'j> {
    /// All that is wrong, but for its annotations.
    findings: Findings<'j>,
    annotations: Findings<'j>,
    edits: Vec<Edit>,
    rewritten: Rewritten,
}

impl Judged<'_> {
    /// Whether something refuses the request, whatever becomes of its annotations.
    fn refuses(&self) -> bool {
        let removes_some = self.annotations.removes.len() > 0;
        self.findings.refuse() || (!removes_some && self.annotations.refuse())
    }
}

/// The images that run from elsewhere, as `from=to`, by their position: the first of them, and how many more
/// there are.
struct Rewritten {
    told: Vec<(Position, String)>,
    more: usize,
    most: usize,
}

impl Rewritten {
    const fn new(most: usize) -> Self {
        Self {
            told: Vec::new(),
            more: 0,
            most,
        }
    }

    fn add(&mut self, position: Position, from: &str, to: &str) {
        let is_full = self.told.len() >= self.most;
        if is_full {
            self.more += 1;
            // Mostly they come in their order.
            if (self.told.last()).is_none_or(|(last, _)| *last <= position) {
                return;
            }
            self.told.pop();
        }
        let at = (self.told).partition_point(|(before, _)| *before <= position);
        self.told.insert(at, (position, [from, "=", to].concat()));
    }

    fn into_texts(self) -> Vec<String> {
        let mut texts: Vec<_> = self.told.into_iter().map(|(_, text)| text).collect();
        if self.more > 0 {
            texts.push(format!("and {} more", self.more));
        }
        texts
    }
}

impl<'s> Policy<'s> {
    /// A policy with these settings.
    pub const fn new(settings: &'s Settings<'s>) -> Self {
        Self {
            settings,
            most: MOST_LINES,
        }
    }

    /// The same policy for a report that has to be complete: it tells every finding, where an admission
    /// answer names the first hundred and counts the others.
    #[must_use]
    pub const fn without_limit(self) -> Self {
        Self {
            most: usize::MAX,
            ..self
        }
    }

    /// The settings that it judges by.
    pub const fn settings(self) -> &'s Settings<'s> {
        self.settings
    }

    /// Judges a request, where no registry can be asked.
    pub fn evaluate(self, request: Request<'_>) -> Verdict<'s> {
        self.evaluate_with(request, &Unreachable)
    }

    /// Judges a request. Never fails: what cannot be read is itself a violation.
    pub fn evaluate_with(self, mut request: Request<'_>, registry: &dyn Registry) -> Verdict<'s> {
        let mut verdict = Verdict::new(self.settings.docs_url.as_deref());
        if request.operation == Operation::Delete {
            return self.evaluate_deletion(&request, verdict);
        }
        if is_eviction(&request) {
            return self.evaluate_eviction(request, verdict);
        }
        let is_judged = match request.sub_resource.as_deref() {
            None | Some("ephemeralcontainers") => true,
            Some(_) => request.is_through_status() && self.looks_at_status(&request),
        };
        if request.operation == Operation::Connect || !is_judged {
            return verdict;
        }
        let Some(mut object) = request.object.take() else {
            let error = RequestError::new("request.object", "missing");
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        };
        let context = Context::new(self.settings, &request, self.most);
        if request.is_through_status() {
            match context.old() {
                Ok(Some(old)) if has_same_entries(old, &object) => return verdict,
                Ok(old) => object = object.through_status(old),
                Err(error) => {
                    return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
                }
            }
        }
        if object.more_malformed > 0
            && let Ok(whole) = Object::read_up_to(object.value, &request.kind, self.most)
        {
            object = whole;
        }
        let mut used = vec![false; self.settings.exemptions.len()];
        context.add_images(&mut object);
        let read = || old_that_counts(&context, object.value);
        let judge = |old: &Object<'_>| judge_old(&context, old);
        // What was so before is not told to whoever writes a status.
        let is_told = !request.is_through_status();
        let was = Was::new(&object, &read, &judge, is_told);
        let before = before(&request, &was);
        let subject = Subject::New(registry);
        let judged = match self::judge(&context, &object, subject, &mut used, before) {
            Ok(judged) => judged,
            Err(errors) => return Verdict::misconfigured(&errors),
        };
        let Judged {
            mut findings,
            annotations,
            mut edits,
            rewritten,
        } = judged;
        if annotations.removes.len() == 0 {
            findings.append(annotations);
        } else {
            let findings = &mut findings;
            remove(
                &context,
                &object,
                &mut used,
                annotations,
                findings,
                &mut edits,
            );
        }
        let mut changes = Findings::new(Before::Nothing, false, self.most);
        if let Err(error) = changes::judge_update(&context, &object, &mut used, &mut changes) {
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        }
        findings.append(changes);
        self.tell(findings, &used, &mut verdict);
        let value = object.value;
        // What is written next takes their place in memory.
        drop((object, context));
        verdict.change(value, edits, rewritten.into_texts());
        verdict
    }

    /// Judges who evicts a Pod.
    fn evaluate_eviction(self, mut request: Request<'_>, mut verdict: Verdict<'s>) -> Verdict<'s> {
        let mut used = vec![false; self.settings.exemptions.len()];
        let mut findings = Findings::new(Before::Nothing, false, self.most);
        let eviction = request.object.take();
        request.kind = GroupKind::POD;
        changes::judge_eviction(self.settings, &request, eviction, &mut used, &mut findings);
        self.tell(findings, &used, &mut verdict);
        verdict
    }

    /// Whether a write through `status` is judged, as far as annotations and labels differ in it: there are
    /// rules about them, and it is not the duty of a controller.
    fn looks_at_status(self, request: &Request<'_>) -> bool {
        let guards = || {
            self.settings
                .changes
                .iter()
                .any(ChangeRule::guards_metadata)
        };
        let is_duty = |user| controllers::may_through_status(user, &request.kind);
        (!self.settings.annotations.is_empty() || guards())
            && !request.user.as_ref().is_some_and(is_duty)
    }

    /// Judges a DELETE, which has no object but the old one.
    fn evaluate_deletion(self, request: &Request<'_>, mut verdict: Verdict<'s>) -> Verdict<'s> {
        if request.sub_resource.is_some() {
            return verdict;
        }
        let mut used = vec![false; self.settings.exemptions.len()];
        let mut findings = Findings::new(Before::Nothing, false, self.most);
        if let Err(error) = changes::judge_delete(self.settings, request, &mut used, &mut findings)
        {
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        }
        self.tell(findings, &used, &mut verdict);
        verdict
    }

    /// Adds what is wrong, and the exemptions without which there would be more.
    fn tell(self, findings: Findings<'_>, used: &[bool], verdict: &mut Verdict<'s>) {
        findings.tell(verdict);
        for (exemption, used) in self.settings.exemptions.iter().zip(used) {
            if !*used {
                continue;
            }
            verdict.exempted(&exemption.name);
            let end = exemption.until.as_ref();
            if let Some(end) = end.filter(|end| end.is_near(self.settings.clock)) {
                let (name, end) = (Shown(&exemption.name), end.text);
                let problem = format!("exemption `{name}` ends with {end}");
                let advice = "meet what it lifts by then, or renew it".to_owned();
                let warning = Violation {
                    advice: Some(Advice::Instead(advice)),
                    ..Violation::new(Code::ExemptionEnds, "object".to_owned(), problem)
                };
                verdict.add_warnings((vec![warning], 0, Vec::new()));
            }
        }
    }
}

/// The old object, where what was wrong with it still passes.
fn old_that_counts<'c, 'r>(
    context: &'c Context<'_, '_, 'r>,
    new: Value<'_>,
) -> Option<&'c Object<'r>> {
    let value = context.request.old_object?;
    if context.settings.on_update == OnUpdate::All
        && !context.request.is_through_status()
        && !kept::is_bookkeeping(new, value)
    {
        return None;
    }
    context.old().ok().flatten()
}

/// What is wrong with the old object.
fn judge_old(context: &Context<'_, '_, '_>, old: &Object<'_>) -> Counts {
    let mut counts = Counts::default();
    // A map that grows would leave in the module what it was before.
    counts.reserve(old.found.len());
    let counts = RefCell::new(counts);
    let mut unused = vec![false; context.settings.exemptions.len()];
    let before = Before::Counted(&counts);
    let judged = judge(context, old, Subject::Old, &mut unused, before);
    if judged.is_err() {
        return Counts::default();
    }
    drop(judged);
    counts.into_inner()
}

/// Everything wrong with an object that no exemption covers, in the order of the document; notes
/// the exemptions that covered something.
fn judge<'j>(
    context: &Context<'_, '_, '_>,
    object: &Object<'_>,
    subject: Subject<'_>,
    used: &mut [bool],
    before: Before<'j>,
) -> Result<Judged<'j>, SettingsErrors> {
    let (settings, request) = (context.settings, context.request);
    let only_warns = context.is_static_pod(object);
    let mut judged = Judged {
        findings: Findings::new(before, only_warns, context.most),
        annotations: Findings::new(before, only_warns, context.most),
        edits: Vec::new(),
        rewritten: Rewritten::new(context.most),
    };
    let mut exempted = Exempted::new(settings, request, object, used);
    // First, since no image in an annotation that is removed is pulled from elsewhere.
    let annotations = &mut judged.annotations;
    annotations::judge(context, object, subject, &mut exempted, annotations)?;
    if context.has_images() {
        let pulls = Pulls::new(context, object, matches!(subject, Subject::Old));
        let mut mirrors = Mirrors::new(&pulls, subject);
        images::judge(context, object, &mut mirrors, &mut exempted, &mut judged);
        mirrors.add_pull_secrets(&mut judged);
        drift::judge(&pulls, &mut exempted, &mut judged.findings);
    }
    Ok(judged)
}

/// Removes annotations instead of refusing them, and judges the annotations as they are then.
fn remove(
    context: &Context<'_, '_, '_>,
    object: &Object<'_>,
    used: &mut [bool],
    annotations: Findings<'_>,
    findings: &mut Findings<'_>,
    edits: &mut Vec<Edit>,
) {
    let request = context.request;
    let Some((removals, text)) = annotations::remove(request, object, &annotations.removes) else {
        return findings.append(annotations);
    };
    let Ok(document) = Document::of(&text) else {
        return findings.append(annotations);
    };
    let Ok(without) = Object::read(document.root(), &request.kind) else {
        return findings.append(annotations);
    };
    let read = || old_that_counts(context, without.value);
    let judge = |old: &Object<'_>| judge_old(context, old);
    let was = Was::new(&without, &read, &judge, true);
    let before = before(request, &was);
    let mut after = Findings::new(before, context.is_static_pod(&without), context.most);
    let mut exempted = Exempted::new(context.settings, request, &without, used);
    // It has no images here, and no registry is asked.
    let subject = Subject::New(&Unreachable);
    if annotations::judge(context, &without, subject, &mut exempted, &mut after).is_err() {
        return findings.append(annotations);
    }
    after.move_to(|position| annotations::position_before(position, object.value, &removals));
    findings.append(annotations.only_removed());
    findings.append(after);
    splice::merge(edits, removals);
}

/// What becomes of what the old object has as well.
fn before<'j>(request: &Request<'_>, was: &'j dyn Known) -> Before<'j> {
    if request.operation == Operation::Update && request.old_object.is_some() {
        Before::Was(was)
    } else {
        Before::Nothing
    }
}

/// Whether two objects have the same annotations and labels, to the byte.
fn has_same_entries(old: &Object<'_>, object: &Object<'_>) -> bool {
    let entries = |object: &Object<'_>, map: &str| {
        let way = [Step::key("metadata"), Step::key(map)];
        let maps = lookup(object.value, &way);
        maps.into_iter()
            .map(Value::text)
            .collect::<Vec<_>>()
            .concat()
    };
    ["annotations", "labels"]
        .iter()
        .all(|map| entries(old, map) == entries(object, map))
}

/// Whether the request evicts a Pod, where a policy is asked about that.
fn is_eviction(request: &Request<'_>) -> bool {
    request.operation == Operation::Create
        && request.sub_resource.as_deref() == Some("eviction")
        && request.kind.is_eviction()
}
