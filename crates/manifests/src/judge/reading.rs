//! Judges the objects of one file, and gives each finding its place.

use std::collections::BTreeSet;

use rollout_guard::json::{self, Location, Step};
use rollout_guard::policy::Policy;
use rollout_guard::request::Request;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::{Outcome, Violation};
use rollout_guard::workload::Found;

use super::gaps::{installs_chart, is_kustomization, kustomization};
use super::subject::{Judged, Trees};
use super::{Judge, NotAsked, in_template, span};
use crate::before::{Change, Source};
use crate::detail::{Detail, Image};
use crate::finding::{FileReport, Finding, Gap, Problem, Severity, Unjudged};
use crate::image_like;
use crate::installed;
use crate::manifest::{Document, Lines, Unreadable};
use crate::object::{Object, items_without_kind, objects};
use crate::secret::{self, SecretData};

/// The policy that judges.
#[derive(Clone, Copy)]
struct By<'p> {
    /// Its position among the policies.
    index: usize,
    policy: Policy<'p>,
    /// Its name, where there are more.
    name: Option<&'p String>,
}

/// A request that a policy is asked about.
struct Asked<'a> {
    by: By<'a>,
    text: &'a str,
    /// Where the template of the Pod is that the request is about.
    template: Option<&'a Location<'static>>,
    /// Of the policies that are asked about an object the first one counts its images.
    counts_images: bool,
}

/// A file that is being judged.
pub(super) struct Reading<'r> {
    pub(super) judge: &'r Judge<'r>,
    pub(super) text: &'r str,
    /// Made when there is something to tell.
    pub(super) lines: Option<Lines<'r>>,
    /// Used for one request after the other.
    pub(super) request: String,
    pub(super) secrets: SecretData,
}

