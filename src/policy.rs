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
mod changes;
mod drift;
mod exempted;
mod finding;
mod images;
mod kept;
mod mirrors;
mod pull_secrets;
mod running;
mod told;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::change::{ChangeRule, controllers};
use crate::exemption::Check;
use crate::json::{Document, Position, Step, Value, lookup};
use crate::kind::GroupKind;
use crate::registry::{Registry, Unreachable};
use crate::request::{Operation, Request, RequestError};
use crate::settings::{OnUpdate, Settings};
use crate::splice::{self, Change, Edit};
use crate::verdict::Verdict;
use crate::violation::{Action, Code};
use crate::workload::{ImageField, Object};

use annotations::Unjudged;
use exempted::Exempted;
use finding::{Finding, only_warn};
use mirrors::Mirrors;

/// Settings, ready to judge requests.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'s> {
    settings: &'s Settings<'s>,
}

/// What is wrong with an object, and what becomes of it.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    edits: Vec<Edit>,
    /// The images that run from elsewhere, as `from=to`, by their position.
    rewritten: Vec<(Position, String)>,
}

impl Judged {
    /// Leaves out what changes within a part of the object that is removed: an image there is pulled from
    /// nowhere.
    fn leave_out(&mut self, object: Value<'_>, removed: &Range<usize>) {
        let Self {
            findings,
            edits,
            rewritten,
        } = self;
        edits.retain(|edit| {
            let is_inside = removed.start <= edit.span.start && edit.span.end <= removed.end;
            if is_inside && matches!(edit.change, Change::Set(_)) {
                let image = Position::at(object.span().start + edit.span.start);
                rewritten.retain(|(at, _)| *at != image);
                findings.retain(|finding| {
                    finding.violation.code != Code::MirrorUsed
                        || finding.violation.path != edit.path
                });
            }
            !is_inside
        });
    }
}

impl<'s> Policy<'s> {
    /// A policy with these settings.
    pub const fn new(settings: &'s Settings<'s>) -> Self {
        Self { settings }
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
            let mut used = vec![false; self.settings.exemptions.len()];
            let mut findings = Vec::new();
            let eviction = request.object.take();
            request.kind = GroupKind::POD;
            changes::judge_eviction(self.settings, &request, eviction, &mut used, &mut findings);
            self.tell(findings, &used, &mut verdict);
            return verdict;
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
        if request.is_through_status() {
            let has_old = request.old_object.is_some();
            let old = request.old_object.unwrap_or(Value::NULL);
            match Object::read(old, &request.kind) {
                Ok(old) if has_old && has_same_entries(&old, &object) => return verdict,
                Ok(old) => object = object.through_status(has_old.then_some(&old)),
                Err(error) => {
                    let error = RequestError::new("request.oldObject", error);
                    return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
                }
            }
        }
        let mut used = vec![false; self.settings.exemptions.len()];
        let mut judged = match self.judge(&request, &mut object, Some(registry), &mut used) {
            Ok(judged) => judged,
            Err(Unjudged::Settings(errors)) => return Verdict::misconfigured(&errors),
            Err(Unjudged::Request(error)) => {
                return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
            }
        };
        self.keep_what_was(&request, &object, &mut judged.findings);
        if judged.findings.iter().any(Finding::is_removal) {
            self.remove(&request, &object, &mut used, &mut judged);
        }
        if let Err(error) = changes::judge_update(
            self.settings,
            &request,
            &object,
            &mut used,
            &mut judged.findings,
        ) {
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        }
        self.tell(judged.findings, &used, &mut verdict);
        let rewritten = judged.rewritten.into_iter().map(|(_, rewritten)| rewritten);
        verdict.change(object.value, judged.edits, rewritten.collect());
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
        let mut findings = Vec::new();
        if let Err(error) = changes::judge_delete(self.settings, request, &mut used, &mut findings)
        {
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        }
        self.tell(findings, &used, &mut verdict);
        verdict
    }

    /// Adds what is wrong, and the exemptions without which there would be more.
    fn tell(self, findings: Vec<Finding>, used: &[bool], verdict: &mut Verdict<'s>) {
        for mut finding in findings {
            let is_kept = finding.violation.kept.is_some();
            let refuses = finding.action == Action::Reject && !is_kept;
            if let Some((outcome, at)) = finding.outcome
                && !refuses
            {
                let is_kept = is_kept && finding.action == Action::Reject;
                outcome.soften(&mut finding.violation.problem, at, is_kept);
            }
            finding.violation.problem += &finding.advice;
            verdict.add(refuses, finding.violation);
        }
        if !verdict.accepted() {
            // Of a request that is refused nothing is pulled.
            verdict.warnings.retain(|warning| {
                warning.code != Code::MirrorUsed && !warning.problem.starts_with(mirrors::REWRITTEN)
            });
        }
        for (exemption, used) in self.settings.exemptions.iter().zip(used) {
            if *used {
                verdict.exempted(&exemption.name);
            }
        }
    }

