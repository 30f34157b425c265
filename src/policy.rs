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

use std::collections::BTreeMap;

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
    /// The images that run from elsewhere, as `from=to`, by their position.
    rewritten: Vec<(usize, String)>,
}

impl<'s> Policy<'s> {
    /// A policy with these settings.
    pub const fn new(settings: &'s Settings<'s>) -> Self {
        Self { settings }
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
        let rewritten = judged.rewritten.into_iter().map(|(_, rewritten)| rewritten);
        verdict.change(object.text, judged.edits, rewritten.collect());
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
        let has_images = self.settings.strictest().is_some();
        if has_images {
            images::add(self.settings, request, object);
        }
        let mut exempted = Exempted::new(&self.settings.exemptions, request, object, used);
        if has_images {
            let (text, mut was) = (object.text, None);
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
                &mut |findings| self.refuses(request, text, findings, &mut was),
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
                // What was wrong with it is told as it was.
                finding.outcome = None;
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
        if findings.is_empty() {
            return;
        }
        if let Some((was, old_text)) = self.found_before(request, object.text) {
            kept::mark(findings, was, object.text, old_text);
        }
    }

    /// What is wrong with the old object as well, and this; none where that does not count.
    fn found_before<'r>(
        self,
        request: &Request<'r>,
        text: &str,
    ) -> Option<(Vec<Finding>, &'r str)> {
        let old_text = request.old_object?;
        if request.operation != Operation::Update
            || (self.settings.on_update == OnUpdate::All && !kept::is_bookkeeping(text, old_text))
        {
            return None;
        }
        let mut old = Object::read(old_text, &request.kind).ok()?;
        let mut unused = vec![false; self.settings.exemptions.len()];
        let was = self.judge(request, &mut old, None, &mut unused).ok()?;
        Some((was.findings, old_text))
    }

    /// Whether one of the findings about an object refuses it: not what the old object has as well,
    /// which `was` keeps.
    fn refuses(
        self,
        request: &Request<'_>,
        text: &str,
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
            let mut keys = BTreeMap::new();
            if let Some((before, _)) = self.found_before(request, text) {
                // To collect them would be a sort of the standard library in the module.
                for finding in before {
                    keys.insert(finding.key, 1);
                }
            }
            keys
        });
        rejecting.any(|finding| !was.contains_key(&finding.key))
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
