//! `policy-host scaffold artifacthub`, and that the files of this repository agree.

use std::{fs, path::Path};

use policy_host::Metadata;
use policy_publish::artifact_hub::Package;
use serde_json::{Value, json};

use crate::command::{Outcome, Workshop};

fn repository(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(file)).unwrap()
}

fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap()
}

#[test]
fn the_package_in_the_repository_is_made_of_its_metadata_and_form() {
    let committed = repository("artifacthub-pkg.yml");
    let package: Package = yaml_serde::from_str(&committed).unwrap();
    let workshop = Workshop::new("artifacthub-repository");
    workshop
        .file("metadata.yml", repository("metadata.yml"))
        .file("questions-ui.yml", repository("questions-ui.yml"));
    let made = workshop.host(&format!(
        "scaffold artifacthub --created-at {}",
        package.created_at
    ));
    let expected = Outcome {
        code: 0,
        stdout: committed,
        stderr: String::new(),
    };
    assert_eq!(made, expected, "`make scaffold` makes it anew");
}

#[test]
fn the_metadata_say_what_the_crate_is() {
    let metadata: Metadata = yaml_serde::from_str(&repository("metadata.yml")).unwrap();
    metadata.check().unwrap();
    let said = |key: &str| {
        metadata
            .annotation(&format!("io.kubewarden.policy.{key}"))
            .unwrap()
    };
    assert_eq!(said("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(said("license"), env!("CARGO_PKG_LICENSE"));
    assert_eq!(said("source"), env!("CARGO_PKG_REPOSITORY"));

    let package = yaml(&repository("artifacthub-pkg.yml"));
    let image = format!("{}:v{}", said("ociUrl"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        package["containersImages"],
        json!([{"name": "policy", "image": image}])
    );
    assert_eq!(package["annotations"]["kubewarden/mutation"], "true");
    let rules = package["annotations"]["kubewarden/rules"].as_str().unwrap();
    assert_eq!(yaml(rules), yaml(&repository("metadata.yml"))["rules"]);
    let form = package["annotations"]["kubewarden/questions-ui"]
        .as_str()
        .unwrap();
    assert_eq!(form, repository("questions-ui.yml"));

    // Every kind of the rules is named, and no other.
    let named: Vec<_> = metadata
        .annotation("io.artifacthub.resources")
        .unwrap()
        .split(", ")
        .collect();
    let mut resources: Vec<_> = metadata
        .rules
        .iter()
        .flat_map(|rule| &rule.resources)
        .filter(|resource| !resource.contains('/'))
        .map(String::as_str)
        .collect();
    let mut plurals: Vec<_> = named
        .iter()
        .map(|kind| match kind.to_ascii_lowercase() {
            kind if kind.ends_with("ss") => kind + "es",
            kind => kind + "s",
        })
        .collect();
    resources.sort_unstable();
    plurals.sort_unstable();
    assert_eq!(plurals, resources);

    assert_eq!(
        yaml(&repository("artifacthub-repo.yml"))["owners"],
        package["maintainers"]
    );
}

const METADATA: &str = r#"
rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
mutating: false
contextAwareResources: [{apiVersion: v1, kind: Namespace}]
annotations:
  io.kubewarden.policy.title: test
  io.kubewarden.policy.version: 1.2.3
  io.kubewarden.policy.description: For a test
  io.kubewarden.policy.author: Jane Doe <jane@example.com>, John <john@example.com>
  io.kubewarden.policy.ociUrl: ghcr.io/org/test
  io.kubewarden.policy.url: https://example.com/test
  io.kubewarden.policy.source: https://github.com/org/test
  io.artifacthub.displayName: Test
  io.artifacthub.keywords: one, two
  com.github.release.tag: test/v1.2.3
  io.kubewarden.hidden-ui: "true"
"#;

#[test]
fn a_package_has_the_fields_that_kwctl_gives_it() {
    let workshop = Workshop::new("artifacthub-fields");
    workshop.file("m.yml", METADATA);
    let made =
        workshop.host("scaffold artifacthub -m m.yml --created-at 2026-01-31T12:00:00Z -o out.yml");
    assert_eq!(
        (made.code, made.stdout.as_str(), made.stderr.as_str()),
        (0, "", "")
    );
    let package = yaml(&String::from_utf8(workshop.read("out.yml")).unwrap());
    let install = package["install"].as_str().unwrap();
    assert!(
        install.contains("kwctl pull ghcr.io/org/test:v1.2.3\n"),
        "{install}"
    );
    assert!(
        install.contains(" registry://ghcr.io/org/test:v1.2.3\n"),
        "{install}"
    );
    assert_eq!(
        package,
        json!({
            "version": "1.2.3",
            "name": "test",
            "displayName": "Test",
            "createdAt": "2026-01-31T12:00:00Z",
            "description": "For a test",
            "homeURL": "https://example.com/test",
            "containersImages": [{"name": "policy", "image": "ghcr.io/org/test:v1.2.3"}],
            "keywords": ["one", "two"],
            "links": [
                {"name": "policy", "url": "https://github.com/org/test/releases/download/test%2Fv1.2.3/policy.wasm"},
                {"name": "source", "url": "https://github.com/org/test"},
            ],
            "install": install,
            "maintainers": [
                {"name": "Jane Doe", "email": "jane@example.com"},
                {"name": "John", "email": "john@example.com"},
            ],
            "provider": {"name": "kubewarden"},
            "recommendations": [{"url": "https://artifacthub.io/packages/helm/kubewarden/admission-controller"}],
            "annotations": {
                "kubewarden/mutation": "false",
                "kubewarden/contextAwareResources": "- apiVersion: v1\n  kind: Namespace\n",
                "kubewarden/rules": "- apiGroups:\n  - ''\n  apiVersions:\n  - v1\n  resources:\n  - pods\n  operations:\n  - CREATE\n",
                "kubewarden/hidden-ui": "true",
            },
        })
    );
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let workshop = Workshop::new("artifacthub-problems");
    workshop
        .file("bare.yml", "mutating: false\nrules: []\n")
        .file(
            "wrong.yml",
            METADATA
                .replace("1.2.3\n  io", "v1.2.3\n  io")
                .replace("ghcr.io/org/test", "ghcr.io/Org:1")
                .replace("https://example.com/test", "example.com")
                .replace("one, two", "one,, two")
                .replace("John <john@example.com>", "John"),
        )
        .file("no-form.yml", "questions: []\n");
    let key = |name: &str| format!("annotations.io.kubewarden.policy.{name}");
    workshop.fails(
        1,
        "scaffold artifacthub -m bare.yml",
        &format!(
            "`bare.yml`: {}: missing; {}: missing; annotations.io.artifacthub.displayName: missing; \
             {}: missing; {}: missing",
            key("version"),
            key("title"),
            key("description"),
            key("ociUrl")
        ),
    );
    let wrong = workshop.host("scaffold artifacthub -m wrong.yml -q no-form.yml");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, ""));
    for said in [
        "the questions are no form: expected a list under `questions`".to_owned(),
        format!(
            "{}: `v1.2.3`: expected a version such as `0.1.0`",
            key("version")
        ),
        format!("{}: `example.com`: relative URL without a base", key("url")),
        "annotations.io.artifacthub.keywords: `one,, two`: expected words with commas between them"
            .to_owned(),
        format!("{}: ` John`: ", key("author")),
    ] {
        assert!(wrong.stderr.contains(&said), "{said}\n{}", wrong.stderr);
    }
    let wrong = workshop.host("scaffold artifacthub -m bare.yml --created-at yesterday");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .stderr
            .starts_with("error: invalid value `yesterday` for `--created-at <TIME>`: ")
    );
}

