//! `rollout-guard test --init`: a first suite, with what the settings do today.
//!
//! For every entry of the settings there are requests that it should be about. What is expected is what
//! comes out: whoever owns the settings reads it once, and from then on a change shows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rollout_guard::image::is_host;
use rollout_guard::policy::Policy;
use serde_json::{Map, Value, json};

use super::evaluate::evaluate;
use super::suite::{self, Case};
use super::{coverage, path};
use crate::exit::Exit;
use crate::failure::{Failure, reason};
use crate::input;
use crate::manifest;
use crate::manifest::writer::{write, write_scalar};
use crate::policy_file::Source;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings, settings_of};

/// Writes a suite for each of the paths.
pub(super) fn execute(paths: &[PathBuf], out: &mut dyn Write) -> Result<Exit, Failure> {
    for path in paths {
        write_suite(path, out)?;
    }
    Ok(Exit::Clean)
}

/// The settings in a folder, or a file of settings, and where their suite goes.
fn files(path: &Path) -> (PathBuf, PathBuf) {
    if path.is_dir() {
        return (path.join("settings.yaml"), path.join("suite.yaml"));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let suite = match stem.as_ref() {
        "settings" => "suite.yaml".to_owned(),
        other => format!("{other}.suite.yaml"),
    };
    (path.to_owned(), path.with_file_name(suite))
}

fn write_suite(path: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let (settings_path, suite_path) = files(path);
    let suite_name = input::name(&suite_path);
    let file = SettingsFile::read(&settings_path)?;
    let documents = file.documents()?;
    let sources = file.sources(&documents)?;
    let read = settings_of(&sources)?;
    let valid = settings(&file, &sources, &read)?;
    let policies: Vec<_> = valid
        .iter()
        .map(|settings| Some(Policy::new(settings)))
        .collect();
    let sources: Vec<_> = sources.iter().collect();
    let mut drafts = Drafts::default();
    for source in &sources {
        let settings = serde_json::from_str(source.json()).unwrap_or_default();
        drafts.add_settings(&settings, &sources, &policies);
    }
    let mut kept = Vec::new();
    let mut seen = BTreeSet::new();
    for mut draft in drafts.found {
        let Some(case) = case_of(&draft) else {
            continue;
        };
        let outcome = evaluate(&sources, &policies, &case);
        if !outcome.is_asked
            || !seen.insert(
                json!([
                    draft.get("manifest"),
                    draft.get("patch"),
                    draft.get("request")
                ])
                .to_string(),
            )
        {
            continue;
        }
        if let Some(draft) = draft.as_object_mut() {
            draft.insert("expect".to_owned(), expected(&case, &outcome));
        }
        kept.extend(case_of(&draft).map(|case| (draft, case)));
    }
    if kept.is_empty() {
        return Err(Failure::wrong_use(format!(
            "{}: no case can be made of these settings, write one by hand",
            file.name
        )));
    }
    let cases: Vec<_> = kept.iter().map(|(_, case)| case).collect();
    let entries = coverage::measure(&sources, &policies, &cases);
    let covered = entries.iter().filter(|entry| entry.is_covered).count();
    let name = settings_path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let text = text(&name, kept.iter().map(|(draft, _)| draft));
    File::create_new(&suite_path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| {
            Failure::unreadable(match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    format!("{suite_name}: there is a suite already, it stays as it is")
                }
                _ => format!("{suite_name}: {}", reason(&error)),
            })
        })?;
    writeln!(
        out,
        "{suite_name}: {}, {covered} of {} covered: read what each case expects, and add what is missing",
        count(kept.len(), "case", "cases"),
        count(entries.len(), "entry", "entries"),
    )?;
    Ok(())
}

/// The suite as a person would write it.
fn text<'d>(settings: &str, drafts: impl Iterator<Item = &'d Value>) -> String {
    let mut text = format!(
        "# What the settings do today, written by `rollout-guard test --init`. Read each `expect`: is that\n\
         # what should happen? `rollout-guard test` says which entries no case would miss.\n\
         settings: {}\ncases:\n",
        write_scalar(settings)
    );
    for draft in drafts {
        let mut prefix = "  - ";
        for key in ["name", "manifest", "patch", "request", "expect"] {
            let Some(value) = draft.get(key) else {
                continue;
            };
            text.push_str(prefix);
            text.push_str(&write(&json!({ key: value }), 4));
            text.push('\n');
            prefix = "    ";
        }
    }
    text
}

