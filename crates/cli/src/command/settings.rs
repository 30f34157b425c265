//! `rollout-guard settings`: whether settings can be meant, what they do, and what may be written.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use rollout_guard::json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings, settings_of};
use crate::settings_lints;
use crate::settings_schema;
use crate::settings_text;

/// Check settings, explain what they do, or print their JSON Schema
#[derive(Args, Debug)]
#[command(
    name = "settings",
    after_help = "\
Examples:
  rollout-guard settings settings.yaml
  rollout-guard settings --explain policy.yaml
  rollout-guard settings --schema > settings.schema.json"
)]
pub(crate) struct SettingsCommand {
    /// Settings file, or a Kubewarden policy that contains the settings; `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    file: Option<PathBuf>,

    /// Say whether the settings are valid, and what is redundant or odd in them (the default)
    #[arg(long)]
    validate: bool,

    /// Say in sentences what the settings do, in their order
    #[arg(long)]
    explain: bool,

    /// Print the JSON Schema of settings, for editors and forms
    #[arg(long, conflicts_with_all = ["file", "validate", "explain"])]
    schema: bool,
}

impl SettingsCommand {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let Some(file) = &self.file else {
            out.write_all(settings_schema::text().as_bytes())?;
            return Ok(Exit::Clean);
        };
        let file = SettingsFile::read(file)?;
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
        let read = settings_of(&sources)?;
        let valid = settings(&file, &sources, &read)?;
        for (source, settings) in sources.iter().zip(&valid) {
            if self.explain {
                if let Some(policy) = &source.policy {
                    writeln!(out, "# {policy}\n")?;
                }
                let value = read
                    .iter()
                    .zip(&sources)
                    .find(|(_, of)| std::ptr::eq(*of, source))
                    .map_or(Value::NULL, |(document, _)| document.root());
                for sentence in settings_text::sentences(value) {
                    writeln!(out, "- {sentence}")?;
                }
                for note in &source.notes {
                    writeln!(out, "- In a cluster: {note}.")?;
                }
                writeln!(out)?;
            }
            if self.validate || !self.explain {
                let lints = settings_lints::find(source, settings);
                write!(out, "{}", file.show_warnings(source, &lints))?;
                let policy = source.policy.as_deref();
                let policy = policy.map_or_else(String::new, |policy| format!(" ({policy})"));
                let warnings = if lints.is_empty() {
                    String::new()
                } else {
                    format!(", {}", count(lints.len(), "warning", "warnings"))
                };
                writeln!(out, "{}: valid{policy}{warnings}", file.name)?;
            }
        }
        Ok(Exit::Clean)
    }
}
