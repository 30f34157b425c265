//! The files of a revision of Git, read with a constant number of processes.

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::thread;

use crate::config::Building;
use crate::failure::reason;
use crate::input::{self, Exclude, LARGEST_FILE, Text, Unread};
use crate::judge::is_kustomization_name;
use crate::work_tree::{self, git, os_string, run};

pub(crate) use tree::Tree;

/// More paths than this are not named to Git one by one: a command line has its limits.
const MOST_PATHS: usize = 100;

/// A manifest at a revision.
pub(crate) struct Manifest {
    /// Where it is now, if it is there still.
    pub(crate) path: PathBuf,
    pub(crate) text: Result<Text, Unread>,
    /// Where it is in the tree of its revision, if builds may read it.
    pub(crate) in_tree: Option<PathBuf>,
}

/// What a revision has.
#[derive(Default)]
pub(crate) struct Revision {
    pub(crate) manifests: Vec<Manifest>,
    /// Of each work tree what builds may read.
    pub(crate) trees: Vec<Tree>,
}

/// The manifests that paths name, as they were at a revision; for builds also all that kustomizations and
/// charts may read.
///
/// # Errors
///
/// Why they cannot be read, in a line.
pub(crate) fn read(
    revision: &str,
    paths: &[PathBuf],
    exclude: &Exclude,
    builds: Option<&Building>,
) -> Result<Revision, String> {
    let mut by_top: BTreeMap<PathBuf, Vec<Named<'_>>> = BTreeMap::new();
    for path in paths {
        let (top, named) = Named::new(path)?;
        by_top.entry(top).or_default().push(named);
    }
    let mut found = Revision::default();
    for (top, named) in by_top {
        let commit = commit(&top, revision)?;
        let named_only = if builds.is_some() { &[][..] } else { &named };
        let blobs = blobs(&top, &commit, named_only)?;
        let folders = build_folders(blobs.iter().filter(|_| builds.is_some()));
        let values = builds.into_iter().flat_map(Building::value_files);
        let values: Vec<_> = values.map(|file| input::without_links(file)).collect();
        let cannot = |error: &io::Error| format!("no temporary folder: {}", reason(error));
        let mut tree = None;
        if !folders.is_empty() {
            tree = Some(Tree::new(&top).map_err(|error| cannot(&error))?);
        }
        let wanted = blobs.into_iter().filter_map(|blob| {
            let path = named
                .iter()
                .find_map(|named| named.file(&top, &blob.path, exclude))
                .filter(|_| !blob.is_link);
            let is_for_builds = blob.path.ancestors().any(|path| folders.contains(path))
                || values.contains(&top.join(&blob.path));
            (path.is_some() || is_for_builds).then_some((blob, path, is_for_builds))
        });
        read_blobs(&top, wanted.collect(), &mut tree, &mut found.manifests)?;
        if let Some(mut tree) = tree {
            tree.finish().map_err(|error| cannot(&error))?;
            found.trees.push(tree);
        }
    }
    Ok(found)
}

/// The folders of kustomizations and charts. Neither reads files outside of its own folder, but for those of
/// other kustomizations and charts.
fn build_folders<'b>(blobs: impl Iterator<Item = &'b Blob>) -> BTreeSet<PathBuf> {
    let folders = blobs.filter_map(|blob| {
        let name = blob.path.file_name()?.to_str()?;
        let is_build = is_kustomization_name(name) || name == "Chart.yaml";
        is_build.then(|| blob.path.parent().unwrap_or(&blob.path).to_owned())
    });
    folders.collect()
}

/// A path that a user names, and the way to it from the top of its work tree.
struct Named<'p> {
    named: &'p Path,
    way: PathBuf,
}

impl<'p> Named<'p> {
    fn new(named: &'p Path) -> Result<(PathBuf, Self), String> {
        let name = input::name(named);
        let real =
            fs::canonicalize(named).map_err(|error| format!("{name}: {}", reason(&error)))?;
        let top = work_tree::top(&real).ok_or_else(|| format!("{name}: in no Git work tree"))?;
        let way = real.strip_prefix(top).unwrap_or(&real).to_owned();
        Ok((top.to_owned(), Self { named, way }))
    }

    /// A file at a path from the top as a user would name it, if it is named by this.
    fn file(&self, top: &Path, path: &Path, exclude: &Exclude) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.way).ok()?;
        if below.as_os_str().is_empty() {
            return Some(self.named.to_owned());
        }
        let is_wanted = input::is_manifest(path) && !exclude.covers(&top.join(path), below);
        is_wanted.then(|| self.named.join(below))
    }
}

