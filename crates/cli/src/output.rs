//! Files that a command writes: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use anstream::adapter::StripBytes;
use tempfile::NamedTempFile;

/// A file that takes its name once everything is in it, so that nobody reads half a report.
pub(crate) struct Output {
    kind: Kind,
    /// Takes colours out, unless they are always wanted.
    plain: Option<StripBytes>,
}

enum Kind {
    Beside {
        file: NamedTempFile,
        path: PathBuf,
    },
    /// A pipe or a device stays what it is.
    Directly(File),
}

impl Output {
    /// Begins to write a file.
    ///
    /// # Errors
    ///
    /// Where that is not possible.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let known = fs::metadata(path).ok();
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            let file = File::options().write(true).open(path)?;
            return Ok(Self::new(Kind::Directly(file)));
        }
        // A link stays one.
        let path = match &known {
            Some(_) => fs::canonicalize(path)?,
            None => path.to_owned(),
        };
        let permissions = known.map(|known| known.permissions());
        if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rollout-guard-");
        // As any new file has them: a temporary one would be its owner's alone.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        Ok(Self::new(Kind::Beside { file, path }))
    }

    const fn new(kind: Kind) -> Self {
        Self { kind, plain: None }
    }

    /// With colours left out, as they are of everything that is no terminal.
    pub(crate) fn without_colours(mut self) -> Self {
        if ColorChoice::global() != ColorChoice::Always {
            self.plain = Some(StripBytes::new());
        }
        self
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.kind {
            Kind::Beside { file, path } => {
                file.as_file().sync_all()?;
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
            Kind::Directly(mut file) => file.flush(),
        }
    }
}

impl Kind {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Beside { file, .. } => file.as_file_mut(),
            Self::Directly(file) => file,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.kind.file();
        match &mut self.plain {
            None => file.write(bytes),
            Some(plain) => {
                for part in plain.strip_next(bytes) {
                    file.write_all(part)?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.kind.file().flush()
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
///
/// Where it cannot be written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut output = Output::create(path)?;
    output.write_all(bytes)?;
    output.finish()
}
