//! What of some files is built, and what is judged as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::decision::decide;
use super::files::{Files, Texts};
use super::judged::{Build, Judged, Reports};
use super::kustomize::{Kustomizations, Root};
use super::tool::Tool;
use super::{BuiltObject, Unbuilt};
use crate::config::Building;
use crate::failure::error;
use crate::finding::{Counts, FileReport, Gap};
use crate::input::{self, Exclude, Input, from_here};
use crate::judge::{Judge, kustomization};
use crate::progress::Progress;
use crate::report::count;

/// What is to be built.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) kustomizations: Kustomizations,
    /// The roots that files belong to.
    roots: BTreeSet<usize>,
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
        if plan.kustomizations.roots.is_empty() {
            plan.plain = inputs;
            return plan;
        }
        let mut roots_of: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (position, root) in plan.kustomizations.roots.iter().enumerate() {
            for file in &root.files {
                roots_of.entry(file).or_default().push(position);
            }
        }
        for input in inputs {
            let real = match &input {
                Input::File(path) if !input::is_stdin(path) => fs::canonicalize(path).ok(),
                _ => None,
            };
            let roots = real.as_ref().and_then(|real| roots_of.get(real.as_path()));
            match (real, roots) {
                (Some(real), Some(roots)) => {
                    plan.roots.extend(roots);
                    plan.built.push(real);
                }
                _ => plan.plain.push(input),
            }
        }
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
        use rayon::prelude::*;
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
                reports.add_gap(&root.file, gap, 0);
            }
        }
        let roots = self.roots();
        let Some(built) = self.build() else {
            for root in roots {
                reports.add_gap(&root.file, gap(root), 1);
            }
            return reports.into_files().collect();
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
                    reports.add_unbuilt(&root.name(), &root.file, &unbuilt, gap(root));
                }
            }
        }
        reports.into_files().collect()
    }
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
    judged.counts += Counts {
        builds: 1,
        ..Counts::default()
    };
    judged
}

fn gap(root: &Root) -> Gap {
    kustomization(&input::name(&from_here(&root.file)))
}
