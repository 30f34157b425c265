//! The JSON Schema of the settings: what may be written where, for editors and for forms.
//!
//! The engine reads settings by hand, so these types are never made: they are what the schema is
//! generated from. A test holds the schema against the engine, key by key and document by document.
//! What one entry says about another, only the engine can tell.

#![expect(dead_code, reason = "only what is generated from the types is used")]

mod annotations;
mod selector;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use annotations::AnnotationRule;
use selector::Match;

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
    name_items(&mut schema);
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
    /// Whether images of well-known kinds, such as those of Tekton and Argo Workflows, are judged where these
    /// kinds keep them.
    #[schemars(extend("default" = true))]
    well_known_kinds: Option<bool>,
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
    allow: Option<Vec<AllowEntry>>,
    /// None may match. A wildcard in the path crosses `/`.
    #[schemars(example = ["docker.io"])]
    reject: Option<Vec<RefuseEntry>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// From when it refuses: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Images {
    /// If there are any, one must match each image. A bare name is on Docker Hub. An entry with a tag
    /// does not cover that tag pinned to a digest.
    #[schemars(example = ["ghcr.io/org/*"])]
    allow: Option<Vec<AllowEntry>>,
    /// None may match. Wildcards cross `/` here.
    #[schemars(example = ["docker.io/library/redis:6*"])]
    reject: Option<Vec<RefuseEntry>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// From when it refuses: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Tags {
    /// Globs, one of which must match the tag of each image. An image with a digest and no tag is
    /// refused.
    #[schemars(example = ["v*"])]
    allow: Option<Vec<AllowEntry>>,
    /// Globs that may not match. An image with a digest and no tag passes.
    #[schemars(example = ["latest", "*-rc*"])]
    reject: Option<Vec<RefuseEntry>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// From when it refuses: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Digests {
    /// Images that must have a digest.
    #[schemars(example = ["ghcr.io/*"])]
    require: Option<Vec<RefuseEntry>>,
    /// Images that must not have a digest: of registries that copy images under digests of their own.
    #[schemars(example = ["registry.cn-hangzhou.aliyuncs.com/*"])]
    forbid: Option<Vec<RefuseEntry>>,
    /// What happens otherwise.
    #[schemars(extend("default" = "reject"))]
    action: Option<Action>,
    /// The name of the item in messages.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Which requests. Absent, all.
    r#match: Option<Match>,
    /// From when it refuses: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
}

// An entry, or a map with it.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum AllowEntry {
    Alone(Text),
    Map(AllowMap),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, inline, transform = filled)]
struct AllowMap {
    /// What is allowed.
    entry: Text,
}

// An entry, or a map with it and with what the message says.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum RefuseEntry {
    Alone(Text),
    Map(RefuseMap),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields, inline, transform = filled)]
struct RefuseMap {
    /// What is refused.
    entry: Text,
    /// What to use instead: a registry in `registries`, a tag in `tags`, else an image, or a text with a space.
    #[schemars(length(min = 1), example = "ghcr.io/acme/redis")]
    r#use: Option<String>,
    /// What the message ends with.
    #[schemars(length(min = 1))]
    message: Option<String>,
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
    /// From when it refuses: a day, or a time. Until then it warns.
    #[schemars(length(min = 1), example = "2026-12-31")]
    from: Option<String>,
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
    /// When it ends: with a day, or at a time.
    #[schemars(length(min = 1), example = "2026-12-31")]
    until: Option<String>,
    /// What happens after that to what it exempted.
    #[schemars(extend("default" = "reject"))]
    after_end: Option<Action>,
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

/// Gives the items of the sections that may be lists a definition of their own: as in other lists of rules, nothing
/// in them may be `null` or empty.
fn name_items(schema: &mut Schema) {
    let definitions = schema.get_mut("definitions").and_then(Value::as_object_mut);
    let Some(definitions) = definitions else {
        return;
    };
    for name in ["Registries", "Images", "Tags", "Digests"] {
        let Some(mut item) = definitions.get(name).cloned() else {
            continue;
        };
        if let Ok(item) = (&mut item).try_into() {
            filled(item);
        }
        let item_name = format!("{name}Item");
        if let Some(section) = definitions.get_mut(&format!("{name}Section"))
            && let Some(items) = section.pointer_mut("/anyOf/1/items/$ref")
        {
            *items = json!(format!("#/definitions/{item_name}"));
        }
        definitions.insert(item_name, item);
    }
}

/// Puts a description onto one line.
pub(crate) fn unfold(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
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
