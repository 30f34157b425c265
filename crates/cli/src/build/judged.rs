//! Verdicts on built objects, at the lines of the tree that decide what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollout_guard::json::Location;
use rollout_guard::violation::Violation;

use super::decision::{Decision, Wanted};
use super::files::Files;
use super::{BuiltObject, Unbuilt};
use crate::baseline::Baseline;
use crate::finding::{Counts, FileReport, Finding, Gap, ObjectName, Problem, Severity};
use crate::input::{self, from_here};
use crate::judge::{Contents, File, Judge};
use crate::manifest::{self, Lines, Value};
use crate::secret;

/// What a tool builds of a folder.
#[derive(Clone, Copy)]
pub(crate) struct Build<'b, 't> {
    /// As reports show it.
    pub(crate) name: &'b str,
    /// The file that stands for it.
    pub(crate) file: &'b Path,
    pub(crate) objects: &'b [BuiltObject],
    pub(crate) files: &'b Files<'t>,
    pub(crate) decide: &'b dyn Fn(Wanted<'_>) -> Option<Decision>,
}

/// The verdicts on the objects of a build, each with the file that they are told of.
#[derive(Default)]
pub(crate) struct Judged {
    /// Objects with nothing wrong.
    sound: Vec<ObjectName>,
    objects: Vec<(ObjectName, Vec<(PathBuf, Finding)>)>,
    pub(crate) counts: Counts,
    gaps: Vec<Gap>,
    image_like: BTreeMap<String, usize>,
}

impl Build<'_, '_> {
    /// Judges every object of the build.
    pub(crate) fn judge(&self, judge: &Judge<'_>) -> Judged {
        let mut judged = Judged::default();
        let name = input::name(&from_here(self.file));
        for built in self.objects {
            let report = judge.file(&File {
                name: &name,
                contents: Contents::Text(&built.json),
                chart: &|| None,
            });
            let FileReport {
                objects,
                findings,
                counts,
                gaps,
                image_like,
                ..
            } = report;
            add_fields(&mut judged.image_like, image_like);
            judged.counts += Counts {
                files: 0,
                other_files: 0,
                // What is told more than once is counted once, when it is added to the report.
                errors: counts.errors - refusing(&findings),
                warnings: counts.warnings - (findings.len() - refusing(&findings)),
                preexisting: 0,
                ..counts
            };
            judged.gaps.extend(gaps);
            let Some(object) = objects.into_iter().next() else {
                continue;
            };
            let object = ObjectName {
                built_by: vec![self.name.to_owned()],
                ..object
            };
            if findings.is_empty() {
                judged.sound.push(object);
                continue;
            }
            let findings = self.in_tree(built, &object, findings);
            judged.objects.push((object, findings));
        }
        judged
    }

    /// The findings of an object, where they are decided.
    fn in_tree(
        &self,
        built: &BuiltObject,
        name: &ObjectName,
        findings: Vec<Finding>,
    ) -> Vec<(PathBuf, Finding)> {
        let nothing = Lines::new("");
        let documents = manifest::readable(&built.json);
        let object = documents.first().and_then(|document| document.tree.root());
        let placed = findings.into_iter().map(|finding| {
            let decision = object.and_then(|object| {
                (self.decide)(Wanted {
                    built,
                    object,
                    path: &subject(object, &finding.violation),
                    is_about_tag: ["tag-", "digest-"]
                        .iter()
                        .any(|about| finding.code().as_str().starts_with(about)),
                })
            });
            let (file, at) = match decision {
                Some(decision) => (decision.file, decision.at),
                None => (self.file.to_owned(), 0..0),
            };
            let lines = self.files.lines(&file).unwrap_or(&nothing);
            let start = lines.position(at.start);
            let is_secret = self.files.is_secret(&file, start.line)
                || secret::is_data(name, &finding.violation.path);
            let finding = Finding {
                object: 0,
                start,
                end: lines.position(at.end),
                excerpt: (!is_secret).then(|| lines.excerpt(&at)),
                ..finding
            };
            (file, finding)
        });
        placed.collect()
    }
}

impl Judged {
    /// Marks the findings that a team has accepted: before they are told by their place, since an object
    /// is accepted and not a line that others are built from too.
    pub(crate) fn accept(&mut self, baseline: &mut Baseline) {
        for object in &self.sound {
            baseline.add_object(object);
        }
        for (object, findings) in &mut self.objects {
            baseline.add_object(object);
            for (_, finding) in findings {
                baseline.mark(object, finding);
            }
        }
    }
}

fn refusing(findings: &[Finding]) -> usize {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    findings.iter().filter(is_error).count()
}

fn add_fields(fields: &mut BTreeMap<String, usize>, more: BTreeMap<String, usize>) {
    for (kind, count) in more {
        *fields.entry(kind).or_default() += count;
    }
}

