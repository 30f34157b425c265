//! `policy-host scaffold`: files that are made of others.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use policy_runner::{Metadata, command::document};

use crate::artifact_hub::Package;

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

const QUESTIONS: &str = "questions-ui.yml";

const HEADER: &str = "\
# The policy on https://artifacthub.io. Made of metadata.yml and questions-ui.yml:
#   policy-host scaffold artifacthub -o artifacthub-pkg.yml
";

impl Scaffold {
    /// Writes the file, to `out` where no path is given.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read or written, or says nothing that Artifact Hub takes.
    pub fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let What::ArtifactHub(artifact_hub) = &self.what;
        artifact_hub.execute(out)
    }
}

impl ArtifactHub {
    fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let metadata: Metadata = yaml_serde::from_str(&document::text(&self.metadata_path)?)
            .with_context(|| document::name(&self.metadata_path))?;
        let questions = match &self.questions_path {
            Some(path) => Some(document::text(path)?),
            None if Path::new(QUESTIONS).exists() => Some(document::text(Path::new(QUESTIONS))?),
            None => None,
        };
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
