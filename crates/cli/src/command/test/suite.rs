//! A suite: settings, and what must come out of them.

use std::path::{Path, PathBuf};

use rollout_guard::json::{Location, Step};
use rollout_guard::request::Operation;
use rollout_guard::violation::Code;
use serde_json::{Value as Json, json};

use super::path;
use crate::failure::Failure;
use crate::input;
use crate::manifest::{self, Document, Value};
use crate::object::{Asking, Identity, Object, object, objects};
use crate::reader::Reader;
use crate::settings_file::SettingsFile;

/// What the settings of a suite are.
pub(super) enum Given<'d> {
    /// Written in the suite.
    Inline(Value<'d>),
    /// In these files.
    Files(Vec<PathBuf>),
}

/// A suite as it was read.
pub(super) struct Suite<'d> {
    pub(super) settings: Given<'d>,
    pub(super) cases: Vec<Case>,
}

/// A request, and what must become of it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) asked: Asked,
    /// The request as Kubewarden hands it on.
    pub(super) request: Json,
    /// Images that no registry has.
    pub(super) missing: Vec<String>,
    pub(super) expected: Expected,
}

/// What the rules of a policy are about, of a request.
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) sub_resource: Option<String>,
    pub(super) namespace: Option<String>,
}

/// What must come out. What is absent may be anything.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) asked: bool,
    pub(super) accepted: bool,
    pub(super) violations: Option<Vec<ExpectedViolation>>,
    pub(super) warnings: Option<Vec<ExpectedViolation>>,
    /// All images of the object, in its order, after rewriting.
    pub(super) images: Option<Vec<String>>,
    /// Annotations of the object afterwards; none for one that must be absent.
    pub(super) annotations: Vec<(String, Option<String>)>,
    /// Values in the object afterwards; null for one that must be absent.
    pub(super) fields: Vec<(String, Json)>,
    pub(super) exempted: Option<Vec<String>>,
}

/// A violation or warning that must come out.
#[derive(Debug)]
pub(super) struct ExpectedViolation {
    pub(super) code: Code,
    /// The place as a message names it, or the path of the field.
    pub(super) at: Option<String>,
    /// A part of the message.
    pub(super) message: Option<String>,
}

const KEYS: [&str; 3] = ["settings", "prefix", "cases"];

const CASE_KEYS: [&str; 9] = [
    "name",
    "manifest",
    "object",
    "patch",
    "annotations",
    "old",
    "request",
    "missing",
    "expect",
];

const VIOLATION_KEYS: [&str; 4] = ["code", "at", "annotation", "message"];

const REQUEST_KEYS: [&str; 7] = [
    "operation",
    "user",
    "groups",
    "namespace",
    "fieldManager",
    "subResource",
    "audit",
];

const EXPECT_KEYS: [&str; 8] = [
    "asked",
    "accepted",
    "violations",
    "warnings",
    "images",
    "annotations",
    "fields",
    "exempted",
];

/// Reads a suite.
///
/// # Errors
///
/// Every mistake in it, each with its line.
pub(super) fn read<'d>(
    file: &SettingsFile,
    folder: &Path,
    document: &'d Document<'_>,
) -> Result<Suite<'d>, Failure> {
    let mut suite = SuiteReader {
        reader: Reader::new(file, document),
        folder,
        prefix: String::new(),
    };
    let mut settings = None;
    let mut cases = Vec::new();
    let root = document.tree.root();
    if let Some(root) = root
        && suite.reader.is_map(root, "")
    {
        if let Some(prefix) = root.get("prefix") {
            suite.prefix = suite.reader.text(prefix, "prefix").unwrap_or_default();
        }
        for (key, value) in root.members() {
            match key.text().unwrap_or_default().as_ref() {
                "prefix" => {}
                "settings" => settings = Some(suite.settings(value)),
                "cases" => cases = suite.cases(value),
                unknown => suite.reader.unknown_key(key, unknown, &KEYS),
            }
        }
        for key in ["settings", "cases"] {
            if root.get(key).is_none() {
                let problem = format!("`{key}` is missing");
                suite.reader.error(root, "", &problem);
            }
        }
    }
    let settings = settings.unwrap_or(Given::Files(Vec::new()));
    suite.reader.finish(Suite { settings, cases })
}

