//! Kustomizations and Helm charts, as their own tools build them.
//!
//! ```text
//! closure ──▶ copy ──▶ tool ──▶ built objects ──▶ decision
//! what a      where    kustomize,                 the line that
//! root reads  it is    helm                       decides a value
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`kustomize`] | the kustomizations around files, and what each root builds |
//! | [`helm`] | charts, and what each renders |
//! | [`closure`] | what a kustomization reads, from its own file |
//! | [`copy`] | the files of a build, apart from the tree |
//! | [`tool`] | kustomize, kubectl and helm, run without network, plugins and cluster |
//! | [`before`] | what was built at a revision |
//! | [`plan`], [`judged`] | what of some files is built; verdicts on it |
//! | [`decision`] | where a value of a built object is decided |
//! | [`difference`], [`images`] | what differs between builds; changes to the `images` of a kustomization |
//! | [`files`] | files parsed once |

pub(crate) mod before;
pub(crate) mod closure;
pub(crate) mod copy;
pub(crate) mod decision;
pub(crate) mod difference;
pub(crate) mod files;
pub(crate) mod helm;
pub(crate) mod images;
pub(crate) mod judged;
pub(crate) mod kustomize;
pub(crate) mod plan;
pub(crate) mod tool;

use std::path::PathBuf;

/// An object that a tool built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuiltObject {
    /// As JSON, without what the tool notes in it.
    pub(crate) json: String,
    pub(crate) origin: Origin,
    /// What may have changed it, in order.
    pub(crate) layers: Vec<Layer>,
}

/// What an object comes from. Files are without links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    File(PathBuf),
    /// A field of a kustomization that generates objects.
    Generator {
        file: PathBuf,
        field: &'static str,
    },
    Unknown,
}

/// A transformation by kustomize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// The kustomization, or the configuration of the transformer, without links.
    pub(crate) file: PathBuf,
    /// `ImageTagTransformer`.
    pub(crate) kind: String,
}

/// Why there is no build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unbuilt {
    /// The file that says why, and where in it; else the root.
    pub(crate) place: Option<(PathBuf, std::ops::Range<usize>)>,
    pub(crate) problem: String,
}
