//! The file that holds the settings: reads it, and shows what is wrong in it.

use std::path::Path;

use crate::settings_lints::Lint;
use rollout_guard::json;
use rollout_guard::settings::{Settings, SettingsError};

use crate::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::Severity;
use crate::input;
use crate::manifest::{self, Document, Lines};
use crate::policy_file::{self, Source};
use crate::snippet::Snippet;

/// A settings file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct SettingsFile {
    /// As messages show it.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl SettingsFile {
    /// Reads a settings file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = input::name(path);
        match input::read(path) {
            Ok(read) => Ok(Self {
                name,
                text: read.text,
            }),
            Err(unread) => Err(Failure::wrong_use(format!("{name}: {}", unread.problem))),
        }
    }

    /// The documents of the file.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, with its place.
    pub(crate) fn documents(&self) -> Result<Vec<Document<'_>>, Failure> {
        let mut documents = Vec::new();
        let mut errors = Vec::new();
        manifest::documents(&self.text, &mut |part| match part {
            Ok(document) => {
                // kubectl takes the last one; who writes settings must not be left to guess.
                for key in document.tree.repeated_keys() {
                    errors.push((
                        document.in_file(&key.span),
                        format!("the key `{}` occurs twice", key.key),
                    ));
                }
                documents.push(document);
            }
            Err(error) => errors.push((error.at..error.at + 1, error.problem)),
        });
        if errors.is_empty() {
            return Ok(documents);
        }
        let lines = Lines::new(&self.text);
        let shown = errors.iter().map(|(span, problem)| {
            let excerpt = lines.excerpt(span);
            Snippet::new(Severity::Error, problem)
                .at(&self.name, &excerpt, "")
                .render()
        });
        Err(Failure::laid_out(
            Exit::WrongUse,
            shown.collect::<Vec<_>>().join("\n"),
        ))
    }

    /// The settings in the documents.
    ///
    /// # Errors
    ///
    /// Where there are none.
    pub(crate) fn sources<'d>(
        &self,
        documents: &'d [Document<'_>],
    ) -> Result<Vec<Source<'d>>, Failure> {
        policy_file::sources(documents)
            .map_err(|problem| Failure::wrong_use(format!("{}: {problem}", self.name)))
    }

    /// Shows mistakes in settings with the lines that hold them.
    pub(crate) fn show_errors<'e>(
        &self,
        source: &Source<'_>,
        errors: impl Iterator<Item = &'e SettingsError>,
    ) -> String {
        let errors = errors.map(|error| (&*error.path, &*error.problem, error.kind.is_about_key()));
        self.show(source, errors, Severity::Error)
    }

    /// Shows lints with the lines that they are about.
    pub(crate) fn show_warnings(&self, source: &Source<'_>, lints: &[Lint]) -> String {
        let lints = lints
            .iter()
            .map(|lint| (&*lint.path, &*lint.problem, false));
        self.show(source, lints, Severity::Warning)
    }

    /// Shows a mistake at a path of the settings.
    pub(crate) fn show_mistake(
        &self,
        source: &Source<'_>,
        path: &str,
        problem: &str,
        is_about_key: bool,
    ) -> String {
        let mistakes = std::iter::once((path, problem, is_about_key));
        self.show(source, mistakes, Severity::Error)
    }

    fn show<'e>(
        &self,
        source: &Source<'_>,
        mistakes: impl Iterator<Item = (&'e str, &'e str, bool)>,
        severity: Severity,
    ) -> String {
        let lines = Lines::new(&self.text);
        let shown = mistakes.map(|(path, problem, is_about_key)| {
            let excerpt = lines.excerpt(&source.span(path, is_about_key));
            let mut text = Snippet::new(severity, problem)
                .at(&self.name, &excerpt, path)
                .render();
            text.push('\n');
            text
        });
        shown.collect()
    }
}

/// The settings of policies, as the engine reads them.
pub(crate) fn settings_of<'s>(
    sources: &'s [Source<'_>],
) -> Result<Vec<json::Document<'s>>, Failure> {
    sources
        .iter()
        .map(|source| json::Document::of(source.json()))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::wrong_use(format!("settings: not readable: {error}")))
}

/// The settings of policies, checked.
pub(crate) fn settings<'n>(
    file: &SettingsFile,
    sources: &[Source<'_>],
    documents: &'n [json::Document<'n>],
) -> Result<Vec<Settings<'n>>, Failure> {
    let mut valid = Vec::new();
    let mut shown = Vec::new();
    for (source, document) in sources.iter().zip(documents) {
        match Settings::validate(document.root()) {
            Ok(settings) => valid.push(settings.with_clock(clock::get())),
            Err(errors) => shown.push(file.show_errors(source, errors.iter())),
        }
    }
    if shown.is_empty() {
        Ok(valid)
    } else {
        Err(Failure::laid_out(Exit::WrongUse, shown.concat()))
    }
}
