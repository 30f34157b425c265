//! Judges the objects of a file as admission would.

mod gaps;
mod images;
mod reading;
mod subject;

use std::collections::BTreeSet;
use std::ops::Range;

use rollout_guard::json::{self, Location};
use rollout_guard::mirror::{Mirror, Rewrite};
use rollout_guard::policy::Policy;
use rollout_guard::registry::{Existence, Registry};
use rollout_guard::request::Request;
use rollout_guard::settings::{AllowReject, Settings};
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::{Action, Code, Outcome, Violation};
use rollout_guard::workload::ImagePlaces;

use crate::before::Before;
use crate::detail::said;
use crate::finding::{Counts, FileReport, Gap, Problem, Severity, Unjudged};
use crate::manifest::{self, Style, Value};
use crate::object::{Identity, Object};
use crate::policy_file::Source;
use crate::secret::SecretData;

use reading::Reading;

pub use gaps::{KUSTOMIZATIONS, chart_template, is_kustomization_name, kustomization};
pub use images::InstalledMirror;

/// Settings, and the policy that they come from.
#[derive(Clone, Debug)]
pub struct Judge<'p> {
    /// The settings, each with where they come from.
    pub policies: Vec<(&'p Source<'p>, Policy<'p>)>,
    /// The mirrors of each, as [`only_mirrors`] has them.
    pub mirrors: Vec<Settings<'p>>,
    /// Where images are besides those that the shape shows.
    pub image_places: ImagePlaces<'p>,
    /// Where objects are that name no namespace.
    pub namespace: &'p str,
    /// Whether it matters where they are.
    pub asks_for_namespace: bool,
    /// Who asks.
    pub identity: Identity,
    /// The objects as they were; none where all are new.
    pub before: Option<&'p Before>,
    /// The name of the build that the objects come from; none where they are written as they are.
    pub build: Option<&'p str>,
    /// Of each policy the rules of `changes` alone, where they are only counted: nobody knows who asks.
    pub guards: Vec<Settings<'p>>,
}

impl<'p> Judge<'p> {
    /// Judges by these settings what somebody creates; all objects are new, and every finding is told.
    pub fn new(
        sources: &'p [Source<'p>],
        settings: &'p [Settings<'p>],
        namespace: &'p str,
    ) -> Self {
        Self {
            policies: sources
                .iter()
                .zip(settings.iter().map(Policy::new).map(Policy::without_limit))
                .collect(),
            mirrors: settings.iter().map(only_mirrors).collect(),
            image_places: image_places(settings),
            namespace,
            asks_for_namespace: false,
            identity: Identity::somebody(),
            before: None,
            build: None,
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
            secrets: SecretData::default(),
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
        reading.hide_secrets(report);
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

/// Where images are by any of some settings, besides those that the shape shows.
pub fn image_places<'s: 'p, 'p>(
    settings: impl IntoIterator<Item = &'p Settings<'s>>,
) -> ImagePlaces<'s> {
    let mut places = ImagePlaces {
        without_known_kinds: true,
        ..ImagePlaces::default()
    };
    let mut is_any = false;
    for settings in settings {
        is_any = true;
        places
            .paths
            .extend(settings.image_places.paths.iter().cloned());
        places.without_known_kinds &= settings.image_places.without_known_kinds;
    }
    places.without_known_kinds &= is_any;
    places
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
        image_places: ImagePlaces {
            paths: (settings.image_places.paths.iter())
                .filter(|_| paths)
                .cloned()
                .collect(),
            ..settings.image_places
        },
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
        image_places: settings.image_places.clone(),
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
                    if source.selects_pods_from(object, &template) {
                        add(&text, Some(&template));
                    }
                }
            }
        }
        refusals
    }

    /// Whether a policy that is asked about an object, or about its Pods, has a list that says which images may
    /// run and refuses all others: only then is an image that it does not refuse known to anybody.
    pub fn says_which_images_may_run(&self, object: &Object<'_>) -> bool {
        fn refuses_others<T>(list: &AllowReject<T>) -> bool {
            !list.allow.is_empty() && list.action == Action::Reject
        }
        self.policies.iter().any(|(source, policy)| {
            let is_asked =
                source.covers(object, self.namespace) || self.covers_pods_of(source, object);
            let settings = policy.settings();
            is_asked && (refuses_others(&settings.registries) || refuses_others(&settings.images))
        })
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
        let guards = Policy::new(guards).without_limit();
        let verdict = guards.evaluate_with(request, &NotAsked);
        let violations = verdict.violations.iter().chain(&verdict.warnings);
        let places: BTreeSet<_> = violations
            .map(|violation| violation.path.to_string())
            .collect();
        places.len()
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
