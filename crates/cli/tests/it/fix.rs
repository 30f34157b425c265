//! `rollout-guard fix`: what is written, and what is not.

use std::os::unix::fs::PermissionsExt;

use crate::command::{Workshop, pod};

const SETTINGS: &str = "\
registries: { allow: [registry.example.com] }
mirrors:
  - { source: docker.io/library, mirror: registry.example.com/library, digest: drop, checkExists: true, pullSecrets: [pull] }
rewrite: never
exemptions: [{ name: system, match: { namespaces: [kube-system] } }]
";

const MANIFEST: &str = "# Redis, with é\r\n---\r\napiVersion: apps/v1\r\nkind: Deployment\r\nmetadata: { name: web, namespace: prod }\r\nspec:\r\n  template:\r\n    spec:\r\n      initContainers: [ { name: a, image: 'busybox:1' } ]\t# tab\r\n      containers:\r\n        - name: b\r\n          image:   redis:7   # comment\r\n        - name: c\r\n          image: &shared nginx:1\r\n        - name: d\r\n          image: *shared\r\n        - name: e\r\n          image: |-\r\n            nginx:2\r\n        - name: f\r\n          image: \"ghcr.io/org/app:1\"\r\n";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("a.yaml", MANIFEST);
    workshop
}

#[test]
fn writes_mirrors_and_tells_what_is_left_to_do() {
    let workshop = workshop("fix-writes");
    let outcome = workshop.run("fix -s settings.yaml a.yaml");
    insta::assert_snapshot!("fix", outcome.shown());
    let wanted = MANIFEST
        .replace("'busybox:1'", "'registry.example.com/library/busybox:1'")
        .replace("redis:7", "registry.example.com/library/redis:7");
    assert_eq!(workshop.read("a.yaml"), wanted);
    // A second time nothing is left that can be written.
    let again = workshop.run("fix -s settings.yaml a.yaml");
    assert_eq!(workshop.read("a.yaml"), wanted);
    assert!(
        again
            .stdout
            .contains("0 changes made in 0 files, 3 to change by hand"),
        "{again:?}"
    );
}

#[test]
fn a_diff_changes_nothing_and_can_be_applied() {
    let workshop = workshop("fix-diff");
    let outcome = workshop.run("fix -s settings.yaml --diff a.yaml");
    assert_eq!(workshop.read("a.yaml"), MANIFEST);
    insta::assert_snapshot!("diff", outcome.shown());
}

#[test]
fn check_says_by_its_exit_code_that_something_would_change() {
    let workshop = workshop("fix-check");
    workshop
        .file("b.yaml", pod("a", "redis:7"))
        .file("c.yaml", pod("a", "registry.example.com/library/redis:7"))
        .file("d.yaml", pod("a, namespace: kube-system", "redis:7"));
    assert_eq!(workshop.run("fix -s settings.yaml --check b.yaml").code, 1);
    assert_eq!(workshop.read("b.yaml"), pod("a", "redis:7"));
    assert_eq!(
        workshop
            .run("fix -s settings.yaml --check c.yaml d.yaml")
            .code,
        0
    );
    assert_eq!(workshop.run("fix -s settings.yaml b.yaml").code, 0);
    assert_eq!(workshop.run("fix -s settings.yaml --check b.yaml").code, 0);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let workshop = workshop("fix-stdin");
    let outcome = workshop.run_with("fix -s settings.yaml -", &pod("a", "redis:7"));
    assert_eq!(
        outcome.stdout,
        pod("a", "registry.example.com/library/redis:7")
    );
    assert!(outcome.stderr.contains("1 change made"));
}

#[test]
fn a_file_keeps_its_permissions_and_its_link() {
    let workshop = Workshop::new("fix-files");
    workshop
        .file("settings.yaml", SETTINGS)
        .file("real/a.yaml", pod("a", "redis:7"));
    let real = workshop.0.join("real/a.yaml");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real/a.yaml", workshop.0.join("link.yaml")).unwrap();
    assert_eq!(workshop.run("fix -s settings.yaml link.yaml").code, 0);
    assert!(workshop.0.join("link.yaml").is_symlink());
    let mode = std::fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(
        workshop
            .read("real/a.yaml")
            .contains("registry.example.com/library/redis:7")
    );
    let left: Vec<_> = std::fs::read_dir(workshop.0.join("real"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "no temporary file stays");
}

#[test]
fn a_file_that_cannot_be_written_or_read_whole_stays_as_it_is() {
    let workshop = Workshop::new("fix-unwritable");
    let broken = format!("{}---\na: [1\n", pod("a", "redis:7"));
    workshop
        .file("settings.yaml", SETTINGS)
        .file("broken.yaml", &broken)
        .file("readonly.yaml", pod("a", "redis:7"));
    let readonly = workshop.0.join("readonly.yaml");
    std::fs::set_permissions(&readonly, std::fs::Permissions::from_mode(0o444)).unwrap();
    let outcome = workshop.run("fix -s settings.yaml broken.yaml readonly.yaml");
    assert_eq!(outcome.code, 3);
    assert_eq!(workshop.read("broken.yaml"), broken);
    assert_eq!(workshop.read("readonly.yaml"), pod("a", "redis:7"));
    insta::assert_snapshot!("not_written", outcome.shown());
}

/// An annotation that contradicts the existing load balancer.
#[test]
fn annotations_are_removed_with_their_lines() {
    let workshop = Workshop::new("fix-annotations");
    let service = |annotations: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n{annotations}spec:\n  type: LoadBalancer # kept\n"
        )
    };
    let spec =
        "    service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec: slb.s1.small # gone\n";
    let other = "    example.com/team: web # kept\n";
    workshop
        .file(
            "settings.yaml",
            "annotations:\n  - name: let-it-detect\n    match: { kinds: [core/Service], fields: { spec.type: LoadBalancer } }\n    denied: [service.beta.kubernetes.io/alibaba-cloud-loadbalancer-spec]\n    action: remove\n",
        )
        .file("both.yaml", service(&format!("{spec}{other}")))
        .file("only.yaml", service(spec));
    let outcome = workshop.run("fix -s settings.yaml both.yaml only.yaml");
    insta::assert_snapshot!("annotations", outcome.shown());
    assert_eq!(workshop.read("both.yaml"), service(other));
    assert_eq!(workshop.read("only.yaml"), service("    {} # gone\n"));
    assert_eq!(
        workshop
            .run("check -s settings.yaml both.yaml only.yaml")
            .code,
        0
    );
}