struct SuiteReader<'s> {
    reader: Reader<'s>,
    /// Where paths count from.
    folder: &'s Path,
    /// What names of annotations are relative to, unless they hold a `/`.
    prefix: String,
}

/// The members of a case that say what is asked.
#[derive(Default)]
struct Parts<'d> {
    manifest: Option<Value<'d>>,
    object: Option<String>,
    patch: Vec<(String, Json)>,
    old: Option<Value<'d>>,
    request: RequestFields,
    has_request: bool,
}

#[derive(Default)]
struct RequestFields {
    operation: Option<Operation>,
    user: Option<String>,
    groups: Vec<String>,
    namespace: Option<String>,
    field_manager: Option<String>,
    sub_resource: Option<String>,
    audit: bool,
}

impl SuiteReader<'_> {
    fn settings<'d>(&mut self, value: Value<'d>) -> Given<'d> {
        if value.is_map() {
            return Given::Inline(value);
        }
        let paths = if value.is_list() {
            self.reader.texts(value, "settings")
        } else {
            self.reader.text(value, "settings").into_iter().collect()
        };
        if paths.is_empty() && value.is_list() {
            self.reader.error(value, "settings", "no file is named");
        }
        let paths = paths.iter().map(|path| self.folder.join(path));
        Given::Files(paths.collect())
    }

    fn cases(&mut self, value: Value<'_>) -> Vec<Case> {
        if !self.reader.is_list(value, "cases") {
            return Vec::new();
        }
        let elements = value.elements().enumerate();
        elements
            .filter_map(|(index, case)| self.case(case, &format!("cases[{index}]")))
            .collect()
    }

    fn case(&mut self, value: Value<'_>, path: &str) -> Option<Case> {
        if !self.reader.is_map(value, path) {
            return None;
        }
        let mut parts = Parts::default();
        let (mut name, mut expected, mut missing) = (None, None, Vec::new());
        for (key, value) in value.members() {
            let key_text = key.text().unwrap_or_default();
            let below = format!("{path}.{key_text}");
            match key_text.as_ref() {
                "name" => name = self.reader.text(value, &below),
                "manifest" => parts.manifest = Some(value),
                "object" => parts.object = self.reader.text(value, &below),
                "patch" => parts.patch.extend(self.fields(value, &below)),
                "annotations" => {
                    let annotations = self.annotations(value, &below).into_iter();
                    let set = annotations.map(|(name, value)| (place_of(&name), json!(value)));
                    parts.patch.extend(set);
                }
                "old" => parts.old = Some(value),
                "request" => {
                    parts.has_request = true;
                    parts.request = self.request_fields(value, &below);
                }
                "missing" => missing = self.reader.texts(value, &below),
                "expect" => expected = Some(self.expected(value, &below)),
                _ => self.reader.unknown_key(key, &below, &CASE_KEYS),
            }
        }
        for key in ["name", "manifest", "expect"] {
            if value.get(key).is_none() {
                let problem = format!("`{key}` is missing");
                self.reader.error(value, path, &problem);
            }
        }
        let manifest = parts.manifest?;
        match self.request(&parts, path) {
            Ok((request, asked)) => Some(Case {
                name: name?,
                line: self.reader.line(value),
                asked,
                request,
                missing,
                expected: expected?,
            }),
            Err(problem) => {
                self.reader
                    .error(manifest, &format!("{path}.manifest"), &problem);
                None
            }
        }
    }

    fn request_fields(&mut self, value: Value<'_>, path: &str) -> RequestFields {
        let mut fields = RequestFields::default();
        if !self.reader.is_map(value, path) {
            return fields;
        }
        for (key, value) in value.members() {
            let key_text = key.text().unwrap_or_default();
            let below = format!("{path}.{key_text}");
            match key_text.as_ref() {
                "operation" => {
                    let words = Operation::ALL.map(|operation| (operation.as_str(), operation));
                    fields.operation = self.reader.word(value, &below, &words);
                }
                "user" => fields.user = self.reader.text(value, &below),
                "groups" => fields.groups = self.reader.texts(value, &below),
                "namespace" => fields.namespace = self.reader.text(value, &below),
                "fieldManager" => fields.field_manager = self.reader.text(value, &below),
                "subResource" => fields.sub_resource = self.reader.text(value, &below),
                "audit" => fields.audit = self.reader.boolean(value, &below).unwrap_or_default(),
                _ => self.reader.unknown_key(key, &below, &REQUEST_KEYS),
            }
        }
        if fields.audit && (fields.user.is_some() || !fields.groups.is_empty()) {
            let problem = "the audit scanner asks without a user: leave out `user` and `groups`";
            self.reader.error(value, path, problem);
        } else if fields.user.is_none() && !fields.groups.is_empty() {
            self.reader.error(value, path, "`groups` need a `user`");
        }
        fields
    }

    /// Field paths, each with a value.
    fn fields(&mut self, value: Value<'_>, path: &str) -> Vec<(String, Json)> {
        if !self.reader.is_map(value, path) {
            return Vec::new();
        }
        let mut fields = Vec::new();
        for (key, value) in value.members() {
            let field = key.text().unwrap_or_default().into_owned();
            if let Err(problem) = path::parse(&field) {
                let problem = format!("not a field path: {problem}");
                self.reader.error(key, path, &problem);
            }
            fields.push((field, json_of(value)));
        }
        fields
    }

    fn expected(&mut self, value: Value<'_>, path: &str) -> Expected {
        let mut expected = Expected {
            asked: true,
            ..Expected::default()
        };
        if !self.reader.is_map(value, path) {
            return expected;
        }
        let mut accepted = None;
        for (key, value) in value.members() {
            let key_text = key.text().unwrap_or_default();
            let below = format!("{path}.{key_text}");
            match key_text.as_ref() {
                "asked" => expected.asked = self.reader.boolean(value, &below).unwrap_or(true),
                "accepted" => accepted = self.reader.boolean(value, &below),
                "violations" => expected.violations = Some(self.violations(value, &below)),
                "warnings" => expected.warnings = Some(self.violations(value, &below)),
                "images" => expected.images = Some(self.reader.texts(value, &below)),
                "annotations" => expected.annotations = self.annotations(value, &below),
                "fields" => expected.fields = self.fields(value, &below),
                "exempted" => expected.exempted = Some(self.reader.texts(value, &below)),
                _ => self.reader.unknown_key(key, &below, &EXPECT_KEYS),
            }
        }
        let refused = expected.violations.as_ref().map(|list| !list.is_empty());
        if value.members().next().is_none() {
            let problem = "nothing is expected: write at least `accepted: true`";
            self.reader.error(value, path, problem);
        } else if let (Some(accepted), Some(refused)) = (accepted, refused)
            && accepted == refused
        {
            let problem = "`accepted` and `violations` contradict each other";
            self.reader.error(value, path, problem);
        }
        expected.accepted = accepted.unwrap_or(!refused.unwrap_or_default());
        expected
    }

    fn annotations(&mut self, value: Value<'_>, path: &str) -> Vec<(String, Option<String>)> {
        if !self.reader.is_map(value, path) {
            return Vec::new();
        }
        let mut annotations = Vec::new();
        for (key, value) in value.members() {
            let name = self.full_name(&key.text().unwrap_or_default());
            if value.is_null() {
                annotations.push((name, None));
            } else if let Some(text) = value.text() {
                annotations.push((name, Some(text.into_owned())));
            } else {
                let problem = format!("expected a string or null, got {}", value.kind());
                self.reader
                    .error(value, &format!("{path}.{name}"), &problem);
            }
        }
        annotations
    }

    fn full_name(&self, name: &str) -> String {
        if name.contains('/') {
            return name.to_owned();
        }
        format!("{}{name}", self.prefix)
    }

    fn violations(&mut self, value: Value<'_>, path: &str) -> Vec<ExpectedViolation> {
        if !self.reader.is_list(value, path) {
            return Vec::new();
        }
        let codes = Code::ALL.map(|code| (code.as_str(), code));
        let mut violations = Vec::new();
        for (index, value) in value.elements().enumerate() {
            let path = format!("{path}[{index}]");
            let (mut code, mut at, mut message) = (None, vec![None], None);
            if value.is_map() {
                for (key, value) in value.members() {
                    let key_text = key.text().unwrap_or_default();
                    let below = format!("{path}.{key_text}");
                    match key_text.as_ref() {
                        "code" => code = self.reader.word(value, &below, &codes),
                        "at" => at = vec![self.reader.text(value, &below)],
                        "annotation" => at = self.annotation_places(value, &below),
                        "message" => message = self.reader.text(value, &below),
                        _ => self.reader.unknown_key(key, &below, &VIOLATION_KEYS),
                    }
                }
                if value.get("code").is_none() {
                    self.reader.error(value, &path, "`code` is missing");
                }
                if value.get("at").is_some() && value.get("annotation").is_some() {
                    let problem = "`at` and `annotation` both say where: leave one out";
                    self.reader.error(value, &path, problem);
                }
            } else {
                code = self.reader.word(value, &path, &codes);
            }
            violations.extend(code.into_iter().flat_map(|code| {
                let message = &message;
                at.iter().map(move |at| ExpectedViolation {
                    code,
                    at: at.clone(),
                    message: message.clone(),
                })
            }));
        }
        violations
    }

    /// Where the annotations are that a name or a list of names stands for.
    fn annotation_places(&mut self, value: Value<'_>, path: &str) -> Vec<Option<String>> {
        let names = if value.is_list() {
            self.reader.texts(value, path)
        } else {
            self.reader.text(value, path).into_iter().collect()
        };
        if names.is_empty() && value.is_list() {
            self.reader.error(value, path, "no annotation is named");
        }
        let places = names.iter().map(|name| place_of(&self.full_name(name)));
        places.map(Some).collect()
    }

    /// The request that a case stands for.
    fn request(&mut self, parts: &Parts<'_>, path: &str) -> Result<(Json, Asked), String> {
        let Some(manifest) = parts.manifest else {
            return Err("`manifest` is missing".to_owned());
        };
        let given = self.load(manifest, parts.object.as_deref())?;
        if let Some(request) = review_request(&given) {
            if parts.has_request || parts.old.is_some() {
                let key = if parts.has_request { "request" } else { "old" };
                return Err(format!(
                    "an AdmissionReview says itself what `{path}.{key}` says"
                ));
            }
            let mut request = request.clone();
            if let Some(object) = request.get_mut("object") {
                patch(object, &parts.patch)?;
            }
            let asked = asked_of(&request);
            return Ok((request, asked));
        }
        let old = match parts.old {
            Some(old) if old.is_null() => None,
            Some(old) => Some(self.load(old, parts.object.as_deref())?),
            None => Some(given.clone()),
        };
        let fields = &parts.request;
        let operation = fields.operation.unwrap_or(if parts.old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        });
        if parts.old.is_some() && operation != Operation::Update {
            return Err(format!(
                "`old` is for UPDATE, not for {}",
                operation.as_str()
            ));
        }
        let mut new = given;
        patch(&mut new, &parts.patch)?;
        request(&new, old.as_ref(), operation, fields)
    }

    /// An object: written in the suite, or in a file.
    fn load(&self, value: Value<'_>, wanted: Option<&str>) -> Result<Json, String> {
        if value.is_map() {
            if wanted.is_some() {
                return Err("`object` chooses from a file, and this is no file".to_owned());
            }
            return Ok(json_of(value));
        }
        let Some(path) = value.text() else {
            return Err(format!(
                "expected an object or a path, got {}",
                value.kind()
            ));
        };
        let path = self.folder.join(path.as_ref());
        let name = input::name(&path);
        let text = input::read(&path).map_err(|unread| format!("{name}: {}", unread.problem))?;
        let (mut documents, mut problem) = (Vec::new(), None);
        manifest::documents(&text.text, &mut |part| match part {
            Ok(document) => documents.push(document),
            Err(error) => problem = Some(error.problem),
        });
        if let Some(problem) = problem {
            return Err(format!("{name}: {problem}"));
        }
        if let [only] = documents.as_slice()
            && let Some(root) = only.tree.root()
            && review_request(&json_of(root)).is_some()
        {
            return Ok(json_of(root));
        }
        let found: Vec<_> = documents
            .iter()
            .flat_map(|document| objects(&document.tree).unwrap_or_default())
            .collect();
        let title = |object: &Object<'_>| format!("{}/{}", object.kind, object.name);
        let chosen: Vec<_> = found
            .iter()
            .filter(|object| wanted.is_none_or(|wanted| title(object) == wanted))
            .collect();
        match (chosen.as_slice(), wanted) {
            ([only], _) => Ok(json_of(only.value)),
            ([], None) => Err(format!("{name}: no Kubernetes object in it")),
            ([], Some(wanted)) => Err(format!("{name}: no object `{wanted}` in it")),
            ([first, ..], _) => Err(format!(
                "{name}: {} objects: choose one with `object: {}`",
                chosen.len(),
                title(first)
            )),
        }
    }
}