/// A draft as the case that it will be read as.
fn case_of(draft: &Value) -> Option<Case> {
    let mut draft = draft.clone();
    if draft.get("expect").is_none() {
        draft
            .as_object_mut()?
            .insert("expect".to_owned(), json!({ "accepted": true }));
    }
    let text = json!({ "settings": {}, "cases": [draft] }).to_string();
    let file = SettingsFile {
        name: String::new(),
        text: text.clone(),
    };
    let documents = manifest::readable(&text);
    let suite = suite::read(&file, Path::new(""), documents.first()?).ok()?;
    suite.cases.into_iter().next()
}

/// What came out, as something to expect.
fn expected(case: &Case, outcome: &super::evaluate::Outcome) -> Value {
    let list = |violations: &[rollout_guard::violation::Violation]| -> Value {
        violations
            .iter()
            .map(|violation| {
                let path = violation.path.to_string();
                let at = if path.is_empty() {
                    violation.place.clone()
                } else {
                    path
                };
                json!({ "code": violation.code.as_str(), "at": at })
            })
            .collect()
    };
    let mut expected = Map::new();
    if outcome.accepted() {
        expected.insert("accepted".to_owned(), json!(true));
    } else {
        expected.insert("violations".to_owned(), list(&outcome.violations));
    }
    if !outcome.warnings.is_empty() {
        expected.insert("warnings".to_owned(), list(&outcome.warnings));
    }
    if !outcome.exempted.is_empty() {
        expected.insert("exempted".to_owned(), json!(outcome.exempted));
    }
    let before = case.request.get("object");
    if outcome.accepted() && before != Some(&outcome.object) {
        if !outcome.images.is_empty() {
            expected.insert("images".to_owned(), json!(outcome.images));
        }
        let of = |object: Option<&Value>| {
            let annotations = object.and_then(|object| object.pointer("/metadata/annotations"));
            annotations
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let (was, is) = (of(before), of(Some(&outcome.object)));
        let removed: Map<_, _> = was
            .into_iter()
            .filter(|(key, _)| !is.contains_key(key))
            .map(|(key, _)| (key, Value::Null))
            .collect();
        if !removed.is_empty() {
            expected.insert("annotations".to_owned(), Value::Object(removed));
        }
        let secrets = "/spec/imagePullSecrets";
        if let Some(secrets) = outcome.object.pointer(secrets)
            && before.and_then(|object| object.pointer("/spec/imagePullSecrets")) != Some(secrets)
        {
            expected.insert(
                "fields".to_owned(),
                json!({ "spec.imagePullSecrets": secrets }),
            );
        }
    }
    Value::Object(expected)
}

/// The requests that settings are about, each as a case without `expect`.
#[derive(Default)]
struct Drafts {
    found: Vec<Value>,
    /// An image that the settings accept, if one is known.
    image: String,
}

/// No registry has it.
const NOWHERE: &str = "nothing.invalid/app:1.0";

const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

impl Drafts {
    fn add_settings(
        &mut self,
        settings: &Value,
        sources: &[&Source<'_>],
        policies: &[Option<Policy<'_>>],
    ) {
        self.image = accepted_image(settings, sources, policies);
        self.add_images(settings);
        for (position, rule) in items(settings, "annotations").enumerate() {
            let name = name_of(rule, "annotations", position);
            self.add_annotations(&name, rule);
        }
        for (position, rule) in items(settings, "changes").enumerate() {
            let name = name_of(rule, "changes", position);
            self.add_change(&name, rule);
        }
        if settings.pointer("/drift/lastApplied").is_some() {
            let applied = pod("nothing.invalid/app:2.0").to_string();
            let mut edited = pod(&self.image);
            set(
                &mut edited,
                "metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
                &json!(applied),
            );
            self.add(
                "an object that is not as it was last applied",
                edited,
                None,
                None,
            );
        }
        for (position, exemption) in items(settings, "exemptions").enumerate() {
            let name = name_of(exemption, "exemptions", position);
            let image = texts(exemption, "images").next();
            let image = image.map_or_else(|| NOWHERE.to_owned(), image_of);
            self.add_matching(&format!("{name}: exempt"), exemption, &pod(&image), None);
        }
    }

    fn add(&mut self, name: &str, manifest: Value, patch: Option<Value>, request: Option<Value>) {
        let mut draft = Map::new();
        draft.insert("name".to_owned(), json!(name));
        draft.insert("manifest".to_owned(), manifest);
        if let Some(patch) = patch {
            draft.insert("patch".to_owned(), patch);
        }
        if let Some(request) = request.filter(|request| *request != json!({})) {
            draft.insert("request".to_owned(), request);
        }
        self.found.push(Value::Object(draft));
    }

    /// Adds a request that the `match` of a rule matches; with a patch it is an UPDATE.
    fn add_matching(&mut self, name: &str, rule: &Value, manifest: &Value, patch: Option<Value>) {
        let (manifest, mut request) = matching(rule, manifest);
        if let Some(request) = request.as_object_mut()
            && patch.is_some()
        {
            request.insert("operation".to_owned(), json!("UPDATE"));
        }
        self.add(name, manifest, patch, Some(request));
    }

    fn add_images(&mut self, settings: &Value) {
        let sections = ["registries", "images", "tags", "digests"];
        let has_any = sections
            .iter()
            .any(|section| settings.get(section).is_some());
        if has_any || settings.get("mirrors").is_some() {
            self.add(
                "an image from a registry that nobody named",
                pod(NOWHERE),
                None,
                None,
            );
        }
        for section in sections {
            let held = settings.get(section);
            let scopes = match held.and_then(Value::as_array) {
                Some(scopes) => scopes.iter().collect(),
                None => Vec::from_iter(held),
            };
            let lists = ["allow", "reject", "require", "forbid"];
            let lists = lists.map(|list| scopes.iter().map(move |scope| (list, *scope)));
            for (list, scope) in lists.into_iter().flatten() {
                for entry in texts(scope, list) {
                    let image = match section {
                        "registries" => registry_image(entry),
                        "tags" => with_tag(&self.image, &example(entry)),
                        _ => image_of(entry),
                    };
                    self.add(
                        &format!("{section}.{list}: {entry}"),
                        pod(&image),
                        None,
                        None,
                    );
                    if section == "digests" {
                        let image = format!("{image}@{DIGEST}");
                        let name = format!("{section}.{list}: {entry}, with a digest");
                        self.add(&name, pod(&image), None, None);
                    }
                }
            }
        }
        for rule in items(settings, "mirrors") {
            let source = rule
                .get("source")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let image =
                if !source.contains('/') && is_host(source) || !source.contains(['*', ':', '@']) {
                    registry_image(source)
                } else {
                    image_of(source)
                };
            self.add_matching(&format!("mirror of {source}"), rule, &pod(&image), None);
        }
        for item in items(settings, "imagePaths") {
            let path = item.get("path").and_then(Value::as_str).unwrap_or_default();
            let kind = item.get("kind").and_then(Value::as_str).unwrap_or_default();
            let mut object = skeleton(kind, "");
            let path = path.replace("[*]", "[0]");
            set(&mut object, &path, &json!(NOWHERE));
            self.add(&format!("imagePaths: {kind}"), object, None, None);
        }
    }

    fn add_annotations(&mut self, name: &str, rule: &Value) {
        let target = rule.get("target").and_then(Value::as_str);
        let base = base_of(rule, &self.image);
        let is_template = target == Some("podTemplate") && base.pointer("/spec/template").is_some();
        let prefix = rule.get("prefix").and_then(Value::as_str);
        let about = AnnotationRule {
            name,
            rule,
            base,
            holder: if is_template {
                "spec.template.metadata.annotations"
            } else {
                "metadata.annotations"
            },
            prefix: prefix.unwrap_or_default(),
        };
        about.add_presence(self);
        about.add_values(self);
        about.add_combinations(self);
        about.add_updates(self);
    }

    fn add_change(&mut self, rule_name: &str, rule: &Value) {
        let base = base_of(rule, &self.image);
        let image = path_of_image(&base);
        for guard in texts(rule, "guard") {
            let patch = match guard.split_once(':') {
                _ if guard == "images" => json!({ image: with_tag(&self.image, "2.0") }),
                _ if guard == "spec" => json!({ "spec.guarded": "changed" }),
                Some((map @ ("annotations" | "labels"), glob)) => {
                    json!({ format!("metadata.{map}[{}]", json!(example(glob))): "changed" })
                }
                _ => json!({ guard.replace("[*]", "[0]"): "changed" }),
            };
            let (manifest, request) = matching(rule, &base);
            let mut add = |name: String, extra: Value| {
                let mut request = request.clone();
                merge(&mut request, &json!({ "operation": "UPDATE" }));
                merge(&mut request, &extra);
                self.add(
                    &format!("{rule_name}: {name}"),
                    manifest.clone(),
                    Some(patch.clone()),
                    Some(request),
                );
            };
            add(format!("{guard} changes"), json!({}));
            for user in texts(rule, "allowUsers").filter(|user| !user.starts_with("preset:")) {
                add(
                    format!("{guard} changes, by {user}"),
                    json!({ "user": example(user) }),
                );
            }
            for group in texts(rule, "allowGroups") {
                add(
                    format!("{guard} changes, by the group {group}"),
                    json!({ "user": "jane", "groups": [example(group)] }),
                );
            }
            for manager in texts(rule, "denyFieldManagers") {
                add(
                    format!("{guard} changes, with {manager}"),
                    json!({ "fieldManager": example(manager) }),
                );
            }
        }
        if rule.get("guardDelete") == Some(&json!(true)) {
            let (manifest, mut request) = matching(rule, &base);
            merge(&mut request, &json!({ "operation": "DELETE" }));
            self.add(
                &format!("{rule_name}: the object is deleted"),
                manifest,
                None,
                Some(request),
            );
        }
    }
}

/// An item of `annotations`, and an object that it is about.
struct AnnotationRule<'r> {
    name: &'r str,
    rule: &'r Value,
    base: Value,
    /// The way to the annotations in the object.
    holder: &'static str,
    prefix: &'r str,
}

impl AnnotationRule<'_> {
    fn path(&self, name: &str) -> String {
        let name = example(name);
        let prefix = if name.contains('/') { "" } else { self.prefix };
        format!("{}[{}]", self.holder, json!(format!("{prefix}{name}")))
    }

    /// The object with annotations.
    fn with(&self, annotations: &[(&str, &str)]) -> Value {
        let mut object = self.base.clone();
        for (name, value) in annotations {
            set(&mut object, &self.path(name), &json!(value));
        }
        object
    }

    fn create(&self, drafts: &mut Drafts, what: &str, annotations: &[(&str, &str)]) {
        let name = format!("{}: {what}", self.name);
        drafts.add_matching(&name, self.rule, &self.with(annotations), None);
    }

    fn add_presence(&self, drafts: &mut Drafts) {
        self.create(drafts, "without any annotation", &[]);
        let all: Vec<_> = texts(self.rule, "required")
            .map(|name| (name, "x"))
            .collect();
        for (name, _) in &all {
            let others: Vec<_> = all
                .iter()
                .filter(|(other, _)| other != name)
                .copied()
                .collect();
            self.create(drafts, &format!("required: {name} is missing"), &others);
        }
        if !all.is_empty() {
            self.create(drafts, "required: all are there", &all);
        }
        for list in ["denied", "allowed"] {
            for name in texts(self.rule, list) {
                self.create(drafts, &format!("{list}: {name}"), &[(name, "x")]);
            }
            if self.rule.get(list).is_some() {
                let other = [("nobody-named-this", "x")];
                self.create(drafts, "an annotation that nobody named", &other);
            }
        }
    }

    fn add_values(&self, drafts: &mut Drafts) {
        let values = self.rule.get("values").and_then(Value::as_object);
        for (name, value) in values.into_iter().flatten() {
            let good = value.pointer("/oneOf/0").and_then(Value::as_str);
            for value in good.into_iter().chain(["not,a value"]) {
                let what = format!("values: {name} is `{value}`");
                self.create(drafts, &what, &[(name, value)]);
            }
        }
    }

    fn add_combinations(&self, drafts: &mut Drafts) {
        for list in ["conflicting", "requireAny"] {
            for group in items(self.rule, list) {
                let names = group.as_array().into_iter().flatten();
                let names: Vec<_> = names.filter_map(Value::as_str).collect();
                let all: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
                self.create(drafts, &format!("{list}: {}", names.join(", ")), &all);
            }
        }
        for requirement in items(self.rule, "requires") {
            let pairs = |side: &str| -> Vec<(String, String)> {
                let map = requirement.get(side).and_then(Value::as_object);
                map.into_iter()
                    .flatten()
                    .filter_map(|(name, glob)| Some((name.clone(), example(glob.as_str()?))))
                    .collect()
            };
            let (when, then) = (pairs("when"), pairs("then"));
            let with = |pairs: &[(String, String)]| {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                self.with(&pairs)
            };
            let told: Vec<_> = when
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let what = format!("{}: requires: {}", self.name, told.join(", "));
            drafts.add_matching(&what, self.rule, &with(&when), None);
            let both = [when, then].concat();
            let what = format!("{what}, with what it needs");
            drafts.add_matching(&what, self.rule, &with(&both), None);
        }
    }

    fn add_updates(&self, drafts: &mut Drafts) {
        for list in ["immutable", "createOnly", "keep"] {
            for name in texts(self.rule, list) {
                let with = self.with(&[(name, "x")]);
                let path = self.path(name);
                for (what, old, new) in [
                    ("is added", &self.base, json!("x")),
                    ("changes", &with, json!("y")),
                    ("is removed", &with, Value::Null),
                ] {
                    let title = format!("{}: {list}: {name} {what}", self.name);
                    let change = json!({ path.as_str(): new });
                    drafts.add_matching(&title, self.rule, old, Some(change));
                }
            }
        }
    }
}

fn items<'v>(settings: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    settings
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn texts<'v>(holder: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    let entries = items(holder, key).map(|entry| entry.get("entry").unwrap_or(entry));
    entries.filter_map(Value::as_str)
}

