//! Changes to what kustomize and Helm build: at the line that decides each value, and proven before
//! anything is written.
//!
//! Every kustomization and chart that reads a file is built with the change and without it. A change is
//! made if each of them builds what it built before, but for values that the settings change too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rollout_guard::json::Location;
use serde_json::Value as Json;

use super::{Wanted, wanted};
use crate::build::copy::Edits;
use crate::build::decision::{self, By, Decision};
use crate::build::difference::differences;
use crate::build::files::{Files, Texts};
use crate::build::images;
use crate::build::plan::{Built, Plan, Unit};
use crate::build::{BuiltObject, Unbuilt};
use crate::edit::{self, Change, NewValue, Splice};
use crate::image::Parts;
use crate::input::{self, Text, from_here};
use crate::judge::Judge;
use crate::manifest::{self, Document, Lines, Position};
use crate::object::objects;
use crate::values::ValueImage;

/// What becomes of the files that builds read.
#[derive(Default)]
pub(super) struct Mended {
    pub(super) files: BTreeMap<PathBuf, MendedFile>,
    /// What cannot be built: its name, its file and why.
    pub(super) unbuilt: Vec<(String, PathBuf, Unbuilt)>,
    pub(super) objects: usize,
    /// What is not built, since there is no tool.
    pub(super) without_tool: usize,
}

#[derive(Default)]
pub(super) struct MendedFile {
    pub(super) read: Text,
    pub(super) new: String,
    pub(super) lines: Vec<Told>,
}

/// What is said of a value, where it is decided.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) at: Position,
    pub(super) subject: String,
    pub(super) old: String,
    pub(super) new: NewValue,
    pub(super) fate: ToldFate,
}

#[derive(Clone, Debug)]
pub(super) enum ToldFate {
    Changed,
    ByHand(String),
    Left { text: String, is_to_do: bool },
}

/// A change, and what it is for.
struct Proposal {
    /// By file, without links.
    splices: Vec<(PathBuf, Splice)>,
    file: PathBuf,
    told: Told,
    targets: Vec<Target>,
    /// An entry of `images` is the owner's own word; what several builds share comes last.
    order: u8,
}

/// A value that a change is for.
struct Target {
    unit: Unit,
    variant: usize,
    object: usize,
    path: String,
}

/// The objects of a unit without changes, and what the settings make of their values.
type Before = Result<Vec<Vec<(Json, BTreeMap<String, NewValue>)>>, String>;

pub(super) struct Mender<'m> {
    pub(super) judge: &'m Judge<'m>,
    pub(super) plan: &'m Plan,
    /// The files that may be written, without links.
    pub(super) writable: &'m BTreeSet<PathBuf>,
    /// Why a file must not be written whatever is built.
    pub(super) hold: &'m dyn Fn(&Path) -> Option<String>,
}

