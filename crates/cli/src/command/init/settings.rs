//! The settings that admit what was found, as a person would write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rollout_guard::image::Reference;

use super::super::audit::rows::Row;
use super::super::survey::Survey;
use crate::admission_policy;
use crate::failure::warn;
use crate::manifest::writer::write_scalar;
use crate::report::count;

const SCHEMA: &str = "# yaml-language-server: $schema=https://raw.githubusercontent.com/rollout-guard/rollout-guard/main/settings.schema.json\n";

/// From so many repositories beside each other on, the path above them is one entry.
const SIBLINGS: usize = 5;

/// Docker Hub, where anybody can publish: never a whole entry.
const DOCKER_HUB: &str = "docker.io";

/// Registries of the public; every other one is taken to be the team's.
const PUBLIC: [&str; 14] = [
    DOCKER_HUB,
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "k8s.gcr.io",
    "registry.k8s.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "nvcr.io",
    "registry.gitlab.com",
    "docker.elastic.co",
    "registry.access.redhat.com",
    "registry.redhat.io",
    "xpkg.upbound.io",
];

/// Namespaces in which platforms run, and without which nothing else starts.
const PLATFORM: [&str; 6] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "kubewarden",
    "cattle-system",
    "gatekeeper-system",
];

/// Tools that bring Git to a cluster: how their field managers begin, and the presets that admit them.
const TOOLS: [(&str, &str); 3] = [
    ("argocd", "preset:argocd"),
    ("kustomize-controller", "preset:flux"),
    ("helm-controller", "preset:flux"),
];

/// How much something covers.
#[derive(Clone, Debug, Default)]
struct Use {
    images: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Use {
    fn add(&mut self, other: &Self) {
        self.images.extend(other.images.iter().cloned());
        self.namespaces.extend(other.namespaces.iter().cloned());
    }
}

/// `3 images in 2 namespaces`.
impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&count(self.images.len(), "image", "images"))?;
        match self.namespaces.len() {
            0 => Ok(()),
            more => write!(f, " in {}", count(more, "namespace", "namespaces")),
        }
    }
}

/// A mirror for a registry that nodes cannot reach.
struct Mirror {
    source: String,
    /// Where its images are pulled from instead.
    target: String,
    is_known: bool,
    used: Use,
}

/// What settings are made of.
pub(super) struct Found {
    source: String,
    /// Entries of `registries.allow`.
    allow: BTreeMap<String, Use>,
    mirrors: Vec<Mirror>,
    unparsable: BTreeSet<String>,
    platform: BTreeMap<String, Use>,
    /// Presets of the tools, each with the namespaces and kinds that they manage.
    tools: BTreeMap<&'static str, (BTreeSet<String>, BTreeSet<String>)>,
    /// Groups, each with versions and resources.
    rules: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    images: usize,
    latest: usize,
    pinned: usize,
}

impl Found {
    pub(super) fn new(survey: &Survey, broad: bool, unreachable: &[String]) -> Self {
        let mut found = Self {
            source: survey.source.clone(),
            allow: BTreeMap::new(),
            mirrors: Vec::new(),
            unparsable: BTreeSet::new(),
            platform: BTreeMap::new(),
            tools: BTreeMap::new(),
            rules: BTreeMap::new(),
            images: 0,
            latest: 0,
            pinned: 0,
        };
        let mut repositories: BTreeMap<(String, String), Use> = BTreeMap::new();
        let (mut all, mut latest, mut pinned) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in &survey.rows {
            let record = &row.record;
            let namespace = record.name.namespace.clone().unwrap_or_default();
            if record.images.is_empty() {
                continue;
            }
            found.add_rule(row);
            found.add_tools(row);
            if PLATFORM.contains(&namespace.as_str()) {
                let used = found.platform.entry(namespace).or_default();
                used.images.extend(record.images.iter().cloned());
                continue;
            }
            for image in &record.images {
                let Ok(reference) = Reference::parse(image) else {
                    found.unparsable.insert(image.clone());
                    continue;
                };
                let normal = reference.to_string();
                if reference.digest().is_some() {
                    pinned.insert(normal.clone());
                } else if reference.tag().is_none_or(|tag| tag == "latest") {
                    latest.insert(normal.clone());
                }
                let repository = (reference.host().to_owned(), reference.path().to_owned());
                let used = repositories.entry(repository).or_default();
                used.images.insert(normal.clone());
                if !namespace.is_empty() {
                    used.namespaces.insert(namespace.clone());
                }
                all.insert(normal);
            }
        }
        (found.images, found.latest, found.pinned) = (all.len(), latest.len(), pinned.len());
        let team = team_registry(&repositories);
        for host in unreachable {
            found.add_mirror(host, team.as_deref(), &mut repositories);
        }
        found.allow = entries(&repositories, broad);
        for mirror in &found.mirrors {
            let mut above = mirror.target.match_indices('/').map(|(at, _)| at);
            let is_covered = above.any(|at| {
                let entry = mirror.target.get(..at).unwrap_or_default();
                found.allow.contains_key(entry)
            });
            if !is_covered {
                let used = found.allow.entry(mirror.target.clone()).or_default();
                used.add(&mirror.used);
            }
        }
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.mirrors.is_empty() && self.platform.is_empty()
    }

