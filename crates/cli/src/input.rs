//! Finds the files that a user names, and reads them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::failure::{Failure, printable, reason};

/// A larger file is not read: an API server takes 3 MiB in one request, and this keeps what the
/// command needs in bounds.
const LARGEST_FILE: u64 = 64 << 20;

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

/// The files that paths name, in order; of a folder all YAML and JSON files, but those that git
/// ignores. A file that is named itself is read whatever it is called.
pub(crate) fn find(paths: &[PathBuf]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |input: Input| {
        if seen.insert(input.path().to_owned()) {
            inputs.push(input);
        }
    };
    for path in paths {
        if is_stdin(path) || !path.is_dir() {
            add(Input::File(path.clone()));
            continue;
        }
        let walk = WalkBuilder::new(path)
            // Manifests often live in `.github` or `.pipeline`.
            .hidden(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .sort_by_file_name(Ord::cmp)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => {
                    let is_file = entry
                        .file_type()
                        .is_some_and(|kind| kind.is_file() || kind.is_symlink());
                    let path = entry.into_path();
                    // A link may lead to a folder or a pipe; one that leads nowhere is told.
                    let is_other = || fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file());
                    if is_file && is_manifest(&path) && !is_other() {
                        add(Input::File(path));
                    }
                }
                Err(error) => add(unreadable(path, &error)),
            }
        }
    }
    inputs
}

fn unreadable(folder: &Path, error: &ignore::Error) -> Input {
    let mut path = folder.to_owned();
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
    Input::Unreadable { path, problem }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
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
        let path = path.strip_prefix("./").unwrap_or(path);
        printable(&path.display().to_string())
    }
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
///
/// Why there is none, in a few words.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    read_up_to(path, LARGEST_FILE)
}

/// As [`read`], with another limit.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<String, String> {
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
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        if error.as_bytes().starts_with(b"\xff\xfe") || error.as_bytes().starts_with(b"\xfe\xff") {
            "UTF-16 text, save it as UTF-8".to_owned()
        } else if error.as_bytes().iter().take(8192).any(|byte| *byte == 0) {
            "a binary file".to_owned()
        } else {
            format!("not UTF-8 at byte {at}")
        }
    })
}

/// Whether a file is a template of a Helm chart: in the folder `templates` beside a `Chart.yaml`.
pub(crate) fn is_chart_template(path: &Path) -> bool {
    path.ancestors().skip(1).any(|folder| {
        folder.file_name().is_some_and(|name| name == "templates")
            && folder
                .parent()
                .is_some_and(|chart| chart.join("Chart.yaml").is_file())
    })
}
