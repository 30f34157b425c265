//! Whatever the payload is, the answer is one that Kubewarden reads, it is short, and what it changes it changes once.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use rollout_guard::violation::Code;
use rollout_guard::wire;
use rollout_guard_fuzz::{answer::Answer, grammar};

fuzz_target!(|bytes: &[u8]| {
    let answer = Answer::read(&wire::validate(bytes));
    assert!(
        !answer.accepted || serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        "what is no JSON is refused"
    );

    let Ok(payload) = grammar::payload(&mut Unstructured::new(bytes)) else {
        return;
    };
    let text = payload.text();
    let answer = Answer::read(&wire::validate(text.as_bytes()));
    let valid = wire::validate_settings(payload.settings.as_bytes());
    if answer.has(Code::SettingsInvalid) {
        assert!(valid.is_err(), "{text}");
    }
    let is_read = !answer.has(Code::SettingsInvalid) && !answer.has(Code::RequestMalformed);
    if payload.updates_to_itself && is_read {
        assert!(
            answer.accepted,
            "an object updated to itself is refused: {text}"
        );
        assert!(
            answer.mutated_object.is_none(),
            "an object updated to itself is changed: {text}"
        );
    }
    if let Some(object) = answer.mutated_object
        && valid.is_ok()
    {
        let again = Answer::read(&wire::validate(payload.text_with(Some(&object)).as_bytes()));
        assert!(again.accepted, "what was changed is refused: {text}");
        assert!(
            again.mutated_object.is_none(),
            "what was changed is changed again: {text}"
        );
    }
});
