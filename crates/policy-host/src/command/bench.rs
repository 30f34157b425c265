//! `policy-host bench`: what a request costs, beside a policy that does nothing.

mod case;
mod lane;
mod measurement;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use policy_host::{AdmissionRequest, FuelMeter, Host, Settings, payload};
use serde::Serialize;
use serde_json::Value;

use crate::{
    document,
    failure::WrongArguments,
    table::{Alignment, Table, grouped},
};

use case::Case;
use lane::Lane;
use measurement::{Ratio, measure};

/// Measure what policy-server does per request, for several policies side by side.
///
/// Measured is everything between reading the `AdmissionReview` and writing the answer: parsing,
/// policy-server's copies, the payload, a fresh instance with `wapc_init`, `validate`, the patch.
/// HTTP is not. The policies take turns of ten milliseconds, so that noise hits all alike.
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
CASE is a policy with what it is measured with:

  FILE[,name=NAME][,settings=FILE][,request=FILE][,at-least=RATIO]

so one run can hold one policy under several settings and requests:

  policy-host bench -r deployment.json --baseline accept-all.wasm \\
      policy.wasm,settings=images.yaml,at-least=0.83 \\
      policy.wasm,settings=mirrors.yaml,request=pod.json,name=mirrors

The ratio is the rate of the case divided by the rate of the baseline with the same request and
settings, since hosts hand both to every policy: the median over the rounds, then the lowest and
the highest round.

Exit codes: 0 measured, 1 a ratio is too low, settings are not valid, a policy fails or a file is
not as it should be, 2 wrong arguments."
)]
pub(crate) struct Bench {
    /// `AdmissionReview` or the request in it, for each CASE without its own
    #[arg(short, long, value_name = "FILE")]
    request_path: PathBuf,

    /// Settings, for each CASE without its own
    #[arg(short, long, value_name = "FILE")]
    settings_path: Option<PathBuf>,

    /// The policy to compare with, one that takes any settings and accepts everything
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// The lowest ratio to the baseline that the first CASE may have
    #[arg(long, value_name = "RATIO", allow_negative_numbers = true, requires = "baseline", value_parser = case::ratio)]
    at_least: Option<f64>,

    /// Count wasm instructions, exactly, instead of measuring time
    #[arg(long, conflicts_with_all = ["at_least", "rounds", "seconds"])]
    fuel: bool,

    /// Into how many rounds the time is divided
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,

    /// How long each CASE runs in all
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value = "5", value_parser = case::seconds)]
    seconds: f64,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Policies with their settings, see below
    #[arg(value_name = "CASE", required = true)]
    cases: Vec<Case>,
}

/// A case with everything that its keys leave to the other arguments.
struct Plan<'a> {
    name: String,
    policy: &'a Path,
    settings: Option<&'a Path>,
    request: &'a Path,
    /// Which plan it is compared with.
    baseline: Option<usize>,
    at_least: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Speed {
    name: String,
    requests_per_second: f64,
    microseconds_per_request: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
    answer: String,
}

#[derive(Serialize)]
struct Instructions {
    name: String,
    init: u64,
    validate: u64,
    total: u64,
    memory: usize,
}

impl Bench {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<()> {
        let plans = self.plans()?;
        if self.fuel {
            return self.count(&plans, out);
        }
        let lanes = lanes(&plans)?;
        if io::stderr().is_terminal() {
            // Only so that nobody wonders: it takes a while.
            let _ = writeln!(
                io::stderr(),
                "measuring {} policies, {} s each",
                lanes.len(),
                self.seconds
            );
        }
        let budget = Duration::from_secs_f64(self.seconds / f64::from(self.rounds));
        let rounds = measure(&lanes, self.rounds, budget)?;
        let speeds: Vec<_> = plans
            .iter()
            .zip(&lanes)
            .enumerate()
            .map(|(index, (plan, lane))| {
                let seconds = rounds.seconds_per_request(index);
                Speed {
                    name: plan.name.clone(),
                    requests_per_second: 1.0 / seconds,
                    microseconds_per_request: seconds * 1e6,
                    ratio: plan.baseline.map(|baseline| rounds.ratio(index, baseline)),
                    answer: lane.answer.clone(),
                }
            })
            .collect();
        if self.json {
            write_json(&speeds, out)?;
        } else {
            write_speeds(&speeds, out)?;
        }
        judge(&plans, &speeds)
    }