impl Mender<'_> {
    /// Finds what is to change in all that is built, and proves it.
    pub(super) fn mend(&self) -> Mended {
        let mut mended = Mended::default();
        let mut known = BTreeMap::new();
        let mut proposals: Vec<Proposal> = Vec::new();
        let units = self.plan.units();
        for (unit, built) in self.plan.build(&units, &Edits::new(), true) {
            let Some(built) = built else {
                mended.without_tool += 1;
                continue;
            };
            match built {
                Ok(variants) => {
                    self.propose(unit, &variants, &mut proposals, &mut mended);
                    known.insert(unit, Ok(self.before(&variants)));
                }
                Err(unbuilt) => {
                    let file = self.plan.file(unit);
                    mended.unbuilt.push((self.plan.name(unit), file, unbuilt));
                    known.insert(unit, Err(self.plan.name(unit)));
                }
            }
        }
        proposals.sort_by_key(|proposal| proposal.order);
        self.prove(&proposals, &mut known, &mut mended);
        for file in mended.files.values_mut() {
            file.lines.sort_by_key(|line| line.at);
        }
        mended
    }

    fn before(&self, variants: &[Built]) -> Vec<Vec<(Json, BTreeMap<String, NewValue>)>> {
        let of_variant = |built: &Built| {
            let judge = built.judge(self.judge);
            let of_object = |object: &BuiltObject| {
                let json = serde_json::from_str(&object.json).unwrap_or_default();
                let mut changes = BTreeMap::new();
                with_object(object, |document| {
                    for change in wanted_of(&judge, document).changes {
                        changes.insert(format!("{:#}", change.path), change.new);
                    }
                });
                (json, changes)
            };
            built.objects.iter().map(of_object).collect()
        };
        variants.iter().map(of_variant).collect()
    }

    /// Adds what should change in a unit, at the places that decide.
    fn propose(
        &self,
        unit: Unit,
        variants: &[Built],
        proposals: &mut Vec<Proposal>,
        mended: &mut Mended,
    ) {
        let texts = Texts::read(&self.plan.files(unit));
        let files = Files::new(&texts);
        for (variant, built) in variants.iter().enumerate() {
            let judge = built.judge(self.judge);
            for (position, object) in built.objects.iter().enumerate() {
                mended.objects += 1;
                with_object(object, |document| {
                    let wanted = wanted_of(&judge, document);
                    let decide = |path: &Location<'_>| {
                        let root = document.tree.root()?;
                        let question = decision::Wanted {
                            built: object,
                            object: root,
                            path,
                            is_about_tag: false,
                        };
                        self.plan.decide(unit, variant, &files, question)
                    };
                    let subject = subject(document, &built.name);
                    for left in wanted.left {
                        let path = existing(document, &left.path);
                        let decision = decide(&path);
                        let file = decision.as_ref().map(|decision| decision.file.clone());
                        let file = file.unwrap_or_else(|| self.plan.file(unit));
                        let told = Told {
                            at: place(&files, decision.as_ref()),
                            subject: subject.clone(),
                            old: String::new(),
                            new: NewValue::Removed,
                            fate: ToldFate::Left {
                                text: left.text,
                                is_to_do: left.is_to_do,
                            },
                        };
                        mended.tell(&file, told);
                    }
                    for change in wanted.changes {
                        let decision = decide(&change.path);
                        let target = Target {
                            unit,
                            variant,
                            object: position,
                            path: format!("{:#}", change.path),
                        };
                        let root = document.tree.root();
                        let old = root.and_then(|root| root.at(&change.path)?.text());
                        let told = Told {
                            at: place(&files, decision.as_ref()),
                            subject: format!("{subject}: {}", change.path),
                            old: old.unwrap_or_default().into_owned(),
                            new: change.new,
                            fate: ToldFate::Changed,
                        };
                        let file = decision.as_ref().map(|decision| decision.file.clone());
                        let file = file.unwrap_or_else(|| self.plan.file(unit));
                        match self.splices(&files, decision.as_ref(), &told) {
                            Ok((splices, order)) => {
                                let proposal = Proposal {
                                    splices,
                                    file,
                                    told,
                                    targets: vec![target],
                                    order,
                                };
                                add(proposals, proposal);
                            }
                            Err(reason) => mended.tell(
                                &file,
                                Told {
                                    fate: ToldFate::ByHand(reason),
                                    ..told
                                },
                            ),
                        }
                    }
                });
            }
        }
    }

    /// What a change does to texts, or why it has to be made by hand.
    fn splices(
        &self,
        files: &Files<'_>,
        decision: Option<&Decision>,
        told: &Told,
    ) -> Result<(Vec<(PathBuf, Splice)>, u8), String> {
        let decision = decision.ok_or("where it is decided is not known")?;
        let file = &decision.file;
        let text = files.text(file).ok_or("its file cannot be read")?;
        let own = |change: Change| {
            let document = files.documents(file).get(change.document);
            let document = document.ok_or("its document cannot be read")?;
            edit::splice(text, document, &change)
                .map(|splice| (file.clone(), splice))
                .map_err(str::to_owned)
        };
        let (splices, order) = match (&decision.by, &told.new) {
            (By::Entry { way }, NewValue::Text(new)) => {
                let document = files.documents(file).first();
                let document = document.ok_or("its document cannot be read")?;
                let splices = images::change(text, document, way, &told.old, new)?;
                let splices = splices
                    .into_iter()
                    .map(|splice| (file.clone(), splice))
                    .collect();
                (splices, 0)
            }
            (By::Value { document, path }, new) => {
                let change = Change {
                    document: *document,
                    path: path.clone(),
                    new: new.clone(),
                };
                (vec![own(change)?], 1)
            }
            (By::Text, NewValue::Text(new)) => {
                let is_it = text.get(decision.at.clone()) == Some(&told.old);
                if !is_it || !manifest::scalar::is_bare(new) {
                    return Err("it is written in another way than it reads".to_owned());
                }
                (vec![(file.clone(), (decision.at.clone(), new.clone()))], 1)
            }
            (By::Values(image), NewValue::Text(new)) => {
                let mut splices = Vec::new();
                for (file, change) in value_changes(image, &told.old, new) {
                    let text = files.text(&file).ok_or("its values cannot be read")?;
                    let document = files.documents(&file).first();
                    let document = document.ok_or("its values cannot be read")?;
                    splices.push((file, edit::splice(text, document, &change)?));
                }
                (splices, 1)
            }
            _ => return Err("it is made of other values".to_owned()),
        };
        if splices.is_empty() {
            return Err("what decides it is not known".to_owned());
        }
        for (file, _) in &splices {
            if let Some(reason) = (self.hold)(file) {
                return Err(reason);
            }
            if !self.writable.contains(file) {
                let name = input::name(&from_here(file));
                return Err(format!("`{name}` is not among the paths"));
            }
        }
        Ok((splices, order))
    }

    /// Makes the changes after which every build is as before but for what should change.
    fn prove(
        &self,
        proposals: &[Proposal],
        known: &mut BTreeMap<Unit, Before>,
        mended: &mut Mended,
    ) {
        let all: Vec<_> = proposals.iter().collect();
        let mut proven: Vec<&Proposal> = Vec::new();
        let mut refused = Vec::new();
        // Most often all of them can be made at once.
        if self.refusal(&all, known).is_none() {
            proven = all;
        } else {
            for proposal in all {
                proven.push(proposal);
                if let Some(reason) = self.refusal(&proven, known) {
                    proven.pop();
                    refused.push((proposal, reason));
                }
            }
        }
        if let Ok(texts) = edited(&proven) {
            for (file, (read, new)) in texts {
                let mended = mended.file(&file);
                (mended.read, mended.new) = (read, new);
            }
        }
        for proposal in proven {
            let mut told = proposal.told.clone();
            let more = proposal.targets.len() - 1;
            if more > 0 {
                told.subject = format!("{} and {more} more", told.subject);
            }
            mended.tell(&proposal.file, told);
        }
        for (proposal, reason) in refused {
            let fate = ToldFate::ByHand(reason);
            let told = proposal.told.clone();
            mended.tell(&proposal.file, Told { fate, ..told });
        }
    }

    /// Why changes cannot be made; none if they can.
    fn refusal(
        &self,
        proposals: &[&Proposal],
        known: &mut BTreeMap<Unit, Before>,
    ) -> Option<String> {
        let texts = match edited(proposals) {
            Ok(texts) => texts,
            Err(reason) => return Some(reason),
        };
        let edits: Edits = texts
            .iter()
            .map(|(file, (read, new))| (file.clone(), read.encoding.bytes(new)))
            .collect();
        let readers = self.plan.readers(edits.keys());
        let unknown: Vec<_> = readers
            .iter()
            .copied()
            .filter(|unit| !known.contains_key(unit))
            .collect();
        for (unit, built) in self.plan.build(&unknown, &Edits::new(), false) {
            let before = match built {
                Some(Ok(variants)) => Ok(self.before(&variants)),
                _ => Err(self.plan.name(unit)),
            };
            known.insert(unit, before);
        }
        for unit in &readers {
            if let Some(Err(name)) = known.get(unit) {
                return Some(format!("`{name}` reads it too, and cannot be built"));
            }
        }
        for (unit, after) in self.plan.build(&readers, &edits, false) {
            let name = self.plan.name(unit);
            let Some(Ok(before)) = known.get(&unit) else {
                return Some(format!("`{name}` cannot be built"));
            };
            let Some(Ok(after)) = after else {
                return Some(format!("`{name}` could not be built with it"));
            };
            let targets = proposals.iter().flat_map(|proposal| &proposal.targets);
            let targets: BTreeSet<_> = targets
                .filter(|target| target.unit == unit)
                .map(|target| (target.variant, target.object, target.path.as_str()))
                .collect();
            if !is_as_wanted(before, &after, &targets) {
                return Some(format!("it would change what else `{name}` builds"));
            }
        }
        None
    }
}

