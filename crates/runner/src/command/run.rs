//! `run`: one request, one answer.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::{
    document,
    failure::{InvalidSettings, printable},
};
use crate::{
    AdmissionRequest, AdmissionResponse, CapabilityPattern, Handling, Host, HostRequest, Mode,
    Session, Settings, admission_request::RequestError,
};

/// Put a request to a policy and print its answer, an `AdmissionResponse`, as one line of JSON.
///
/// The policy gets what policy-server would send it, and at most two seconds. Its log goes to stderr.
/// Of the host capabilities it can have `oci/v1/manifest_digest`. policy-host answers it by the image's
/// registry: with the credentials of Docker's config, and by plain HTTP only where the registry is on
/// loopback. policy-runner asks no registry, and answers it from a recorded session only.
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Exit codes: 0 answered (also when the policy denies), 1 settings not valid or a file not as it
should be, 2 wrong arguments."
)]
pub struct Run {
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

    /// Host capabilities of the policy: `*`, `oci/*`, `oci/v1/manifest_digest`... None at all
    /// without a pattern. What follows is taken for a pattern, up to the next option or `--`
    #[arg(long, value_name = "PATTERN", num_args(0..), default_value = "*", verbatim_doc_comment)]
    allowed_host_capabilities: Vec<CapabilityPattern>,

    /// Answer the policy from this file, which kwctl recorded, and ask no registry
    #[arg(long, value_name = "FILE")]
    replay_host_capabilities_interactions: Option<PathBuf>,

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
    /// Judges, and writes the answer to `out`. What the policy asks its host is answered by `answer`,
    /// unless a recorded session is given.
    ///
    /// # Errors
    ///
    /// When a file cannot be used, the settings are not valid, or the policy gives no answer.
    pub fn execute(
        &self,
        out: &mut dyn Write,
        answer: impl Fn(&HostRequest) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Result<()> {
        let request = self.request()?;
        let settings = self.settings()?;
        let host = Host::from_bytes(&document::bytes(&self.policy)?)
            .with_context(|| document::name(&self.policy))?
            .on_log(|entry| tell("policy log", &entry.to_string()))
            .allow(self.allowed_host_capabilities.iter().cloned().collect());
        let response = match &self.replay_host_capabilities_interactions {
            Some(path) => {
                let session = Session::from_yaml(&document::text(path)?)
                    .with_context(|| document::name(path))?;
                let session = Arc::new(session);
                let answering = Arc::clone(&session);
                let host = host.on_request(move |request| answering.answer(request));
                let response = self.judge(&host, &request, &settings);
                warn_of_leftovers(&session, path);
                response
            }
            None => self.judge(&host.on_request(answer), &request, &settings),
        };
        writeln!(out, "{}", serde_json::to_string(&response?)?)?;
        Ok(())
    }

    fn judge(
        &self,
        host: &Host,
        request: &AdmissionRequest,
        settings: &Settings,
    ) -> Result<AdmissionResponse> {
        let instance = host.instance()?;
        let verdict = instance.validate_settings(settings)?;
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
        if self.same_instance {
            let response = instance.evaluate(request, settings)?;
            Ok(match handling {
                Some(handling) => handling.apply(response),
                None => response,
            })
        } else {
            drop(instance);
            Ok(host.review(request, settings, handling)?)
        }
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

fn warn_of_leftovers(session: &Session, path: &Path) {
    let leftovers = session.leftovers();
    if let Some(first) = leftovers.first() {
        let text = format!(
            "{}: not asked for: {} of the recorded exchanges, the first is {first:?}",
            document::name(path),
            leftovers.len()
        );
        tell("warning", &text);
    }
}

fn tell(what: &str, text: &str) {
    // What nobody can read stops no policy.
    let _ = writeln!(io::stderr(), "{what}: {}", printable(text));
}
