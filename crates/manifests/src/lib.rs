//! The verdicts of the policy over texts, with the place of everything in them.
//!
//! ```text
//! text ──▶ manifest ──▶ object ──▶ judge ──▶ finding
//!          JSON, and    request    the       violation
//!          places of    to create  engine    and place
//!          its values   it
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`trial`] | settings and a manifest that somebody tries on each other |
//! | [`judge`], [`finding`], [`entry`] | the verdict on every object of a file, with places |
//! | [`before`] | objects as they were, at a revision or in a cluster |
//! | [`detail`] | what a finding is about, taken apart |
//! | [`admission_policy`] | settings as a policy that can be applied |
//! | [`settings_lints`], [`settings_text`] | what in valid settings is probably a mistake; settings in sentences |
//! | [`policy_file`], [`label_selector`] | settings, alone or in policies of Kubewarden |
//! | `image_like` | fields that look like images |
//! | `installed`, [`values`], [`image`] | images in the values of Helm charts, by their shape |
//! | [`secret`] | the lines of Secrets that no report shows |
//! | [`object`], `kind` | the objects of a document, and the request for each |
//! | [`manifest`] | YAML and JSON as kubectl reads them |
//!
//! Imports point down this table. Nothing here reads a file or writes to a terminal: the command does,
//! and a web page needs neither.

pub mod admission_policy;
pub mod before;
pub mod detail;
pub mod entry;
pub mod finding;
pub mod image;
mod image_like;
mod installed;
pub mod judge;
mod kind;
pub mod label_selector;
pub mod manifest;
pub mod object;
pub mod policy_file;
pub mod secret;
pub mod settings_lints;
pub mod settings_text;
pub mod trial;
pub mod values;
