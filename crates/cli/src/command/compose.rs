//! `rollout-guard compose`: settings made of a bundle and what a team adds, and what a change of settings does.

mod compare;
mod merge;
mod section;
mod text;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use rollout_guard::json;
use rollout_guard::settings::{Settings, SettingsError};

use crate::exit::Exit;
use crate::failure::{Failure, error, reason, warn};
use crate::input;
use crate::manifest::{Document, Lines};
use crate::output;
use crate::policy_file::Source;
use crate::report::count;
use crate::settings_file::{SettingsFile, settings_of};
use crate::settings_lints::{self, Lint};

use compare::{CompareFormat, compare};
use merge::Composed;
use section::Origin;

/// Extend settings without a fork, or compare what two versions of them do
///
/// Later files add to earlier ones: lists are appended, an item with a name that is already there replaces
/// it, and `{ name: x, disabled: true, reason: … }` takes it out. If a file is a Kubewarden policy, the
/// result is this policy with the composed settings. What becomes weaker is listed on standard error.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rollout-guard compose -o settings.yaml bundle.yaml own.yaml
  rollout-guard compose --fail-on-weaker bundle.yaml own.yaml
  rollout-guard compose --compare old.yaml new.yaml deploy/
  rollout-guard compose --compare --format markdown \\
    old.yaml new.yaml deploy/ > comment.md")]
pub(crate) struct Compose {
    /// Settings or policies, the first is extended by the others; with --compare the old settings, the new
    /// settings, and manifests
    #[arg(required = true, value_name = "FILES", value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,

    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Exit with 1 if the result is weaker than the first file, or with --compare if it newly admits something
    #[arg(long)]
    fail_on_weaker: bool,

    /// Say what the second settings refuse, admit and mirror otherwise than the first, for the manifests that follow
    #[arg(long)]
    compare: bool,

    /// Format of the comparison
    #[arg(long, value_enum, requires = "compare", default_value_t)]
    format: CompareFormat,
}

impl Compose {
    pub(crate) fn execute(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        input::only_once(self.files.iter())?;
        let mut text = Vec::new();
        let exit = if self.compare {
            self.compare(&mut text)?
        } else {
            self.compose(&mut text)?
        };
        match &self.output {
            None => out.write_all(&text)?,
            Some(path) => output::write(path, &text).map_err(|error| {
                let name = input::name(path);
                Failure::unreadable(format!("{name}: {}", reason(&error)))
            })?,
        }
        Ok(exit)
    }

    fn compare(&self, out: &mut Vec<u8>) -> Result<Exit, Failure> {
        let [old, new, paths @ ..] = self.files.as_slice() else {
            return Err(Failure::wrong_use(
                "--compare needs the old settings, the new settings, and manifests",
            ));
        };
        if paths.is_empty() {
            return Err(Failure::wrong_use(
                "--compare needs manifests after the two settings",
            ));
        }
        let outcome = compare(old, new, paths, self.format, out)?;
        Ok(if !outcome.is_whole {
            Exit::Unreadable
        } else if self.fail_on_weaker && outcome.admits_more {
            Exit::Violations
        } else {
            Exit::Clean
        })
    }

    fn compose(&self, out: &mut Vec<u8>) -> Result<Exit, Failure> {
        let [_, _, ..] = self.files.as_slice() else {
            return Err(Failure::wrong_use(
                "name the settings to extend, and at least one file that extends them",
            ));
        };
        let files = self.files.iter().map(|path| SettingsFile::read(path));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let documents = files.iter().map(SettingsFile::documents);
        let documents = documents.collect::<Result<Vec<_>, _>>()?;
        let parts = files.iter().zip(&documents);
        let parts = parts.map(|(file, documents)| Part::new(file, documents));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let values = parts.iter().map(|part| settings_value(part));
        let values = values.collect::<Result<Vec<_>, _>>()?;

        let mut composed = Composed::default();
        let mut problems = String::new();
        for (file, value) in values.iter().enumerate() {
            for error in composed.add(file, value.root()) {
                problems += &show(&parts, &error.origin, &error.problem, false);
            }
        }
        if !problems.is_empty() {
            return Err(Failure::laid_out(Exit::WrongUse, problems));
        }
        let name = |origin: &Origin| place(&parts, origin);
        let body = text::write(&composed, &name);
        check(&body, &composed, &parts)?;
        out.extend(around(&parts, &body)?.into_bytes());

        for weaker in &composed.weaker {
            warn(&format!(
                "weaker: {} ({})",
                weaker.problem,
                name(&weaker.origin)
            ));
        }
        let weaker = composed.weaker.len();
        if self.fail_on_weaker && weaker > 0 {
            error(&format!(
                "the result is weaker than {} in {}",
                parts
                    .first()
                    .map_or("the first file", |part| &part.file.name),
                count(weaker, "place", "places")
            ));
            return Ok(Exit::Violations);
        }
        Ok(Exit::Clean)
    }
}

