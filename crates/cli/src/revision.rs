//! Manifests at a revision of Git, read with a constant number of processes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::thread;

use crate::failure::reason;
use crate::input::{self, Exclude, LARGEST_FILE, Text, Unread};
use crate::work_tree::{self, git, os_string, run};

/// More paths than this are not named to Git one by one: a command line has its limits.
const MOST_PATHS: usize = 100;

/// A manifest at a revision.
pub(crate) struct Manifest {
    /// Where it is now, if it is there still.
    pub(crate) path: PathBuf,
    pub(crate) text: Result<Text, Unread>,
}

/// The manifests that paths name, as they were at a revision.
///
/// # Errors
///
/// Why they cannot be read, in a line.
pub(crate) fn manifests(
    revision: &str,
    paths: &[PathBuf],
    exclude: &Exclude,
) -> Result<Vec<Manifest>, String> {
    let mut by_top: BTreeMap<PathBuf, Vec<Named<'_>>> = BTreeMap::new();
    for path in paths {
        let (top, named) = Named::new(path)?;
        by_top.entry(top).or_default().push(named);
    }
    let mut manifests = Vec::new();
    for (top, named) in by_top {
        let commit = commit(&top, revision)?;
        let mut wanted = Vec::new();
        for (path, blob) in blobs(&top, &commit, &named)? {
            let of = named
                .iter()
                .find_map(|named| named.file(&top, &path, exclude));
            if let Some(path) = of {
                wanted.push((path, blob));
            }
        }
        manifests.extend(read(&top, wanted)?);
    }
    Ok(manifests)
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

/// The files of a commit, each with the name of its blob.
fn blobs(top: &Path, commit: &str, named: &[Named<'_>]) -> Result<Vec<(PathBuf, String)>, String> {
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
            // `100644 blob NAME<TAB>PATH`; links and submodules are no manifests of this tree.
            let tab = entry.iter().position(|byte| *byte == b'\t')?;
            let (head, path) = entry.split_at_checked(tab)?;
            let head = std::str::from_utf8(head).ok()?;
            let blob = head.strip_prefix("100644 blob ");
            let blob = blob.or_else(|| head.strip_prefix("100755 blob "))?;
            let path = os_string(path.get(1..)?);
            Some((PathBuf::from(path), blob.to_owned()))
        })
        .collect())
}

/// Reads blobs, all of them with one process.
fn read(top: &Path, wanted: Vec<(PathBuf, String)>) -> Result<Vec<Manifest>, String> {
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
    let asked: Vec<_> = wanted.iter().map(|(_, blob)| blob.as_str()).collect();
    let asked = asked.join("\n");
    // Git answers while it is asked, and neither side may wait for the other.
    let asking = thread::spawn(move || writeln!(names, "{asked}"));
    let mut contents = BufReader::new(contents);
    let mut manifests = Vec::with_capacity(wanted.len());
    for (path, _) in wanted {
        let text = next(&mut contents).map_err(|error| cannot(&error))?;
        manifests.push(Manifest { path, text });
    }
    drop(contents);
    let _ = asking.join();
    cat.wait().map_err(|error| cannot(&error))?;
    Ok(manifests)
}

/// The next blob of `git cat-file --batch`.
fn next(contents: &mut BufReader<ChildStdout>) -> io::Result<Result<Text, Unread>> {
    let mut head = String::new();
    if contents.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let size = head.trim_end().rsplit(' ').next();
    let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
        return Ok(Err("not in this clone".to_owned().into()));
    };
    let mut content = contents.take(size);
    if size > LARGEST_FILE {
        io::copy(&mut content, &mut io::sink())?;
        contents.read_exact(&mut [0])?;
        let most = LARGEST_FILE >> 20;
        return Ok(Err(format!("larger than {most} MiB").into()));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes)?;
    contents.read_exact(&mut [0])?;
    Ok(input::decode(bytes))
}
