//! Tries settings on a manifest, for a person who writes both.
//!
//! Three texts: the settings, the manifest (objects, or an `AdmissionReview`), and the objects as
//! they were. The answer has everything that admission would say, and where in which text.

mod images;
mod outcome;
mod question;
mod suite;

use rollout_guard::date::{Clock, Time};
use rollout_guard::json;
use rollout_guard::policy::Policy;
use rollout_guard::request::{Operation, Request};
use rollout_guard::settings::Settings;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::judge::{NotAsked, span};
use crate::manifest::{self, Document, Lines};
use crate::policy_file::{self, Source};
use crate::{admission_policy, settings_lints, settings_text};

use outcome::{Answer, Judged, Mark, SettingsAnswer};
use question::{Question, Questions};

/// The texts, and who asks for what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Trial {
    /// Settings, alone or in policies of Kubewarden.
    pub settings: String,
    /// Objects, or an `AdmissionReview` that says all that follows.
    pub manifest: String,
    /// The objects as they were, for UPDATE.
    pub old: String,
    /// `CREATE` where it is empty.
    pub operation: String,
    /// Where objects are that name no namespace.
    pub namespace: String,
    /// Who asks; empty for nobody, as the audit scanner asks.
    pub user: String,
    /// The groups of the user.
    pub groups: Vec<String>,
    /// What the client calls itself.
    pub field_manager: String,
    /// What time it is, in seconds since 1970; else there is no clock.
    pub now: Option<i64>,
}

/// What a person takes away to use elsewhere.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Files {
    /// The settings as a `ClusterAdmissionPolicy`; none where they are not valid.
    pub policy: Option<String>,
    /// The settings alone.
    pub settings: Option<String>,
    /// An `AdmissionReview` for each object.
    pub requests: Vec<String>,
    /// All of it as a suite for `rollout-guard test`; none where the settings are not valid.
    pub suite: Option<String>,
}

impl Trial {
    /// Reads a trial.
    ///
    /// # Errors
    ///
    /// Where it is not the JSON of one.
    pub fn read(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// What admission would say, as JSON.
    pub fn answer(&self) -> String {
        let mut answer = Answer::default();
        let documents = read(&self.settings, Severity::Error, &mut answer.settings.marks);
        let sources = self.sources(&documents, &mut answer.settings);
        let of_sources = settings_of(&sources);
        let settings = self.settings(&sources, &of_sources, &mut answer.settings);

        let manifest = read(&self.manifest, Severity::Warning, &mut answer.manifest);
        let old = if self.operation == Operation::Update.as_str() {
            read(&self.old, Severity::Warning, &mut answer.old)
        } else {
            Vec::new()
        };
        let questions = self.questions(&manifest, &old, &mut answer);
        if let Some(settings) = settings {
            answer.settings.is_valid = true;
            let lines = Lines::new(&self.manifest);
            for question in &questions {
                judge(question, &sources, &settings, &lines, &mut answer);
            }
        }
        // Nothing in it can fail to serialize.
        serde_json::to_string(&answer).unwrap_or_default()
    }

    /// The files with which kwctl and a cluster give the same answer.
    pub fn files(&self) -> Files {
        let mut answer = Answer::default();
        let documents = read(&self.settings, Severity::Error, &mut answer.settings.marks);
        let sources = self.sources(&documents, &mut answer.settings);
        let of_sources = settings_of(&sources);
        let mut files = Files::default();
        let settings = self.settings(&sources, &of_sources, &mut answer.settings);
        let manifest = read(&self.manifest, Severity::Warning, &mut answer.manifest);
        let old = read(&self.old, Severity::Warning, &mut answer.old);
        let questions = self.questions(&manifest, &old, &mut answer);
        if let Some(settings) = settings
            && let ([source], [settings]) = (sources.as_slice(), settings.as_slice())
        {
            let is_policy = source.policy.is_some();
            files.policy = Some(if is_policy {
                self.settings.clone()
            } else {
                admission_policy::text(&self.settings, source.json(), settings)
            });
            if !questions.is_empty() {
                let text = suite::text(self, source.json(), settings, &questions);
                files.suite = Some(text);
            }
            files.settings = Some(if is_policy {
                source.json().to_owned()
            } else {
                self.settings.clone()
            });
        }
        for question in &questions {
            let request: serde_json::Value =
                serde_json::from_str(&question.request).unwrap_or_default();
            let review = serde_json::json!({
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "request": request,
            });
            // As people read it.
            files.requests.push(format!("{review:#}\n"));
        }
        files
    }

    fn sources<'d>(
        &self,
        documents: &'d [Document<'_>],
        answer: &mut SettingsAnswer,
    ) -> Vec<Source<'d>> {
        if !answer.marks.is_empty() {
            return Vec::new();
        }
        let is_empty = documents.is_empty();
        match policy_file::sources(documents) {
            Ok(sources) => sources,
            // An empty text is no mistake, only a beginning.
            Err(_) if is_empty => Vec::new(),
            Err(problem) => {
                let lines = Lines::new(&self.settings);
                answer
                    .marks
                    .push(Mark::new(&lines, 0..0, Severity::Error, problem));
                Vec::new()
            }
        }
    }

    /// The settings, if all are valid; marks what is wrong or looks wrong in them, and says what they do.
    fn settings<'n>(
        &self,
        sources: &[Source<'_>],
        documents: &'n [json::Document<'n>],
        answer: &mut SettingsAnswer,
    ) -> Option<Vec<Settings<'n>>> {
        let lines = Lines::new(&self.settings);
        let mut valid = Vec::new();
        for (source, document) in sources.iter().zip(documents) {
            match Settings::validate(document.root()) {
                Ok(settings) => {
                    let now = self.now.map(Time::from_seconds);
                    let settings = settings.with_clock(now.map_or(Clock::None, Clock::At));
                    for lint in settings_lints::find(source, &settings) {
                        let span = source.span(&lint.path, false);
                        let mark = Mark::new(&lines, span, Severity::Warning, lint.problem);
                        answer.marks.push(mark.at(&lint.path));
                    }
                    valid.push(settings);
                }
                Err(errors) => {
                    for error in errors.iter() {
                        let span = source.span(&error.path, error.kind.is_about_key());
                        let problem = error.problem.clone();
                        let mark = Mark::new(&lines, span, Severity::Error, problem);
                        answer.marks.push(mark.at(&error.path));
                    }
                }
            }
        }
        if valid.is_empty() || valid.len() != sources.len() {
            return None;
        }
        for ((source, document), settings) in sources.iter().zip(documents).zip(&valid) {
            let sentences = settings_text::sentences(document.root());
            answer.sentences.extend(sentences);
            let policy = source.policy.as_deref().unwrap_or_default();
            for note in &source.notes {
                answer.notes.push(format!("{policy}: {note}"));
            }
            if settings.mirrors.iter().any(|mirror| mirror.check_exists) {
                let note = "no registry is asked here: a mirror with `checkExists` is taken to have the image";
                answer.notes.push(note.to_owned());
            }
        }
        Some(valid)
    }

    fn questions<'d>(
        &'d self,
        manifest: &'d [Document<'d>],
        old: &'d [Document<'d>],
        answer: &mut Answer,
    ) -> Vec<Question<'d>> {
        let mut questions = Questions::new(self, manifest, old);
        for document in manifest {
            questions.add(document, &mut answer.manifest);
        }
        questions.mark_unused(&mut answer.old);
        answer.is_review = questions.has_review;
        questions.found
    }
}

