//! Finds the files that a user names, and reads them.
//!
//! In a work tree of Git a folder holds what Git tracks and what it would add; elsewhere it holds all
//! of its files. A path that is named itself is always read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{self, Component, Path, PathBuf};

use ignore::WalkBuilder;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::build::copy::clean;
use crate::failure::{Failure, printable, reason};
use crate::judge::is_kustomization_name;
use crate::manifest;
use crate::work_tree;

/// A larger file is not read: an API server takes 3 MiB in one request, and this keeps what the
/// command needs in bounds.
pub(crate) const LARGEST_FILE: u64 = 64 << 20;

/// More than this of what a cluster says is not read.
pub(crate) const LARGEST_CLUSTER: u64 = 1 << 30;

/// A file to read, or what cannot be looked into.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    File(PathBuf),
    Unreadable { path: PathBuf, problem: String },
}

impl Input {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Unreadable { path, .. } => path,
        }
    }
}

/// The files that paths name.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Each file once, in the order of the paths.
    pub(crate) inputs: Vec<Input>,
    /// Submodules that are not checked out.
    pub(crate) submodules: Vec<PathBuf>,
    /// How many files a user excluded.
    pub(crate) excluded: usize,
    /// Why Git is not asked about a work tree.
    pub(crate) warnings: Vec<String>,
}

/// Globs over files to leave out, as in a `.gitignore`.
#[derive(Clone, Debug)]
pub(crate) struct Exclude {
    /// Where the globs count from, without links.
    root: PathBuf,
    globs: Gitignore,
    /// A copy of files, and where these are.
    copy: Option<(PathBuf, PathBuf)>,
}

impl Exclude {
    /// Reads globs that count from a folder.
    ///
    /// # Errors
    ///
    /// The glob that is none, and why.
    pub(crate) fn new(root: &Path, globs: &[String]) -> Result<Self, (String, String)> {
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        let mut builder = GitignoreBuilder::new(&root);
        for glob in globs {
            let added = builder.add_line(None, glob);
            added.map_err(|error| (glob.clone(), problem_of(&error)))?;
        }
        let globs = builder.build().map_err(|error| {
            let all = globs.join("`, `");
            (all, problem_of(&error))
        })?;
        Ok(Self {
            root,
            globs,
            copy: None,
        })
    }

    /// The same globs, also over a copy of a folder's files.
    pub(crate) fn of_copy(&self, copy: &Path, folder: &Path) -> Self {
        Self {
            copy: Some((copy.to_owned(), folder.to_owned())),
            ..self.clone()
        }
    }

    /// Whether a file is left out: its path without links, and from the folder that was named.
    pub(crate) fn covers(&self, real: &Path, in_folder: &Path) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        let original = self.copy.as_ref().and_then(|(copy, folder)| {
            let below = real.strip_prefix(copy).ok()?;
            Some(folder.join(below))
        });
        let real = original.as_deref().unwrap_or(real);
        let path = real.strip_prefix(&self.root).unwrap_or(in_folder);
        self.globs
            .matched_path_or_any_parents(path, false)
            .is_ignore()
    }
}

fn problem_of(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}

/// A folder that a user names.
struct Folder<'p> {
    named: &'p Path,
    /// Without links.
    real: PathBuf,
    top: Option<PathBuf>,
}

impl<'p> Folder<'p> {
    fn new(named: &'p Path) -> Self {
        let real = fs::canonicalize(named).unwrap_or_else(|_| named.to_owned());
        let top = work_tree::top(&real).map(Path::to_owned);
        Self { named, real, top }
    }

    /// The way to it from the top of its work tree.
    fn way(&self) -> Option<&Path> {
        self.real.strip_prefix(self.top.as_ref()?).ok()
    }
}

/// The files that paths name, in order. Of a folder all YAML and JSON files.
pub(crate) fn find(paths: &[PathBuf], exclude: &Exclude) -> Found {
    let mut search = Search {
        exclude,
        found: Found::default(),
        seen: BTreeMap::new(),
    };
    let folders: Vec<_> = paths
        .iter()
        .filter(|path| !is_stdin(path) && path.is_dir())
        .map(|path| Folder::new(path))
        .collect();
    let listed = search.ask_git(&folders);
    let mut folders = folders.iter();
    for path in paths {
        if is_stdin(path) || !path.is_dir() {
            let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            let is_link = path.is_symlink();
            search.add(Input::File(path.clone()), real, is_link);
        } else if let Some(folder) = folders.next() {
            search.add_folder(folder, &listed);
        }
    }
    search.found
}

