//! `policy-host bench`.

use serde_json::Value;

use crate::{
    command::Workshop,
    guest::{ACCEPT, Act, policy, request},
};

fn workshop(name: &str) -> Workshop {
    let workshop = Workshop::new(name);
    workshop
        .file("accept.wasm", policy(&ACCEPT))
        .file("fail.wasm", policy(&Act::Fail("no")))
        .file("settings.yaml", "a: 1\n")
        .file("request.json", request().to_string());
    workshop
}

#[test]
fn compares_cases_with_the_baseline() {
    let workshop = workshop("bench-ratio");
    let short = "bench -r request.json --rounds 2 --seconds 0.1 --baseline accept.wasm";
    let cases = "accept.wasm,name=same accept.wasm,settings=settings.yaml";
    let done = workshop.host(&format!("{short} --json {cases}"));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let rows: Value = serde_json::from_str(&done.stdout).unwrap();
    let names: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert_eq!(
        names,
        [
            "accept request.json",
            "accept request.json settings.yaml",
            "same",
            "accept settings"
        ]
    );
    for row in [0, 1] {
        assert!(rows[row].get("ratio").is_none());
        assert!(rows[row + 2]["ratio"]["median"].as_f64().unwrap() > 0.0);
        assert_eq!(rows[row + 2]["answer"], "allowed");
    }

    let slow = workshop.host(&format!("{short} --at-least 100 {cases}"));
    assert_eq!(slow.code, 1);
    assert_eq!(slow.stdout.lines().count(), 5);
    assert!(
        slow.stderr.starts_with("error: `same` reaches "),
        "{}",
        slow.stderr
    );
    assert!(
        slow.stderr
            .ends_with(" of the baseline's rate, at least 100 is asked for\n"),
        "{}",
        slow.stderr
    );
}

#[test]
fn counts_instructions() {
    let workshop = workshop("bench-fuel");
    let count = "bench -r request.json --fuel accept.wasm accept.wasm,settings=settings.yaml";
    let first = workshop.host(count);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    assert_eq!(first, workshop.host(count));
    assert_eq!(first.stdout.lines().count(), 3);
}

#[test]
fn does_not_measure_failures() {
    let workshop = workshop("bench-failure");
    workshop.fails(
        1,
        "bench -r request.json fail.wasm",
        "`fail`: the policy fails: internal server error: Guest call failure: no",
    );
    workshop.fails(
        1,
        "bench -r request.json --fuel fail.wasm",
        "`fail`: Guest call failure: no",
    );
}
