//! The containers and annotations of an object, typed as the API has them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStatus, Pod, PodSpec, PodTemplateSpec,
    ReplicationController,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use rollout_guard::glob;
use rollout_guard::image::Reference;
use rollout_guard::json::{Location, Step};
use serde::Deserialize;

use crate::object::Object;

/// What names a workload: kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// A list of containers in a pod spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Init,
    Main,
}

impl List {
    const fn key(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Main => "containers",
        }
    }
}

/// An image, and what it is called when it is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// As it is written.
    pub(crate) text: String,
    /// As it runs: from its mirror, in its normal form, without a digest.
    pub(crate) name: String,
    /// The digest that it is pinned to, or was pulled with.
    pub(crate) digest: Option<String>,
}

impl Image {
    /// An image as written, given what it is pulled as.
    pub(crate) fn new(text: &str, pulled: &str) -> Self {
        let Ok(reference) = Reference::parse(pulled) else {
            return Self {
                text: text.to_owned(),
                name: pulled.to_owned(),
                digest: None,
            };
        };
        let normal = reference.to_string();
        let (name, digest) = match normal.split_once('@') {
            Some((name, digest)) => (name.to_owned(), Some(digest.to_owned())),
            None => (normal, None),
        };
        Self {
            text: text.to_owned(),
            name,
            digest,
        }
    }

    /// Whether two images are one. A digest counts where both sides know one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.digest, &other.digest) {
            (Some(one), Some(another)) if one == another => {
                repository(&self.name) == repository(&other.name)
            }
            (Some(_), Some(_)) => false,
            _ => self.name == other.name,
        }
    }
}

/// A name without its tag.
fn repository(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// The containers of a workload, by list and name.
pub(crate) type Containers = BTreeMap<(List, String), (Image, Location<'static>)>;

/// Whose annotations: the object's, those of the Jobs that it makes, or those of its Pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Object,
    Job,
    Template,
}

impl Holder {
    /// The way to its annotations in a kind.
    pub(crate) fn annotations(self, kind: &str) -> Location<'static> {
        let holder: &[&str] = match (self, kind) {
            (Self::Object, _) => &[],
            (Self::Job, _) => &["spec", "jobTemplate"],
            (Self::Template, "CronJob") => &["spec", "jobTemplate", "spec", "template"],
            (Self::Template, _) => &["spec", "template"],
        };
        let steps = holder.iter().chain(&["metadata", "annotations"]);
        Location(steps.map(|key| Step::key(key)).collect())
    }
}

/// Annotations, by holder and key.
pub(crate) type Annotations = BTreeMap<(Holder, String), String>;

/// A workload as one side has it.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) key: Key,
    pub(crate) containers: Containers,
    pub(crate) annotations: Annotations,
    /// Globs over the annotations that the settings guard in this object.
    pub(crate) guarded: Vec<String>,
    /// What was last applied with kubectl.
    pub(crate) last_applied: Option<String>,
    /// Whether the controller has yet to bring all Pods to the spec.
    pub(crate) is_rolling_out: bool,
    /// The controller, by kind and name.
    owner: Option<(String, String)>,
}

/// What a container of a Pod runs.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) image: Image,
    /// Why it does not run: `ImagePullBackOff`.
    pub(crate) waiting: Option<String>,
    /// It runs, or ran to its end: so the image is there, and works.
    pub(crate) has_started: bool,
}

/// A Pod of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct PodOf {
    /// The workload that it belongs to in the end.
    pub(crate) key: Key,
    pub(crate) containers: BTreeMap<(List, String), Running>,
}

/// An object of the cluster that matters here.
#[derive(Debug)]
pub(crate) enum Live {
    Workload(Box<Workload>),
    Pod(Box<Workload>, Box<Pod>),
}

/// An object of which nothing but the metadata is read.
#[derive(Deserialize)]
struct WithMetadata {
    #[serde(default)]
    metadata: ObjectMeta,
}

/// The way to the pod spec of a kind.
fn way(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &["spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &["spec", "template", "spec"],
    }
}

