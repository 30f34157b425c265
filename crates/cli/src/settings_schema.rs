//! The JSON Schema of the settings: what may be written where, for editors and for forms.
//!
//! The engine reads settings by hand, so these types are never made: they are what the schema is
//! generated from. A test holds the schema against the engine, key by key and document by document.
//! What one entry says about another, only the engine can tell.

#![expect(dead_code, reason = "only what is generated from the types is used")]

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The schema as `settings.schema.json` has it.
pub(crate) fn text() -> String {
    // What the YAML language server of editors and most forms know.
    let generator = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(unfold))
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>();
    let id = concat!(
        "https://raw.githubusercontent.com/rollout-guard/rollout-guard/main/",
        "settings.schema.json"
    );
    schema.insert("$id".to_owned(), json!(id));
    schema.insert("title".to_owned(), json!("Settings of rollout-guard"));
    format!("{:#}\n", schema.as_value())
}

/// Which images may run, where they are pulled from, which annotations objects may carry, and who may
/// change what Git owns.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// Where images may come from: hosts, or hosts and paths. Reject beats allow.
    registries: Option<Section<Registries>>,
    /// Which images may run. Reject beats allow.
    images: Option<Section<Images>>,
    /// Which tags may be used. Sees the tag alone.
    tags: Option<Section<Tags>>,
    /// Which images must be pinned to a digest, and which must not be.
    digests: Option<Section<Digests>>,
    /// Where images are pulled from instead. The first rule that covers an image is used.
    mirrors: Option<Vec<MirrorRule>>,
    /// In which objects images are rewritten to their mirrors: in Pods when they are created, in
    /// workloads as well, or nowhere.
    #[schemars(extend("default" = "pods"))]
    rewrite: Option<Rewrite>,
    /// Rules about annotations.
    annotations: Option<Vec<AnnotationRule>>,
    /// What Git owns, and who may change it. Rules look at UPDATE, and with `guardDelete` at DELETE.
    changes: Option<Vec<ChangeRule>>,
    /// Whether an object must be as it was last applied.
    drift: Option<Drift>,
    /// What an UPDATE is judged by: what it adds or changes, or the whole object.
    #[schemars(extend("default" = "changed"))]
    on_update: Option<OnUpdate>,
    /// Where custom kinds hold images that are in no list of containers.
    image_paths: Option<Vec<ImagePath>>,
    /// What the rules do not apply to. Each exemption names namespaces, users, groups or images.
    exemptions: Option<Vec<Exemption>>,
    /// A link that is appended to each refusal.
    #[schemars(
        regex(pattern = r"^https?://\S+$"),
        example = "https://wiki.example.com/images"
    )]
    docs_url: Option<String>,
}

// Lists, or items that each have a `match`; every one that matches must be satisfied.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "{T}Section")]
enum Section<T> {
    // For all requests, or for those that it matches.
    One(T),
    // A rule each.
    Several(Vec<T>),
}

