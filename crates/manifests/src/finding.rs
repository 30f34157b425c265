//! What was found in a file.

use std::collections::BTreeMap;
use std::ops::Range;

use rollout_guard::violation::{Code, Violation};

use crate::detail::Detail;
use crate::manifest::{Excerpt, Lines, Position};

/// Whether admission would refuse or only warn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Admission would refuse.
    Error,
    /// Admission would warn.
    Warning,
}

impl Severity {
    /// The word for it in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A violation, and where it is in a file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether it refuses.
    pub severity: Severity,
    /// What is wrong.
    pub violation: Violation,
    /// The object, by its position among the file's.
    pub object: usize,
    /// The policy, where the settings are of more than one.
    pub policy: Option<String>,
    /// Where it begins in the file.
    pub start: Position,
    /// Where it ends in the file.
    pub end: Position,
    /// The line that it is in; none where that has the data of a Secret.
    pub excerpt: Option<Excerpt>,
    /// What it is about, taken apart.
    pub detail: Detail,
    /// Whether it is in the baseline, and fails nothing.
    pub is_in_baseline: bool,
}

impl Finding {
    /// A violation at a place in the file, of its first object and its only policy.
    pub(crate) fn new(
        severity: Severity,
        violation: &Violation,
        span: &Range<usize>,
        lines: &Lines<'_>,
    ) -> Self {
        Self {
            severity,
            violation: violation.clone(),
            object: 0,
            policy: None,
            start: lines.position(span.start),
            end: lines.position(span.end),
            excerpt: Some(lines.excerpt(span)),
            detail: Detail::default(),
            is_in_baseline: false,
        }
    }

    /// What kind of thing is wrong.
    pub const fn code(&self) -> Code {
        self.violation.code
    }

    /// The message without place and code: ``image `redis`: a digest is required``.
    pub fn message(&self) -> String {
        self.violation.explanation().to_string()
    }
}

/// A part of a file that could not be read.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where, if the file could be read at all, and the line; none where that may have the data of a Secret.
    pub place: Option<(Position, Option<Excerpt>)>,
}

/// An object as reports name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The name; empty where the API server makes it.
    pub name: String,
    /// The namespace that it will be in.
    pub namespace: Option<String>,
    /// The folders that it is built from, where it is no manifest of its own.
    pub built_by: Vec<String>,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)?;
        match self.built_by.as_slice() {
            [] => Ok(()),
            [only] => write!(f, ", built by {only}"),
            [first, more @ ..] => write!(f, ", built by {first} and {} more", more.len()),
        }
    }
}

/// What was not judged, by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unjudged {
    /// A file that could not be read, or not as a whole.
    File,
    /// A template of a Helm chart, not rendered.
    ChartTemplate,
    /// A template of another engine, not rendered.
    Template,
    /// A kustomization, not built.
    Kustomization,
    /// An object that installs a Helm chart, which is not rendered.
    Chart,
    /// An object that may run images, left out by the rules of the policy.
    Object,
    /// A submodule that is not checked out.
    Submodule,
}

impl Unjudged {
    /// The word for it in reports of programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "unreadable-file",
            Self::ChartTemplate => "chart-template",
            Self::Template => "template",
            Self::Kustomization => "kustomization",
            Self::Chart => "chart",
            Self::Object => "object",
            Self::Submodule => "submodule",
        }
    }

    /// One of them, and more, in the words of the summary.
    pub const fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::File => ("file not readable", "files not readable"),
            Self::ChartTemplate => (
                "template of a Helm chart not rendered",
                "templates of Helm charts not rendered",
            ),
            Self::Template => ("template not rendered", "templates not rendered"),
            Self::Kustomization => ("kustomization not built", "kustomizations not built"),
            Self::Chart => (
                "object that installs a Helm chart, not rendered",
                "objects that install Helm charts, not rendered",
            ),
            Self::Object => (
                "object that may run images, left out by the rules of the policy",
                "objects that may run images, left out by the rules of the policy",
            ),
            Self::Submodule => ("submodule not checked out", "submodules not checked out"),
        }
    }
}

/// Something that was not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What it is.
    pub what: Unjudged,
    /// Its name: a file, or an object and its file.
    pub name: String,
    /// What would judge it.
    pub remedy: String,
}

/// What was found in one file.
#[derive(Debug, Default)]
pub struct FileReport {
    /// As messages show it.
    pub name: String,
    /// The objects that were judged.
    pub objects: Vec<ObjectName>,
    /// What is wrong with them, in the order of the file.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What is read, but probably a mistake: a key that occurs twice.
    pub warnings: Vec<Problem>,
    /// What was not judged.
    pub gaps: Vec<Gap>,
    /// Numbers for the summary.
    pub counts: Counts,
    /// The exemptions without which there would be more.
    pub exempted: Vec<String>,
    /// The images that admission would run from elsewhere, as `from=to`.
    pub rewritten: Vec<String>,
    /// How many fields look like images and are not judged, by kind.
    pub image_like: BTreeMap<String, usize>,
}

/// Numbers for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that were looked at.
    pub files: usize,
    /// Objects that were judged.
    pub objects: usize,
    /// Images in them.
    pub images: usize,
    /// Violations that refuse.
    pub errors: usize,
    /// Violations that only warn.
    pub warnings: usize,
    /// Violations and warnings that are in the baseline, and in neither of these numbers.
    pub in_baseline: usize,
    /// Objects that were there before, and are judged as changed.
    pub changed: usize,
    /// Warnings about what was so before, and passes.
    pub preexisting: usize,
    /// Changes that a rule of `changes` guards, where nobody knows who makes them.
    pub guarded_changes: usize,
    /// Files in which something could not be read.
    pub unreadable_files: usize,
    /// Files that hold no Kubernetes object.
    pub other_files: usize,
    /// Files that are templates, not rendered.
    pub templates: usize,
    /// Files that are kustomizations, not built.
    pub kustomizations: usize,
    /// Kustomizations and charts that their tools built.
    pub builds: usize,
    /// Those that cannot be built.
    pub unbuilt: usize,
    /// Objects that were judged as the Pods that they will create.
    pub as_pods: usize,
    /// Objects that the rules of the policies leave out.
    pub not_covered: usize,
    /// Objects without a namespace, where the settings ask for one.
    pub without_namespace: usize,
    /// Exemptions that were used.
    pub exempted: usize,
    /// Images that would run from elsewhere.
    pub rewritten: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.objects += other.objects;
        self.images += other.images;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.in_baseline += other.in_baseline;
        self.changed += other.changed;
        self.preexisting += other.preexisting;
        self.guarded_changes += other.guarded_changes;
        self.unreadable_files += other.unreadable_files;
        self.other_files += other.other_files;
        self.templates += other.templates;
        self.kustomizations += other.kustomizations;
        self.builds += other.builds;
        self.unbuilt += other.unbuilt;
        self.as_pods += other.as_pods;
        self.not_covered += other.not_covered;
        self.without_namespace += other.without_namespace;
        self.exempted += other.exempted;
        self.rewritten += other.rewritten;
    }
}
