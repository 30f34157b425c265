//! Judges the objects of a file as admission would.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;

use rollout_guard::json::{self, Location, Step};
use rollout_guard::mirror::{Mirror, Rewrite};
use rollout_guard::policy::Policy;
use rollout_guard::registry::{Existence, Registry};
use rollout_guard::request::{Operation, Request};
use rollout_guard::settings::Settings;
use rollout_guard::splice;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::{Code, Outcome, Violation};
use rollout_guard::workload::{Found, ImagePath, add_images};

use crate::before::{Before, Change};
use crate::detail::{Detail, Image, said};
use crate::finding::{Counts, FileReport, Finding, Gap, Problem, Severity, Unjudged};
use crate::image_like;
use crate::installed::{self, Installed};
use crate::manifest::{self, Document, Lines, Style, Unreadable, Value};
use crate::object::{Asking, Identity, Object, items_without_kind, objects};
use crate::policy_file::Source;

/// The group of what is only for kustomize, and no object of a cluster.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// The names by which kustomize finds what it builds.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Settings, and the policy that they come from.
#[derive(Clone, Debug)]
pub struct Judge<'p> {
    /// The settings, each with where they come from.
    pub policies: Vec<(&'p Source<'p>, Policy<'p>)>,
    /// The mirrors of each, as [`only_mirrors`] has them.
    pub mirrors: Vec<Settings<'p>>,
    /// Where the settings say that images are besides.
    pub image_paths: Vec<ImagePath<'p>>,
    /// Where objects are that name no namespace.
    pub namespace: &'p str,
    /// Whether it matters where they are.
    pub asks_for_namespace: bool,
    /// Who asks.
    pub identity: Identity,
    /// The objects as they were; none where all are new.
    pub before: Option<&'p Before>,
    /// The objects are built of files: what they were at a revision is not known, since that is not built.
    pub is_built: bool,
    /// Of each policy the rules of `changes` alone, where they are only counted: nobody knows who asks.
    pub guards: Vec<Settings<'p>>,
}

impl<'p> Judge<'p> {
    /// Judges by these settings what somebody creates; all objects are new.
    pub fn new(
        sources: &'p [Source<'p>],
        settings: &'p [Settings<'p>],
        namespace: &'p str,
    ) -> Self {
        let image_paths = settings.iter().flat_map(|settings| &settings.image_paths);
        Self {
            policies: sources
                .iter()
                .zip(settings.iter().map(Policy::new))
                .collect(),
            mirrors: settings.iter().map(only_mirrors).collect(),
            image_paths: image_paths.cloned().collect(),
            namespace,
            asks_for_namespace: false,
            identity: Identity::somebody(),
            before: None,
            is_built: false,
            guards: Vec::new(),
        }
    }
}

/// A file to judge.
#[derive(Clone, Copy)]
pub struct File<'f> {
    /// As messages show it.
    pub name: &'f str,
    /// What is in it.
    pub contents: Contents<'f>,
    /// The folder of the Helm chart that it is a template of, as messages show it.
    pub chart: &'f dyn Fn() -> Option<String>,
}

