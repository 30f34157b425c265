//! Which files a folder holds.

use std::process::Command;

use serde_json::Value;

use crate::command::{Outcome, Workshop, outcome, pod};

const SETTINGS: &str = "registries: { allow: [ghcr.io] }\n";

/// The files with findings: every manifest here has one.
fn found(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|found| found["file"].as_str().unwrap())
        .collect()
}

fn refused(workshop: &Workshop, names: &[&str]) {
    for (position, name) in names.iter().enumerate() {
        workshop.file(name, pod(&format!("p{position}"), "redis:7"));
    }
}

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::work_tree(name);
    workshop.file("settings.yaml", SETTINGS);
    workshop
}

#[test]
fn a_folder_holds_what_git_tracks_and_what_it_would_add() {
    let workshop = workshop("files-git");
    refused(
        &workshop,
        &["m/tracked.yaml", "m/.pipeline/hidden.yaml", "m/b.YML"],
    );
    workshop
        .file(
            "m/a.json",
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}",
        )
        .file("m/values.yaml", "image: redis\n")
        .file("m/readme.txt", "kind: Pod")
        .commit();
    refused(
        &workshop,
        &[
            "m/untracked.yaml",
            "m/ignored.yaml",
            "m/sub/ignored.yaml",
            "m/sub/deep.yaml",
        ],
    );
    // What is tracked is read whatever these say, and of the rest only the tree's own files count.
    workshop
        .file(".gitignore", "tracked.yaml\n.pipeline\n*.YML\n")
        .file("m/.gitignore", "ignored.yaml\n")
        .file("m/sub/.gitignore", "deep.yaml\n")
        .file("m/.ignore", "*\n")
        .file(".rgignore", "*\n")
        .file(".git/info/exclude", "untracked.yaml\ntracked.yaml\n")
        .file("excludes", "*.yaml\n");
    workshop.git(&format!(
        "config core.excludesFile {}/excludes",
        workshop.0.display()
    ));
    let all = [
        "m/.pipeline/hidden.yaml",
        "m/b.YML",
        "m/tracked.yaml",
        "m/untracked.yaml",
    ];
    for arguments in ["m", ".", "m m/b.YML ./m", "m/../m"] {
        let report = workshop.json(&format!("check -s settings.yaml {arguments}"));
        let names: Vec<_> = found(&report)
            .into_iter()
            .map(|name| name.replace("m/../", ""))
            .collect();
        let names: Vec<_> = names
            .iter()
            .map(|name| name.trim_start_matches("./"))
            .collect();
        assert_eq!(names, all, "{arguments}");
    }
    let report = workshop.json("check -s settings.yaml m");
    assert_eq!(report["summary"]["files"], 6);
    assert_eq!(report["summary"]["filesWithoutObjects"], 1);
    // From a folder within, and in a hook, where Git says where it is.
    let mut command = workshop.command("m/sub", "check -s ../../settings.yaml --format json ..");
    command
        .env("GIT_DIR", ".git")
        .env("GIT_INDEX_FILE", "/none")
        .env("GIT_WORK_TREE", "/");
    let report: Value = serde_json::from_str(&outcome(&mut command, "").stdout).unwrap();
    assert_eq!(found(&report).len(), 4);
}

#[test]
fn a_line_in_gitignore_does_not_turn_the_gate_off() {
    let workshop = workshop("files-gate");
    refused(&workshop, &["deploy/a.yaml"]);
    workshop.file(".gitignore", "").commit();
    for lines in ["deploy/\n", "*\n", "*.yaml\n", "/deploy\n"] {
        workshop
            .file(".gitignore", lines)
            .file("deploy/.gitignore", lines);
        for path in [".", "deploy"] {
            let outcome = workshop.run(&format!("check -s settings.yaml {path}"));
            assert_eq!(outcome.code, 1, "{lines} {path}: {outcome:?}");
        }
    }
    // What is deleted is not there, committed or not.
    std::fs::remove_file(workshop.0.join("deploy/a.yaml")).unwrap();
    refused(&workshop, &["deploy/b.yaml"]);
    workshop
        .file(".gitignore", "")
        .file("deploy/.gitignore", "");
    let report = workshop.json("check -s settings.yaml .");
    assert_eq!(found(&report), ["deploy/b.yaml"]);
}

