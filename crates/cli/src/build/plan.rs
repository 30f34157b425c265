//! What of some files is built, and what is judged as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::decision::decide;
use super::files::{Files, Texts};
use super::helm::{Chart, Rendered, Rendering, chart_of, render};
use super::judged::{Build, Judged, Reports};
use super::kustomize::{Kustomizations, Root};
use super::tool::Tool;
use super::{BuiltObject, Unbuilt};
use crate::config::{Building, HelmConfig};
use crate::failure::error;
use crate::finding::{Counts, FileReport, Gap};
use crate::input::{self, Exclude, Input, from_here};
use crate::judge::{Judge, chart_template, kustomization};
use crate::progress::Progress;
use crate::report::count;

/// What is to be built.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) kustomizations: Kustomizations,
    /// The roots that files belong to.
    roots: BTreeSet<usize>,
    charts: Vec<Chart>,
    /// The templates among the files, by their chart.
    templates: Vec<(usize, PathBuf)>,
    /// The files that nothing includes.
    pub(crate) plain: Vec<Input>,
    /// Those that are judged by what is built, without links.
    pub(crate) built: Vec<PathBuf>,
}

impl Plan {
    /// Finds the roots that files belong to, wherever these are in the work tree.
    pub(crate) fn new(inputs: Vec<Input>, exclude: Option<&Exclude>, building: &Building) -> Self {
        let mut plan = Self::default();
        if building.kustomize {
            plan.kustomizations = Kustomizations::find(&inputs, exclude);
        }
        let mut roots_of: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (position, root) in plan.kustomizations.roots.iter().enumerate() {
            for file in &root.files {
                roots_of.entry(file).or_default().push(position);
            }
        }
        let mut charts = Charts::new(building.helm.as_ref());
        for input in inputs {
            let real = match &input {
                Input::File(path) if !input::is_stdin(path) => fs::canonicalize(path).ok(),
                _ => None,
            };
            let Some(real) = real else {
                plan.plain.push(input);
                continue;
            };
            if let Some(roots) = roots_of.get(real.as_path()) {
                plan.roots.extend(roots);
                plan.built.push(real);
            } else if let Some(chart) = charts.of(&real) {
                if real
                    .components()
                    .any(|part| part.as_os_str() == "templates")
                {
                    plan.templates.push((chart, real.clone()));
                }
                plan.built.push(real);
            } else {
                plan.plain.push(input);
            }
        }
        plan.charts = charts.found;
        plan
    }

    /// The roots that files belong to and that can be a root.
    pub(crate) fn roots(&self) -> Vec<&Root> {
        let all = self.kustomizations.roots.iter().enumerate();
        all.filter(|(position, root)| self.roots.contains(position) && !root.is_component)
            .map(|(_, root)| root)
            .collect()
    }

    /// Builds every root once; none where there is no tool.
    pub(crate) fn build(&self) -> Option<Vec<Result<Vec<BuiltObject>, Unbuilt>>> {
        let roots = self.roots();
        if roots.is_empty() {
            return Some(Vec::new());
        }
        let Some(tool) = Tool::kustomize() else {
            let roots = count(roots.len(), "kustomization is", "kustomizations are");
            error(&format!(
                "{roots} not built: there is neither `kustomize` nor `kubectl`; install one, or judge files one by one with `kustomize: off` in `.rollout-guard.yaml`"
            ));
            return None;
        };
        let progress = Progress::new(roots.len(), "builds");
        let built = self
            .kustomizations
            .build(&tool, &roots, &BTreeMap::new(), &|| progress.advance(1));
        progress.end();
        Some(built)
    }

    /// Builds and judges.
    pub(crate) fn judge(&self, judge: &Judge<'_>) -> Vec<FileReport> {
        let mut reports = Reports::default();
        for file in &self.built {
            reports.add_file(file);
        }
        let components = self.kustomizations.roots.iter().enumerate();
        for (position, root) in components {
            if self.roots.contains(&position) && root.is_component {
                let gap = Gap {
                    remedy: "nothing includes this component: check a kustomization that does"
                        .to_owned(),
                    ..gap(root)
                };
                reports.add_gaps(vec![gap], 0, &root.file);
            }
        }
        self.judge_roots(judge, &mut reports);
        self.judge_charts(judge, &mut reports);
        reports.into_files().collect()
    }

    fn judge_roots(&self, judge: &Judge<'_>, reports: &mut Reports) {
        use rayon::prelude::*;
        let roots = self.roots();
        let Some(built) = self.build() else {
            for root in roots {
                reports.add_gaps(vec![gap(root)], 1, &root.file);
            }
            return;
        };
        let built: Vec<_> = roots.into_iter().zip(built).collect();
        let judged: Vec<_> = built
            .into_par_iter()
            .map(|(root, built)| (root, built.map(|objects| judged(judge, root, &objects))))
            .collect();
        for (root, judged) in judged {
            match judged {
                Ok(judged) => reports.add(&root.file, judged),
                Err(unbuilt) => {
                    reports.add_unbuilt(&root.name(), &root.file, &unbuilt);
                    reports.add_gaps(vec![gap(root)], 0, &root.file);
                }
            }
        }
    }