/// What is in a file.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'f> {
    /// This text.
    Text(&'f str),
    /// Something that cannot be read, and why.
    Unreadable(&'f str),
    /// Something that cannot be read, and is certainly no manifest.
    NoManifest,
}

impl Judge<'_> {
    /// Judges everything in a file.
    pub fn file(&self, file: &File<'_>) -> FileReport {
        let mut report = FileReport {
            name: file.name.to_owned(),
            counts: Counts {
                files: 1,
                ..Counts::default()
            },
            ..FileReport::default()
        };
        match file.contents {
            Contents::NoManifest => report.counts.other_files = 1,
            Contents::Unreadable(message) => report.problems.push(Problem {
                message: message.to_owned(),
                place: None,
            }),
            Contents::Text(text) => self.text(text, file.chart, &mut report),
        }
        if !report.problems.is_empty() {
            report.counts.unreadable_files = 1;
            report.gaps.push(Gap {
                what: Unjudged::File,
                name: file.name.to_owned(),
                remedy: "correct what is reported there".to_owned(),
            });
        }
        report.counts.objects = report.objects.len();
        report.counts.warnings += report.warnings.len();
        report.counts.exempted = report.exempted.len();
        report.counts.rewritten = report.rewritten.len();
        report
    }

    fn text(&self, text: &str, chart: &dyn Fn() -> Option<String>, report: &mut FileReport) {
        let has_actions = text.contains("{{");
        if let Some(chart) = has_actions.then(chart).flatten() {
            report.counts.templates = 1;
            report.gaps.push(chart_template(&report.name, &chart));
            return;
        }
        let mut reading = Reading {
            judge: self,
            text,
            lines: None,
            request: String::new(),
        };
        let mut unreadable = Vec::new();
        manifest::documents(text, &mut |part| match part {
            Ok(document) => reading.document(&document, report),
            Err(error) => unreadable.push(error),
        });
        if unreadable.is_empty() {
            // Nothing is left out.
        } else if has_actions {
            // What cannot be read and holds `{{` is for a template engine.
            report.counts.templates = 1;
            report.gaps.push(Gap {
                what: Unjudged::Template,
                name: report.name.clone(),
                remedy: "render it, and pipe the result into `rollout-guard check -`".to_owned(),
            });
        } else if manifest::may_be_manifest(text) || is_kustomization_name(&report.name) {
            let problems = unreadable.into_iter().map(|error| reading.problem(error));
            report.problems.extend(problems);
        }
        let counts = &report.counts;
        if report.objects.is_empty()
            && counts.not_covered == 0
            && counts.templates == 0
            && counts.kustomizations == 0
            && report.problems.is_empty()
        {
            report.counts.other_files = 1;
        }
    }
}

/// Of settings only the mirrors, which no image escapes but by an exemption: what an image will run as,
/// whichever request brings its Pods. None where the settings rewrite nothing.
pub fn only_mirrors<'s>(settings: &Settings<'s>) -> Settings<'s> {
    let (rewrites, paths) = match settings.rewrite {
        Rewrite::Never => (false, false),
        // Only in Pods, and these have no paths of their own.
        Rewrite::Pods => (true, false),
        Rewrite::Workloads => (true, true),
    };
    let mirrors = settings.mirrors.iter().filter(|_| rewrites);
    Settings {
        mirrors: mirrors
            .map(|mirror| Mirror {
                pull_secrets: Vec::new(),
                check_exists: false,
                ..mirror.clone()
            })
            .collect(),
        rewrite: Rewrite::Workloads,
        image_paths: settings
            .image_paths
            .iter()
            .filter(|_| paths)
            .cloned()
            .collect(),
        exemptions: settings.exemptions.clone(),
        ..Settings::default()
    }
}

/// Of settings only the rules of `changes`, with what exempts from them.
pub fn only_guards<'s>(settings: &Settings<'s>) -> Settings<'s> {
    Settings {
        changes: settings.changes.clone(),
        mirrors: settings.mirrors.clone(),
        rewrite: settings.rewrite,
        image_paths: settings.image_paths.clone(),
        exemptions: settings.exemptions.clone(),
        ..Settings::default()
    }
}

/// A registry that is not asked: a mirror is taken to have what it should.
#[derive(Clone, Copy, Debug)]
pub struct NotAsked;

impl Registry for NotAsked {
    fn has(&self, _: &str) -> Existence {
        Existence::There
    }
}

/// What a policy says of an image that an object has installed.
struct PodVerdict<'p> {
    source: &'p Source<'p>,
    findings: Vec<(Severity, Violation)>,
    /// What is run in its place.
    mirror: Option<String>,
}

/// An image that an object has installed, and that would run from a mirror.
#[derive(Clone, Debug)]
pub struct InstalledMirror {
    /// Where it is in the file.
    pub span: Range<usize>,
    /// As messages show it.
    pub place: String,
    /// The image.
    pub image: String,
    /// Its mirror.
    pub mirror: String,
}

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
struct Reading<'r> {
    judge: &'r Judge<'r>,
    text: &'r str,
    /// Made when there is something to tell.
    lines: Option<Lines<'r>>,
    /// Used for one request after the other.
    request: String,
}

