//! How images are listed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use clap::ValueEnum;
use rollout_guard::image::Reference;
use serde_json::json;

use super::Image;
use crate::failure::printable;
use crate::manifest::writer::write;
use crate::report::count;

/// The form of a list of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ImagesFormat {
    /// Readable table
    #[default]
    Table,
    /// One JSON document
    Json,
    /// What is pulled, one image a line
    List,
    /// What `skopeo sync` reads to fill the mirrors
    Skopeo,
}

/// Writes a list.
pub(super) fn write_images(
    out: &mut dyn Write,
    images: &[Image],
    format: ImagesFormat,
    to: Option<&str>,
) -> io::Result<()> {
    match format {
        ImagesFormat::Table => table(out, images),
        ImagesFormat::Json => {
            let images: Vec<_> = images
                .iter()
                .map(|image| {
                    let users: Vec<_> = image.users.iter().map(|user| json!({
                        "apiVersion": user.api_version, "kind": user.kind, "namespace": user.namespace, "name": user.name,
                    })).collect();
                    json!({ "image": image.name, "pulledFrom": image.pulled, "usedBy": users })
                })
                .collect();
            writeln!(out, "{:#}", json!({ "images": images }))
        }
        ImagesFormat::List => {
            let pulled: BTreeSet<_> = images.iter().flat_map(|image| &image.pulled).collect();
            pulled.iter().try_for_each(|image| writeln!(out, "{image}"))
        }
        ImagesFormat::Skopeo => skopeo(out, images, to),
    }
}

fn table(out: &mut dyn Write, images: &[Image]) -> io::Result<()> {
    let rows = images.iter().map(|image| {
        let namespaces: BTreeSet<_> = image
            .users
            .iter()
            .filter_map(|user| user.namespace.as_ref())
            .collect();
        let pulled: Vec<_> = image
            .pulled
            .iter()
            .filter(|pulled| **pulled != image.name)
            .cloned()
            .collect();
        let first = image
            .users
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let used = match image.users.len() {
            1 => first,
            more => format!(
                "{} in {}",
                count(more, "object", "objects"),
                count(namespaces.len(), "namespace", "namespaces")
            ),
        };
        let pulled = if pulled.is_empty() {
            "-".to_owned()
        } else {
            pulled.join(", ")
        };
        [image.name.clone(), pulled, used].map(|cell| printable(&cell))
    });
    let heading = ["IMAGE", "PULLED FROM", "USED BY"].map(ToOwned::to_owned);
    let rows: Vec<_> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    for [image, pulled, used] in &rows {
        writeln!(out, "{image:first$}  {pulled:second$}  {used}")?;
    }
    Ok(())
}

/// By the arguments of skopeo: host, then repository, then tags and digests.
type Copies = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeSet<String>>>>;

/// Writes a source file of `skopeo sync` for each destination. skopeo puts the last part of each
/// repository below the destination, so what is called otherwise there is a command of its own.
fn skopeo(out: &mut dyn Write, images: &[Image], to: Option<&str>) -> io::Result<()> {
    let mut copies = Copies::new();
    let mut renamed = BTreeSet::new();
    for image in images {
        for target in image.pulled.iter().filter(|target| **target != image.name) {
            let is_wanted = to.is_none_or(|to| {
                let to = to.trim_end_matches('/');
                target
                    .strip_prefix(to)
                    .is_some_and(|rest| rest.starts_with(['/', ':', '@']))
            });
            if !is_wanted {
                continue;
            }
            match synced(&image.name, target) {
                Some((destination, host, repository, version)) => {
                    let hosts = copies.entry(destination).or_default();
                    let repositories = hosts.entry(host).or_default();
                    repositories.entry(repository).or_default().insert(version);
                }
                None => {
                    renamed.insert(format!(
                        "# skopeo copy --all docker://{} docker://{target}",
                        without_tag_of_digest(&image.name)
                    ));
                }
            }
        }
    }
    let is_empty = copies.is_empty() && renamed.is_empty();
    if is_empty {
        return writeln!(out, "# No image has a mirror to be copied to.");
    }
    for (position, (arguments, hosts)) in copies.iter().enumerate() {
        if position > 0 {
            writeln!(out, "---")?;
        }
        writeln!(
            out,
            "# skopeo sync --all --src yaml --dest docker {arguments}"
        )?;
        if copies.len() > 1 {
            let destination = arguments.rsplit(' ').next().unwrap_or_default();
            writeln!(out, "# This part alone: --to {destination}")?;
        }
        let hosts: serde_json::Map<_, _> = hosts
            .iter()
            .map(|(host, repositories)| (host.clone(), json!({ "images": repositories })))
            .collect();
        writeln!(out, "{}", write(&serde_json::Value::Object(hosts), 0))?;
    }
    if !renamed.is_empty() {
        writeln!(out, "# Called otherwise in the mirror:")?;
    }
    renamed.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Arguments, host, repository, and tag or digest of a copy that `skopeo sync` can make: below the
/// destination, the last part of the repository, or with `--scoped` host and repository.
fn synced(from: &str, target: &str) -> Option<(String, String, String, String)> {
    let (from, target) = (Reference::parse(from).ok()?, Reference::parse(target).ok()?);
    let version = match target.digest() {
        // The digest decides what is pulled.
        Some(digest) if from.digest() == Some(digest) => digest,
        None if target.tag() == from.tag() => target.tag()?,
        _ => return None,
    };
    let whole = format!("{}/{}", target.host(), target.path());
    let scope = format!("/{}/{}", from.host(), from.path());
    let copy = |destination: String| {
        let (host, repository) = (from.host().to_owned(), from.path().to_owned());
        (destination, host, repository, version.to_owned())
    };
    if let Some(destination) = whole.strip_suffix(&scope) {
        return Some(copy(format!("--scoped FILE {destination}")));
    }
    let (above, last) = target
        .path()
        .rsplit_once('/')
        .unwrap_or(("", target.path()));
    let last_from = from.path().rsplit('/').next()?;
    let destination = if above.is_empty() {
        target.host().to_owned()
    } else {
        format!("{}/{above}", target.host())
    };
    (last == last_from).then(|| copy(format!("FILE {destination}")))
}

/// An image as skopeo takes it: with a tag or a digest, not with both.
fn without_tag_of_digest(image: &str) -> String {
    match Reference::parse(image) {
        Ok(reference) => match reference.digest() {
            Some(digest) => format!("{}/{}@{digest}", reference.host(), reference.path()),
            None => image.to_owned(),
        },
        Err(_) => image.to_owned(),
    }
}
