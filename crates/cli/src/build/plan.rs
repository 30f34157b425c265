//! What of some files is built, and what is judged as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::copy::Edits;
use super::decision::{Decision, Wanted, decide};
use super::files::{Files, Texts};
use super::helm::{Chart, chart_of, render};
use super::judged::{Build, Judged, Reports};
use super::kustomize::{Kustomizations, Root};
use super::tool::Tool;
use super::{BuiltObject, Unbuilt};
use crate::baseline::Baseline;
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
    kustomizations: Kustomizations,
    charts: Vec<Chart>,
    /// What files belong to.
    touched: BTreeSet<Unit>,
    /// The templates among the files, by their chart.
    templates: Vec<(Unit, PathBuf)>,
    /// The files that nothing includes.
    pub(crate) plain: Vec<Input>,
    /// Those that are judged by what is built, without links.
    pub(crate) built: Vec<PathBuf>,
}

/// Something that is built, by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Root(usize),
    Chart(usize),
}

/// What is built once: a root, or a chart with its values.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// As reports show it.
    pub(crate) name: String,
    /// Where its objects are that name no namespace.
    pub(crate) namespace: Option<String>,
    pub(crate) objects: Vec<BuiltObject>,
}

/// What a unit builds, in each of its variants; none where there is no tool.
pub(crate) type Outcome = Option<Result<Vec<Built>, Unbuilt>>;

