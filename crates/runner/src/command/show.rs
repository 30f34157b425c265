//! `show`: an answer, with what was asked, for people.

mod changes;

use std::{io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::{document, failure::printable};

/// Show an answer of `run`, or of `kwctl run`, under headings: request, settings, verdict, and each
/// change, violation and warning.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Show {
    /// The request that was judged
    #[arg(short, long, value_name = "FILE")]
    request_path: PathBuf,

    /// The settings that it was judged by
    #[arg(short, long, value_name = "FILE")]
    settings_path: Option<PathBuf>,

    /// The answer, a JSON `AdmissionResponse`; `-` is standard input
    #[arg(value_name = "ANSWER", default_value = "-")]
    answer: PathBuf,
}

impl Show {
    /// Writes the answer to `out`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or is not what it should be.
    pub fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let review = document::value(&self.request_path)?;
        let request = review.get("request").unwrap_or(&review);
        let text = document::text(&self.answer)?;
        let answer: Value = serde_json::from_str(&text).with_context(|| {
            format!(
                "{}: not the answer of a policy",
                document::name(&self.answer)
            )
        })?;

        writeln!(out, "Request: {}", self.request_path.display())?;
        writeln!(out, "  {}", asked(request))?;
        if let Some(path) = &self.settings_path {
            writeln!(out, "\nSettings: {}", path.display())?;
            for line in document::text(path)?.lines() {
                writeln!(out, "  {line}")?;
            }
        }
        writeln!(out, "\nVerdict")?;
        writeln!(out, "  {}", verdict(&answer))?;
        let object = request.get("object").unwrap_or(&Value::Null);
        let changes = changes::of(&answer, object).with_context(|| document::name(&self.answer))?;
        list(out, "Changes", &changes)?;
        let violations = violations(&answer);
        list(out, "Violations", &violations)?;
        list(out, "Warnings", &warnings(&answer, &violations))?;
        if let Some(annotations) = answer.get("auditAnnotations").and_then(Value::as_object) {
            let lines: Vec<_> = annotations
                .iter()
                .map(|(key, value)| format!("{key}: {}", value.as_str().unwrap_or_default()))
                .collect();
            list(out, "Audit annotations", &lines)?;
        }
        writeln!(out, "\nAnswer to the API server")?;
        writeln!(out, "  {}", text.trim())?;
        Ok(())
    }
}

/// Operation, kind, name and user, as a sentence.
fn asked(request: &Value) -> String {
    let at = |pointer: &str| {
        request
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let group = match at("/kind/group") {
        "" => "core",
        group => group,
    };
    let name = [
        at("/name"),
        at("/object/metadata/name"),
        at("/object/metadata/generateName"),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .unwrap_or("(no name)");
    let sub_resource = match at("/subResource") {
        "" => String::new(),
        sub_resource => format!(", sub-resource {sub_resource}"),
    };
    let namespace = match at("/namespace") {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    let user = match at("/userInfo/username") {
        "" => "nobody (the audit scanner asks so)",
        user => user,
    };
    printable(&format!(
        "{} {group}/{} {name}{namespace}{sub_resource}, by {user}",
        at("/operation"),
        at("/kind/kind"),
    ))
}

fn verdict(answer: &Value) -> String {
    if answer.get("allowed") == Some(&Value::Bool(true)) {
        return match answer.get("patch") {
            Some(Value::String(_)) => "allowed, with changes".to_owned(),
            _ => "allowed".to_owned(),
        };
    }
    match answer.pointer("/status/code") {
        Some(code) => format!("refused ({code})"),
        None => "refused".to_owned(),
    }
}

/// The lines of a refusal's message, without the one that counts them and the link at the end.
fn violations(answer: &Value) -> Vec<String> {
    let Some(message) = answer.pointer("/status/message").and_then(Value::as_str) else {
        return Vec::new();
    };
    let lines: Vec<_> = message.lines().map(printable).collect();
    match lines.as_slice() {
        [count, rest @ .., link] if count.ends_with(':') && link.starts_with("see ") => {
            rest.to_vec()
        }
        [count, rest @ ..] if !rest.is_empty() && count.ends_with(':') => rest.to_vec(),
        _ => lines,
    }
}

/// The warnings that say more than the violations, which are all repeated as warnings, some cut.
fn warnings(answer: &Value, violations: &[String]) -> Vec<String> {
    let all = answer.get("warnings").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(printable)
        .filter(|warning| {
            let start = warning.split('…').next().unwrap_or_default();
            !violations
                .iter()
                .any(|violation| violation.starts_with(start))
        })
        .collect()
}

fn list(out: &mut dyn Write, heading: &str, lines: &[String]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}")?;
    for line in lines {
        writeln!(out, "  - {line}")?;
    }
    Ok(())
}
