//! Settings as a policy that can be applied.

use std::fmt::Write as _;

use rollout_guard::annotation::{AnnotationItem, RuleAction};
use rollout_guard::mirror::{Mirror, Rewrite};
use rollout_guard::settings::Settings;
use serde_json::Value;

use crate::manifest;
use crate::policy_file::sources;

/// What the module says of itself: its address, and the rules that it is asked by.
const METADATA: &str = include_str!("../../../metadata.yml");

const MODULE_KEY: &str = "io.kubewarden.policy.ociUrl: ";

/// A `ClusterAdmissionPolicy` with settings as they are written: with their comments, if they can
/// stand below a key, else as JSON.
pub fn text(written: &str, json: &str, settings: &Settings<'_>) -> String {
    let as_written = policy(&indented(written), settings);
    let meant: Value = serde_json::from_str(json).unwrap_or_default();
    if settings_in(&as_written).is_some_and(|there| there == meant) {
        as_written
    } else {
        policy(&format!("    {meant}\n"), settings)
    }
}

/// The module of this version, as a policy names it.
pub fn module() -> String {
    let module = METADATA
        .split_once(MODULE_KEY)
        .and_then(|(_, rest)| rest.lines().next())
        .unwrap_or_default();
    format!("registry://{module}:v{}", env!("CARGO_PKG_VERSION"))
}

fn policy(indented: &str, settings: &Settings<'_>) -> String {
    let module = module();
    let mutating = if is_mutating(settings) {
        "true # it changes objects: `mirrors`, or annotations that it removes"
    } else {
        "false"
    };
    let mut text = format!(
        "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata:
  name: rollout-guard
spec:
  module: {module}
  mutating: {mutating}
  mode: monitor # only warns; `protect` refuses
  failurePolicy: Ignore # while policy-server is down, everything passes
  rules:
"
    );
    let deletes = settings.changes.iter().any(|rule| rule.guard_delete);
    for line in rules() {
        let line = if deletes {
            line.replace(
                r#"["CREATE", "UPDATE"]"#,
                r#"["CREATE", "UPDATE", "DELETE"]"#,
            )
        } else {
            line.to_owned()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    if !settings.image_places.paths.is_empty() {
        text.push_str("    # The custom kinds of `imagePaths` need rules here too.\n");
    }
    text.push_str("  settings:\n");
    text.push_str(indented);
    text
}

/// Whether anything in the settings changes objects.
fn is_mutating(settings: &Settings<'_>) -> bool {
    let rewriting = |mirror: &Mirror<'_>| !mirror.is_only_named;
    let rewrites = settings.mirrors.iter().any(rewriting) && settings.rewrite != Rewrite::Never;
    let removes = |item: &AnnotationItem<'_>| {
        let rule = item.rule();
        rule.is_ok_and(|rule| rule.action == RuleAction::Remove)
    };
    let removes = settings.annotations.iter().any(removes);
    rewrites || removes
}

/// The rules in the metadata.
fn rules() -> impl Iterator<Item = &'static str> {
    METADATA
        .lines()
        .skip_while(|line| *line != "rules:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
}

/// A text of settings as it stands below a key.
fn indented(written: &str) -> String {
    let mut text = String::new();
    for line in written.trim_start_matches('\u{feff}').lines() {
        let is_marker = matches!(line.trim_end(), "---" | "...");
        if line.trim().is_empty() {
            text.push('\n');
        } else if !is_marker {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The settings in the text of a policy.
fn settings_in(policy: &str) -> Option<Value> {
    let mut documents = Vec::new();
    let mut is_readable = true;
    manifest::documents(policy, &mut |part| match part {
        Ok(document) => documents.push(document),
        Err(_) => is_readable = false,
    });
    if !is_readable {
        return None;
    }
    match sources(&documents).ok()?.as_slice() {
        [source] => serde_json::from_str(source.json()).ok(),
        _ => None,
    }
}
