//! `rollout-guard`: the verdicts of the policy over files in Git, before anything reaches a cluster.
//!
//! ```text
//! file ──▶ manifest ──▶ object ──▶ judge ──▶ finding ──▶ report
//!  input   JSON, and    request    the       violation    human, JSON,
//!          places of    to create  engine    and place    SARIF, GitHub,
//!          its values   it                                JUnit
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`command`] | the commands, one a file; every rule is the engine's |
//! | [`report`], [`snippet`], [`wrap`], [`progress`] | how findings are told |
//! | [`edit`] | changes values in the text of a manifest |
//! | [`drift`] | Git, live workloads and Pods, side by side |
//! | [`cluster`] | the objects of a cluster, which kubectl lists or a file records |
//! | [`build`] | what kustomize and Helm make of files, and where that is decided |
//! | [`kustomize`] | which files kustomize decides about, for those that write |
//! | [`config`], [`reader`] | `.rollout-guard.yaml`; files that a person wrote, with their mistakes |
//! | [`before`], [`revision`] | what objects were before |
//! | [`baseline`] | violations that are accepted for now |
//! | [`cluster_policies`] | the policies of a cluster |
//! | [`settings_file`], [`settings_schema`] | settings as they were read, and what may be written in them |
//! | [`input`], [`work_tree`] | the files that a user names; what Git says of them |
//! | [`output`] | files that are written whole or not at all |
//! | [`clock`], [`exit`], [`failure`] | what time it is; how a command ends |
//!
//! What needs neither files nor a terminal is in `rollout-guard-manifests`: manifests, objects, settings
//! and findings, with their places.

mod baseline;
mod before;
mod build;
mod clock;
mod cluster;
mod cluster_policies;
mod command;
mod config;
mod drift;
mod edit;
mod exit;
mod failure;
mod input;
mod kustomize;
mod output;
mod progress;
mod reader;
mod report;
mod revision;
mod settings_file;
mod settings_schema;
mod snippet;
mod work_tree;
mod wrap;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::{ColorChoice, Parser};
use rollout_guard::date::Time;
use rollout_guard_manifests::{
    admission_policy, finding, image, judge, manifest, object, policy_file, secret, settings_lints,
    settings_text, values,
};

use command::Command;

/// Check Kubernetes manifests with the rollout-guard policy before they reach a cluster.
#[derive(Debug, Parser)]
#[command(
    name = "rollout-guard",
    version,
    after_help = "\
Exit codes:
  0  nothing is wrong
  1  check: violations, or warnings with --fail-on warnings
     fix: what is left to change by hand, or with --check
          what would change
     drift: differences
     audit: objects that would be refused
     test: cases that failed, or less coverage than
          --fail-under
  2  wrong arguments, configuration or settings
  3  something could not be read, parsed or written; check
     judged nothing, or not everything with --fail-on
     incomplete; standard output was closed early. 3
     takes precedence over 1"
)]
pub(crate) struct Arguments {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,

    /// Judge as on this day (UTC) or at this time; default: now
    #[arg(long, global = true, value_name = "DATE", value_parser = clock::parse)]
    now: Option<Time>,

    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    failure::catch_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::of_arguments(&error).into(),
    };
    match arguments.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    if let Some(now) = arguments.now {
        clock::set(now);
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    let done = arguments
        .command
        .execute(&mut out)
        .and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // What was written before belongs to the answer.
            let _ = out.flush();
            failure.tell().into()
        }
    }
}