impl<'r> Reading<'r> {
    fn lines(&mut self) -> &Lines<'r> {
        self.lines.get_or_insert_with(|| Lines::new(self.text))
    }

    fn problem(&mut self, error: Unreadable) -> Problem {
        let lines = self.lines();
        Problem {
            message: error.problem,
            place: Some((
                lines.position(error.at),
                lines.excerpt(&(error.at..error.at + 1)),
            )),
        }
    }

    fn document(&mut self, document: &Document<'_>, report: &mut FileReport) {
        let objects = objects(&document.tree);
        if is_kustomization(&report.name, objects.as_deref()) {
            if report.counts.kustomizations == 0 {
                report.gaps.push(kustomization(&report.name));
            }
            report.counts.kustomizations = 1;
            return;
        }
        let Some(objects) = objects else { return };
        for key in document.tree.repeated_keys() {
            let span = document.in_file(&key.span);
            let lines = self.lines();
            report.warnings.push(Problem {
                message: format!(
                    "the key `{}` occurs twice, the last one counts: remove the other",
                    key.key
                ),
                place: Some((lines.position(span.start), lines.excerpt(&span))),
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
            let file = (!judge.is_built).then_some(report.name.as_str());
            before.change(object, file, judge.namespace)
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
        let operation = subject.operation().as_str();
        let mut is_asked = false;
        let mut is_written = false;
        let mut pods: Option<Vec<(Location<'static>, String)>> = None;
        for (index, (source, policy)) in judge.policies.iter().enumerate() {
            let by = By {
                index,
                policy: *policy,
                name: source.policy.as_ref().filter(|_| judge.policies.len() > 1),
            };
            if source.covers_change(subject.object, subject.old, operation, judge.namespace) {
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
                for (template, text) in &*pods {
                    let asked = Asked {
                        by,
                        text,
                        template: Some(template),
                        counts_images: !is_asked,
                    };
                    self.request(&subject, &asked, report);
                }
                is_asked |= !pods.is_empty();
            }
        }
        is_asked |= self.installed(&subject, report);
        if !is_asked {
            report.counts.not_covered += 1;
            if judge.may_run_images(object) {
                report.gaps.push(Gap {
                    what: Unjudged::Object,
                    name: format!("`{object}` in {}", report.name),
                    remedy: format!("add `{}` to the `rules`", object.resource()),
                });
            }
            return;
        }
        if !is_written {
            report.counts.as_pods += 1;
        }
        self.image_like(object, report);
        if installs_chart(object) {
            report.gaps.push(Gap {
                what: Unjudged::Chart,
                name: format!("`{object}` in {}", report.name),
                remedy: "only what looks like an image in its values is judged; `helm template` with its chart and values, `| rollout-guard check -`"
                    .to_owned(),
            });
        }
        if judge.asks_for_namespace && object.namespace.is_none() && !object.is_cluster_scoped() {
            report.counts.without_namespace += 1;
        }
        report.counts.changed += usize::from(subject.old.is_some());
        report.objects.push(object.full_name(judge.namespace));
        count_last(report);
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
        // What is only counted is counted here too.
        report.counts.errors += verdict.more_violations;
        report.counts.warnings += verdict.more_warnings;
        report.counts.untold += verdict.more_violations + verdict.more_warnings;
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

/// The documents of an object as it will be and as it was.
struct Trees<'t> {
    new: Vec<Document<'t>>,
    old: Vec<Document<'t>>,
}

impl<'t> Trees<'t> {
    fn new(new: Option<&'t str>, old: &'t str) -> Self {
        let read = |text| {
            let mut documents = Vec::new();
            manifest::documents(text, &mut |part| documents.extend(part));
            documents
        };
        Self {
            new: new.map(read).unwrap_or_default(),
            old: read(old),
        }
    }

    /// An object as it will be, where that is not what its manifest says.
    fn object<'o>(&'o self, written: &Object<'o>) -> Option<Object<'o>> {
        let value = self.new.first()?.tree.root()?;
        Some(Object {
            value,
            ..written.clone()
        })
    }

    fn old(&self) -> Option<Value<'_>> {
        self.old.first()?.tree.root()
    }
}

/// An object that is judged.
struct Judged<'j> {
    document: &'j Document<'j>,
    /// As the file has it: what has a place.
    written: &'j Object<'j>,
    /// As it will be.
    object: &'j Object<'j>,
    /// As it was.
    old: Option<Value<'j>>,
}

impl Judged<'_> {
    const fn operation(&self) -> Operation {
        match self.old {
            Some(_) => Operation::Update,
            None => Operation::Create,
        }
    }

    fn write_request(&self, judge: &Judge<'_>, json: &mut String) {
        let asking = Asking {
            operation: self.operation(),
            namespace: judge.namespace,
            identity: &judge.identity,
            old: self.old.map(Value::json),
            field_manager: "",
        };
        self.object.write_request_as(&asking, json);
    }

    /// Whether a pod template is as it was, so that no new Pods come from it.
    fn has_same(&self, template: &Location<'_>) -> bool {
        let read = |value: Option<Value<'_>>| {
            let value: Option<serde_json::Value> =
                serde_json::from_str(value?.at(template)?.json()).ok();
            value
        };
        let old = read(self.old);
        old.is_some() && old == read(Some(self.object.value))
    }
}

