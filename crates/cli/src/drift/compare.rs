//! What Git, the spec and the running Pods say together.

use std::collections::{BTreeMap, BTreeSet};

use rollout_guard::annotation::TOOLS_KEYS;
use rollout_guard::glob;
use rollout_guard::json::{Location, Step};
use serde::Serialize;
use serde_json::Value as Json;

use super::workload::{Holder, Image, Key, List, PodOf, Workload};
use crate::build::plan::Unit;
use crate::manifest::Position;

/// What became of a container or an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    InSync,
    RolloutInProgress,
    StuckRollout,
    GitIsStale,
    ClusterWasEdited,
    OnlyInGit,
    OnlyInCluster,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::RolloutInProgress => "rollout in progress",
            Self::StuckRollout => "stuck rollout",
            Self::GitIsStale => "Git is stale",
            Self::ClusterWasEdited => "cluster was edited",
            Self::OnlyInGit => "only in Git",
            Self::OnlyInCluster => "only in the cluster",
        }
    }
}

/// Where Git says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InGit {
    pub(crate) source: Source,
    pub(crate) name: String,
    pub(crate) document: usize,
    /// The way to the object in its document.
    pub(crate) way: Location<'static>,
    pub(crate) at: Position,
}

/// What an object is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file, by its position.
    File(usize),
    /// What is built: the unit, its variant and the object in it.
    Build(Unit, usize, usize),
}

/// A container, or an annotation.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Key,
    /// `container redis`, `annotation example.com/team`.
    pub(crate) what: String,
    pub(crate) state: State,
    pub(crate) git: Option<String>,
    pub(crate) spec: Option<String>,
    /// What runs, and in how many Pods.
    pub(crate) pods: Vec<Runs>,
    /// What to do.
    pub(crate) advice: Option<String>,
    /// What to write in Git.
    pub(crate) proposal: Option<Proposal>,
    pub(crate) in_git: Option<InGit>,
    /// It needs somebody.
    pub(crate) is_difference: bool,
}

/// A value to write in Git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// From the object on.
    pub(crate) path: Location<'static>,
    pub(crate) value: String,
    /// An image, not an annotation.
    pub(crate) is_image: bool,
    /// Containers of Pods have started with it.
    pub(crate) is_run: bool,
}

/// What Pods run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Runs {
    pub(crate) image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    pub(crate) pods: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waiting: Option<String>,
    /// As it runs, to compare by.
    #[serde(skip)]
    compared: Image,
    /// Its containers have started.
    #[serde(skip)]
    has_started: bool,
}

/// A workload of Git, with the place of each of its values.
pub(crate) struct GitWorkload {
    pub(crate) workload: Workload,
    pub(crate) place: InGit,
    /// Where its values are, and in which file.
    pub(crate) positions: BTreeMap<String, (String, Position)>,
}

/// Why a Pod cannot start a container, where its image is why (`pkg/kubelet/images/types.go` of Kubernetes,
/// and `pkg/errors` of its CRI API).
const IMAGE_REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Holds Git against the cluster. `pods`: none where nobody knows what runs.
pub(crate) fn compare(git: &[&GitWorkload], live: &[Workload], pods: Option<&[PodOf]>) -> Vec<Row> {
    let mut rows = Vec::new();
    let knows_pods = pods.is_some();
    let pods = pods.unwrap_or_default();
    for ours in git {
        let theirs = live
            .iter()
            .find(|workload| workload.key == ours.workload.key);
        let pods: Vec<_> = pods
            .iter()
            .filter(|pod| pod.key == ours.workload.key)
            .collect();
        match theirs {
            None if !ours.workload.is_told_alone() => {}
            None => rows.push(Row {
                advice: Some("apply it, or remove it from Git".to_owned()),
                in_git: Some(ours.place.clone()),
                ..row(&ours.workload.key, whole(&ours.workload), State::OnlyInGit)
            }),
            Some(theirs) => {
                add_containers(ours, theirs, &pods, knows_pods, &mut rows);
                add_annotations(ours, theirs, &mut rows);
            }
        }
    }
    let namespaces: Vec<_> = git
        .iter()
        .map(|ours| &ours.workload.key.namespace)
        .collect();
    for theirs in live {
        let is_known = git.iter().any(|ours| ours.workload.key == theirs.key);
        let is_ours = theirs.is_told_alone() && namespaces.contains(&&theirs.key.namespace);
        if !is_known && !theirs.is_made() && is_ours {
            rows.push(Row {
                advice: Some("add it to Git, or delete it".to_owned()),
                ..row(&theirs.key, whole(theirs), State::OnlyInCluster)
            });
        }
    }
    rows.sort_by(|one, other| (&one.key, &one.what).cmp(&(&other.key, &other.what)));
    rows
}

/// What an object as a whole is called in a row.
fn whole(object: &Workload) -> &'static str {
    if object.runs_pods() {
        "workload"
    } else {
        "object"
    }
}

