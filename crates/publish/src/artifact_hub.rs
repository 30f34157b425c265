//! `artifacthub-pkg.yml`: what Artifact Hub and Rancher show of a policy, made of its metadata
//! (`policy-evaluator`, `policy_artifacthub.rs`).

mod chart;

use std::collections::BTreeMap;

use email_address::{EmailAddress, Options};
use jiff::Timestamp;
use oci_client::Reference;
use reqwest::Url;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use policy_runner::metadata::{self, Metadata};

pub use chart::{Bundle, Files, bundle_name};

/// The package of a policy on Artifact Hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    version: Version,
    name: String,
    display_name: String,
    /// When this version was made.
    pub created_at: Timestamp,
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(default, rename = "homeURL", skip_serializing_if = "Option::is_none")]
    home_url: Option<String>,
    containers_images: Vec<Image>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keywords: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    links: Option<Vec<Link>>,
    install: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maintainers: Option<Vec<Maintainer>>,
    provider: Provider,
    recommendations: Vec<Recommendation>,
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    name: String,
    image: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    name: String,
    url: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintainer {
    name: String,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recommendation {
    url: String,
}

/// All that is missing or wrong, each with its place.
#[derive(Debug, Error)]
#[error("{}", .0.join("; "))]
pub struct PackageProblems(Vec<String>);

/// kwctl's: Artifact Hub lists the policies of Kubewarden by it.
const PROVIDER: &str = "kubewarden";
/// The chart that installs Kubewarden since 1.37. kwctl's `kubewarden-controller` is deprecated.
const CONTROLLER: &str = "https://artifacthub.io/packages/helm/kubewarden/admission-controller";

impl Package {
    /// The package of a policy, with its form for Rancher.
    ///
    /// # Errors
    ///
    /// With all that Artifact Hub wants and the metadata or the form do not have.
    pub fn new(
        metadata: &Metadata,
        created_at: Timestamp,
        questions: Option<&str>,
    ) -> Result<Self, PackageProblems> {
        let mut annotations = Annotations {
            metadata,
            problems: Vec::new(),
        };
        if let Err(problems) = metadata.check() {
            annotations.problems.push(problems.to_string());
        }
        if let Some(problem) = questions.and_then(form_problem) {
            annotations.problems.push(problem);
        }
        let version = annotations.parsed(metadata::VERSION, |text| Version::parse(text).ok());
        let name = annotations.required(metadata::TITLE);
        let display_name = annotations.required(metadata::DISPLAY_NAME);
        let description = annotations.required(metadata::DESCRIPTION);
        let image = annotations.image(version.as_ref());
        let home_url = annotations.url(metadata::URL);
        let source = annotations.url(metadata::SOURCE);
        let keywords = annotations.keywords();
        let maintainers = annotations.maintainers();
        let (Some(version), Some(name), Some(display_name), Some(description), Some(image), []) = (
            version,
            name,
            display_name,
            description,
            image,
            annotations.problems.as_slice(),
        ) else {
            return Err(PackageProblems(annotations.problems));
        };
        Ok(Self {
            links: source.and_then(|source| links(metadata, &version, source)),
            version,
            name,
            display_name,
            created_at,
            description,
            license: metadata.annotation(metadata::LICENSE).map(str::to_owned),
            home_url: home_url.map(String::from),
            install: install(&image),
            containers_images: vec![Image {
                name: "policy".to_owned(),
                image,
            }],
            keywords,
            maintainers,
            provider: Provider {
                name: PROVIDER.to_owned(),
            },
            recommendations: vec![Recommendation {
                url: CONTROLLER.to_owned(),
            }],
            annotations: kubewarden_annotations(metadata, questions)?,
        })
    }
}

/// The annotations of the metadata, and what is wrong with them.
struct Annotations<'a> {
    metadata: &'a Metadata,
    problems: Vec<String>,
}

