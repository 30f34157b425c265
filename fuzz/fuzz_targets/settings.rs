//! No bytes make the reader of settings panic, and every mistake has a path.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use rollout_guard::json::Document;
use rollout_guard::settings::{Settings, SettingsErrors};
use rollout_guard::violation::Code;
use rollout_guard::wire;
use rollout_guard_fuzz::{answer::Answer, grammar};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    if let Ok(text) = grammar::settings(&mut Unstructured::new(bytes)) {
        check(text.as_bytes());
    }
});

fn check(bytes: &[u8]) {
    let told = wire::validate_settings(bytes);
    let Ok(document) = Document::read(bytes) else {
        assert!(told.is_err());
        return;
    };
    let read = Settings::read(document.root());
    let validated = Settings::validate(document.root());
    assert_eq!(
        told,
        validated
            .as_ref()
            .map(|_| ())
            .map_err(|errors| errors.to_string())
    );
    match (&read, &validated) {
        (Ok(_), Ok(_)) => {}
        (Ok(_), Err(contradictions)) => check_errors(contradictions),
        (Err(errors), Err(same)) => {
            check_errors(errors);
            assert_eq!(errors, same);
        }
        (Err(errors), Ok(_)) => panic!("validates what cannot be read: {errors}"),
    }
    // Judging a request says nothing against them that is not said here. It may say less: rules about
    // other objects are not read.
    let mut payload = br#"{"request":{"kind":{"kind":"Pod"},"operation":"CREATE","object":{"spec":{"containers":[{"image":"redis"}]}}},"settings":"#.to_vec();
    payload.extend_from_slice(bytes);
    payload.push(b'}');
    let answer = Answer::read(&wire::validate(&payload));
    assert!(!answer.has(Code::SettingsInvalid) || read.is_err());
}

fn check_errors(errors: &SettingsErrors) {
    assert!(!errors.is_empty());
    assert_eq!(errors.iter().count(), errors.len());
    for error in errors.iter() {
        assert!(!error.path.is_empty(), "{error}");
        assert!(!error.problem.is_empty(), "{error}");
        assert!(!error.path.contains(char::is_control), "{error:?}");
        assert!(!error.problem.contains(char::is_control), "{error:?}");
    }
    let lines = errors.to_string().lines().count();
    let wanted = if errors.len() == 1 {
        1
    } else {
        errors.len() + 1
    };
    assert_eq!(lines, wanted);
}
