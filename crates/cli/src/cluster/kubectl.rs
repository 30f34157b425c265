//! A cluster as kubectl shows it: nothing but `get` and `config current-context` is run.
//!
//! [`Kubectl::list`] asks for resources by name and holds the answers; [`Kubectl::read`] finds out what the
//! cluster serves, and hands over one object after the other.

use std::io::{BufReader, Read};
use std::process::{Command, Stdio};

use rayon::prelude::*;
use serde::Deserialize;

use super::{Unread, list};
use crate::failure::{Failure, reason};

/// As many objects are asked for at a time.
const PAGE: usize = 500;

/// kubectl, and the context that it uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kubectl<'k> {
    context: Option<&'k str>,
}

/// Objects of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Lists, as kubectl prints them.
    pub(crate) texts: Vec<String>,
    /// Resources that could not be listed, and why.
    pub(crate) failed: Vec<(String, String)>,
}

/// A kind of objects that a cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    /// The plural: `deployments`.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) is_namespaced: bool,
}

/// `deployments.apps`.
impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    preferred_version: GroupVersion,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct Resources {
    resources: Vec<ServedResource>,
}

#[derive(Deserialize)]
struct ServedResource {
    name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

/// Why kubectl gave no answer.
struct Refused {
    problem: String,
    /// No other question would be answered either.
    is_lost: bool,
}

impl<'k> Kubectl<'k> {
    pub(crate) const fn new(context: Option<&'k str>) -> Self {
        Self { context }
    }

    /// The context that kubectl uses where none is named.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub(crate) fn current_context() -> Result<String, Failure> {
        let context = Kubectl::new(None).run(&["config", "current-context"]);
        match context.as_deref().map(str::trim) {
            Ok("") => Err(Failure::wrong_use(
                "kubectl has no current context: name one with --context, or files with --cluster",
            )),
            Ok(context) => Ok(context.to_owned()),
            Err(problem) => Err(Failure::unreadable(format!("kubectl: {problem}"))),
        }
    }

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

