//! A policy in WebAssembly text, made to measure.

use std::fmt::Write;

use serde_json::{Value, json};

/// What the guest does when it is called.
pub(crate) enum Act<'a> {
    /// Answers with this text.
    Answer(&'a str),
    /// Answers with an error.
    Fail(&'a str),
    /// Answers with an error that is the payload.
    FailWithPayload,
    /// Answers with the first text when it is the first call of the instance, else with the second.
    CountCalls(&'a str, &'a str),
    /// Calls the host: binding, namespace, operation, payload. Accepts, or fails with the host's
    /// error.
    CallHost([&'a str; 4]),
    /// Calls the host and answers with an error: the host's answer, or the host's error.
    TellAnswer([&'a str; 4]),
    /// Points beyond its memory.
    Overreach,
    /// Runs into `unreachable`.
    Trap,
    /// Never ends.
    Loop,
}

pub(crate) const ACCEPT: Act<'_> = Act::Answer(r#"{"accepted":true}"#);
pub(crate) const VALID: Act<'_> = Act::Answer(r#"{"valid":true}"#);

/// A policy that takes all settings and does this in `validate`.
pub(crate) fn policy(validate: &Act<'_>) -> Vec<u8> {
    guest(validate, &VALID, &Act::Answer("\"v1\""))
}

pub(crate) fn guest(validate: &Act<'_>, settings: &Act<'_>, protocol: &Act<'_>) -> Vec<u8> {
    let mut texts = Texts::default();
    let [validate, settings, protocol] =
        [validate, settings, protocol].map(|act| instructions(act, &mut texts));
    let data = texts.data;
    wat::parse_str(format!(
        r#"(module
          (import "wapc" "__guest_request" (func $request (param i32 i32)))
          (import "wapc" "__guest_response" (func $response (param i32 i32)))
          (import "wapc" "__guest_error" (func $error (param i32 i32)))
          (import "wapc" "__host_call"
            (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
          (import "wapc" "__host_response_len" (func $host_response_length (result i32)))
          (import "wapc" "__host_response" (func $host_response (param i32)))
          (import "wapc" "__host_error_len" (func $host_error_length (result i32)))
          (import "wapc" "__host_error" (func $host_error (param i32)))
          (memory (export "memory") 64)
          (global $calls (mut i32) (i32.const 0))
          (data (i32.const {TEXTS}) "{data}")
          (func (export "wapc_init"))
          (func (export "__guest_call")
            (param $operation i32) (param $payload i32) (result i32)
            (call $request (i32.const 0) (i32.const {PAYLOAD}))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.eq (local.get $operation) (i32.const {protocol_length}))
              (then {protocol}))
            (if (i32.eq (local.get $operation) (i32.const {settings_length}))
              (then {settings}))
            {validate}
            (unreachable)))"#,
        protocol_length = "protocol_version".len(),
        settings_length = "validate_settings".len(),
    ))
    .unwrap()
}

/// Where the guest keeps its texts, what the host said, and the payload.
const TEXTS: usize = 0x1000;
const HOST_TEXT: usize = 0x8_0000;
const PAYLOAD: usize = 0x10_0000;

#[derive(Default)]
struct Texts {
    data: String,
    length: usize,
}

impl Texts {
    /// Stores a text; returns the two operands that stand for it.
    fn add(&mut self, text: &str) -> String {
        let operands = format!(
            "(i32.const {}) (i32.const {})",
            TEXTS + self.length,
            text.len()
        );
        for byte in text.bytes() {
            write!(self.data, "\\{byte:02x}").unwrap();
        }
        self.length += text.len();
        operands
    }
}

fn instructions(act: &Act<'_>, texts: &mut Texts) -> String {
    match act {
        Act::Answer(text) => {
            format!(
                "(call $response {}) (return (i32.const 1))",
                texts.add(text)
            )
        }
        Act::Fail(text) => format!("(call $error {}) (return (i32.const 0))", texts.add(text)),
        Act::FailWithPayload => format!(
            "(call $error (i32.const {PAYLOAD}) (local.get $payload)) (return (i32.const 0))"
        ),
        Act::CountCalls(first, later) => format!(
            "(if (i32.eq (global.get $calls) (i32.const 1)) (then {})) {}",
            instructions(&Act::Answer(first), texts),
            instructions(&Act::Answer(later), texts),
        ),
        Act::CallHost(call) => {
            let then = instructions(&ACCEPT, texts);
            call_host(*call, &then, texts)
        }
        Act::TellAnswer(call) => {
            let then = format!(
                "(call $host_response (i32.const {HOST_TEXT}))
                 (call $error (i32.const {HOST_TEXT}) (call $host_response_length))
                 (return (i32.const 0))"
            );
            call_host(*call, &then, texts)
        }
        Act::Overreach => {
            "(call $response (i32.const 0x7000_0000) (i32.const 9)) (return (i32.const 1))"
                .to_owned()
        }
        Act::Trap => "(unreachable)".to_owned(),
        Act::Loop => "(loop $again (br $again))".to_owned(),
    }
}

/// Calls the host, and does `then` when the host answers; else it fails with the host's error.
fn call_host(call: [&str; 4], then: &str, texts: &mut Texts) -> String {
    format!(
        "(if (call $host_call {}) (then {then}))
         (call $host_error (i32.const {HOST_TEXT}))
         (call $error (i32.const {HOST_TEXT}) (call $host_error_length))
         (return (i32.const 0))",
        call.map(|text| texts.add(text)).join(" "),
    )
}

/// A request to create a Pod.
pub(crate) fn request() -> Value {
    json!({
        "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "userInfo": {"username": "alice"},
        "object": {"kind": "Pod", "metadata": {"name": "web"}, "spec": {"replicas": 1}},
    })
}
