//! The order in which a request is judged.
//!
//! 1. What carries no images passes: DELETE and CONNECT, and every sub-resource but
//!    `ephemeralcontainers`.
//! 2. Every image of the object is held against every list, each as it was written.
//! 3. What an exemption covers is left out.
//! 4. On UPDATE, what the old object has as well only warns.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::check;
use crate::exemption::{Check, Exemption};
use crate::image::Reference;
use crate::json::{Location, Step, find, same, same_but_for};
use crate::request::{Operation, Request, RequestError};
use crate::settings::{OnUpdate, Settings};
use crate::shown::Shown;
use crate::verdict::Verdict;
use crate::violation::{Action, Code, Kept, Violation};
use crate::workload::{self, Found, ImageField, Malformed, Object};

/// Members of `metadata` that Kubernetes' own bookkeeping writes by plain UPDATE: Jobs remove their
/// Pods' finalizers, the garbage collector drops owners.
const BOOKKEEPING: [&str; 4] = [
    "finalizers",
    "ownerReferences",
    "managedFields",
    "resourceVersion",
];

/// Settings, ready to judge requests.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'s> {
    settings: &'s Settings<'s>,
}

/// Something wrong with an object, and what tells it from the same thing elsewhere.
struct Finding {
    action: Action,
    violation: Violation,
    /// What makes a violation of the old object and one of the new object the same: code, place and
    /// value, with containers and volumes by name where they have one.
    key: String,
    /// The pod template around it.
    template: Option<Location<'static>>,
}

impl<'s> Policy<'s> {
    /// A policy with these settings.
    pub const fn new(settings: &'s Settings<'s>) -> Self {
        Self { settings }
    }