impl Annotations<'_> {
    fn problem(&mut self, key: &str, problem: &str) {
        self.problems.push(format!("annotations.{key}: {problem}"));
    }

    fn required(&mut self, key: &str) -> Option<String> {
        let found = self.metadata.annotation(key).map(str::to_owned);
        if found.is_none() {
            self.problem(key, "missing");
        }
        found
    }

    fn parsed<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.required(key)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.problem(
                key,
                &format!("`{text}`: expected a version such as `0.1.0`"),
            );
        }
        parsed
    }

    fn image(&mut self, version: Option<&Version>) -> Option<String> {
        let url = self.required(metadata::OCI_URL)?;
        let image = format!("{url}:v{}", version?);
        match image.parse::<Reference>() {
            Ok(reference) => Some(reference.to_string()),
            Err(error) => {
                self.problem(
                    metadata::OCI_URL,
                    &format!("`{url}`: {error}, expected `host/repository` without a tag"),
                );
                None
            }
        }
    }

    fn url(&mut self, key: &str) -> Option<Url> {
        let text = self.metadata.annotation(key)?;
        let parsed = Url::parse(text);
        if let Err(error) = &parsed {
            self.problem(key, &format!("`{text}`: {error}"));
        }
        parsed.ok()
    }

    fn keywords(&mut self) -> Option<Vec<String>> {
        let text = self.metadata.annotation(metadata::KEYWORDS)?;
        let keywords: Vec<_> = text.split(',').map(|word| word.trim().to_owned()).collect();
        if keywords.iter().any(String::is_empty) {
            self.problem(
                metadata::KEYWORDS,
                &format!("`{text}`: expected words with commas between them"),
            );
        }
        Some(keywords)
    }

    fn maintainers(&mut self) -> Option<Vec<Maintainer>> {
        let text = self.metadata.annotation(metadata::AUTHOR)?;
        let options = Options::default().with_display_text().with_required_tld();
        let mut maintainers = Vec::new();
        for author in text.split(',') {
            match EmailAddress::parse_with_options(author.trim(), options) {
                Ok(address) => maintainers.push(Maintainer {
                    name: address.display_part().trim().to_owned(),
                    email: address.email().to_owned(),
                }),
                Err(error) => self.problem(
                    metadata::AUTHOR,
                    &format!("`{author}`: {error}, expected `Name <name@example.com>`"),
                ),
            }
        }
        Some(maintainers)
    }
}

/// Where the module and its sources are. GitHub's releases hold the module under a known name.
fn links(metadata: &Metadata, version: &Version, source: Url) -> Option<Vec<Link>> {
    let mut links = Vec::new();
    if source.host_str() == Some("github.com") {
        let tag = metadata
            .annotation(metadata::RELEASE_TAG)
            .map_or_else(|| format!("v{version}"), str::to_owned);
        let mut url = source.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend([
            "releases",
            "download",
            tag.as_str(),
            "policy.wasm",
        ]);
        links.push(Link {
            name: "policy".to_owned(),
            url: url.into(),
        });
    }
    links.push(Link {
        name: "source".to_owned(),
        url: source.into(),
    });
    Some(links)
}

fn install(image: &str) -> String {
    format!(
        "The policy can be obtained using [kwctl](https://docs.kubewarden.io/howtos/install-kwctl):
```console
kwctl pull {image}
```
Then, generate the policy manifest and tune it to your liking. For example:
```console
kwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image}
```
"
    )
}

fn kubewarden_annotations(
    metadata: &Metadata,
    questions: Option<&str>,
) -> Result<BTreeMap<String, String>, PackageProblems> {
    let mut annotations = BTreeMap::new();
    let mut add = |key: &str, value: String| {
        annotations.insert(format!("kubewarden/{key}"), value);
    };
    add("mutation", metadata.mutating.to_string());
    add("rules", yaml(&metadata.rules)?);
    if !metadata.context_aware_resources.is_empty() {
        add(
            "contextAwareResources",
            yaml(&metadata.context_aware_resources)?,
        );
    }
    if let Some(questions) = questions {
        add("questions-ui", questions.to_owned());
    }
    for (key, annotation) in [
        ("hidden-ui", metadata::HIDDEN_UI),
        ("resources", metadata::RESOURCES),
    ] {
        if let Some(value) = metadata.annotation(annotation) {
            add(key, value.to_owned());
        }
    }
    Ok(annotations)
}

fn yaml(value: &impl Serialize) -> Result<String, PackageProblems> {
    yaml_serde::to_string(value).map_err(|error| PackageProblems(vec![error.to_string()]))
}

/// Why a text is not a form for Rancher.
fn form_problem(text: &str) -> Option<String> {
    let form: Value = match yaml_serde::from_str(text) {
        Ok(form) => form,
        Err(error) => return Some(format!("the questions are not YAML: {error}")),
    };
    let is_form = form
        .get("questions")
        .and_then(Value::as_array)
        .is_some_and(|questions| !questions.is_empty());
    (!is_form).then(|| "the questions are no form: expected a list under `questions`".to_owned())
}
