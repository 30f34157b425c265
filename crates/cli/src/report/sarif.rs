//! SARIF 2.1.0, the format of code scanning.

use std::fmt::Write as _;
use std::io::{self, Write};

use rollout_guard::violation::Code;
use serde::Serialize;
use serde_json::{Value, json};

use crate::baseline::fingerprint;
use crate::command::explain;
use crate::finding::{FileReport, Severity};
use crate::manifest::Position;
use rollout_guard_manifests::detail::Image;

use super::{Report, Run};

/// Writes each result when it comes, so that a long report needs no memory.
pub(super) struct Sarif {
    has_results: bool,
    /// Everything could be read.
    is_whole: bool,
    notifications: Vec<Value>,
}

impl Default for Sarif {
    fn default() -> Self {
        Self {
            has_results: false,
            is_whole: true,
            notifications: Vec::new(),
        }
    }
}

/// A result, with its keys in the order in which people read them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result<'f> {
    rule_id: &'static str,
    rule_index: Option<usize>,
    level: &'static str,
    message: Value,
    locations: Value,
    partial_fingerprints: Value,
    properties: Properties<'f>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<Value>,
}

/// What else programs may want to know of a result.
#[derive(Serialize)]
struct Properties<'f> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'f Image>,
}

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

impl Sarif {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.has_results {
            return out.write_all(b",\n");
        }
        self.has_results = true;
        let rules: Vec<_> = Code::ALL.iter().map(|code| rule(*code)).collect();
        let driver = json!({
            "name": "rollout-guard",
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        });
        writeln!(
            out,
            "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\"columnKind\":\"unicodeCodePoints\",\"results\":[",
        )
    }
}

impl Report for Sarif {
    fn file(&mut self, out: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        let artifact = json!({ "uri": uri(&file.name) });
        for finding in &file.findings {
            self.begin(out)?;
            let object = file.objects.get(finding.object);
            let object = object.map(ToString::to_string).unwrap_or_default();
            let name = file.objects.get(finding.object);
            let fingerprint = name.map(|name| fingerprint(name, finding));
            let result = Result {
                rule_id: finding.code().as_str(),
                rule_index: Code::ALL.iter().position(|code| *code == finding.code()),
                level: match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                message: json!({ "text": format!("{object}: {}", finding.violation) }),
                locations: json!([{
                    "physicalLocation": {
                        "artifactLocation": artifact,
                        "region": region(finding.start, finding.end),
                    },
                    "logicalLocations": [{
                        "fullyQualifiedName": format!("{object} {}", finding.violation.path),
                    }],
                }]),
                partial_fingerprints: json!({
                    "rolloutGuard/v1": fingerprint.unwrap_or_default(),
                }),
                properties: Properties {
                    rule: finding.detail.rule.as_deref(),
                    image: finding.detail.image.as_ref(),
                },
                suppressions: finding
                    .is_in_baseline
                    .then(|| json!([{ "kind": "external", "justification": "in the baseline" }])),
            };
            let result = serde_json::to_string(&result)?;
            write!(out, "{result}")?;
        }
        let problems = file.problems.iter().map(|problem| ("error", problem));
        let warnings = file.warnings.iter().map(|warning| ("warning", warning));
        self.is_whole &= file.problems.is_empty();
        for (level, problem) in problems.chain(warnings) {
            let location = match &problem.place {
                None => json!({ "artifactLocation": artifact }),
                Some((at, _)) => json!({
                    "artifactLocation": artifact,
                    "region": { "startLine": at.line, "startColumn": at.column },
                }),
            };
            self.notifications.push(json!({
                "level": level,
                "message": { "text": problem.message },
                "locations": [{ "physicalLocation": location }],
            }));
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, _: &Run<'_>) -> io::Result<()> {
        if !self.has_results {
            self.begin(out)?;
        }
        let invocation = json!({
            "executionSuccessful": self.is_whole,
            "toolExecutionNotifications": self.notifications,
        });
        writeln!(out, "\n],\"invocations\":[{invocation}]}}]}}")
    }
}

fn rule(code: Code) -> Value {
    let section = explain::section(code.as_str()).unwrap_or_default();
    let page = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/messages.md");
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": explain::first_sentence(section) },
        "help": {
            "text": explain::plain(section, None),
            "markdown": explain::markdown(section),
        },
        "helpUri": format!("{page}#{code}"),
    })
}

fn region(start: Position, end: Position) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
