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

/// The code and the namespace of each finding, and whether it was so before.
fn codes(report: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let mut codes: Vec<_> = findings
        .map(|finding| {
            let is_old = finding["preexisting"].as_bool().unwrap_or_default();
            let namespace = &finding["object"]["namespace"];
            (text(&finding["code"]), text(namespace), is_old)
        })
        .collect();
    codes.sort();
    codes
}

/// The same, as a test writes it.
fn wanted(codes: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    let owned = |(code, namespace, is_old): &(&str, &str, bool)| {
        ((*code).to_owned(), (*namespace).to_owned(), *is_old)
    };
    codes.iter().map(owned).collect()
}

/// What the summary says besides counts.
fn notes(report: &Value) -> Vec<String> {
    let notes = report["summary"]["notes"].as_array().into_iter().flatten();
    notes
        .map(|note| note.as_str().unwrap().to_owned())
        .collect()
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
    let check = "check -s settings.yaml --base HEAD";
    for paths in [".", "base/web.yaml", "blue green"] {
        let report = workshop.json(&format!("{check} {paths}"));
        assert_eq!(report["summary"]["violations"], 1, "{report}");
        assert_eq!(report["summary"]["preexisting"], 0, "{report}");
        assert_eq!(report["summary"]["objectsChanged"], 2, "{report}");
        assert_eq!(notes(&report), [""; 0], "{report}");
        assert_eq!(report["findings"][0]["old"], "ghcr.io/org/redis:7");
    }
    let from_below = workshop.run_in(
        "blue",
        "check -s ../settings.yaml --base HEAD --format json .",
    );
    let from_below: Value = serde_json::from_str(&from_below.stdout).unwrap();
    assert_eq!(from_below["summary"]["objectsChanged"], 1, "{from_below}");
}

#[test]
fn rules_about_changes_hold_for_what_is_built() {
    if !has("kubectl") {
        return;
    }
    let workshop = overlays("builds-base-rules", "redis:7");
    workshop.file(
        "settings.yaml",
        "registries: { allow: [ghcr.io] }\nannotations: [{ immutable: [example.com/class], keep: [example.com/owner], createOnly: [example.com/zone] }]\n",
    );
    let with = |annotations: &str| {
        format!("namespace: blue\nresources: [../base]\ncommonAnnotations: {{ {annotations} }}\n")
    };
    let first = "example.com/class: a, example.com/owner: me";
    workshop
        .file("blue/kustomization.yaml", with(first))
        .commit();
    let old = ("registry-not-allowed", "blue", true);
    let check = "check -s settings.yaml --base HEAD blue";
    for (annotations, code) in [
        (first, None),
        ("example.com/class: a, example.com/owner: you", None),
        (
            "example.com/class: b, example.com/owner: me",
            Some("annotation-immutable"),
        ),
        ("example.com/class: a", Some("annotation-keep")),
        (
            "example.com/class: a, example.com/owner: me, example.com/zone: z",
            Some("annotation-create-only"),
        ),
    ] {
        workshop.file("blue/kustomization.yaml", with(annotations));
        let report = workshop.json(check);
        let mut expected: Vec<_> = code.map(|code| (code, "blue", false)).into_iter().collect();
        expected.push(old);
        assert_eq!(codes(&report), wanted(&expected), "{annotations}: {report}");
        // As if it were new, only the image is wrong.
        let report = workshop.json("check -s settings.yaml blue");
        let new = ("registry-not-allowed", "blue", false);
        assert_eq!(codes(&report), wanted(&[new]), "{annotations}: {report}");
    }
}

#[test]
fn an_object_is_looked_for_in_the_same_build() {
    if !has("kubectl") {
        return;
    }
    // For two clusters the same objects are built in the same namespace.
    let workshop = overlays("builds-base-root", "redis:7");
    let text = "namespace: shop\nresources: [../base]\n";
    workshop.file("blue/kustomization.yaml", text);
    std::fs::remove_dir_all(workshop.0.join("green")).unwrap();
    workshop.commit();
    let check = "check -s settings.yaml --base HEAD --exclude settings.yaml .";
    let labels = "labels: [{ pairs: { a: b } }]\n";
    workshop
        .file("green/kustomization.yaml", text)
        .file("blue/kustomization.yml", format!("{text}{labels}"));
    std::fs::remove_file(workshop.0.join("blue/kustomization.yaml")).unwrap();
    let report = workshop.json(check);
    let (old, new) = (
        ("registry-not-allowed", "shop", true),
        ("registry-not-allowed", "shop", false),
    );
    assert_eq!(codes(&report), wanted(&[new, old]), "{report}");
    // What was a plain manifest, and is built now, is the same object; and the other way about.
    let plain = pod("solo", "redis:7").replace("name: solo", "name: solo, namespace: shop");
    let around = "resources: [solo.yaml]\n";
    workshop.file("solo/solo.yaml", &plain).commit();
    workshop.file("solo/kustomization.yaml", format!("{around}{labels}"));
    let check = "check -s settings.yaml --base HEAD solo";
    assert_eq!(codes(&workshop.json(check)), wanted(&[old]));
    workshop.commit();
    std::fs::remove_file(workshop.0.join("solo/kustomization.yaml")).unwrap();
    assert_eq!(codes(&workshop.json(check)), wanted(&[old]));
}