/// Reads a workload of Kubernetes, a Service or an Ingress; `None` for every other kind.
///
/// `pulled` says what an image at a place is pulled as.
///
/// # Errors
///
/// Where it is not as the API has it.
pub(crate) fn read(
    object: &Object<'_>,
    namespace: &str,
    pulled: &dyn Fn(&Location<'_>) -> Option<String>,
) -> Result<Option<Live>, serde_json::Error> {
    let json = object.value.json();
    let (metadata, templates, spec, is_rolling_out, pod) =
        match (object.group.as_ref(), object.kind.as_ref()) {
            ("apps", "Deployment") => {
                let object: Deployment = serde_json::from_str(json)?;
                let is_rolling_out = deployment_rolls_out(&object);
                let (template, spec) = opened(object.spec.map(|spec| spec.template));
                (object.metadata, vec![template], spec, is_rolling_out, None)
            }
            ("apps", "StatefulSet") => {
                let object: StatefulSet = serde_json::from_str(json)?;
                let is_rolling_out = stateful_set_rolls_out(&object);
                let (template, spec) = opened(object.spec.map(|spec| spec.template));
                (object.metadata, vec![template], spec, is_rolling_out, None)
            }
            ("apps", "DaemonSet") => {
                let object: DaemonSet = serde_json::from_str(json)?;
                let is_rolling_out = daemon_set_rolls_out(&object);
                let (template, spec) = opened(object.spec.map(|spec| spec.template));
                (object.metadata, vec![template], spec, is_rolling_out, None)
            }
            ("apps", "ReplicaSet") => {
                let object: ReplicaSet = serde_json::from_str(json)?;
                let (template, spec) = opened(object.spec.and_then(|spec| spec.template));
                (object.metadata, vec![template], spec, false, None)
            }
            ("", "ReplicationController") => {
                let object: ReplicationController = serde_json::from_str(json)?;
                let (template, spec) = opened(object.spec.and_then(|spec| spec.template));
                (object.metadata, vec![template], spec, false, None)
            }
            ("batch", "Job") => {
                let object: Job = serde_json::from_str(json)?;
                let (template, spec) = opened(object.spec.map(|spec| spec.template));
                (object.metadata, vec![template], spec, false, None)
            }
            ("batch", "CronJob") => {
                let object: CronJob = serde_json::from_str(json)?;
                let job = object.spec.map(|spec| spec.job_template);
                let (job, made) = job.map_or((None, None), |job| (job.metadata, job.spec));
                let (template, spec) = opened(made.map(|made| made.template));
                let templates = vec![(Holder::Job, job), template];
                (object.metadata, templates, spec, false, None)
            }
            ("", "Pod") => {
                let object: Pod = serde_json::from_str(json)?;
                let metadata = object.metadata.clone();
                (
                    metadata,
                    Vec::new(),
                    object.spec.clone(),
                    false,
                    Some(object),
                )
            }
            // Of these only annotations are compared.
            ("", "Service") | ("networking.k8s.io", "Ingress") => {
                let object: WithMetadata = serde_json::from_str(json)?;
                (object.metadata, Vec::new(), None, false, None)
            }
            _ => return Ok(None),
        };
    let workload = Workload {
        key: Key {
            namespace: object
                .in_namespace(namespace)
                .unwrap_or_default()
                .to_owned(),
            kind: object.kind.to_string(),
            name: object.name.to_string(),
        },
        containers: spec
            .map(|spec| containers(&object.kind, &spec, pulled))
            .unwrap_or_default(),
        owner: owner(&metadata),
        last_applied: metadata.annotations.as_ref().and_then(|annotations| {
            annotations
                .get("kubectl.kubernetes.io/last-applied-configuration")
                .cloned()
        }),
        annotations: std::iter::once((Holder::Object, Some(metadata)))
            .chain(templates)
            .filter_map(|(holder, metadata)| Some((holder, metadata?.annotations?)))
            .flat_map(|(holder, annotations)| {
                let with_holder = move |(key, value)| ((holder, key), value);
                annotations.into_iter().map(with_holder)
            })
            .collect(),
        guarded: Vec::new(),
        is_rolling_out,
    };
    Ok(Some(match pod {
        Some(pod) => Live::Pod(Box::new(workload), Box::new(pod)),
        None => Live::Workload(Box::new(workload)),
    }))
}

fn deployment_rolls_out(object: &Deployment) -> bool {
    object.status.as_ref().is_some_and(|status| {
        let replicas = object.spec.as_ref().and_then(|spec| spec.replicas);
        status.observed_generation < object.metadata.generation
            || status.updated_replicas.unwrap_or(0) < replicas.unwrap_or(1)
            || status.replicas.unwrap_or(0) > status.updated_replicas.unwrap_or(0)
    })
}

fn stateful_set_rolls_out(object: &StatefulSet) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.observed_generation < object.metadata.generation
            || status.current_revision != status.update_revision
    })
}

fn daemon_set_rolls_out(object: &DaemonSet) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.observed_generation < object.metadata.generation
            || status.updated_number_scheduled.unwrap_or(0) < status.desired_number_scheduled
    })
}

/// The metadata and the spec of a pod template.
fn opened(template: Option<PodTemplateSpec>) -> ((Holder, Option<ObjectMeta>), Option<PodSpec>) {
    let (metadata, spec) =
        template.map_or((None, None), |template| (template.metadata, template.spec));
    ((Holder::Template, metadata), spec)
}

fn owner(metadata: &ObjectMeta) -> Option<(String, String)> {
    metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| (owner.kind.clone(), owner.name.clone()))
}

