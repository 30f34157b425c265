//! What kustomize builds is judged, at the lines that decide it.

use std::fs;

use serde_json::Value;

use crate::command::{Workshop, has, outcome, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\n";

/// A work tree with settings and files.
fn workshop(name: &str, files: &[(&str, &str)]) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop.file("settings.yaml", SETTINGS);
    for (name, contents) in files {
        workshop.file(name, contents);
    }
    workshop
}

/// The place of each finding, and the image that it is about.
fn found(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let shown = findings.map(|found| {
        let message = found["message"].as_str().unwrap();
        let image = message.split('`').nth(1).unwrap_or_default();
        format!(
            "{}:{}:{} {image}",
            found["file"].as_str().unwrap(),
            found["line"],
            found["column"]
        )
    });
    shown.collect()
}

/// Temporary folders that are left.
fn left_over(folder: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("rollout-guard-")
        })
        .count()
}

#[test]
fn overlays_components_and_patches_are_judged_by_what_they_build() {
    if !has("kubectl") {
        return;
    }
    let workshop = Workshop::repository("kustomize", "builds-kustomize");
    let outcome = workshop.run("check -s settings.yaml .");
    insta::assert_snapshot!("builds_kustomize", outcome.shown());
    let report = workshop.json("check -s settings.yaml .");
    insta::assert_snapshot!(
        "builds_kustomize_json",
        serde_json::to_string_pretty(&report).unwrap()
    );
    // Whatever of it is named: what a file becomes decides.
    for path in [
        "base",
        "base/web.yaml",
        "overlays base",
        "base/kustomization.yaml",
    ] {
        let part = workshop.json(&format!("check -s settings.yaml {path}"));
        assert_eq!(part["findings"], report["findings"], "{path}");
    }
    let part = workshop.json("check -s settings.yaml components");
    assert_eq!(part["summary"]["builds"], 1);
    // An overlay that is excluded builds nothing.
    let part = workshop.json("check -s settings.yaml . --exclude overlays/prod");
    assert!(!part.to_string().contains("overlays/prod"), "{part}");
    // Every format can tell of them.
    for format in ["sarif", "github", "junit"] {
        let outcome = workshop.run(&format!("check -s settings.yaml . --format {format}"));
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(
            outcome.stdout.contains("overlays/prod/kustomization.yaml"),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains("2 builds"), "{outcome:?}");
    }
}

#[test]
fn a_value_is_found_where_it_is_decided() {
    if !has("kubectl") {
        return;
    }
    let base = pod("app", "redis:6.0");
    let base = base.as_str();
    for (kustomization, wanted) in [
        ("resources: [a.yaml]\n", "a.yaml:7:14 redis:6.0"),
        (
            "resources: [a.yaml]\nimages: [{ name: redis, newName: nginx, newTag: '1' }]\n",
            "kustomization.yaml:2:34 nginx:1",
        ),
        (
            "resources: [a.yaml]\nimages: [{ name: redis, newTag: '1' }, { name: other, newTag: '1' }]\n",
            "kustomization.yaml:2:18 redis:1",
        ),
        (
            "resources: [a.yaml]\nimages: [{ name: redis, newName: nginx }, { name: nginx, digest: 'sha256:1' }]\n",
            "kustomization.yaml:2:51 nginx@sha256:1",
        ),
        (
            "resources: [a.yaml]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Pod\n    metadata: { name: app, labels: { image: nginx } }\n    spec: { containers: [{ name: app, image: nginx }] }\n",
            "kustomization.yaml:7:46 nginx",
        ),
        (
            "resources: [a.yaml]\npatches:\n- target: { kind: Pod }\n  patch: |-\n    - op: replace\n      path: /spec/containers/0/image\n      value: nginx\n",
            "kustomization.yaml:7:14 nginx",
        ),
        (
            "resources: [a.yaml]\npatches: [{ path: p.yaml }]\n",
            "p.yaml:4:31 nginx",
        ),
        (
            "resources: [a.yaml]\npatchesStrategicMerge: [p.yaml]\n",
            "p.yaml:4:31 nginx",
        ),
        (
            "resources: [a.yaml]\npatches: [{ path: p.yaml }]\nimages: [{ name: nginx, newTag: '2' }]\n",
            "kustomization.yaml:3:18 nginx:2",
        ),
        (
            "namePrefix: x-\nnameSuffix: -y\nresources: [a.yaml]\n",
            "a.yaml:7:14 redis:6.0",
        ),
        (
            "resources: [a.yaml]\ntransformers: [t.yaml]\n",
            "t.yaml:4:19 redis:9",
        ),
    ] {
        let workshop = workshop(
            "builds-decided",
            &[
                ("a.yaml", base),
                ("kustomization.yaml", kustomization),
                (
                    "p.yaml",
                    "apiVersion: v1\nkind: Pod\nmetadata: { name: app }\nspec: { containers: [{ image: nginx, name: app }] }\n",
                ),
                (
                    "t.yaml",
                    "apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: { name: t }\nimageTag: { name: redis, newTag: '9' }\nfieldSpecs: [{ path: 'spec/containers[]/image' }]\n",
                ),
            ],
        );
        let report = workshop.json("check -s settings.yaml kustomization.yaml");
        assert_eq!(found(&report), [wanted], "{kustomization}{report}");
    }
}