#[test]
fn a_root_that_does_not_build_at_the_revision_counts_as_absent_and_nothing_of_it_is_run_or_fetched()
{
    if !has("kubectl") {
        return;
    }
    for (name, first, told) in [
        (
            "remote",
            "resources: [https://example.com/base.yaml]\n",
            "`https://example.com/base.yaml` is remote, and nothing is fetched",
        ),
        (
            "git",
            "resources: [github.com/org/repo/deploy?ref=v1]\n",
            "`github.com/org/repo/deploy?ref=v1` is remote, and nothing is fetched",
        ),
        (
            "plugin",
            "resources: [web.yaml]\ngenerators: [generator.yaml]\n",
            "`generator.yaml` is a plugin, and none is run",
        ),
        (
            "outside",
            "resources: [outside.yaml]\n",
            "`outside.yaml` leads out of the work tree",
        ),
        (
            "gone",
            "resources: [gone.yaml]\n",
            "`gone.yaml` is not there",
        ),
        ("broken", "resources: [\n", ""),
        (
            "field",
            "resources: [web.yaml]\nnoSuchField: 1\n",
            "unknown field \"noSuchField\"",
        ),
    ] {
        let workshop = Workshop::work_tree(&format!("builds-base-{name}"));
        let outside = std::env::temp_dir().join("rollout-guard-outside-of-base.yaml");
        std::fs::write(&outside, pod("web", "redis:7")).unwrap();
        workshop
            .file("settings.yaml", SETTINGS)
            .file("web/web.yaml", pod("web", "redis:7"))
            .file(
                "web/generator.yaml",
                "apiVersion: example.com/v1\nkind: Run\nmetadata: { name: a, annotations: { config.kubernetes.io/function: \"exec: { path: ./run.sh }\" } }\n",
            )
            .link(outside.to_str().unwrap(), "web/outside.yaml")
            .file("web/kustomization.yaml", first)
            .commit();
        workshop.file("web/kustomization.yaml", "resources: [web.yaml]\n");
        let report = workshop.json("check -s settings.yaml --base HEAD web/web.yaml");
        let new = ("registry-not-allowed", "default", false);
        assert_eq!(codes(&report), wanted(&[new]), "{name}: {report}");
        let notes = notes(&report);
        let [note] = notes.as_slice() else {
            panic!("{name}: {report}");
        };
        assert!(
            note.starts_with("`web` at `HEAD`: not built: ")
                && note.contains(told)
                && note.ends_with(": counts as absent, its objects are judged as new"),
            "{name}: {note}"
        );
        assert!(!note.contains("rollout-guard-"), "{name}: {note}");
    }
}

/// A chart whose values say an image.
fn chart(workshop: &Workshop, folder: &str, image: &str) {
    workshop
        .file(
            &format!("{folder}/Chart.yaml"),
            "{ apiVersion: v2, name: web, version: 1.0.0 }\n",
        )
        .file(&format!("{folder}/values.yaml"), format!("image: {image}\n"))
        .file(
            &format!("{folder}/templates/pod.yaml"),
            "apiVersion: v1\nkind: Pod\nmetadata: { name: \"{{ .Release.Name }}-{{ .Values.tier | default \"a\" }}\", namespace: shop }\nspec:\n  containers: [{ name: app, image: {{ .Values.image }} }]\n",
        );
}