fn name_of(rule: &Value, section: &str, position: usize) -> String {
    let name = rule.get("name").and_then(Value::as_str);
    name.map_or_else(|| format!("{section}[{position}]"), ToOwned::to_owned)
}

/// A text that a glob matches.
fn example(glob: &str) -> String {
    glob.replace("**", "x").replace(['*', '?'], "x")
}

/// An image under an entry of `registries`, or under a mirror's source.
fn registry_image(entry: &str) -> String {
    match entry {
        "*" => NOWHERE.to_owned(),
        _ => format!("{}/app:1.0", example(entry.trim_end_matches("/*"))),
    }
}

/// An image that a pattern matches.
fn image_of(pattern: &str) -> String {
    if pattern == "*" {
        return NOWHERE.to_owned();
    }
    let path = pattern.strip_suffix("/*").map(|path| format!("{path}/app"));
    let image = example(&path.unwrap_or_else(|| pattern.to_owned()));
    let image = match image.strip_prefix("x/") {
        // A first segment that is a wildcard is any host.
        Some(path) => format!("nothing.invalid/{path}"),
        None => image,
    };
    let last = image.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) {
        image
    } else {
        format!("{image}:1.0")
    }
}

fn with_tag(image: &str, tag: &str) -> String {
    match image.rsplit_once(':') {
        Some((name, old)) if !old.contains('/') => format!("{name}:{tag}"),
        _ => format!("{image}:{tag}"),
    }
}