const REMOTE: &str = "is remote, and nothing is fetched";

/// Kustomizations that are not built, and what is said of them.
const REFUSED: &[(&str, &str)] = &[
    ("resources: ['https://127.0.0.1:9/a.yaml']", REMOTE),
    ("resources: ['github.com/org/repo/base?ref=v1']", REMOTE),
    ("components: ['git@github.com:org/repo']", REMOTE),
    ("bases: ['git::https://127.0.0.1/org/repo']", REMOTE),
    (
        "resources: [a.yaml]\nconfigMapGenerator: [{ name: x, files: ['a=https://127.0.0.1:9/a'] }]",
        REMOTE,
    ),
    (
        "resources: [a.yaml]\npatches: [{ path: 'http://127.0.0.1:9/p.yaml' }]",
        REMOTE,
    ),
    ("resources: [missing.yaml]", "`missing.yaml` is not there"),
    (
        "resources: [deep.yaml]",
        "aliases make this document larger than 3 MiB",
    ),
    (
        "resources: [a.yaml]\ntransformers: [plugin.yaml]",
        "is a plugin, and none is run",
    ),
    ("generators: [plugin.yaml]", "is a plugin, and none is run"),
    ("generators: [plugins]", "is a plugin, and none is run"),
    (
        "generators: [\"apiVersion: example.com/v1\\nkind: Run\\n\"]",
        "is a plugin, and none is run",
    ),
    (
        "generators: [\"apiVersion: builtin\\nkind: HelmChartInflationGenerator\\n\"]",
        "is a plugin, and none is run",
    ),
    (
        "helmCharts: [{ name: web, repo: 'https://127.0.0.1:9' }]",
        "runs Helm",
    ),
    ("resources: [out.yaml]", "leads out of the work tree"),
    ("resources: [../../..]", "leads out of the work tree"),
    ("resources: [a.yaml, .]", "cycle detected"),
    ("resources: [loop]", "cycle detected"),
    (
        "resources: [a.yaml, a.yaml]",
        "may not add resource with an already registered id",
    ),
    ("resources: [../outside.yaml]", "is not in or below"),
    ("resources: {{ .files }}", "not built"),
    ("nonsense: true", "unknown field"),
    (
        "resources: [a.yaml]\n---\nresources: [b.yaml]",
        "is one document",
    ),
];

