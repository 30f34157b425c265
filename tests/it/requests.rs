//! The requests in `tests/fixtures/requests/`, and the tables of `docs/changes.md` that say what is
//! made of them and of Kubernetes' own controllers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rollout_guard::wire;
use serde_json::{Value, json};

use crate::docs;

const CHANGES: &str = include_str!("../../docs/changes.md");
const CONTROLLERS: &str = include_str!("../../src/change/controllers.rs");

#[test]
fn every_request_gets_the_verdict_of_its_row() {
    let section = docs::section(CHANGES, "What requests look like");
    let settings = docs::yaml(docs::only(section, "yaml settings"));
    let mut failures = String::new();
    let mut rows = BTreeSet::new();
    for row in docs::rows(section, "request") {
        let [name, what, user, manager, verdict] = row[..] else {
            panic!("{row:?}")
        };
        let name = unquoted(name);
        rows.insert(name.to_owned());
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let review: Value = serde_json::from_str(&text).unwrap();
        let request = &review["request"];
        let mut shape = format!(
            "{} {}",
            request["operation"].as_str().unwrap(),
            request["kind"]["kind"].as_str().unwrap()
        );
        if let Some(sub_resource) = request["subResource"].as_str() {
            write!(shape, " (`{sub_resource}`)").unwrap();
        }
        let said = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| "none".to_owned(), |text| format!("`{text}`"))
        };
        let answer = judge(&settings, request);
        let codes = &answer["audit_annotations"]["violations"];
        let given = match (answer["accepted"] == true, codes.as_str()) {
            (true, _) => "passes",
            (false, Some("image-drifted")) => "reported as drift",
            (false, _) => "refused",
        };
        let wanted = [what, user, manager, verdict].map(str::to_owned);
        let got = [
            shape,
            said(&request["userInfo"]["username"]),
            said(&request["options"]["fieldManager"]),
            given.to_owned(),
        ];
        if wanted != got {
            writeln!(failures, "{name}: {got:?}: {answer}").unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    let files: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(rows, files, "every request has its row");
}