/// The field path of an annotation of the object.
fn place_of(annotation: &str) -> String {
    Location(
        ["metadata", "annotations", annotation]
            .map(Step::key)
            .to_vec(),
    )
    .to_string()
}

fn json_of(value: Value<'_>) -> Json {
    serde_json::from_str(value.json()).unwrap_or_default()
}

/// The request in an `AdmissionReview`, or the request itself; none of anything else.
fn review_request(value: &Json) -> Option<&Json> {
    if value.get("kind").and_then(Json::as_str) == Some("AdmissionReview") {
        return value.get("request");
    }
    let is_request = value.get("apiVersion").is_none() && value.get("operation").is_some();
    is_request.then_some(value)
}

fn asked_of(request: &Json) -> Asked {
    let text = |pointer: &str| {
        let value = request.pointer(pointer).and_then(Json::as_str);
        value.unwrap_or_default().to_owned()
    };
    let filled = |text: String| (!text.is_empty()).then_some(text);
    Asked {
        operation: text("/operation"),
        group: text("/kind/group"),
        version: text("/kind/version"),
        resource: text("/resource/resource"),
        sub_resource: filled(text("/subResource")),
        namespace: filled(text("/namespace")),
    }
}

/// Sets and removes values in an object.
fn patch(object: &mut Json, patch: &[(String, Json)]) -> Result<(), String> {
    for (path, value) in patch {
        let steps = path::parse(path).map_err(|problem| format!("`{path}`: {problem}"))?;
        path::set(object, &steps, value).map_err(|problem| format!("`{path}`: {problem}"))?;
    }
    Ok(())
}

