//! Builds judged as changes, and with violations that a team has accepted.

use serde_json::Value;

use crate::command::{Workshop, has, path_with_tools, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\n";

/// A base that two overlays build, each into its own namespace.
fn overlays(name: &str, image: &str) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("base/web.yaml", pod("web", image))
        .file("base/kustomization.yaml", "resources: [web.yaml]\n");
    for overlay in ["blue", "green"] {
        let text = format!("namespace: {overlay}\nresources: [../base]\n");
        workshop.file(&format!("{overlay}/kustomization.yaml"), text);
    }
    workshop
}

/// The namespace of each finding's object, and whether the baseline accepts it.
fn accepted(report: &Value) -> Vec<(String, bool)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut accepted: Vec<_> = findings
        .map(|finding| {
            let namespace = finding["object"]["namespace"].as_str().unwrap();
            let is_accepted = finding["inBaseline"].as_bool().unwrap_or_default();
            (namespace.to_owned(), is_accepted)
        })
        .collect();
    accepted.sort();
    accepted
}

#[test]
fn a_baseline_accepts_the_objects_of_a_build_and_not_the_line_that_others_are_built_from() {
    if !has("kubectl") {
        return;
    }
    let workshop = overlays("builds-baseline", "redis:7");
    let check = "check -s settings.yaml --baseline accepted.yaml";
    let of_blue = "--exclude green .";
    let written = workshop.run(&format!("{check} --write-baseline {of_blue}"));
    assert_eq!(written.code, 0, "{}", written.shown());
    let entries = workshop.read("accepted.yaml");
    assert!(
        entries.contains("blue") && !entries.contains("green"),
        "{entries}"
    );
    assert_eq!(workshop.run(&format!("{check} {of_blue}")).code, 0);

    let both = workshop.json(&format!("{check} ."));
    let wanted = [("blue".to_owned(), true), ("green".to_owned(), false)];
    assert_eq!(accepted(&both), wanted);
    assert_eq!(both["summary"]["inBaseline"], 1);
    assert_eq!(both["summary"]["violations"], 1);
    assert_eq!(workshop.run(&format!("{check} .")).code, 1);

    // Written for both, it accepts both, and one is gone once that overlay says something else.
    workshop.run(&format!("{check} --write-baseline ."));
    assert_eq!(workshop.run(&format!("{check} .")).code, 0);
    let images = "namespace: green\nresources: [../base]\nimages: [{ name: redis, newName: ghcr.io/org/redis }]\n";
    workshop.file("green/kustomization.yaml", images);
    let mended = workshop.json(&format!("{check} ."));
    assert_eq!(mended["summary"]["inBaseline"], 1);
    assert_eq!(
        mended["baseline"]["gone"].as_array().unwrap().len(),
        1,
        "{mended}"
    );
}

#[test]
fn what_a_build_was_at_a_revision_is_not_taken_from_a_file_that_is_unchanged() {
    if !has("kubectl") {
        return;
    }
    let workshop = overlays("builds-base", "ghcr.io/org/redis:7");
    workshop.commit();
    // The kustomizations, which stand for the builds, are as they were.
    workshop.file("base/web.yaml", pod("web", "redis:7"));
    let outcome = workshop.run("check -s settings.yaml --base HEAD .");
    assert_eq!(outcome.code, 1, "{}", outcome.shown());
    let report = workshop.json("check -s settings.yaml --base HEAD .");
    assert_eq!(report["summary"]["violations"], 1);
    assert_eq!(report["summary"]["preexisting"], 0);
    let note =
        "2 objects of builds not compared with `HEAD`: of a revision only manifests are read";
    assert_eq!(report["summary"]["notes"][0], note);
}

