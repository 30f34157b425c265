//! Folds what a workload makes into the workload, and groups what is wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::record::{Finding, Question, Record};
use crate::finding::{ObjectName, Severity};

/// A workload, or another object that the policies are about.
#[derive(Clone, Debug)]
pub(in crate::command) struct Row {
    pub(in crate::command) record: Record,
    /// Its Pods that run what it says.
    pub(in crate::command) pods: usize,
    /// Of a Pod that runs something else than its owner says: the owner.
    pub(in crate::command) differs_from: Option<String>,
}

impl Row {
    pub(super) fn is_refused(&self, question: Question) -> bool {
        self.refusals().any(|finding| finding.question == question)
    }

    pub(super) fn refusals(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.record.findings.iter();
        findings.filter(|finding| finding.severity == Severity::Error)
    }
}

/// Kind, namespace and name.
type Key = (String, String, String);

fn key(name: &ObjectName) -> Key {
    (
        name.kind.clone(),
        name.namespace.clone().unwrap_or_default(),
        name.name.clone(),
    )
}

/// The rows of what was read: Pods, `ReplicaSets` and Jobs are part of what controls them, but for Pods
/// that run other images than its template names.
pub(in crate::command) fn fold(records: &[Record]) -> Vec<Row> {
    let by_key: HashMap<Key, usize> = records
        .iter()
        .enumerate()
        .map(|(position, record)| (key(&record.name), position))
        .collect();
    let owner_of = |record: &Record| {
        let (kind, name) = record.owner.clone()?;
        let namespace = record.name.namespace.clone().unwrap_or_default();
        by_key.get(&(kind, namespace, name)).copied()
    };
    let root_of = |record: &Record| {
        let mut root = owner_of(record)?;
        // Owners are no circle, but what was recorded may say so.
        for _ in 0..8 {
            match records.get(root).and_then(owner_of) {
                Some(above) => root = above,
                None => break,
            }
        }
        Some(root)
    };
    let mut pods: BTreeMap<usize, usize> = BTreeMap::new();
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    // Pods whose owner was not read, by owner and images: one stands for all.
    let mut strays: HashMap<(Key, Vec<Vec<String>>), usize> = HashMap::new();
    for (position, record) in records.iter().enumerate() {
        let is_made = record.is_pod() || matches!(record.name.kind.as_str(), "ReplicaSet" | "Job");
        let root = root_of(record).filter(|_| is_made);
        let mut row = Row {
            record: record.clone(),
            pods: 0,
            differs_from: None,
        };
        match root.and_then(|root| Some((root, records.get(root)?))) {
            Some((root, of)) => {
                if !record.is_pod() || record.is_over() {
                    continue;
                }
                let images = record.templates.first();
                if of.templates.iter().any(|template| Some(template) == images) {
                    *pods.entry(root).or_default() += 1;
                    continue;
                }
                row.differs_from = Some(of.name.to_string());
            }
            None if record.is_pod() && record.is_over() => continue,
            None if record.is_pod() => {
                if let Some((kind, name)) = &record.owner
                    && kind != "Node"
                {
                    let namespace = record.name.namespace.clone().unwrap_or_default();
                    let owner = (kind.clone(), namespace, name.clone());
                    let same = (owner, record.templates.clone());
                    if let Some(first) = strays.get(&same) {
                        *pods.entry(*first).or_default() += 1;
                        continue;
                    }
                    strays.insert(same, position);
                }
            }
            None => {}
        }
        rows.insert(position, row);
    }
    for (position, count) in pods {
        if let Some(row) = rows.get_mut(&position) {
            row.pods = count;
        }
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by(|one, other| {
        let name = |row: &Row| {
            let name = &row.record.name;
            (name.namespace.clone(), name.kind.clone(), name.name.clone())
        };
        name(one).cmp(&name(other))
    });
    rows
}

/// What findings are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupBy {
    /// Code, and image or field.
    Problem,
    Namespace,
    Image,
    Workload,
    Policy,
}

/// Findings that belong together.
#[derive(Clone, Debug)]
pub(super) struct Group<'r> {
    pub(super) title: String,
    /// What is wrong, and what to do, where that is the same for all.
    pub(super) problem: Option<&'r str>,
    pub(super) codes: BTreeSet<&'static str>,
    pub(super) namespaces: BTreeSet<&'r str>,
    pub(super) rows: Vec<&'r Row>,
}

/// The groups of what refuses, those with the most objects first.
pub(super) fn group(rows: &[Row], by: GroupBy) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for row in rows {
        for finding in row.refusals() {
            let title = title(row, finding, by);
            let group = groups.entry(title.clone()).or_insert_with(|| Group {
                title,
                problem: Some(&finding.problem),
                codes: BTreeSet::new(),
                namespaces: BTreeSet::new(),
                rows: Vec::new(),
            });
            group.codes.insert(finding.code.as_str());
            group
                .namespaces
                .extend(row.record.name.namespace.as_deref());
            if group.problem != Some(finding.problem.as_str()) && by != GroupBy::Problem {
                group.problem = None;
            }
            if !group
                .rows
                .last()
                .is_some_and(|last| std::ptr::eq(*last, row))
            {
                group.rows.push(row);
            }
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        let many = other.rows.len().cmp(&one.rows.len());
        many.then_with(|| one.title.cmp(&other.title))
    });
    groups
}

fn title(row: &Row, finding: &Finding, by: GroupBy) -> String {
    let name = &row.record.name;
    let subject = || {
        finding
            .image
            .clone()
            .unwrap_or_else(|| finding.path.clone())
    };
    match by {
        GroupBy::Problem => format!("{} {}", finding.code, subject()),
        GroupBy::Namespace => name
            .namespace
            .clone()
            .unwrap_or_else(|| "(no namespace)".to_owned()),
        GroupBy::Image => finding
            .image
            .clone()
            .unwrap_or_else(|| "(no image)".to_owned()),
        GroupBy::Workload => name.to_string(),
        GroupBy::Policy => finding
            .policy
            .clone()
            .unwrap_or_else(|| "the settings".to_owned()),
    }
}