#[test]
fn a_path_that_is_named_is_read_although_git_ignores_it() {
    let workshop = workshop("files-named");
    refused(
        &workshop,
        &[
            "rendered/a.yaml",
            "rendered/b/c.yaml",
            "kept/d.yaml",
            "file.txt",
        ],
    );
    workshop
        .file(".gitignore", "rendered/\nfile.txt\n")
        .file("kept/.gitignore", "*\n!.gitignore\n");
    assert_eq!(workshop.run("check -s settings.yaml .").code, 3);
    for (path, files) in [
        ("rendered", &["rendered/a.yaml", "rendered/b/c.yaml"][..]),
        ("rendered/b", &["rendered/b/c.yaml"]),
        ("rendered/a.yaml", &["rendered/a.yaml"]),
        ("kept", &["kept/d.yaml"]),
        ("file.txt", &["file.txt"]),
    ] {
        let report = workshop.json(&format!("check -s settings.yaml {path}"));
        assert_eq!(found(&report), files, "{path}");
    }
}

#[test]
fn submodules_and_repositories_within_are_read_as_folders() {
    let workshop = workshop("files-submodule");
    let other = Workshop::work_tree("files-submodule-other");
    refused(&other, &["base/a.yaml"]);
    other.commit();
    workshop.git(&format!(
        "submodule --quiet add {} vendor",
        other.0.display()
    ));
    workshop.commit();
    refused(&workshop, &["vendor/new.yaml", "nested/b.yaml"]);
    workshop.git_in("nested", "init --quiet", "");
    let report = workshop.json("check -s settings.yaml .");
    let all = [
        "./nested/b.yaml",
        "./vendor/base/a.yaml",
        "./vendor/new.yaml",
    ];
    assert_eq!(
        found(&report),
        all.map(|name| name.trim_start_matches("./"))
    );
    assert_eq!(report["notJudged"], serde_json::json!([]));
    // Not checked out, a submodule is an empty folder.
    workshop.git("submodule --quiet deinit --force vendor");
    let report = workshop.json("check -s settings.yaml .");
    assert_eq!(found(&report), ["nested/b.yaml"]);
    assert_eq!(report["notJudged"][0]["what"], "submodule");
    assert_eq!(report["notJudged"][0]["example"], "vendor");
    let outcome = workshop.run("check -s settings.yaml . --fail-on incomplete");
    assert_eq!(outcome.code, 3);
    assert!(
        outcome.stderr.contains("git submodule update --init"),
        "{outcome:?}"
    );
}

#[test]
fn a_link_and_its_target_are_one_file() {
    let workshop = workshop("files-link");
    refused(&workshop, &["m/b.yaml", "other/c.yaml"]);
    workshop
        .link("b.yaml", "m/a.yaml")
        .link("../other/c.yaml", "m/d.yaml")
        .link("m", "folder")
        .commit();
    let report = workshop.json("check -s settings.yaml m");
    assert_eq!(found(&report), ["m/b.yaml", "m/d.yaml"]);
    let report = workshop.json("check -s settings.yaml m other folder m/a.yaml");
    assert_eq!(found(&report), ["m/b.yaml", "other/c.yaml"]);
    let report = workshop.json("check -s settings.yaml folder");
    assert_eq!(found(&report), ["folder/b.yaml", "folder/d.yaml"]);
}

#[test]
fn without_git_all_files_are_read_and_that_is_said() {
    let workshop = workshop("files-no-git");
    refused(&workshop, &["m/a.yaml", "m/ignored.yaml"]);
    workshop.file("m/.gitignore", "ignored.yaml\n").commit();
    workshop.git("rm --quiet --cached m/ignored.yaml");
    assert_eq!(
        found(&workshop.json("check -s settings.yaml m")),
        ["m/a.yaml"]
    );
    let without_git = |workshop: &Workshop| {
        let mut command = workshop.command(".", "check -s settings.yaml m --quiet --format github");
        outcome(command.env("PATH", "/none"), "")
    };
    let told = without_git(&workshop);
    assert_eq!(told.stdout.lines().count(), 2, "{told:?}");
    assert!(told.stderr.starts_with("warning: "), "{told:?}");
    assert!(told.stderr.contains("cannot run git"), "{told:?}");
    // Git is there, but will not say: what the folder holds is read.
    let broken = Workshop::new("files-broken-git");
    broken
        .file("settings.yaml", SETTINGS)
        .file(".git", "gitdir: nowhere\n")
        .file(".gitignore", "ignored.yaml\n");
    refused(&broken, &["m/a.yaml", "m/ignored.yaml"]);
    let told: Outcome = broken.run("check -s settings.yaml m --quiet --format github");
    assert_eq!(told.stdout.lines().count(), 2, "{told:?}");
    assert!(told.stderr.contains("all files are read"), "{told:?}");
}