/// Every file in a work tree, or in a folder that is in none: for what is not judged itself, but says
/// something about others.
pub(crate) fn all_files(folder: &Path) -> Vec<PathBuf> {
    let none = Exclude {
        root: folder.to_owned(),
        globs: Gitignore::empty(),
        copy: None,
    };
    let found = find(&[folder.to_owned()], &none);
    found
        .inputs
        .into_iter()
        .map(|input| input.path().to_owned())
        .collect()
}

/// Files by the top of their work tree.
type Listed = BTreeMap<PathBuf, Vec<PathBuf>>;

struct Search<'e> {
    exclude: &'e Exclude,
    found: Found,
    /// Where a file without links is among what was found, and whether by a link.
    seen: BTreeMap<PathBuf, (usize, bool)>,
}

impl Search<'_> {
    /// Asks Git once for each work tree that the folders are in.
    fn ask_git(&mut self, folders: &[Folder<'_>]) -> Listed {
        let mut by_top: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
        for folder in folders {
            if let (Some(top), Some(way)) = (&folder.top, folder.way()) {
                by_top.entry(top).or_default().push(way.to_owned());
            }
        }
        let mut listed = Listed::new();
        for (top, folders) in by_top {
            match work_tree::files(top, &folders) {
                Ok(files) => {
                    listed.insert(top.to_owned(), files);
                }
                Err(problem) => self.found.warnings.push(format!(
                    "{}: {problem}: all files are read, also those that Git ignores",
                    name(&top.join(".git"))
                )),
            }
        }
        listed
    }

    fn add_folder(&mut self, folder: &Folder<'_>, listed: &Listed) {
        let files = folder.top.as_ref().and_then(|top| listed.get(top));
        let files = files.map(|files| files_below(folder, files));
        match files {
            // Git ignores the folder as a whole: somebody who names it wants it read.
            Some(files) if files.iter().all(|(below, _)| is_for_git(below)) => {
                self.walk(folder, Path::new(""));
            }
            Some(files) => {
                for (below, real) in files {
                    self.add_listed(folder, below, &real);
                }
            }
            None => self.walk(folder, Path::new("")),
        }
    }

    /// Adds what Git lists.
    fn add_listed(&mut self, folder: &Folder<'_>, below: &Path, real: &Path) {
        // What is deleted and not yet committed is not there.
        let Ok(metadata) = real.symlink_metadata() else {
            return;
        };
        if metadata.is_dir() {
            let is_empty = fs::read_dir(real).is_ok_and(|mut entries| entries.next().is_none());
            if is_empty {
                self.found.submodules.push(folder.named.join(below));
            } else {
                self.walk(folder, below);
            }
        } else {
            self.add_file(folder, below, metadata.is_symlink());
        }
    }

    /// Adds all files below a part of a folder.
    fn walk(&mut self, folder: &Folder<'_>, part: &Path) {
        let start = folder.real.join(part);
        let walk = WalkBuilder::new(&start)
            .standard_filters(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .sort_by_file_name(Ord::cmp)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    let kind = entry.file_type();
                    let is_link = kind.is_some_and(|kind| kind.is_symlink());
                    if !is_link && !kind.is_some_and(|kind| kind.is_file()) {
                        continue;
                    }
                    if let Ok(below) = entry.path().strip_prefix(&folder.real) {
                        self.add_file(folder, below, is_link);
                    }
                }
                Err(error) => {
                    let input = unreadable(folder, &error);
                    let path = input.path().to_owned();
                    self.add(input, path, false);
                }
            }
        }
    }

    /// Adds a file of a folder, if it may hold manifests.
    fn add_file(&mut self, folder: &Folder<'_>, below: &Path, is_link: bool) {
        let real = folder.real.join(below);
        let path = folder.named.join(below);
        if !is_manifest(&path) {
            return;
        }
        let mut target = real.clone();
        if is_link {
            // A link may lead to a folder or a pipe; one that leads nowhere is reported.
            if fs::metadata(&real).is_ok_and(|metadata| !metadata.is_file()) {
                return;
            }
            target = fs::canonicalize(&real).unwrap_or(target);
        }
        if self.exclude.covers(&real, below) {
            self.found.excluded += 1;
            return;
        }
        self.add(Input::File(path), target, is_link);
    }

    /// Adds a file, but only once: under its own name, if it is found by that and by a link.
    fn add(&mut self, input: Input, real: PathBuf, is_link: bool) {
        let next = self.found.inputs.len();
        let (position, was_link) = self.seen.entry(real).or_insert((next, is_link));
        if *position == next {
            self.found.inputs.push(input);
        } else if *was_link && !is_link {
            *was_link = false;
            if let Some(known) = self.found.inputs.get_mut(*position) {
                *known = input;
            }
        }
    }
}