#[test]
fn what_needs_the_network_or_runs_something_is_not_built() {
    if !has("kubectl") {
        return;
    }
    for (kustomization, told) in REFUSED {
        let aliases = (1..30).map(|level| {
            let before = level - 1;
            format!("l{level}: &l{level} [*l{before}, *l{before}]\n")
        });
        let deep =
            "kind: ConfigMap\nl0: &l0 aaaaaaaaaaaaaaa\n".to_owned() + &aliases.collect::<String>();
        let workshop = workshop(
            "builds-refused",
            &[
                ("k/a.yaml", &pod("app", "redis:6.0")),
                ("k/deep.yaml", &deep),
                ("outside.yaml", &pod("outside", "redis:6.0")),
                (
                    "k/plugin.yaml",
                    "apiVersion: example.com/v1\nkind: Run\nmetadata:\n  name: run\n  annotations:\n    config.kubernetes.io/function: |\n      exec: { path: ./run.sh }\n",
                ),
                (
                    "k/plugins/kustomization.yaml",
                    "resources: [../plugin.yaml]\n",
                ),
                ("sound/kustomization.yaml", "resources: [b.yaml]\n"),
                ("sound/b.yaml", &pod("sound", "redis:7")),
                ("k/kustomization.yaml", kustomization),
            ],
        );
        workshop.link("/etc/passwd", "k/out.yaml");
        if kustomization.contains("loop") {
            workshop.file("k/loop/kustomization.yaml", "resources: [..]\n");
        }
        let temporary = workshop.0.join("tmp");
        fs::create_dir(&temporary).unwrap();
        let mut command = workshop.command(
            ".",
            "check -s settings.yaml k/a.yaml k/kustomization.yaml sound",
        );
        let outcome = outcome(command.env("TMPDIR", &temporary), "");
        assert_eq!(outcome.code, 3, "{kustomization}: {outcome:?}");
        assert!(
            outcome.stdout.contains(told),
            "{kustomization}: {outcome:?}"
        );
        assert!(outcome.stdout.contains("is not built"), "{outcome:?}");
        assert!(!outcome.stdout.contains("root:"), "{outcome:?}");
        // The others are judged, and what cannot be built is not judged in another way.
        assert!(outcome.stdout.contains("sound/b.yaml:7:14"), "{outcome:?}");
        let is_included = kustomization.contains("[a.yaml");
        assert!(
            !is_included || !outcome.stdout.contains("k/a.yaml:7"),
            "{outcome:?}"
        );
        assert_eq!(left_over(temporary.to_str().unwrap()), 0, "{kustomization}");
    }
}

#[test]
fn without_a_tool_one_line_says_so_and_off_judges_files_one_by_one() {
    let workshop = workshop(
        "builds-no-tool",
        &[
            ("a/kustomization.yaml", "resources: [a.yaml]\n"),
            ("a/a.yaml", &pod("a", "redis:7")),
            ("b/kustomization.yaml", "resources: [b.yaml]\n"),
            ("b/b.yaml", &pod("b", "redis:7")),
            ("plain.yaml", &pod("plain", "ghcr.io/org/app:1")),
        ],
    );
    let run = |arguments: &str| {
        let mut command = workshop.command(".", &format!("check -s settings.yaml {arguments}"));
        outcome(command.env("PATH", "bin:"), "")
    };
    let told = run("a b plain.yaml");
    assert_eq!(told.code, 3, "{told:?}");
    let line = "error: 2 kustomizations are not built: there is neither `kustomize` nor `kubectl`";
    assert_eq!(told.stderr.matches(line).count(), 1, "{told:?}");
    assert!(!told.stdout.contains("redis"), "{told:?}");
    for off in ["off", "false", "'off'"] {
        workshop.file(".rollout-guard.yaml", format!("kustomize: {off}\n"));
        let told = run("a b plain.yaml");
        assert_eq!(told.code, 1, "{told:?}");
        assert!(told.stdout.contains("a/a.yaml:7:14"), "{told:?}");
        assert!(
            told.stdout.contains("2 kustomizations not built"),
            "{told:?}"
        );
    }
    workshop.file(".rollout-guard.yaml", "kustomize: on\n");
    assert_eq!(run("a").code, 3);
    // A program that lies in the tree is not run.
    workshop.file("bin/kustomize", "#!/bin/sh\ntouch \"$0.ran\"\n");
    workshop.git_in(".", "update-index --add --chmod=+x bin/kustomize", "");
    assert_eq!(run("a").code, 3);
    assert!(!workshop.0.join("bin/kustomize.ran").exists());
}

