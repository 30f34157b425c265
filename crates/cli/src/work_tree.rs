//! What Git says of the files in a folder.
//!
//! Of Git's ignore files only those count that are in the tree itself, as everybody who clones it has
//! them: `.git/info/exclude` and the user's own would make two people read different files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::reason;

/// More folders than this are not named to Git one by one: a command line has its limits.
const MOST_FOLDERS: usize = 100;

/// Where Git keeps an environment of its own while it runs a hook: the files tell what tree they are
/// in (`git rev-parse --local-env-vars`).
const HOOK_VARIABLES: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
];

/// The top of the work tree around a folder, which is given without links.
pub(crate) fn top(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

/// The files in folders of a work tree: what Git tracks, whatever ignore files say, and what it would
/// add. All paths are from the top. A submodule, or a repository within, is a folder among them.
///
/// # Errors
///
/// Why Git cannot say.
pub(crate) fn files(top: &Path, folders: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut git = git(top);
    git.args(["ls-files", "-z", "--cached", "--others"]);
    git.args(["--exclude-per-directory=.gitignore", "--"]);
    let is_whole = folders.iter().any(|folder| folder.as_os_str().is_empty());
    if !is_whole && folders.len() <= MOST_FOLDERS {
        git.args(folders);
    }
    let output = run(&mut git)?;
    let paths = output.split(|byte| *byte == 0);
    let mut files: Vec<_> = paths
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(os_string(path)))
        .collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// Git in a work tree. No hook of the repository decides what is read, or runs, and nothing is fetched.
pub(crate) fn git(top: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(top);
    git.args(["-c", "core.fsmonitor=false", "--literal-pathspecs"]);
    git.env("GIT_NO_LAZY_FETCH", "1");
    for variable in HOOK_VARIABLES {
        git.env_remove(variable);
    }
    git
}

/// What Git prints.
///
/// # Errors
///
/// Why it fails, in a line.
pub(crate) fn run(git: &mut Command) -> Result<Vec<u8>, String> {
    let output = git
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run git: {}", reason(&error)))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let first = told.lines().next().unwrap_or("git failed");
        return Err(first.to_owned());
    }
    Ok(output.stdout)
}

#[cfg(unix)]
pub(crate) fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
pub(crate) fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
