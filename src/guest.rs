//! The waPC entry points: the only code that exists only in `policy.wasm`.

use kubewarden_policy_sdk::protocol_version_guest;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use kubewarden_policy_sdk::wapc_guest::{CallResult, register_function};

use crate::wire;

#[expect(unsafe_code, reason = "the host finds `wapc_init` by its name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

fn validate(payload: &[u8]) -> CallResult {
    Ok(wire::validate(payload))
}

fn validate_settings(settings: &[u8]) -> CallResult {
    let message = wire::validate_settings(settings).err();
    Ok(serde_json::to_vec(&SettingsValidationResponse {
        valid: message.is_none(),
        message,
    })?)
}