#[test]
fn a_chart_is_rendered_as_it_was_with_the_values_that_were_there() {
    if !has("helm") {
        return;
    }
    let workshop = Workshop::work_tree("builds-base-chart");
    workshop.file("settings.yaml", SETTINGS);
    chart(&workshop, "web", "redis:7");
    workshop.file("web/ci/a.yaml", "tier: a\n").commit();
    let check = "check -s settings.yaml --base HEAD web";
    let (old, new) = (
        ("registry-not-allowed", "shop", true),
        ("registry-not-allowed", "shop", false),
    );
    let unchanged = workshop.json(check);
    assert_eq!(codes(&unchanged), wanted(&[old]), "{unchanged}");
    assert_eq!(unchanged["summary"]["objectsChanged"], 1, "{unchanged}");
    // A file that no manifest is, but the template may read.
    workshop.file("web/notes.txt", "a");
    assert_eq!(codes(&workshop.json(check)), wanted(&[old]));
    // Another image of the same object is new.
    workshop.file("web/values.yaml", "image: redis:8\n");
    let changed = workshop.json(check);
    assert_eq!(codes(&changed), wanted(&[new]), "{changed}");
    assert_eq!(changed["findings"][0]["old"], "redis:7", "{changed}");
    // Another way to install it is new, even of the same object; the other is as it was.
    chart(&workshop, "web", "redis:7");
    workshop.file("web/ci/b.yaml", "image: docker.io/org/other\n");
    let added = workshop.json(check);
    assert_eq!(codes(&added), wanted(&[new, old]), "{added}");
    assert_eq!(notes(&added), [""; 0], "{added}");
    std::fs::remove_file(workshop.0.join("web/ci/b.yaml")).unwrap();
    // Values of the configuration, and of the command line, are those of the revision.
    workshop
        .file("values/prod.yaml", "image: redis:7\n")
        .file(
            ".rollout-guard.yaml",
            "helm: [{ chart: web, release: prod, values: [values/prod.yaml] }]\n",
        )
        .commit();
    workshop.file("values/prod.yaml", "image: redis:8\n");
    for arguments in ["", "--helm-values values/prod.yaml"] {
        let report = workshop.json(&format!("{check} {arguments}"));
        assert_eq!(codes(&report), wanted(&[new]), "{arguments}: {report}");
        assert_eq!(report["findings"][0]["old"], "redis:7", "{report}");
    }
    // What is not in the tree is as it is.
    let outside = std::env::temp_dir().join("rollout-guard-values-of-base.yaml");
    std::fs::write(&outside, "image: redis:9\n").unwrap();
    let report = workshop.json(&format!("{check} --helm-values {}", outside.display()));
    assert_eq!(codes(&report), wanted(&[old]), "{report}");
}

#[test]
fn a_chart_that_does_not_render_at_the_revision_counts_as_absent() {
    if !has("helm") {
        return;
    }
    let workshop = Workshop::work_tree("builds-base-broken-chart");
    workshop.file("settings.yaml", SETTINGS);
    chart(&workshop, "web", "redis:7");
    workshop
        .file("web/templates/broken.yaml", "{{ fail \"not yet\" }}\n")
        .commit();
    std::fs::remove_file(workshop.0.join("web/templates/broken.yaml")).unwrap();
    let report = workshop.json("check -s settings.yaml --base HEAD web");
    let new = ("registry-not-allowed", "shop", false);
    assert_eq!(codes(&report), wanted(&[new]), "{report}");
    let [note] = notes(&report).try_into().unwrap();
    assert!(note.contains("`web` at `HEAD`: not built: "), "{note}");
    assert!(note.contains("not yet"), "{note}");
}

#[test]
fn only_what_changed_is_built_again_and_git_runs_as_often_for_one_root_as_for_many() {
    if !has("/usr/bin/kubectl") {
        return;
    }
    let workshop = Workshop::work_tree("builds-base-runs");
    workshop.file("settings.yaml", SETTINGS);
    workshop.count_runs("git");
    workshop.count_runs("kubectl");
    let mut processes = Vec::new();
    for roots in [1, 12] {
        for root in 0..roots {
            let text = format!("namespace: n{root}\nresources: [web.yaml]\n");
            workshop
                .file(&format!("all/r{root}/kustomization.yaml"), text)
                .file(&format!("all/r{root}/web.yaml"), pod("web", "redis:7"));
        }
        workshop.commit();
        let check = "check -s settings.yaml --base HEAD all";
        for program in ["git", "kubectl"] {
            workshop.runs(program);
        }
        let outcome = workshop.run_with_programs(check);
        assert_eq!(outcome.code, 0, "{}", outcome.shown());
        processes.push(workshop.runs("git"));
        assert_eq!(workshop.runs("kubectl"), roots);
        workshop.file("all/r0/web.yaml", pod("web", "redis:8"));
        let outcome = workshop.run_with_programs(check);
        assert_eq!(outcome.code, 1, "{}", outcome.shown());
        processes.push(workshop.runs("git"));
        assert_eq!(workshop.runs("kubectl"), roots + 1);
    }
    assert!(
        processes.iter().all(|runs| *runs == processes[0]),
        "{processes:?}"
    );
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
