//! Bytes are JSON to the reader exactly if they are to `serde_json`, and every cursor says what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollout_guard_json::{Document, Kind, Value};

fuzz_target!(|bytes: &[u8]| {
    let is_json = std::str::from_utf8(bytes)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    let document = Document::read(bytes);
    assert_eq!(document.is_ok(), is_json);
    let Ok(document) = document else {
        return;
    };
    let root = document.root();
    // Strings that are no text, numbers out of range and deep nesting are JSON, though nothing of serde_json's.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert_said(root, &value);
    }
});

fn assert_said(value: Value<'_>, expected: &serde_json::Value) {
    match value.kind() {
        Kind::List => {
            assert_eq!(value.elements().count(), expected.as_array().unwrap().len());
            for (index, element) in value.elements().enumerate() {
                assert_said(element, &expected[index]);
            }
        }
        Kind::Map => {
            for (key, _) in value.members() {
                assert_said(value.get(key.text()).unwrap(), &expected[key.text()]);
            }
            let expected = expected.as_object().unwrap();
            assert!(expected.keys().all(|key| value.get(key).is_some()));
        }
        Kind::Text => assert_eq!(value.string(), expected.as_str()),
        _ => {
            let said: serde_json::Value = serde_json::from_str(value.text()).unwrap();
            assert_eq!(&said, expected);
        }
    }
}
