//! The tests of the whole engine, in one binary: through its public door, on files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it does not expect fails"
)]

mod advice;
mod bundle;
mod cases;
mod changes;
mod contributing;
mod corpus;
mod docs;
mod examples;
mod imports;
mod install;
mod known_kinds;
mod lengths;
mod manifest;
mod mirrors;
mod patch;
mod properties;
mod questions;
mod registry;
mod release;
mod requests;
mod wire;
