//! `rollout-guard images`: every image that would run, and where it is pulled from.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rollout_guard::image::Reference;
use rollout_guard::json;
use rollout_guard::mirror::{Mirror, Rewrite};
use rollout_guard::request::Request;
use rollout_guard::settings::Settings;
use serde_json::json;

use super::survey::{Survey, SurveyArguments};
use crate::cluster::Unread;
use crate::config::{Config, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error, warn};
use crate::finding::ObjectName;
use crate::judge::{Judge, NotAsked, image_places};
use crate::manifest;
use crate::object::object;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings, settings_of};

use report::ImagesFormat;

/// List every image that manifests or a cluster run, and where it is pulled from
///
/// Each image once, in its normal form. With settings, from where Pods pull it: its mirror, if it has one.
/// Whether the images are there is what `policy-host images --missing` asks.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard images deploy/
  rollout-guard images -s settings.yaml --format list |
    policy-host images --missing -
  rollout-guard images -s settings.yaml --context prod \\
    --format skopeo > mirror.yaml")]
pub(crate) struct Images {
    #[command(flatten)]
    survey: SurveyArguments,

    /// The settings with mirrors, or a policy of Kubewarden that holds them
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Of the images to copy with skopeo only those that go below this address
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,

    /// Format of the list
    #[arg(long, value_enum, default_value_t)]
    format: ImagesFormat,
}

/// An image.
pub(super) struct Image {
    /// In its normal form.
    pub(super) name: String,
    /// From where it is pulled: more than one place where mirrors are for some namespaces only.
    pub(super) pulled: BTreeSet<String>,
    pub(super) users: Vec<ObjectName>,
}

impl Images {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let options = Options {
            settings: self.settings.as_deref(),
            ..Options::default()
        };
        let in_force = InForce::new(options, &Config::find()?)?;
        let path = in_force.settings.as_deref();
        let stdin = path.into_iter().map(Path::to_owned).collect::<Vec<_>>();
        let named = stdin
            .iter()
            .chain(&self.survey.paths)
            .chain(&self.survey.cluster.cluster);
        crate::input::only_once(named)?;
        let file = path.map(SettingsFile::read).transpose()?;
        let documents = match &file {
            Some(file) => file.documents()?,
            None => Vec::new(),
        };
        let sources = match &file {
            Some(file) => file.sources(&documents)?,
            None => Vec::new(),
        };
        let read = settings_of(&sources)?;
        let valid = match &file {
            Some(file) => settings(file, &sources, &read)?,
            None => Vec::new(),
        };
        let mirrors: Vec<_> = valid.iter().map(only_mirrors).collect();
        let judge = Judge {
            image_places: image_places(&valid),
            ..Judge::new(&sources, &mirrors, &in_force.namespace)
        };
        let survey = Survey::new(&self.survey, judge.image_places.clone())?;
        let images = images(&survey, &judge);
        for Unread { what, problem } in &survey.unread {
            error(&format!("not read: {what}: {problem}"));
        }
        if images.is_empty() {
            return Err(Failure::unreadable(format!(
                "no image in {}",
                count(survey.objects, "object", "objects")
            )));
        }
        report::write_images(out, &images, self.format, self.to.as_deref())?;
        Ok(if survey.unread.is_empty() {
            Exit::Clean
        } else {
            Exit::Unreadable
        })
    }
}

/// Settings as far as they say where images are pulled from.
fn only_mirrors<'s>(settings: &Settings<'s>) -> Settings<'s> {
    if settings.rewrite == Rewrite::Never {
        return Settings::default();
    }
    let mirrors = settings.mirrors.iter().cloned();
    Settings {
        mirrors: mirrors
            .map(|mirror| Mirror {
                pull_secrets: Vec::new(),
                check_exists: false,
                ..mirror
            })
            .collect(),
        exemptions: settings.exemptions.clone(),
        clock: settings.clock,
        ..Settings::default()
    }
}

/// The images of what was found, in order of their names.
fn images(survey: &Survey, judge: &Judge<'_>) -> Vec<Image> {
    let mut found: BTreeMap<String, Image> = BTreeMap::new();
    let mut pulled: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
    let mut unparsable = BTreeSet::new();
    for row in &survey.rows {
        let name = &row.record.name;
        for written in &row.record.images {
            let Ok(reference) = Reference::parse(written) else {
                unparsable.insert(format!("{name}: `{written}` is not an image reference"));
                continue;
            };
            let normal = tagged(&reference);
            let place = (written.clone(), name.namespace.clone());
            let from = pulled
                .entry(place)
                .or_insert_with(|| pulled_from(judge, written, name.namespace.as_deref()));
            let image = found.entry(normal.clone()).or_insert_with(|| Image {
                name: normal,
                pulled: BTreeSet::new(),
                users: Vec::new(),
            });
            image.pulled.insert(from.clone());
            if image.users.last().map(ToString::to_string) != Some(name.to_string()) {
                image.users.push(name.clone());
            }
        }
    }
    for problem in unparsable {
        warn(&problem);
    }
    found.into_values().collect()
}

/// A reference in its normal form, with the tag that none stands for.
fn tagged(reference: &Reference<'_>) -> String {
    if reference.tag().is_none() && reference.digest().is_none() {
        format!("{}/{}:latest", reference.host(), reference.path())
    } else {
        reference.to_string()
    }
}

/// From where a Pod in a namespace pulls an image, in its normal form.
fn pulled_from(judge: &Judge<'_>, image: &str, namespace: Option<&str>) -> String {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "generateName": "images-", "namespace": namespace },
        "spec": { "containers": [{ "name": "image", "image": image }] },
    });
    let text = pod.to_string();
    let documents = manifest::readable(&text);
    let root = documents.first().and_then(|document| document.tree.root());
    let mut image = image.to_owned();
    if let Some(pod) = root.and_then(object) {
        let mut request = String::new();
        pod.write_request(judge.namespace, &judge.identity, &mut request);
        for (source, policy) in &judge.policies {
            let namespace = pod.in_namespace(judge.namespace);
            if !source.covers_pods(namespace) || source.is_mutating == Some(false) {
                continue;
            }
            let json = json::Document::of(&request);
            let Ok(request) = Request::of(&json) else {
                continue;
            };
            let mutated = policy.evaluate_with(request, &NotAsked).mutated_object;
            let mutated =
                mutated.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            let new = mutated
                .as_ref()
                .and_then(|pod| pod.pointer("/spec/containers/0/image")?.as_str());
            if let Some(new) = new {
                new.clone_into(&mut image);
                break;
            }
        }
    }
    Reference::parse(&image).map_or(image.clone(), |reference| tagged(&reference))
}