/// The files of a folder among those of its work tree: each from the folder, and without links.
fn files_below<'l>(folder: &Folder<'_>, files: &'l [PathBuf]) -> Vec<(&'l Path, PathBuf)> {
    let (Some(top), Some(way)) = (&folder.top, folder.way()) else {
        return Vec::new();
    };
    // They are in order, so those of a folder stand together.
    let from = files.partition_point(|file| file.as_path() < way);
    let files = files.get(from..).unwrap_or_default().iter();
    files
        .map_while(|file| Some((file.strip_prefix(way).ok()?, top.join(file))))
        .collect()
}

/// Whether a file is there for Git alone: `.gitignore`, `.gitkeep`.
fn is_for_git(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::as_encoded_bytes);
    name.is_some_and(|name| name.starts_with(b".git"))
}

fn unreadable(folder: &Folder<'_>, error: &ignore::Error) -> Input {
    let mut path = folder.real.clone();
    let mut at = error;
    loop {
        at = match at {
            ignore::Error::WithPath { path: found, err } => {
                path.clone_from(found);
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    let problem = at.io_error().map_or_else(|| at.to_string(), reason);
    let path = match path.strip_prefix(&folder.real) {
        Ok(below) => folder.named.join(below),
        Err(_) => path,
    };
    Input::Unreadable { path, problem }
}

pub(crate) fn is_manifest(path: &Path) -> bool {
    let is_known = path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    });
    is_known || path.to_str().is_some_and(is_kustomization_name)
}

/// Makes sure that standard input is not asked for twice: the second time it is empty, and nothing
/// would be found wrong in it.
///
/// # Errors
///
/// Where it is.
pub(crate) fn only_once<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Result<(), Failure> {
    if paths.filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::wrong_use(
            "`-` is standard input, which can be read only once",
        ));
    }
    Ok(())
}

pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path as messages show it.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) {
        "<stdin>".to_owned()
    } else {
        let below = path.strip_prefix("./").ok();
        // The working folder itself is `.`.
        let below = below.filter(|below| !below.as_os_str().is_empty());
        printable(&below.unwrap_or(path).display().to_string())
    }
}

/// An absolute path, without links as far as it is there.
pub(crate) fn without_links(path: &Path) -> PathBuf {
    let absolute = || clean(&path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    fs::canonicalize(path).unwrap_or_else(|_| absolute())
}

/// A path from the working folder, which commands take as it is: `../base`, `.` for the folder itself.
pub(crate) fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let (Ok(here), Ok(path)) = (here, fs::canonicalize(path)) else {
        return path.to_owned();
    };
    from_folder(&here, &path)
}

/// A path from a folder, both without links.
fn from_folder(folder: &Path, path: &Path) -> PathBuf {
    let (mut from, mut to) = (folder.components().peekable(), path.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let way: PathBuf = from.map(|_| Component::ParentDir).chain(to).collect();
    if way.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        way
    }
}

/// The text of a file, and how its bytes spell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) encoding: Encoding,
}

/// How bytes spell a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Utf8,
    /// With a byte order mark, which is the first character of the text.
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl Encoding {
    /// The bytes of a text.
    pub(crate) fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16LittleEndian => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16BigEndian => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

/// Why there is no text.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    /// In a few words.
    pub(crate) problem: String,
    /// Whether there may be a manifest all the same.
    pub(crate) may_be_manifest: bool,
}

impl From<String> for Unread {
    fn from(problem: String) -> Self {
        Self {
            problem,
            may_be_manifest: true,
        }
    }
}

impl Input {
    /// The text of the file.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(crate) fn read(&self) -> Result<Text, Unread> {
        match self {
            Self::File(path) => read(path),
            Self::Unreadable { problem, .. } => Err(problem.clone().into()),
        }
    }
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn read(path: &Path) -> Result<Text, Unread> {
    read_up_to(path, LARGEST_FILE)
}

