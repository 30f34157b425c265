//! What the policies say about one object of a cluster.

use rollout_guard::json::{self, Location};
use rollout_guard::policy::Policy;
use rollout_guard::request::{Operation, Request};
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::{Code, Violation};

use crate::cluster::{Resource, Wanted};
use crate::finding::{ObjectName, Severity};
use crate::judge::{Judge, NotAsked};
use crate::manifest::{self, Value};
use crate::object::{Asking, Identity, Object, object};
use crate::policy_file::Source;

/// What is asked about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::command) enum Question {
    /// Would it be refused if it were created now?
    New,
    /// Would the next Pod that it makes be refused?
    NextPod,
    /// Would an update be refused that changes nothing that matters?
    Update,
}

impl Question {
    pub(in crate::command) const ALL: [Self; 3] = [Self::New, Self::NextPod, Self::Update];
}

/// A violation, as far as it matters to people who own many objects.
#[derive(Clone, Debug)]
pub(in crate::command) struct Finding {
    pub(in crate::command) question: Question,
    pub(in crate::command) severity: Severity,
    pub(in crate::command) code: Code,
    pub(in crate::command) place: String,
    pub(in crate::command) path: String,
    /// The image that it is about, as it is written.
    pub(in crate::command) image: Option<String>,
    pub(in crate::command) problem: String,
    /// The policy, where there is more than one.
    pub(in crate::command) policy: Option<String>,
}

/// An object of a cluster, and what the policies say about it.
#[derive(Clone, Debug)]
pub(in crate::command) struct Record {
    pub(in crate::command) name: ObjectName,
    pub(in crate::command) uid: String,
    /// The controller, by kind and name.
    pub(in crate::command) owner: Option<(String, String)>,
    pub(in crate::command) life: Life,
    /// Whether any policy is asked about it or its Pods.
    pub(in crate::command) is_asked: bool,
    /// The images of each pod template, or of the Pod, by list and container.
    pub(in crate::command) templates: Vec<Vec<String>>,
    /// All images, as they are written.
    pub(in crate::command) images: Vec<String>,
    pub(in crate::command) resource: Resource,
    /// Whoever wrote its fields, by the names that clients give themselves.
    pub(in crate::command) managers: Vec<String>,
    pub(in crate::command) findings: Vec<Finding>,
    /// Images that would run from a mirror.
    pub(in crate::command) rewritten: usize,
}

/// What becomes of an object by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Life {
    /// It is no Pod.
    NotAPod,
    /// A Pod that runs, or will.
    Pod,
    /// A Pod that has run to its end.
    Over,
    /// A Pod that its kubelet has from a file, and runs whatever becomes of the object.
    Static,
}

impl Life {
    fn of(object: &Object<'_>) -> Self {
        if !object.group.is_empty() || object.kind != "Pod" {
            return Self::NotAPod;
        }
        let mirror = ["metadata", "annotations", "kubernetes.io/config.mirror"];
        match text_at(object.value, &["status", "phase"]).as_str() {
            _ if object.value.text_at(&mirror).is_some() => Self::Static,
            "Succeeded" | "Failed" => Self::Over,
            _ => Self::Pod,
        }
    }
}

impl Record {
    pub(in crate::command) fn is_pod(&self) -> bool {
        self.life != Life::NotAPod
    }

    pub(in crate::command) fn is_over(&self) -> bool {
        self.life == Life::Over
    }
}

/// Judges the object in a text; none where it is no object of Kubernetes, or of a kind that neither the
/// policies nor Pods have to do with.
pub(in crate::command) fn judge(
    judge: &Judge<'_>,
    wanted: &Wanted<'_>,
    text: &str,
) -> Option<Record> {
    let documents = manifest::readable(text);
    let object = documents.first()?.tree.root().and_then(object)?;
    let resource = Resource {
        group: object.group.to_string(),
        version: object.version.to_string(),
        name: object.resource(),
        kind: object.kind.to_string(),
        is_namespaced: !object.is_cluster_scoped(),
    };
    if !wanted.is(&resource) && !judge.may_run_images(&object) {
        return None;
    }
    let is_pod = object.group.is_empty() && object.kind == "Pod";
    let templates = object.pod_templates(judge.namespace);
    let mut record = Record {
        name: object.full_name(judge.namespace),
        uid: text_at(object.value, &["metadata", "uid"]),
        owner: owner(object.value),
        life: Life::of(&object),
        is_asked: false,
        images: judge.image_texts(&object),
        resource,
        managers: managers(object.value),
        templates: if is_pod {
            vec![images(object.value.get("spec"))]
        } else {
            let templates = templates.iter().filter_map(|place| object.value.at(place));
            templates
                .map(|template| images(template.get("spec")))
                .collect()
        },
        findings: Vec::new(),
        rewritten: 0,
    };
    let mut about = About {
        judge,
        object: &object,
        record: &mut record,
    };
    about.ask(Question::New, Operation::Create);
    about.ask(Question::Update, Operation::Update);
    about.ask_for_pods();
    Some(record)
}

fn text_at(value: Value<'_>, way: &[&str]) -> String {
    value.text_at(way).unwrap_or_default().into_owned()
}

/// The controller of an object, by kind and name.
fn owner(value: Value<'_>) -> Option<(String, String)> {
    let owners = value.get("metadata")?.get("ownerReferences")?;
    let owner = owners
        .elements()
        .find(|owner| owner.get("controller").map(Value::json) == Some("true"))?;
    Some((text_at(owner, &["kind"]), text_at(owner, &["name"])))
}