impl Mended {
    fn file(&mut self, file: &Path) -> &mut MendedFile {
        self.files.entry(file.to_owned()).or_insert_with(|| {
            let read = input::read(file).unwrap_or_default();
            MendedFile {
                new: read.text.clone(),
                read,
                lines: Vec::new(),
            }
        })
    }

    /// Adds what is said of a value; once, however many builds it is in.
    fn tell(&mut self, file: &Path, told: Told) {
        let lines = &mut self.file(file).lines;
        let is_known = lines.iter().any(|line| {
            line.at == told.at
                && line.old == told.old
                && format!("{:?}", line.fate) == format!("{:?}", told.fate)
        });
        if !is_known {
            lines.push(told);
        }
    }
}

/// Adds a change, or another reason for one that is there.
fn add(proposals: &mut Vec<Proposal>, proposal: Proposal) {
    let same = proposals
        .iter_mut()
        .find(|known| known.splices == proposal.splices);
    match same {
        Some(known) => known.targets.extend(proposal.targets),
        None => proposals.push(proposal),
    }
}

fn with_object(object: &BuiltObject, mut look: impl FnMut(&Document<'_>)) {
    manifest::documents(&object.json, &mut |part| {
        if let Ok(document) = part {
            look(&document);
        }
    });
}

fn wanted_of(judge: &Judge<'_>, document: &Document<'_>) -> Wanted {
    let objects = objects(&document.tree).unwrap_or_default();
    let first = objects.first();
    first
        .map(|object| wanted(judge, object, 0))
        .unwrap_or_default()
}

fn subject(document: &Document<'_>, build: &str) -> String {
    let objects = objects(&document.tree).unwrap_or_default();
    let object = objects.first().map(ToString::to_string);
    format!("{} (built by {build})", object.unwrap_or_default())
}

/// A path as far as it leads.
fn existing(document: &Document<'_>, path: &Location<'static>) -> Location<'static> {
    let mut steps = path.steps().to_vec();
    let root = document.tree.root();
    while root
        .and_then(|root| root.at(&Location(steps.clone())))
        .is_none()
        && steps.pop().is_some()
    {}
    Location(steps)
}

