//! What the objects were before, as `check` is told to find it: at a revision, in a cluster, in files of one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rayon::prelude::*;
use rollout_guard_manifests::before::Before;

use crate::build;
use crate::build::plan::{Built, Outcome, Plan, Unit};
use crate::cluster::Kubectl;
use crate::config::Building;
use crate::failure::Failure;
use crate::input::{self, Exclude, Input, Text, Unread};
use crate::manifest;
use crate::object::objects;
use crate::report::count;
use crate::revision::{self, Manifest};

/// Where the objects were before.
#[derive(Args, Debug)]
pub(crate) struct Sources {
    /// Judge changes: read the old objects from this Git revision; kustomizations and charts are built there
    /// too
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Judge changes: read the old objects from the cluster of this kubectl context; they take precedence over
    /// those of --base
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) context: Option<String>,

    /// As --context, from a file that `kubectl get -o json` printed; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cluster: Vec<PathBuf>,
}

/// What was found of the objects before.
#[derive(Default)]
pub(crate) struct Found {
    /// None where nobody asked for it.
    pub(crate) before: Option<Before>,
    /// What the report says of it.
    pub(crate) notes: Vec<String>,
    /// What could not be found, a line each.
    pub(crate) problems: Vec<String>,
}

/// A kind of which there are manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    group: String,
    name: String,
    /// As kubectl takes it: `deployments.apps`.
    resource: String,
}

/// The manifests, as far as it matters what is in a cluster.
#[derive(Default)]
struct Manifests {
    /// How many objects there are of each kind.
    kinds: BTreeMap<Kind, usize>,
    namespaces: BTreeSet<String>,
}

impl Manifests {
    fn add(&mut self, text: &str, namespace: &str) {
        manifest::documents(text, &mut |part| {
            let Ok(document) = part else { return };
            for object in objects(&document.tree).into_iter().flatten() {
                let mut resource = object.resource();
                if !object.group.is_empty() {
                    resource = format!("{resource}.{}", object.group);
                }
                let kind = Kind {
                    group: object.group.to_string(),
                    name: object.kind.to_string(),
                    resource,
                };
                *self.kinds.entry(kind).or_default() += 1;
                let namespace = object.in_namespace(namespace);
                self.namespaces.extend(namespace.map(str::to_owned));
            }
        });
    }
}

/// What is judged.
pub(crate) struct Judged<'j> {
    pub(crate) paths: &'j [PathBuf],
    pub(crate) exclude: &'j Exclude,
    pub(crate) building: &'j Building,
    pub(crate) plan: &'j Plan,
    pub(crate) builds: &'j [(Unit, Outcome)],
    /// Standard input, if it is among them.
    pub(crate) stdin: Option<&'j Result<Text, Unread>>,
    pub(crate) namespace: &'j str,
}

impl Sources {
    /// Whether there is a change to judge.
    pub(crate) const fn are_named(&self) -> bool {
        self.base.is_some() || self.asks_cluster() || !self.cluster.is_empty()
    }

    /// Whether a cluster is asked, or standard input read to the end, before anything is judged.
    pub(crate) const fn asks_cluster(&self) -> bool {
        self.context.is_some()
    }

    /// Finds what the objects were.
    ///
    /// # Errors
    ///
    /// Where a file of `--cluster` cannot be read, or `--base` cannot be meant.
    pub(crate) fn find(&self, judged: &Judged<'_>) -> Result<Found, Failure> {
        let mut found = Found::default();
        if !self.are_named() {
            return Ok(found);
        }
        let mut before = Before::default();
        if let Some(revision) = &self.base {
            let mut paths = judged.paths.iter();
            if paths.any(|path| input::is_stdin(path)) {
                return Err(Failure::wrong_use(
                    "--base: standard input has no revision, name files or folders",
                ));
            }
            at_revision(revision, judged, &mut before, &mut found);
        }
        for path in &self.cluster {
            let name = input::name(path);
            let read = input::read_up_to(path, input::LARGEST_CLUSTER);
            let read =
                read.map_err(|unread| Failure::unreadable(format!("{name}: {}", unread.problem)))?;
            add_live(&read.text, &name, judged.namespace, &mut before, &mut found);
        }
        if !self.cluster.is_empty() || self.asks_cluster() {
            let manifests = manifests(judged);
            if self.asks_cluster() {
                self.ask(&manifests, judged.namespace, &mut before, &mut found);
            }
            for (kind, objects) in &manifests.kinds {
                if !before.knows(&kind.group, &kind.name) && self.base.is_none() {
                    let objects = count(*objects, "object", "objects");
                    let reason = if self.asks_cluster() {
                        "the cluster's objects of this kind could not be read"
                    } else {
                        "the cluster's objects have none of this kind"
                    };
                    found.notes.push(format!(
                        "{}: {objects} judged as new, since {reason}",
                        kind.name
                    ));
                }
            }
        }
        found.before = Some(before);
        Ok(found)
    }