/// The whole file: the policy that one of the files is, or settings alone.
fn around(parts: &[Part<'_>], body: &str) -> Result<String, Failure> {
    let mut policies = parts.iter().filter(|part| part.source.policy.is_some());
    let policy = policies.next();
    if let Some(other) = policies.next() {
        return Err(Failure::wrong_use(format!(
            "{}: only one of the files may be a policy",
            other.file.name
        )));
    }
    let names: Vec<_> = parts.iter().map(|part| part.file.name.as_str()).collect();
    let head = format!(
        "# Written by `rollout-guard compose` from {}. Change these files and write it again.\n",
        names.join(", ")
    );
    let Some(Part { file, source, .. }) = policy else {
        return Ok(head + body);
    };
    let whole = in_policy(&file.text, source.start(), &head, body);
    let unlike = || {
        let name = &file.name;
        Failure::unreadable(format!(
            "{name}: its `settings` cannot be replaced, write them as a map below `settings:`"
        ))
    };
    let whole = whole.ok_or_else(unlike)?;
    // What stands around the settings may refer into them.
    let of_policy = SettingsFile {
        name: file.name.clone(),
        text: whole,
    };
    let alone = SettingsFile {
        name: file.name.clone(),
        text: body.to_owned(),
    };
    match json_of(&of_policy) {
        Ok(json) if json == json_of(&alone)? => Ok(of_policy.text),
        _ => Err(unlike()),
    }
}

/// The text of a policy with other settings in the place of those that begin at a byte.
fn in_policy(text: &str, start: usize, head: &str, body: &str) -> Option<String> {
    // Nothing but comments, an anchor or a tag stands between the key and its value.
    let lines = text.get(..start)?.split_inclusive('\n').rev();
    let mut key = start;
    let line = lines.map(|line| {
        key -= line.len();
        (key, line)
    });
    let is_key = |(_, line): &(usize, &str)| line.trim_start().starts_with("settings:");
    let (key, line) = { line }.find(is_key)?;
    let column = line.len() - line.trim_start().len();
    let (before, old) = (text.get(..key + column)?, text.get(key + column..)?);
    let mut lines = old.split_inclusive('\n');
    let mut read = lines.next().map_or(0, str::len);
    let mut end = read;
    for line in lines {
        read += line.len();
        let rest = line.trim_start();
        if line.len() - rest.len() > column && !rest.is_empty() {
            end = read;
        } else if !rest.is_empty() && !rest.starts_with('#') {
            break;
        }
    }
    let mut whole = format!("{head}{before}settings:\n");
    let indent = " ".repeat(column + 2);
    for line in body.lines() {
        if !line.is_empty() {
            whole.push_str(&indent);
        }
        whole.push_str(line);
        whole.push('\n');
    }
    whole.push_str(old.get(end..)?);
    Some(whole)
}

/// The settings in a file.
fn json_of(file: &SettingsFile) -> Result<String, Failure> {
    let documents = file.documents()?;
    let sources = file.sources(&documents)?;
    Ok(sources
        .first()
        .map_or_else(String::new, |source| source.json().to_owned()))
}

/// A file, and the settings in it.
struct Part<'d> {
    file: &'d SettingsFile,
    source: Source<'d>,
}

impl<'d> Part<'d> {
    fn new(file: &'d SettingsFile, documents: &'d [Document<'d>]) -> Result<Self, Failure> {
        let mut sources = file.sources(documents)?;
        if sources.len() > 1 {
            return Err(Failure::wrong_use(format!(
                "{}: {} policies, expected one",
                file.name,
                sources.len()
            )));
        }
        let source = sources.pop();
        let source = source
            .filter(|source| source.value.is_some())
            .ok_or_else(|| Failure::wrong_use(format!("{}: no settings in it", file.name)))?;
        Ok(Self { file, source })
    }
}

fn settings_value<'d>(part: &Part<'d>) -> Result<json::Document<'d>, Failure> {
    json::Document::of(part.source.json())
        .map_err(|error| Failure::wrong_use(format!("{}: not readable: {error}", part.file.name)))
}

/// `own.yaml:12`
fn place(parts: &[Part<'_>], origin: &Origin) -> String {
    let Some(Part { file, source, .. }) = parts.get(origin.file) else {
        return String::new();
    };
    let at = source.span(&origin.path, true).start;
    format!("{}:{}", file.name, Lines::new(&file.text).position(at).line)
}

fn show(parts: &[Part<'_>], origin: &Origin, problem: &str, is_about_key: bool) -> String {
    let Some(Part { file, source, .. }) = parts.get(origin.file) else {
        return String::new();
    };
    file.show_mistake(source, &origin.path, problem, is_about_key)
}

/// Validates the result, with mistakes where they were written.
fn check(body: &str, composed: &Composed<'_>, parts: &[Part<'_>]) -> Result<(), Failure> {
    let whole = SettingsFile {
        name: "the composed settings".to_owned(),
        text: body.to_owned(),
    };
    let documents = whole.documents()?;
    let sources = whole.sources(&documents)?;
    let read = settings_of(&sources)?;
    let mut problems = String::new();
    for (source, document) in sources.iter().zip(&read) {
        match Settings::validate(document.root()) {
            Ok(valid) => {
                for Lint { path, problem } in settings_lints::find(source, &valid) {
                    let place = composed.origin(&path);
                    let place = place.map(|origin| self::place(parts, &origin));
                    warn(&format!("{path}: {problem}{}", in_brackets(place)));
                }
            }
            Err(errors) => {
                for SettingsError {
                    path,
                    kind,
                    problem,
                } in errors.iter()
                {
                    let origin = composed.origin(path);
                    problems += &origin.map_or_else(
                        || format!("error: {path}: {problem}\n"),
                        |origin| show(parts, &origin, problem, kind.is_about_key()),
                    );
                }
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::laid_out(Exit::WrongUse, problems))
}

fn in_brackets(place: Option<String>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}