impl Judge<'_> {
    /// Whether a policy, which is not asked about an object, would be asked about its Pods.
    pub fn covers_pods_of(&self, source: &Source<'_>, object: &Object<'_>) -> bool {
        let namespace = object
            .in_namespace(self.namespace)
            .unwrap_or(self.namespace);
        source.covers_pods(Some(namespace))
    }

    /// The requests to create the Pods of an object, each with where its template is.
    pub fn pods(&self, object: &Object<'_>) -> Vec<(Location<'static>, String)> {
        let templates = object.pod_templates(self.namespace).into_iter();
        let requests = templates.map(|template| {
            let mut text = String::new();
            object.write_pod_request(&template, self.namespace, &self.identity, &mut text);
            (template, text)
        });
        requests.collect()
    }

    /// What refuses the creation of an object, or of its Pods.
    pub fn refusals(&self, object: &Object<'_>) -> Vec<Violation> {
        let mut refusals = Vec::new();
        let mut text = String::new();
        for (source, policy) in &self.policies {
            let mut add =
                |text: &str, template: Option<&Location<'_>>| {
                    let json = json::Document::of(text);
                    let verdict = match Request::of(&json) {
                        Err(error) => Verdict::unreadable(None, &error),
                        Ok(request) => policy.evaluate_with(request, &NotAsked),
                    };
                    refusals.extend(verdict.violations.into_iter().map(
                        |violation| match template {
                            None => violation,
                            Some(template) => in_template(&violation, template, Severity::Error),
                        },
                    ));
                };
            if source.covers(object, self.namespace) {
                object.write_request(self.namespace, &self.identity, &mut text);
                add(&text, None);
            } else if self.covers_pods_of(source, object) {
                for (template, text) in self.pods(object) {
                    add(&text, Some(&template));
                }
            }
        }
        refusals
    }

    /// The images that an object has installed, and that would run from a mirror.
    pub fn installed_mirrors(
        &self,
        document: &Document<'_>,
        object: &Object<'_>,
        text: &str,
    ) -> Vec<InstalledMirror> {
        let text = text.get(document.offset..).unwrap_or_default();
        let mirrored = installed::images(object).into_iter().filter_map(|image| {
            let mut verdicts = self.as_pod(object, &image).into_iter();
            let mirror = verdicts.find_map(|verdict| verdict.mirror)?;
            Some(InstalledMirror {
                span: document.in_file(&image.span(object.value, text)),
                place: image.place,
                image: image.image,
                mirror,
            })
        });
        mirrored.collect()
    }

    /// What the policies that are asked about Pods say of an image that an object has installed.
    fn as_pod(&self, object: &Object<'_>, image: &Installed) -> Vec<PodVerdict<'_>> {
        let namespace = installed::namespace(object);
        let namespace = namespace.as_deref().or(object.namespace.as_deref());
        let namespace = namespace.unwrap_or(self.namespace);
        let mut pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"#.to_owned();
        json::write_string(&mut pod, &format!("{}-", object.name));
        pod.push_str(r#","namespace":"#);
        json::write_string(&mut pod, namespace);
        pod.push_str(r#"},"spec":{"containers":[{"name":"image","image":"#);
        json::write_string(&mut pod, &image.image);
        pod.push_str("}]}}");
        let mut verdicts = Vec::new();
        manifest::documents(&pod, &mut |part| {
            let Ok(document) = part else { return };
            for pod in objects(&document.tree).into_iter().flatten() {
                let mut text = String::new();
                pod.write_request(namespace, &self.identity, &mut text);
                for (source, policy) in &self.policies {
                    if !source.covers(&pod, namespace) {
                        continue;
                    }
                    let json = json::Document::of(&text);
                    let verdict = match Request::of(&json) {
                        Err(error) => Verdict::unreadable(None, &error),
                        Ok(request) => policy.evaluate_with(request, &NotAsked),
                    };
                    let with = |severity| move |violation: Violation| (severity, violation);
                    let refusing = verdict.violations.into_iter().map(with(Severity::Error));
                    let warning = verdict.warnings.into_iter().map(with(Severity::Warning));
                    let of_image = refusing.chain(warning).filter(|(_, violation)| {
                        // The chart has a tag where the values have none.
                        let list = violation.code.list();
                        let is_of_tag = matches!(list, Some(("tags" | "digests", _)));
                        let is_image = violation.path.to_string() == "spec.containers[0].image";
                        is_image && (image.has_tag || !is_of_tag)
                    });
                    let mirror = verdict
                        .edits
                        .into_iter()
                        .find_map(|edit| match edit.change {
                            splice::Change::Set(mirror) => Some(mirror),
                            _ => None,
                        });
                    verdicts.push(PodVerdict {
                        source,
                        findings: of_image.collect(),
                        mirror,
                    });
                }
            }
        });
        verdicts
    }

    /// The number of images in a request.
    fn images(&self, request: &Request<'_>) -> usize {
        let found = self.found(request);
        let images = found
            .iter()
            .filter(|found| matches!(found, Found::Image(_)));
        images.count()
    }

    /// How many changes in a request the rules of a policy guard, whoever makes them.
    fn guarded_changes(&self, policy: usize, text: &str) -> usize {
        let guards = self.guards.get(policy);
        let Some(guards) = guards.filter(|guards| !guards.changes.is_empty()) else {
            return 0;
        };
        let json = json::Document::of(text);
        let Ok(request) = Request::of(&json) else {
            return 0;
        };
        let verdict = Policy::new(guards).evaluate_with(request, &NotAsked);
        let violations = verdict.violations.iter().chain(&verdict.warnings);
        let places: BTreeSet<_> = violations
            .map(|violation| violation.path.to_string())
            .collect();
        places.len()
    }

    /// The places of the images in a request, and for each the mirror that one of the policies has it
    /// pulled from.
    fn images_of(&self, policy: usize, text: &str) -> HashMap<Location<'static>, Option<String>> {
        let json = json::Document::of(text);
        let Ok(mut request) = Request::of(&json) else {
            return HashMap::new();
        };
        let found = self.found(&request);
        let mut images: HashMap<_, _> = found
            .iter()
            .filter_map(|found| match found {
                Found::Image(image) => Some((image.exact_place().detached(), None)),
                Found::Malformed(_) => None,
            })
            .collect();
        drop(found);
        // A Pod runs what it says, once it is there; new ones of a workload come from the mirror.
        let is_pod = request.kind.group.is_empty() && request.kind.kind == "Pod";
        let is_there = is_pod && request.operation == Operation::Update;
        request.operation = Operation::Create;
        if let Some(mirrors) = self.mirrors.get(policy)
            && !mirrors.mirrors.is_empty()
            && !is_there
            && let Some(object) = request.object.as_ref().map(|object| object.value)
        {
            let edits = Policy::new(mirrors).evaluate_with(request, &NotAsked).edits;
            let paths = splice::paths(object, &edits);
            for (edit, path) in edits.into_iter().zip(paths) {
                let image = images.get_mut(&path);
                if let (Some(mirror), splice::Change::Set(text)) = (image, edit.change) {
                    *mirror = Some(text);
                }
            }
        }
        images
    }

    /// What is found in the object of a request, by its shape and by the settings.
    fn found<'a, 'r>(&self, request: &'a Request<'r>) -> Cow<'a, [Found<'r>]> {
        let Some(object) = &request.object else {
            return Cow::Borrowed(&[]);
        };
        if self.image_paths.is_empty() {
            return Cow::Borrowed(&object.found);
        }
        let mut object = object.clone();
        add_images(&self.image_paths, &mut object, &request.kind);
        Cow::Owned(object.found)
    }

    /// The images of an object, as they are written.
    pub fn image_texts(&self, object: &Object<'_>) -> Vec<String> {
        let mut text = String::new();
        object.write_request(self.namespace, &self.identity, &mut text);
        let json = json::Document::of(&text);
        let Ok(request) = Request::of(&json) else {
            return Vec::new();
        };
        let found = self.found(&request);
        let images = found.iter().filter_map(|found| match found {
            Found::Image(image) => Some(image.text.to_string()),
            Found::Malformed(_) => None,
        });
        images.collect()
    }

    /// Whether an object has images, or is of a kind that is for running them.
    pub fn may_run_images(&self, object: &Object<'_>) -> bool {
        let mut text = String::new();
        object.write_request(self.namespace, &self.identity, &mut text);
        object.group_kind().pod_spec().is_some()
            || Request::of(&json::Document::of(&text))
                .map_or(true, |request| !self.found(&request).is_empty())
    }
}