/// The commit that a revision names.
fn commit(top: &Path, revision: &str) -> Result<String, String> {
    let mut ask = git(top);
    ask.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
    ask.arg(format!("{revision}^{{commit}}"));
    match run(&mut ask) {
        Ok(commit) => Ok(String::from_utf8_lossy(&commit).trim().to_owned()),
        Err(problem) if problem.starts_with("cannot run git") => Err(problem),
        Err(_) => {
            let mut ask = git(top);
            ask.args(["rev-parse", "--is-shallow-repository"]);
            let is_shallow = run(&mut ask).is_ok_and(|answer| answer.starts_with(b"true"));
            let advice = if is_shallow {
                ": the clone is shallow, fetch the revision first (`fetch-depth: 0` of actions/checkout)"
            } else {
                ": fetch it first, if it is elsewhere"
            };
            let name = input::name(top);
            Err(format!("`{revision}` is no revision of {name}{advice}"))
        }
    }
}

/// A file or a link of a commit.
struct Blob {
    /// From the top.
    path: PathBuf,
    name: String,
    is_link: bool,
}

/// The files and links of a commit: all, or those below some paths.
fn blobs(top: &Path, commit: &str, named: &[Named<'_>]) -> Result<Vec<Blob>, String> {
    let mut ask = git(top);
    ask.args(["ls-tree", "-r", "-z", "--full-tree", commit, "--"]);
    let is_whole = named.iter().any(|named| named.way.as_os_str().is_empty());
    if !is_whole && named.len() <= MOST_PATHS {
        ask.args(named.iter().map(|named| &named.way));
    }
    let listed = run(&mut ask)?;
    let entries = listed.split(|byte| *byte == 0);
    Ok(entries
        .filter_map(|entry| {
            // `100644 blob NAME<TAB>PATH`; a submodule is a commit.
            let tab = entry.iter().position(|byte| *byte == b'\t')?;
            let (head, path) = entry.split_at_checked(tab)?;
            let (mode, name) = std::str::from_utf8(head).ok()?.split_once(" blob ")?;
            Some(Blob {
                path: PathBuf::from(os_string(path.get(1..)?)),
                name: name.to_owned(),
                is_link: mode == "120000",
            })
        })
        .collect())
}

/// Reads blobs, all of them with one process: as manifests, and into the tree that builds read.
fn read_blobs(
    top: &Path,
    wanted: Vec<(Blob, Option<PathBuf>, bool)>,
    tree: &mut Option<Tree>,
    manifests: &mut Vec<Manifest>,
) -> Result<(), String> {
    let cannot = |error: &io::Error| format!("cannot run git: {}", reason(error));
    let mut cat = git(top);
    let mut cat = cat
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| cannot(&error))?;
    let (Some(mut names), Some(contents)) = (cat.stdin.take(), cat.stdout.take()) else {
        return Err("cannot run git: no pipes".to_owned());
    };
    let asked: Vec<_> = wanted.iter().map(|(blob, ..)| blob.name.as_str()).collect();
    let asked = asked.join("\n");
    // Git answers while it is asked, and neither side may wait for the other.
    let asking = thread::spawn(move || writeln!(names, "{asked}"));
    let mut contents = BufReader::new(contents);
    for (blob, path, is_for_builds) in wanted {
        let bytes = next(&mut contents).map_err(|error| cannot(&error))?;
        let mut in_tree = None;
        if let (true, Some(tree), Ok(bytes)) = (is_for_builds, tree.as_mut(), &bytes) {
            if blob.is_link {
                tree.add_link(blob.path, os_string(bytes).into());
            } else {
                in_tree = tree
                    .add_file(&blob.path, bytes)
                    .map_err(|error| format!("no temporary file: {}", reason(&error)))?;
            }
        }
        if let Some(path) = path {
            let text = bytes.map_err(Unread::from).and_then(input::decode);
            manifests.push(Manifest {
                path,
                text,
                in_tree,
            });
        }
    }
    drop(contents);
    let _ = asking.join();
    cat.wait().map_err(|error| cannot(&error))?;
    Ok(())
}

/// The next blob of `git cat-file --batch`, or why it cannot be read.
fn next(contents: &mut BufReader<ChildStdout>) -> io::Result<Result<Vec<u8>, String>> {
    let mut head = String::new();
    if contents.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let size = head.trim_end().rsplit(' ').next();
    let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
        return Ok(Err("not in this clone".to_owned()));
    };
    let mut content = contents.take(size);
    if size > LARGEST_FILE {
        io::copy(&mut content, &mut io::sink())?;
        contents.read_exact(&mut [0])?;
        let most = LARGEST_FILE >> 20;
        return Ok(Err(format!("larger than {most} MiB")));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes)?;
    contents.read_exact(&mut [0])?;
    Ok(Ok(bytes))
}