impl Plan {
    /// Finds the roots and charts that files belong to, wherever these are in the work tree.
    pub(crate) fn new(inputs: Vec<Input>, exclude: Option<&Exclude>, building: &Building) -> Self {
        let mut plan = Self::default();
        if building.kustomize {
            plan.kustomizations = Kustomizations::find(&inputs, exclude);
        }
        let mut roots_of: BTreeMap<&Path, Vec<Unit>> = BTreeMap::new();
        for (position, root) in plan.kustomizations.roots.iter().enumerate() {
            for file in &root.files {
                roots_of.entry(file).or_default().push(Unit::Root(position));
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
                plan.touched.extend(roots);
                plan.built.push(real);
            } else if let Some(chart) = charts.of(&real) {
                plan.touched.insert(chart);
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
        if !charts.found.is_empty() {
            // They may share files of values with those.
            let listed = building.helm.iter().flat_map(|helm| &helm.charts);
            for file in listed.flat_map(|chart| fs::canonicalize(chart.folder.join("Chart.yaml"))) {
                charts.of(&file);
            }
        }
        plan.charts = charts.found;
        plan
    }

    fn root(&self, unit: Unit) -> Option<&Root> {
        match unit {
            Unit::Root(position) => self.kustomizations.roots.get(position),
            Unit::Chart(_) => None,
        }
    }

    fn chart(&self, unit: Unit) -> Option<&Chart> {
        match unit {
            Unit::Chart(position) => self.charts.get(position),
            Unit::Root(_) => None,
        }
    }

    /// Whether it builds something: a component and a library do not by themselves.
    fn is_whole(&self, unit: Unit) -> bool {
        self.root(unit).is_none_or(|root| !root.is_component)
            && self.chart(unit).is_none_or(|chart| !chart.is_library)
    }

    /// What files belong to, and what builds something.
    pub(crate) fn units(&self) -> Vec<Unit> {
        let touched = self.touched.iter().copied();
        touched.filter(|unit| self.is_whole(*unit)).collect()
    }

    /// Everything that reads one of some files, and builds something.
    pub(crate) fn readers<'f>(&self, files: impl Iterator<Item = &'f PathBuf>) -> Vec<Unit> {
        let files: Vec<_> = files.collect();
        let roots = (0..self.kustomizations.roots.len()).map(Unit::Root);
        let charts = (0..self.charts.len()).map(Unit::Chart);
        let reads = |unit: &Unit| {
            let own = self.files(*unit);
            self.is_whole(*unit) && files.iter().any(|file| own.contains(*file))
        };
        roots.chain(charts).filter(reads).collect()
    }

    /// As reports show it: its folder.
    pub(crate) fn name(&self, unit: Unit) -> String {
        let root = self.root(unit).map(Root::name);
        root.or_else(|| self.chart(unit).map(Chart::name))
            .unwrap_or_default()
    }

    /// The file that stands for it.
    pub(crate) fn file(&self, unit: Unit) -> PathBuf {
        let root = self.root(unit).map(|root| root.file.clone());
        root.or_else(|| self.chart(unit).map(Chart::file))
            .unwrap_or_default()
    }

    /// Its folder, without links.
    pub(crate) fn folder(&self, unit: Unit) -> PathBuf {
        let root = self.root(unit).map(|root| &root.folder);
        root.or_else(|| self.chart(unit).map(|chart| &chart.folder))
            .cloned()
            .unwrap_or_default()
    }

    /// The files of values that a variant is rendered with.
    pub(crate) fn values(&self, unit: Unit, variant: usize) -> Vec<PathBuf> {
        let rendering = self
            .chart(unit)
            .and_then(|chart| chart.renderings.get(variant));
        rendering.map_or_else(Vec::new, |rendering| rendering.values.clone())
    }

    /// Every file that its tool sees, in order, whatever is in it; none where they cannot be listed.
    pub(crate) fn inputs(&self, unit: Unit) -> Option<Vec<PathBuf>> {
        match self.chart(unit) {
            Some(chart) => chart.inputs(),
            None => Some(self.files(unit).into_iter().collect()),
        }
    }

    /// All that it reads.
    pub(crate) fn files(&self, unit: Unit) -> BTreeSet<PathBuf> {
        let root = self.root(unit).map(|root| root.files.clone());
        root.or_else(|| self.chart(unit).map(Chart::files))
            .unwrap_or_default()
    }

    /// Where a value of what is built is decided.
    pub(crate) fn decide(
        &self,
        unit: Unit,
        variant: usize,
        files: &Files<'_>,
        wanted: Wanted<'_>,
    ) -> Option<Decision> {
        match self.chart(unit) {
            None => decide(files, wanted),
            Some(chart) => chart.decide(files, chart.renderings.get(variant)?, wanted),
        }
    }

    /// Builds units, each once, with files that have another text; reports on stderr where there is no
    /// tool, and with a bar how far it is, unless it is to be silent.
    pub(crate) fn build(
        &self,
        units: &[Unit],
        edits: &Edits,
        reports: bool,
    ) -> Vec<(Unit, Outcome)> {
        let roots: Vec<_> = units.iter().filter_map(|unit| self.root(*unit)).collect();
        let charts: Vec<_> = units.iter().filter_map(|unit| self.chart(*unit)).collect();
        let renderings: usize = charts.iter().map(|chart| chart.renderings.len()).sum();
        let progress = reports.then(|| Progress::new(roots.len() + renderings, "builds"));
        let done = || progress.iter().for_each(|progress| progress.advance(1));
        let tool = Tool::kustomize().filter(|_| !roots.is_empty());
        let built = tool.map(|tool| self.kustomizations.build(&tool, &roots, edits, &done));
        let tool = Tool::helm().filter(|_| !charts.is_empty());
        let rendered = tool.map(|tool| render(&tool, &charts, edits, &done));
        if let Some(progress) = progress {
            progress.end();
        }
        if reports && built.is_none() && !roots.is_empty() {
            let roots = count(roots.len(), "kustomization is", "kustomizations are");
            error(&format!(
                "{roots} not built: there is neither `kustomize` nor `kubectl`; install one, or judge files one by one with `kustomize: off` in `.rollout-guard.yaml`"
            ));
        }
        if reports && rendered.is_none() && !charts.is_empty() {
            let charts = count(charts.len(), "chart is", "charts are");
            error(&format!(
                "{charts} not rendered: there is no `helm`; install it, or leave charts out with `helm: off` in `.rollout-guard.yaml`"
            ));
        }
        let mut built = built.map(Vec::into_iter);
        let mut rendered = rendered.map(Vec::into_iter);
        let outcome = |unit: &Unit| {
            let outcome = if self.root(*unit).is_some() {
                let built = built.as_mut().and_then(Iterator::next);
                built.map(|built| {
                    let one = |objects| Built {
                        name: self.name(*unit),
                        namespace: None,
                        objects,
                    };
                    built.map(|objects| vec![one(objects)])
                })
            } else {
                rendered.as_mut().and_then(Iterator::next)
            };
            (*unit, outcome)
        };
        units.iter().map(outcome).collect()
    }

    /// Judges what is built, but for what a team has accepted.
    pub(crate) fn judge(
        &self,
        judge: &Judge<'_>,
        built: Vec<(Unit, Outcome)>,
        baseline: &mut Option<Baseline>,
    ) -> Vec<FileReport> {
        let mut reports = Reports::default();
        for file in &self.built {
            reports.add_file(file);
        }
        for unit in &self.touched {
            if let Some(root) = self.root(*unit).filter(|root| root.is_component) {
                let gap = Gap {
                    remedy: "nothing includes this component: check a kustomization that does"
                        .to_owned(),
                    ..kustomization(&input::name(&from_here(&root.file)))
                };
                reports.add_gaps(vec![gap], 0, &root.file);
            }
        }
        let judged: Vec<_> = built
            .into_par_iter()
            .map(|(unit, outcome)| {
                let judged = |built| self.judged(judge, unit, built);
                (unit, outcome.map(|outcome| outcome.map(judged)))
            })
            .collect();
        for (unit, outcome) in judged {
            let file = self.file(unit);
            match outcome {
                Some(Ok(judged)) => {
                    for mut judged in judged {
                        if let Some(baseline) = baseline {
                            judged.accept(baseline);
                        }
                        reports.add(&file, judged);
                    }
                }
                Some(Err(unbuilt)) => {
                    reports.add_unbuilt(&self.name(unit), &file, &unbuilt);
                    reports.add_gaps(self.gaps(unit), 0, &file);
                }
                None => reports.add_gaps(self.gaps(unit), 1, &file),
            }
        }
        reports.into_files().collect()
    }

    fn judged(&self, judge: &Judge<'_>, unit: Unit, built: Vec<Built>) -> Vec<Judged> {
        let texts = Texts::read(&self.files(unit));
        let files = Files::new(&texts);
        let one = |(variant, built): (usize, Built)| {
            let whole = Build {
                name: &built.name,
                file: &self.file(unit),
                objects: &built.objects,
                files: &files,
                decide: &|wanted| self.decide(unit, variant, &files, wanted),
            };
            let mut judged = whole.judge(&built.judge(judge));
            judged.counts += Counts {
                builds: 1,
                ..Counts::default()
            };
            judged
        };
        built.into_iter().enumerate().map(one).collect()
    }

    /// What of a unit is not judged: a kustomization, or the templates of a chart.
    fn gaps(&self, unit: Unit) -> Vec<Gap> {
        let Some(chart) = self.chart(unit) else {
            return vec![kustomization(&input::name(&from_here(&self.file(unit))))];
        };
        let templates = self.templates.iter().filter(|(of, _)| *of == unit);
        let gap = |(_, file): &(Unit, PathBuf)| {
            chart_template(&input::name(&from_here(file)), &chart.name())
        };
        templates.map(gap).collect()
    }
}

impl Built {
    /// The same build, with other objects.
    pub(crate) fn with_objects(&self, objects: Vec<BuiltObject>) -> Self {
        Self {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            objects,
        }
    }

