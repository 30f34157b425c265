//! A policy as kwctl pushes it (`kwctl`, `push.rs`; `policy-fetcher`, `registry/mod.rs`).

use std::collections::BTreeMap;

use oci_client::{
    annotations::ORG_OPENCONTAINERS_IMAGE_SOURCE,
    client::ImageLayer,
    manifest::{WASM_CONFIG_MEDIA_TYPE, WASM_LAYER_MEDIA_TYPE},
};
use thiserror::Error;

use super::Artifact;
use policy_runner::{WasmFile, metadata::SOURCE, wasm_file::WasmFileError};

/// Why a file is not pushed.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Not a policy that this host can run.
    #[error(transparent)]
    WasmFile(#[from] WasmFileError),
    /// policy-server would refuse it.
    #[error("not annotated, policy-server needs the metadata that `annotate` adds")]
    NotAnnotated,
}

impl Artifact {
    /// A policy with its metadata: one layer, and the annotations of its metadata.
    ///
    /// # Errors
    ///
    /// When the file is not an annotated policy.
    pub fn policy(wasm: Vec<u8>) -> Result<Self, PolicyError> {
        let file = WasmFile::read(&wasm)?;
        file.check()?;
        let metadata = file.metadata()?.ok_or(PolicyError::NotAnnotated)?;
        let annotations = oci_annotations(metadata.annotations.unwrap_or_default());
        let layer = ImageLayer::new(wasm, WASM_LAYER_MEDIA_TYPE.to_owned(), None);
        Ok(Self::new(vec![layer], WASM_CONFIG_MEDIA_TYPE, annotations))
    }
}

/// The annotations of one line, and where the source is in the words of OCI, which is what tools
/// that propose updates look for.
fn oci_annotations(annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut annotations: BTreeMap<_, _> = annotations
        .into_iter()
        .filter(|(_, value)| value.lines().count() <= 1)
        .map(|(key, value)| (key, value.trim().to_owned()))
        .collect();
    if let Some(source) = annotations.get(SOURCE).cloned() {
        annotations
            .entry(ORG_OPENCONTAINERS_IMAGE_SOURCE.to_owned())
            .or_insert(source);
    }
    annotations
}
