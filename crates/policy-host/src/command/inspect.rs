//! `policy-host inspect`: what a wasm file says about itself.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use policy_host::{
    Metadata, WasmFile,
    metadata::{ExecutionMode, PolicyType, Rule, USAGE},
    wasm_file::Section,
};
use serde::Serialize;

use crate::{
    document,
    failure::one_line,
    table::{Alignment, Table, grouped},
};

/// Show the metadata, rules, imports, exports and sections of a policy.
///
/// In JSON and YAML the metadata stand at the top level, as kwctl prints them; what else is known
/// stands under `module`.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Inspect {
    /// How to show it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Format,

    /// The policy, a wasm file, annotated or not
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Yaml,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    metadata: Option<Metadata>,
    module: Module,
}

#[derive(Serialize)]
struct Module {
    file: String,
    size: usize,
    annotated: bool,
    imports: BTreeMap<String, Vec<String>>,
    exports: Vec<String>,
    sections: Vec<Section>,
    problems: Vec<String>,
}

impl Inspect {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let wasm = document::bytes(&self.policy)?;
        let file = WasmFile::read(&wasm).with_context(|| document::name(&self.policy))?;
        // Metadata that cannot be read are among the problems.
        let metadata = file.metadata().unwrap_or_default();
        let report = Report {
            module: Module {
                file: self.policy.display().to_string(),
                size: wasm.len(),
                annotated: metadata.is_some(),
                problems: file.problems(),
                imports: file.imports,
                exports: file.exports,
                sections: file.sections,
            },
            metadata,
        };
        match self.output {
            Format::Text => report.write(out),
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
                Ok(writeln!(out)?)
            }
            Format::Yaml => Ok(write!(out, "{}", yaml_serde::to_string(&report)?)?),
        }
    }
}

impl Report {
    fn write(&self, out: &mut dyn Write) -> Result<()> {
        let module = &self.module;
        writeln!(out, "{}, {} bytes", module.file, grouped_size(module.size))?;
        for problem in &module.problems {
            writeln!(out, "cannot be run: {}", one_line(problem))?;
        }
        match &self.metadata {
            Some(metadata) => write_metadata(out, metadata)?,
            None => writeln!(
                out,
                "\nNot annotated: policy-server needs the metadata that `annotate` adds."
            )?,
        }

        writeln!(out, "\nImports")?;
        for (from, names) in &module.imports {
            writeln!(out, "  {from}: {}", one_line(&names.join(", ")))?;
        }
        writeln!(out, "\nExports")?;
        writeln!(out, "  {}", one_line(&module.exports.join(", ")))?;

        writeln!(out, "\nSections")?;
        let mut table = Table::new(&[Alignment::Left, Alignment::Right]);
        for section in &module.sections {
            table.row([
                &format_args!("  {}", section.name),
                &grouped_size(section.size),
            ]);
        }
        Ok(table.write(out)?)
    }
}

/// What has a line of its own, without its prefix.
const TITLES: [&str; 9] = [
    "title",
    "version",
    "description",
    "author",
    "url",
    "source",
    "license",
    "severity",
    "category",
];

fn write_metadata(out: &mut dyn Write, metadata: &Metadata) -> Result<()> {
    let mut table = Table::new(&[Alignment::Left, Alignment::Left]);
    let mut others = metadata.annotations.clone().unwrap_or_default();
    for title in TITLES {
        if let Some(text) = others.remove(&format!("io.kubewarden.policy.{title}")) {
            table.row([&format_args!("  {title}"), &one_line(&text)]);
        }
    }
    table.row([&"  mutating", &yes_or_no(metadata.mutating)]);
    table.row([&"  background audit", &yes_or_no(metadata.background_audit)]);
    if metadata.policy_type != PolicyType::Kubernetes {
        table.row([&"  policy type", &spelled(&metadata.policy_type)?]);
    }
    if metadata.execution_mode != ExecutionMode::KubewardenWapc {
        table.row([&"  execution mode", &spelled(&metadata.execution_mode)?]);
    }
    table.row([&"  protocol version", &spelled(&metadata.protocol_version)?]);
    if let Some(version) = &metadata.minimum_kubewarden_version {
        table.row([&"  since Kubewarden", version]);
    }
    for resource in &metadata.context_aware_resources {
        table.row([
            &"  reads",
            &format_args!("{}/{}", resource.api_version, resource.kind),
        ]);
    }
    for capability in metadata.host_capabilities.iter().flatten() {
        table.row([&"  host capability", &one_line(capability)]);
    }
    if let Some(usage) = others.remove(USAGE) {
        table.row([
            &"  usage",
            &format_args!(
                "{} lines of Markdown, shown by `-o json`",
                grouped_size(usage.lines().count())
            ),
        ]);
    }
    writeln!(out, "\nMetadata")?;
    table.write(out)?;

    if !others.is_empty() {
        writeln!(out, "\nOther annotations")?;
        let mut table = Table::new(&[Alignment::Left, Alignment::Left]);
        for (key, text) in &others {
            table.row([&format_args!("  {key}"), &one_line(text)]);
        }
        table.write(out)?;
    }

    writeln!(out, "\nRules")?;
    let mut table = Table::new(&[Alignment::Left; 3]);
    for rule in &metadata.rules {
        table.row([
            &format_args!("  {}", operations(rule)?),
            &api(rule),
            &one_line(&rule.resources.join(", ")),
        ]);
    }
    if metadata.rules.is_empty() {
        writeln!(out, "  none")?;
    }
    Ok(table.write(out)?)
}

fn operations(rule: &Rule) -> Result<String> {
    let operations: Result<Vec<_>> = rule.operations.iter().map(spelled).collect();
    Ok(operations?.join(", "))
}

/// Groups and versions as in `apiVersion`; several of a kind stand in braces.
fn api(rule: &Rule) -> String {
    let groups: Vec<_> = rule
        .api_groups
        .iter()
        .map(|group| if group.is_empty() { "core" } else { group })
        .collect();
    let versions: Vec<_> = rule.api_versions.iter().map(String::as_str).collect();
    one_line(&format!("{}/{}", braced(&groups), braced(&versions)))
}

fn braced(names: &[&str]) -> String {
    match names {
        [name] => (*name).to_owned(),
        names => format!("{{{}}}", names.join(", ")),
    }
}

fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}

/// A value in its JSON spelling, without quotes.
fn spelled(value: &impl Serialize) -> Result<String> {
    Ok(match serde_json::to_value(value)? {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    })
}

fn grouped_size(size: usize) -> String {
    grouped(u64::try_from(size).unwrap_or(u64::MAX))
}
