//! `rollout-guard check` over 10,000 manifests, beside the plain cost of parsing them.
//!
//! The manifests are the 20 in `manifests.yaml`, each with a number of its own in place of `@`. Both
//! sides read the same files on as many threads; the better of several runs counts, in turns, since
//! other work on the machine only ever adds.
//!
//! Run as a test, without optimisation, it holds with few manifests that it runs, and no limit.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use granit_parser::{Options, Parser};
use rayon::prelude::*;

const MANIFESTS: &str = include_str!("manifests.yaml");
const FILES: usize = 10_000;
const FEW_FILES: usize = 100;
const THREADS: usize = 2;
const RUNS: usize = 5;

/// The limits: time, time against the parser, memory.
const LONGEST: Duration = Duration::from_secs(2);
const MOST_TIMES: f64 = 1.5;
const MOST_MEMORY: u64 = 200;

const SETTINGS: &str = "\
registries: { allow: [\"*.azurecr.io\", registry.example.com/cache/docker.io, registry.example.com/cache/quay.io, ghcr.io/example] }
images: { reject: [\"docker.io/library/redis:6*\"] }
tags: { reject: [latest, \"*-rc*\"] }
";

#[expect(clippy::cast_precision_loss, reason = "megabytes to one place")]
fn main() -> io::Result<ExitCode> {
    // So `cargo bench` calls it.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (count, runs) = if is_measured {
        (FILES, RUNS)
    } else {
        (FEW_FILES, 1)
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-bench");
    let (files, bytes) = generate(&folder, count)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(THREADS)
        .build_global()
        .map_err(io::Error::other)?;
    let (mut parse, mut check, mut memory) = (Duration::MAX, Duration::MAX, 0);
    for _ in 0..runs {
        let begin = Instant::now();
        let events: usize = files.par_iter().map(|file| events(file)).sum();
        parse = parse.min(begin.elapsed());
        assert!(events > count, "the parser read something");
        let (time, peak) = check_all(&folder)?;
        check = check.min(time);
        memory = memory.max(peak);
    }
    let times = check.as_secs_f64() / parse.as_secs_f64();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "check: {count} manifests, {:.1} MB, {THREADS} threads: {:.2} s, {times:.2} times the parser's {:.2} s, {memory} MiB (at most {:.0} s, {MOST_TIMES} times, {MOST_MEMORY} MiB)",
        bytes as f64 / 1e6,
        check.as_secs_f64(),
        parse.as_secs_f64(),
        LONGEST.as_secs_f64(),
    )?;
    let is_within = check <= LONGEST && times <= MOST_TIMES && memory <= MOST_MEMORY;
    Ok(if is_within || !is_measured {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Writes the manifests; tells their paths and their size.
fn generate(folder: &Path, count: usize) -> io::Result<(Vec<PathBuf>, usize)> {
    let _ = fs::remove_dir_all(folder);
    let kinds: Vec<_> = MANIFESTS.split("---\n").collect();
    let mut files = Vec::new();
    let mut bytes = 0;
    for number in 0..count {
        let folder = folder.join(format!("manifests/{:02}", number % 100));
        fs::create_dir_all(&folder)?;
        let kind = kinds.get(number % kinds.len()).copied().unwrap_or_default();
        let text = kind.replace('@', &number.to_string());
        let file = folder.join(format!("{number}.yaml"));
        fs::write(&file, &text)?;
        bytes += text.len();
        files.push(file);
    }
    fs::write(folder.join("settings.yaml"), SETTINGS)?;
    Ok((files, bytes))
}

/// Reads and parses a file, and does nothing with what is in it.
fn events(file: &Path) -> usize {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut options = Options::default();
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(&text, options)
        .flatten()
        .count()
}

/// Runs the command; tells how long it took, and its memory at most in MiB.
fn check_all(folder: &Path) -> io::Result<(Duration, u64)> {
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollout-guard"))
        .current_dir(folder)
        .args(["check", "-s", "settings.yaml", "manifests"])
        .env("RAYON_NUM_THREADS", THREADS.to_string())
        .stdout(Stdio::null())
        .spawn()?;
    let mut memory = 0;
    loop {
        memory = memory.max(peak(child.id()));
        if let Some(status) = child.try_wait()? {
            assert!(status.success(), "{status}");
            return Ok((begin.elapsed(), memory));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The memory of a process at most so far, in MiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}
