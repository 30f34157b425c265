//! What is not judged, and what would judge it.

use std::path::Path;

use rollout_guard::json::{Location, Step};

use crate::finding::{Gap, Unjudged};
use crate::manifest::Value;
use crate::object::Object;

/// The group of what is only for kustomize, and no object of a cluster.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// The names by which kustomize finds what it builds.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a document is what kustomize builds: its file is called so, and it is not something else;
/// or it says so.
pub(super) fn is_kustomization(file: &str, objects: Option<&[Object<'_>]>) -> bool {
    match objects {
        Some([only]) => only.group == KUSTOMIZE,
        Some(_) => false,
        None => is_kustomization_name(file),
    }
}

/// Whether kustomize builds a file with this name.
pub fn is_kustomization_name(file: &str) -> bool {
    let name = Path::new(file).file_name();
    name.is_some_and(|name| KUSTOMIZATIONS.iter().any(|known| name == *known))
}

/// A template of a chart that is not rendered.
pub fn chart_template(file: &str, chart: &str) -> Gap {
    Gap {
        what: Unjudged::ChartTemplate,
        name: file.to_owned(),
        remedy: format!("`helm template {chart} | rollout-guard check -`"),
    }
}

/// A kustomization that is not built.
pub fn kustomization(file: &str) -> Gap {
    let folder = Path::new(file)
        .parent()
        .map(|folder| folder.to_string_lossy());
    let folder = folder.filter(|folder| !folder.is_empty());
    let folder = folder.as_deref().unwrap_or(".");
    Gap {
        what: Unjudged::Kustomization,
        name: file.to_owned(),
        remedy: format!("`kustomize build {folder} | rollout-guard check -`"),
    }
}

/// Whether a controller installs a Helm chart for an object: of Flux, of Argo CD, or of k3s.
pub(super) fn installs_chart(object: &Object<'_>) -> bool {
    match (object.group.as_ref(), object.kind.as_ref()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") | ("helm.cattle.io", "HelmChart") => true,
        ("argoproj.io", kind @ ("Application" | "ApplicationSet")) => {
            let way: &[&str] = match kind {
                "Application" => &["spec"],
                _ => &["spec", "template", "spec"],
            };
            let way = Location(way.iter().map(|key| Step::key(key)).collect());
            let spec = object.value.at(&way);
            let source = spec.and_then(|spec| spec.get("source"));
            let sources = spec.and_then(|spec| spec.get("sources"));
            let more = sources.into_iter().flat_map(Value::elements);
            source
                .into_iter()
                .chain(more)
                .any(|source| source.get("chart").is_some())
        }
        _ => false,
    }
}
