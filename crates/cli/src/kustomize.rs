//! What kustomizations include: kustomize decides what becomes of these files.
//!
//! A base of `redis:6.0` under an overlay that sets the tag deploys something else once the base is
//! edited, so nobody may write into it who has not seen the build.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::build::kustomize::Kustomizations;
use crate::input::{self, Input, from_here};
use crate::judge::KUSTOMIZATIONS;

/// What the kustomizations around some files include. All paths are without links.
#[derive(Debug, Default)]
pub(crate) struct Included {
    /// The folder of a kustomization that names a file.
    files: BTreeMap<PathBuf, PathBuf>,
    /// Folders of Helm charts, and the folder of a kustomization that renders them.
    charts: Vec<(PathBuf, PathBuf)>,
    /// The folders of the kustomizations that include that in a folder.
    parents: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Included {
    /// Reads every kustomization of the work trees that files are in.
    pub(crate) fn find(inputs: &[Input]) -> Self {
        let mut included = Self::default();
        for (folder, read) in Kustomizations::find(inputs, None).by_folder {
            for file in read.files {
                included
                    .files
                    .entry(file.real)
                    .or_insert_with(|| folder.clone());
            }
            for other in read.folders {
                let parents = included.parents.entry(other.real).or_default();
                parents.insert(folder.clone());
            }
            let charts = read.charts.into_iter();
            included
                .charts
                .extend(charts.map(|chart| (chart, folder.clone())));
        }
        included
    }

    /// Why a file of a chart must not be written; none if no kustomization renders the chart.
    pub(crate) fn chart_reason(&self, file: &Path) -> Option<String> {
        let is_part = self.charts.iter().any(|(chart, _)| file.starts_with(chart));
        is_part.then(|| self.reason(file)).flatten()
    }

    /// Why a file must not be written; none if no kustomization includes it.
    pub(crate) fn reason(&self, file: &Path) -> Option<String> {
        let file = fs::canonicalize(file).ok()?;
        let of_chart = || {
            let chart = self
                .charts
                .iter()
                .find(|(chart, _)| file.starts_with(chart));
            chart.map(|(_, folder)| folder)
        };
        let folder = self.files.get(&file).or_else(of_chart)?;
        let shown = |folder: &Path| input::name(&from_here(folder));
        let includer = KUSTOMIZATIONS
            .iter()
            .map(|name| folder.join(name))
            .find(|file| file.is_file())
            .map(|file| input::name(&from_here(&file)));
        Some(format!(
            "Kustomize decides what is deployed, since `{}` includes this file: see `kustomize build {}`",
            includer.unwrap_or_else(|| shown(folder)),
            shown(self.outermost(folder)),
        ))
    }

    /// The folder to build: of the kustomization that includes this one in the end.
    fn outermost<'f>(&'f self, folder: &'f Path) -> &'f Path {
        let mut seen = BTreeSet::from([folder]);
        let mut at = folder;
        while let Some(parent) = self.parents.get(at).and_then(BTreeSet::first)
            && seen.insert(parent)
        {
            at = parent;
        }
        at
    }
}