#[test]
fn every_image_that_is_left_is_told_with_its_place_and_the_reason() {
    let workshop = Workshop::new("fix-left");
    let digest = "sha256:5c2e36bf7e4d8a1b0f93c6d27e81a4f5b6c7d8e9f0a1b2c3d4e5f60718293a4b";
    workshop
        .file(
            "settings.yaml",
            "mirrors:\n  - { source: docker.io/library/nginx, mirror: registry.example.com/nginx, digest: skip }\n  - { source: docker.io/library, mirror: registry.example.com/library, digest: drop }\nexemptions: [{ name: system, match: { namespaces: [kube-system] } }]\n",
        )
        .file(
            "a.yaml",
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web, namespace: prod }}\nspec:\n  template:\n    spec:\n      containers:\n        - {{ name: a, image: Bad Image }}\n        - {{ name: b, image: \"redis:7\" }}\n        - {{ name: c, image: \"nginx@{digest}\" }}\n        - {{ name: d, image: \"redis@{digest}\" }}\n        - {{ name: e, image: \"redis:6\", imagePullPolicy: Never }}\n        - {{ name: f, image: 7 }}\n        - text\n        - {{ name: g, image: &i \"redis:5\" }}\n        - {{ name: h, image: *i }}\n        - {{ name: i, image: \"ghcr.io/org/app:1\" }}\n"
            ),
        )
        .file("b.yaml", pod("x, namespace: kube-system", "redis:7"));
    let outcome = workshop.run("fix -s settings.yaml a.yaml b.yaml");
    insta::assert_snapshot!("left", outcome.shown());
    assert!(
        workshop
            .read("a.yaml")
            .contains("registry.example.com/library/redis:7")
    );
    assert_eq!(
        workshop.read("b.yaml"),
        pod("x, namespace: kube-system", "redis:7")
    );
    // What the settings leave is no failure.
    assert_eq!(workshop.run("fix -s settings.yaml --check b.yaml").code, 0);
}

#[test]
fn a_diff_applies_for_links_absolute_paths_and_odd_names() {
    let workshop = Workshop::work_tree("fix-apply");
    let mirrored = "registry.example.com/library/redis:7";
    let names = [
        "a.yaml",
        "sub/b.yaml",
        "sub/sub/b.yaml",
        "sub/my file.yaml",
        "sub/é.yaml",
        "sub/q\"\\\t.yaml",
        "sub/crlf.yaml",
        "sub/cr.yaml",
        "sub/no-end.yaml",
    ];
    let text = |name: &str, image: &str| match name {
        "sub/crlf.yaml" => pod("a", image).replace('\n', "\r\n"),
        "sub/cr.yaml" => format!("# a\r# b\n{}", pod("a", image)),
        "sub/no-end.yaml" => pod("a", image).trim_end().to_owned(),
        _ => pod("a", image),
    };
    let reset = || {
        workshop.file("settings.yaml", SETTINGS);
        for name in names {
            workshop.file(name, text(name, "redis:7"));
        }
    };
    let root = workshop.0.display().to_string();
    reset();
    workshop
        .link("sub/b.yaml", "link.yaml")
        .link("sub", "folder");
    workshop.commit();
    for (folder, paths, changed) in [
        (".", ".".to_owned(), &names[..]),
        (".", root.clone(), &names),
        ("sub", ".".to_owned(), &names[1..]),
        ("sub", format!("{root}/sub"), &names[1..]),
        (".", "link.yaml".to_owned(), &names[1..2]),
        (".", format!("{root}/link.yaml"), &names[1..2]),
        (".", "folder".to_owned(), &names[1..]),
        ("sub", "../link.yaml".to_owned(), &names[1..2]),
        ("sub/sub", ".".to_owned(), &names[2..3]),
    ] {
        let settings = format!("{root}/settings.yaml");
        let diff = workshop.run_in(folder, &format!("fix -s {settings} --diff {paths}"));
        assert_eq!(diff.code, 0, "{diff:?}");
        workshop.git_in(folder, "apply -", &diff.stdout);
        for name in names {
            let image = if changed.contains(&name) {
                mirrored
            } else {
                "redis:7"
            };
            assert_eq!(
                workshop.read(name),
                text(name, image),
                "{folder} {paths} {name}: {}",
                diff.stdout
            );
        }
        reset();
    }
    // Git takes UTF-16 for a binary file, which no diff changes.
    let utf16: Vec<_> = format!("\u{feff}{}", pod("a", "redis:7"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    workshop.file("utf16.yaml", utf16);
    let outcome = workshop.run("fix -s settings.yaml --diff utf16.yaml");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome.stderr.contains("run `fix` without `--diff`"),
        "{outcome:?}"
    );
}
