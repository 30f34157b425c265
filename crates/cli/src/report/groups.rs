//! Findings put together, for people: by what they are about, with each message once.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;

use crate::failure::printable;
use crate::finding::{FileReport, Finding, Severity};

use super::count;

/// What findings are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GroupBy {
    /// By image, as it will run
    Image,
    /// By file
    File,
    /// By the list of the settings, or the rule
    Rule,
}

/// So many places of one message are shown; of a file all are.
const MOST_PLACES: usize = 5;

/// So many images are in a summary.
const MOST_IMAGES: usize = 20;

/// Violations, and warnings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Numbers {
    pub(super) violations: usize,
    pub(super) warnings: usize,
}

impl Numbers {
    pub(super) const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.violations += 1,
            Severity::Warning => self.warnings += 1,
        }
    }

    /// `2 violations, 1 warning`.
    pub(super) fn words(self) -> String {
        let violations = count(self.violations, "violation", "violations");
        let warnings = count(self.warnings, "warning", "warnings");
        match (self.violations, self.warnings) {
            (_, 0) => violations,
            (0, _) => warnings,
            _ => format!("{violations}, {warnings}"),
        }
    }
}

/// The findings of a run by group.
#[derive(Debug)]
pub(super) struct Groups {
    by: GroupBy,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    numbers: Numbers,
    /// By severity, code and message, violations first.
    messages: BTreeMap<(bool, &'static str, String), Vec<String>>,
}

impl Groups {
    pub(super) const fn new(by: GroupBy) -> Self {
        Self {
            by,
            groups: BTreeMap::new(),
        }
    }

    pub(super) const fn by(&self) -> GroupBy {
        self.by
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(super) fn add(&mut self, file: &FileReport) {
        for finding in new_findings(file) {
            let detail = &finding.detail;
            let code = finding.code().as_str();
            let name = match self.by {
                GroupBy::File => file.name.clone(),
                GroupBy::Image => detail
                    .image
                    .as_ref()
                    .map_or_else(|| "no image".to_owned(), |image| image.name().to_owned()),
                GroupBy::Rule => detail.rule.clone().unwrap_or_else(|| code.to_owned()),
            };
            let message = match (self.by, &detail.image) {
                (GroupBy::Image, Some(_)) => finding.violation.reason().to_string(),
                _ => finding.message(),
            };
            let object = file.objects.get(finding.object);
            let object = object.map(ToString::to_string).unwrap_or_default();
            let at = format!("{}:{}", finding.start.line, finding.start.column);
            let place = match self.by {
                GroupBy::File => format!("{at}  {object}, {}", finding.violation.place),
                _ => format!("{}:{at}  {object}, {}", file.name, finding.violation.place),
            };
            let group = self.groups.entry(name).or_default();
            group.numbers.add(finding.severity);
            let is_warning = finding.severity == Severity::Warning;
            let messages = &mut group.messages;
            let places = messages.entry((is_warning, code, message)).or_default();
            places.push(place);
        }
    }

    /// The groups, those with the most violations first, as lines without a layout: how far in each is,
    /// and its text.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.numbers));
        let most = match self.by {
            GroupBy::File => usize::MAX,
            _ => MOST_PLACES,
        };
        let mut lines = Vec::new();
        for (name, group) in groups {
            lines.push(Line::Group(format!(
                "{}: {}",
                printable(name),
                group.numbers.words()
            )));
            for ((is_warning, code, message), places) in &group.messages {
                let severity = if *is_warning {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                lines.push(Line::Message(severity, code, printable(message)));
                let shown = places.iter().take(most);
                lines.extend(shown.map(|place| Line::Place(printable(place))));
                if let Some(more @ 1..) = places.len().checked_sub(most) {
                    let more = format!("and {more} more (--format json lists all)");
                    lines.push(Line::Place(more));
                }
            }
        }
        lines
    }
}

/// A line of a report in groups.
#[derive(Debug)]
pub(super) enum Line {
    Group(String),
    Message(Severity, &'static str, String),
    Place(String),
}

/// How often each image is found wrong.
#[derive(Debug, Default)]
pub(super) struct Images(BTreeMap<String, ImageNumbers>);

#[derive(Debug, Default)]
pub(super) struct ImageNumbers {
    pub(super) numbers: Numbers,
    /// File, object and place in it.
    places: BTreeSet<(String, usize, String)>,
}

impl ImageNumbers {
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }
}

impl Images {
    pub(super) fn add(&mut self, file: &FileReport) {
        for finding in new_findings(file) {
            let Some(image) = &finding.detail.image else {
                continue;
            };
            let entry = self.0.entry(image.name().to_owned()).or_default();
            entry.numbers.add(finding.severity);
            let place = finding.detail.place.clone();
            let place = (file.name.clone(), finding.object, place);
            entry.places.insert(place);
        }
    }

    /// Whether some image is at more than one place, so that to count them says more than the findings.
    pub(super) fn repeat(&self) -> bool {
        self.0.values().any(|image| image.places() > 1)
    }

    /// The images with the most violations, and how many others there are.
    pub(super) fn most(&self) -> (Vec<(&str, &ImageNumbers)>, usize) {
        let mut images: Vec<_> = self
            .0
            .iter()
            .map(|(name, image)| (name.as_str(), image))
            .collect();
        images.sort_by_key(|(_, image)| std::cmp::Reverse((image.numbers, image.places())));
        let more = images.len().saturating_sub(MOST_IMAGES);
        images.truncate(MOST_IMAGES);
        (images, more)
    }

    /// The summary by image, line by line; nothing where each image is found once.
    pub(super) fn lines(&self) -> Vec<String> {
        if !self.repeat() {
            return Vec::new();
        }
        let (images, more) = self.most();
        let mut lines = vec!["By image:".to_owned()];
        lines.extend(images.iter().map(|(name, image)| {
            let places = count(image.places(), "place", "places");
            let words = image.numbers.words();
            format!("  {}: {words} in {places}", printable(name))
        }));
        if more > 0 {
            let more = count(more, "more image", "more images");
            lines.push(format!("  and {more} (--group-by image lists all)"));
        }
        lines
    }
}

/// What a report tells one by one: what is in the baseline is only counted.
pub(super) fn new_findings(file: &FileReport) -> impl Iterator<Item = &Finding> {
    let findings = file.findings.iter();
    findings.filter(|finding| !finding.is_in_baseline)
}
