//! The requests that a manifest stands for.

use std::ops::Range;

use rollout_guard::json::{Location, Step};
use rollout_guard::request::Operation;
use rollout_guard::violation::Violation;

use crate::finding::{ObjectName, Severity};
use crate::manifest::{Document, Lines, Value};
use crate::object::{Asking, Identity, Object, object, objects};
use crate::policy_file::Asked;

use super::Trial;
use super::outcome::Mark;

/// A request, and where it stands in the manifest.
pub(super) struct Question<'d> {
    pub(super) document: &'d Document<'d>,
    /// The request as JSON.
    pub(super) request: String,
    /// The request in an `AdmissionReview`.
    request_value: Option<Value<'d>>,
    /// What is judged: the object, or on DELETE the old one.
    pub(super) object_value: Option<Value<'d>>,
    pub(super) name: ObjectName,
    pub(super) operation: String,
    group: String,
    version: String,
    resource: String,
    sub_resource: Option<String>,
}

/// Collects the requests of a manifest.
pub(super) struct Questions<'d> {
    trial: &'d Trial,
    identity: Identity,
    old: Vec<(Mark, Object<'d>, bool)>,
    pub(super) found: Vec<Question<'d>>,
    pub(super) has_review: bool,
}

impl<'d> Questions<'d> {
    pub(super) fn new(
        trial: &'d Trial,
        manifest: &'d [Document<'d>],
        old: &'d [Document<'d>],
    ) -> Self {
        let lines = Lines::new(&trial.old);
        let old = old.iter().flat_map(|document| {
            objects(&document.tree)
                .unwrap_or_default()
                .into_iter()
                .map(|object| {
                    let span = document.in_file(&object.value.span());
                    let problem = format!("the manifest has no {object}: this is not used");
                    let start = span.start..span.start + 1;
                    let mark = Mark::new(&lines, start, Severity::Warning, problem);
                    (mark, object, false)
                })
                .collect::<Vec<_>>()
        });
        Self {
            trial,
            identity: if trial.user.is_empty() {
                Identity::Nobody
            } else {
                Identity::Person {
                    name: trial.user.clone(),
                    groups: trial.groups.clone(),
                }
            },
            old: old.collect(),
            found: Vec::with_capacity(manifest.len()),
            has_review: false,
        }
    }

    /// Adds the requests of a document, or a mark where it holds none.
    pub(super) fn add(&mut self, document: &'d Document<'d>, marks: &mut Vec<Mark>) {
        let Some(root) = document.tree.root() else {
            return;
        };
        let is_review = root.text_at(&["kind"]).as_deref() == Some("AdmissionReview");
        if is_review || is_request(root) {
            self.has_review = true;
            let request = if is_review {
                root.get("request")
            } else {
                Some(root)
            };
            self.found.push(of_review(document, root, request));
            return;
        }
        let Some(objects) = objects(&document.tree).filter(|objects| !objects.is_empty()) else {
            let lines = Lines::new(&self.trial.manifest);
            let span = document.in_file(&root.span());
            let problem = "no Kubernetes object: it needs `apiVersion` and `kind`".to_owned();
            let start = span.start..span.start + 1;
            marks.push(Mark::new(&lines, start, Severity::Error, problem));
            return;
        };
        for object in objects {
            self.add_object(document, &object);
        }
    }

    fn add_object(&mut self, document: &'d Document<'d>, object: &Object<'d>) {
        let namespace = match self.trial.namespace.as_str() {
            "" => "default",
            namespace => namespace,
        };
        let operation = Operation::ALL
            .into_iter()
            .find(|operation| operation.as_str() == self.trial.operation)
            .unwrap_or(Operation::Create);
        let mut was = None;
        if operation == Operation::Update {
            for (_, old, is_used) in &mut self.old {
                if old.is_same(object, namespace) {
                    *is_used = true;
                    was = Some(old.value.json());
                }
            }
        }
        let asking = Asking {
            operation,
            namespace,
            identity: &self.identity,
            old: was,
            field_manager: &self.trial.field_manager,
        };
        let mut request = String::new();
        object.write_request_as(&asking, &mut request);
        self.found.push(Question {
            document,
            request: handed_on(&request),
            request_value: None,
            object_value: Some(object.value),
            name: object.full_name(namespace),
            operation: operation.as_str().to_owned(),
            group: object.group.to_string(),
            version: object.version.to_string(),
            resource: object.resource(),
            sub_resource: None,
        });
    }

    /// Marks the old objects that no object of the manifest had been.
    pub(super) fn mark_unused(&mut self, marks: &mut Vec<Mark>) {
        if self.has_review {
            return;
        }
        for (mark, _, is_used) in self.old.drain(..) {
            if !is_used {
                marks.push(mark);
            }
        }
    }
}

