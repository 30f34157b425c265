//! The images in objects, as they are written and as they will run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use rollout_guard::json::{self, Location};
use rollout_guard::policy::Policy;
use rollout_guard::request::{Operation, Request};
use rollout_guard::splice;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use rollout_guard::workload::Found;

use super::{Judge, NotAsked};
use crate::finding::Severity;
use crate::installed::{self, Installed};
use crate::manifest::{self, Document};
use crate::object::{Object, objects};
use crate::policy_file::Source;

/// What a policy says of an image that an object has installed.
pub(super) struct PodVerdict<'p> {
    pub(super) source: &'p Source<'p>,
    pub(super) findings: Vec<(Severity, Violation)>,
    /// What is run in its place.
    pub(super) mirror: Option<String>,
}

/// An image that an object has installed, and that would run from a mirror.
#[derive(Clone, Debug)]
pub struct InstalledMirror {
    /// Where it is in the file.
    pub span: Range<usize>,
    /// As messages show it.
    pub place: String,
    /// The image.
    pub image: String,
    /// Its mirror.
    pub mirror: String,
}

impl Judge<'_> {
    /// The images that an object has installed, and that would run from a mirror.
    pub fn installed_mirrors(
        &self,
        document: &Document<'_>,
        object: &Object<'_>,
        text: &str,
    ) -> Vec<InstalledMirror> {
        let text = text.get(document.offset..).unwrap_or_default();
        let mirrored = installed::images(object).into_iter().filter_map(|image| {
            let mut verdicts = self.as_pod(object, &image).into_iter();
            let mirror = verdicts.find_map(|verdict| verdict.mirror)?;
            Some(InstalledMirror {
                span: document.in_file(&image.span(object.value, text)),
                place: image.place,
                image: image.image,
                mirror,
            })
        });
        mirrored.collect()
    }

    /// What the policies that are asked about Pods say of an image that an object has installed.
    pub(super) fn as_pod(&self, object: &Object<'_>, image: &Installed) -> Vec<PodVerdict<'_>> {
        let namespace = installed::namespace(object);
        let namespace = namespace.as_deref().or(object.namespace.as_deref());
        let namespace = namespace.unwrap_or(self.namespace);
        let mut pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"#.to_owned();
        json::write_string(&mut pod, &format!("{}-", object.name));
        pod.push_str(r#","namespace":"#);
        json::write_string(&mut pod, namespace);
        pod.push_str(r#"},"spec":{"containers":[{"name":"image","image":"#);
        json::write_string(&mut pod, &image.image);
        pod.push_str("}]}}");
        let mut verdicts = Vec::new();
        manifest::documents(&pod, &mut |part| {
            let Ok(document) = part else { return };
            for pod in objects(&document.tree).into_iter().flatten() {
                let mut text = String::new();
                pod.write_request(namespace, &self.identity, &mut text);
                for (source, policy) in &self.policies {
                    if !source.covers(&pod, namespace) {
                        continue;
                    }
                    let json = json::Document::of(&text);
                    let verdict = match Request::of(&json) {
                        Err(error) => Verdict::unreadable(None, &error),
                        Ok(request) => policy.evaluate_with(request, &NotAsked),
                    };
                    let with = |severity| move |violation: Violation| (severity, violation);
                    let refusing = verdict.violations.into_iter().map(with(Severity::Error));
                    let warning = verdict.warnings.into_iter().map(with(Severity::Warning));
                    let of_image = refusing.chain(warning).filter(|(_, violation)| {
                        // The chart has a tag where the values have none.
                        let list = violation.code.list();
                        let is_of_tag = matches!(list, Some(("tags" | "digests", _)));
                        let is_image = violation.path.to_string() == "spec.containers[0].image";
                        is_image && (image.has_tag || !is_of_tag)
                    });
                    let mirror = verdict
                        .edits
                        .into_iter()
                        .find_map(|edit| match edit.change {
                            splice::Change::Set(mirror) => Some(mirror),
                            _ => None,
                        });
                    verdicts.push(PodVerdict {
                        source,
                        findings: of_image.collect(),
                        mirror,
                    });
                }
            }
        });
        verdicts
    }

    /// The number of images in a request.
    pub(super) fn images(&self, request: &Request<'_>) -> usize {
        let found = self.found(request);
        let images = found
            .iter()
            .filter(|found| matches!(found, Found::Image(_)));
        images.count()
    }

    /// The places of the images in a request, and for each the mirror that one of the policies has it
    /// pulled from.
    pub(super) fn images_of(
        &self,
        policy: usize,
        text: &str,
    ) -> HashMap<Location<'static>, Option<String>> {
        let json = json::Document::of(text);
        let Ok(mut request) = Request::of(&json) else {
            return HashMap::new();
        };
        let found = self.found(&request);
        let mut images: HashMap<_, _> = found
            .iter()
            .filter_map(|found| match found {
                Found::Image(image) => Some((image.exact_place().detached(), None)),
                Found::Malformed(_) => None,
            })
            .collect();
        drop(found);
        // A Pod runs what it says, once it is there; new ones of a workload come from the mirror.
        let is_pod = request.kind.group.is_empty() && request.kind.kind == "Pod";
        let is_there = is_pod && request.operation == Operation::Update;
        request.operation = Operation::Create;
        if let Some(mirrors) = self.mirrors.get(policy)
            && !mirrors.mirrors.is_empty()
            && !is_there
            && let Some(object) = request.object.as_ref().map(|object| object.value)
        {
            let edits = Policy::new(mirrors).evaluate_with(request, &NotAsked).edits;
            let paths = splice::paths(object, &edits);
            for (edit, path) in edits.into_iter().zip(paths) {
                let image = images.get_mut(&path);
                if let (Some(mirror), splice::Change::Set(text)) = (image, edit.change) {
                    *mirror = Some(text);
                }
            }
        }
        images
    }

    /// What is found in the object of a request, by its shape and by the settings.
    pub(super) fn found<'a, 'r>(&self, request: &'a Request<'r>) -> Cow<'a, [Found<'r>]> {
        let Some(object) = &request.object else {
            return Cow::Borrowed(&[]);
        };
        let mut object = object.clone();
        self.image_places.add_images(&mut object, &request.kind);
        Cow::Owned(object.found)
    }

    /// The images of an object, as they are written.
    pub fn image_texts(&self, object: &Object<'_>) -> Vec<String> {
        let mut text = String::new();
        object.write_request(self.namespace, &self.identity, &mut text);
        let json = json::Document::of(&text);
        let Ok(request) = Request::of(&json) else {
            return Vec::new();
        };
        let found = self.found(&request);
        let images = found.iter().filter_map(|found| match found {
            Found::Image(image) => Some(image.text.to_string()),
            Found::Malformed(_) => None,
        });
        images.collect()
    }

    /// Whether an object has images, or is of a kind that is for running them.
    pub fn may_run_images(&self, object: &Object<'_>) -> bool {
        let mut text = String::new();
        object.write_request(self.namespace, &self.identity, &mut text);
        object.group_kind().pod_spec().is_some()
            || Request::of(&json::Document::of(&text))
                .map_or(true, |request| !self.found(&request).is_empty())
    }
}