    /// The baselines, one for each request and its settings, and then the cases.
    fn plans(&self) -> Result<Vec<Plan<'_>>> {
        let mut plans = Vec::new();
        let mut baselines = BTreeMap::new();
        let inputs: BTreeSet<_> = self.cases.iter().map(|case| self.input_of(case)).collect();
        if let Some(policy) = &self.baseline {
            for (request, settings) in &inputs {
                baselines.insert((*request, *settings), plans.len());
                let mut name = case::stem(policy);
                if inputs.len() > 1 {
                    let files = [Some(*request), *settings].into_iter().flatten();
                    for file in files {
                        name = format!("{name} {}", file.display());
                    }
                }
                plans.push(Plan {
                    name,
                    policy,
                    settings: *settings,
                    request,
                    baseline: None,
                    at_least: None,
                });
            }
        }
        for (index, case) in self.cases.iter().enumerate() {
            let (request, settings) = self.input_of(case);
            let general = (index == 0).then_some(self.at_least).flatten();
            plans.push(Plan {
                name: case.name.clone(),
                policy: &case.policy,
                settings,
                request,
                baseline: baselines.get(&(request, settings)).copied(),
                at_least: case.at_least.or(general),
            });
        }
        let mut names = BTreeSet::new();
        for plan in &plans {
            if !names.insert(&plan.name) {
                bail!(WrongArguments(format!(
                    "two of the policies are named `{}`, add `,name=`",
                    plan.name
                )));
            }
            if plan.at_least.is_some() && plan.baseline.is_none() {
                bail!(WrongArguments(format!(
                    "`{}` has `at-least`, but there is no `--baseline`",
                    plan.name
                )));
            }
        }
        Ok(plans)
    }

    /// The request and the settings of a case.
    fn input_of<'a>(&'a self, case: &'a Case) -> (&'a Path, Option<&'a Path>) {
        (
            case.request.as_deref().unwrap_or(&self.request_path),
            case.settings.as_deref().or(self.settings_path.as_deref()),
        )
    }

    fn count(&self, plans: &[Plan<'_>], out: &mut dyn Write) -> Result<()> {
        let requests = requests(plans)?;
        let mut meters = BTreeMap::new();
        let mut counts = Vec::new();
        for plan in plans {
            if !meters.contains_key(plan.policy) {
                let meter = FuelMeter::load(&document::bytes(plan.policy)?)
                    .with_context(|| document::name(plan.policy))?;
                meters.insert(plan.policy, meter);
            }
            let meter = meters.get(plan.policy).context("no such policy")?;
            let (_, request) = requests.get(plan.request).context("no such request")?;
            let fuel = meter
                .measure("validate", &payload(request, &plan.settings()?)?)
                .with_context(|| format!("`{}`", plan.name))?;
            counts.push(Instructions {
                name: plan.name.clone(),
                init: fuel.init,
                validate: fuel.call,
                total: fuel.total(),
                memory: fuel.memory,
            });
        }
        if self.json {
            write_json(&counts, out)
        } else {
            write_instructions(&counts, out)
        }
    }
}

impl Plan<'_> {
    fn settings(&self) -> Result<Settings> {
        self.settings
            .map_or_else(|| Ok(Settings::default()), document::settings)
    }
}

/// The documents that hold the requests, each read once and known to hold one.
fn requests<'a>(plans: &[Plan<'a>]) -> Result<BTreeMap<&'a Path, (Value, AdmissionRequest)>> {
    let paths: BTreeSet<_> = plans.iter().map(|plan| plan.request).collect();
    paths
        .into_iter()
        .map(|path| {
            let document = document::value(path)?;
            let request =
                AdmissionRequest::from_value(&document).with_context(|| document::name(path))?;
            Ok((path, (document, request)))
        })
        .collect()
}

/// Loads what the plans name, each policy once.
fn lanes(plans: &[Plan<'_>]) -> Result<Vec<Lane>> {
    let requests = requests(plans)?;
    let mut hosts: BTreeMap<&Path, Rc<Host>> = BTreeMap::new();
    let mut lanes = Vec::new();
    for plan in plans {
        let host = if let Some(host) = hosts.get(plan.policy) {
            Rc::clone(host)
        } else {
            let host = Host::from_bytes(&document::bytes(plan.policy)?)
                .with_context(|| document::name(plan.policy))?;
            Rc::clone(hosts.entry(plan.policy).or_insert(Rc::new(host)))
        };
        let (document, _) = requests.get(plan.request).context("no such request")?;
        let lane = Lane::new(host, plan.settings()?, document.clone())
            .with_context(|| format!("`{}`", plan.name))?;
        lanes.push(lane);
    }
    Ok(lanes)
}

fn write_json(rows: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, rows).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

fn write_speeds(speeds: &[Speed], out: &mut dyn Write) -> Result<()> {
    use Alignment::{Left, Right};
    let mut table = Table::new(&[Left, Left, Right, Right, Right, Right]);
    if speeds.iter().any(|speed| speed.ratio.is_some()) {
        table.row([
            &"policy",
            &"answer",
            &"requests/s",
            &"µs/request",
            &"ratio",
            &"min–max",
        ]);
    } else {
        table.row([&"policy", &"answer", &"requests/s", &"µs/request"]);
    }
    for speed in speeds {
        let rate = format!("{:.0}", speed.requests_per_second);
        let time = format!("{:.1}", speed.microseconds_per_request);
        if let Some(ratio) = &speed.ratio {
            table.row([
                &speed.name,
                &speed.answer,
                &rate,
                &time,
                &format_args!("{:.3}", ratio.median),
                &format_args!("{:.3}–{:.3}", ratio.min, ratio.max),
            ]);
        } else {
            table.row([&speed.name, &speed.answer, &rate, &time]);
        }
    }
    Ok(table.write(out)?)
}

fn write_instructions(counts: &[Instructions], out: &mut dyn Write) -> Result<()> {
    use Alignment::{Left, Right};
    let mut table = Table::new(&[Left, Right, Right, Right]);
    table.row([&"policy", &"wapc_init", &"validate", &"instructions"]);
    for count in counts {
        table.row([
            &count.name,
            &grouped(count.init),
            &grouped(count.validate),
            &grouped(count.total),
        ]);
    }
    Ok(table.write(out)?)
}

/// Fails when a ratio is below what its case asks for.
fn judge(plans: &[Plan<'_>], speeds: &[Speed]) -> Result<()> {
    let mut shortfalls = Vec::new();
    for (plan, speed) in plans.iter().zip(speeds) {
        if let (Some(at_least), Some(ratio)) = (plan.at_least, &speed.ratio)
            && ratio.median < at_least
        {
            shortfalls.push(format!(
                "`{}` reaches {:.3} of the baseline's rate, at least {at_least} is asked for",
                plan.name, ratio.median
            ));
        }
    }
    if shortfalls.is_empty() {
        Ok(())
    } else {
        bail!(shortfalls.join("; "))
    }
}