impl Question<'_> {
    /// The request as the rules of a policy see it.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked {
            operation: &self.operation,
            group: &self.group,
            version: &self.version,
            resource: &self.resource,
            sub_resource: self.sub_resource.as_deref(),
            namespace: self.name.namespace.as_deref(),
        }
    }

    /// Whether somebody wrote the request itself.
    pub(super) const fn is_review(&self) -> bool {
        self.request_value.is_some()
    }

    /// Whether a violation is about the request, as far as somebody wrote one.
    pub(super) fn is_about_request(&self, violation: &Violation) -> bool {
        self.request_value.is_some() && violation.code.is_about_request()
    }

    /// Where in the document a violation about the request is.
    pub(super) fn request_span(&self, violation: &Violation) -> Range<usize> {
        let Some(request) = self.request_value.or_else(|| self.document.tree.root()) else {
            return 0..0;
        };
        let steps = violation.place.split('.').skip(1).map(Step::key);
        let place = request.locate(&Location(steps.collect()));
        match place.key {
            Some(key) => key,
            None => place.span.start..place.span.start + 1,
        }
    }
}

/// Whether a value is a request, without the `AdmissionReview` around it.
fn is_request(root: Value<'_>) -> bool {
    root.get("apiVersion").is_none()
        && root.get("operation").is_some()
        && (root.get("uid").is_some() || root.get("object").is_some())
}

/// A request as Kubewarden hands it on, which reads it and writes it anew: keys in order, so that the
/// lines of a message stand in the order of the cluster's.
fn handed_on(request: &str) -> String {
    serde_json::from_str::<serde_json::Value>(request)
        .map_or_else(|_| request.to_owned(), |value| value.to_string())
}

/// The question in an `AdmissionReview`.
fn of_review<'d>(
    document: &'d Document<'d>,
    root: Value<'d>,
    request: Option<Value<'d>>,
) -> Question<'d> {
    let member = |key| {
        request
            .and_then(|request| request.get(key))
            .filter(|value: &Value<'_>| !value.is_null())
    };
    let text = |way: &[&str]| {
        request
            .and_then(|request| request.text_at(way))
            .map(std::borrow::Cow::into_owned)
    };
    let object_value = member("object").or_else(|| member("oldObject"));
    let read = object_value.and_then(object);
    let group = text(&["kind", "group"]).unwrap_or_default();
    let version = text(&["kind", "version"]).unwrap_or_default();
    let kind = text(&["kind", "kind"]).unwrap_or_default();
    let resource = text(&["resource", "resource"])
        .or_else(|| read.as_ref().map(Object::resource))
        .unwrap_or_default();
    let in_namespace = text(&["namespace"]).filter(|namespace| !namespace.is_empty());
    let mut name = match &read {
        Some(object) => object.full_name(in_namespace.as_deref().unwrap_or_default()),
        None => ObjectName {
            api_version: if group.is_empty() {
                version.clone()
            } else {
                format!("{group}/{version}")
            },
            kind,
            name: text(&["name"]).unwrap_or_default(),
            namespace: None,
            built_by: Vec::new(),
        },
    };
    name.namespace = in_namespace;
    Question {
        document,
        request: handed_on(request.map_or("null", Value::json)),
        request_value: Some(request.unwrap_or(root)),
        object_value,
        name,
        operation: text(&["operation"]).unwrap_or_default(),
        group,
        version,
        resource,
        sub_resource: text(&["subResource"]).filter(|name| !name.is_empty()),
    }
}