/// As [`read`], with another limit.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Text, Unread> {
    decode(bytes_up_to(path, most)?)
}

/// What is in a file.
///
/// # Errors
///
/// Why it cannot be read.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    bytes_up_to(path, LARGEST_FILE)
}

fn bytes_up_to(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if is_stdin(path) {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    }
    .map_err(|error| reason(&error))?;
    if bytes.len() as u64 > most {
        let most = most >> 20;
        return Err(format!("larger than {most} MiB, split it into files"));
    }
    Ok(bytes)
}

/// A text in UTF-8; in UTF-16 too, where a byte order mark says so, as kubectl reads it.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Text, Unread> {
    let (encoding, read): (_, fn([u8; 2]) -> u16) = match bytes.as_slice() {
        [0xff, 0xfe, ..] => (Encoding::Utf16LittleEndian, u16::from_le_bytes),
        [0xfe, 0xff, ..] => (Encoding::Utf16BigEndian, u16::from_be_bytes),
        _ => {
            return match String::from_utf8(bytes) {
                Ok(text) => Ok(Text {
                    text,
                    encoding: Encoding::Utf8,
                }),
                Err(error) => Err(not_utf8(&error)),
            };
        }
    };
    let (units, rest) = bytes.as_chunks();
    let text = char::decode_utf16(units.iter().map(|unit| read(*unit))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Text { text, encoding }),
        _ => Err("not UTF-16, although it begins with its byte order mark"
            .to_owned()
            .into()),
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Unread {
    let at = error.utf8_error().valid_up_to();
    let is_binary = error.as_bytes().iter().take(8192).any(|byte| *byte == 0);
    // Without a byte order mark the letters of UTF-16 have a zero beside them.
    let text = String::from_utf8_lossy(error.as_bytes()).replace('\0', "");
    Unread {
        problem: if is_binary {
            "a binary file".to_owned()
        } else {
            format!("not UTF-8 at byte {at}")
        },
        may_be_manifest: manifest::may_be_manifest(&text),
    }
}

/// The folder of the Helm chart that a file is a template of: beside its `templates` is a `Chart.yaml`.
pub(crate) fn chart_of(file: &Path) -> Option<PathBuf> {
    let file = path::absolute(file).ok()?;
    file.ancestors().skip(1).find_map(|folder| {
        let chart = folder.parent()?;
        let is_templates = folder.file_name().is_some_and(|name| name == "templates");
        (is_templates && chart.join("Chart.yaml").is_file()).then(|| from_here(chart))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_from_a_folder_goes_up_and_down() {
        for (folder, path, wanted) in [
            ("/a/b", "/a/b/c.yaml", "c.yaml"),
            ("/a/b", "/a/b", "."),
            ("/a/b/c", "/a/d/e", "../../d/e"),
            ("/", "/a", "a"),
        ] {
            let way = from_folder(Path::new(folder), Path::new(path));
            assert_eq!(way, Path::new(wanted));
        }
    }

    #[test]
    fn a_path_is_shown_as_from_the_working_folder() {
        for (path, shown) in [
            ("-", "<stdin>"),
            ("./a/b.yaml", "a/b.yaml"),
            ("../a", "../a"),
            (".", "."),
        ] {
            assert_eq!(name(Path::new(path)), shown);
        }
    }

    #[test]
    fn utf16_is_read_and_written_as_it_was() {
        for encoding in [Encoding::Utf16LittleEndian, Encoding::Utf16BigEndian] {
            let bytes = encoding.bytes("\u{feff}a: é😀\n");
            let read = decode(bytes.clone()).unwrap();
            assert_eq!(
                (read.text.as_str(), read.encoding),
                ("\u{feff}a: é😀\n", encoding)
            );
            assert_eq!(encoding.bytes(&read.text), bytes);
            assert!(decode(bytes[..bytes.len() - 1].to_vec()).is_err());
        }
        assert!(decode(b"\xff\xfe\x00\xd8".to_vec()).is_err());
    }

    #[test]
    fn what_is_no_text_may_be_a_manifest_if_it_says_kind() {
        let unread = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err().may_be_manifest;
        assert!(!unread(b"a: \xe9\n"));
        assert!(!unread(b"mankind: \xe9\n"));
        assert!(unread(b"kind: \xe9\n"));
        assert!(unread(b"k\0i\0n\0d\0:\0\xe9\0"));
    }
}
