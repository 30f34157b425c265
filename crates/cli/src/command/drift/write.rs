//! Writes what is advised into Git.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use super::WriteWhat;
use super::sides::Builds;
use crate::drift::compare::{GitWorkload, InGit, Proposal, Row, Source};
use crate::drift::workload::Key;
use crate::edit::{self, Change, NewValue};
use crate::failure::{printable, reason, warn};
use crate::input::{self, Input, Text};
use crate::judge::Judge;
use crate::kustomize::Included;
use crate::manifest::{self, Document, Position};
use crate::object::{Object, objects};
use crate::output;

/// Tells of each object that is in more than one place of Git: nobody can say which one is applied.
pub(super) fn tell_twice(git: &[GitWorkload]) -> BTreeSet<&Key> {
    let mut places: BTreeMap<&Key, Vec<&InGit>> = BTreeMap::new();
    for ours in git.iter().filter(|ours| ours.workload.is_compared()) {
        places
            .entry(&ours.workload.key)
            .or_default()
            .push(&ours.place);
    }
    places.retain(|_, places| places.len() > 1);
    for (key, places) in &places {
        let places: Vec<_> = places
            .iter()
            .map(|place| format!("{}:{}:{}", place.name, place.at.line, place.at.column))
            .collect();
        let (kind, namespace, name) = (&key.kind, &key.namespace, &key.name);
        warn(&format!(
            "{kind} {namespace}/{name} is in Git more than once: {}",
            places.join(", ")
        ));
    }
    places.into_keys().collect()
}

/// What the settings say of an image that is to be written.
pub(super) enum Admission {
    Admitted,
    /// Nothing in the settings says which images may run, so that it may be anybody's.
    Unlisted,
    Refused(String),
}

impl Admission {
    /// What is said behind a value that is written all the same.
    pub(super) fn objection(&self) -> String {
        match self {
            Self::Admitted | Self::Unlisted => String::new(),
            Self::Refused(refusal) => format!(", but the settings refuse it: {refusal}"),
        }
    }
}

/// Advises what to write into Git, and writes it.
pub(super) struct Writer<'w> {
    /// None where nothing is written.
    pub(super) what: Option<WriteWhat>,
    /// With all of the settings.
    pub(super) judge: Judge<'w>,
    pub(super) included: Included,
    /// Objects in more than one place of Git.
    pub(super) twice: BTreeSet<&'w Key>,
}

