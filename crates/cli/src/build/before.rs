//! What builds were at a revision: built from its files as those of the work tree are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::copy::Edits;
use super::plan::{Built, Outcome, Plan, Unit};
use crate::config::{Building, HelmChart, HelmConfig};
use crate::input::{Exclude, Input};
use crate::revision::Tree;

/// What the builds of a work tree were at a revision.
#[derive(Debug, Default)]
pub(crate) struct BuiltBefore {
    /// Each as it is called now; without objects where it cannot be built.
    pub(crate) builds: Vec<Built>,
    /// The name of each that was there and cannot be built, and why.
    pub(crate) unbuilt: Vec<(String, String)>,
    /// The files that builds read, in the folder of the tree.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Builds what some builds were at the revision. One whose files are as they were is not built again.
pub(crate) fn build(
    tree: &Tree,
    now: &Plan,
    builds: &[(Unit, Outcome)],
    exclude: &Exclude,
    building: &Building,
) -> BuiltBefore {
    let inputs = tree.manifests().map(Input::File).collect();
    let was = Plan::new(
        inputs,
        Some(&tree.exclude(exclude)),
        &building_of(tree, building),
    );
    let outside = |paths: Vec<PathBuf>| -> Vec<PathBuf> {
        paths.iter().map(|path| tree.outside(path)).collect()
    };
    let known = was.units();
    let mut found = BuiltBefore::default();
    let (mut changed, mut units) = (Vec::new(), Vec::new());
    for (unit, outcome) in builds {
        let Some(Ok(built)) = outcome else { continue };
        let same = |before: &&Unit| {
            matches!(before, Unit::Chart(_)) == matches!(unit, Unit::Chart(_))
                && tree.outside(&was.folder(**before)) == now.folder(*unit)
        };
        let Some(before) = known.iter().find(same) else {
            continue;
        };
        let inputs = now.inputs(*unit);
        let is_unchanged = inputs.is_some()
            && inputs == was.inputs(*before).map(outside)
            && tree.has_unchanged(inputs.iter().flatten())
            && (0..built.len())
                .all(|variant| now.values(*unit, variant) == outside(was.values(*before, variant)));
        if is_unchanged {
            found.builds.extend(built.iter().cloned());
        } else {
            changed.push((*unit, built));
            units.push(*before);
        }
    }
    let outcomes = was.build(&units, &Edits::new(), true);
    for ((unit, built), (before, outcome)) in changed.into_iter().zip(outcomes) {
        match outcome {
            Some(Ok(variants)) => {
                for (variant, one) in built.iter().enumerate() {
                    let values = now.values(unit, variant);
                    let mut variants = variants.iter().enumerate();
                    let old = variants
                        .find(|(position, _)| outside(was.values(before, *position)) == values);
                    let old = old.map(|(_, old)| one.with_objects(old.objects.clone()));
                    found.builds.extend(old);
                }
            }
            Some(Err(unbuilt)) => {
                let problem = tree.as_in_tree(&unbuilt.problem);
                found.unbuilt.push((now.name(unit), problem));
                let absent = built.iter().map(|one| one.with_objects(Vec::new()));
                found.builds.extend(absent);
            }
            // Said of the work tree already.
            None => {}
        }
    }
    found.files = was.built.into_iter().collect();
    found
}

/// How the files of a revision are built: charts and values are where they were. A rendering with values that
/// were not there is left out: it is new.
fn building_of(tree: &Tree, building: &Building) -> Building {
    let files = |files: &[PathBuf]| -> Option<Vec<PathBuf>> {
        let files = files.iter().map(|file| tree.inside(file));
        files.map(|file| file.is_file().then_some(file)).collect()
    };
    let helm = building.helm.as_ref().map(|helm| HelmConfig {
        charts: (helm.charts.iter())
            .map(|chart| HelmChart {
                folder: tree.inside(&chart.folder),
                values: chart.values.iter().filter_map(|set| files(set)).collect(),
                ..chart.clone()
            })
            .collect(),
        values: (helm.values.iter())
            .filter_map(|file| files(std::slice::from_ref(file)))
            .flatten()
            .collect(),
        only_listed: helm.only_listed,
    });
    Building {
        kustomize: building.kustomize,
        helm,
    }
}
