//! `policy-host annotate` and `policy-host inspect`.

use policy_host::WasmFile;
use serde_json::{Value, json};

use crate::{
    command::{Outcome, Workshop},
    guest::{ACCEPT, Act, guest, policy},
};

const METADATA: &str = r#"
rules:
  - apiGroups: [""]
    apiVersions: [v1]
    resources: [pods, pods/ephemeralcontainers]
    operations: [CREATE, UPDATE]
mutating: true
minimumKubewardenVersion: 1.35.0
hostCapabilities: [oci/v1/manifest_digest]
annotations:
  io.kubewarden.policy.title: test
  io.kubewarden.kwctl: 1.36.0
contextAware: false
"#;

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("in.wasm", policy(&ACCEPT))
        .file("metadata.yml", METADATA)
        .file("README.md", "# Test\n\nText.\n");
    workshop
}

#[track_caller]
fn succeeds(outcome: &Outcome) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
}

#[test]
fn shows_the_metadata_that_were_put_in() {
    let workshop = workshop("annotate-round-trip");
    let done = workshop.host("annotate -m metadata.yml -u README.md -o out.wasm in.wasm");
    succeeds(&done);
    assert_eq!(done.stdout, "");
    assert_eq!(
        workshop.names(),
        ["README.md", "in.wasm", "metadata.yml", "out.wasm"]
    );

    let shown = workshop.host("inspect -o json out.wasm");
    succeeds(&shown);
    let mut shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let module = shown.as_object_mut().unwrap().remove("module").unwrap();
    assert_eq!(
        shown,
        json!({
            "protocolVersion": "v1",
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"],
                "resources": ["pods", "pods/ephemeralcontainers"],
                "operations": ["CREATE", "UPDATE"],
            }],
            "annotations": {
                "io.kubewarden.policy.title": "test",
                "io.kubewarden.policy.usage": "# Test\n\nText.\n",
                "io.kubewarden.kwctl": concat!("policy-host ", env!("CARGO_PKG_VERSION")),
            },
            "mutating": true,
            "backgroundAudit": true,
            "executionMode": "kubewarden-wapc",
            "policyType": "kubernetes",
            "contextAwareResources": [],
            "hostCapabilities": ["oci/v1/manifest_digest"],
            "minimumKubewardenVersion": "1.35.0",
        })
    );
    assert_eq!(module["annotated"], true);
    assert_eq!(module["problems"], json!([]));
    assert_eq!(
        module["exports"],
        json!(["memory", "wapc_init", "__guest_call"])
    );

    let yaml = workshop.host("inspect -o yaml out.wasm").stdout;
    let yaml: Value = yaml_serde::from_str(&yaml).unwrap();
    assert_eq!(yaml["rules"], shown["rules"]);
}

#[test]
fn appends_and_changes_nothing_else() {
    let workshop = workshop("annotate-append");
    succeeds(&workshop.host("annotate -m metadata.yml -o out.wasm in.wasm"));
    let (before, after) = (workshop.read("in.wasm"), workshop.read("out.wasm"));
    assert!(after.starts_with(&before));
    let sections = WasmFile::read(&after).unwrap().sections;
    assert_eq!(sections.last().unwrap().name, "\"io.kubewarden.metadata\"");
    let sizes: usize = sections.iter().map(|section| section.size).sum();
    assert_eq!(sizes + 8, after.len());
}

#[test]
fn shows_a_policy_for_people() {
    let workshop = workshop("inspect-text");
    let bare = workshop.host("inspect in.wasm");
    succeeds(&bare);
    assert!(bare.stdout.contains("\nNot annotated: "), "{}", bare.stdout);

    succeeds(&workshop.host("annotate -m metadata.yml -u README.md -o out.wasm in.wasm"));
    let shown = workshop.host("inspect out.wasm").stdout;
    for line in [
        "  title             test",
        "  mutating          yes",
        "  usage             3 lines of Markdown, shown by `-o json`",
        "  CREATE, UPDATE  core/v1  pods, pods/ephemeralcontainers",
        "  memory, wapc_init, __guest_call",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn reports_everything_wrong_with_the_metadata() {
    let workshop = workshop("annotate-metadata");
    workshop
        .file(
            "rules.yml",
            r#"
mutating: false
rules:
  - {apiGroups: [], apiVersions: ["*", v1], resources: [pods], operations: ["*"]}
  - {apiGroups: [""], apiVersions: [v1], resources: [pods/status, "pods/*", "", "*"], operations: ["*", CREATE]}
"#,
        )
        .file("none.yml", "rules: []\n")
        .file("typo.yml", "mutating: yes please\nrules: []\n")
        .file("opa.yml", "mutating: false\nrules: []\nexecutionMode: opa\n");
    for (metadata, message) in [
        (
            "rules.yml",
            "`rules.yml`: rules[0].apiGroups: must not be empty; rules[0].apiVersions: `*` stands \
             alone; rules[1].resources: an empty resource; rules[1].resources: `pods/*` covers \
             `pods/status`; rules[1].operations: `*` stands alone",
        ),
        ("none.yml", "`none.yml`: missing field `mutating`"),
        (
            "typo.yml",
            "`typo.yml`: mutating: invalid type: string \"yes please\", expected a boolean at \
             line 1 column 11",
        ),
        (
            "opa.yml",
            "`in.wasm`: not a waPC policy: its metadata set another `executionMode`",
        ),
    ] {
        workshop.fails(
            1,
            &format!("annotate -m {metadata} -o out.wasm in.wasm"),
            message,
        );
    }
}

#[test]
fn refuses_what_is_annotated_already_or_speaks_another_protocol() {
    let workshop = workshop("annotate-refuse");
    workshop.file("v2.wasm", guest(&ACCEPT, &ACCEPT, &Act::Answer("\"v2\"")));
    succeeds(&workshop.host("annotate -m metadata.yml -o out.wasm in.wasm"));
    workshop.fails(
        1,
        "annotate -m metadata.yml -o again.wasm out.wasm",
        "`out.wasm`: annotated already, annotate the file that the compiler made",
    );
    workshop.fails(
        1,
        "annotate -m metadata.yml -o again.wasm v2.wasm",
        "`v2.wasm`: the policy answers `\"v2\"` to `protocol_version`, expected `\"v1\"`",
    );
    workshop.fails(
        1,
        "annotate -m metadata.yml -o no/where.wasm in.wasm",
        "cannot write `no/where.wasm`: no such file or directory",
    );
}