    /// Judges a request. Never fails: what cannot be read is itself a violation.
    pub fn evaluate(self, mut request: Request<'_>) -> Verdict<'s> {
        let mut verdict = Verdict::new(self.settings.docs_url.as_deref());
        if matches!(request.operation, Operation::Delete | Operation::Connect)
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
        let mut exempted = vec![false; self.settings.exemptions.len()];
        let mut findings = match self.judge(&request, &mut object, &mut exempted) {
            Ok(findings) => findings,
            Err(error) => return Verdict::unreadable(self.settings.docs_url.as_deref(), &error),
        };
        if !findings.is_empty() && request.operation == Operation::Update {
            self.keep_what_was(&request, &object, &mut findings);
        }
        for finding in findings {
            let refuses = finding.action == Action::Reject && finding.violation.kept.is_none();
            verdict.add(refuses, finding.violation);
        }
        for (exemption, used) in self.settings.exemptions.iter().zip(exempted) {
            if used {
                verdict.exempted(&exemption.name);
            }
        }
        verdict
    }

    /// Everything wrong with an object that no exemption covers; notes the exemptions that covered
    /// something.
    fn judge(
        self,
        request: &Request<'_>,
        object: &mut Object<'_>,
        exempted: &mut [bool],
    ) -> Result<Vec<Finding>, RequestError> {
        workload::add_images(&self.settings.image_paths, object, &request.kind)
            .map_err(|error| RequestError::unreadable("request.object", &error))?;
        let strictest = self.settings.strictest().unwrap_or_default();
        let mut exemptions = Exemptions::new(&self.settings.exemptions, exempted);
        let mut findings = Vec::new();
        for found in &object.found {
            let image = match found {
                Found::Image(image) => image,
                Found::Malformed(malformed) => {
                    if !exemptions.cover(None, request, object) {
                        findings.push(malformed_finding(malformed, strictest));
                    }
                    continue;
                }
            };
            let first = findings.len();
            match Reference::parse(&image.text) {
                Err(error) => {
                    if !exemptions.cover(None, request, object) {
                        let problem = format!("it is no image reference: {error}");
                        findings.push(image_finding(
                            image,
                            None,
                            Code::ImageUnparsable,
                            strictest,
                            problem,
                        ));
                    }
                }
                Ok(reference) => check::image(&reference, self.settings, &mut |objection| {
                    if !exemptions.cover(Some(&reference), request, object) {
                        let check::Objection {
                            code,
                            action,
                            problem,
                        } = objection;
                        findings.push(image_finding(
                            image,
                            Some(&reference),
                            code,
                            action,
                            problem,
                        ));
                    }
                }),
            }
            if image.is_filled_in_by_istio() {
                // One warning says enough.
                findings.truncate(first + 1);
                only_warn(&mut findings, first);
            }
        }
        if !findings.is_empty() && is_static_pod(request, object) {
            only_warn(&mut findings, 0);
        }
        Ok(findings)
    }

    /// Marks the findings that the old object has as well, at the same place with the same value.
    fn keep_what_was(self, request: &Request<'_>, object: &Object<'_>, findings: &mut [Finding]) {
        let Some(old_text) = request.old_object else {
            return;
        };
        if self.settings.on_update == OnUpdate::All
            && !same_but_for(object.text, old_text, &BOOKKEEPING)
        {
            return;
        }
        let Ok(mut old) = old_object(old_text, request) else {
            return;
        };
        let mut unused = vec![false; self.settings.exemptions.len()];
        let Ok(was) = self.judge(request, &mut old, &mut unused) else {
            return;
        };
        let mut before: BTreeMap<String, usize> = BTreeMap::new();
        for finding in was {
            *before.entry(finding.key).or_default() += 1;
        }
        // Findings come in the order of the document: those of one template side by side.
        let mut last: Option<(Location<'_>, bool)> = None;
        for finding in findings {
            let Some(count) = before.get_mut(&finding.key).filter(|count| **count > 0) else {
                continue;
            };
            *count -= 1;
            let template_changes = match (finding.template.take(), &last) {
                (None, _) => false,
                (Some(template), Some((known, changes))) if *known == template => *changes,
                (Some(template), _) => {
                    let changes = differs(&template, object.text, old_text);
                    last = Some((template, changes));
                    changes
                }
            };
            finding.violation.kept =
                Some(if template_changes && finding.action == Action::Reject {
                    Kept::TemplateChanges
                } else {
                    Kept::Unchanged
                });
        }
    }
}

/// Lets the findings from `first` on pass with a warning.
fn only_warn(findings: &mut [Finding], first: usize) {
    for finding in findings.iter_mut().skip(first) {
        finding.action = Action::Warn;
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
        && object.metadata.is_some_and(|metadata| {
            find(metadata, &annotation).is_ok_and(|found| !found.is_empty())
        })
}

/// The old object, read as the new one was.
fn old_object<'a>(text: &'a str, request: &Request<'_>) -> Result<Object<'a>, serde_json::Error> {
    if request.kind.may_run_images() {
        Object::read(text, &request.kind)
    } else {
        Ok(Object::new(text))
    }
}

/// Whether the value at a place is another one in the old object.
fn differs(place: &Location<'_>, new: &str, old: &str) -> bool {
    match (
        find(new, place.steps()).as_deref(),
        find(old, place.steps()).as_deref(),
    ) {
        (Ok([(_, new)]), Ok([(_, old)])) => !same(new, old),
        _ => true,
    }
}

/// The exemptions that apply to an object, asked for when the first violation needs them.
struct Exemptions<'e, 's> {
    all: &'e [Exemption<'s>],
    applying: Option<Vec<usize>>,
    used: &'e mut [bool],
}

impl<'e, 's> Exemptions<'e, 's> {
    const fn new(all: &'e [Exemption<'s>], used: &'e mut [bool]) -> Self {
        Self {
            all,
            applying: None,
            used,
        }
    }

    /// Whether one of them covers an image (`None`: what is no image), the first of which is noted.
    fn cover(
        &mut self,
        image: Option<&Reference<'_>>,
        request: &Request<'_>,
        object: &Object<'_>,
    ) -> bool {
        let all = self.all;
        let applying = self.applying.get_or_insert_with(|| {
            let applies = |(_, exemption): &(usize, &Exemption<'_>)| {
                exemption.applies(Check::Images, request, object)
            };
            all.iter()
                .enumerate()
                .filter(applies)
                .map(|(index, _)| index)
                .collect()
        });
        let covering = applying.iter().find(|index| {
            all.get(**index)
                .is_some_and(|exemption| exemption.covers(image))
        });
        if let Some(used) = covering.and_then(|index| self.used.get_mut(*index)) {
            *used = true;
        }
        covering.is_some()
    }
}

fn malformed_finding(malformed: &Malformed<'_>, action: Action) -> Finding {
    let place = match malformed.place.steps() {
        [] => "object".to_owned(),
        _ => malformed.place.to_string(),
    };
    let problem = format!("expected {}, got {}", malformed.expected, malformed.found);
    Finding {
        action,
        key: format!("{} {:#} {problem}", Code::ObjectMalformed, malformed.place),
        violation: Violation {
            code: Code::ObjectMalformed,
            place,
            value: None,
            kept: None,
            problem,
        },
        template: None,
    }
}

fn image_finding(
    image: &ImageField<'_>,
    reference: Option<&Reference<'_>>,
    code: Code,
    action: Action,
    problem: String,
) -> Finding {
    let mut place = image.place.to_string();
    let mut paired = format!("{:#}", image.place);
    if let Some(name) = &image.name {
        place = format!("{place} \"{}\"", Shown(name));
        // Names are shown shortened; what is paired is whole.
        paired = format!("{:#} {} {name}", image.list(), name.len());
    }
    let value = reference.map_or_else(|| image.text.to_string(), Reference::to_string);
    Finding {
        action,
        key: format!("{code} {paired} {value}"),
        violation: Violation {
            code,
            place,
            value: Some(format!("image `{}`", Shown(&image.text))),
            kept: None,
            problem,
        },
        template: image.pod_template().map(|steps| {
            Location(
                steps
                    .iter()
                    .map(|step| match step {
                        Step::Key(key) => Step::Key(Cow::Owned(key.to_string())),
                        Step::Index(index) => Step::Index(*index),
                        Step::Each => Step::Each,
                    })
                    .collect(),
            )
        }),
    }
}
