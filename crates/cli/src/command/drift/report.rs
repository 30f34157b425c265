//! The reports of `drift`.

use std::io::Write;

use anstyle::AnsiColor;
use serde::Serialize;

use super::LeftOut;
use crate::drift::compare::{Row, Runs, State};
use crate::failure::{Failure, printable};
use crate::report::count;
use crate::wrap::{columns, wrap};

pub(super) fn human(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    let bold = anstyle::Style::new().bold();
    let columns = columns();
    let fit = |line: String, more| wrap(&line, columns, more);
    let mut last = None;
    for row in rows.iter().filter(|row| row.state != State::InSync) {
        if last != Some(&row.key) {
            let key = &row.key;
            writeln!(
                out,
                "{bold}{} {}/{}{bold:#}",
                key.kind, key.namespace, key.name
            )?;
            last = Some(&row.key);
        }
        let colour = match row.state {
            _ if row.is_difference => AnsiColor::Red,
            State::InSync => AnsiColor::Green,
            _ => AnsiColor::Yellow,
        }
        .on_default();
        let state = row.state.as_str();
        writeln!(out, "  {}: {colour}{state}{colour:#}", printable(&row.what))?;
        if row.git.is_some() || row.spec.is_some() {
            let git = row.git.as_deref().unwrap_or("-");
            let place = match (&row.git, &row.in_git) {
                (Some(_), Some(git)) => {
                    format!("  ({}:{}:{})", git.name, git.at.line, git.at.column)
                }
                _ => String::new(),
            };
            let git = printable(&format!("{git}{place}"));
            writeln!(out, "{}", fit(format!("    Git   {git}"), 6))?;
            let spec = row.spec.as_deref().unwrap_or("-");
            writeln!(out, "{}", fit(format!("    spec  {}", printable(spec)), 6))?;
        }
        for (position, runs) in row.pods.iter().enumerate() {
            let label = if position == 0 { "Pods" } else { "    " };
            let runs = printable(&shown(runs));
            writeln!(out, "{}", fit(format!("    {label}  {runs}"), 6))?;
        }
        if let Some(advice) = &row.advice {
            let advice = printable(advice);
            writeln!(out, "{}", fit(format!("    {bold}→ {advice}{bold:#}"), 2))?;
        }
    }
    let with = |state| rows.iter().filter(|row| row.state == state).count();
    let states = [
        State::InSync,
        State::RolloutInProgress,
        State::StuckRollout,
        State::GitIsStale,
        State::ClusterWasEdited,
        State::OnlyInGit,
        State::OnlyInCluster,
    ];
    let counts: Vec<_> = states
        .into_iter()
        .filter(|state| with(*state) > 0)
        .map(|state| format!("{} {}", with(state), state.as_str()))
        .collect();
    if counts.is_empty() {
        writeln!(out, "nothing to compare")
    } else {
        writeln!(out, "{}", fit(counts.join(", "), 2))
    }
}

/// What Pods run, with how many there are.
fn shown(runs: &Runs) -> String {
    let pods = count(runs.pods, "Pod", "Pods");
    let digest = runs.digest.as_deref().map(|digest| {
        // As much of it as tells two apart.
        let short = digest.get(..digest.len().min(19)).unwrap_or(digest);
        format!(", {short}…")
    });
    let waiting = runs.waiting.as_deref().map(|reason| format!(", {reason}"));
    format!(
        "{} ({pods}{}{})",
        runs.image,
        digest.unwrap_or_default(),
        waiting.unwrap_or_default()
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'r> {
    kind: &'r str,
    namespace: &'r str,
    name: &'r str,
    what: &'r str,
    state: State,
    is_difference: bool,
    git: Option<&'r str>,
    spec: Option<&'r str>,
    pods: &'r [Runs],
    advice: Option<&'r str>,
    file: Option<&'r str>,
    line: Option<usize>,
    column: Option<usize>,
}

pub(super) fn json(
    out: &mut dyn Write,
    rows: &[Row],
    left_out: &[LeftOut],
    problems: &[String],
) -> Result<(), Failure> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| Entry {
            kind: &row.key.kind,
            namespace: &row.key.namespace,
            name: &row.key.name,
            what: &row.what,
            state: row.state,
            is_difference: row.is_difference,
            git: row.git.as_deref(),
            spec: row.spec.as_deref(),
            pods: &row.pods,
            advice: row.advice.as_deref(),
            file: row.in_git.as_ref().map(|git| git.name.as_str()),
            line: row.in_git.as_ref().map(|git| git.at.line),
            column: row.in_git.as_ref().map(|git| git.at.column),
        })
        .collect();
    let report = serde_json::json!({
        "rows": rows,
        "notCompared": left_out,
        "unreadable": problems,
    });
    let text = serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?;
    writeln!(out, "{text}")?;
    Ok(())
}

pub(super) fn markdown(out: &mut dyn Write, rows: &[Row]) -> std::io::Result<()> {
    writeln!(
        out,
        "| workload | what | state | Git | spec | Pods | what to do |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let cell = |text: &str| printable(text).replace('|', "\\|");
    let code = |text: Option<&str>| match text {
        Some(text) => format!("`{}`", cell(text)),
        None => "–".to_owned(),
    };
    for row in rows {
        let key = &row.key;
        let pods: Vec<_> = row.pods.iter().map(|runs| cell(&shown(runs))).collect();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&format!("{} {}/{}", key.kind, key.namespace, key.name)),
            cell(&row.what),
            row.state.as_str(),
            code(row.git.as_deref()),
            code(row.spec.as_deref()),
            if pods.is_empty() {
                "–".to_owned()
            } else {
                pods.join("<br>")
            },
            cell(row.advice.as_deref().unwrap_or_default()),
        )?;
    }
    Ok(())
}