/// Judges a request by every policy that is asked about it.
fn judge(
    question: &Question<'_>,
    sources: &[Source<'_>],
    settings: &[Settings<'_>],
    lines: &Lines<'_>,
    answer: &mut Answer,
) {
    let asked = question.asked();
    let mut is_asked = false;
    for (source, settings) in sources.iter().zip(settings) {
        if !source.is_asked(&asked) {
            continue;
        }
        is_asked = true;
        let mut judged = Judged::new(question);
        judged.policy = source.policy.clone().filter(|_| sources.len() > 1);
        let json = json::Document::of(&question.request);
        let verdict = match Request::of(&json) {
            Err(error) => Verdict::unreadable(settings.docs_url.as_deref(), &error),
            Ok(request) => {
                let images = images::find(settings, &request);
                let verdict = Policy::new(settings).evaluate_with(request, &NotAsked);
                judged.change(question, &images, &verdict, lines);
                verdict
            }
        };
        judged.tell(&verdict);
        let violations = verdict.violations.iter();
        let told = violations
            .map(|violation| (Severity::Error, violation))
            .chain(
                verdict
                    .warnings
                    .iter()
                    .map(|warning| (Severity::Warning, warning)),
            );
        let mut findings: Vec<_> = told
            .map(|(severity, violation)| finding(question, severity, violation, lines))
            .collect();
        // The order of the text, which a person has before them.
        findings.sort_by_key(|finding| finding.start);
        for finding in &findings {
            judged.add(question, finding);
        }
        answer.verdicts.push(judged);
    }
    if !is_asked {
        answer.verdicts.push(Judged::not_asked(question));
    }
}

/// A violation at its place in the manifest.
fn finding(
    question: &Question<'_>,
    severity: Severity,
    violation: &Violation,
    lines: &Lines<'_>,
) -> Finding {
    let span = match question.object_value {
        Some(object) if !question.is_about_request(violation) => span(object, violation),
        _ => question.request_span(violation),
    };
    let span = question.document.in_file(&span);
    Finding::new(severity, violation, &span, lines)
}

/// The settings of each source, as the engine reads them.
fn settings_of<'s>(sources: &'s [Source<'_>]) -> Vec<json::Document<'s>> {
    let read = |source: &'s Source<'_>| json::Document::of(source.json());
    sources
        .iter()
        .map(|source| read(source).unwrap_or(json::Document::NULL))
        .collect()
}

/// The documents of a text; marks what cannot be read, and keys that occur twice, as severe as that is
/// there: in settings an error, in objects the last one counts.
fn read<'t>(text: &'t str, repeated: Severity, marks: &mut Vec<Mark>) -> Vec<Document<'t>> {
    let mut documents = Vec::new();
    let lines = Lines::new(text);
    manifest::documents(text, &mut |part| match part {
        Ok(document) => {
            for key in document.tree.repeated_keys() {
                marks.push(Mark::new(
                    &lines,
                    document.in_file(&key.span),
                    repeated,
                    format!("the key `{}` occurs twice", key.key),
                ));
            }
            documents.push(document);
        }
        Err(error) => marks.push(Mark::new(
            &lines,
            error.at..error.at + 1,
            Severity::Error,
            error.problem,
        )),
    });
    documents
}
