//! What manifests and a cluster would run, without any settings.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use rollout_guard::workload::ImagePlaces;

use super::audit::Judging;
use super::audit::rows::{Row, fold};
use crate::cluster::{ClusterArguments, Unread, Wanted, list};
use crate::config::{Config, InForce, Options};
use crate::failure::Failure;
use crate::input::{self, Input};
use crate::judge::Judge;
use crate::manifest;
use crate::object::objects;

/// Manifests, a cluster, or both.
#[derive(Args, Clone, Debug)]
pub(super) struct SurveyArguments {
    /// Manifests: files, folders, or `-` for standard input
    #[arg(value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,

    /// Skip files in folders: a glob as in a `.gitignore`; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,

    #[command(flatten)]
    pub(super) cluster: ClusterArguments,
}

/// What was found.
pub(super) struct Survey {
    /// Workloads and other objects with images; what a workload makes is a part of it.
    pub(super) rows: Vec<Row>,
    pub(super) objects: usize,
    pub(super) unread: Vec<Unread>,
    /// Where it was found, as a comment names it.
    pub(super) source: String,
}

impl Survey {
    /// Reads manifests and the cluster, with images where `image_places` say besides; without manifests the current context, if nothing else is named.
    ///
    /// # Errors
    ///
    /// Where nothing can be read.
    pub(super) fn new(
        arguments: &SurveyArguments,
        image_places: ImagePlaces<'_>,
    ) -> Result<Self, Failure> {
        input::only_once(arguments.paths.iter().chain(&arguments.cluster.cluster))?;
        let options = Options {
            exclude: &arguments.exclude,
            ..Options::default()
        };
        let in_force = InForce::new(options, &Config::find()?)?;
        let judge = Judge {
            image_places,
            ..Judge::new(&[], &[], &in_force.namespace)
        };
        let wanted = Wanted::new(&[]);
        let mut judging = Judging::new(&judge, &wanted);
        let mut unread = Vec::new();
        let mut names = Vec::new();
        for input in &input::find(&arguments.paths, &in_force.exclude).inputs {
            add_manifests(input, &mut judging, &mut unread);
        }
        names.extend(arguments.paths.iter().map(|path| input::name(path)));
        let cluster = &arguments.cluster;
        let is_named = cluster.context.is_some() || !cluster.cluster.is_empty();
        if is_named || arguments.paths.is_empty() {
            unread.extend(
                cluster.read(&|resource| wanted.is(resource), &mut |object| {
                    judging.add(object);
                    Ok(())
                })?,
            );
            names.push(cluster.name());
        }
        judging.finish();
        unread.sort();
        unread.dedup();
        Ok(Self {
            rows: fold(&judging.records),
            objects: judging.objects(),
            unread,
            source: names.join(", "),
        })
    }
}

/// Adds the objects of a file.
fn add_manifests(input: &Input, judging: &mut Judging<'_>, unread: &mut Vec<Unread>) {
    let name = input::name(input.path());
    let text = match input.read() {
        Ok(read) => read.text,
        Err(problem) if problem.may_be_manifest => {
            unread.push(Unread::new(name, problem.problem));
            return;
        }
        Err(_) => return,
    };
    if text.contains("{{") && input::chart_of(input.path()).is_some() {
        unread.push(Unread::new(name, "a template, not rendered"));
        return;
    }
    manifest::documents(&text, &mut |part| match part {
        Ok(document) => {
            for object in objects(&document.tree).into_iter().flatten() {
                let api_version = object.full_name("").api_version;
                judging.add(list::with_kind(
                    object.value.json(),
                    &api_version,
                    &object.kind,
                ));
            }
        }
        Err(_) if text.contains("{{") => {
            unread.push(Unread::new(name.clone(), "a template, not rendered"));
        }
        Err(error) if manifest::may_be_manifest(&text) => {
            unread.push(Unread::new(name.clone(), error.problem));
        }
        Err(_) => {}
    });
}
