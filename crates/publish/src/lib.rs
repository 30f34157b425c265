//! Registries, and what a release has in them.
//!
//! | module | what it owns |
//! |---|---|
//! | [`registry`] | answers from registries, and artifacts to and from them |
//! | [`artifact`] | policies and bundles of settings as registries keep them |
//! | [`artifact_hub`] | what Artifact Hub and Rancher show of a policy |
//! | [`command`] | `push`, `pull` and `scaffold` of `policy-host` |

pub mod artifact;
pub mod artifact_hub;
pub mod command;
pub mod registry;