fn request(
    new: &Json,
    old: Option<&Json>,
    operation: Operation,
    fields: &RequestFields,
) -> Result<(Json, Asked), String> {
    let text = new.to_string();
    let old_text = old.map(Json::to_string).unwrap_or_default();
    let (documents, old_documents) = (manifest::readable(&text), manifest::readable(&old_text));
    let root = documents.first().and_then(|document| document.tree.root());
    let Some(about) = root.and_then(object) else {
        return Err("no Kubernetes object: it needs `apiVersion` and `kind`".to_owned());
    };
    let identity = if fields.audit {
        Identity::Nobody
    } else {
        match &fields.user {
            Some(name) => Identity::Person {
                name: name.clone(),
                groups: fields.groups.clone(),
            },
            None => Identity::somebody(),
        }
    };
    let old = old_documents
        .first()
        .and_then(|document| document.tree.root())
        .filter(|_| operation == Operation::Update)
        .map(Value::json);
    let asking = Asking {
        operation,
        namespace: fields.namespace.as_deref().unwrap_or("default"),
        identity: &identity,
        old,
        field_manager: fields.field_manager.as_deref().unwrap_or_default(),
    };
    let mut written = String::new();
    about.write_request_as(&asking, &mut written);
    let mut request: Json = serde_json::from_str(&written).map_err(|error| error.to_string())?;
    if let (Some(sub_resource), Some(request)) = (&fields.sub_resource, request.as_object_mut()) {
        request.insert("subResource".to_owned(), json!(sub_resource));
    }
    let asked = asked_of(&request);
    Ok((request, asked))
}