/// The names of the managers in `managedFields`, each once.
fn managers(value: Value<'_>) -> Vec<String> {
    let fields = value.get("metadata");
    let fields = fields.and_then(|metadata| metadata.get("managedFields"));
    let entries = fields.into_iter().flat_map(Value::elements);
    let mut names: Vec<_> = entries.map(|entry| text_at(entry, &["manager"])).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The images of a pod spec, each with its list and container.
fn images(spec: Option<Value<'_>>) -> Vec<String> {
    let mut images = Vec::new();
    for list in ["initContainers", "containers"] {
        let containers = spec.and_then(|spec| spec.get(list));
        for container in containers.into_iter().flat_map(Value::elements) {
            let (name, image) = (
                text_at(container, &["name"]),
                text_at(container, &["image"]),
            );
            images.push(format!("{list}/{name}={image}"));
        }
    }
    images.sort_unstable();
    images
}

/// An object that is being judged.
struct About<'a, 'o> {
    judge: &'a Judge<'a>,
    object: &'a Object<'o>,
    record: &'a mut Record,
}

impl About<'_, '_> {
    fn ask(&mut self, question: Question, operation: Operation) {
        let (judge, object) = (self.judge, self.object);
        let kubelet = Identity::Person {
            name: "system:node".to_owned(),
            groups: vec!["system:nodes".to_owned()],
        };
        let asking = Asking {
            operation,
            namespace: judge.namespace,
            identity: if self.record.life == Life::Static {
                &kubelet
            } else {
                &judge.identity
            },
            old: (operation == Operation::Update).then_some(object.value.json()),
            field_manager: "",
        };
        let mut request = String::new();
        object.write_request_as(&asking, &mut request);
        let old = (operation == Operation::Update).then_some(object.value);
        let operation = operation.as_str();
        let covers =
            |source: &Source<'_>| source.covers_change(object, old, operation, judge.namespace);
        self.put(question, &covers, request, None);
    }

    /// Asks for the Pods that the object makes, as its controller would.
    fn ask_for_pods(&mut self) {
        let (judge, object) = (self.judge, self.object);
        for (template, request) in judge.pods(object) {
            let covers = |source: &Source<'_>| {
                judge.covers_pods_of(source, object) && source.selects_pods_from(object, &template)
            };
            self.put(Question::NextPod, &covers, request, Some(&template));
        }
    }

    /// Puts a request to the policies that it is for, in the order of a cluster: first those that may mutate, each with
    /// the object as the ones before left it. The first that refuses ends it.
    fn put(
        &mut self,
        question: Question,
        covers: &dyn Fn(&Source<'_>) -> bool,
        mut request: String,
        template: Option<&Location<'static>>,
    ) {
        let judge = self.judge;
        for is_validating in [false, true] {
            let turn = judge
                .policies
                .iter()
                .filter(|(source, _)| (source.is_mutating == Some(false)) == is_validating);
            for (source, policy) in turn {
                if !covers(source) {
                    continue;
                }
                self.record.is_asked = true;
                let verdict = evaluate(*policy, &request);
                self.add(question, source, &verdict, template);
                if !verdict.accepted() {
                    return;
                }
                if let Some(mutated) = verdict.mutated_object
                    && let Some(after) = with_object(&request, &mutated)
                {
                    request = after;
                }
            }
        }
    }

    fn add(
        &mut self,
        question: Question,
        source: &Source<'_>,
        verdict: &Verdict<'_>,
        template: Option<&Location<'static>>,
    ) {
        if question != Question::Update {
            self.record.rewritten = self.record.rewritten.max(verdict.rewritten.len());
        }
        let refusing = verdict
            .violations
            .iter()
            .map(|found| (Severity::Error, found));
        let warning = verdict
            .warnings
            .iter()
            // What was so before passes an update with a warning: that it is so is told as of a new one.
            .filter(|found| !found.code.is_note() && question != Question::Update)
            .map(|found| (Severity::Warning, found));
        let policy = source
            .policy
            .as_ref()
            .filter(|_| self.judge.policies.len() > 1);
        for (severity, violation) in refusing.chain(warning) {
            let finding = self.finding(question, severity, violation, template);
            self.record.findings.push(Finding {
                policy: policy.cloned(),
                ..finding
            });
        }
    }

    fn finding(
        &self,
        question: Question,
        severity: Severity,
        violation: &Violation,
        template: Option<&Location<'static>>,
    ) -> Finding {
        let path = match template {
            Some(template) => template.below(violation.path.clone()),
            None => violation.path.clone(),
        };
        let image = violation
            .value
            .as_ref()
            .filter(|value| value.noun == "image" && value.text.is_some())
            .and_then(|_| self.object.value.at(&path)?.text());
        Finding {
            question,
            severity,
            code: violation.code,
            place: match template {
                Some(template) => format!("{template}.{}", violation.place),
                None => violation.place.clone(),
            },
            path: path.to_string(),
            image: image.map(std::borrow::Cow::into_owned),
            problem: violation.reason().to_string(),
            policy: None,
        }
    }
}

fn evaluate<'s>(policy: Policy<'s>, request: &str) -> Verdict<'s> {
    let json = json::Document::of(request);
    match Request::of(&json) {
        Err(error) => Verdict::unreadable(None, &error),
        Ok(request) => policy.evaluate_with(request, &NotAsked),
    }
}

/// A request with another object in it.
fn with_object(request: &str, object: &str) -> Option<String> {
    let mut request: serde_json::Value = serde_json::from_str(request).ok()?;
    *request.get_mut("object")? = serde_json::from_str(object).ok()?;
    Some(request.to_string())
}
