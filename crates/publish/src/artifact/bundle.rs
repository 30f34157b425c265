//! A bundle of settings: a folder of manifests and texts.
//!
//! Its first layer is all files as an archive, which is what Flux's `OCIRepository` takes unless it is
//! told otherwise (`source-controller`, `ocirepository_controller.go`); every other layer is one file
//! under the name that `oras pull` gives it (`oras-go`, `content/file`), which leaves out the first,
//! as it has none. The same files make the same bytes.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use oci_client::{
    client::ImageLayer,
    manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest},
};
use tar::{EntryType, Header};
use thiserror::Error;

use super::Artifact;

/// What the manifest of a bundle says that it is.
pub const BUNDLE_TYPE: &str = "application/vnd.rollout-guard.bundle.v1";

/// The layer that Flux reads.
const ARCHIVE_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// The config of an artifact that has none.
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// The annotation of a layer with the name of its file.
const TITLE: &str = "org.opencontainers.image.title";

/// What every bundle is about.
const SETTINGS: &str = "settings.yaml";

/// More is a mistake, or an attack: settings are read by people.
const MOST_FILES: usize = 1000;

/// The files of a bundle by their paths, with `/` between the parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
}

/// Why a folder or an artifact is no bundle.
#[derive(Debug, Error)]
pub enum BundleError {
    /// A file or folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A link, a device, or a name that is not UTF-8.
    #[error("`{}`: a bundle holds files and folders, with names in UTF-8", .0.display())]
    NotAFile(PathBuf),
    /// Nothing to push or pull.
    #[error("it holds no files")]
    Empty,
    /// A folder, but of what? It shall not become public by mistake.
    #[error("no bundle: it does not hold `{SETTINGS}`")]
    NoSettings,
    /// Too much.
    #[error(
        "it holds more than {MOST_FILES} files, or {} bytes",
        Bundle::MOST_BYTES
    )]
    TooMuch,
    /// A name that would leave the folder, or stands there twice.
    #[error("`{0}`: the name of a file in it, expected a path below the folder, once")]
    Name(String),
}

/// A file or folder that cannot be read or written.
#[derive(Debug, Error)]
#[error("`{}`: {error}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl Bundle {
    /// The most bytes of all files.
    pub const MOST_BYTES: usize = 16 << 20;

    /// Reads a folder, all of it.
    ///
    /// # Errors
    ///
    /// When something in it cannot be read or is no file, or there are no settings in it.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let mut bundle = Self::default();
        bundle.add_folder(folder, "")?;
        if bundle.files.contains_key(SETTINGS) {
            Ok(bundle)
        } else {
            Err(BundleError::NoSettings)
        }
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), BundleError> {
        for entry in fs::read_dir(folder).map_err(at(folder))? {
            let entry = entry.map_err(at(folder))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(at(&path))?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(BundleError::NotAFile(path));
            };
            if kind.is_dir() {
                self.add_folder(&path, &format!("{prefix}{name}/"))?;
            } else if kind.is_file() {
                let content = fs::read(&path).map_err(at(&path))?;
                self.add(format!("{prefix}{name}"), content);
                check_size(self.files.values().map(Vec::len))?;
            } else {
                return Err(BundleError::NotAFile(path));
            }
        }
        Ok(())
    }

    /// The bundle as it is pushed.
    ///
    /// # Errors
    ///
    /// When a name is too long for the archive.
    pub fn artifact(&self, annotations: BTreeMap<String, String>) -> Result<Artifact, BundleError> {
        let archive = self.archive().map_err(at(Path::new("archive")))?;
        let mut layers = vec![ImageLayer::new(archive, ARCHIVE_TYPE.to_owned(), None)];
        layers.extend(self.files.iter().map(|(name, content)| {
            let title = BTreeMap::from([(TITLE.to_owned(), name.clone())]);
            ImageLayer::new(content.clone(), media_type(name).to_owned(), Some(title))
        }));
        let mut artifact = Artifact::new(layers, EMPTY_TYPE, annotations);
        artifact.manifest.media_type = Some(OCI_IMAGE_MEDIA_TYPE.to_owned());
        artifact.manifest.artifact_type = Some(BUNDLE_TYPE.to_owned());
        Ok(artifact)
    }

    /// All files, without what differs from machine to machine.
    fn archive(&self) -> io::Result<Vec<u8>> {
        let gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        let mut archive = tar::Builder::new(gzip);
        for (name, content) in &self.files {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            archive.append_data(&mut header, name, content.as_slice())?;
        }
        archive.into_inner()?.finish()
    }

    /// The files that the manifest of a bundle names, with their layers.
    ///
    /// # Errors
    ///
    /// When a name leads out of the folder, or there are too many.
    pub fn layers(
        manifest: &OciImageManifest,
    ) -> Result<BTreeMap<String, &OciDescriptor>, BundleError> {
        let mut layers = BTreeMap::new();
        for layer in &manifest.layers {
            let Some(name) = layer
                .annotations
                .as_ref()
                .and_then(|annotations| annotations.get(TITLE))
            else {
                continue;
            };
            let stays_below = Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if name.is_empty() || !stays_below || layers.insert(name.clone(), layer).is_some() {
                return Err(BundleError::Name(name.clone()));
            }
        }
        if layers.is_empty() {
            return Err(BundleError::Empty);
        }
        let sizes = layers.values().map(|layer| usize::try_from(layer.size));
        check_size(sizes.map(|size| size.unwrap_or(usize::MAX)))?;
        Ok(layers)
    }

    /// Adds a file.
    pub fn add(&mut self, name: String, content: Vec<u8>) {
        self.files.insert(name, content);
    }

    /// Writes all files into a folder that is new.
    ///
    /// # Errors
    ///
    /// When one of them cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        fs::create_dir(folder).map_err(at(folder))?;
        for (name, content) in &self.files {
            let path = folder.join(name);
            write_file(&path, content).map_err(at(&path))?;
        }
        Ok(())
    }
}

fn check_size(mut sizes: impl Iterator<Item = usize> + Clone) -> Result<(), BundleError> {
    let bytes = sizes.clone().fold(0, usize::saturating_add);
    if bytes > Bundle::MOST_BYTES || sizes.nth(MOST_FILES).is_some() {
        return Err(BundleError::TooMuch);
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |error| FileError { path, error }
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::File::create_new(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn media_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|end| end.to_str()) {
        Some("yaml" | "yml") => "application/yaml",
        Some("json") => "application/json",
        Some("md") => "text/markdown",
        _ => "application/octet-stream",
    }
}
