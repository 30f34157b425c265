//! Runs the command in a folder of its own.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder with files for one test.
pub(crate) struct Workshop(pub(crate) PathBuf);

/// What the command did.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workshop {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A folder that is a work tree of Git.
    pub(crate) fn work_tree(name: &str) -> Self {
        let workshop = Self::new(name);
        workshop.git("init --quiet");
        workshop
    }

    /// Runs Git, with nothing of the configuration of whoever runs the tests.
    pub(crate) fn git(&self, arguments: &str) -> Outcome {
        self.git_in(".", arguments, "")
    }

    /// Runs Git in a folder, with a text on standard input.
    pub(crate) fn git_in(&self, folder: &str, arguments: &str, stdin: &str) -> Outcome {
        let mut git = Command::new("git");
        git.current_dir(self.0.join(folder))
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments.split_whitespace())
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let outcome = outcome(&mut git, stdin);
        assert_eq!(outcome.code, 0, "git {arguments}: {outcome:?}");
        outcome
    }

    /// Tracks everything that is there.
    pub(crate) fn commit(&self) -> &Self {
        self.git("add --all --force");
        self.git("commit --quiet -m all");
        self
    }

    pub(crate) fn link(&self, target: &str, name: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.0.join(name)).unwrap();
        self
    }

    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    /// A work tree with a copy of one of the repositories in `tests/repositories`.
    pub(crate) fn repository(name: &str, test: &str) -> Self {
        let workshop = Self::work_tree(test);
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/repositories");
        workshop.copy(&repositories.join(name), "");
        workshop
    }

    fn copy(&self, from: &Path, to: &str) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{to}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                self.copy(&path, &format!("{name}/"));
            } else {
                self.file(&name, fs::read(path).unwrap());
            }
        }
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub(crate) fn run(&self, arguments: &str) -> Outcome {
        self.run_with(arguments, "")
    }

    /// Runs the command with a text on standard input.
    pub(crate) fn run_with(&self, arguments: &str, stdin: &str) -> Outcome {
        outcome(&mut self.command(".", arguments), stdin)
    }

    /// Runs the command in a folder.
    pub(crate) fn run_in(&self, folder: &str, arguments: &str) -> Outcome {
        outcome(&mut self.command(folder, arguments), "")
    }

    /// The command, to be run in a folder.
    pub(crate) fn command(&self, folder: &str, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollout-guard"));
        command
            .current_dir(self.0.join(folder))
            .args(arguments.split_whitespace())
            .env("PATH", path_with_tools())
            .env_remove("COLUMNS");
        command
    }

    /// Installs a program into the folder `bin`, which [`run_with_programs`](Self::run_with_programs) finds.
    pub(crate) fn program(&self, name: &str, script: &str) -> &Self {
        self.file(&format!("{name}.sh"), format!("#!/bin/sh\n{script}\n"));
        // Written by another process: a test that forks while this one has the file open for writing
        // would keep it from being run (ETXTBSY).
        let installed = Command::new("install")
            .args(["-D", "-m755", &format!("{name}.sh"), &format!("bin/{name}")])
            .current_dir(&self.0)
            .status();
        assert!(installed.unwrap().success());
        self
    }

    /// Installs one that notes its runs and is that of the system.
    pub(crate) fn count_runs(&self, program: &str) -> &Self {
        let log = self.0.join(format!("{program}.log"));
        let script = format!(
            "echo \"$@\" >>{}\nexec /usr/bin/{program} \"$@\"",
            log.display()
        );
        self.program(program, &script)
    }

    /// How often it ran since this was asked last.
    pub(crate) fn runs(&self, program: &str) -> usize {
        let log = self.0.join(format!("{program}.log"));
        let runs = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        runs.lines().count()
    }

    /// Runs the command where the programs of the folder `bin` come before those of the system.
    pub(crate) fn run_with_programs(&self, arguments: &str) -> Outcome {
        let path = format!("{}:/usr/bin:/bin", self.0.join("bin").display());
        outcome(self.command(".", arguments).env("PATH", path), "")
    }

    /// Runs a command that reports in JSON.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let outcome = self.run(&format!("{arguments} --format json"));
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
    }
}

/// Runs a command with a text on standard input.
pub(crate) fn outcome(command: &mut Command, stdin: impl AsRef<[u8]>) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that stops early reads nothing.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Outcome {
    /// All that was printed, as a snapshot keeps it.
    pub(crate) fn shown(&self) -> String {
        format!(
            "exit {}\n{}{}{}",
            self.code,
            self.stdout,
            if self.stderr.is_empty() {
                ""
            } else {
                "stderr:\n"
            },
            self.stderr
        )
    }
}

/// A Pod with one container.
pub(crate) fn pod(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: {name} }}\nspec:\n  containers:\n    - name: app\n      image: {image}\n"
    )
}

/// Whether a shell or a tool is there. With `STRICT=1` it has to be; else the test says what it leaves
/// out.
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .env("PATH", path_with_tools())
        .output();
    let is_there = found.unwrap().status.success();
    let is_strict = std::env::var("STRICT").is_ok_and(|strict| strict == "1");
    assert!(is_there || !is_strict, "STRICT=1: install {tool}");
    if !is_there {
        // Past the harness, which keeps what a test prints to itself until it fails.
        let _ = writeln!(std::io::stderr(), "left out: {tool} is not installed");
    }
    is_there
}

/// The programs that `make tools` installs for the tests, before those of the machine.
pub(crate) fn path_with_tools() -> OsString {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path))).unwrap()
}
