//! What kustomize and Helm build, in the comparison with a cluster.

use std::collections::BTreeSet;
use std::io::Write;

use rollout_guard::json::Location;

use super::sides::{Builds, Reader, Sides, paths};
use super::write::{Admission, Writer};
use crate::build::copy::Edits;
use crate::build::decision;
use crate::build::difference::differences;
use crate::build::files::{Files, Texts};
use crate::build::images;
use crate::build::plan::{Built, Plan, Unit};
use crate::drift::compare::{GitWorkload, InGit, Proposal, Row, Source};
use crate::drift::workload::Live;
use crate::edit;
use crate::failure::{printable, reason};
use crate::input::{self, from_here};
use crate::manifest::{self, Lines, Position, Value};
use crate::object::objects;
use crate::output;

/// Where a value of an object is decided.
type Places<'p> = dyn Fn(Value<'_>, &Location<'_>) -> Option<(String, Position)> + 'p;

impl Sides {
    /// Adds the workloads of what is built; hands back the builds.
    pub(super) fn add_builds(&mut self, reader: &Reader<'_>, plan: &Plan) -> Builds {
        let mut builds = Builds::new();
        for (unit, outcome) in plan.build(&plan.units(), &Edits::new(), true) {
            match outcome {
                None => self.without_tool = true,
                Some(Err(unbuilt)) => {
                    let file = plan.file(unit);
                    let file = unbuilt.place.map_or(file, |(file, _)| file);
                    let (file, name) = (input::name(&from_here(&file)), plan.name(unit));
                    let problem = format!("{file}: `{name}` is not built: {}", unbuilt.problem);
                    self.problems.push(problem);
                }
                Some(Ok(variants)) => {
                    let texts = Texts::read(&plan.files(unit));
                    let files = Files::new(&texts);
                    for (variant, built) in variants.iter().enumerate() {
                        for (position, object) in built.objects.iter().enumerate() {
                            let source = Source::Build(unit, variant, position);
                            let place = |object: Value<'_>, path: &Location<'_>| {
                                let wanted = decision::Wanted {
                                    built: built.objects.get(position)?,
                                    object,
                                    path,
                                    is_about_tag: true,
                                };
                                let found = plan.decide(unit, variant, &files, wanted)?;
                                let lines = Lines::new(files.text(&found.file)?);
                                let name = input::name(&from_here(&found.file));
                                Some((name, lines.position(found.at.start)))
                            };
                            self.add_built(reader, built, &object.json, source, &place);
                        }
                    }
                    builds.insert(unit, variants);
                }
            }
        }
        builds
    }

    fn add_built(
        &mut self,
        reader: &Reader<'_>,
        built: &Built,
        json: &str,
        source: Source,
        place: &Places<'_>,
    ) {
        let reader = Reader {
            judge: built.judge(&reader.judge),
            guards: reader.guards.clone(),
        };
        manifest::documents(json, &mut |part| {
            let Ok(document) = part else { return };
            for object in objects(&document.tree).into_iter().flatten() {
                let workload = match reader.read(&object) {
                    Err(problem) => {
                        self.problems.push(format!("{}: {problem}", built.name));
                        continue;
                    }
                    Ok(None) => continue,
                    Ok(Some(Live::Workload(workload) | Live::Pod(workload, _))) => workload,
                };
                let root = place(object.value, &Location::default());
                let start = Position { line: 1, column: 1 };
                let (name, at) = root.unwrap_or_else(|| (built.name.clone(), start));
                let positions = paths(&workload)
                    .filter_map(|path| Some((format!("{path:#}"), place(object.value, &path)?)));
                self.git.push(GitWorkload {
                    positions: positions.collect(),
                    workload: *workload,
                    place: InGit {
                        source,
                        name,
                        document: 0,
                        way: object.way.clone(),
                        at,
                    },
                });
            }
        });
    }
}

/// A value to write for an object that is built.
struct BuildChange<'c> {
    git: &'c InGit,
    /// The image as it is built.
    old: &'c str,
    proposal: &'c Proposal,
    /// The object in the build.
    object: usize,
    admission: Admission,
}

impl BuildChange<'_> {
    fn tell(&self, told: &str) {
        let InGit { name, at, .. } = self.git;
        let line = format!("{name}:{}:{}: {told}", at.line, at.column);
        let _ = writeln!(anstream::stderr(), "{}", printable(&line));
    }
}

/// Why nothing is written.
enum NotWritten {
    ByHand(String),
    Failed(String),
}

