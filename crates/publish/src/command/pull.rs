//! `policy-host pull`: a policy or a bundle out of a registry.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use policy_runner::command::document;

use super::push;
use crate::{
    artifact::{ArtifactKind, Bundle, FileError},
    registry::Connection,
};

/// Pull a policy, or a bundle of settings, out of a registry.
///
/// What arrives has the digest and the size that its manifest says, and a policy begins as
/// WebAssembly does; it is written whole or not at all. The answer is the immutable address, with the
/// digest of what was pulled.
///
/// Credentials are those of `docker login` (`config.json` in `$DOCKER_CONFIG`, else in `~/.docker`).
/// Plain HTTP is spoken to registries on loopback only, or with --insecure.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Pull {
    /// Where to write it: for a policy a file, for a bundle a folder that is new or empty
    #[arg(short, long, value_name = "PATH")]
    output_path: PathBuf,

    /// Speak plain HTTP, whose content and credentials others can read and change
    #[arg(long)]
    insecure: bool,

    /// Where from: `registry://host/repository:tag` or `…@sha256:…`, the scheme may be left out
    #[arg(value_name = "ADDRESS")]
    address: String,
}

/// More than any policy has. What a registry says is not believed without end.
const MOST_BYTES: usize = 128 << 20;

const WASM_MAGIC: &[u8] = b"\0asm";

impl Pull {
    /// Pulls, and says to `out` which digest it has.
    ///
    /// # Errors
    ///
    /// Where the registry does not have it, it is no artifact, or it cannot be written.
    pub fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let address = push::address(&self.address)?;
        let connection = Connection::open(&address, self.insecure)?;
        let (manifest, digest) = connection.manifest()?;
        let kind = ArtifactKind::of(&manifest).map_err(|problem| connection.other(&problem))?;
        match kind {
            ArtifactKind::Policy(layer) => {
                let wasm = connection.layer(layer, MOST_BYTES)?;
                if !wasm.starts_with(WASM_MAGIC) {
                    return Err(connection.other("its layer is not WebAssembly").into());
                }
                document::write(&self.output_path, &wasm)?;
            }
            ArtifactKind::Bundle(files) => {
                let mut bundle = Bundle::default();
                for (name, layer) in files {
                    bundle.add(name, connection.layer(layer, Bundle::MOST_BYTES)?);
                }
                write_bundle(&self.output_path, &bundle)?;
            }
        }
        Ok(writeln!(
            out,
            "Policy successfully pulled: {}",
            address.immutable(&digest)
        )?)
    }
}

/// Writes the files of a bundle beside the folder, and gives them its name when all are there.
fn write_bundle(folder: &Path, bundle: &Bundle) -> Result<()> {
    let draft = document::draft(folder);
    let written = bundle.write(&draft).and_then(|()| {
        fs::rename(&draft, folder).map_err(|error| FileError {
            path: folder.to_owned(),
            error,
        })
    });
    written.map_err(|error| {
        // The failure to tell is the first one.
        let _ = fs::remove_dir_all(&draft);
        document::unwritten(folder, &error.error)
    })
}
