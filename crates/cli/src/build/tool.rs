//! Runs kustomize, kubectl and helm: with nothing of the user's environment, for a limited time.
//!
//! A tree that is checked may be a stranger's. What it names is neither run nor fetched: the tools see no
//! plugins, no repositories and no cluster, find no other program (kustomize clones with `git`), and their
//! proxy is a port on which nothing answers.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::reason;

/// A build that takes longer is ended.
const LONGEST: Duration = Duration::from_mins(1);

/// More output than this is no answer: the largest file that is read.
const LARGEST_OUTPUT: u64 = 64 << 20;

/// The address space of a tool: a template may repeat a string until memory ends.
#[cfg(target_os = "linux")]
const MOST_MEMORY: u64 = 4 << 30;

/// Of a longer complaint only both ends are told: a stack follows what Helm says, and what kustomize found is at the
/// end, behind a chain of folders.
const BEGINNING: usize = 400;
const END: usize = 600;

/// Nothing listens there: the port `discard`.
const NO_PROXY_THERE: &str = "http://127.0.0.1:9";

/// A program that builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    program: PathBuf,
    /// The words before a folder: `build`, `kustomize`, `template`.
    command: &'static str,
}

impl Tool {
    /// `kustomize`, or `kubectl`, which contains it.
    pub(crate) fn kustomize() -> Option<Self> {
        let tool = |(name, command)| {
            let program = find(name)?;
            Some(Self { program, command })
        };
        [("kustomize", "build"), ("kubectl", "kustomize")]
            .into_iter()
            .find_map(tool)
    }

    pub(crate) fn helm() -> Option<Self> {
        let program = find("helm")?;
        Some(Self {
            program,
            command: "template",
        })
    }

    /// Runs it with arguments in an empty home; hands back what it printed.
    ///
    /// # Errors
    ///
    /// What it said, or why it has no answer.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        arguments: &[A],
        home: &Path,
    ) -> Result<String, String> {
        self.run_for(LONGEST, arguments, home)
    }

    /// As [`run`](Self::run), for as long as it may take.
    fn run_for<A: AsRef<OsStr>>(
        &self,
        longest: Duration,
        arguments: &[A],
        home: &Path,
    ) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command
            .arg(self.command)
            .args(arguments)
            .current_dir(home)
            .env_clear()
            .env("PATH", home)
            .env("KUBECONFIG", home.join("kubeconfig"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for folder in [
            "HOME",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
        ] {
            command.env(folder, home);
        }
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(proxy, NO_PROXY_THERE);
        }
        // Helm 3 reads the last; the others are its folders, and those of Helm 4.
        for (name, value) in [
            ("HELM_CACHE_HOME", "helm-cache"),
            ("HELM_CONFIG_HOME", "helm-config"),
            ("HELM_DATA_HOME", "helm-data"),
            ("HELM_PLUGINS", "helm-plugins"),
        ] {
            command.env(name, home.join(value));
        }
        command.env("HELM_NO_PLUGINS", "1");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let name = self.name();
        let child = command
            .spawn()
            .map_err(|error| format!("cannot run {name}: {}", reason(&error)))?;
        let (status, out, told) =
            wait(child, longest).map_err(|problem| format!("{name} {problem}"))?;
        if !status.success() {
            return Err(match complaint(&String::from_utf8_lossy(&told)) {
                told if told.is_empty() => format!("{name} failed ({status})"),
                told => told,
            });
        }
        String::from_utf8(out).map_err(|_| format!("{name} printed what is not UTF-8"))
    }

    fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// What a tool said, in one line and without what stands before it: `Error: `, or a line of kubectl's log.
fn complaint(told: &str) -> String {
    let told = told.trim();
    let told = match told.split_once(r#""command failed" err="#) {
        Some((_, text)) => match text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            Some(text) => text.replace(r#"\""#, "\""),
            // Of more than one line.
            None => text
                .trim_start_matches('<')
                .trim_end_matches('>')
                .to_owned(),
        },
        None => told.to_owned(),
    };
    let lines = told.lines().map(str::trim);
    // kustomize warns of fields that are old, and Helm names one of its options.
    let is_of_error = |line: &&str| {
        !line.is_empty() && !line.starts_with("# Warning: ") && !line.starts_with("Use --debug ")
    };
    let mut line = lines.filter(is_of_error).collect::<Vec<_>>().join("; ");
    for prefix in ["Error: ", "error: "] {
        line = line.replacen(prefix, "", usize::from(line.starts_with(prefix)));
    }
    if let Some(inside) = inside_outermost(&line) {
        line = inside.to_owned();
    }
    if line.len() > BEGINNING + END {
        let left_out =
            line.floor_char_boundary(BEGINNING)..line.ceil_char_boundary(line.len() - END);
        line.replace_range(left_out, " … ");
    }
    line
}

/// What kustomize says of the root, without what it says of the kustomization that is written around it.
fn inside_outermost(line: &str) -> Option<&str> {
    let outermost = line.strip_prefix("accumulating resources: accumulation err=")?;
    let layers = [
        "recursed accumulation of path '",
        "couldn't make target for path '",
    ];
    let (_, from_root) = layers
        .iter()
        .filter_map(|layer| outermost.split_once(layer))
        .min_by_key(|(before, _)| before.len())?;
    let (_, inside) = from_root.split_once("': ")?;
    Some(inside)
}

/// A program on the path. Entries that count from the working folder are left out: they may be folders
/// of the tree.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// What a program printed to its two outputs, and how it ended.
type Ended = (ExitStatus, Vec<u8>, Vec<u8>);