/// The path of what a violation is about, as far as it is there.
fn subject(object: Value<'_>, violation: &Violation) -> Location<'static> {
    let path = violation.path.detached();
    let mut steps = path.steps().to_vec();
    while object.at(&Location(steps.clone())).is_none() && steps.pop().is_some() {}
    Location(steps)
}

/// Reports by file: what is wrong at one place is told once, whatever it is built into.
#[derive(Default)]
pub(crate) struct Reports {
    by_file: BTreeMap<String, FileReport>,
    /// The object and the finding by what is told.
    told: BTreeMap<(String, String), usize>,
    /// The position of an object with findings among those of its file.
    objects: BTreeMap<(String, ObjectName), usize>,
}

impl Reports {
    fn of(&mut self, file: &Path) -> &mut FileReport {
        let name = input::name(&from_here(file));
        self.by_file
            .entry(name.clone())
            .or_insert_with(|| FileReport {
                name,
                ..FileReport::default()
            })
    }

    /// Adds the verdicts on a build.
    pub(crate) fn add(&mut self, file: &Path, judged: Judged) {
        let report = self.of(file);
        report.counts += judged.counts;
        report.gaps.extend(judged.gaps);
        add_fields(&mut report.image_like, judged.image_like);
        report.objects.extend(judged.sound);
        for (object, findings) in judged.objects {
            for (file, finding) in findings {
                self.add_finding(&file, &object, finding);
            }
        }
    }

    fn add_finding(&mut self, file: &Path, object: &ObjectName, finding: Finding) {
        let name = input::name(&from_here(file));
        let policy = finding.policy.as_deref().unwrap_or_default();
        let told = format!(
            "{}:{} {:?} {} {policy} {}",
            finding.start.line,
            finding.start.column,
            finding.severity,
            finding.is_in_baseline,
            finding.violation
        );
        let of_object = (name.clone(), object.clone());
        let key = (name, told);
        let known = self.told.get(&key).copied();
        let position = self.objects.get(&of_object).copied();
        let report = self.of(file);
        if let Some(known) = known {
            let object_of = report.findings.get(known).map(|finding| finding.object);
            let told = object_of.and_then(|position| report.objects.get_mut(position));
            if let Some(told) = told {
                let more = object.built_by.iter();
                let more: Vec<_> = more
                    .filter(|name| !told.built_by.contains(name))
                    .cloned()
                    .collect();
                told.built_by.extend(more);
            }
            return;
        }
        let position = position.unwrap_or_else(|| {
            report.objects.push(object.clone());
            report.objects.len() - 1
        });
        let is_error = finding.severity == Severity::Error;
        let is_accepted = finding.is_in_baseline;
        let counts = Counts {
            errors: usize::from(is_error && !is_accepted),
            warnings: usize::from(!is_error && !is_accepted),
            in_baseline: usize::from(is_accepted),
            preexisting: usize::from(finding.violation.is_preexisting()),
            ..Counts::default()
        };
        report.counts += counts;
        report.findings.push(Finding {
            object: position,
            ..finding
        });
        let last = report.findings.len() - 1;
        self.told.insert(key, last);
        self.objects.insert(of_object, position);
    }

    /// Adds why something is not built.
    pub(crate) fn add_unbuilt(&mut self, name: &str, file: &Path, unbuilt: &Unbuilt) {
        let (told, at) = match &unbuilt.place {
            Some((file, at)) => (file.as_path(), Some(at)),
            None => (file, None),
        };
        let place = at.filter(|at| !at.is_empty()).and_then(|at| {
            let text = input::read(told).ok()?.text;
            let lines = Lines::new(&text);
            Some((lines.position(at.start), Some(lines.excerpt(at))))
        });
        let problem = Problem {
            message: format!("`{name}` is not built: {}", unbuilt.problem),
            place,
        };
        let report = self.of(told);
        report.problems.push(problem);
        report.counts.unbuilt += 1;
    }

    /// Counts a file that builds read.
    pub(crate) fn add_file(&mut self, file: &Path) {
        self.of(file).counts.files = 1;
    }

    /// Adds what is not judged, and how many failures that is.
    pub(crate) fn add_gaps(&mut self, gaps: Vec<Gap>, unbuilt: usize, file: &Path) {
        let report = self.of(file);
        report.gaps.extend(gaps);
        report.counts.unbuilt += unbuilt;
    }

    /// The reports, in the order of their files.
    pub(crate) fn into_files(self) -> impl Iterator<Item = FileReport> {
        self.by_file.into_values().map(|mut report| {
            // The findings of an object stand together.
            report
                .findings
                .sort_by_key(|finding| (finding.object, finding.start));
            report
        })
    }
}
