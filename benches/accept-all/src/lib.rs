//! A waPC policy that looks at nothing and accepts everything.
//!
//! Its cost is what the host spends on any policy, so it is the measure of the
//! benches: `make bench` prints our rate as a share of its rate.
#![cfg(target_os = "wasi")]

use wapc_guest::{CallResult, register_function};

#[expect(unsafe_code, reason = "the host finds `wapc_init` by its name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    register_function("validate", accept);
    register_function("validate_settings", settings_are_valid);
    register_function("protocol_version", protocol_version);
}

fn accept(_payload: &[u8]) -> CallResult {
    Ok(br#"{"accepted":true}"#.to_vec())
}

fn settings_are_valid(_settings: &[u8]) -> CallResult {
    Ok(br#"{"valid":true}"#.to_vec())
}

fn protocol_version(_payload: &[u8]) -> CallResult {
    Ok(br#""v1""#.to_vec())
}
