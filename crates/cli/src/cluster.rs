//! The objects of a cluster: asked for with kubectl, or recorded. Nothing is ever written to a cluster.
//!
//! Objects come one by one, as JSON with `apiVersion` and `kind`, so that a cluster of any size takes no
//! more memory than its largest object. What could not be read is reported beside what was.
//!
//! | module | what it owns |
//! |---|---|
//! | [`kubectl`] | what a cluster serves, and its lists, page by page |
//! | `wanted` | which kinds of a cluster matter |
//! | [`list`] | one list, or a stream of them, item by item |

pub(crate) mod kubectl;
pub(crate) mod list;
mod wanted;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::failure::{Failure, reason};
use crate::input;
use crate::manifest;
use crate::object::objects;

pub(crate) use kubectl::{Kubectl, Resource};
pub(crate) use wanted::Wanted;

/// Which cluster, and which part of it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ClusterArguments {
    /// Read the cluster of this kubectl context (default: the current context)
    #[arg(long, conflicts_with = "cluster")]
    pub(crate) context: Option<String>,

    /// Read what `kubectl get -o json` printed: files, or `-` for standard input
    #[arg(long, num_args = 1.., value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cluster: Vec<PathBuf>,

    /// Read only this namespace; may be repeated
    #[arg(short, long = "namespace", value_name = "NAMESPACE")]
    pub(crate) namespaces: Vec<String>,

    /// Read all namespaces (the default)
    #[arg(short = 'A', long, conflicts_with = "namespaces")]
    pub(crate) all_namespaces: bool,
}

/// Something of the cluster that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    pub(crate) what: String,
    pub(crate) problem: String,
}

impl Unread {
    pub(crate) fn new(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            problem: problem.into(),
        }
    }
}

/// A recorded text that is no JSON is read whole, up to this size.
const LARGEST_TEXT: u64 = 1 << 30;

impl ClusterArguments {
    /// Where the objects come from, as reports name it.
    pub(crate) fn name(&self) -> String {
        if self.cluster.is_empty() {
            let current = || Kubectl::current_context().ok();
            let context = self.context.clone().or_else(current);
            return match context {
                Some(context) => format!("context `{context}`"),
                None => "the current context".to_owned(),
            };
        }
        let names: Vec<_> = self.cluster.iter().map(|path| input::name(path)).collect();
        names.join(", ")
    }

    /// Hands over every object of the kinds that are wanted; tells what could not be read.
    ///
    /// # Errors
    ///
    /// Where nothing can be read at all, or `each` fails.
    pub(crate) fn read(
        &self,
        is_wanted: &dyn Fn(&Resource) -> bool,
        each: &mut dyn FnMut(String) -> Result<(), Failure>,
    ) -> Result<Vec<Unread>, Failure> {
        if self.cluster.is_empty() {
            let kubectl = Kubectl::new(self.context.as_deref());
            return kubectl.read(is_wanted, &self.namespaces, each);
        }
        let mut unread = Vec::new();
        let mut failed = None;
        for path in &self.cluster {
            let mut take = |object: String| {
                if failed.is_none() && self.is_in_namespaces(&object) {
                    failed = each(object).err();
                }
            };
            if let Err(problem) = recorded(path, &mut take, &mut unread) {
                unread.push(Unread::new(input::name(path), problem));
            }
        }
        failed.map_or(Ok(unread), Err)
    }

    /// Whether a recorded object is in one of the namespaces that were asked for.
    fn is_in_namespaces(&self, object: &str) -> bool {
        #[derive(serde::Deserialize)]
        struct Head<'h> {
            #[serde(borrow, default)]
            metadata: Metadata<'h>,
        }
        #[derive(Default, serde::Deserialize)]
        struct Metadata<'h> {
            #[serde(borrow)]
            namespace: Option<std::borrow::Cow<'h, str>>,
        }
        if self.namespaces.is_empty() {
            return true;
        }
        let head: Result<Head<'_>, _> = serde_json::from_str(object);
        let namespace = head.ok().and_then(|head| head.metadata.namespace);
        namespace.is_some_and(|namespace| self.namespaces.iter().any(|wanted| *wanted == namespace))
    }
}

/// Hands over the objects in a file that was recorded.
fn recorded(
    path: &Path,
    each: &mut dyn FnMut(String),
    unread: &mut Vec<Unread>,
) -> Result<(), String> {
    let reader: Box<dyn Read> = if input::is_stdin(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| reason(&error))?)
    };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let name = input::name(path);
    if list::is_json(&mut reader).map_err(|error| reason(&error))? {
        let read = list::read(reader, each).map_err(|error| error.to_string())?;
        if read.objects == 0 && read.lists == 0 {
            return Err(
                "no Kubernetes object in it, expected what `kubectl get -o json` prints".to_owned(),
            );
        }
        if read.cut > 0 {
            let pages = "the rest of a list that was read by pages";
            unread.push(Unread::new(name, pages));
        }
        return Ok(());
    }
    let mut text = String::new();
    reader
        .take(LARGEST_TEXT)
        .read_to_string(&mut text)
        .map_err(|error| reason(&error))?;
    let (mut found, mut problem) = (0, None);
    manifest::documents(&text, &mut |part| match part {
        Ok(document) => {
            for object in objects(&document.tree).into_iter().flatten() {
                found += 1;
                each(list::with_kind(
                    object.value.json(),
                    &object.full_name("").api_version,
                    &object.kind,
                ));
            }
        }
        Err(error) => problem = Some(error.problem),
    });
    match problem {
        Some(problem) => Err(problem),
        None if found == 0 => {
            Err("no Kubernetes object in it, expected what `kubectl get -o json` prints".to_owned())
        }
        None => Ok(()),
    }
}