/// The first image that the settings accept, of those that they name.
fn accepted_image(
    settings: &Value,
    sources: &[&Source<'_>],
    policies: &[Option<Policy<'_>>],
) -> String {
    let of = |pointer: &str, image: fn(&str) -> String| -> Vec<String> {
        let entries = settings.pointer(pointer).and_then(Value::as_array);
        let entries = entries.into_iter().flatten().filter_map(Value::as_str);
        entries.map(image).collect()
    };
    let mut images = of("/registries/allow", registry_image);
    images.extend(of("/images/allow", image_of));
    images.push("registry.example.com/app:1.0".to_owned());
    let tags = of("/tags/allow", example);
    let tagged: Vec<_> = images
        .iter()
        .flat_map(|image| tags.iter().map(|tag| with_tag(image, tag)))
        .collect();
    let mut all = images.iter().chain(&tagged);
    let is_accepted = |image: &&String| {
        let draft = json!({ "name": "image", "manifest": pod(image) });
        case_of(&draft).is_some_and(|case| evaluate(sources, policies, &case).accepted())
    };
    all.find(is_accepted)
        .or(images.first())
        .cloned()
        .unwrap_or_default()
}

fn pod(image: &str) -> Value {
    skeleton("core/Pod", image)
}

/// An object of a kind as `match.kinds` writes it, with an image where it can have one.
fn skeleton(kind: &str, image: &str) -> Value {
    let (group, kind) = match kind.rsplit_once('/') {
        Some((group, kind)) => (Some(group), kind),
        None => (None, kind),
    };
    let kind = if kind.contains(['*', '?']) || kind.is_empty() {
        "Deployment"
    } else {
        kind
    };
    let known = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps",
        "Job" | "CronJob" => "batch",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io",
        _ => "core",
    };
    let api_version = match group.unwrap_or(known) {
        "core" => "v1".to_owned(),
        group => format!("{}/v1", example(group)),
    };
    let mut object =
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "app" } });
    if image.is_empty() {
        return object;
    }
    let containers = json!({ "containers": [{ "name": "app", "image": image }] });
    match kind {
        "Pod" => set(&mut object, "spec", &containers),
        "CronJob" => set(
            &mut object,
            "spec.jobTemplate.spec.template.spec",
            &containers,
        ),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "ReplicationController" => {
            set(&mut object, "spec.template.spec", &containers);
        }
        _ => {}
    }
    object
}

