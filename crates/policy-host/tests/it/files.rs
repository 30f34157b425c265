//! Wrong files and wrong arguments.

use policy_host::{WasmFile, wasm_file::WasmFileError};

use crate::{
    command::Workshop,
    guest::{ACCEPT, policy, request},
};

#[test]
fn tells_in_one_line_what_is_wrong_with_a_file() {
    let workshop = Workshop::new("wrong-files");
    workshop
        .file("policy.wasm", policy(&ACCEPT))
        .file("policy.wat", "(module)")
        .file("half.wasm", &policy(&ACCEPT)[..200])
        .file("empty.wasm", wat::parse_str("(module)").unwrap())
        .file("component.wasm", wat::parse_str("(component)").unwrap())
        .file("request.json", request().to_string())
        .file("broken.json", "{\"uid\": ")
        .file("list.yaml", "- a\n")
        .file("broken.yaml", "a: [1\nb: 2\n")
        .file("latin1.yaml", b"a: \xe9\n");
    for (arguments, message) in [
        (
            "run -r request.json nothing.wasm",
            "cannot read `nothing.wasm`: no such file or directory",
        ),
        (
            "run -r nothing.json policy.wasm",
            "cannot read `nothing.json`: no such file or directory",
        ),
        ("run -r . policy.wasm", "cannot read `.`: it is a directory"),
        (
            "run -r broken.json policy.wasm",
            "`broken.json`: not JSON: EOF while parsing a value at line 1 column 8",
        ),
        (
            "run -r list.yaml policy.wasm",
            "`list.yaml`: expected an AdmissionReview or its request, got a list",
        ),
        (
            "run -r request.json -s list.yaml policy.wasm",
            "`list.yaml`: settings are a list, expected an object",
        ),
        (
            "run -r request.json -s broken.yaml policy.wasm",
            "`broken.yaml`: cannot read the settings: did not find expected ',' or ']' at line 2 \
             column 2, while parsing a flow sequence at line 1 column 4",
        ),
        (
            "run -r request.json -s latin1.yaml policy.wasm",
            "`latin1.yaml`: not UTF-8 text",
        ),
        (
            "run -r request.json --settings-json {a policy.wasm",
            "`--settings-json`: cannot read the settings: key must be a string at line 1 column 2",
        ),
        (
            "run -r request.json policy.wat",
            "`policy.wat`: not a WebAssembly file",
        ),
        (
            "run -r request.json component.wasm",
            "`component.wasm`: a WebAssembly component, expected a core module as \
             `wasm32-wasip1` makes them",
        ),
        (
            "run -r request.json empty.wasm",
            "`empty.wasm`: not a waPC policy: does not export the memory `memory`; does not \
             export the function `__guest_call`; does not export the function `wapc_init`",
        ),
    ] {
        workshop.fails(1, arguments, message);
    }
    let half = workshop.host("run -r request.json half.wasm");
    assert!(
        half.stderr
            .starts_with("error: `half.wasm`: broken WebAssembly: unexpected end"),
        "{}",
        half.stderr
    );
}

#[test]
fn tells_in_one_line_what_is_wrong_with_the_arguments() {
    let workshop = Workshop::new("wrong-arguments");
    for (arguments, message) in [
        (
            "run policy.wasm",
            "the following required arguments were not provided: `--request-path <FILE>`, \
             see `policy-host run --help`",
        ),
        (
            "run -r a.json --mod monitor policy.wasm",
            "unexpected argument `--mod` found (a similar argument exists: `--mode`), see \
             `policy-host run --help`",
        ),
        (
            "run -r a.json --mode watch policy.wasm",
            "invalid value `watch` for `--mode <MODE>` [possible values: protect, monitor]",
        ),
        (
            "run -r a.json -s b.yaml --settings-json {} policy.wasm",
            "the argument `--settings-path <FILE>` cannot be used with `--settings-json <JSON>`, \
             see `policy-host run --help`",
        ),
        (
            "check",
            "unrecognized subcommand `check`, see `policy-host --help`",
        ),
        (
            "bench -r a.json policy.wasm,setings=b.yaml",
            "invalid value `policy.wasm,setings=b.yaml` for `<CASE>...`: unknown key `setings`, \
             expected `name`, `settings`, `request` or `at-least`",
        ),
        (
            "bench -r a.json policy.wasm,at-least=0.5",
            "`policy` has `at-least`, but there is no `--baseline`",
        ),
        (
            "bench -r a.json policy.wasm policy.wasm",
            "two of the policies are named `policy`, add `,name=`",
        ),
    ] {
        workshop.fails(2, arguments, message);
    }
}

#[test]
fn refuses_imports_that_the_host_does_not_provide() {
    let wasm = wat::parse_str(
        r#"(module
            (import "env" "now" (func)) (import "env" "later" (func))
            (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
            (memory (export "memory") 1)
            (func (export "opa_eval"))
            (func (export "wapc_init"))
            (func (export "__guest_call") (param i32 i32) (result i32) (i32.const 0)))"#,
    )
    .unwrap();
    let file = WasmFile::read(&wasm).unwrap();
    assert_eq!(
        file.problems(),
        [
            "imports `env` (`now`, `later`), which the host does not provide",
            "exports `opa_eval`, as policies in Rego do",
        ]
    );
    assert!(matches!(file.check(), Err(WasmFileError::NotAPolicy(_))));
}
