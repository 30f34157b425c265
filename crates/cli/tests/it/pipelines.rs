//! What is shown for pipelines runs: the scripts of the GitHub action, of the GitLab snippet and of
//! the pre-commit hooks, as their runners call them. How each of them gets the command is tested with the
//! files of a release, in `e2e-tests/distribution.bats`.

use std::process::Command;

use serde_json::Value;

use crate::command::{Outcome, Workshop, pod};

const ACTION: &str = include_str!("../../../../action.yml");
const HOOKS: &str = include_str!("../../../../.pre-commit-hooks.yaml");
const PAGE: &str = include_str!("../../../../docs/pipelines.md");

const PROGRAM: &str = env!("CARGO_BIN_EXE_rollout-guard");
const SETTINGS: &str = "mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]\nregistries: { allow: [ghcr.io] }\nrewrite: never\n";

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("policy/settings.yaml", SETTINGS)
        .file("deploy/clean.yaml", pod("a", "ghcr.io/org/app:1"))
        .file("deploy/of a team/refused.yaml", pod("b", "redis:7"));
    // Where the step before puts the command, and has it found.
    let bin = workshop.0.join("runner/rollout-guard/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(PROGRAM, bin.join("rollout-guard")).unwrap();
    workshop
}

/// Runs a script as GitHub's and GitLab's runners do.
fn run(workshop: &Workshop, script: &str, variables: &[(&str, &str)]) -> Outcome {
    let runner = workshop.0.join("runner");
    let path = format!(
        "{}:/usr/bin:/bin",
        runner.join("rollout-guard/bin").display()
    );
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(&workshop.0)
        .env_clear()
        .env("PATH", path)
        .env("RUNNER_TEMP", &runner)
        .env("GITHUB_OUTPUT", runner.join("output"))
        .env(
            "GITHUB_ACTION_PATH",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
        )
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_github_action_judges_what_its_inputs_name() {
    let action: Value = yaml_serde::from_str(ACTION).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.last().unwrap();
    let script = step["run"].as_str().unwrap();
    let inputs = action["inputs"].as_object().unwrap();
    // Every input reaches a script by a variable, and never as a part of it.
    let scripts = || steps.iter().filter_map(|step| step["run"].as_str());
    assert!(scripts().all(|script| !script.contains("${{")));
    for (input, _) in inputs {
        let expression = format!("${{{{ inputs.{input} }}}}");
        let variables = steps.iter().filter_map(|step| step["env"].as_object());
        assert!(
            variables.flatten().any(|(_, value)| *value == expression),
            "{input}"
        );
    }
    let workshop = workshop("pipelines-action");
    let judge = |given: &[(&str, &str)]| {
        let mut all = Vec::new();
        for (input, described) in inputs {
            let default = described["default"].as_str().unwrap_or_default();
            let value = given.iter().find(|(name, _)| name == input);
            let value = value.map_or(default, |(_, value)| *value);
            all.push((input.to_uppercase(), value));
        }
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        run(&workshop, script, &all)
    };
    let settings = ("settings", "policy/settings.yaml");
    let outcome = judge(&[settings, ("paths", "deploy")]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .starts_with("::error file=deploy/of a team/refused.yaml,line=7,"),
        "{outcome:?}"
    );
    assert_eq!(judge(&[settings, ("paths", "deploy/clean.yaml")]).code, 0);
    // The defaults: the whole checkout.
    assert_eq!(judge(&[settings]).code, 1);
    let outcome = judge(&[
        settings,
        ("paths", "deploy/clean.yaml\ndeploy\n"),
        ("format", "sarif"),
        ("output", "report.sarif"),
        ("args", "--namespace prod\n--quiet"),
    ]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (1, ""),
        "{outcome:?}"
    );
    let report: Value = serde_json::from_str(&workshop.read("report.sarif")).unwrap();
    assert_eq!(report["runs"][0]["results"].as_array().unwrap().len(), 1);
    // What the action says to later steps, with the same report.
    let said = workshop.read("runner/output");
    let said = |name: &str| {
        let mut values = said.lines().filter_map(|line| line.strip_prefix(name));
        values.next_back().unwrap().to_owned()
    };
    assert_eq!(said("violations="), "1");
    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(said("sarif=")).unwrap()).unwrap();
    assert_eq!(sarif, report);
    // What looks like a script is a path that is not there.
    let outcome = judge(&[settings, ("paths", "$(touch${IFS}made);`touch${IFS}made`")]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(!workshop.0.join("made").exists());
    assert_eq!(judge(&[("settings", "none.yaml")]).code, 2);
}

/// The blocks of the page that are files of other tools.
fn blocks() -> Vec<Value> {
    let mut blocks = PAGE.split("\n```yaml workflow\n");
    blocks.next();
    blocks
        .map(|block| yaml_serde::from_str(block.split("\n```").next().unwrap()).unwrap())
        .collect()
}

#[test]
fn the_gitlab_job_leaves_a_report_and_fails() {
    let job = blocks()
        .into_iter()
        .find_map(|block| {
            block
                .get("manifests")
                .filter(|job| job["script"].is_array())
                .cloned()
        })
        .unwrap();
    let lines: Vec<_> = job["script"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    // Only this image has a shell, which runs the script.
    let image = concat!("ghcr.io/rollout-guard/cli-ci:v", env!("CARGO_PKG_VERSION"));
    assert_eq!(job["image"], image);
    let workshop = workshop("pipelines-gitlab");
    let outcome = run(&workshop, &lines.join("\n"), &[]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(job["artifacts"]["when"], "always");
    let report = workshop.read(job["artifacts"]["reports"]["junit"].as_str().unwrap());
    let counts = "tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\"";
    assert!(report.contains(counts), "{report}");
}

#[test]
fn the_hooks_judge_and_mend_the_files_of_a_commit() {
    let configuration = blocks()
        .into_iter()
        .find(|block| block.get("repos").is_some())
        .unwrap();
    let shown = &configuration["repos"][0]["hooks"][0];
    let hooks: Vec<Value> = yaml_serde::from_str(HOOKS).unwrap();
    let workshop = workshop("pipelines-hooks");
    let call = |id: &str, files: &[&str]| {
        let hook = hooks.iter().find(|hook| hook["id"] == id).unwrap();
        // With the wheel, no compiler is needed.
        assert_eq!(hook["language"], "python");
        // A commit may touch no manifest.
        let entry = hook["entry"].as_str().unwrap();
        assert!(entry.ends_with(" --allow-empty"), "{entry}");
        let mut script = entry.to_owned();
        for argument in shown["args"].as_array().unwrap() {
            script.extend([" ", argument.as_str().unwrap()]);
        }
        for file in files {
            script.extend([" '", file, "'"]);
        }
        run(&workshop, &script, &[])
    };
    assert!(hooks.iter().any(|hook| hook["id"] == shown["id"]));
    let (clean, refused) = ("deploy/clean.yaml", "deploy/of a team/refused.yaml");
    let outcome = call("rollout-guard", &[clean]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
    assert_eq!(call("rollout-guard", &[clean, refused]).code, 1);
    // pre-commit fails a hook that changes files, whatever its exit code.
    assert_eq!(call("rollout-guard-fix", &[clean, refused]).code, 0);
    assert_eq!(
        workshop.read(refused),
        pod("b", "ghcr.io/hub/library/redis:7")
    );
    assert_eq!(call("rollout-guard", &[clean, refused]).code, 0);
}
