//! The order in which a request is judged.
//!
//! 1. CONNECT passes, and every sub-resource but `ephemeralcontainers`; DELETE passes unless a rule
//!    of `changes` guards it.
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

use crate::exemption::Check;
use crate::json::Step;
use crate::json::scan::lookup;
use crate::registry::{Registry, Unreachable};
use crate::request::{Operation, Request, RequestError};
use crate::settings::{OnUpdate, Settings};
use crate::splice::{self, Edit};
use crate::verdict::Verdict;
use crate::violation::{Action, Code};
use crate::workload::Object;

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
    /// The images that run from elsewhere, as `from=to`.
    rewritten: Vec<String>,
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
        if request.operation == Operation::Connect
            || !matches!(
                request.sub_resource.as_deref(),
                None | Some("ephemeralcontainers")
            )
        {
            return verdict;
        }
        let Some(mut object) = request.object.take() else {
            let error = RequestError::new("request.object", "missing");
            return Verdict::unreadable(self.settings.docs_url.as_deref(), &error);
        };
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
        verdict.change(object.text, judged.edits, judged.rewritten);
        verdict
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
        for finding in findings {
            let refuses = finding.action == Action::Reject && finding.violation.kept.is_none();
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
        let has_images = self.settings.strictest().is_some();
        if has_images {
            images::add(self.settings, request, object);
        }
        let mut exempted = Exempted::new(&self.settings.exemptions, request, object, used);
        if has_images {
            let mut mirrors = Mirrors::new(
                self.settings,
                request,
                object,
                registry.unwrap_or(&Unreachable),
                registry.is_none(),
            );
            images::judge(
                self.settings,
                object,
                &mut mirrors,
                &mut exempted,
                &mut judged,
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
        drift::judge(self.settings, request, object, &mut exempted, &mut judged);
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
        let Ok(without) = Object::read(&text, &request.kind) else {
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
            finding.position =
                annotations::position_before(finding.position, &text, object.text, &edits);
        }
        judged.findings.retain_mut(|finding| {
            let is_removal = finding.is_removal();
            if is_removal {
                finding.action = Action::Warn;
                finding.violation.problem.insert_str(0, "removed: ");
            }
            is_removal || finding.check != Check::Annotations
        });
        judged.findings.append(&mut after);
        finding::sort(&mut judged.findings);
        for edit in edits {
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
        let Some(old_text) = request.old_object else {
            return;
        };
        if findings.is_empty() || request.operation != Operation::Update {
            return;
        }
        if self.settings.on_update == OnUpdate::All && !kept::is_bookkeeping(object.text, old_text)
        {
            return;
        }
        let Ok(mut old) = Object::read(old_text, &request.kind) else {
            return;
        };
        let mut unused = vec![false; self.settings.exemptions.len()];
        if let Ok(was) = self.judge(request, &mut old, None, &mut unused) {
            kept::mark(findings, was.findings, object.text, old_text);
        }
    }
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
