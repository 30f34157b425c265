//! The tables in `tests/cases/` and the folders in `examples/`, for every test that asks them: of the engine, the
//! command, the built module and the page.
//!
//! What cannot be read fails the test that asks.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose cases cannot be read fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A file of cases.
#[derive(Debug)]
pub struct Table {
    /// Where it is in `tests/cases/`, without its ending: `mirrors/where`.
    pub name: String,
    /// Its cases, in their order.
    pub cases: Vec<Case>,
}

/// One case: its claim, settings, an object (or an image, or a whole request) and what is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// The claim that the case makes.
    pub note: String,
    /// The settings.
    pub settings: Value,
    /// Short for a Pod with one container `app` that has this image.
    pub image: Option<String>,
    /// An object to create, or to update if there is an `old` one.
    pub object: Option<Value>,
    /// An object as it is written, where that matters.
    pub raw: Option<String>,
    /// The object as it was.
    pub old: Option<Value>,
    /// The image that the Pod had: short for an `old` Pod.
    pub old_image: Option<String>,
    /// What the registry says of images: `there`, `missing`, or the text of an error.
    #[serde(default)]
    pub registry: BTreeMap<String, String>,
    /// What time it is; else there is no clock.
    pub now: Option<String>,
    /// Members that go over those of the request; `null` takes one away.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// What is wanted.
    pub want: Want,
}

/// What a case wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Want {
    /// The paths of the mistakes in the settings; then nothing else is looked at.
    pub settings_errors: Option<Vec<String>>,
    /// Whether the request passes, where `violations` do not say so.
    pub accepted: Option<bool>,
    /// What refuses: `path code`, where the path leaves out names.
    #[serde(default)]
    pub violations: Vec<String>,
    /// What only warns.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The exemptions that were needed.
    #[serde(default)]
    pub exempted: Vec<String>,
    /// What differs in the mutated object: a JSON pointer and the new value.
    #[serde(default)]
    pub changes: BTreeMap<String, Value>,
    /// The audit annotation `rewritten`, where it is not what `changes` say of images.
    pub rewritten: Option<String>,
    /// The images that the registry was asked about.
    #[serde(default)]
    pub asked: Vec<String>,
    /// The members that are removed from the object.
    #[serde(default)]
    pub removed: Vec<String>,
    /// Texts that no part of the answer holds.
    #[serde(default)]
    pub hides: Vec<String>,
    /// Texts that the message or a warning holds.
    #[serde(default)]
    pub tells: Vec<String>,
}

/// A request to a policy with settings, of a case or an example.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The file and the claim of a case, or the folder of an example.
    pub name: String,
    /// The settings.
    pub settings: Value,
    /// The request.
    pub request: Value,
    /// What time it is; else there is no clock.
    pub now: Option<String>,
    /// Its object as it is written, where that is not as the request has it.
    pub raw: Option<String>,
}

/// A folder in `examples/`.
#[derive(Debug)]
pub struct Example {
    /// The folder.
    pub folder: PathBuf,
    /// Its `request.json`, an `AdmissionReview`.
    pub review: Value,
    /// Its `settings.yaml`.
    pub settings: Value,
}

/// Stands for an object as it is written.
const WRITTEN: &str = "the object as it is written";

/// The folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is in a folder, in the order of the names.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// All tables, in the order of their names.
pub fn tables() -> Vec<Table> {
    let root = root().join("tests/cases");
    let mut tables = Vec::new();
    add_tables(&root, &root, &mut tables);
    assert!(!tables.is_empty(), "no case files");
    tables
}

fn add_tables(folder: &Path, root: &Path, tables: &mut Vec<Table>) {
    for path in entries(folder) {
        if path.is_dir() {
            add_tables(&path, root, tables);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".yaml") else {
            panic!("{name}: a case file ends in .yaml");
        };
        tables.push(Table {
            name: name.to_owned(),
            cases: read(&path),
        });
    }
}