#[test]
fn links_within_the_work_tree_are_followed() {
    if !has("kubectl") {
        return;
    }
    let workshop = workshop(
        "builds-links",
        &[
            ("real/kustomization.yaml", "resources: [a.yaml]\n"),
            ("real/a.yaml", &pod("a", "redis:7")),
            (
                "o/prod/kustomization.yaml",
                "resources: [base, ../b]\nnamespace: prod\n",
            ),
            ("o/b/b.yaml", &pod("b", "nginx:1")),
            ("o/b/real.yaml", "resources: [b.yaml]\n"),
        ],
    );
    workshop
        .link("../../real", "o/prod/base")
        .link("real.yaml", "o/b/kustomization.yaml");
    let report = workshop.json("check -s settings.yaml .");
    assert_eq!(
        found(&report),
        ["o/b/b.yaml:7:14 nginx:1", "real/a.yaml:7:14 redis:7"]
    );
    assert_eq!(report["summary"]["failedBuilds"], 0);
}

#[test]
fn charts_are_judged_by_what_they_render() {
    if !has("helm") {
        return;
    }
    let workshop = Workshop::repository("helm", "builds-helm");
    let outcome = workshop.run("check .");
    insta::assert_snapshot!("builds_helm", outcome.shown());
    let report = workshop.json("check charts/edge");
    let image = "registry.k8s.io/ingress-nginx/controller:v1.12.1@sha256:d2fbc4ec70d8aa2050dd91a91506e998765e86c96f32cffb56c503c9c34eed5b";
    assert_eq!(
        found(&report),
        [format!("charts/edge/values.yaml:5:15 {image}")]
    );
    assert_eq!(report["findings"][0]["object"]["namespace"], "edge");
    assert_eq!(report["findings"][0]["object"]["name"], "ingress");
    // Whatever of a chart is named, it is rendered.
    for path in [
        "charts/web/templates",
        "charts/web/ci",
        "charts/web/values.yaml",
        "charts/web/charts/cache",
    ] {
        let report = workshop.json(&format!("check {path}"));
        assert_eq!(report["summary"]["builds"], 2, "{path}: {report}");
    }
    // A library renders nothing by itself, and is no gap.
    let outcome = workshop.run("check charts/common --allow-empty --fail-on incomplete");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    workshop.file(
        "mine.yaml",
        "image: { repository: ghcr.io/org/web }\nwaitImage: ghcr.io/org/wait:1\n",
    );
    let report = workshop.json("check charts/web charts/edge --helm-values mine.yaml");
    assert_eq!(report["summary"]["builds"], 2, "{report}");
    let images = found(&report);
    assert!(
        !images
            .iter()
            .any(|image| image.contains("nginx:1.27") || image.contains("busybox")),
        "{images:?}"
    );
    assert_eq!(report["findings"][0]["object"]["namespace"], "edge");
}

