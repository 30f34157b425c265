//! What was found in a file.

use rollout_guard::violation::{Code, Violation};

use crate::manifest::{Excerpt, Position};

/// Whether admission would refuse or only warn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A violation, and where it is in a file.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) violation: Violation,
    /// The object, by its position among the file's.
    pub(crate) object: usize,
    /// The policy, where the settings are of more than one.
    pub(crate) policy: Option<String>,
    pub(crate) start: Position,
    pub(crate) end: Position,
    pub(crate) excerpt: Excerpt,
}

impl Finding {
    pub(crate) const fn code(&self) -> Code {
        self.violation.code
    }

    /// The message without place and code: ``image `redis`: a digest is required``.
    pub(crate) fn message(&self) -> String {
        let line = self.violation.to_string();
        let message = line.strip_prefix(&self.violation.place);
        let message = message.and_then(|rest| rest.strip_prefix(": "));
        let code = format!(" [{}]", self.code());
        let message = message.and_then(|rest| rest.strip_suffix(&code));
        message.unwrap_or(&line).to_owned()
    }
}

/// A part of a file that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    /// Where, if the file could be read at all.
    pub(crate) place: Option<(Position, Excerpt)>,
}

/// An object as reports name it.
#[derive(Clone, Debug)]
pub(crate) struct ObjectName {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// What was found in one file.
#[derive(Debug, Default)]
pub(crate) struct FileReport {
    /// As messages show it.
    pub(crate) name: String,
    pub(crate) objects: Vec<ObjectName>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) counts: Counts,
    /// The exemptions without which there would be more.
    pub(crate) exempted: Vec<String>,
    /// The images that admission would run from elsewhere, as `from=to`.
    pub(crate) rewritten: Vec<String>,
}

/// Numbers for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) files: usize,
    pub(crate) objects: usize,
    pub(crate) images: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    /// Files in which something could not be read.
    pub(crate) unreadable_files: usize,
    /// Files that hold no Kubernetes object.
    pub(crate) other_files: usize,
    /// Files that are Helm templates, not rendered.
    pub(crate) templates: usize,
    /// Objects that the rules of the policies leave out.
    pub(crate) not_covered: usize,
    /// Objects without a namespace, where the settings ask for one.
    pub(crate) without_namespace: usize,
    pub(crate) exempted: usize,
    pub(crate) rewritten: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.objects += other.objects;
        self.images += other.images;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.unreadable_files += other.unreadable_files;
        self.other_files += other.other_files;
        self.templates += other.templates;
        self.not_covered += other.not_covered;
        self.without_namespace += other.without_namespace;
        self.exempted += other.exempted;
        self.rewritten += other.rewritten;
    }
}
