//! `rollout-guard init`: settings from what there is.

mod settings;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use rollout_guard::workload::ImagePlaces;

use super::survey::{Survey, SurveyArguments};
use crate::cluster::Unread;
use crate::exit::Exit;
use crate::failure::{Failure, error, reason};
use crate::input;
use crate::report::count;

/// Write settings that admit what runs today
///
/// Each repository becomes an entry of `registries.allow`; five beside each other become the path above
/// them. Tags and digests are only counted, in comments. `audit` with these settings refuses nothing.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard init > settings.yaml
  rollout-guard init --unreachable docker.io \\
    --output settings.yaml deploy/
  rollout-guard init --context prod --policy > policy.yaml")]
pub(crate) struct Init {
    #[command(flatten)]
    survey: SurveyArguments,

    /// A whole host for each registry, but for Docker Hub
    #[arg(long)]
    broad: bool,

    /// Nodes cannot reach this registry: propose a mirror for it; may be repeated
    #[arg(long, value_name = "HOST")]
    unreachable: Vec<String>,

    /// Write a policy for Kubewarden that only warns, and that stops nothing while it is down
    #[arg(long)]
    policy: bool,

    /// Write to this file, which must not be there yet [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

impl Init {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let survey = Survey::new(&self.survey, ImagePlaces::default())?;
        for Unread { what, problem } in &survey.unread {
            error(&format!("not read: {what}: {problem}"));
        }
        let found = settings::Found::new(&survey, self.broad, &self.unreachable);
        if found.is_empty() {
            return Err(Failure::unreadable(format!(
                "no image in {}: there is nothing to make settings of",
                count(survey.objects, "object", "objects")
            )));
        }
        let text = if self.policy {
            found.policy()
        } else {
            found.settings()
        };
        match &self.output {
            None => out.write_all(text.as_bytes())?,
            Some(path) => {
                let written =
                    File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
                written.map_err(|error| {
                    Failure::unreadable(format!(
                        "{}: {}",
                        input::name(path),
                        match error.kind() {
                            std::io::ErrorKind::AlreadyExists =>
                                "it is there already, and stays as it is".to_owned(),
                            _ => reason(&error),
                        }
                    ))
                })?;
                writeln!(out, "{}: {}", input::name(path), found.summary())?;
            }
        }
        Ok(if survey.unread.is_empty() {
            Exit::Clean
        } else {
            Exit::Unreadable
        })
    }
}
