//! The files that a user gives: read, and named in whatever goes wrong.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use policy_host::Settings;
use serde_json::Value;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| anyhow!("cannot read {}: {}", name(path), reason(&error)))
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn text(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| anyhow!("{}: not UTF-8 text", name(path)))
}

/// JSON, or YAML where the text does not begin as JSON does.
pub(crate) fn value(path: &Path) -> Result<Value> {
    let text = text(path)?;
    if text.trim_start().starts_with(['{', '[', '"']) {
        serde_json::from_str(&text).with_context(|| format!("{}: not JSON", name(path)))
    } else {
        yaml_serde::from_str(&text)
            .with_context(|| format!("{}: neither JSON nor YAML", name(path)))
    }
}

/// Settings, in YAML or JSON.
pub(crate) fn settings(path: &Path) -> Result<Settings> {
    Settings::from_yaml(&text(path)?).with_context(|| name(path))
}

/// A path as messages show it.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        format!("`{}`", path.display())
    }
}

/// Why a file cannot be read or written.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is not a directory".to_owned(),
        _ => error.to_string(),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