    /// Asks a cluster for the objects of every kind of which there are manifests.
    fn ask(&self, manifests: &Manifests, namespace: &str, before: &mut Before, found: &mut Found) {
        let kubectl = Kubectl::new(self.context.as_deref());
        let kinds: Vec<_> = manifests.kinds.keys().collect();
        let resources: Vec<_> = kinds.iter().map(|kind| kind.resource.as_str()).collect();
        if resources.is_empty() {
            return;
        }
        let mut listed = kubectl.list(&resources, None);
        if let ([], [(_, first), others @ ..]) = (listed.texts.as_slice(), listed.failed.as_slice())
            && others.iter().all(|(_, other)| other == first)
            && !is_about_kinds(first)
        {
            let problem = format!("kubectl: {first}; objects are not compared with the cluster");
            return found.problems.push(problem);
        }
        let mut failed = BTreeMap::new();
        for (resource, problem) in std::mem::take(&mut listed.failed) {
            // The kind is not there, so all of its objects are new.
            if problem.contains(NO_SUCH_KIND) {
                continue;
            }
            // Whoever may not list all namespaces may list their own, if the objects are in any.
            let may_list_some = problem.contains(FORBIDDEN) && !manifests.namespaces.is_empty();
            let mut problem = Some(problem);
            if may_list_some {
                problem = None;
                for namespace in &manifests.namespaces {
                    let of_one = kubectl.list(&[&resource], Some(namespace));
                    listed.texts.extend(of_one.texts);
                    problem = problem.or(of_one.failed.into_iter().next().map(|(_, text)| text));
                }
            }
            if let Some(problem) = problem {
                failed.insert(resource, problem);
            }
        }
        for text in &listed.texts {
            add_live(text, "kubectl", namespace, before, found);
        }
        for kind in kinds {
            match failed.get(&kind.resource) {
                None => before.add_kind(&kind.group, &kind.name),
                Some(problem) => found.problems.push(format!(
                    "{} not compared with the cluster: {problem}",
                    kind.resource
                )),
            }
        }
    }
}

/// What kubectl says of a kind that the cluster does not know, and of one that the user may not list.
const NO_SUCH_KIND: &str = "the server doesn't have a resource type";
const FORBIDDEN: &str = "(Forbidden)";

fn is_about_kinds(problem: &str) -> bool {
    problem.contains(NO_SUCH_KIND) || problem.contains(FORBIDDEN)
}

/// Adds the objects of a revision.
fn at_revision(revision: &str, judged: &Judged<'_>, before: &mut Before, found: &mut Found) {
    let is_built = built(judged.builds).next().is_some();
    let building = is_built.then_some(judged.building);
    let read = match revision::read(revision, judged.paths, judged.exclude, building) {
        Ok(read) => read,
        Err(problem) => {
            let problem = format!("--base: {problem}; objects are judged as new");
            return found.problems.push(problem);
        }
    };
    let mut absent = |name: &str, problem: &str| {
        found.notes.push(format!(
            "{name} at `{revision}`: {problem}: counts as absent, its objects are judged as new"
        ));
    };
    let mut files_of_builds = BTreeSet::new();
    for tree in &read.trees {
        let Judged {
            plan,
            builds,
            exclude,
            building,
            ..
        } = judged;
        let mut built = build::before::build(tree, plan, builds, exclude, building);
        for built in &built.builds {
            add_built(built, judged.namespace, before);
        }
        for (name, problem) in &built.unbuilt {
            absent(&format!("`{name}`"), &format!("not built: {problem}"));
        }
        files_of_builds.append(&mut built.files);
    }
    let is_plain = |manifest: &&Manifest| {
        let in_tree = manifest.in_tree.as_ref();
        !in_tree.is_some_and(|file| files_of_builds.contains(file))
    };
    let manifests: Vec<_> = read.manifests.iter().filter(is_plain).collect();
    let read: Vec<_> = manifests
        .par_iter()
        .map(|Manifest { path, text, .. }| match text {
            Ok(read) => of_base(&read.text, path, judged.namespace),
            Err(unread) => {
                let problem = unread.may_be_manifest.then(|| unread.problem.clone());
                (Before::default(), problem)
            }
        })
        .collect();
    for (manifest, (part, problem)) in manifests.iter().zip(read) {
        before.append(part);
        if let Some(problem) = problem {
            absent(&input::name(&manifest.path), &problem);
        }
    }
}