fn place(files: &Files<'_>, decision: Option<&Decision>) -> Position {
    let text = decision.and_then(|decision| files.text(&decision.file));
    let at = decision.map_or(0, |decision| decision.at.start);
    Lines::new(text.unwrap_or_default()).position(at)
}

/// The changes to values after which a chart makes another image of them.
fn value_changes(image: &ValueImage, old: &str, new: &str) -> Vec<(PathBuf, Change)> {
    let (old, made) = (Parts::of(old), Parts::of(new));
    let own = Parts::of(&image.repository.text);
    let mut wanted = Vec::new();
    let registry = image
        .registry
        .as_ref()
        .filter(|registry| !registry.text.is_empty());
    match (registry, made.name.split_once('/')) {
        (Some(registry), Some((host, rest))) => {
            wanted.push((registry, host.to_owned()));
            wanted.push((&image.repository, rest.to_owned()));
        }
        _ if image.is_text => {
            let mut text = made.name.to_owned();
            if let Some(tag) = own.tag.and(made.tag) {
                text.extend([":", tag]);
            }
            if let Some(digest) = own.digest.and(made.digest) {
                text.extend(["@", digest]);
            }
            wanted.push((&image.repository, text));
        }
        _ => wanted.push((&image.repository, made.name.to_owned())),
    }
    if let Some(tag) = image.tag.as_ref().filter(|_| old.tag != made.tag) {
        wanted.push((tag, made.tag.unwrap_or_default().to_owned()));
    }
    if let Some(digest) = image.digest.as_ref().filter(|_| old.digest != made.digest) {
        wanted.push((digest, made.digest.unwrap_or_default().to_owned()));
    }
    let wanted = wanted.into_iter().filter(|(site, text)| site.text != *text);
    wanted
        .map(|(site, text)| {
            let change = Change {
                document: 0,
                path: site.path.clone(),
                new: NewValue::Text(text),
            };
            (site.file.clone(), change)
        })
        .collect()
}

/// The texts of files with changes.
fn edited(proposals: &[&Proposal]) -> Result<BTreeMap<PathBuf, (Text, String)>, String> {
    let mut by_file: BTreeMap<&PathBuf, Vec<Splice>> = BTreeMap::new();
    for (file, splice) in proposals.iter().flat_map(|proposal| &proposal.splices) {
        let splices = by_file.entry(file).or_default();
        if !splices.contains(splice) {
            splices.push(splice.clone());
        }
    }
    let mut texts = BTreeMap::new();
    for (file, splices) in by_file {
        let read = input::read(file).map_err(|unread| unread.problem)?;
        let new = edit::with_splices(&read.text, splices);
        let new = new.ok_or("builds want different values in its place")?;
        texts.insert(file.clone(), (read, new));
    }
    Ok(texts)
}

/// Whether builds are as before, but for values that the settings change too, and with those that a change
/// is for.
fn is_as_wanted(
    before: &[Vec<(Json, BTreeMap<String, NewValue>)>],
    after: &[Built],
    targets: &BTreeSet<(usize, usize, &str)>,
) -> bool {
    if before.len() != after.len() {
        return false;
    }
    let mut reached = BTreeSet::new();
    for (variant, (before, after)) in before.iter().zip(after).enumerate() {
        if before.len() != after.objects.len() {
            return false;
        }
        for (position, ((before, wanted), after)) in before.iter().zip(&after.objects).enumerate() {
            let after: Json = serde_json::from_str(&after.json).unwrap_or_default();
            for (path, value) in differences(before, &after) {
                let is_wanted = match (wanted.get(&path), value) {
                    (Some(NewValue::Text(text)), Some(Json::String(value))) => *text == value,
                    (Some(NewValue::Removed), None) => true,
                    _ => false,
                };
                if !is_wanted {
                    return false;
                }
                reached.insert((variant, position, path));
            }
        }
    }
    targets
        .iter()
        .all(|(variant, object, path)| reached.contains(&(*variant, *object, (*path).to_owned())))
}
