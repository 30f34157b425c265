//! `rollout-guard images`: what runs, and where it is pulled from.

use crate::command::Workshop;

const DIGEST: &str = "sha256:5c2e36bf7e4d8a1b0f93c6d27e81a4f5b6c7d8e9f0a1b2c3d4e5f60718293a4b";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    let deployment = |name: &str, namespace: &str, image: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name}, namespace: {namespace} }}\nspec: {{ template: {{ spec: {{ containers: [{{ name: a, image: \"{image}\" }}] }} }} }}\n"
        )
    };
    let all = [
        deployment("one", "prod", "redis:7.2-alpine"),
        deployment("two", "stage", "docker.io/library/redis:7.2-alpine"),
        deployment("three", "stage", "nginx"),
        deployment("four", "prod", &format!("nginx:1@{DIGEST}")),
        deployment("five", "prod", &format!("quay.io/org/app:1@{DIGEST}")),
        deployment("six", "prod", "registry.example.com/team/app:1"),
        deployment("seven", "prod", "not an image"),
    ];
    workshop.file("deploy/all.yaml", all.concat()).file(
        "settings.yaml",
        "mirrors:\n  - { source: \"docker.io/library/redis:7.2-alpine\", mirror: \"example.azurecr.io/redis:final\", match: { namespaces: [prod] } }\n  \
         - { source: docker.io/library, mirror: registry.example.com/hub, digest: drop }\n  \
         - { source: quay.io, mirror: \"registry.example.com/cache/quay.io\" }\n",
    );
    workshop
}

#[test]
fn every_image_is_listed_once_in_its_normal_form() {
    let workshop = workshop("images-table");
    let told = workshop.run("images deploy");
    assert_eq!(told.code, 0);
    insta::assert_snapshot!("images", told.shown());
    let told = workshop.run("images -s settings.yaml deploy");
    insta::assert_snapshot!("images_mirrors", told.shown());
    let json = workshop.json("images -s settings.yaml deploy");
    let redis = &json["images"][2];
    assert_eq!(redis["image"], "docker.io/library/redis:7.2-alpine");
    assert_eq!(redis["pulledFrom"].as_array().unwrap().len(), 2);
    assert_eq!(redis["usedBy"][0]["name"], "one");
    let list = workshop.run("images -s settings.yaml --format list deploy");
    insta::assert_snapshot!("images_list", list.stdout);
}

#[test]
fn skopeo_gets_what_it_reads_and_what_it_cannot_is_a_command() {
    let workshop = workshop("images-skopeo");
    let told = workshop.run("images -s settings.yaml --format skopeo deploy");
    assert_eq!(told.code, 0);
    insta::assert_snapshot!("images_skopeo", told.stdout);
    let part = workshop
        .run("images -s settings.yaml --format skopeo --to registry.example.com/hub deploy");
    assert!(
        !part.stdout.contains("quay.io") && part.stdout.contains("library/nginx"),
        "{part:?}"
    );
    let none = workshop.run("images --format skopeo deploy");
    assert_eq!(none.stdout, "# No image has a mirror to be copied to.\n");
}

#[test]
fn manifests_and_a_cluster_are_read_together() {
    let workshop = workshop("images-both");
    workshop.file(
        "live.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"x\"},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"redis:7.2-alpine\"}]}}]}",
    );
    let json = workshop.json("images deploy --cluster live.json");
    let redis = json["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["image"] == "docker.io/library/redis:7.2-alpine");
    assert_eq!(redis.unwrap()["usedBy"].as_array().unwrap().len(), 3);
    workshop.file("deploy/bad.yaml", "kind: [\n");
    assert_eq!(workshop.run("images deploy").code, 3);
    workshop.file("none/a.yaml", "a: 1\n");
    let none = workshop.run("images none");
    assert_eq!(
        (none.code, none.stderr.as_str()),
        (3, "error: no image in 0 objects\n")
    );
}