#[test]
fn outside_a_work_tree_all_files_are_read() {
    // Not below the folder of the tests, which is in a work tree.
    let folder = std::env::temp_dir().join("rollout-guard-files-outside");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let workshop = Workshop(folder);
    workshop
        .file("settings.yaml", SETTINGS)
        .file("m/.gitignore", "*\n")
        .file("m/.ignore", "*\n");
    refused(&workshop, &["m/a.yaml", "m/.hidden/b.yaml"]);
    let outcome = workshop.run("check -s settings.yaml m --quiet --format github");
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:?}");
    assert_eq!(outcome.stderr, "");
    std::fs::remove_dir_all(&workshop.0).unwrap();
}

#[test]
fn globs_leave_files_out() {
    let workshop = workshop("files-exclude");
    refused(
        &workshop,
        &[
            "a/x.yaml",
            "a/tests/y.yaml",
            "b/tests/z.yaml",
            "b/w.json.yaml",
        ],
    );
    for (globs, names) in [
        ("--exclude tests", &["a/x.yaml", "b/w.json.yaml"][..]),
        ("--exclude a/**", &["b/tests/z.yaml", "b/w.json.yaml"]),
        ("--exclude /b/ --exclude *y.yaml", &["a/x.yaml"]),
        ("--exclude=*.yaml --exclude=!x.yaml", &["a/x.yaml"]),
    ] {
        let report = workshop.json(&format!("check -s settings.yaml {globs} ."));
        let mut files = found(&report);
        files.sort_unstable();
        let mut names = names.to_vec();
        names.sort_unstable();
        assert_eq!(files, names, "{globs}");
        assert_eq!(
            report["summary"]["filesExcluded"].as_u64().unwrap(),
            5 - names.len() as u64 - u64::from(!globs.contains("*.yaml"))
        );
    }
    // A file that is named is read.
    let report = workshop.json("check -s settings.yaml a a/x.yaml --exclude a");
    assert_eq!(found(&report), ["a/x.yaml"]);
    let outcome = workshop.run("check -s settings.yaml . --exclude *");
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let outcome = workshop.run("check -s settings.yaml . --exclude [z-a]");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("`[z-a]` is no glob"), "{outcome:?}");
    // Globs count from the working folder.
    let outcome = workshop.run_in(
        "a",
        "check -s ../settings.yaml .. --exclude /tests --format json",
    );
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        found(&report),
        ["../a/x.yaml", "../b/tests/z.yaml", "../b/w.json.yaml"]
    );
}

#[test]
fn git_is_asked_once_however_many_folders_are_named() {
    let workshop = workshop("files-processes");
    let names: Vec<_> = (0..30).map(|number| format!("f{number}/a.yaml")).collect();
    refused(
        &workshop,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    workshop.file(
        "script",
        "#!/bin/sh\necho >>\"$CALLS\"\nexec /usr/bin/git \"$@\"\n",
    );
    let installed = Command::new("install")
        .args(["-D", "-m755", "script", "bin/git"])
        .current_dir(&workshop.0)
        .status();
    assert!(installed.unwrap().success());
    let folders: Vec<_> = (0..30).map(|number| format!("f{number}")).collect();
    let mut command = workshop.command(
        ".",
        &format!("check -s settings.yaml {}", folders.join(" ")),
    );
    command.env("CALLS", workshop.0.join("calls")).env(
        "PATH",
        format!("{}:/usr/bin:/bin", workshop.0.join("bin").display()),
    );
    assert_eq!(outcome(&mut command, "").code, 1);
    // For the folders, and for the kustomizations that may include what is in them.
    assert_eq!(workshop.read("calls").lines().count(), 2);
}