    fn add_rule(&mut self, row: &Row) {
        let resource = &row.record.resource;
        let (versions, resources) = self.rules.entry(resource.group.clone()).or_default();
        versions.insert(resource.version.clone());
        resources.insert(resource.name.clone());
    }

    fn add_tools(&mut self, row: &Row) {
        let record = &row.record;
        for (manager, preset) in TOOLS {
            let Some(namespace) = &record.name.namespace else {
                continue;
            };
            if record
                .managers
                .iter()
                .any(|known| known.starts_with(manager))
                && !record.is_pod()
            {
                let (namespaces, kinds) = self.tools.entry(preset).or_default();
                namespaces.insert(namespace.clone());
                let group = &record.resource.group;
                let group = if group.is_empty() { "core" } else { group };
                kinds.insert(format!("{group}/{}", record.name.kind));
            }
        }
    }

    /// Proposes a mirror for a host, and takes its images out of those that need an entry.
    fn add_mirror(
        &mut self,
        host: &str,
        team: Option<&str>,
        repositories: &mut BTreeMap<(String, String), Use>,
    ) {
        let alias = format!("{host}/a/b");
        let host = Reference::parse(&alias).map_or(host, |reference| {
            // Docker Hub has several names.
            if reference.host() == DOCKER_HUB {
                DOCKER_HUB
            } else {
                host
            }
        });
        let mut used = Use::default();
        repositories.retain(|(of, _), known| {
            if of == host {
                used.add(known);
            }
            of != host
        });
        if used.images.is_empty() {
            warn(&format!("--unreachable {host}: no image is from there"));
            return;
        }
        let target = format!("{}/{host}", team.unwrap_or("registry.example.com"));
        self.mirrors.push(Mirror {
            source: host.to_owned(),
            target,
            is_known: team.is_some(),
            used,
        });
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "{} for {}",
            count(
                self.allow.len(),
                "allowed registry or path",
                "allowed registries and paths"
            ),
            count(self.images, "image", "images")
        )
    }

    /// The settings, with what they were made of in comments.
    pub(super) fn settings(&self) -> String {
        format!("{SCHEMA}{}{}", self.head(), self.body())
    }

    fn head(&self) -> String {
        let mut text = format!(
            "# What runs today, written by `rollout-guard init` from {}.\n",
            self.source.replace('\n', " ")
        );
        if self.images > 0 {
            let _ = writeln!(
                text,
                "# {}: {} without a tag or with `latest`, {} pinned to a digest. Neither is a rule here, for a list of\n\
                 # tags would stop the next release: `tags: {{ reject: [latest] }}`, `digests: {{ require: [\"*\"] }}`.",
                count(self.images, "image", "images"),
                self.latest,
                self.pinned
            );
        }
        for image in &self.unparsable {
            let _ = writeln!(
                text,
                "# Not an image reference, and refused: {}",
                write_scalar(image)
            );
        }
        text
    }

    fn body(&self) -> String {
        let mut text = String::new();
        if self.allow.is_empty() {
            text.push_str("# No image outside the platform's namespaces was found: name your registry here.\n");
            text.push_str("registries: { allow: [registry.example.com] }\n");
        } else {
            text.push_str("registries:\n  allow:\n");
        }
        for (entry, used) in &self.allow {
            let _ = writeln!(text, "    - {} # {used}", write_scalar(entry));
        }
        if !self.mirrors.is_empty() {
            text.push_str("mirrors:\n");
        }
        for mirror in &self.mirrors {
            if !mirror.is_known {
                text.push_str("  # Put the name of your registry in the place of `registry.example.com`, above too.\n");
            }
            let _ = writeln!(
                text,
                "  - source: {} # {}\n    mirror: {}",
                write_scalar(&mirror.source),
                mirror.used,
                write_scalar(&mirror.target)
            );
        }
        if !self.tools.is_empty() {
            text.push_str("# Images in these namespaces come from Git. Whoever else changes one by hand is warned; `reject` refuses.\nchanges:\n");
        }
        for (preset, (namespaces, kinds)) in &self.tools {
            let list = |names: &BTreeSet<String>| {
                let names: Vec<_> = names.iter().map(|name| write_scalar(name)).collect();
                names.join(", ")
            };
            let _ = writeln!(
                text,
                "  - name: {}-owns-images\n    match:\n      kinds: [{}]\n      namespaces: [{}]\n    guard: [images]\n    allowUsers: [{}]\n    allowRestart: true\n    action: warn",
                preset.trim_start_matches("preset:"),
                list(kinds),
                list(namespaces),
                write_scalar(preset),
            );
        }
        if !self.platform.is_empty() {
            text.push_str("# The platform must start even if a registry is missing here. Fill in the reasons, or list the images instead.\nexemptions:\n");
        }
        for (namespace, used) in &self.platform {
            let name = write_scalar(namespace);
            let _ = writeln!(
                text,
                "  - name: {name} # {used}\n    match: {{ namespaces: [{name}] }}\n    checks: [images, mirrors]\n    reason: \"fill in: why {namespace} is exempt\"",
            );
        }
        text
    }

    /// The settings as a policy for a pilot.
    pub(super) fn policy(&self) -> String {
        let body = self.body();
        let is_mutating = !self.mirrors.is_empty();
        let mut text = format!(
            "{}# A pilot: it only warns, and while the policy server is down everything passes.\n\
             apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata:\n  name: rollout-guard\nspec:\n  \
             module: {}\n  mutating: {is_mutating}\n  mode: monitor\n  failurePolicy: Ignore\n  rules:\n",
            self.head(),
            admission_policy::module(),
        );
        for (group, (versions, resources)) in &self.rules {
            let list = |names: &BTreeSet<String>| {
                let names: Vec<_> = names.iter().map(|name| write_scalar(name)).collect();
                names.join(", ")
            };
            let mut resources = resources.clone();
            if group.is_empty() {
                resources.insert("pods".to_owned());
            }
            let _ = writeln!(
                text,
                "    - apiGroups: [{}]\n      apiVersions: [{}]\n      resources: [{}]\n      operations: [CREATE, UPDATE]",
                write_scalar(group),
                list(versions),
                list(&resources)
            );
        }
        if !self.rules.contains_key("") {
            text.push_str("    - apiGroups: [\"\"]\n      apiVersions: [v1]\n      resources: [pods]\n      operations: [CREATE, UPDATE]\n");
        }
        // In a rule with CREATE, the audit scanner drops the whole policy.
        text.push_str("    - apiGroups: [\"\"]\n      apiVersions: [v1]\n      resources: [pods/ephemeralcontainers]\n      operations: [UPDATE]\n");
        text.push_str("  settings:\n");
        for line in body.lines() {
            text.push_str("    ");
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The registry that the team already uses: of those that are not the public's, the one with the most
/// images.
fn team_registry(repositories: &BTreeMap<(String, String), Use>) -> Option<String> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for ((host, _), used) in repositories {
        if !PUBLIC.contains(&host.as_str()) && !host.ends_with(".pkg.dev") {
            *hosts.entry(host).or_default() += used.images.len();
        }
    }
    let most = hosts.into_iter().max_by_key(|(_, images)| *images);
    most.map(|(host, _)| host.to_owned())
}

/// The entries that cover repositories, none of which covers another.
fn entries(repositories: &BTreeMap<(String, String), Use>, broad: bool) -> BTreeMap<String, Use> {
    let mut siblings: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (host, path) in repositories.keys() {
        if let Some((parent, _)) = path.rsplit_once('/') {
            *siblings.entry((host, parent)).or_default() += 1;
        }
    }
    let mut found: BTreeMap<String, Use> = BTreeMap::new();
    for ((host, path), used) in repositories {
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        let many = parent.filter(|parent| {
            siblings
                .get(&(host.as_str(), *parent))
                .is_some_and(|count| *count >= SIBLINGS)
        });
        let entry = if broad && host != DOCKER_HUB {
            host.clone()
        } else {
            format!("{host}/{}", many.unwrap_or(path))
        };
        found.entry(entry).or_default().add(used);
    }
    // What a shorter entry covers needs none of its own.
    let names: BTreeSet<String> = found.keys().cloned().collect();
    let mut kept: BTreeMap<String, Use> = BTreeMap::new();
    for (entry, used) in found {
        let above = entry
            .match_indices('/')
            .filter_map(|(at, _)| entry.get(..at));
        let cover = above.into_iter().find(|above| names.contains(*above));
        let name = cover.map_or_else(|| entry.clone(), ToOwned::to_owned);
        kept.entry(name).or_default().add(&used);
    }
    kept
}