    /// Whoever judges, in the namespace of what is built.
    pub(crate) fn judge<'j>(&'j self, judge: &'j Judge<'_>) -> Judge<'j> {
        Judge {
            namespace: self.namespace.as_deref().unwrap_or(judge.namespace),
            asks_for_namespace: judge.asks_for_namespace && self.namespace.is_none(),
            build: Some(&self.name),
            ..judge.clone()
        }
    }
}

/// The charts that files are parts of.
struct Charts<'c> {
    config: Option<&'c HelmConfig>,
    found: Vec<Chart>,
    by_folder: BTreeMap<PathBuf, usize>,
}

impl<'c> Charts<'c> {
    const fn new(config: Option<&'c HelmConfig>) -> Self {
        Self {
            config,
            found: Vec::new(),
            by_folder: BTreeMap::new(),
        }
    }

    fn of(&mut self, file: &Path) -> Option<Unit> {
        let config = self.config?;
        let folder = chart_of(file)?;
        let is_listed = || {
            let mut listed = config.charts.iter();
            listed.any(|chart| fs::canonicalize(&chart.folder).is_ok_and(|listed| listed == folder))
        };
        if config.only_listed && config.values.is_empty() && !is_listed() {
            return None;
        }
        let found = &mut self.found;
        let position = self.by_folder.entry(folder).or_insert_with_key(|folder| {
            found.push(Chart::read(folder.clone(), config));
            found.len() - 1
        });
        Some(Unit::Chart(*position))
    }
}