    /// Renders every chart with each of its values; none where there is no tool.
    pub(crate) fn render(charts: &[&Chart]) -> Option<Vec<Rendered>> {
        if charts.is_empty() {
            return Some(Vec::new());
        }
        let Some(tool) = Tool::helm() else {
            let charts = count(charts.len(), "chart is", "charts are");
            error(&format!(
                "{charts} not rendered: there is no `helm`; install it, or leave charts out with `helm: off` in `.rollout-guard.yaml`"
            ));
            return None;
        };
        let all = charts.iter().map(|chart| chart.renderings.len()).sum();
        let progress = Progress::new(all, "renderings");
        let rendered = render(&tool, charts, &BTreeMap::new(), &|| progress.advance(1));
        progress.end();
        Some(rendered)
    }

    /// The charts that render something.
    pub(crate) fn charts(&self) -> Vec<&Chart> {
        self.charts
            .iter()
            .filter(|chart| !chart.is_library)
            .collect()
    }

    fn judge_charts(&self, judge: &Judge<'_>, reports: &mut Reports) {
        use rayon::prelude::*;
        let charts = self.charts();
        let Some(rendered) = Self::render(&charts) else {
            for chart in charts {
                reports.add_gaps(self.chart_gaps(chart), 1, &chart.file());
            }
            return;
        };
        let judged: Vec<_> = charts
            .into_par_iter()
            .zip(rendered)
            .map(|(chart, rendered)| (chart, judged_chart(judge, chart, rendered)))
            .collect();
        for (chart, judged) in judged {
            let mut is_rendered = true;
            for (name, judged) in judged {
                match judged {
                    Ok(judged) => reports.add(&chart.file(), judged),
                    Err(unbuilt) => {
                        is_rendered = false;
                        reports.add_unbuilt(&name, &chart.file(), &unbuilt);
                    }
                }
            }
            if !is_rendered {
                reports.add_gaps(self.chart_gaps(chart), 0, &chart.file());
            }
        }
    }

    /// The templates of a chart, which are not judged.
    fn chart_gaps(&self, chart: &Chart) -> Vec<Gap> {
        let templates = self.templates.iter().filter(|(of, _)| {
            self.charts
                .get(*of)
                .is_some_and(|of| of.folder == chart.folder)
        });
        let gap = |(_, file): &(usize, PathBuf)| {
            chart_template(&input::name(&from_here(file)), &chart.name())
        };
        templates.map(gap).collect()
    }
}

/// The charts that files are parts of.
struct Charts<'c> {
    config: Option<&'c HelmConfig>,
    found: Vec<Chart>,
    by_folder: BTreeMap<PathBuf, usize>,
}

impl<'c> Charts<'c> {
    fn new(config: Option<&'c HelmConfig>) -> Self {
        Self {
            config,
            found: Vec::new(),
            by_folder: BTreeMap::new(),
        }
    }

    fn of(&mut self, file: &Path) -> Option<usize> {
        let config = self.config?;
        let folder = chart_of(file)?;
        let found = &mut self.found;
        let position = self.by_folder.entry(folder).or_insert_with_key(|folder| {
            found.push(Chart::read(folder.clone(), config));
            found.len() - 1
        });
        Some(*position)
    }
}

fn judged_chart(
    judge: &Judge<'_>,
    chart: &Chart,
    rendered: Rendered,
) -> Vec<(String, Result<Judged, Unbuilt>)> {
    let default = judge;
    let texts = Texts::read(&chart.files());
    let files = Files::new(&texts);
    let one = |(rendering, built): (Rendering, Result<Vec<BuiltObject>, Unbuilt>)| {
        let name = rendering.name(&chart.name());
        let judge = rendering.namespace.as_deref().map(|namespace| Judge {
            policies: judge.policies.clone(),
            image_paths: judge.image_paths.clone(),
            identity: judge.identity.clone(),
            namespace,
            asks_for_namespace: false,
        });
        let judged = built.map(|objects| {
            let build = Build {
                name: &name,
                file: &chart.file(),
                objects: &objects,
                files: &files,
                decide: &|wanted| chart.decide(&files, &rendering, wanted),
            };
            let mut judged = build.judge(judge.as_ref().unwrap_or(default));
            judged.counts += ONE_BUILD;
            judged
        });
        (name, judged)
    };
    rendered.into_iter().map(one).collect()
}

fn judged(judge: &Judge<'_>, root: &Root, objects: &[BuiltObject]) -> Judged {
    let texts = Texts::read(&root.files);
    let files = Files::new(&texts);
    let build = Build {
        name: &root.name(),
        file: &root.file,
        objects,
        files: &files,
        decide: &|wanted| decide(&files, wanted),
    };
    let mut judged = build.judge(judge);
    judged.counts += ONE_BUILD;
    judged
}

const ONE_BUILD: Counts = Counts {
    builds: 1,
    ..Counts::NONE
};

fn gap(root: &Root) -> Gap {
    kustomization(&input::name(&from_here(&root.file)))
}
