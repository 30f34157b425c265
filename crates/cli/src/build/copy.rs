//! A copy of the files that builds read, in a temporary folder.
//!
//! A tool sees this copy and nothing else: files have the paths that they have without links below
//! [`Copy::tree`], and links lead within it. So nothing is written into the tree that is checked, files can
//! be tried with another text, and whatever a build should not read is not there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::failure::reason;
use crate::input::read_bytes;

/// Texts that files have in a copy in place of their own, by their paths without links.
pub(crate) type Edits = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Debug)]
pub(crate) struct Copy {
    folder: TempDir,
    /// Without links, as tools print it.
    real: PathBuf,
}

impl Copy {
    /// An empty copy.
    ///
    /// # Errors
    ///
    /// Where there is no room for one.
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rollout-guard-")
            .tempdir()?;
        let real = fs::canonicalize(folder.path())?;
        fs::create_dir(real.join("home"))?;
        Ok(Self { folder, real })
    }

    /// An empty folder, the home of tools.
    pub(crate) fn home(&self) -> PathBuf {
        self.real.join("home")
    }

    /// A folder that is there for something besides the tree.
    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.real.join(name)
    }

    fn tree(&self) -> PathBuf {
        self.real.join("tree")
    }

    /// Where an absolute path is in the copy.
    pub(crate) fn inside(&self, path: &Path) -> PathBuf {
        let parts = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_)));
        self.tree().join(parts.collect::<PathBuf>())
    }

    /// What a path of the copy is in the tree.
    pub(crate) fn outside(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(self.tree()).ok()?;
        Some(Path::new("/").join(below))
    }

    /// Copies a file to where it is without links.
    ///
    /// # Errors
    ///
    /// Why it cannot be read or written.
    pub(crate) fn add_file(&self, real: &Path, edits: &Edits) -> Result<(), String> {
        self.add_file_at(real, real, edits)
    }

    /// Copies a file to where another path is.
    ///
    /// # Errors
    ///
    /// Why it cannot be read or written.
    pub(crate) fn add_file_at(
        &self,
        path: &Path,
        real: &Path,
        edits: &Edits,
    ) -> Result<(), String> {
        let target = self.inside(path);
        if target.exists() {
            return Ok(());
        }
        let bytes = match edits.get(real) {
            Some(bytes) => bytes.clone(),
            None => read_bytes(real)?,
        };
        let write = || {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&target, bytes)
        };
        write().map_err(|error| format!("no copy of it: {}", reason(&error)))
    }

    /// Makes a path lead to another one, as a link does in the tree.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub(crate) fn add_link(&self, path: &Path, real: &Path) -> Result<(), String> {
        let (link, target) = (self.inside(path), self.inside(real));
        if path == real || link.symlink_metadata().is_ok() {
            return Ok(());
        }
        let write = || {
            if let Some(folder) = link.parent() {
                fs::create_dir_all(folder)?;
            }
            symlink(&target, &link)
        };
        write().map_err(|error| format!("no copy of this link: {}", reason(&error)))
    }

    /// A text that a tool printed, with paths of the tree in place of those of the copy, from the
    /// working folder where they are below it.
    pub(crate) fn as_in_tree(&self, text: &str) -> String {
        let tree = self.tree();
        let tree = tree.to_string_lossy();
        // From the kustomization around a root.
        let text = text.replace("../../tree", &tree);
        let here = std::env::current_dir().and_then(fs::canonicalize);
        let text = match here {
            Ok(here) => text.replace(&format!("{tree}{}/", here.display()), ""),
            Err(_) => text,
        };
        text.replace(tree.as_ref(), "")
    }

    /// Takes the copy away; what cannot be deleted stays in the folder for temporary files.
    pub(crate) fn close(self) {
        let _ = self.folder.close();
    }
}

/// Writes a file of the copy that is not of the tree.
///
/// # Errors
///
/// Why it cannot be written.
pub(crate) fn write(file: &Path, contents: impl AsRef<[u8]>) -> Result<(), String> {
    let write = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, contents)
    };
    write().map_err(|error: io::Error| format!("no temporary file: {}", reason(&error)))
}

/// An absolute path without `.` and `..`, as kustomize cleans it before it follows links.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

/// Makes a link.
///
/// # Errors
///
/// Where it cannot, or another file is there.
#[cfg(unix)]
pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
pub(crate) fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