#[test]
fn a_chart_that_needs_more_than_the_tree_is_not_rendered() {
    if !has("helm") {
        return;
    }
    let template = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: redis }] }\n";
    for (chart, template, told) in [
        (
            "name: c\ndependencies: [{ name: x, repository: 'https://127.0.0.1:9' }]",
            template,
            "its dependency `x` is not in `charts`",
        ),
        (
            "name: c\ndependencies: [{ name: x, repository: 'file:///etc' }]",
            template,
            "its dependency `x` is not in `charts`",
        ),
        (
            "name: c\ndependencies: [{ name: x, repository: 'oci://127.0.0.1:9/x' }]",
            template,
            "its dependency `x` is not in `charts`",
        ),
        ("name: c", "{{ fail \"no value\" }}", "no value"),
        (
            "name: c",
            "{{ include \"loop\" . }}{{ define \"loop\" }}{{ include \"loop\" . }}{{ end }}",
            "is not built",
        ),
        (
            "name: c",
            "a: {{ range until 100000 }}{{ repeat 10000 \"x\" }}{{ end }}",
            "is not built",
        ),
        ("name: c", "kind: {{ .Values.a }}\nb: [\n", "is not built"),
        ("name: --post-renderer=./run.sh", template, "is invalid"),
    ] {
        let workshop = workshop(
            "builds-chart",
            &[
                (
                    "c/Chart.yaml",
                    &format!("apiVersion: v2\nversion: 0.1.0\n{chart}\n"),
                ),
                ("c/templates/a.yaml", template),
                ("c/run.sh", "#!/bin/sh\ntouch /ran\n"),
                (
                    "sound/Chart.yaml",
                    "apiVersion: v2\nname: sound\nversion: 0.1.0\n",
                ),
                ("sound/templates/b.yaml", &pod("sound", "redis:7")),
            ],
        );
        let outcome = workshop.run("check -s settings.yaml .");
        assert_eq!(outcome.code, 3, "{chart} {template}: {outcome:?}");
        assert!(
            outcome.stdout.contains(told),
            "{chart} {template}: {outcome:?}"
        );
        assert!(
            outcome.stdout.contains("sound/templates/b.yaml:7:14"),
            "{outcome:?}"
        );
        assert!(
            outcome
                .stdout
                .contains("1 template of a Helm chart not rendered"),
            "{outcome:?}"
        );
    }
}

#[test]
fn values_outside_the_work_tree_are_not_read() {
    if !has("helm") {
        return;
    }
    let chart = [
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("c/templates/a.yaml", "{{ .Files.Get \"secret\" }}\n"),
    ];
    for (link, target) in [
        ("c/ci/a.yaml", "/etc/passwd"),
        ("c/templates/out.yaml", "/etc/passwd"),
        ("c/secret", "/etc/passwd"),
        ("c/all", "/etc"),
    ] {
        let workshop = workshop("builds-values", &chart);
        workshop.file("c/ci/own.yaml", "a: b\n").link(target, link);
        let outcome = workshop.run("check -s settings.yaml c/Chart.yaml");
        assert_eq!(outcome.code, 3, "{link}: {outcome:?}");
        assert!(
            outcome.stdout.contains("the work tree"),
            "{link}: {outcome:?}"
        );
        assert!(!outcome.stdout.contains("root:"), "{link}: {outcome:?}");
    }
    // What somebody names on the command line may be anywhere, and a comma is part of its name.
    let workshop = workshop("builds-values", &chart);
    let values = std::env::temp_dir().join("rollout,guard-values.yaml");
    fs::write(&values, "a: b\n").unwrap();
    let outcome = workshop.run(&format!(
        "check -s settings.yaml c --allow-empty --helm-values {}",
        values.display()
    ));
    assert_eq!(outcome.code, 0, "{outcome:?}");
    fs::remove_file(values).unwrap();
}

#[test]
fn without_helm_one_line_says_so_and_off_leaves_templates_out() {
    let workshop = workshop(
        "builds-no-helm",
        &[
            ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
            ("c/templates/a.yaml", "kind: {{ .Values.a }}\n"),
            ("plain.yaml", &pod("plain", "ghcr.io/org/app:1")),
        ],
    );
    let run = || {
        let mut command = workshop.command(".", "check -s settings.yaml c plain.yaml");
        outcome(command.env("PATH", "/none"), "")
    };
    let told = run();
    assert_eq!(told.code, 3, "{told:?}");
    assert_eq!(
        told.stderr
            .matches("error: 1 chart is not rendered: there is no `helm`")
            .count(),
        1,
        "{told:?}"
    );
    workshop.file(".rollout-guard.yaml", "helm: off\n");
    let told = run();
    assert_eq!(told.code, 0, "{told:?}");
    assert!(
        told.stdout
            .contains("1 template of a Helm chart not rendered"),
        "{told:?}"
    );
}

