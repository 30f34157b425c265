//! What every answer to `validate` has, whatever was asked.

use std::collections::BTreeMap;

use rollout_guard::violation::Code;
use serde_json::Value;
use serde_json::value::RawValue;

/// An answer of which everything that can be said without the payload has been asserted.
#[derive(Debug)]
pub struct Answer {
    pub accepted: bool,
    pub codes: Vec<String>,
    /// The object as the policy changed it, as it is written.
    pub mutated_object: Option<String>,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Panics
    ///
    /// Where Kubewarden or the API server could not use it, or a person could not read it.
    pub fn read(bytes: &[u8]) -> Self {
        let mut members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(bytes).expect("the answer is a JSON object");
        // It holds what the object held, numbers that nobody reads among it.
        let mutated_object = members
            .remove("mutated_object")
            .map(|object| object.get().to_owned());
        let members: BTreeMap<String, Value> = members
            .into_iter()
            .map(|(key, value)| {
                let value = serde_json::from_str(value.get()).expect("a value of ours is read");
                (key, value)
            })
            .collect();
        for key in members.keys() {
            assert!(
                [
                    "accepted",
                    "message",
                    "code",
                    "audit_annotations",
                    "warnings"
                ]
                .contains(&key.as_str()),
                "unknown member `{key}`"
            );
        }
        let accepted = members["accepted"]
            .as_bool()
            .expect("`accepted` is a boolean");
        let codes = codes(members.get("audit_annotations"));
        match members.get("message") {
            None => assert!(accepted, "a refusal says why"),
            Some(message) => {
                assert!(!accepted, "nothing is said where nothing is refused");
                check_message(message.as_str().expect("`message` is a string"));
            }
        }
        assert_eq!(
            members.get("code").and_then(Value::as_u64),
            (!accepted).then_some(403)
        );
        let warnings = members.get("warnings").map_or(0, check_warnings);
        // A mirror that is used is a warning, and nothing wrong.
        assert!(
            codes.is_empty() || warnings > 0,
            "what is wrong is a warning too"
        );
        assert!(accepted || !codes.is_empty(), "a refusal has a code");
        assert!(
            accepted || mutated_object.is_none(),
            "a refusal changes nothing"
        );
        let own = bytes.len() - mutated_object.as_ref().map_or(0, String::len);
        assert!(own < 1 << 20, "{own} bytes");
        Self {
            accepted,
            codes,
            mutated_object,
        }
    }

    /// Whether a code is among those of the answer.
    pub fn has(&self, code: Code) -> bool {
        self.codes.iter().any(|found| found == code.as_str())
    }
}

fn codes(annotations: Option<&Value>) -> Vec<String> {
    let Some(annotations) = annotations else {
        return Vec::new();
    };
    let members = annotations.as_object().expect("annotations are an object");
    for (key, value) in members {
        assert!(
            ["violations", "rewritten", "exempted"].contains(&key.as_str()),
            "unknown annotation `{key}`"
        );
        assert_ne!(value.as_str().expect("an annotation is a string"), "");
    }
    let codes: Vec<_> = members
        .get("violations")
        .and_then(Value::as_str)
        .into_iter()
        .flat_map(|codes| codes.split(','))
        .map(str::to_owned)
        .collect();
    for (position, code) in codes.iter().enumerate() {
        assert!(
            Code::ALL.iter().any(|known| known.as_str() == code),
            "unknown code `{code}`"
        );
        assert!(!codes[..position].contains(code), "`{code}` twice");
    }
    codes
}

fn check_message(message: &str) {
    let lines: Vec<_> = message.split('\n').collect();
    // The count, a hundred problems, how many more, and the link.
    assert!(lines.len() <= 103, "{} lines", lines.len());
    for line in lines {
        assert!(!line.is_empty(), "an empty line in {message:?}");
        assert!(!line.contains(char::is_control), "a control in {line:?}");
    }
}

fn check_warnings(warnings: &Value) -> usize {
    let warnings = warnings.as_array().expect("`warnings` is a list");
    assert!((1..=16).contains(&warnings.len()), "{}", warnings.len());
    for warning in warnings {
        let warning = warning.as_str().expect("a warning is a string");
        assert!(!warning.is_empty() && warning.len() <= 256, "{warning:?}");
        assert!(
            !warning.contains(char::is_control),
            "the API server drops {warning:?}"
        );
    }
    warnings.len()
}
