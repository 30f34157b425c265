//! The policy in a web page: texts in, JSON out. Everything else is `rollout-guard-manifests`.

use rollout_guard_manifests::trial::Trial;
use wasm_bindgen::prelude::wasm_bindgen;

/// What admission says to a trial, as JSON.
///
/// # Errors
///
/// Where `trial` is not the JSON of one.
#[wasm_bindgen]
pub fn answer(trial: &str) -> Result<String, String> {
    Ok(Trial::read(trial)?.answer())
}

/// The files with which kwctl and a cluster give the same answer, as JSON.
///
/// # Errors
///
/// Where `trial` is not the JSON of one.
#[wasm_bindgen]
pub fn files(trial: &str) -> Result<String, String> {
    let files = Trial::read(trial)?.files();
    serde_json::to_string(&files).map_err(|error| error.to_string())
}
