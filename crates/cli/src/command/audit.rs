//! `rollout-guard audit`: what of a cluster the policy would refuse, before anything is installed.

pub(super) mod record;
mod report;
pub(super) mod rows;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use rayon::prelude::*;

use super::check::notes;
use crate::cluster::{ClusterArguments, Unread, Wanted};
use crate::cluster_policies;
use crate::config::{Config, FailOn, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error};
use crate::input;
use crate::judge::Judge;
use crate::settings_file::{SettingsFile, settings, settings_of};

use record::Record;
use report::{Audit, AuditFormat};

/// Report which objects of a live cluster the policy would refuse
///
/// For each workload: would it be refused if it were created now, would its next Pod be refused, and does
/// an update pass. Pods, replica sets and jobs count as part of the workload that made them. Nothing is
/// written to the cluster.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard audit -s settings.yaml
  rollout-guard audit --context prod --policies \\
    --group-by namespace
  kubectl get deploy,sts,ds,rs,cronjob,job,pod,svc,ing -A \\
    -o json | rollout-guard audit -s settings.yaml --cluster -
  rollout-guard audit -s settings.yaml \\
    --format openreports | kubectl apply -f -")]
pub(crate) struct AuditCommand {
    #[command(flatten)]
    cluster: ClusterArguments,

    /// Settings file, or a Kubewarden policy that contains the settings
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Use the policies that are installed in the cluster
    #[arg(long, conflicts_with = "settings")]
    policies: bool,

    /// Group the objects by this [default: code and image]
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupByArgument>,

    /// What makes the command fail besides violations
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,

    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: AuditFormat,

    /// List all groups, with their workloads
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupByArgument {
    Namespace,
    Image,
    Workload,
    Policy,
}

/// So many bytes of objects are judged at a time.
const BATCH: usize = 8 << 20;

impl AuditCommand {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let options = Options {
            settings: self.settings.as_deref(),
            exclude: &[],
            namespace: None,
            fail_on: &self.fail_on,
            helm_values: &[],
        };
        let in_force = InForce::new(options, &Config::find()?)?;
        let mut unread = Vec::new();
        let policies = if self.policies {
            Some(cluster_policies::installed(&self.cluster, &mut unread)?)
        } else {
            None
        };
        let file = if let Some(policies) = &policies {
            policies.file.clone()
        } else {
            let settings = in_force.settings()?.to_owned();
            input::only_once(std::iter::once(&settings).chain(&self.cluster.cluster))?;
            SettingsFile::read(&settings)?
        };
        let documents = file.documents()?;
        let mut sources = file.sources(&documents)?;
        if let Some(policies) = &policies {
            for source in &mut sources {
                source.in_cluster(policies.namespaces.as_ref());
            }
        }
        let read = settings_of(&sources)?;
        let settings = settings(&file, &sources, &read)?;
        let judge = Judge::new(&sources, &settings, &in_force.namespace);
        let wanted = Wanted::new(&sources);
        let mut judging = Judging::new(&judge, &wanted);
        unread.extend(
            self.cluster
                .read(&|resource| wanted.is(resource), &mut |object| {
                    judging.add(object);
                    Ok(())
                })?,
        );
        judging.finish();
        let objects = judging.objects();
        let mut rows = rows::fold(&judging.records);
        rows.retain(|row| row.record.is_asked);
        unread.sort();
        unread.dedup();
        let source = self.cluster.name();
        let notes = notes(&sources);
        let audit = Audit {
            source: &source,
            objects,
            rows: &rows,
            unread: &unread,
            notes: &notes,
            group_by: (self.group_by).map_or(rows::GroupBy::Problem, rows::GroupBy::from),
        };
        audit.write(out, self.format, self.verbose)?;
        if self.format == AuditFormat::Openreports {
            for Unread { what, problem } in &unread {
                error(&format!("not read: {what}: {problem}"));
            }
        }
        if rows.is_empty() {
            error("nothing was judged: no object that the policy is about was read");
        }
        let warns = in_force.fail_on.contains(&FailOn::Warnings) && audit.has_warnings();
        Ok(if !unread.is_empty() || rows.is_empty() {
            Exit::Unreadable
        } else if audit.is_refused() || warns {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }
}

impl From<GroupByArgument> for rows::GroupBy {
    fn from(argument: GroupByArgument) -> Self {
        match argument {
            GroupByArgument::Namespace => Self::Namespace,
            GroupByArgument::Image => Self::Image,
            GroupByArgument::Workload => Self::Workload,
            GroupByArgument::Policy => Self::Policy,
        }
    }
}

/// Judges objects as they come, many at a time.
pub(super) struct Judging<'j> {
    judge: &'j Judge<'j>,
    wanted: &'j Wanted<'j>,
    batch: Vec<String>,
    bytes: usize,
    pub(super) records: Vec<Record>,
    objects: usize,
}

impl<'j> Judging<'j> {
    pub(super) const fn new(judge: &'j Judge<'j>, wanted: &'j Wanted<'j>) -> Self {
        Self {
            judge,
            wanted,
            batch: Vec::new(),
            bytes: 0,
            records: Vec::new(),
            objects: 0,
        }
    }

    pub(super) fn add(&mut self, object: String) {
        self.objects += 1;
        self.bytes += object.len();
        self.batch.push(object);
        if self.bytes >= BATCH {
            self.finish();
        }
    }

    pub(super) const fn objects(&self) -> usize {
        self.objects
    }

    pub(super) fn finish(&mut self) {
        let (judge, wanted) = (self.judge, self.wanted);
        let judged: Vec<_> = self
            .batch
            .par_iter()
            .filter_map(|object| record::judge(judge, wanted, object))
            .collect();
        self.records.extend(judged);
        self.batch.clear();
        self.bytes = 0;
    }
}