/// Whether builds differ in what is to change, and in nothing else.
fn is_only(before: &[Built], after: &[Built], changes: &[BuildChange<'_>]) -> bool {
    let ([before], [after]) = (before, after) else {
        return false;
    };
    let parse = |json: &str| serde_json::from_str(json).unwrap_or_default();
    let pairs = before.objects.iter().zip(&after.objects).enumerate();
    let found: BTreeSet<_> = pairs
        .flat_map(|(position, (before, after))| {
            let differences = differences(&parse(&before.json), &parse(&after.json)).into_iter();
            differences
                .map(move |(path, value)| (position, path, value.map(|value| value.to_string())))
        })
        .collect();
    let wanted: BTreeSet<_> = changes
        .iter()
        .map(|change| {
            let value = serde_json::Value::from(change.proposal.value.as_str());
            let path = format!("{:#}", change.proposal.path);
            (change.object, path, Some(value.to_string()))
        })
        .collect();
    before.objects.len() == after.objects.len() && found == wanted
}

impl Writer<'_> {
    /// Writes into the `images` of roots what is advised for what they build, if nothing else of it changes.
    pub(super) fn write_builds(
        &self,
        rows: &[Row],
        plan: &Plan,
        builds: &Builds,
        problems: &mut Vec<String>,
    ) {
        for (unit, variants) in builds {
            let mut proposals = Vec::new();
            let of_unit = rows
                .iter()
                .filter_map(|row| Some((row, row.in_git.as_ref()?, row.proposal.as_ref()?)));
            for (row, git, proposal) in of_unit {
                let Source::Build(of, variant, position) = git.source else {
                    continue;
                };
                let object = variants
                    .get(variant)
                    .and_then(|built| built.objects.get(position));
                let (true, Some(object)) = (of == *unit, object) else {
                    continue;
                };
                let admission = self.admission(&manifest::readable(&object.json), git, proposal);
                let reason = self.reason(None, row, proposal, &admission);
                let change = BuildChange {
                    git,
                    old: row.git.as_deref().unwrap_or_default(),
                    proposal,
                    object: position,
                    admission,
                };
                match reason {
                    Some(reason) => {
                        change.tell(&format!("`{}` is not written: {reason}", proposal.value));
                    }
                    None => proposals.push(change),
                }
            }
            if proposals.is_empty() {
                continue;
            }
            match write_images(plan, *unit, variants, &proposals) {
                Ok(()) => {
                    for change in &proposals {
                        let name = input::name(&from_here(&plan.file(*unit)));
                        change.tell(&format!(
                            "written: `{}` in `images` of {name}{}",
                            change.proposal.value,
                            change.admission.objection()
                        ));
                    }
                }
                Err(NotWritten::ByHand(reason)) => {
                    for change in &proposals {
                        let value = &change.proposal.value;
                        change.tell(&format!("`{value}` to write by hand: {reason}"));
                    }
                }
                Err(NotWritten::Failed(problem)) => problems.push(problem),
            }
        }
    }
}

/// Writes images into a root's own `images`, and proves before that nothing else of its build changes.
fn write_images(
    plan: &Plan,
    unit: Unit,
    before: &[Built],
    changes: &[BuildChange<'_>],
) -> Result<(), NotWritten> {
    let by_hand = |reason: &str| NotWritten::ByHand(reason.to_owned());
    if matches!(unit, Unit::Chart(_)) {
        return Err(by_hand("the values of a chart decide it"));
    }
    let file = plan.file(unit);
    let read = input::read(&file).map_err(|unread| NotWritten::ByHand(unread.problem))?;
    let mut text = read.text.clone();
    for change in changes {
        let documents = manifest::readable(&text);
        let document = documents
            .first()
            .ok_or_else(|| by_hand("it cannot be read"))?;
        let new = &change.proposal.value;
        let splices = images::change_or_add(&text, document, change.old, new).map_err(by_hand)?;
        let edited = edit::with_splices(&text, splices);
        text = edited.ok_or_else(|| by_hand("its place is not known"))?;
    }
    let bytes = read.encoding.bytes(&text);
    let edits = Edits::from([(file.clone(), bytes.clone())]);
    for reader in plan.readers(std::iter::once(&file)) {
        let Some((_, Some(Ok(after)))) = plan.build(&[reader], &edits, false).pop() else {
            return Err(by_hand("it could not be built with it"));
        };
        if reader != unit || !is_only(before, &after, changes) {
            return Err(by_hand(
                "an entry in `images` would change other images too",
            ));
        }
    }
    output::write(&file, &bytes).map_err(|error| {
        let name = input::name(&from_here(&file));
        NotWritten::Failed(format!("{name}: not written: {}", reason(&error)))
    })
}