fn written(workshop: &Workshop, file: &str) -> Value {
    yaml(&String::from_utf8(workshop.read(file)).unwrap())
}

/// What `pkg2chart` of Kubewarden's catalogue writes, and the policies of a bundle as values.
#[test]
fn a_chart_has_what_rancher_reads_and_the_policies_of_a_bundle() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let workshop = Workshop::new("chart");
    let run = |arguments: &str| {
        workshop.host(&format!(
            "scaffold chart --metadata-path {root}/metadata.yml --questions-path {root}/questions-ui.yml {arguments}"
        ))
    };
    let made = run(&format!("--bundle {root}/bundles/ack -o ack"));
    assert_eq!(made.code, 0, "{made:?}");
    let chart = written(&workshop, "ack/Chart.yaml");
    let annotations = &chart["annotations"];
    assert_eq!(chart["name"], "rollout-guard-ack");
    assert_eq!(annotations["catalog.cattle.io/type"], "kubewarden-policy");
    assert_eq!(
        annotations["kubewarden/repository"],
        "rollout-guard/rollout-guard"
    );
    assert!(annotations["kubewarden/questions-ui"].is_null());
    let values = written(&workshop, "ack/values.yaml");
    for name in ["mutating", "validating"] {
        let mut manifest = yaml(&repository(&format!("bundles/ack/policy-{name}.yaml")));
        let spec = manifest["spec"].as_object_mut().unwrap();
        let module = spec.remove("module").unwrap();
        let entry = &values["policies"][format!("rollout-guard-ack-{name}")];
        assert_eq!(entry["spec"], manifest["spec"]);
        let parts = [
            &values["global"]["cattle"]["systemDefaultRegistry"],
            &values["module"]["repository"],
            &values["module"]["tag"],
        ];
        let [registry, repository, tag] = parts.map(|part| part.as_str().unwrap());
        assert_eq!(module, format!("registry://{registry}/{repository}:{tag}"));
    }
    // It is there already.
    assert_eq!(run(&format!("--bundle {root}/bundles/ack -o ack")).code, 1);
    // What the chart has no place for is no chart.
    workshop
        .file("bad/README.md", "")
        .file("bad/kustomization.yaml", "resources: [a.yaml]\n")
        .file("bad/a.yaml", "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: { name: a }\nspec: { module: \"registry://ghcr.io/other/module:v1\" }\n");
    let bad = run("--bundle bad -o other");
    assert_eq!(bad.code, 1);
    assert!(bad.stderr.contains("`a`: the module is"), "{bad:?}");
}