#[test]
fn builds_are_compared_with_a_cluster_in_the_namespaces_that_they_are_built_for() {
    if !has("kubectl") {
        return;
    }
    let workshop = overlays("builds-cluster", "redis:7");
    let live = pod("web", "redis:7").replace("name: web", "name: web, namespace: blue");
    assert!(live.contains("namespace: blue"), "{live}");
    workshop.file("live.yaml", live);
    let check = "check -s settings.yaml --cluster live.yaml --exclude live.yaml";
    let outcome = workshop.run(&format!("{check} ."));
    assert_eq!(outcome.code, 1, "{}", outcome.shown());
    let report = workshop.json(&format!("{check} ."));
    assert_eq!(report["summary"]["objectsChanged"], 1);
    assert_eq!(report["summary"]["preexisting"], 1);
    assert_eq!(report["summary"]["violations"], 1);
    let of_blue = workshop.run(&format!("{check} --exclude green ."));
    assert_eq!(of_blue.code, 0, "{}", of_blue.shown());
}

#[test]
fn kubectl_is_asked_for_the_kinds_that_only_a_build_has() {
    if !has("helm") {
        return;
    }
    let workshop = Workshop::work_tree("builds-kinds");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("web/Chart.yaml", "{ apiVersion: v2, name: web, version: 1.0.0 }\n")
        .file("web/values.yaml", "image: redis:7\n")
        .file(
            "web/templates/set.yaml",
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: web }\nspec:\n  template:\n    spec:\n      containers: [{ name: app, image: {{ .Values.image }} }]\n",
        )
        .program(
            "kubectl",
            "echo \"$@\" >> asked.txt\necho '{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[]}'\n",
        );
    // The folder `bin` is before those of the system, and has none of the tools of this repository.
    let path = path_with_tools();
    let helm = format!("PATH='{}' exec helm \"$@\"", path.to_str().unwrap());
    workshop.program("helm", &helm);
    let outcome = workshop.run_with_programs("check -s settings.yaml --context prod web");
    assert_eq!(outcome.code, 1, "{}", outcome.shown());
    let asked = workshop.read("asked.txt");
    assert!(asked.contains("statefulsets.apps"), "{asked}");
}

/// What Flux installs, with an image in its values.
fn release(image: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{ name: web, namespace: shop }}\nspec:\n  values:\n    image: {image}\n"
    )
}

#[test]
fn images_of_values_are_accepted_one_by_one() {
    let workshop = Workshop::work_tree("builds-values-baseline");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("release.yaml", release("redis:7"));
    let check = "check -s settings.yaml --baseline accepted.yaml";
    workshop.run(&format!("{check} --write-baseline release.yaml"));
    assert_eq!(workshop.run(&format!("{check} release.yaml")).code, 0);
    workshop.file("release.yaml", release("redis:8"));
    let other = workshop.run(&format!("{check} release.yaml"));
    assert_eq!(other.code, 1, "{}", other.shown());
    // The same image in another value is another one.
    workshop.file(
        "release.yaml",
        release("redis:7") + "    sidecar: { image: redis:7 }\n",
    );
    let second = workshop.json(&format!("{check} release.yaml"));
    assert_eq!(second["summary"]["inBaseline"], 1, "{second}");
    assert_eq!(second["summary"]["violations"], 1, "{second}");
    assert_eq!(
        second["findings"][0]["image"]["runs"],
        "docker.io/library/redis:7"
    );
}

#[test]
fn images_of_values_pass_while_what_installs_them_is_unchanged() {
    let workshop = Workshop::work_tree("builds-values-base");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("release.yaml", release("redis:7"))
        .commit();
    let check = "check -s settings.yaml --base HEAD release.yaml";
    let unchanged = workshop.json(check);
    assert_eq!(unchanged["summary"]["violations"], 0, "{unchanged}");
    assert_eq!(unchanged["summary"]["preexisting"], 1, "{unchanged}");
    // A new release makes new Pods.
    workshop.file("release.yaml", release("redis:7") + "  interval: 5m\n");
    let changed = workshop.json(check);
    assert_eq!(changed["summary"]["violations"], 1, "{changed}");
}
