//! `rollout-guard audit`: what of a cluster the policy would refuse, before anything is installed.

pub(super) mod record;
mod report;
pub(super) mod rows;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use rayon::prelude::*;

use super::check::{notes, settings, settings_of};
use crate::cluster::{ClusterArguments, Resource, Unread, Wanted};
use crate::cluster_policies::runs_this_module;
use crate::config::{Config, FailOn, InForce, Options};
use crate::exit::Exit;
use crate::failure::{Failure, error};
use crate::input;
use crate::judge::Judge;
use crate::settings_file::SettingsFile;

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

    /// The settings, or a policy of Kubewarden that holds them
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    settings: Option<PathBuf>,

    /// Use the policies that are installed in the cluster
    #[arg(long, conflicts_with = "settings")]
    policies: bool,

    /// What to group by [default: code and image]
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupByArgument>,

    /// What else makes the command fail
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    fail_on: Vec<FailOn>,

    /// The form of the report
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
        let file = if self.policies {
            installed(&self.cluster, &mut unread)?
        } else {
            let settings = in_force.settings()?.to_owned();
            input::only_once(std::iter::once(&settings).chain(&self.cluster.cluster))?;
            SettingsFile::read(&settings)?
        };
        let documents = file.documents()?;
        let sources = file.sources(&documents)?;
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
            group_by: match self.group_by {
                None => rows::GroupBy::Problem,
                Some(GroupByArgument::Namespace) => rows::GroupBy::Namespace,
                Some(GroupByArgument::Image) => rows::GroupBy::Image,
                Some(GroupByArgument::Workload) => rows::GroupBy::Workload,
                Some(GroupByArgument::Policy) => rows::GroupBy::Policy,
            },
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

/// The API group of Kubewarden.
const GROUP: &str = "policies.kubewarden.io";

/// The policies that are installed in a cluster, as a file that holds them.
pub(super) fn installed(
    cluster: &ClusterArguments,
    unread: &mut Vec<Unread>,
) -> Result<SettingsFile, Failure> {
    if cluster.cluster.iter().any(|path| input::is_stdin(path)) {
        return Err(Failure::wrong_use(
            "`--policies` reads the objects twice, which standard input cannot be: name a file",
        ));
    }
    let everywhere = ClusterArguments {
        namespaces: Vec::new(),
        ..cluster.clone()
    };
    let mut policies = Vec::new();
    let is_policy =
        |resource: &Resource| resource.group == GROUP && resource.name != "policyservers";
    let missing = everywhere.read(&is_policy, &mut |object| {
        if object.contains(GROUP)
            && serde_json::from_str(&object).is_ok_and(|policy| runs_this_module(&policy))
        {
            policies.push(object);
        }
        Ok(())
    })?;
    if policies.is_empty() {
        let first = missing.into_iter().min();
        return Err(match first {
            Some(Unread { what, problem }) => {
                Failure::unreadable(format!("no policy was read: {what}: {problem}"))
            }
            None => Failure::wrong_use(format!(
                "{} has no policy that runs rollout-guard",
                cluster.name()
            )),
        });
    }
    unread.extend(missing);
    let list = policies.join(",");
    Ok(SettingsFile {
        name: format!("the policies of {}", cluster.name()),
        text: format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{list}]}}"),
    })
}
