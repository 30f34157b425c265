//! A policy as a Helm chart of the type `kubewarden-policy`, which Rancher's UI lists from any Helm
//! repository (`pkg2chart` of kubewarden/policy-catalog), and which Helm installs.

use std::{collections::BTreeMap, path::Path};

use oci_client::Reference;
use serde_json::{Map, Value, json};

use super::{Package, PackageProblems, yaml};

/// The files of a chart, each with its place in it.
pub type Files = BTreeMap<&'static str, String>;

/// Settings that are published with the module: a name, and the policies that hold them.
#[derive(Debug)]
pub struct Bundle {
    /// As in `rollout-guard-NAME`.
    pub name: String,
    /// The manifests of the policies.
    pub policies: Vec<Value>,
}

const TEMPLATE: &str = r#"{{- if not .Values.policies }}
{{- fail "policies: name at least one, with its spec" }}
{{- end }}
{{- range $name, $policy := .Values.policies }}
---
apiVersion: policies.kubewarden.io/v1
kind: {{ $policy.kind | default "ClusterAdmissionPolicy" }}
metadata:
  name: {{ $name }}
spec:
  module: registry://{{ $.Values.global.cattle.systemDefaultRegistry }}/{{ $.Values.module.repository }}:{{ $.Values.module.tag }}
  {{- toYaml $policy.spec | nindent 2 }}
{{- end }}
"#;

impl Package {
    /// The files of a chart: of the policy alone, whose user writes `policies`, or with those of a bundle.
    ///
    /// # Errors
    ///
    /// When a policy of the bundle has no name, another module, or is none.
    pub fn chart(
        &self,
        bundle: Option<&Bundle>,
        questions: Option<&str>,
        readme: &str,
    ) -> Result<Files, PackageProblems> {
        let problem = |text: String| PackageProblems(vec![text]);
        let image = self.containers_images.first();
        let image = image.ok_or_else(|| problem("no module".to_owned()))?;
        let module: Reference = image
            .image
            .parse()
            .map_err(|error| problem(format!("`{}`: {error}", image.image)))?;
        let (registry, repository) = (module.registry(), module.repository());
        let tag = module.tag().unwrap_or_default();
        let mut annotations = self.annotations.clone();
        // Rancher reads the form from a file of the chart.
        annotations.remove("kubewarden/questions-ui");
        for (key, value) in [
            ("catalog.cattle.io/type", "kubewarden-policy"),
            ("catalog.cattle.io/ui-component", "kubewarden"),
            ("catalog.cattle.io/hidden", "true"),
            ("kubewarden/registry", registry),
            ("kubewarden/repository", repository),
            ("kubewarden/tag", tag),
        ] {
            annotations.insert(key.to_owned(), value.to_owned());
        }
        let suffix = bundle.map_or_else(String::new, |bundle| format!("-{}", bundle.name));
        let display_name = match bundle {
            Some(bundle) => format!("{} ({})", self.display_name, bundle.name),
            None => self.display_name.clone(),
        };
        annotations.insert("kubewarden/displayName".to_owned(), display_name);
        let links = self.links.iter().flatten();
        let sources: Vec<_> = links
            .filter(|link| link.name == "source")
            .map(|link| link.url.as_str())
            .collect();
        let chart = json!({
            "apiVersion": "v2",
            "name": format!("{}{suffix}", self.name),
            "version": self.version.to_string(),
            "appVersion": self.version.to_string(),
            "description": self.description,
            "keywords": self.keywords,
            "home": self.home_url,
            "sources": sources,
            "annotations": annotations,
        });
        let mut policies = Map::new();
        for policy in bundle.iter().flat_map(|bundle| &bundle.policies) {
            let (name, entry) = values_of(policy, &image.image).map_err(problem)?;
            policies.insert(name, entry);
        }
        let values = json!({
            "global": { "cattle": { "systemDefaultRegistry": registry } },
            "module": { "repository": repository, "tag": tag },
            "policies": policies,
        });
        let mut files = Files::from([
            ("Chart.yaml", yaml(&chart)?),
            // JSON, since Helm takes an `on` without quotes for a boolean.
            ("values.yaml", format!("{values:#}\n")),
            ("templates/policies.yaml", TEMPLATE.to_owned()),
            ("README.md", readme.to_owned()),
        ]);
        if let (Some(questions), None) = (questions, bundle) {
            files.insert("questions.yaml", questions.to_owned());
        }
        Ok(files)
    }
}

/// The name of a policy, and what the values of a chart say of it.
fn values_of(policy: &Value, module: &str) -> Result<(String, Value), String> {
    let text = |pointer: &str| policy.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").ok_or("a policy of the bundle has no name")?;
    let kind = text("/kind").unwrap_or_default();
    if text("/apiVersion") != Some("policies.kubewarden.io/v1") || kind != "ClusterAdmissionPolicy"
    {
        return Err(format!("`{name}`: expected a ClusterAdmissionPolicy"));
    }
    let is_known = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata" | "spec");
    let members = policy.as_object().into_iter().flatten();
    let metadata = policy.get("metadata").and_then(Value::as_object);
    if !members.into_iter().all(|(key, _)| is_known(key)) || metadata.map_or(0, Map::len) != 1 {
        return Err(format!(
            "`{name}`: more than a name and a spec has no place in the chart"
        ));
    }
    let mut spec = policy.get("spec").cloned().unwrap_or_default();
    let spec_members = spec
        .as_object_mut()
        .ok_or_else(|| format!("`{name}`: no spec"))?;
    match spec_members.remove("module") {
        Some(Value::String(of)) if of == format!("registry://{module}") => {}
        other => {
            return Err(format!(
                "`{name}`: the module is {other:?}, expected `registry://{module}`"
            ));
        }
    }
    Ok((name.to_owned(), json!({ "kind": kind, "spec": spec })))
}

/// The name of a bundle: of its folder.
pub fn bundle_name(folder: &Path) -> Option<&str> {
    folder.file_name().and_then(|name| name.to_str())
}
