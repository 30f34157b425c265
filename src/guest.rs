//! The waPC entry points: the only code that exists only in `policy.wasm`.

mod clock;
mod memory;

use kubewarden_policy_sdk::metadata::ProtocolVersion;
use kubewarden_policy_sdk::settings::SettingsValidationResponse;
use kubewarden_policy_sdk::wapc_guest::{CallResult, host_call, register_function};
use serde::Serialize;

use crate::date::Clock;
use crate::registry::{Existence, Registry};
use crate::wire;

#[expect(unsafe_code, reason = "the host finds `wapc_init` by its name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version);
}

fn protocol_version(_: &[u8]) -> CallResult {
    Ok(serialized(&ProtocolVersion::default()))
}

fn validate(payload: &[u8]) -> CallResult {
    Ok(wire::validate_at(payload, &Host, Clock::Host(clock::now)))
}

/// Asks registries through the host capability `oci/v1/manifest_digest`, whose payload is the image as
/// a JSON string (the SDK's own function brings a JSON writer for every type along).
struct Host;

impl Registry for Host {
    fn has(&self, image: &str) -> Existence {
        let payload = format!("\"{image}\"");
        match host_call(
            "kubewarden",
            "oci",
            "v1/manifest_digest",
            payload.as_bytes(),
        ) {
            Ok(_) => Existence::There,
            Err(error) => Existence::of_error(error.to_string()),
        }
    }
}

fn validate_settings(settings: &[u8]) -> CallResult {
    let message = wire::validate_settings(settings).err();
    Ok(serialized(&SettingsValidationResponse {
        valid: message.is_none(),
        message,
    }))
}

/// An answer in JSON, which none of them fails to become: an `Err` that nobody sees would bring along
/// all that `serde_json` can say.
fn serialized(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}
