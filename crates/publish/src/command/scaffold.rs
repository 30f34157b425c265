//! `policy-host scaffold`: files that are made of others.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use policy_runner::{Metadata, command::document};
use serde_json::Value;

use crate::artifact_hub::{Bundle, Package, bundle_name};

/// Write files that are made of others.
#[derive(Args)]
pub struct Scaffold {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(name = "artifacthub")]
    ArtifactHub(ArtifactHub),
    Chart(Chart),
}

/// Write artifacthub-pkg.yml, which Artifact Hub and Rancher read.
///
/// It has the fields that `kwctl scaffold artifacthub` gives it.
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct ArtifactHub {
    /// The metadata
    #[arg(short, long, value_name = "FILE", default_value = "metadata.yml")]
    metadata_path: PathBuf,

    /// The form for Rancher [default: questions-ui.yml, if there is one]
    #[arg(short, long, value_name = "FILE")]
    questions_path: Option<PathBuf>,

    /// When this version was made, as in `2026-01-31T12:00:00Z` [default: now]
    #[arg(long, value_name = "TIME")]
    created_at: Option<Timestamp>,

    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Write a Helm chart of the type `kubewarden-policy`, which Rancher's UI lists from any Helm repository.
///
/// Without a bundle, its user writes `policies` into the values; with one, it installs the policies of the
/// bundle.
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct Chart {
    /// The metadata
    #[arg(short, long, value_name = "FILE", default_value = "metadata.yml")]
    metadata_path: PathBuf,

    /// The form for Rancher [default: questions-ui.yml, if there is one]
    #[arg(short, long, value_name = "FILE")]
    questions_path: Option<PathBuf>,

    /// A folder with policies and a kustomization.yaml that names them
    #[arg(short, long, value_name = "FOLDER")]
    bundle: Option<PathBuf>,

    /// The folder to write the chart into, which must not be there yet
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

const QUESTIONS: &str = "questions-ui.yml";

const HEADER: &str = "\
# The policy on https://artifacthub.io. Made of metadata.yml and questions-ui.yml:
#   policy-host scaffold artifacthub -o artifacthub-pkg.yml
";

impl Scaffold {
    /// Writes the file or the chart, a file to `out` where no path is given.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read or written, or says nothing that Artifact Hub takes.
    pub fn execute(&self, out: &mut dyn Write) -> Result<()> {
        match &self.what {
            What::ArtifactHub(artifact_hub) => artifact_hub.execute(out),
            What::Chart(chart) => chart.execute(),
        }
    }
}

impl ArtifactHub {
    fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let metadata: Metadata = yaml_serde::from_str(&document::text(&self.metadata_path)?)
            .with_context(|| document::name(&self.metadata_path))?;
        let questions = questions(self.questions_path.as_deref())?;
        let created_at = self.created_at.unwrap_or_else(Timestamp::now);
        let package = Package::new(&metadata, created_at, questions.as_deref())
            .with_context(|| document::name(&self.metadata_path))?;
        let text = format!("{HEADER}{}", yaml_serde::to_string(&package)?);
        match &self.output {
            Some(path) => document::write(path, text.as_bytes()),
            None => Ok(out.write_all(text.as_bytes())?),
        }
    }
}

/// The form for Rancher, if there is one.
fn questions(path: Option<&Path>) -> Result<Option<String>> {
    match path {
        Some(path) => document::text(path).map(Some),
        None if Path::new(QUESTIONS).exists() => document::text(Path::new(QUESTIONS)).map(Some),
        None => Ok(None),
    }
}

impl Chart {
    fn execute(&self) -> Result<()> {
        let metadata: Metadata = yaml_serde::from_str(&document::text(&self.metadata_path)?)
            .with_context(|| document::name(&self.metadata_path))?;
        let questions = questions(self.questions_path.as_deref())?;
        let package = Package::new(&metadata, Timestamp::now(), questions.as_deref())
            .with_context(|| document::name(&self.metadata_path))?;
        let bundle = self.bundle.as_deref().map(read_bundle).transpose()?;
        let folder = self.bundle.as_deref().unwrap_or(Path::new(""));
        let readme = document::text(&folder.join("README.md"))?;
        let files = package.chart(bundle.as_ref(), questions.as_deref(), &readme)?;
        fs::create_dir(&self.output)
            .with_context(|| format!("cannot make `{}`", self.output.display()))?;
        fs::create_dir(self.output.join("templates"))?;
        for (name, text) in files {
            document::write(&self.output.join(name), text.as_bytes())?;
        }
        Ok(())
    }
}

/// The policies that the kustomization of a folder names.
fn read_bundle(folder: &Path) -> Result<Bundle> {
    let read = |name: &str| -> Result<Value> {
        let path = folder.join(name);
        yaml_serde::from_str(&document::text(&path)?).with_context(|| document::name(&path))
    };
    let kustomization = read("kustomization.yaml")?;
    let resources = kustomization.get("resources").and_then(Value::as_array);
    let names = resources.into_iter().flatten().filter_map(Value::as_str);
    let policies: Vec<_> = names.map(read).collect::<Result<_>>()?;
    if policies.is_empty() {
        bail!(
            "{}: no resources in its kustomization.yaml",
            folder.display()
        );
    }
    let name = fs::canonicalize(folder)?;
    let name = bundle_name(&name).context("the bundle has no name")?;
    Ok(Bundle {
        name: name.to_owned(),
        policies,
    })
}
