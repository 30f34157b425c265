//! Forms of YAML that people write, against an independent reader.

use serde_json::{Value, json};

use crate::command::Workshop;

/// What a document of `yaml` is to the engine: the value of an image of the wrong type is told, so
/// the JSON of a value is seen through its type and, where it is a string, its text.
fn image_of(workshop: &Workshop, yaml: &str) -> Value {
    workshop.file("a.yaml", yaml);
    let report = workshop.json("check -s settings.yaml a.yaml");
    let messages: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["message"].clone())
        .collect();
    json!(messages)
}

#[test]
fn every_scalar_style_gives_its_text() {
    let workshop = Workshop::new("manifests-styles");
    workshop.file("settings.yaml", "images: { reject: [\"*\"] }\n");
    for written in [
        "a/b:c",
        "'a/b:c'",
        "\"a/b:c\"",
        "\"a\\x2fb\\u003ac\"",
        "|-\n        a/b:c",
        ">-\n        a/b:c\n",
        "!!str a/b:c",
        "&anchor a/b:c",
        "a/b:c # comment",
        "\n        a/b:c",
    ] {
        let yaml = format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: x\n      image: {written}\n"
        );
        let message = "spec.containers[0] \"x\": image `a/b:c`: it is rejected by `*`, use another image [image-rejected]";
        assert_eq!(image_of(&workshop, &yaml), json!([message]), "{written}");
    }
}

#[test]
fn many_documents_are_read_as_kubectl_splits_them() {
    let workshop = Workshop::new("manifests-documents");
    workshop.file("settings.yaml", "images: { reject: [\"*\"] }\n");
    let pod = |name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: {name}, image: x}}]}}}}"
        )
    };
    let yaml = format!(
        "%YAML 1.1\n---\n# nothing\n---   # a comment\n{}\n--- {}\n...\n---\n--- |\n text\n---\r\n{}\r\n---x: y\n",
        pod("one"),
        pod("two"),
        pod("three")
    );
    workshop.file("a.yaml", yaml);
    let report = workshop.json("check -s settings.yaml a.yaml");
    let names: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["object"]["name"].as_str().unwrap())
        .collect();
    // The last one is broken by what follows it, which begins no document.
    assert_eq!(names, ["one", "two"]);
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 1);
}

#[test]
fn typed_lists_and_lists_of_lists_are_opened() {
    let workshop = Workshop::new("manifests-lists");
    workshop.file("settings.yaml", "images: { reject: [\"*\"] }\n");
    let spec = r#""spec":{"containers":[{"name":"x","image":"x"}]}"#;
    let list = format!(
        r#"{{"apiVersion":"v1","kind":"List","items":[
          {{"apiVersion":"v1","kind":"PodList","items":[{{"metadata":{{"name":"a"}},{spec}}}]}},
          {{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"b"}},{spec}}}]}}"#
    );
    let line = list.lines().nth(2).unwrap();
    let column = line.find(r#""x"}]"#).unwrap() + 1;
    workshop.file("a.json", format!("{list}\n{list}"));
    let report = workshop.json("check -s settings.yaml a.json");
    assert_eq!(report["summary"]["objects"], 4);
    assert_eq!(
        report["findings"][0]["object"],
        json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "namespace": "default"})
    );
    assert_eq!(report["findings"][1]["line"], 3);
    assert_eq!(report["findings"][1]["column"], column);
}