fn row(key: &Key, what: impl Into<String>, state: State) -> Row {
    Row {
        key: key.clone(),
        what: what.into(),
        state,
        git: None,
        spec: None,
        pods: Vec::new(),
        advice: None,
        proposal: None,
        in_git: None,
        is_difference: !matches!(state, State::InSync | State::RolloutInProgress),
    }
}

fn add_containers(
    ours: &GitWorkload,
    theirs: &Workload,
    pods: &[&PodOf],
    knows_pods: bool,
    rows: &mut Vec<Row>,
) {
    let key = &ours.workload.key;
    let last_applied = last_applied(theirs);
    let names: BTreeSet<_> = ours
        .workload
        .containers
        .keys()
        .chain(theirs.containers.keys())
        .collect();
    for name in names {
        let git = ours.workload.containers.get(name);
        let spec = theirs.containers.get(name).map(|(image, _)| image);
        let what = match name.0 {
            List::Init => format!("init container {}", name.1),
            List::Main => format!("container {}", name.1),
        };
        let runs = runs(pods, name);
        let mut found = Row {
            git: git.map(|(image, _)| image.text.clone()),
            spec: spec.map(|image| image.text.clone()),
            in_git: git.map(|(_, path)| place(ours, path)),
            ..row(key, what, State::InSync)
        };
        match (git, spec) {
            (Some((git, path)), Some(spec)) => {
                let applied = last_applied
                    .as_ref()
                    .and_then(|applied| image_at(applied, path, &name.1));
                let sides = Sides {
                    git,
                    spec,
                    runs: knows_pods.then_some(&runs),
                    applied: applied.as_deref(),
                };
                judge(&mut found, theirs, &sides, path);
            }
            (Some(_), None) => {
                found.state = State::OnlyInGit;
                found.advice = Some("apply it, or remove it from Git".to_owned());
                found.is_difference = true;
            }
            _ => {
                found.state = State::OnlyInCluster;
                found.advice =
                    Some("add it to Git, unless something in the cluster injects it".to_owned());
                found.is_difference = true;
            }
        }
        found.pods = runs;
        rows.push(found);
    }
}

/// The images of a container.
struct Sides<'c> {
    git: &'c Image,
    spec: &'c Image,
    /// What the Pods run; none where nobody knows.
    runs: Option<&'c [Runs]>,
    /// What was last applied.
    applied: Option<&'c str>,
}

/// What the images of a container in Git, in the spec and in the Pods mean.
fn judge(found: &mut Row, theirs: &Workload, sides: &Sides<'_>, path: &Location<'static>) {
    let Sides {
        git,
        spec,
        runs,
        applied,
    } = *sides;
    let all = runs.unwrap_or_default();
    let running: Vec<_> = all.iter().filter(|runs| runs.waiting.is_none()).collect();
    let is_stuck = all.iter().any(|runs| {
        let reason = runs.waiting.as_deref();
        reason.is_some_and(|reason| IMAGE_REASONS.contains(&reason))
    });
    let others: Vec<_> = running
        .iter()
        .filter(|runs| !runs.compared.is(spec))
        .collect();
    let is_rolling_out = theirs.is_rolling_out || (!others.is_empty() && all.len() > 1);
    found.state = if !git.is(spec) {
        if applied == Some(git.text.as_str()) {
            State::ClusterWasEdited
        } else {
            State::GitIsStale
        }
    } else if is_stuck {
        State::StuckRollout
    } else if is_rolling_out {
        State::RolloutInProgress
    } else if !others.is_empty() {
        // The Pods were made, or changed, by something else than this spec.
        State::ClusterWasEdited
    } else {
        State::InSync
    };
    found.is_difference = !matches!(found.state, State::InSync | State::RolloutInProgress);
    if !found.is_difference {
        return;
    }
    // What works is usually right: the one image that all running Pods have.
    match running.split_first() {
        Some((first, rest)) if rest.iter().all(|runs| runs.compared.is(&first.compared)) => {
            if first.compared.is(git) && git.is(spec) {
                found.advice = Some(
                    "some Pods run it: look at the nodes of those that cannot pull it".to_owned(),
                );
            } else if first.compared.is(git) {
                found.advice = Some("Git says what runs: apply it".to_owned());
            } else {
                found.advice = Some(format!("write `{}` in Git", first.image));
                found.proposal = Some(Proposal {
                    path: path.clone(),
                    value: first.image.clone(),
                    is_image: true,
                    is_run: running.iter().any(|runs| runs.has_started),
                });
            }
        }
        Some(_) => {
            found.advice =
                Some("the Pods run different images: let the rollout end, then look again".into());
        }
        None if git.is(spec) => {
            found.advice = Some(
                "no Pod can pull it: write an image in Git that the nodes can pull".to_owned(),
            );
        }
        None => {
            let why = match runs {
                Some(_) => "no Pod runs",
                None => "what the Pods run is not known",
            };
            found.advice = Some(format!(
                "{why}: write `{}` in Git, or apply what Git says",
                spec.text
            ));
            found.proposal = Some(Proposal {
                path: path.clone(),
                value: spec.text.clone(),
                is_image: true,
                is_run: false,
            });
        }
    }
}

