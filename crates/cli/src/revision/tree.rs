//! The files of a revision that builds may read, in a temporary folder.
//!
//! The tree is a stranger's: a path that leads out of the folder is not written, and files are written before
//! links, so that no link decides where one goes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::build::copy;
use crate::input::{self, Exclude, from_here};

#[derive(Debug)]
pub(crate) struct Tree {
    /// The top of the work tree, without links.
    top: PathBuf,
    /// Deleted with this.
    _folder: TempDir,
    /// Without links.
    real: PathBuf,
    /// Links, and what each leads to.
    links: Vec<(PathBuf, PathBuf)>,
    /// The files, from the top.
    files: BTreeSet<PathBuf>,
    /// Those that are not what they were, from the top.
    changed: BTreeSet<PathBuf>,
    has_changed_links: bool,
}

impl Tree {
    /// An empty tree, and the work tree that it is of.
    ///
    /// # Errors
    ///
    /// Where there is no room for one.
    pub(crate) fn new(top: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rollout-guard-")
            .tempdir()?;
        let real = fs::canonicalize(folder.path())?;
        // It is a work tree of its own: what it names outside of it is not read. Git has no word in it.
        fs::write(real.join(".git"), "gitdir: none\n")?;
        Ok(Self {
            top: top.to_owned(),
            _folder: folder,
            real,
            links: Vec::new(),
            files: BTreeSet::new(),
            changed: BTreeSet::new(),
            has_changed_links: false,
        })
    }

    /// Adds a file; hands back where it is.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn add_file(&mut self, path: &Path, bytes: &[u8]) -> io::Result<Option<PathBuf>> {
        if !is_inside(path) {
            return Ok(None);
        }
        let file = self.real.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, bytes)?;
        let now = self.top.join(path);
        let is_file = now
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == bytes.len() as u64);
        if !is_file || fs::read(now).ok().as_deref() != Some(bytes) {
            self.changed.insert(path.to_owned());
        }
        self.files.insert(path.to_owned());
        Ok(Some(file))
    }

    /// Adds a link, which is there once the tree is whole.
    pub(crate) fn add_link(&mut self, path: PathBuf, target: PathBuf) {
        let now = fs::read_link(self.top.join(&path)).ok();
        self.has_changed_links |= now.as_ref() != Some(&target);
        if is_inside(&path) {
            self.links.push((path, target));
        }
    }

    /// Makes the links.
    ///
    /// # Errors
    ///
    /// Where one cannot be made.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        for (path, target) in std::mem::take(&mut self.links) {
            let link = self.real.join(path);
            if let Some(folder) = link.parent() {
                fs::create_dir_all(folder)?;
            }
            copy::symlink(&target, &link)?;
        }
        Ok(())
    }

    /// The manifests, where they are in the folder.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = PathBuf> {
        let manifests = self.files.iter().filter(|path| input::is_manifest(path));
        manifests.map(|path| self.real.join(path))
    }

    /// Globs of files to leave out, for the folder.
    pub(crate) fn exclude(&self, exclude: &Exclude) -> Exclude {
        exclude.of_copy(&self.real, &self.top)
    }

    /// Where a path of the work tree is in the folder; another path is where it is.
    pub(crate) fn inside(&self, path: &Path) -> PathBuf {
        let path = input::without_links(path);
        match path.strip_prefix(&self.top) {
            Ok(below) => self.real.join(below),
            Err(_) => path,
        }
    }

    /// Where a path of the folder is in the work tree; another path is where it is.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.real) {
            Ok(below) => self.top.join(below),
            Err(_) => path.to_owned(),
        }
    }

    /// Whether files of the work tree are what they were.
    pub(crate) fn has_unchanged<'f>(&self, mut files: impl Iterator<Item = &'f PathBuf>) -> bool {
        !self.has_changed_links
            && files.all(|file| {
                let below = file.strip_prefix(&self.top);
                !below.is_ok_and(|below| self.changed.contains(below))
            })
    }

    /// A text with paths of the work tree in place of those of the folder.
    pub(crate) fn as_in_tree(&self, text: &str) -> String {
        let top = match from_here(&self.top) {
            top if top == Path::new(".") => String::new(),
            top => format!("{}/", top.display()),
        };
        let text = text.replace(&format!("{}/", from_here(&self.real).display()), &top);
        text.replace(&format!("{}/", self.real.display()), &top)
    }
}

/// Whether a path from the top stays below it, and is nothing of Git's own.
fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        let around = tempfile::tempdir().unwrap();
        let top = around.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut tree = Tree::new(&top).unwrap();
        let outside = around.path().join("outside");
        for path in [
            Path::new("../outside"),
            Path::new("a/../../outside"),
            &outside,
            Path::new(".git"),
            Path::new("a/.GIT/config"),
        ] {
            tree.add_file(path, b"a").unwrap();
            tree.add_link(path.to_owned(), "b".into());
        }
        // A link that is in the way of a file, in whatever order they come.
        tree.add_link("a".into(), around.path().to_owned());
        tree.add_file(Path::new("a/outside"), b"a").unwrap();
        assert!(tree.finish().is_err());
        assert!(!outside.exists());
        assert!(!tree.real.parent().unwrap().join("outside").exists());
        assert!(tree.real.join("a/outside").is_file());
        let marker = fs::read_to_string(tree.real.join(".git")).unwrap();
        assert_eq!(marker, "gitdir: none\n");
        assert_eq!(tree.manifests().count(), 0);
    }
}