fn path_of_image(object: &Value) -> &'static str {
    match object.get("kind").and_then(Value::as_str) {
        Some("Pod") => "spec.containers[0].image",
        Some("CronJob") => "spec.jobTemplate.spec.template.spec.containers[0].image",
        _ => "spec.template.spec.containers[0].image",
    }
}

/// An object of the first kind that a rule is about.
fn base_of(rule: &Value, image: &str) -> Value {
    let kinds = rule.get("match").unwrap_or(&Value::Null);
    let kind = texts(kinds, "kinds").next();
    skeleton(kind.unwrap_or("apps/Deployment"), image)
}

/// An object, changed so that the `match` of a rule matches it, and the fields of the request for that.
fn matching(rule: &Value, manifest: &Value) -> (Value, Value) {
    let mut manifest = manifest.clone();
    let mut request = json!({});
    let Some(wanted) = rule.get("match") else {
        return (manifest, request);
    };
    let first = |key: &str| texts(wanted, key).next().map(example);
    if let Some(namespace) = first("namespaces") {
        merge(&mut request, &json!({ "namespace": namespace }));
    }
    if let Some(name) = first("names") {
        set(&mut manifest, "metadata.name", &json!(name));
    }
    if let Some(user) = first("users") {
        merge(&mut request, &json!({ "user": user }));
    }
    if let Some(group) = first("groups") {
        if request.get("user").is_none() {
            merge(&mut request, &json!({ "user": "jane" }));
        }
        merge(&mut request, &json!({ "groups": [group] }));
    }
    if let Some(operation) = first("operations") {
        merge(&mut request, &json!({ "operation": operation }));
    }
    let maps = ["labels", "oldFields", "fields"];
    for map in maps {
        let fields = wanted.get(map).and_then(Value::as_object);
        for (field, glob) in fields.into_iter().flatten() {
            let field = match map {
                "labels" => format!("metadata.labels[{}]", json!(field)),
                _ => field.replace("[*]", "[0]"),
            };
            let value = match glob.as_str() {
                None => Value::Null,
                // What an ingress status holds is a list.
                Some("*") if field.ends_with(".ingress") => json!([{ "ip": "203.0.113.5" }]),
                Some(glob) => json!(example(glob)),
            };
            set(&mut manifest, &field, &value);
        }
    }
    (manifest, request)
}

fn merge(map: &mut Value, more: &Value) {
    if let (Some(map), Some(more)) = (map.as_object_mut(), more.as_object()) {
        map.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// Sets a value; a path that cannot be set leaves the object as it is.
fn set(object: &mut Value, field: &str, value: &Value) {
    if let Ok(steps) = path::parse(field) {
        let _ = path::set(object, &steps, value);
    }
}
