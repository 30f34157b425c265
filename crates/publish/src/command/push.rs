//! `policy-host push`: a policy or a bundle into a registry.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use policy_runner::command::{document, failure::WrongArguments};
use serde_json::json;

use crate::{
    artifact::{Artifact, Bundle},
    registry::{Address, Connection},
};

/// Push a policy, or a bundle of settings, into a registry.
///
/// A wasm file becomes the artifact that `kwctl push` makes of it; it has to be annotated. A folder with
/// a file settings.yaml becomes a bundle, which `policy-host pull`, `oras pull` and Flux read. Both are
/// the same bytes each time.
///
/// Credentials are those of `docker login` (`config.json` in `$DOCKER_CONFIG`, else in `~/.docker`).
/// Plain HTTP is spoken to registries on loopback only, or with --insecure.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Push {
    /// How to say what was pushed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Format,

    /// Speak plain HTTP, whose content and credentials others can read and change
    #[arg(long)]
    insecure: bool,

    /// An annotation of a bundle's manifest, as in `org.opencontainers.image.version=0.1.0`; a policy
    /// has those of its metadata
    #[arg(short, long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,

    /// The policy, an annotated wasm file, or the folder of a bundle
    #[arg(value_name = "POLICY")]
    path: PathBuf,

    /// Where to: `registry://host/repository:tag`, the scheme may be left out
    #[arg(value_name = "ADDRESS")]
    address: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Push {
    /// Pushes, and says to `out` under which digest.
    ///
    /// # Errors
    ///
    /// Where it is no artifact, or the registry does not take it.
    pub fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let address = address(&self.address)?;
        if address.has_digest() {
            return Err(WrongArguments(format!(
                "`{}`: push to a tag, the digest is what comes of it",
                self.address
            ))
            .into());
        }
        let artifact = self.artifact()?;
        let digest = Connection::open(&address, self.insecure)?.push(&artifact)?;
        let immutable = address.immutable(&digest);
        match self.output {
            Format::Text => Ok(writeln!(out, "Policy successfully pushed: {immutable}")?),
            Format::Json => {
                let said = json!({ "immutable_ref": immutable });
                serde_json::to_writer(&mut *out, &said).map_err(io::Error::from)?;
                Ok(writeln!(out)?)
            }
        }
    }

    fn artifact(&self) -> Result<Artifact> {
        let annotations = self.annotations()?;
        if self.path.is_dir() {
            return Bundle::read(&self.path)
                .and_then(|bundle| bundle.artifact(annotations))
                .with_context(|| document::name(&self.path));
        }
        if !annotations.is_empty() {
            return Err(WrongArguments(
                "--annotation: a policy has the annotations of its metadata".to_owned(),
            )
            .into());
        }
        let wasm = document::bytes(&self.path)?;
        Artifact::policy(wasm).with_context(|| document::name(&self.path))
    }

    fn annotations(&self) -> Result<BTreeMap<String, String>> {
        let mut annotations = BTreeMap::new();
        for annotation in &self.annotation {
            let (key, value) = annotation.split_once('=').ok_or_else(|| {
                WrongArguments(format!("--annotation `{annotation}`: expected `KEY=VALUE`"))
            })?;
            annotations.insert(key.to_owned(), value.to_owned());
        }
        Ok(annotations)
    }
}

/// Not by the parser of the command line: its messages repeat what was given, and that may hold a
/// password.
pub(super) fn address(text: &str) -> Result<Address> {
    text.parse()
        .map_err(|error| WrongArguments(format!("{error}")).into())
}