#[test]
fn what_flux_and_argo_cd_install_is_judged_by_its_shape() {
    for repository in ["flux", "argocd"] {
        let workshop = Workshop::repository(repository, &format!("builds-{repository}"));
        let outcome = workshop.run("check -s settings.yaml .");
        insta::assert_snapshot!(format!("builds_{repository}"), outcome.shown());
        // Nobody can prove what a chart makes of it.
        let outcome = workshop.run("fix -s settings.yaml --check .");
        insta::assert_snapshot!(format!("builds_{repository}_fix"), outcome.shown());
    }
    // A policy about Pods alone is about what will be installed.
    let workshop = Workshop::repository("flux", "builds-flux-policy");
    workshop.file("policy.yaml", "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: { name: p, namespace: data }\nspec:\n  module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0\n  mutating: false\n  rules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }]\n  settings: { registries: { allow: [ghcr.io] } }\n");
    let report = workshop.json("check -s policy.yaml .");
    let images = found(&report);
    assert_eq!(
        images,
        [
            "apps/redis.yaml:13:19 docker.io/bitnami/redis:7.2.4",
            "apps/redis.yaml:16:28 oliver006/redis_exporter",
        ],
        "{report}"
    );
}

#[test]
fn fields_that_look_like_images_are_named_by_kind() {
    let workshop = workshop(
        "builds-image-like",
        &[
            (
                "kafka.yaml",
                "apiVersion: example.com/v1\nkind: Broker\nmetadata: { name: a, annotations: { image: redis } }\nspec: { image: redis:7, a: [{ sideImage: org/side:1, image: { repository: b } }], containers: [{ name: a, image: ghcr.io/org/a:1 }] }\nstatus: { image: redis }\n",
            ),
            (
                "other.yaml",
                "apiVersion: example.com/v1\nkind: Page\nmetadata: { name: a }\nspec: { image: 'https://example.com/a', images: redis, coverImage: a.png, image2: redis, logoImage: 'Not An Image' }\n",
            ),
            (
                "data.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { image: nginx }\n",
            ),
            (
                "named.yaml",
                "apiVersion: example.com/v1\nkind: Named\nmetadata: { name: a }\nspec: { image: ghcr.io/org/a:1 }\n",
            ),
        ],
    );
    workshop.file(
        "settings.yaml",
        format!("{SETTINGS}imagePaths: [{{ kind: example.com/Named, path: spec.image }}]\n"),
    );
    let report = workshop.json("check -s settings.yaml .");
    assert_eq!(
        report["summary"]["imageLikeFields"],
        serde_json::json!({ "ConfigMap": 1, "example.com/Broker": 3 })
    );
    let outcome = workshop.run("check -s settings.yaml . --fail-on incomplete");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("  3 fields in example.com/Broker\n"),
        "{outcome:?}"
    );
}

#[test]
fn a_repository_of_many_kinds_is_judged_as_a_whole() {
    if !has("kubectl") || !has("helm") {
        return;
    }
    let workshop = Workshop::repository("monorepo", "builds-monorepo");
    let outcome = workshop.run("check .");
    insta::assert_snapshot!("builds_monorepo", outcome.shown());
    assert_eq!(workshop.run("fix .").code, 0);
    assert_eq!(workshop.run("check .").code, 0);
    insta::assert_snapshot!(
        "builds_monorepo_after",
        workshop.read("apps/api/overlays/prod/kustomization.yaml")
    );
}