#[test]
fn every_controller_may_do_what_its_row_says_and_nothing_else() {
    let section = docs::section(CHANGES, "Kubernetes' own controllers");
    let rows: Vec<_> = docs::rows(section, "user")
        .into_iter()
        .map(|row| {
            let may: Vec<_> = row[2].split(", ").map(str::to_owned).collect();
            (
                unquoted(row[0]).to_owned(),
                unquoted(row[1]).to_owned(),
                may,
            )
        })
        .collect();
    let duties = ["both(", "update(", "delete("]
        .iter()
        .map(|duty| CONTROLLERS.matches(&format!("    {duty}")).count())
        .sum::<usize>();
    assert_eq!(rows.len(), duties, "every duty has its row");
    let users: BTreeSet<_> = rows.iter().map(|(user, ..)| user.clone()).collect();
    let mut kinds: BTreeSet<_> = rows.iter().map(|(_, kind, _)| kind.clone()).collect();
    kinds.remove("*");
    kinds.insert("apps/Deployment".to_owned());
    let mut failures = String::new();
    for user in &users {
        for kind in &kinds {
            for operation in ["UPDATE", "DELETE"] {
                let wanted = rows.iter().any(|(who, what, may)| {
                    who == user
                        && (what == kind || what == "*")
                        && may.iter().any(|may| may == operation)
                });
                if passes(user, kind, operation) != wanted {
                    writeln!(failures, "{user} {operation} {kind}: not {wanted}").unwrap();
                }
            }
        }
    }
    for kind in &kinds {
        for operation in ["UPDATE", "DELETE"] {
            let one_may = users
                .iter()
                .filter(|user| user.contains(":serviceaccount:") || user.contains("scheduler"))
                .any(|user| passes(user, kind, operation));
            let all = passes("system:kube-controller-manager", kind, operation);
            assert!(!all || one_may, "{operation} {kind}: nobody has this duty");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_user_of_a_row_writes_the_status_of_its_kinds_and_nothing_else() {
    let section = docs::section(CHANGES, "Through status");
    let rows: Vec<_> = docs::rows(section, "who writes status")
        .into_iter()
        .map(|row| (unquoted(row[0]).to_owned(), docs::quoted(row[1])))
        .collect();
    let table = CONTROLLERS.split("THROUGH_STATUS").nth(1).unwrap();
    let table = table.split("pub(crate) fn").next().unwrap();
    let entries: usize = table
        .split(']')
        .filter_map(|part| part.rsplit_once("; ")?.1.parse::<usize>().ok())
        .sum();
    assert_eq!(rows.len(), entries, "every entry has its row");
    let kinds: BTreeSet<_> = rows.iter().flat_map(|(_, kinds)| kinds.clone()).collect();
    let through_status = |user: &str, kind: &str| {
        let settings = json!({ "changes": [{ "guard": ["annotations:*"] }], "annotations": [{ "allowed": ["a"] }] });
        let (group, kind) = kind.split_once('/').unwrap();
        let group = group.trim_start_matches("core");
        let object = |annotations: Value| json!({ "kind": kind, "metadata": { "name": "web", "annotations": annotations } });
        let request = json!({
            "kind": { "group": group, "version": "v1", "kind": kind },
            "operation": "UPDATE",
            "subResource": "status",
            "userInfo": { "username": user },
            "oldObject": object(json!({ "b": "1" })),
            "object": object(json!({ "b": "2" })),
        });
        judge(&settings, &request)["accepted"] == true
    };
    let mut failures = String::new();
    for (user, may) in &rows {
        for kind in kinds.iter().chain([&"core/ConfigMap".to_owned()]) {
            if through_status(user, kind) != may.contains(kind)
                // What it may update it may update through `status`.
                && !passes(user, kind, "UPDATE")
            {
                writeln!(failures, "{user} {kind}").unwrap();
            }
            assert!(!through_status(&format!("{user}x"), kind), "{user}x {kind}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_preset_is_the_users_of_its_row() {
    let section = docs::section(CHANGES, "Presets");
    let mut count = 0;
    for row in docs::rows(section, "preset") {
        let preset = unquoted(row[0]);
        for user in docs::quoted(row[1]) {
            count += 1;
            let settings = json!({ "changes": [{ "guard": ["spec"], "allowUsers": [preset] }] });
            let asks = |user: &str| judge(&settings, &change(user, "example.com/Thing", "UPDATE"));
            assert_eq!(asks(&user)["accepted"], true, "{preset} {user}");
            assert_eq!(
                asks(&format!("{user}x"))["accepted"],
                false,
                "{preset} {user}x"
            );
        }
    }
    assert_eq!(count, 6);
}

/// Whether a rule that freezes everything lets this pass.
fn passes(user: &str, kind: &str, operation: &str) -> bool {
    let settings = json!({ "changes": [{ "match": { "kinds": ["*"] }, "guard": ["spec"], "guardDelete": true }] });
    judge(&settings, &change(user, kind, operation))["accepted"] == true
}

fn change(user: &str, kind: &str, operation: &str) -> Value {
    let (group, kind) = kind.split_once('/').unwrap();
    let object = |replicas: u8| json!({ "kind": kind, "metadata": { "name": "a" }, "spec": { "replicas": replicas } });
    let mut request = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": { "group": if group == "core" { "" } else { group }, "version": "v1", "kind": kind },
        "operation": operation,
        "userInfo": { "username": user, "groups": ["system:authenticated"] },
        "object": object(2),
        "oldObject": object(1),
    });
    if operation == "DELETE" {
        request["object"] = Value::Null;
    }
    request
}

fn judge(settings: &Value, request: &Value) -> Value {
    let payload = json!({ "request": request, "settings": settings }).to_string();
    serde_json::from_slice(&wire::validate(payload.as_bytes())).unwrap()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/requests")
}

fn unquoted(cell: &str) -> &str {
    cell.trim_matches('`')
}
