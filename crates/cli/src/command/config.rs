//! `rollout-guard config`: what is in force here, and who says so.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rollout_guard::json::write_string;

use crate::config::{self, Config, FailOn, HelmChart, HelmConfig, InForce, NAME, Options, Set};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;

/// Show which settings, files and namespace are in force here, and what sets them
///
/// The command looks for `.rollout-guard.yaml` from the working folder up to the top of the work tree.
/// Options override it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard config
  rollout-guard config -n prod --fail-on incomplete
  rollout-guard config --schema > rollout-guard.schema.json")]
pub(crate) struct ConfigCommand {
    /// The settings, as for `check`
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Files to leave out, as for `check`
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,

    /// The namespace, as for `check`
    #[arg(short, long)]
    namespace: Option<String>,

    /// What makes `check` fail
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,

    /// Print the JSON Schema of `.rollout-guard.yaml`, for editors
    #[arg(long, conflicts_with_all = ["settings", "exclude", "namespace", "fail_on"])]
    schema: bool,
}

impl ConfigCommand {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        if self.schema {
            out.write_all(config::schema().as_bytes())?;
            return Ok(Exit::Clean);
        }
        let config = Config::find()?;
        let options = Options {
            settings: self.settings.as_deref(),
            exclude: &self.exclude,
            namespace: self.namespace.as_deref(),
            fail_on: &self.fail_on,
            helm_values: &[],
        };
        let in_force = InForce::new(options, &config)?;
        let file = config.file.as_deref().map(input::name);
        let by = |option: Option<&str>, line: Option<usize>| match (option, line, &file) {
            (Some(option), ..) => option.to_owned(),
            (None, Some(line), Some(file)) => format!("{file}:{line}"),
            _ => "default".to_owned(),
        };
        match &file {
            Some(file) => writeln!(out, "# {file}")?,
            None => writeln!(out, "# no {NAME}")?,
        }
        let path = |path: Option<&Path>| {
            path.map_or_else(|| "null".to_owned(), |path| quoted(&input::name(path)))
        };
        let globs = match (&config.exclude, self.exclude.as_slice()) {
            (Some(set), []) => set.value.clone(),
            (_, globs) => globs.to_vec(),
        };
        let globs: Vec<_> = globs.iter().map(|glob| quoted(glob)).collect();
        let mut words: Vec<_> = in_force.fail_on.iter().map(|word| word.as_str()).collect();
        if words.is_empty() {
            words.push(FailOn::Violations.as_str());
        }
        for (key, value, origin) in [
            (
                "settings",
                path(in_force.settings.as_deref()),
                by(
                    self.settings.as_ref().map(|_| "--settings"),
                    config.settings.as_ref().map(Set::line),
                ),
            ),
            (
                "exclude",
                format!("[{}]", globs.join(", ")),
                by(
                    (!self.exclude.is_empty()).then_some("--exclude"),
                    config.exclude.as_ref().map(Set::line),
                ),
            ),
            (
                "namespace",
                quoted(&in_force.namespace),
                by(
                    self.namespace.as_ref().map(|_| "--namespace"),
                    config.namespace.as_ref().map(Set::line),
                ),
            ),
            (
                "failOn",
                format!("[{}]", words.join(", ")),
                by(
                    (!self.fail_on.is_empty()).then_some("--fail-on"),
                    config.fail_on.as_ref().map(Set::line),
                ),
            ),
            (
                "baseline",
                path(in_force.baseline.as_deref()),
                by(None, config.baseline.as_ref().map(Set::line)),
            ),
            (
                "kustomize",
                if in_force.building.kustomize {
                    "on"
                } else {
                    "off"
                }
                .to_owned(),
                by(None, config.kustomize.as_ref().map(Set::line)),
            ),
            (
                "helm",
                match &in_force.building.helm {
                    None => "off".to_owned(),
                    Some(helm) if helm.charts.is_empty() => "on".to_owned(),
                    Some(helm) => charts(helm),
                },
                by(None, config.helm.as_ref().map(Set::line)),
            ),
        ] {
            writeln!(out, "{key}: {value} # {origin}")?;
        }
        Ok(Exit::Clean)
    }
}

/// The charts of a configuration, in one line.
fn charts(helm: &HelmConfig) -> String {
    let chart = |chart: &HelmChart| {
        let path = |path: &PathBuf| quoted(&input::name(path));
        let mut members = vec![format!("chart: {}", path(&chart.folder))];
        let release = chart.release.iter().map(|name| format!("release: {name}"));
        let namespace = chart
            .namespace
            .iter()
            .map(|name| format!("namespace: {name}"));
        members.extend(release.chain(namespace));
        let values = chart.values.iter().map(|files| match files.as_slice() {
            [only] => path(only),
            files => format!(
                "[{}]",
                files.iter().map(path).collect::<Vec<_>>().join(", ")
            ),
        });
        let values: Vec<_> = values.collect();
        if !values.is_empty() {
            members.push(format!("values: [{}]", values.join(", ")));
        }
        format!("{{ {} }}", members.join(", "))
    };
    let all: Vec<_> = helm.charts.iter().map(chart).collect();
    format!("[{}]", all.join(", "))
}

/// A text as YAML has it: in quotes where it needs them.
fn quoted(text: &str) -> String {
    if crate::manifest::scalar::is_bare(text) {
        return text.to_owned();
    }
    let mut quoted = String::new();
    write_string(&mut quoted, text);
    quoted
}
