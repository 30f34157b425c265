//! `annotate`: a policy with its metadata.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::document;
use crate::{
    Host, Metadata,
    metadata::{ANNOTATOR, ProtocolVersion, USAGE},
    wasm_file,
};

/// Write a policy with its metadata, as policy-server needs it.
///
/// The metadata are checked as kwctl checks them, and the policy is asked for its protocol version.
/// The file is the given one with the section `io.kubewarden.metadata` appended. The annotation
/// `io.kubewarden.kwctl`, where kwctl leaves its version, names this tool and its version.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Annotate {
    /// The metadata, usually `metadata.yml`
    #[arg(short, long, value_name = "FILE")]
    metadata_path: PathBuf,

    /// What becomes the annotation `io.kubewarden.policy.usage`, usually `README.md`
    #[arg(short, long, value_name = "FILE")]
    usage_path: Option<PathBuf>,

    /// Where to write the annotated policy
    #[arg(short, long, value_name = "FILE")]
    output_path: PathBuf,

    /// The policy as the compiler made it, a wasm file
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
}

impl Annotate {
    /// Writes the annotated file.
    ///
    /// # Errors
    ///
    /// When the metadata or the policy cannot be used, or the file cannot be written.
    pub fn execute(&self) -> Result<()> {
        let mut metadata: Metadata = yaml_serde::from_str(&document::text(&self.metadata_path)?)
            .with_context(|| document::name(&self.metadata_path))?;
        metadata
            .check()
            .with_context(|| document::name(&self.metadata_path))?;
        let annotations = metadata.annotations.get_or_insert_default();
        if let Some(path) = &self.usage_path {
            annotations.insert(USAGE.to_owned(), document::text(path)?);
        }
        annotations.insert(
            ANNOTATOR.to_owned(),
            // The file is the same whichever of the two programs wrote it.
            concat!("policy-host ", env!("CARGO_PKG_VERSION")).to_owned(),
        );
        metadata.protocol_version = Some(ProtocolVersion::V1);

        let wasm = document::bytes(&self.policy)?;
        let annotated = wasm_file::annotate(&wasm, &metadata)
            .map_err(anyhow::Error::new)
            .and_then(|annotated| {
                // The annotated file is the one that will be loaded.
                Host::from_bytes(&annotated)?.check_protocol()?;
                Ok(annotated)
            })
            .with_context(|| document::name(&self.policy))?;
        document::write(&self.output_path, &annotated)
    }
}
