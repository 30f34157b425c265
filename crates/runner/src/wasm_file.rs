//! What a wasm file says about itself without being run.

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;
use wasmparser::{BinaryReaderError, ExternalKind, Parser, Payload};

use crate::metadata::{self, ExecutionMode, Metadata, PolicyType};

/// The parts of a wasm file that matter to a policy's host.
#[derive(Debug, Clone)]
pub struct WasmFile {
    /// The sections, in the order of the file.
    pub sections: Vec<Section>,
    /// What the module wants from its host: names by module.
    pub imports: BTreeMap<String, Vec<String>>,
    /// What it offers, in the order of the file.
    pub exports: Vec<String>,
    functions: Vec<String>,
    memories: Vec<String>,
    metadata: Vec<Vec<u8>>,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// What it holds; for a custom section its own name in quotes.
    pub name: String,
    /// Its bytes, header included.
    pub size: usize,
}

/// Why a file is not a policy.
#[derive(Debug, Error)]
pub enum WasmFileError {
    /// No wasm at all.
    #[error("not a WebAssembly file")]
    NotWasm,
    /// A component, as the target `wasm32-wasip2` makes them.
    #[error("a WebAssembly component, expected a core module as `wasm32-wasip1` makes them")]
    Component,
    /// It begins as wasm and goes on otherwise.
    #[error("broken WebAssembly: {0}")]
    Broken(#[from] BinaryReaderError),
    /// The metadata are not those of a policy.
    #[error("cannot read the metadata: {0}")]
    Metadata(serde_json::Error),
    /// A module that the host does not run.
    #[error("not a waPC policy: {}", .0.join("; "))]
    NotAPolicy(Vec<String>),
    /// Kubewarden reads the first metadata only: what is added later would never be seen.
    #[error("annotated already, annotate the file that the compiler made")]
    Annotated,
}

/// The modules that the host provides. Kubewarden also links `wasi_unstable`, which no compiler of
/// today asks for.
const HOST_MODULES: [&str; 2] = ["wapc", "wasi_snapshot_preview1"];

impl WasmFile {
    /// Reads the sections of a core module.
    ///
    /// # Errors
    ///
    /// When the bytes are not a core module.
    pub fn read(wasm: &[u8]) -> Result<Self, WasmFileError> {
        if Parser::is_component(wasm) {
            return Err(WasmFileError::Component);
        }
        if !Parser::is_core_wasm(wasm) {
            return Err(WasmFileError::NotWasm);
        }
        let mut file = Self {
            sections: Vec::new(),
            imports: BTreeMap::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            memories: Vec::new(),
            metadata: Vec::new(),
        };
        let mut end = WASM_HEADER;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section() {
                file.sections.push(Section {
                    name: section_name(id, &payload),
                    size: range.end - end,
                });
                end = range.end;
            }
            match payload {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        file.imports
                            .entry(import.module.to_owned())
                            .or_default()
                            .push(import.name.to_owned());
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let name = export.name.to_owned();
                        match export.kind {
                            ExternalKind::Func => file.functions.push(name.clone()),
                            ExternalKind::Memory => file.memories.push(name.clone()),
                            _ => (),
                        }
                        file.exports.push(name);
                    }
                }
                Payload::CustomSection(section) if section.name() == metadata::SECTION => {
                    file.metadata.push(section.data().to_owned());
                }
                _ => (),
            }
        }
        Ok(file)
    }

    /// The metadata that Kubewarden reads: the first section of that name.
    ///
    /// # Errors
    ///
    /// When the section is not the JSON of metadata.
    pub fn metadata(&self) -> Result<Option<Metadata>, WasmFileError> {
        self.metadata
            .first()
            .map(|json| serde_json::from_slice(json))
            .transpose()
            .map_err(WasmFileError::Metadata)
    }

    /// Why this host cannot run the module; empty when it can.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (module, names) in &self.imports {
            if !HOST_MODULES.contains(&module.as_str()) {
                problems.push(format!(
                    "imports `{module}` (`{}`), which the host does not provide",
                    names.join("`, `")
                ));
            }
        }
        if let Some(rego) = self.exports.iter().find(|name| name.starts_with("opa_")) {
            problems.push(format!("exports `{rego}`, as policies in Rego do"));
        }
        if !self.memories.iter().any(|name| name == "memory") {
            problems.push("does not export the memory `memory`".to_owned());
        }
        let has_function = |name: &str| self.functions.iter().any(|function| function == name);
        if !has_function("__guest_call") {
            problems.push("does not export the function `__guest_call`".to_owned());
        }
        // TinyGo registers its functions in `_start`, which the host calls as well.
        if !has_function("wapc_init") && !has_function("_start") {
            problems.push("does not export the function `wapc_init`".to_owned());
        }
        if self.metadata.len() > 1 {
            problems.push(format!(
                "holds {} sections `{}`, of which only the first is read",
                self.metadata.len(),
                metadata::SECTION
            ));
        }
        match self.metadata() {
            Err(error) => problems.push(error.to_string()),
            Ok(Some(metadata)) if metadata.execution_mode != ExecutionMode::KubewardenWapc => {
                problems.push("its metadata set another `executionMode`".to_owned());
            }
            Ok(Some(metadata)) if metadata.policy_type == PolicyType::Raw => {
                problems.push("its metadata set `policyType: raw`".to_owned());
            }
            Ok(_) => (),
        }
        problems
    }

    /// Makes sure that this host can run the module.
    ///
    /// # Errors
    ///
    /// With all that stands against it.
    pub fn check(&self) -> Result<(), WasmFileError> {
        let problems = self.problems();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(WasmFileError::NotAPolicy(problems))
        }
    }
}

/// The file with its metadata appended; every other byte stays.
///
/// # Errors
///
/// When the file is not a policy, or holds metadata already.
pub fn annotate(wasm: &[u8], metadata: &Metadata) -> Result<Vec<u8>, WasmFileError> {
    let file = WasmFile::read(wasm)?;
    if !file.metadata.is_empty() {
        return Err(WasmFileError::Annotated);
    }
    file.check()?;
    let json = serde_json::to_vec(metadata).map_err(WasmFileError::Metadata)?;
    let mut content = leb128(metadata::SECTION.len());
    content.extend_from_slice(metadata::SECTION.as_bytes());
    content.extend_from_slice(&json);
    let mut annotated = wasm.to_owned();
    annotated.push(CUSTOM_SECTION);
    annotated.extend(leb128(content.len()));
    annotated.extend(content);
    Ok(annotated)
}

/// The magic and the version.
const WASM_HEADER: usize = 8;

const CUSTOM_SECTION: u8 = 0;

fn section_name(id: u8, payload: &Payload<'_>) -> String {
    if let Payload::CustomSection(section) = payload {
        return format!("\"{}\"", section.name().escape_debug());
    }
    match id {
        1 => "type",
        2 => "import",
        3 => "function",
        4 => "table",
        5 => "memory",
        6 => "global",
        7 => "export",
        8 => "start",
        9 => "element",
        10 => "code",
        11 => "data",
        12 => "data count",
        13 => "tag",
        _ => "other",
    }
    .to_owned()
}

/// An unsigned number in the variable-length form of wasm.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
