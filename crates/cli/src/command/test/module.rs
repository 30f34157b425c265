//! The same cases through a module, by whoever can run one: kwctl, policy-host or policy-runner.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollout_guard::wire;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::evaluate::Declared;
use super::suite::Case;
use crate::clock;
use crate::failure::{Failure, reason};
use crate::input;
use crate::policy_file::Source;

/// Programs that run a module, by preference.
const PROGRAMS: [&str; 3] = ["kwctl", "policy-host", "policy-runner"];

/// A module, and the program that runs it.
pub(super) struct Module {
    program: PathBuf,
    wasm: PathBuf,
    folder: TempDir,
}

/// What both say about a request.
#[derive(Debug, PartialEq)]
struct Answer {
    accepted: bool,
    message: Option<String>,
    warnings: Vec<String>,
    audit_annotations: Map<String, Value>,
    object: Option<Value>,
}

/// The answer of the host to the API server.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionResponse {
    allowed: bool,
    patch: Option<String>,
    status: Option<Status>,
    audit_annotations: Option<Map<String, Value>>,
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Status {
    message: Option<String>,
}

/// The answer of the policy to its host.
#[derive(Deserialize)]
struct PolicyAnswer {
    accepted: bool,
    message: Option<String>,
    mutated_object: Option<Value>,
    audit_annotations: Option<Map<String, Value>>,
    warnings: Option<Vec<String>>,
}

impl Module {
    /// A module, to be run by `program`, or by the first that is installed.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or nothing can run it.
    pub(super) fn new(module: &Path, program: Option<&Path>) -> Result<Self, Failure> {
        fs::File::open(module).map_err(|error| {
            Failure::unreadable(format!("{}: {}", input::name(module), reason(&error)))
        })?;
        let runs = |program: &Path| {
            let mut command = Command::new(program);
            command.arg("--version").stdin(Stdio::null());
            command.output().is_ok()
        };
        let program = match program {
            Some(program) if runs(program) => program.to_owned(),
            Some(program) => {
                return Err(Failure::unreadable(format!(
                    "--host: cannot run {}",
                    input::name(program)
                )));
            }
            None => PROGRAMS
                .into_iter()
                .map(PathBuf::from)
                .find(|program| runs(program))
                .ok_or_else(|| {
                    let names = PROGRAMS.join(", ");
                    Failure::unreadable(format!(
                        "--module: none of {names} is installed, name one with `--host`"
                    ))
                })?,
        };
        let folder = tempfile::tempdir().map_err(|error| {
            Failure::unreadable(format!("no temporary folder: {}", reason(&error)))
        })?;
        Ok(Self {
            program,
            wasm: module.to_owned(),
            folder,
        })
    }