impl<'r> Reading<'r> {
    fn lines(&mut self) -> &Lines<'r> {
        self.lines.get_or_insert_with(|| Lines::new(self.text))
    }

    pub(super) fn problem(&mut self, error: Unreadable) -> Problem {
        // Nobody knows which lines of what cannot be read have the data of a Secret.
        let is_shown = !secret::may_be_in(self.text);
        let lines = self.lines();
        let excerpt = is_shown.then(|| lines.excerpt(&(error.at..error.at + 1)));
        Problem {
            message: error.problem,
            place: Some((lines.position(error.at), excerpt)),
        }
    }

    /// Takes the lines out of the report that have the data of a Secret, whatever is wrong in them.
    pub(super) fn hide_secrets(&mut self, report: &mut FileReport) {
        let secrets = std::mem::take(&mut self.secrets);
        let hidden = secrets.lines(self.text, self.lines());
        let places = report.warnings.iter_mut().chain(&mut report.problems);
        let places = places.filter_map(|problem| problem.place.as_mut());
        let excerpts = places.map(|(_, excerpt)| excerpt);
        for excerpt in excerpts.chain(report.findings.iter_mut().map(|found| &mut found.excerpt)) {
            excerpt.take_if(|excerpt| hidden.contains(&excerpt.line));
        }
    }

    pub(super) fn document(&mut self, document: &Document<'_>, report: &mut FileReport) {
        let objects = objects(&document.tree);
        if is_kustomization(&report.name, objects.as_deref()) {
            if report.counts.kustomizations == 0 {
                report.gaps.push(kustomization(&report.name));
            }
            report.counts.kustomizations = 1;
            return;
        }
        let Some(objects) = objects else { return };
        self.secrets.add(document, &objects);
        for key in document.tree.repeated_keys() {
            let span = document.in_file(&key.span);
            let lines = self.lines();
            report.warnings.push(Problem {
                message: format!(
                    "the key `{}` occurs twice, the last one counts: remove the other",
                    key.key
                ),
                place: Some((lines.position(span.start), Some(lines.excerpt(&span)))),
            });
        }
        for item in items_without_kind(&document.tree) {
            let at = document.in_file(&item.span()).start;
            let problem = "an item of the list has no `apiVersion` and `kind`".to_owned();
            report
                .problems
                .push(self.problem(Unreadable { at, problem }));
        }
        for object in &objects {
            self.object(document, object, report);
        }
    }

    fn object(&mut self, document: &Document<'_>, object: &Object<'_>, report: &mut FileReport) {
        let judge = self.judge;
        let before = judge.before;
        let change = before.map_or(Change::Created, |before| {
            let source = match judge.build {
                Some(build) => Source::Build(build),
                None => Source::File(&report.name),
            };
            before.change(object, source, judge.namespace)
        });
        let trees = match &change {
            Change::Updated { old, new } => Some(Trees::new(new.as_deref(), old)),
            // Most objects of a tree do not change, and need not be read twice.
            Change::Created | Change::Unchanged => None,
        };
        let judged = trees.as_ref().and_then(|trees| trees.object(object));
        let subject = Judged {
            document,
            written: object,
            object: judged.as_ref().unwrap_or(object),
            old: match &trees {
                Some(trees) => trees.old(),
                None => (change == Change::Unchanged).then_some(object.value),
            },
        };
        let mut is_asked = false;
        let mut is_written = false;
        let mut pods: Option<Vec<(Location<'static>, String)>> = None;
        for (index, (source, policy)) in judge.policies.iter().enumerate() {
            let by = By {
                index,
                policy: *policy,
                name: source.policy.as_ref().filter(|_| judge.policies.len() > 1),
            };
            if source.covers_change(
                subject.object,
                subject.old,
                subject.operation().as_str(),
                judge.namespace,
            ) {
                let mut text = std::mem::take(&mut self.request);
                if !is_written {
                    subject.write_request(judge, &mut text);
                    is_written = true;
                }
                let asked = Asked {
                    by,
                    text: &text,
                    template: None,
                    counts_images: !is_asked,
                };
                self.request(&subject, &asked, report);
                if trees.is_some() {
                    report.counts.guarded_changes += judge.guarded_changes(index, &text);
                }
                self.request = text;
                is_asked = true;
            } else if judge.covers_pods_of(source, object) {
                let pods = pods.get_or_insert_with(|| judge.pods(subject.object));
                let selected = pods
                    .iter()
                    .filter(|(template, _)| source.selects_pods_from(subject.object, template));
                is_asked |= self.pods(&subject, by, selected, !is_asked, report);
            }
        }
        is_asked |= self.installed(&subject, report);
        if !is_asked {
            not_covered(judge, object, report);
            return;
        }
        if !is_written {
            report.counts.as_pods += 1;
        }
        self.gaps(object, report);
        report.counts.changed += usize::from(subject.old.is_some());
        report.objects.push(object.full_name(judge.namespace));
        count_last(report);
    }

    /// Judges the Pods that a policy is asked about instead of their object; tells whether there are any.
    fn pods<'a>(
        &mut self,
        subject: &Judged<'_>,
        by: By<'_>,
        pods: impl Iterator<Item = &'a (Location<'static>, String)>,
        counts_images: bool,
        report: &mut FileReport,
    ) -> bool {
        let mut is_asked = false;
        for (template, text) in pods {
            is_asked = true;
            let asked = Asked {
                by,
                text,
                template: Some(template),
                counts_images,
            };
            self.request(subject, &asked, report);
        }
        is_asked
    }

    /// Tells what of an object is not judged.
    fn gaps(&self, object: &Object<'_>, report: &mut FileReport) {
        self.image_like(object, report);
        if installs_chart(object) {
            report.gaps.push(Gap {
                what: Unjudged::Chart,
                name: format!("`{object}` in {}", report.name),
                remedy: "only what looks like an image in its values is judged; `helm template` with its chart and values, `| rollout-guard check -`"
                    .to_owned(),
            });
        }
        let asks = self.judge.asks_for_namespace;
        if asks && object.namespace.is_none() && !object.is_cluster_scoped() {
            report.counts.without_namespace += 1;
        }
    }

    /// Counts the fields of an object that look like images and that nothing judges.
    fn image_like(&self, object: &Object<'_>, report: &mut FileReport) {
        let fields = image_like::fields(object);
        if fields.is_empty() {
            return;
        }
        let mut text = String::new();
        object.write_request(self.judge.namespace, &self.judge.identity, &mut text);
        let json = json::Document::of(&text);
        let request = Request::of(&json).ok();
        let found = request.as_ref().map(|request| self.judge.found(request));
        let judged = found.iter().flat_map(|found| found.iter());
        let judged = judged.filter_map(|found| match found {
            Found::Image(image) => Some(image.exact_place().to_string()),
            Found::Malformed(_) => None,
        });
        let installed = installed::images(object).into_iter();
        let mut judged: BTreeSet<_> = judged.collect();
        judged.extend(installed.map(|image| image.path.to_string()));
        // An image of a chart's values is a map, or the member of one.
        let is_judged = |field: &String| {
            judged.contains(field)
                || judged
                    .iter()
                    .any(|path| path.starts_with(&format!("{field}.")))
        };
        let count = fields.iter().filter(|field| !is_judged(field)).count();
        if count > 0 {
            let kind = match object.group.as_ref() {
                "" => object.kind.to_string(),
                group => format!("{group}/{}", object.kind),
            };
            *report.image_like.entry(kind).or_default() += count;
        }
    }

    /// Judges the images that an object has installed, as those of the Pods that will run them; tells
    /// whether there are any.
    fn installed(&mut self, subject: &Judged<'_>, report: &mut FileReport) -> bool {
        let judge = self.judge;
        let (document, object) = (subject.document, subject.written);
        // What is installed is not installed anew.
        let is_kept = subject.has_same(&Location(vec![Step::key("spec")]));
        let position = report.objects.len();
        let mut is_asked = false;
        for image in installed::images(object) {
            let verdicts = judge.as_pod(object, &image);
            report.counts.images += usize::from(!verdicts.is_empty());
            is_asked |= !verdicts.is_empty();
            let text = self.text.get(document.offset..).unwrap_or_default();
            let span = document.in_file(&image.span(object.value, text));
            for verdict in verdicts {
                let policy = verdict.source.policy.as_ref();
                let policy = policy.filter(|_| judge.policies.len() > 1);
                let mirror = verdict.mirror.as_deref();
                let rewritten = mirror.map(|mirror| format!("{}={mirror}", image.image));
                report.rewritten.extend(rewritten);
                for (severity, violation) in &verdict.findings {
                    let detail = image.detail(object.value, violation, mirror);
                    let (severity, outcome) = if is_kept {
                        (Severity::Warning, Some(Outcome::Unchanged))
                    } else {
                        (*severity, violation.outcome)
                    };
                    let violation = Violation {
                        path: image.path.clone(),
                        place: image.place.clone(),
                        outcome,
                        ..violation.clone()
                    };
                    report.findings.push(Finding {
                        object: position,
                        policy: policy.cloned(),
                        detail,
                        ..Finding::new(severity, &violation, &span, self.lines())
                    });
                }
            }
        }
        is_asked
    }

    /// Judges a request about an object, or about a Pod from one of its templates.
    fn request(&mut self, subject: &Judged<'_>, request: &Asked<'_>, report: &mut FileReport) {
        let judge = self.judge;
        let Asked {
            by,
            text,
            template,
            counts_images,
        } = request;
        let json = json::Document::of(text);
        let verdict = match Request::of(&json) {
            Err(error) => Verdict::unreadable(None, &error),
            Ok(request) => {
                if *counts_images {
                    report.counts.images += judge.images(&request);
                }
                by.policy.evaluate_with(request, &NotAsked)
            }
        };
        let refusing = verdict.violations.iter();
        let refusing = refusing.map(|violation| (Severity::Error, violation));
        let warning = verdict.warnings.iter();
        let warning = warning.map(|violation| (Severity::Warning, violation));
        let mut images = None;
        let is_kept = template.is_some_and(|template| subject.has_same(template));
        for (severity, violation) in refusing.chain(warning) {
            let mut finding = match template {
                None => self.finding(subject, severity, violation),
                Some(template) if is_kept => {
                    // There are no new Pods.
                    let kept = Violation {
                        outcome: Some(Outcome::Unchanged),
                        ..in_template(violation, template, Severity::Warning)
                    };
                    self.finding(subject, Severity::Warning, &kept)
                }
                Some(template) => {
                    let violation = in_template(violation, template, severity);
                    self.finding(subject, severity, &violation)
                }
            };
            if let Some(written) = &finding.detail.value {
                let images = images.get_or_insert_with(|| judge.images_of(by.index, text));
                let mirror = images.get(&violation.path);
                finding.detail.image =
                    mirror.map(|mirror| Image::new(written.clone(), mirror.as_deref()));
            }
            report.findings.push(Finding {
                object: report.objects.len(),
                policy: by.name.cloned(),
                ..finding
            });
        }
        report.exempted.extend(verdict.exempted);
        report.rewritten.extend(verdict.rewritten);
    }

    /// Where a violation is in the file.
    fn finding(
        &mut self,
        subject: &Judged<'_>,
        severity: Severity,
        violation: &Violation,
    ) -> Finding {
        let span = span(subject.written.value, violation);
        let span = subject.document.in_file(&span);
        let object = subject.object.value;
        let detail = Detail::new(object, violation);
        Finding {
            detail: detail.before(object, subject.old, &violation.path),
            ..Finding::new(severity, violation, &span, self.lines())
        }
    }
}

/// Tells of an object that no policy is asked about.
fn not_covered(judge: &Judge<'_>, object: &Object<'_>, report: &mut FileReport) {
    report.counts.not_covered += 1;
    if judge.may_run_images(object) {
        report.gaps.push(Gap {
            what: Unjudged::Object,
            name: format!("`{object}` in {}", report.name),
            remedy: format!("add `{}` to the `rules`", object.resource()),
        });
    }
}

/// Counts the findings of the last object.
fn count_last(report: &mut FileReport) {
    let last = report.objects.len().saturating_sub(1);
    for finding in report.findings.iter().rev() {
        if finding.object != last {
            break;
        }
        match finding.severity {
            Severity::Error => report.counts.errors += 1,
            Severity::Warning => report.counts.warnings += 1,
        }
        report.counts.preexisting += usize::from(finding.violation.is_preexisting());
    }
}