fn wait(mut child: Child, longest: Duration) -> Result<Ended, String> {
    limit_memory(&child);
    let out = child.stdout.take().map(read);
    let told = child.stderr.take().map(read);
    let since = Instant::now();
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| reason(&error))? {
            break status;
        }
        if since.elapsed() > longest {
            end(&mut child);
            let seconds = longest.as_secs();
            return Err(format!("took longer than {seconds} seconds, and was ended"));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    // What it started must not hold the outputs open.
    end(&mut child);
    let text = |reader: Option<Reader>| {
        let read = reader.and_then(|reader| reader.join().ok());
        read.unwrap_or_default()
    };
    let (out, told) = (text(out), text(told));
    if out.len() as u64 > LARGEST_OUTPUT {
        let most = LARGEST_OUTPUT >> 20;
        return Err(format!("printed more than {most} MiB"));
    }
    Ok((status, out, told))
}

type Reader = thread::JoinHandle<Vec<u8>>;

/// Reads an output to its end, or as much of it as may be read: then it is closed, which ends the program.
fn read(mut output: impl Read + Send + 'static) -> Reader {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error counts.
        let _ = output
            .by_ref()
            .take(LARGEST_OUTPUT + 1)
            .read_to_end(&mut bytes);
        bytes
    })
}

/// Ends a program, and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = process(child) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

#[cfg(unix)]
fn process(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)
}

#[cfg(target_os = "linux")]
fn limit_memory(child: &Child) {
    use rustix::process::{Resource, Rlimit, prlimit};

    let limit = Rlimit {
        current: Some(MOST_MEMORY),
        maximum: Some(MOST_MEMORY),
    };
    // Without a limit the time is limited still.
    let _ = prlimit(process(child), Resource::As, limit);
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: &Child) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Result<String, String> {
        let tool = Tool {
            program: "/bin/sh".into(),
            command: "-c",
        };
        let home = tempfile::tempdir().unwrap();
        tool.run(&[script], home.path())
    }

    #[test]
    fn a_complaint_is_one_line() {
        for (told, wanted) in [
            ("error: no such\nfile\n", "no such; file"),
            ("Error: a\n", "a"),
            ("# Warning: 'vars' is deprecated.\nerror: a\n", "a"),
            (
                "Error: a\n\nUse --debug flag to render out invalid YAML\n",
                "a",
            ),
            (
                r#"E1128 07:00:13.298094   28774 run.go:72] "command failed" err="a \"b\" c""#,
                r#"a "b" c"#,
            ),
            (
                "E1128 07:03:33 1 run.go:72] \"command failed\" err=<\n\ta\n\tb\n >\n",
                "a; b",
            ),
            (
                "error: accumulating resources: accumulation err='accumulating resources from '../../a': '/t/a' must resolve to a file': couldn't make target for path '/t/a': kustomization.yaml is empty",
                "kustomization.yaml is empty",
            ),
            (
                "error: accumulating resources: accumulation err='accumulating resources from '../../a': '/t/a' must resolve to a file': recursed accumulation of path '/t/a': accumulating resources: accumulation err='accumulating resources from '../b': '/t/b' must resolve to a file': couldn't make target for path '/t/b': kustomization.yaml is empty",
                "accumulating resources: accumulation err='accumulating resources from '../b': '/t/b' must resolve to a file': couldn't make target for path '/t/b': kustomization.yaml is empty",
            ),
        ] {
            assert_eq!(complaint(told), wanted);
        }
        let long = complaint(&format!("{}: cause", "ä".repeat(1000)));
        assert!(long.len() < 1010 && long.starts_with("ää") && long.ends_with("ä: cause"));
        assert_eq!(
            run("echo a; exit 1"),
            Err("sh failed (exit status: 1)".to_owned())
        );
        assert_eq!(run("echo b >&2; exit 1"), Err("b".to_owned()));
    }

    #[test]
    fn a_tool_sees_nothing_of_the_environment_and_finds_no_program() {
        let seen = run("export -p").unwrap();
        assert!(!seen.contains("CARGO"), "{seen}");
        for name in ["HOME", "PATH", "HELM_PLUGINS", "KUBECONFIG"] {
            assert!(seen.contains(name), "{name}: {seen}");
        }
        assert!(run("git --version").is_err());
    }

    /// Neither the tool nor its child heeds a polite request, and both hold the outputs open.
    #[test]
    fn what_takes_too_long_is_ended_with_what_it_started() {
        let tool = Tool {
            program: "/bin/sh".into(),
            command: "-c",
        };
        let home = tempfile::tempdir().unwrap();
        let script = "trap '' TERM INT HUP; /bin/sh -c 'trap \"\" TERM INT HUP; echo $$ >child; while :; do /bin/sleep 1; done' & echo begun; while :; do /bin/sleep 1; done";
        let since = Instant::now();
        let told = tool.run_for(Duration::from_secs(2), &[script], home.path());
        let wanted = "sh took longer than 2 seconds, and was ended".to_owned();
        assert_eq!(told, Err(wanted));
        assert!(since.elapsed() < Duration::from_secs(30));
        let child = std::fs::read_to_string(home.path().join("child")).unwrap();
        let status = Path::new("/proc").join(child.trim()).join("stat");
        // Ended, if nobody has asked yet how: a zombie.
        let is_ended =
            || std::fs::read_to_string(&status).map_or(true, |status| status.contains(" Z "));
        let has_ended = (0..100).any(|_| {
            thread::sleep(Duration::from_millis(50));
            is_ended()
        });
        assert!(has_ended, "{child}");
    }

    #[test]
    fn an_output_without_end_ends_the_tool() {
        let told = run(
            "a=yyyyyyyy; for _ in 1 2 3 4 5 6 7 8 9; do a=$a$a; done; while :; do echo $a; done",
        );
        assert_eq!(told, Err("sh printed more than 64 MiB".to_owned()));
    }
}