/// Adds what was built at a revision.
fn add_built(built: &Built, namespace: &str, before: &mut Before) {
    let namespace = built.namespace.as_deref().unwrap_or(namespace);
    before.add_build(&built.name);
    for object in &built.objects {
        manifest::documents(&object.json, &mut |part| {
            let Ok(document) = part else { return };
            for object in objects(&document.tree).into_iter().flatten() {
                before.add_built(&object, &built.name, namespace);
            }
        });
    }
}

/// The objects of a file at a revision, and why not all of them can be read.
fn of_base(text: &str, path: &Path, namespace: &str) -> (Before, Option<String>) {
    let mut before = Before::default();
    let mut problem = None;
    let name = &input::name(path);
    if input::read(path).is_ok_and(|now| now.text == text) {
        before.add_unchanged(name, text);
        return (before, problem);
    }
    manifest::documents(text, &mut |part| match part {
        Ok(document) => {
            for object in objects(&document.tree).into_iter().flatten() {
                before.add_base(&object, name, namespace);
            }
        }
        // What cannot be read and holds `{{` is for a template engine.
        Err(error) if !text.contains("{{") && manifest::may_be_manifest(text) => {
            problem = problem.take().or(Some(error.problem));
        }
        Err(_) => {}
    });
    (before, problem)
}

/// Adds the objects of a cluster.
fn add_live(text: &str, name: &str, namespace: &str, before: &mut Before, found: &mut Found) {
    let mut is_answer = false;
    manifest::documents(text, &mut |part| match part {
        Ok(document) => {
            let of_document = objects(&document.tree);
            is_answer |= of_document.is_some();
            for object in of_document.into_iter().flatten() {
                before.add_live(&object, namespace);
            }
        }
        Err(error) => {
            is_answer = true;
            found.problems.push(format!("{name}: {}", error.problem));
        }
    });
    if !is_answer {
        found.problems.push(format!(
            "{name}: no Kubernetes object in it, expected what `kubectl get -o json` prints"
        ));
    }
}

/// What is built.
fn built(builds: &[(Unit, Outcome)]) -> impl Iterator<Item = &Built> {
    let built = builds.iter().filter_map(|(_, outcome)| outcome.as_ref());
    built.flatten().flatten()
}

/// The kinds and namespaces of the objects that are judged.
fn manifests(judged: &Judged<'_>) -> Manifests {
    let of_input = |input: &Input| {
        let read = match judged.stdin {
            Some(stdin) if input::is_stdin(input.path()) => stdin.clone(),
            _ => input.read(),
        };
        let mut manifests = Manifests::default();
        if let Ok(read) = read {
            manifests.add(&read.text, judged.namespace);
        }
        manifests
    };
    let all: Vec<_> = judged.plan.plain.par_iter().map(of_input).collect();
    let mut manifests = Manifests::default();
    for built in built(judged.builds) {
        let namespace = built.namespace.as_deref().unwrap_or(judged.namespace);
        for object in &built.objects {
            manifests.add(&object.json, namespace);
        }
    }
    for one in all {
        for (kind, objects) in one.kinds {
            *manifests.kinds.entry(kind).or_default() += objects;
        }
        manifests.namespaces.extend(one.namespaces);
    }
    manifests
}