/// All examples, in the order of their folders.
pub fn examples() -> Vec<Example> {
    let folders = entries(&root().join("examples"));
    assert!(!folders.is_empty(), "no examples");
    let example = |folder: PathBuf| Example {
        review: read(&folder.join("request.json")),
        settings: read(&folder.join("settings.yaml")),
        folder,
    };
    folders.into_iter().map(example).collect()
}

/// The requests of all cases and all examples.
pub fn asked() -> Vec<Asked> {
    let mut asked = Vec::new();
    for table in tables() {
        let of_case = |case: &Case| case.asked(&table.name);
        asked.extend(table.cases.iter().map(of_case));
    }
    asked.extend(examples().iter().map(Example::asked));
    asked
}

/// A file of YAML or JSON.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    text.and_then(|text| yaml_serde::from_str(&text).map_err(|error| error.to_string()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Case {
    /// The request that it is short for, of a table.
    pub fn asked(&self, table: &str) -> Asked {
        Asked {
            name: format!("{table}: {}", self.note),
            settings: self.settings.clone(),
            request: self.whole_request(),
            now: self.now.clone(),
            raw: self.raw.clone(),
        }
    }

    fn whole_request(&self) -> Value {
        let pod = |image: &String| {
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" },
                "spec": { "containers": [{ "name": "app", "image": image }] },
            })
        };
        let raw = self.raw.as_ref();
        let raw = raw.map(|raw| serde_json::from_str(raw).unwrap());
        let object = self.image.as_ref().map(pod).or_else(|| self.object.clone());
        let object: Option<Value> = object.or(raw);
        let old = self
            .old_image
            .as_ref()
            .map(pod)
            .or_else(|| self.old.clone());
        let known = object.as_ref().or(old.as_ref());
        let text = |pointer: &str| known.and_then(|object| object.pointer(pointer)?.as_str());
        let api_version = text("/apiVersion").unwrap_or("v1");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let mut members = Map::new();
        for (key, value) in [
            ("uid", json!("1299d386-525b-4032-98ae-1949f69f9cfc")),
            (
                "kind",
                json!({ "group": group, "version": version, "kind": text("/kind").unwrap_or("Pod") }),
            ),
            (
                "resource",
                json!({ "group": group, "version": version, "resource": "any" }),
            ),
            (
                "operation",
                json!(if old.is_some() { "UPDATE" } else { "CREATE" }),
            ),
            ("name", json!(text("/metadata/name"))),
            (
                "namespace",
                json!(text("/metadata/namespace").unwrap_or("default")),
            ),
            (
                "userInfo",
                json!({ "username": "jane@example.com", "groups": ["developers", "system:authenticated"] }),
            ),
            ("object", json!(object)),
            ("oldObject", json!(old)),
        ] {
            members.insert(key.to_owned(), value);
        }
        members.extend(self.request.clone());
        members.retain(|_, value| !value.is_null());
        members.into()
    }
}

impl Example {
    /// What it asks.
    pub fn asked(&self) -> Asked {
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        Asked {
            name: format!("examples/{name}"),
            settings: self.settings.clone(),
            request: self.review.get("request").unwrap().clone(),
            now: None,
            raw: None,
        }
    }
}

impl Asked {
    /// What a host hands to the policy.
    pub fn payload(&self) -> String {
        let payload = |request: &Value| {
            let payload = json!({ "request": request, "settings": self.settings });
            payload.to_string()
        };
        let Some(raw) = &self.raw else {
            return payload(&self.request);
        };
        let mut request = self.request.clone();
        if let Some(object) = request.get_mut("object") {
            *object = json!(WRITTEN);
        }
        payload(&request).replace(&json!(WRITTEN).to_string(), raw)
    }

    /// Whether a registry may be asked.
    pub fn asks_a_registry(&self) -> bool {
        self.settings.to_string().contains("\"checkExists\":true")
    }
}
