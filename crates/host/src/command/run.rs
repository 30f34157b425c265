//! `policy-host run`: one request, one answer.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use policy_host::{
    AdmissionRequest, Handling, Host, Mode, Settings, admission_request::RequestError,
};

use crate::{
    document,
    failure::{InvalidSettings, printable},
};

/// Put a request to a policy and print its answer, an `AdmissionResponse`, as one line of JSON.
///
/// The policy gets what policy-server would send it, has no host capability but its log, and at
/// most two seconds. Its log goes to stderr.
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Exit codes: 0 answered (also when the policy denies), 1 settings not valid or a file not as it
should be, 2 wrong arguments."
)]
pub(crate) struct Run {
    /// `AdmissionReview` or the request in it, JSON or YAML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    request_path: PathBuf,

    /// Settings of the policy, YAML or JSON
    #[arg(short, long, value_name = "FILE", conflicts_with = "settings_json")]
    settings_path: Option<PathBuf>,

    /// Settings of the policy, as JSON text
    #[arg(long, value_name = "JSON")]
    settings_json: Option<String>,

    /// How the policy is deployed: in monitor mode everything is allowed
    #[arg(long, value_enum, default_value = "protect", conflicts_with = "audit")]
    mode: ModeArgument,

    /// Deploy the policy with `mutating: false`: a mutation is refused
    #[arg(long, conflicts_with = "audit")]
    not_mutating: bool,

    /// Use one instance for settings and request, as kwctl does, not a fresh one for each
    #[arg(long)]
    same_instance: bool,

    /// Take the file for a live object, and ask what the audit scanner would ask about it
    #[arg(long)]
    audit: bool,

    /// The policy, a wasm file
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArgument {
    Protect,
    Monitor,
}

impl Run {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let request = self.request()?;
        let settings = self.settings()?;
        let host = Host::from_bytes(&document::bytes(&self.policy)?)
            .with_context(|| document::name(&self.policy))?
            .on_log(|entry| {
                // A log that nobody can read stops no policy.
                let _ = writeln!(
                    io::stderr(),
                    "policy log: {}",
                    printable(&entry.to_string())
                );
            });

        let instance = host.instance()?;
        let verdict = instance.validate_settings(&settings)?;
        if !verdict.valid {
            return Err(InvalidSettings(verdict.message.unwrap_or_default()).into());
        }
        let handling = (!self.audit).then_some(Handling {
            mode: match self.mode {
                ModeArgument::Protect => Mode::Protect,
                ModeArgument::Monitor => Mode::Monitor,
            },
            mutating: !self.not_mutating,
        });
        let response = if self.same_instance {
            let response = instance.evaluate(&request, &settings)?;
            match handling {
                Some(handling) => handling.apply(response),
                None => response,
            }
        } else {
            drop(instance);
            host.review(&request, &settings, handling)?
        };
        writeln!(out, "{}", serde_json::to_string(&response)?)?;
        Ok(())
    }

    fn request(&self) -> Result<AdmissionRequest> {
        let value = document::value(&self.request_path)?;
        let request = if self.audit {
            AdmissionRequest::audit(&value)
        } else {
            AdmissionRequest::from_value(&value)
        };
        request.map_err(|error| {
            let is_live = matches!(error, RequestError::LiveObject(_));
            let error = anyhow::Error::new(error).context(document::name(&self.request_path));
            if is_live {
                anyhow::anyhow!("{error:#}; `--audit` judges it as the audit scanner would")
            } else {
                error
            }
        })
    }

    fn settings(&self) -> Result<Settings> {
        match (&self.settings_path, &self.settings_json) {
            (Some(path), _) => document::settings(path),
            (None, Some(json)) => Settings::from_json(json).context("`--settings-json`"),
            (None, None) => Ok(Settings::default()),
        }
    }
}