fn containers(
    kind: &str,
    spec: &PodSpec,
    pulled: &dyn Fn(&Location<'_>) -> Option<String>,
) -> Containers {
    let mut found = Containers::new();
    let mut add = |list: List, containers: &[Container]| {
        for (index, container) in containers.iter().enumerate() {
            let Some(image) = &container.image else {
                continue;
            };
            let mut steps: Vec<_> = way(kind).iter().map(|key| Step::key(key)).collect();
            steps.extend([
                Step::key(list.key()),
                Step::Index(index),
                Step::key("image"),
            ]);
            let path = Location(steps);
            let runs = pulled(&path);
            let image = Image::new(image, runs.as_deref().unwrap_or(image));
            found.insert((list, container.name.clone()), (image, path));
        }
    };
    add(
        List::Init,
        spec.init_containers.as_deref().unwrap_or_default(),
    );
    add(List::Main, &spec.containers);
    found
}

impl Workload {
    /// Whether it runs Pods, or is there for its annotations alone.
    pub(crate) fn runs_pods(&self) -> bool {
        !matches!(self.key.kind.as_str(), "Service" | "Ingress")
    }

    /// Whether something of it is compared.
    pub(crate) fn is_compared(&self) -> bool {
        self.runs_pods() || !self.guarded.is_empty()
    }

    /// Whether one side alone is worth a row: it runs Pods, or has an annotation that is guarded.
    pub(crate) fn is_told_alone(&self) -> bool {
        let is_guarded = |key: &str| self.guarded.iter().any(|glob| glob::matches(glob, key));
        self.runs_pods() || self.annotations.keys().any(|(_, key)| is_guarded(key))
    }

    /// Whether another object of the cluster makes it.
    pub(crate) const fn is_made(&self) -> bool {
        self.owner.is_some()
    }
}

/// The Pods of the cluster, each with the workload that it belongs to in the end.
pub(crate) fn pods(pods: Vec<(Workload, Pod)>, workloads: &[Workload]) -> Vec<PodOf> {
    let owners: BTreeMap<_, _> = workloads
        .iter()
        .filter_map(|workload| Some((&workload.key, workload.owner.as_ref()?)))
        .collect();
    pods.into_iter()
        .map(|(as_workload, pod)| PodOf {
            key: root(&as_workload, &pod, &owners),
            containers: running(&as_workload, &pod),
        })
        .collect()
}

fn root(pod: &Workload, typed: &Pod, owners: &BTreeMap<&Key, &(String, String)>) -> Key {
    let Some((kind, name)) = &pod.owner else {
        return pod.key.clone();
    };
    let of = |kind: &str, name: &str| Key {
        namespace: pod.key.namespace.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let owner = of(kind, name);
    if let Some((kind, name)) = owners.get(&owner) {
        return of(kind, name);
    }
    // The objects between were not handed over: their names tell.
    let hash = typed
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get("pod-template-hash"));
    match (kind.as_str(), hash) {
        ("ReplicaSet", Some(hash)) => name
            .strip_suffix(hash.as_str())
            .and_then(|name| name.strip_suffix('-'))
            .map_or(owner, |name| of("Deployment", name)),
        ("Job", _) => match name.rsplit_once('-') {
            Some((cron_job, minute)) if minute.bytes().all(|byte| byte.is_ascii_digit()) => {
                of("CronJob", cron_job)
            }
            _ => owner,
        },
        _ => owner,
    }
}

fn running(pod: &Workload, typed: &Pod) -> BTreeMap<(List, String), Running> {
    let status = typed.status.as_ref();
    let of_list = |list| {
        let statuses = status.and_then(|status| match list {
            List::Init => status.init_container_statuses.as_deref(),
            List::Main => status.container_statuses.as_deref(),
        });
        statuses
            .unwrap_or_default()
            .iter()
            .map(move |status| (list, status))
    };
    of_list(List::Init)
        .chain(of_list(List::Main))
        .filter_map(|(list, status)| {
            let key = (list, status.name.clone());
            let (wanted, _) = pod.containers.get(&key)?;
            Some((key, run(wanted, status)))
        })
        .collect()
}

fn run(wanted: &Image, status: &ContainerStatus) -> Running {
    // A runtime may name an image by its digest alone.
    let told = Reference::parse(&status.image)
        .ok()
        .filter(|_| !status.image.starts_with("sha256:"))
        .map(|_| Image::new(&status.image, &status.image));
    let mut image = match told {
        Some(told) if told.digest.is_none() && told.name != wanted.name => told,
        _ => wanted.clone(),
    };
    if let Some((_, digest)) = status.image_id.rsplit_once('@') {
        image.digest = Some(digest.to_owned());
    }
    let waiting = status
        .state
        .as_ref()
        .and_then(|state| state.waiting.as_ref())
        .map(|waiting| {
            waiting
                .reason
                .clone()
                .unwrap_or_else(|| "waiting".to_owned())
        });
    let state = status.state.as_ref();
    let has_ended = |state: &ContainerState| {
        let terminated = state.terminated.as_ref();
        terminated.is_some_and(|terminated| terminated.exit_code == 0)
    };
    Running {
        image,
        waiting,
        has_started: state.is_some_and(|state| state.running.is_some() || has_ended(state)),
    }
}