// Text without which an entry would say nothing.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Text(#[schemars(length(min = 1))] String);

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Registries {
    /// If there are any, one must match: a host, with or without a port, or a host and a path with all
    /// below it.
    #[schemars(example = ["*.azurecr.io", "ghcr.io/org"])]
    allow: Option<Vec<Text>>,
    /// None may match. A wildcard in the path crosses `/`.
    #[schemars(example = ["docker.io"])]
    reject: Option<Vec<Text>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Images {
    /// If there are any, one must match each image. A bare name is on Docker Hub. An entry with a tag
    /// does not cover that tag pinned to a digest.
    #[schemars(example = ["ghcr.io/org/*"])]
    allow: Option<Vec<Text>>,
    /// None may match. Wildcards cross `/` here.
    #[schemars(example = ["docker.io/library/redis:6*"])]
    reject: Option<Vec<Text>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Tags {
    /// Globs, one of which must match the tag of each image. An image with a digest and no tag is
    /// refused.
    #[schemars(example = ["v*"])]
    allow: Option<Vec<Text>>,
    /// Globs that may not match. An image with a digest and no tag passes.
    #[schemars(example = ["latest", "*-rc*"])]
    reject: Option<Vec<Text>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Digests {
    /// Images that must have a digest.
    #[schemars(example = ["ghcr.io/*"])]
    require: Option<Vec<Text>>,
    /// Images that must not have a digest: of registries that copy images under digests of their own.
    #[schemars(example = ["registry.cn-hangzhou.aliyuncs.com/*"])]
    forbid: Option<Vec<Text>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Never {
    Never,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Action {
    Reject,
    Warn,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct MirrorRule {
    /// Which images: a path and everything below it; with a tag that one image; `*` for everything
    /// that is under no mirror already.
    #[schemars(length(min = 1), example = "docker.io/library")]
    source: String,
    /// Where they are pulled from: a path, to which what follows the source is appended, or a template
    /// with `{registry}`, `{repository}`, `{name}` and `{tag}`.
    #[schemars(
        length(min = 1),
        example = "example.azurecr.io/library",
        example = "registry.example.com/cache/{registry}/{repository}"
    )]
    mirror: String,
    /// What becomes of an image's digest: it stays, it goes, or an image with one is left as it is.
    #[schemars(extend("default" = "keep"))]
    digest: Option<DigestRule>,
    /// Names of Secrets that a Pod needs to pull from there, appended when it is created.
    #[schemars(example = ["acr-pull"])]
    pull_secrets: Option<Vec<Text>>,
    /// Whether the mirror is asked first whether it has the image.
    #[schemars(extend("default" = false))]
    check_exists: Option<bool>,
    /// What happens to an image when the mirror gives no answer.
    #[schemars(extend("default" = "keep"))]
    on_check_error: Option<OnCheckError>,
    /// `never`: messages name the mirror, and no image is rewritten by this rule.
    rewrite: Option<Never>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum DigestRule {
    Keep,
    Drop,
    Skip,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum OnCheckError {
    Keep,
    Rewrite,
    Reject,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Rewrite {
    Pods,
    Workloads,
    Never,
}

#[derive(JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    deny_unknown_fields,
    transform = either_rules_or_names
)]
struct AnnotationRule {
    /// The name of the rule in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// Whose annotations: the object's own, those of the Pods that it makes, or both.
    #[schemars(extend("default" = "object"))]
    target: Option<Target>,
    /// Stands before every name in this rule that has no `/`.
    #[schemars(
        length(min = 1),
        example = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
    )]
    prefix: Option<String>,
    /// Older spellings of `prefix`, which count where the first is absent.
    alias_prefixes: Option<Vec<Text>>,
    /// Every one must be there, and not empty.
    #[schemars(example = ["team"])]
    required: Option<Vec<Text>>,
    /// Groups of names, of each of which one must be there, and not empty.
    #[schemars(example = [["cert-manager.io/issuer", "cert-manager.io/cluster-issuer"]])]
    require_any: Option<Vec<Group>>,
    /// Globs over names: none may be there.
    #[schemars(example = ["nginx.ingress.kubernetes.io/*-snippet"])]
    denied: Option<Vec<Text>>,
    /// Globs over names: no others may be there, besides those that Kubernetes and its tools write.
    allowed: Option<Vec<Text>>,
    /// What values may be, by name. Beside `criteria`, the list of names that this is about.
    values: Option<Values>,
    /// Groups of names, of each of which at most one may be there.
    #[schemars(example = [["id", "spec"]])]
    conflicting: Option<Vec<Group>>,
    /// Conditions: where `when` holds, `then` must.
    requires: Option<Vec<Requirement>>,
    /// May not be added, changed or removed by an update.
    immutable: Option<Vec<Text>>,
    /// May not be added or changed by an update, but may be removed.
    create_only: Option<Vec<Text>>,
    /// May not be removed by an update.
    keep: Option<Vec<Text>>,
    /// A criterion of Kubewarden's annotations policy, over the names in `values`.
    criteria: Option<Criterion>,
    /// Refuse, let pass with a warning, or take the annotation out where `denied`, `createOnly` or
    /// `conflicting` object to it.
    #[schemars(extend("default" = "reject"))]
    action: Option<RuleAction>,
    /// What to do instead, appended to the messages of this rule.
    #[schemars(length(min = 1))]
    message: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Target {
    Object,
    PodTemplate,
    Both,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum RuleAction {
    Reject,
    Warn,
    Remove,
}

// At least two names.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Group(#[schemars(length(min = 2))] Vec<Text>);

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Values {
    /// Rules about values, by the name of the annotation.
    Rules(BTreeMap<String, ValueRule>),
    /// Names, beside `criteria`.
    Names(Vec<Text>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ValueRule {
    /// Globs, one of which must match.
    #[schemars(example = ["internet", "intranet"])]
    one_of: Option<Vec<String>>,
    /// A regular expression that must match the whole value.
    #[schemars(length(min = 1), example = "[0-9]{1,3}")]
    pattern: Option<String>,
    /// The value that counts where the annotation is absent.
    default: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Requirement {
    /// Names or globs over names, each with a glob over the value, `"*"` for present and not empty, or
    /// `null` for absent. All must hold.
    #[schemars(extend("minProperties" = 1))]
    when: BTreeMap<String, Option<String>>,
    /// What must hold then, written as `when`.
    #[schemars(extend("minProperties" = 1))]
    then: BTreeMap<String, Option<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Criterion {
    ContainsAnyOf,
    DoesNotContainAnyOf,
    ContainsAllOf,
    DoesNotContainAllOf,
    ContainsOtherThan,
    DoesNotContainOtherThan,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, transform = filled)]
struct ChangeRule {
    /// The name of the rule in messages.
    name: Option<String>,
    /// Which objects. Holds when the new object matches or the old one does.
    r#match: Option<Match>,
    /// What is guarded: `images`, `annotations:<glob>`, `labels:<glob>`, a field at the top of the
    /// object such as `spec`, or a field path.
    #[schemars(example = ["images"])]
    guard: Option<Vec<Text>>,
    /// Globs over user names, and presets such as `preset:argocd`.
    #[schemars(example = ["preset:argocd"])]
    allow_users: Option<Vec<Text>>,
    /// Globs over the user's groups. With `allowUsers` too, one of the two must match.
    #[schemars(example = ["break-glass"])]
    allow_groups: Option<Vec<Text>>,
    /// Globs over the field manager, which the client says itself: a hint, not an identity.
    #[schemars(example = ["kubectl-edit", "kubectl-patch", "kubectl-set"])]
    deny_field_managers: Option<Vec<Text>>,
    /// Annotations that must be present and different from before, in the same request.
    #[schemars(example = ["kubernetes.io/change-cause"])]
    require_annotations: Option<Vec<Text>>,
    /// Whether `kubectl rollout restart` passes.
    #[schemars(extend("default" = false))]
    allow_restart: Option<bool>,
    /// Whether DELETE is judged too, and what lets the garbage collector delete. Needs `match.kinds`.
    #[schemars(extend("default" = false))]
    guard_delete: Option<bool>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// What to do instead, appended to the messages of this rule.
    message: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Drift {
    /// What happens to an object whose images or guarded annotations are not as they were last applied.
    #[schemars(extend("default" = "ignore"))]
    last_applied: Option<LastApplied>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum LastApplied {
    Ignore,
    Warn,
    Reject,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum OnUpdate {
    Changed,
    All,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ImagePath {
    /// A kind: `Kind`, or `group/Kind`.
    #[schemars(length(min = 1), example = "apps.kruise.io/ImagePullJob")]
    kind: String,
    /// A field path that ends at a string or at a list of strings.
    #[schemars(length(min = 1), example = "spec.image")]
    path: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, transform = filled)]
struct Exemption {
    /// The name in the audit annotation.
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// Which of their images, as in `images.allow`. Absent, all.
    #[schemars(example = ["registry.k8s.io/*"])]
    images: Option<Vec<Text>>,
    /// From which checks. Absent, all; with `images` only `images` and `mirrors`.
    checks: Option<Vec<Check>>,
    /// Why, for people who read the settings.
    reason: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
enum Check {
    Images,
    Mirrors,
    Annotations,
    Changes,
    Drift,
}

/// A `match`, or the `except` in it: the two have the same conditions.
macro_rules! conditions {
    ($(#[$doc:meta])* $name:ident { $($except:tt)* }) => {
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(rename_all = "camelCase", deny_unknown_fields, transform = filled)]
        struct $name {
            /// Globs over the namespace.
            #[schemars(example = ["prod-*"])]
            namespaces: Option<Vec<Text>>,
            /// Kinds: `Kind` in any group, `group/Kind` in one, `core/Kind` in the core group.
            #[schemars(example = ["apps/Deployment", "core/Pod"])]
            kinds: Option<Vec<Text>>,
            /// Globs over the name, else over `generateName`.
            names: Option<Vec<Text>>,
            /// Globs over `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
            #[schemars(example = ["CREATE"])]
            operations: Option<Vec<Text>>,
            /// Globs over the user name. Never match a request without one, such as the audit scanner's.
            users: Option<Vec<Text>>,
            /// Globs over the user's groups.
            groups: Option<Vec<Text>>,
            /// The object's own labels, each with a glob over the value, `"*"` for present and not empty, or
            /// `null` for absent.
            labels: Option<BTreeMap<String, Option<String>>>,
            /// Field paths of the object, each with a condition as in `labels`. Numbers and booleans are
            /// written in quotes.
            #[schemars(example = BTreeMap::from([("spec.type", "LoadBalancer")]))]
            fields: Option<BTreeMap<String, Option<String>>>,
            /// As `fields`, on the object before the change. Never match a request without one.
            old_fields: Option<BTreeMap<String, Option<String>>>,
            $($except)*
        }
    };
}

conditions! {
    /// Which requests. What is absent matches everything; what is present must match.
    Match {
        /// What is not matched all the same: conditions that must all hold.
        except: Option<Except>,
    }
}

conditions! {
    /// What a `match` leaves out. What is present must match.
    Except {}
}

/// Puts a description onto one line.
pub(crate) fn unfold(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// `values` is a list where there are `criteria`, else a map.
fn either_rules_or_names(schema: &mut Schema) {
    let values = |types: Value| json!({ "values": { "type": types } });
    let names = json!({ "required": ["values"], "properties": values(json!("array")) });
    let rules = json!({ "properties": values(json!(["object", "null"])) });
    let criteria =
        json!({ "required": ["criteria"], "properties": { "criteria": { "type": "string" } } });
    schema.insert("if".to_owned(), criteria);
    schema.insert("then".to_owned(), names);
    schema.insert("else".to_owned(), rules);
}

/// No member of a map may be `null`.
pub(crate) fn not_null(schema: &mut Schema) {
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(|members| members.values_mut()) {
        let Some(member) = member.as_object_mut() else {
            continue;
        };
        let is_null = |value: &Value| value == "null" || value["type"] == "null";
        if let Some(Value::Array(forms)) = member.get_mut("anyOf") {
            forms.retain(|form| !is_null(form));
        }
        if let Some(Value::Array(types)) = member.get_mut("type") {
            types.retain(|name| !is_null(name));
        }
        if let Some(Value::Array(words)) = member.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
    }
}

/// Nothing in a map may be `null` or empty: a template that rendered to nothing must not match or
/// exempt everything.
fn filled(schema: &mut Schema) {
    not_null(schema);
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(|members| members.values_mut()) {
        let Some(member) = member.as_object_mut() else {
            continue;
        };
        for (name, least) in [
            ("array", "minItems"),
            ("object", "minProperties"),
            ("string", "minLength"),
        ] {
            let is_of_type = member
                .get("type")
                .is_some_and(|types| *types == name || *types == json!([name]));
            if is_of_type && !member.contains_key("enum") {
                member.insert(least.to_owned(), json!(1));
            }
        }
    }
    schema.insert("minProperties".to_owned(), json!(1));
}