    /// Everything wrong with an object that no exemption covers, in the order of the document; notes
    /// the exemptions that covered something. No registry is asked about the object as it was.
    fn judge<'r>(
        self,
        request: &Request<'r>,
        object: &mut Object<'r>,
        registry: Option<&dyn Registry>,
        used: &mut [bool],
    ) -> Result<Judged, Unjudged> {
        let mut judged = Judged::default();
        let is_through_status = request.is_through_status();
        let has_images = !is_through_status && self.settings.strictest().is_some();
        if has_images {
            images::add(self.settings, request, object);
        }
        let mut exempted = Exempted::new(&self.settings.exemptions, request, object, used);
        if has_images {
            let (value, mut was) = (object.value, None);
            let mut mirrors = Mirrors::new(
                self.settings,
                request,
                object,
                registry.unwrap_or(&Unreachable),
                registry.is_none(),
            );
            images::judge(
                self.settings,
                request,
                object,
                &mut mirrors,
                &mut exempted,
                &mut judged,
                &mut |findings| self.refuses(request, value, findings, &mut was),
            );
            mirrors.add_pull_secrets(&mut judged);
        }
        annotations::judge(
            self.settings,
            request,
            object,
            registry.is_some(),
            &mut exempted,
            &mut judged.findings,
        )?;
        if !is_through_status {
            drift::judge(self.settings, request, object, &mut exempted, &mut judged);
        }
        if !judged.findings.is_empty() && is_static_pod(request, object) {
            only_warn(&mut judged.findings, 0);
        }
        Ok(judged)
    }

    /// Removes annotations instead of refusing them, and judges the annotations as they are then.
    fn remove(
        self,
        request: &Request<'_>,
        object: &Object<'_>,
        used: &mut [bool],
        judged: &mut Judged,
    ) {
        let Some((edits, text)) = annotations::remove(request, object, &judged.findings) else {
            return;
        };
        let Ok(document) = Document::of(&text) else {
            return;
        };
        let Ok(without) = Object::read(document.root(), &request.kind) else {
            return;
        };
        let mut exempted = Exempted::new(&self.settings.exemptions, request, &without, used);
        let mut after = Vec::new();
        if annotations::judge(
            self.settings,
            request,
            &without,
            true,
            &mut exempted,
            &mut after,
        )
        .is_err()
        {
            return;
        }
        self.keep_what_was(request, &without, &mut after);
        for finding in &mut after {
            finding.position = annotations::position_before(finding.position, object.value, &edits);
        }
        judged.findings.retain_mut(|finding| {
            let is_removal = finding.is_removal();
            if is_removal {
                finding.action = Action::Warn;
                finding.violation.problem.insert_str(0, "removed: ");
                // What was wrong with it is told as it was.
                finding.outcome = None;
            }
            is_removal || finding.check != Check::Annotations
        });
        judged.findings.append(&mut after);
        finding::sort(&mut judged.findings);
        for edit in edits {
            judged.leave_out(object.value, &edit.span);
            splice::add(&mut judged.edits, edit);
        }
    }

    /// Marks the findings that the old object has as well.
    fn keep_what_was(
        self,
        request: &Request<'_>,
        object: &Object<'_>,
        findings: &mut Vec<Finding>,
    ) {
        if findings.is_empty() {
            return;
        }
        if let Some((was, old)) = self.found_before(request, object.value) {
            kept::mark(findings, was, object.value, old);
        }
        if request.is_through_status() {
            // What was so before is not told to whoever writes a status.
            findings.retain(|finding| finding.violation.kept.is_none());
        }
    }

    /// What is wrong with the old object as well, and this; none where that does not count.
    fn found_before<'r>(
        self,
        request: &Request<'r>,
        new: Value<'_>,
    ) -> Option<(Vec<Finding>, Value<'r>)> {
        let value = request.old_object?;
        let is_through_status = request.is_through_status();
        if request.operation != Operation::Update
            || (self.settings.on_update == OnUpdate::All
                && !is_through_status
                && !kept::is_bookkeeping(new, value))
        {
            return None;
        }
        let mut old = Object::read(value, &request.kind).ok()?;
        if is_through_status {
            old = old.through_status(None);
        }
        let mut unused = vec![false; self.settings.exemptions.len()];
        let was = self.judge(request, &mut old, None, &mut unused).ok()?;
        Some((was.findings, value))
    }

    /// Whether one of the findings about an object refuses it: not what the old object has as well,
    /// which `was` keeps.
    fn refuses(
        self,
        request: &Request<'_>,
        object: Value<'_>,
        findings: &[Finding],
        was: &mut Option<BTreeMap<String, usize>>,
    ) -> bool {
        let mut rejecting = findings
            .iter()
            .filter(|finding| finding.action == Action::Reject)
            .peekable();
        if rejecting.peek().is_none() {
            return false;
        }
        let was = was.get_or_insert_with(|| {
            let before = self.found_before(request, object);
            let before = before.into_iter().flat_map(|(before, _)| before);
            before.map(|finding| (finding.key, 1)).collect()
        });
        rejecting.any(|finding| !was.contains_key(&finding.key))
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

/// Whether Istio's injector fills an image in. It does when a Pod is created; afterwards a node pulls the
/// image of that name.
fn is_filled_in_by_istio(request: &Request<'_>, image: &ImageField<'_>) -> bool {
    image.is_istio_placeholder()
        && (request.operation == Operation::Create || !request.kind.is_pod())
}

/// Whether the object mirrors a static Pod, which runs whatever becomes of its mirror: its kubelet
/// says so (annotation `kubernetes.io/config.mirror`), and it is the kubelet that says so.
fn is_static_pod(request: &Request<'_>, object: &Object<'_>) -> bool {
    let is_kubelet = request
        .user
        .as_ref()
        .is_some_and(|user| user.groups.iter().any(|group| group == "system:nodes"));
    let annotation = [
        Step::key("annotations"),
        Step::key("kubernetes.io/config.mirror"),
    ];
    is_kubelet
        && request.kind.is_pod()
        && object
            .metadata
            .is_some_and(|metadata| !lookup(metadata, &annotation).is_empty())
}
