//! What a registry keeps of this project: policies, and bundles of settings.

mod bundle;
mod policy;

pub use bundle::{BUNDLE_TYPE, Bundle, BundleError, FileError};
pub use policy::PolicyError;

use std::collections::{BTreeMap, BTreeSet};

use oci_client::{
    client::{Config, ImageLayer},
    manifest::{OciDescriptor, OciImageManifest, WASM_LAYER_MEDIA_TYPE},
};
use olpc_cjson::CanonicalFormatter;
use serde::Serialize;
use serde_json::Serializer;

/// Something to push: a manifest and what it names.
pub struct Artifact {
    manifest: OciImageManifest,
    blobs: Vec<ImageLayer>,
}

/// What an artifact is, and the layers that hold it.
pub enum ArtifactKind<'a> {
    /// A policy: one wasm file.
    Policy(&'a OciDescriptor),
    /// A bundle of settings: files by their paths.
    Bundle(BTreeMap<String, &'a OciDescriptor>),
}

impl Artifact {
    /// The config stands first, as the smallest.
    fn new(
        layers: Vec<ImageLayer>,
        config_type: &str,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let config = Config::new(CONFIG.to_vec(), config_type.to_owned(), None);
        let annotations = (!annotations.is_empty()).then_some(annotations);
        let manifest = OciImageManifest::build(&layers, &config, annotations);
        let config = ImageLayer::new(config.data, config.media_type, None);
        Self {
            manifest,
            blobs: [vec![config], layers].concat(),
        }
    }

    /// What stands in the registry under the artifact's name, in the form that always has the same
    /// digest.
    pub(crate) fn manifest(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut json = Serializer::with_formatter(&mut bytes, CanonicalFormatter::new());
        self.manifest.serialize(&mut json)?;
        Ok(bytes)
    }

    /// What the manifest names, each content once.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &ImageLayer> {
        let mut pushed = BTreeSet::new();
        self.blobs
            .iter()
            .filter(move |blob| pushed.insert(blob.sha256_digest()))
    }
}

impl<'a> ArtifactKind<'a> {
    /// What a manifest stands for, if it is known here.
    ///
    /// # Errors
    ///
    /// With what it is instead.
    pub fn of(manifest: &'a OciImageManifest) -> Result<Self, String> {
        if manifest.artifact_type.as_deref() == Some(BUNDLE_TYPE) {
            return Bundle::layers(manifest)
                .map(Self::Bundle)
                .map_err(|error| format!("a broken bundle: {error}"));
        }
        match manifest.layers.as_slice() {
            [layer] if layer.media_type == WASM_LAYER_MEDIA_TYPE => Ok(Self::Policy(layer)),
            [] => Err("no policy: it has no layers".to_owned()),
            [layer, ..] if layer.media_type == WASM_LAYER_MEDIA_TYPE => {
                Err("no policy: it has several layers".to_owned())
            }
            [layer, ..] => Err(format!(
                "neither a policy nor a bundle: its layer is `{}`, expected \
                 `{WASM_LAYER_MEDIA_TYPE}`",
                layer.media_type
            )),
        }
    }
}

/// The config of policies and bundles says nothing.
const CONFIG: &[u8] = b"{}";