impl Writer<'_> {
    /// Takes back the advice to write an image that the settings refuse.
    pub(super) fn advise(&self, rows: &mut [Row], texts: &[Text], builds: &Builds) {
        let mut files = BTreeMap::new();
        for row in rows {
            let (Some(git), Some(proposal)) = (&row.in_git, &row.proposal) else {
                continue;
            };
            let admission = match git.source {
                Source::File(position) => {
                    let documents = files.entry(position).or_insert_with(|| {
                        let text = texts.get(position).map(|read| read.text.as_str());
                        manifest::readable(text.unwrap_or_default())
                    });
                    self.admission(documents, git, proposal)
                }
                Source::Build(unit, variant, position) => {
                    let built = builds.get(&unit).and_then(|variants| variants.get(variant));
                    let object = built.and_then(|built| built.objects.get(position));
                    let json = object.map(|object| object.json.as_str());
                    let documents = manifest::readable(json.unwrap_or_default());
                    self.admission(&documents, git, proposal)
                }
            };
            if let Admission::Refused(refusal) = admission {
                row.advice = Some(format!(
                    "the settings refuse `{}`: {refusal}; apply what Git says, or write an image that they allow",
                    proposal.value
                ));
            }
        }
    }

    pub(super) fn write(
        &self,
        rows: &[Row],
        inputs: &[Input],
        texts: &[Text],
        problems: &mut Vec<String>,
    ) {
        for (position, (input, read)) in inputs.iter().zip(texts).enumerate() {
            let name = input::name(input.path());
            let tell = |at: Position, told: &str| {
                let line = format!("{name}:{}:{}: {told}", at.line, at.column);
                let _ = writeln!(anstream::stderr(), "{}", printable(&line));
            };
            let of_file: Vec<_> = rows
                .iter()
                .filter_map(|row| Some((row, row.in_git.as_ref()?, row.proposal.as_ref()?)))
                .filter(|(_, git, _)| git.source == Source::File(position))
                .collect();
            if of_file.is_empty() {
                continue;
            }
            let documents = manifest::readable(&read.text);
            let mut changes = Vec::new();
            let mut admissions = Vec::new();
            for (row, git, proposal) in of_file {
                let admission = self.admission(&documents, git, proposal);
                if let Some(reason) = self.reason(Some(input), row, proposal, &admission) {
                    tell(
                        git.at,
                        &format!("`{}` is not written: {reason}", proposal.value),
                    );
                    continue;
                }
                admissions.push(admission);
                changes.push(Change {
                    document: git.document,
                    path: git.way.below(proposal.path.clone()),
                    new: NewValue::Text(proposal.value.clone()),
                });
            }
            if changes.is_empty() {
                continue;
            }
            let edited = edit::apply(&read.text, &changes);
            let is_written = if edited.text == read.text {
                true
            } else {
                match output::write(input.path(), &read.encoding.bytes(&edited.text)) {
                    Ok(()) => true,
                    Err(error) => {
                        problems.push(format!("{name}: not written: {}", reason(&error)));
                        false
                    }
                }
            };
            for (outcome, admission) in edited.outcomes.iter().zip(&admissions) {
                let told = match (&outcome.change.new, outcome.refused) {
                    (_, Some(reason)) => format!("to write by hand, {reason}"),
                    (NewValue::Text(value), None) if is_written => {
                        format!("written: `{value}`{}", admission.objection())
                    }
                    _ => "to write by hand, the file cannot be written".to_owned(),
                };
                tell(outcome.at, &told);
            }
        }
    }

    /// Why a value is not written; none if it is. The file is that of an object that is not built.
    pub(super) fn reason(
        &self,
        input: Option<&Input>,
        row: &Row,
        proposal: &Proposal,
        admission: &Admission,
    ) -> Option<String> {
        if self.twice.contains(&row.key) {
            return Some("the object is in Git more than once".to_owned());
        }
        if let Some(reason) = input.and_then(|input| self.included.reason(input.path())) {
            return Some(reason);
        }
        if input.is_none() && !proposal.is_image {
            return Some("it is no image".to_owned());
        }
        if self.what == Some(WriteWhat::Spec) {
            return None;
        }
        let why = match admission {
            _ if !proposal.is_image => "it is no image".to_owned(),
            _ if !proposal.is_run => "no Pod runs it".to_owned(),
            Admission::Refused(refusal) => format!("the settings refuse it: {refusal}"),
            Admission::Unlisted => "no `allow` list of the settings is about it".to_owned(),
            Admission::Admitted => return None,
        };
        Some(format!("{why} (`--write=spec` writes it all the same)"))
    }

    /// Whether the settings admit an image that an object in Git would have.
    pub(super) fn admission(
        &self,
        documents: &[Document<'_>],
        git: &InGit,
        proposal: &Proposal,
    ) -> Admission {
        if !proposal.is_image {
            return Admission::Admitted;
        }
        let unknown = || Admission::Refused("its object cannot be judged".to_owned());
        let Some(document) = documents.get(git.document) else {
            return unknown();
        };
        let objects = objects(&document.tree).unwrap_or_default();
        let Some(object) = objects.iter().find(|object| object.way == git.way) else {
            return unknown();
        };
        let Some(json) = with_value(object, proposal) else {
            return unknown();
        };
        let documents = manifest::readable(&json);
        let tree = documents.first().map(|document| &document.tree);
        let changed = tree.and_then(manifest::Tree::root).map(|changed| Object {
            value: changed,
            ..object.clone()
        });
        let Some(changed) = changed else {
            return unknown();
        };
        let mut refusals = self.judge.refusals(&changed).into_iter();
        let refusal = refusals
            .find(|refusal| refusal.path == proposal.path || refusal.path.steps().is_empty());
        match refusal {
            Some(refusal) => Admission::Refused(format!("{} [{}]", refusal.reason(), refusal.code)),
            None if self.judge.says_which_images_may_run(&changed) => Admission::Admitted,
            None => Admission::Unlisted,
        }
    }
}

/// An object as JSON, with what is proposed in it.
fn with_value(object: &Object<'_>, proposal: &Proposal) -> Option<String> {
    let mut root: serde_json::Value = serde_json::from_str(object.value.json()).ok()?;
    let value = edit::value_at(&mut root, proposal.path.steps())?;
    *value = proposal.value.as_str().into();
    Some(root.to_string())
}