/// What is wrong with a Pod, as wrong with the template that it comes from.
fn in_template(violation: &Violation, template: &Location<'_>, severity: Severity) -> Violation {
    Violation {
        path: template.detached().below(violation.path.clone()),
        place: match violation.code {
            Code::RequestMalformed => template.to_string(),
            _ => format!("{template}.{}", violation.place),
        },
        outcome: match severity {
            Severity::Error => Some(Outcome::PodsRefused),
            Severity::Warning => violation.outcome,
        },
        ..violation.clone()
    }
}

/// Whether a document is what kustomize builds: its file is called so, and it is not something else;
/// or it says so.
fn is_kustomization(file: &str, objects: Option<&[Object<'_>]>) -> bool {
    match objects {
        Some([only]) => only.group == KUSTOMIZE,
        Some(_) => false,
        None => is_kustomization_name(file),
    }
}

/// Whether kustomize builds a file with this name.
pub fn is_kustomization_name(file: &str) -> bool {
    let name = Path::new(file).file_name();
    name.is_some_and(|name| KUSTOMIZATIONS.iter().any(|known| name == *known))
}

/// A template of a chart that is not rendered.
pub fn chart_template(file: &str, chart: &str) -> Gap {
    Gap {
        what: Unjudged::ChartTemplate,
        name: file.to_owned(),
        remedy: format!("`helm template {chart} | rollout-guard check -`"),
    }
}

/// A kustomization that is not built.
pub fn kustomization(file: &str) -> Gap {
    let folder = Path::new(file)
        .parent()
        .map(|folder| folder.to_string_lossy());
    let folder = folder.filter(|folder| !folder.is_empty());
    let folder = folder.as_deref().unwrap_or(".");
    Gap {
        what: Unjudged::Kustomization,
        name: file.to_owned(),
        remedy: format!("`kustomize build {folder} | rollout-guard check -`"),
    }
}

/// Whether a controller installs a Helm chart for an object: of Flux, of Argo CD, or of k3s.
fn installs_chart(object: &Object<'_>) -> bool {
    match (object.group.as_ref(), object.kind.as_ref()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") | ("helm.cattle.io", "HelmChart") => true,
        ("argoproj.io", kind @ ("Application" | "ApplicationSet")) => {
            let way: &[&str] = match kind {
                "Application" => &["spec"],
                _ => &["spec", "template", "spec"],
            };
            let way = Location(way.iter().map(|key| Step::key(key)).collect());
            let spec = object.value.at(&way);
            let source = spec.and_then(|spec| spec.get("source"));
            let sources = spec.and_then(|spec| spec.get("sources"));
            let more = sources.into_iter().flat_map(Value::elements);
            source
                .into_iter()
                .chain(more)
                .any(|source| source.get("chart").is_some())
        }
        _ => false,
    }
}

/// What a violation is about, in the text of the object's document.
pub(crate) fn span(object: Value<'_>, violation: &Violation) -> Range<usize> {
    let place = object.locate(&violation.path);
    if place.is_repeated
        && let Some(value) = said(object, violation)
    {
        return value.span();
    }
    let is_whole = violation.path.steps().is_empty();
    let name = || {
        let metadata = object.get("metadata")?;
        metadata
            .get("name")
            .or_else(|| metadata.get("generateName"))
    };
    match place.key {
        // About the object as a whole: its name stands for it.
        _ if is_whole => name()
            .or_else(|| object.get("kind"))
            .map_or(place.span, Value::span),
        // A list or map is shown by its key.
        Some(key) if !place.is_exact || is_collection(place.style) => key,
        _ => place.span,
    }
}

const fn is_collection(style: Style) -> bool {
    matches!(style, Style::Flow | Style::Indented)
}