    /// Where the module's answer differs from the command's own, a line each.
    pub(super) fn differences(
        &self,
        number: usize,
        sources: &[&Source<'_>],
        case: &Case,
        requests: &[(usize, Value)],
    ) -> Vec<String> {
        let mut found = Vec::new();
        for (position, request) in requests {
            let Some(source) = sources.get(*position) else {
                continue;
            };
            let name = format!("{number}-{position}");
            match self.answers(&name, source, case, request) {
                Ok((module, own)) => tell(&module, &own, &mut found),
                Err(problem) => found.push(format!("the module gave no answer: {problem}")),
            }
        }
        found
    }

    fn answers(
        &self,
        name: &str,
        source: &Source<'_>,
        case: &Case,
        request: &Value,
    ) -> Result<(Answer, Answer), String> {
        let settings: Value =
            serde_json::from_str(source.json()).map_err(|error| error.to_string())?;
        let registry = Declared::new(case);
        let payload = json!({ "request": request, "settings": settings }).to_string();
        let own = wire::validate_at(payload.as_bytes(), &registry, clock::get());
        let own: PolicyAnswer = serde_json::from_slice(&own).map_err(|error| error.to_string())?;
        let own = Answer {
            accepted: own.accepted,
            message: own.message,
            warnings: own.warnings.unwrap_or_default(),
            audit_annotations: own.audit_annotations.unwrap_or_default(),
            object: own.mutated_object,
        };
        let object = request.get("object");
        let response = self.run(name, &settings, request, &registry.asked.borrow())?;
        let patched = response.patch.map(|patch| patched(&patch, object));
        let module = Answer {
            accepted: response.allowed,
            message: response.status.and_then(|status| status.message),
            warnings: response.warnings.unwrap_or_default(),
            audit_annotations: response.audit_annotations.unwrap_or_default(),
            object: patched.transpose()?,
        };
        Ok((module, own))
    }

    fn run(
        &self,
        name: &str,
        settings: &Value,
        request: &Value,
        asked: &[(String, bool)],
    ) -> Result<AdmissionResponse, String> {
        let write = |what: &str, contents: String| {
            let path = self.folder.path().join(format!("{name}-{what}"));
            fs::write(&path, contents)
                .map(|()| path)
                .map_err(|error| format!("cannot write its {what}: {}", reason(&error)))
        };
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request,
        });
        let mut command = Command::new(&self.program);
        command
            .arg("run")
            .arg("--request-path")
            .arg(write("request.json", review.to_string())?)
            .arg("--settings-path")
            .arg(write("settings.json", settings.to_string())?);
        if !asked.is_empty() {
            command
                .arg("--replay-host-capabilities-interactions")
                .arg(write("session.yaml", session(asked))?);
        }
        let output = command.arg(&self.wasm).stdin(Stdio::null()).output();
        let output = output.map_err(|error: io::Error| reason(&error))?;
        let out = String::from_utf8_lossy(&output.stdout);
        // kwctl writes its log to standard error, and the answer as a line of its own.
        let answer = out.lines().rev().find(|line| line.starts_with('{'));
        answer
            .and_then(|answer| serde_json::from_str(answer).ok())
            .ok_or_else(|| {
                let told = String::from_utf8_lossy(&output.stderr);
                told.trim().replace('\n', "; ")
            })
    }
}

/// The object after a patch of the API server.
fn patched(patch: &str, object: Option<&Value>) -> Result<Value, String> {
    let patch = STANDARD.decode(patch).map_err(|error| error.to_string())?;
    let patch: json_patch::Patch =
        serde_json::from_slice(&patch).map_err(|error| error.to_string())?;
    let mut object = object.cloned().unwrap_or_default();
    json_patch::patch(&mut object, &patch).map_err(|error| error.to_string())?;
    Ok(object)
}

/// The answers of registries, as kwctl records them.
fn session(asked: &[(String, bool)]) -> String {
    let exchanges: Vec<_> = asked
        .iter()
        .map(|(image, is_there)| {
            let response = if *is_there {
                let digest = format!("sha256:{}", "0".repeat(64));
                json!({ "type": "Success", "payload": json!({ "digest": digest }).to_string() })
            } else {
                let message = "OCI API error: manifest unknown";
                json!({ "type": "Error", "message": message })
            };
            let request = format!("!OciManifestDigest\nimage: {}\n", json!(image));
            json!({ "type": "Exchange", "request": request, "response": response })
        })
        .collect();
    json!(exchanges).to_string()
}

fn tell(module: &Answer, own: &Answer, found: &mut Vec<String>) {
    let mut add = |what: &str, module: Value, own: Value| {
        if module != own {
            found.push(format!("the module differs: {what} {module}, here {own}"));
        }
    };
    add("accepted", json!(module.accepted), json!(own.accepted));
    add("message", json!(module.message), json!(own.message));
    add("warnings", json!(module.warnings), json!(own.warnings));
    add(
        "audit annotations",
        json!(module.audit_annotations),
        json!(own.audit_annotations),
    );
    add("object", json!(module.object), json!(own.object));
}