/// What the Pods run in a container, each image once.
fn runs(pods: &[&PodOf], name: &(List, String)) -> Vec<Runs> {
    let mut all: Vec<Runs> = Vec::new();
    for running in pods.iter().filter_map(|pod| pod.containers.get(name)) {
        let known = all
            .iter_mut()
            .find(|runs| runs.compared == running.image && runs.waiting == running.waiting);
        match known {
            Some(runs) => {
                runs.pods += 1;
                runs.has_started |= running.has_started;
            }
            None => all.push(Runs {
                image: running.image.text.clone(),
                digest: running.image.digest.clone(),
                pods: 1,
                waiting: running.waiting.clone(),
                compared: running.image.clone(),
                has_started: running.has_started,
            }),
        }
    }
    all
}

fn add_annotations(ours: &GitWorkload, theirs: &Workload, rows: &mut Vec<Row>) {
    let globs = [&ours.workload.guarded, &theirs.guarded];
    let is_guarded = |key: &str| {
        let mut globs = globs.into_iter().flatten();
        globs.any(|glob| glob::matches(glob, key))
    };
    let (git, live) = (&ours.workload.annotations, &theirs.annotations);
    let keys: BTreeSet<_> = git
        .keys()
        // What the cluster and its tools write besides is theirs.
        .chain(
            live.keys()
                .filter(|(_, key)| !TOOLS_KEYS.contains(&key.as_str())),
        )
        .filter(|(_, key)| is_guarded(key))
        .collect();
    let last_applied = last_applied(theirs);
    for key in keys {
        let (holder, name) = key;
        let map = holder.annotations(&ours.workload.key.kind);
        let path = map.below(Location(vec![Step::Key(name.clone().into())]));
        let applied = last_applied.as_ref().map(|applied| {
            let value = value_at(applied, &map).and_then(|annotations| annotations.get(name));
            value.and_then(Json::as_str)
        });
        let (in_git, in_spec) = (git.get(key), live.get(key));
        let state = match (in_git, in_spec) {
            (one, other) if one == other => State::InSync,
            (one, _) if applied == Some(one.map(String::as_str)) => State::ClusterWasEdited,
            (None, _) => State::OnlyInCluster,
            (_, None) => State::OnlyInGit,
            _ => State::GitIsStale,
        };
        let advice = match (in_git, in_spec) {
            _ if state == State::InSync => None,
            (Some(_), Some(value)) => {
                Some(format!("write `{value}` in Git, or apply what Git says"))
            }
            (None, Some(value)) => Some(format!(
                "add `{name}: {value}` to Git, or remove it from the cluster"
            )),
            _ => Some("apply what Git says, or remove it from Git".to_owned()),
        };
        let proposal = in_spec
            .filter(|_| state != State::InSync && in_git.is_some())
            .map(|value| Proposal {
                path: path.clone(),
                value: value.clone(),
                is_image: false,
                is_run: false,
            });
        let what = match holder {
            Holder::Object => format!("annotation {name}"),
            Holder::Job => format!("annotation {name} of the Jobs"),
            Holder::Template => format!("annotation {name} of the Pods"),
        };
        rows.push(Row {
            git: in_git.cloned(),
            spec: in_spec.cloned(),
            advice,
            proposal,
            in_git: Some(place(ours, &path)),
            ..row(&ours.workload.key, what, state)
        });
    }
}

fn place(ours: &GitWorkload, path: &Location<'_>) -> InGit {
    let place = ours.place.clone();
    match ours.positions.get(&format!("{path:#}")) {
        Some((name, at)) => InGit {
            name: name.clone(),
            at: *at,
            ..place
        },
        None => place,
    }
}

fn last_applied(workload: &Workload) -> Option<Json> {
    serde_json::from_str(workload.last_applied.as_deref()?).ok()
}

/// The image of the container with a name, in the list of a path.
fn image_at(object: &Json, path: &Location<'_>, name: &str) -> Option<String> {
    let [list @ .., Step::Index(_), Step::Key(image)] = path.steps() else {
        return None;
    };
    let container = value_at(object, &Location(list.to_vec()))?
        .as_array()?
        .iter()
        .find(|container| container.get("name").and_then(Json::as_str) == Some(name))?;
    Some(container.get(image.as_ref())?.as_str()?.to_owned())
}

fn value_at<'j>(object: &'j Json, path: &Location<'_>) -> Option<&'j Json> {
    path.steps()
        .iter()
        .try_fold(object, |value, step| match step {
            Step::Key(key) => value.get(key.as_ref()),
            _ => None,
        })
}
