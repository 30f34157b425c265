//! The files that a user names: read and written, and named in whatever goes wrong.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::Settings;

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
///
/// When it cannot be read; the error names it.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| anyhow!("cannot read {}: {}", name(path), reason(&error)))
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
///
/// When it cannot be read, or is not UTF-8.
pub fn text(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| anyhow!("{}: not UTF-8 text", name(path)))
}

/// JSON, or YAML where the text does not begin as JSON does.
///
/// # Errors
///
/// When it cannot be read, or is neither.
pub fn value(path: &Path) -> Result<Value> {
    let text = text(path)?;
    if text.trim_start().starts_with(['{', '[', '"']) {
        serde_json::from_str(&text).with_context(|| format!("{}: not JSON", name(path)))
    } else {
        yaml_serde::from_str(&text)
            .with_context(|| format!("{}: neither JSON nor YAML", name(path)))
    }
}

/// Settings, in YAML or JSON.
///
/// # Errors
///
/// When they cannot be read, or are not settings.
pub fn settings(path: &Path) -> Result<Settings> {
    Settings::from_yaml(&text(path)?).with_context(|| name(path))
}

/// Writes a file so that its name never stands for half of it.
///
/// # Errors
///
/// When it cannot be written; nothing is left behind.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes).map_err(|error| unwritten(path, &error))
}

/// The error of a file or folder that cannot be written.
pub fn unwritten(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write {}: {}", name(path), reason(error))
}

/// The name under which something is written until it is whole.
pub fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", process::id()))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let draft = draft(path);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The failure to tell is the first one.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// A path as messages show it.
pub fn name(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        format!("`{}`", path.display())
    }
}

/// Why a file cannot be read or written.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::DirectoryNotEmpty => "it is there already, and not empty".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is not a directory".to_owned(),
        _ => error.to_string(),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