    /// What kubectl prints.
    fn run(self, arguments: &[&str]) -> Result<String, String> {
        let output = self
            .command(arguments)
            .output()
            .map_err(|error| format!("cannot be run: {}", reason(&error)))?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            return Err(told.trim().replace('\n', "; "));
        }
        String::from_utf8(output.stdout).map_err(|_| "its answer is not UTF-8".to_owned())
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        if let Some(context) = self.context {
            command.args(["--context", context]);
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Reads what the API server answers to a path.
    fn get<T>(
        self,
        path: &str,
        read: impl FnOnce(&mut dyn Read) -> Result<T, serde_json::Error>,
    ) -> Result<T, Refused> {
        let lost = |problem| Refused {
            problem,
            is_lost: true,
        };
        let mut child = self
            .command(&["get", "--raw", path])
            .spawn()
            .map_err(|error| lost(format!("cannot run kubectl: {}", reason(&error))))?;
        // It writes an error only at its end, and little.
        let mut told = String::new();
        let answer = child.stdout.take().map(|out| {
            let mut out = BufReader::with_capacity(1 << 16, out);
            read(&mut out)
        });
        if let Some(mut error) = child.stderr.take() {
            let _ = error.read_to_string(&mut told);
        }
        let status = child.wait();
        if status.is_ok_and(|status| status.success()) {
            return match answer {
                Some(Ok(answer)) => Ok(answer),
                Some(Err(error)) => Err(lost(format!("its answer is no list: {error}"))),
                None => Err(lost("no answer".to_owned())),
            };
        }
        let told = told.trim().replace('\n', "; ");
        Err(Refused {
            is_lost: !told.contains("Error from server"),
            problem: if told.is_empty() {
                "no answer".to_owned()
            } else {
                told
            },
        })
    }

    /// Every kind of objects that the cluster serves and that can be listed, in its preferred version.
    fn resources(
        self,
        is_group_wanted: &dyn Fn(&str) -> bool,
        unread: &mut Vec<Unread>,
    ) -> Result<Vec<Resource>, Refused> {
        let groups: Groups = self.get("/apis", |out| serde_json::from_reader(out))?;
        let mut found = Vec::new();
        let core = Group {
            name: String::new(),
            preferred_version: GroupVersion {
                version: "v1".to_owned(),
            },
        };
        for group in std::iter::once(core).chain(groups.groups) {
            if !is_group_wanted(&group.name) {
                continue;
            }
            let version = group.preferred_version.version;
            let path = group_path(&group.name, &version);
            let resources: Resources = match self.get(&path, |out| serde_json::from_reader(out)) {
                Ok(resources) => resources,
                Err(refused) if refused.is_lost => return Err(refused),
                Err(refused) => {
                    unread.push(Unread::new(
                        format!("the API `{}`", group.name),
                        refused.problem,
                    ));
                    continue;
                }
            };
            let listed = resources.resources.into_iter().filter(|resource| {
                !resource.name.contains('/') && resource.verbs.iter().any(|verb| verb == "list")
            });
            found.extend(listed.map(|resource| Resource {
                group: group.name.clone(),
                version: version.clone(),
                name: resource.name,
                kind: resource.kind,
                is_namespaced: resource.namespaced,
            }));
        }
        Ok(found)
    }

    /// Hands over every object of the kinds that are wanted; tells what could not be read.
    ///
    /// # Errors
    ///
    /// Where the cluster cannot be asked at all, or `each` fails.
    pub(crate) fn read(
        self,
        is_wanted: &dyn Fn(&Resource) -> bool,
        namespaces: &[String],
        each: &mut dyn FnMut(String) -> Result<(), Failure>,
    ) -> Result<Vec<Unread>, Failure> {
        let mut unread = Vec::new();
        let any_of = |group: &str| {
            is_wanted(&Resource {
                group: group.to_owned(),
                version: String::new(),
                name: "*".to_owned(),
                kind: String::new(),
                is_namespaced: true,
            })
        };
        let resources = self.resources(&any_of, &mut unread).map_err(|refused| {
            Failure::unreadable(format!("the cluster cannot be asked: {}", refused.problem))
        })?;
        let mut lost: Option<String> = None;
        let mut failed = None;
        for resource in resources.iter().filter(|resource| is_wanted(resource)) {
            let everywhere = [None];
            let places: Vec<_> = if namespaces.is_empty() {
                everywhere.to_vec()
            } else if resource.is_namespaced {
                namespaces.iter().map(|name| Some(name.as_str())).collect()
            } else {
                continue;
            };
            for namespace in places {
                let what = match namespace {
                    None => resource.to_string(),
                    Some(namespace) => format!("{resource} in {namespace}"),
                };
                if let Some(problem) = &lost {
                    unread.push(Unread::new(what, problem.clone()));
                    continue;
                }
                let mut count = 0;
                let listed = self.pages(resource, namespace, &mut |object| {
                    count += 1;
                    if failed.is_none() {
                        failed = each(object).err();
                    }
                });
                if let Err(refused) = listed {
                    let problem = if count == 0 {
                        refused.problem.clone()
                    } else {
                        format!("only {count} were read: {}", refused.problem)
                    };
                    unread.push(Unread::new(what, problem));
                    if refused.is_lost {
                        lost =
                            Some("not asked, since the cluster gave no answer before".to_owned());
                    }
                }
            }
        }
        failed.map_or(Ok(unread), Err)
    }

    /// Hands over every object of a list, page by page.
    fn pages(
        self,
        resource: &Resource,
        namespace: Option<&str>,
        each: &mut dyn FnMut(String),
    ) -> Result<(), Refused> {
        let mut path = group_path(&resource.group, &resource.version);
        if let Some(namespace) = namespace {
            path = format!("{path}/namespaces/{}", encoded(namespace));
        }
        path = format!("{path}/{}?limit={PAGE}", resource.name);
        let mut next: Option<String> = None;
        loop {
            let page = match &next {
                None => path.clone(),
                Some(token) => format!("{path}&continue={}", encoded(token)),
            };
            next = self.get(&page, |out| list::read(out, each))?.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

fn group_path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

/// A text as a part of a URL.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}
