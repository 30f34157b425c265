//! Reads from a cluster, with kubectl: nothing is ever written to it.

use std::process::{Command, Stdio};

use rayon::prelude::*;

use crate::failure::{Failure, reason};

/// A cluster, as kubectl reaches it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kubectl<'k> {
    /// The context; without one, kubectl's current one.
    pub(crate) context: Option<&'k str>,
}

/// Objects of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Lists, as kubectl prints them.
    pub(crate) texts: Vec<String>,
    /// Resources that could not be listed, and why.
    pub(crate) failed: Vec<(String, String)>,
}

impl Kubectl<'_> {
    /// Lists resources, in a namespace or in all of them. What the user may not list does not hide the rest.
    pub(crate) fn list(self, resources: &[&str], namespace: Option<&str>) -> Listed {
        let list = |resources: &str| {
            let mut arguments = vec!["get", resources];
            match namespace {
                Some(namespace) => arguments.extend(["--namespace", namespace]),
                None => arguments.push("--all-namespaces"),
            }
            arguments.extend(["--output", "json"]);
            self.run(&arguments)
        };
        let answers = match (list(&resources.join(",")), resources) {
            (Ok(text), _) => {
                return Listed {
                    texts: vec![text],
                    failed: Vec::new(),
                };
            }
            (Err(problem), [only]) => vec![((*only).to_owned(), Err(problem))],
            // One request for each tells which of them cannot be listed.
            (Err(_), _) => resources
                .par_iter()
                .map(|resource| ((*resource).to_owned(), list(resource)))
                .collect(),
        };
        let mut listed = Listed::default();
        for (resource, answer) in answers {
            match answer {
                Ok(text) => listed.texts.push(text),
                Err(problem) => listed.failed.push((resource, problem)),
            }
        }
        listed
    }

    /// The context that kubectl uses where none is named.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub(crate) fn current_context() -> Result<String, Failure> {
        let context = Kubectl::default().run(&["config", "current-context"]);
        match context.as_deref().map(str::trim) {
            Ok("") => Err(Failure::wrong_use(
                "kubectl has no current context: name one with --context, or files with --cluster",
            )),
            Ok(context) => Ok(context.to_owned()),
            Err(problem) => Err(Failure::unreadable(format!("kubectl: {problem}"))),
        }
    }

    fn run(self, arguments: &[&str]) -> Result<String, String> {
        let mut kubectl = Command::new("kubectl");
        if let Some(context) = self.context {
            kubectl.args(["--context", context]);
        }
        let output = kubectl
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot be run: {}", reason(&error)))?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            return Err(told.trim().replace('\n', "; "));
        }
        String::from_utf8(output.stdout).map_err(|_| "its answer is not UTF-8".to_owned())
    }
}
