//! What the built module costs as requests and settings grow that are made to be slow.
//!
//! Runs on the module that `POLICY_WASM` names, as `make unit-tests` sets it. What grows by what is in
//! `docs/performance.md`.

mod annotations;
mod changes;
mod known_kinds;
mod objects;

use std::fmt::Write as _;

use policy_host::{Fuel, FuelMeter};
use serde_json::{Value, json};

/// The largest request that policy-server takes.
const LARGEST: usize = 2 * 1024 * 1024;

/// What a request may cost.
#[derive(Clone, Copy)]
struct Most {
    /// How often what a harmless one of its size does.
    times: u64,
    /// Of linear memory.
    memory: usize,
}

const MOST: Most = Most {
    times: 40,
    memory: 64 << 20,
};

/// Requests that grow.
struct Growing {
    name: &'static str,
    settings: Value,
    /// A request with so many of what it is made of.
    request: fn(usize) -> String,
    most: Most,
}

impl Growing {
    /// Costs more than others may, which `docs/performance.md` tells.
    fn up_to(mut self, times: u64, mebibytes: usize) -> Self {
        self.most = Most {
            times,
            memory: mebibytes << 20,
        };
        self
    }
}

/// Settings that grow, with one request.
struct GrowingSettings {
    name: &'static str,
    settings: fn(usize) -> Value,
    request: fn() -> String,
    /// The most of them.
    count: usize,
    /// Two things that grow are held against each other.
    is_product: bool,
}

const POD: (&str, &str) = ("", "Pod");
const SERVICE: (&str, &str) = ("", "Service");
const DEPLOYMENT: (&str, &str) = ("apps", "Deployment");
const JOB_SET: (&str, &str) = ("jobset.x-k8s.io", "JobSet");
const CUSTOM: (&str, &str) = ("example.com", "Custom");

#[test]
fn no_request_costs_more_than_in_proportion_to_its_size() {
    let Some(meter) = meter() else { return };
    let mut failures = String::new();
    let all = [
        objects::short_elements(),
        objects::requests(),
        objects::by_place(),
        changes::requests(),
        known_kinds::requests(),
        annotations::requests(),
        annotations::lists(),
        annotations::with_many_rules(),
    ];
    for growing in all.into_iter().flatten() {
        let count = most(growing.request);
        let settings = growing.settings.to_string();
        let costs = [count / 4, count / 2, count].map(|count| {
            let request = (growing.request)(count);
            cost(&meter, &request, &settings)
        });
        let size = (growing.request)(count).len();
        let harmless = cost(&meter, &harmless(size), &settings).total();
        check(
            growing.name,
            &costs,
            true,
            harmless,
            growing.most,
            &mut failures,
        );
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn no_settings_cost_more_than_in_proportion_to_their_size() {
    let Some(meter) = meter() else { return };
    let mut failures = String::new();
    let harmless = cost(&meter, &harmless(LARGEST), r#"{"tags":{"reject":["a"]}}"#).total();
    for growing in settings() {
        let request = (growing.request)();
        let costs = [growing.count / 4, growing.count / 2, growing.count].map(|count| {
            let settings = (growing.settings)(count).to_string();
            cost(&meter, &request, &settings)
        });
        let is_linear = !growing.is_product;
        check(
            growing.name,
            &costs,
            is_linear,
            harmless,
            MOST,
            &mut failures,
        );
    }
    assert!(failures.is_empty(), "{failures}");
}

fn meter() -> Option<FuelMeter> {
    let module = std::env::var_os("POLICY_WASM")?;
    Some(FuelMeter::load(&std::fs::read(module).unwrap()).unwrap())
}

/// How many make the largest request.
fn most(request: fn(usize) -> String) -> usize {
    let (few, many) = (request(500).len(), request(1000).len());
    (LARGEST - few) * 500 / (many - few)
}

fn cost(meter: &FuelMeter, request: &str, settings: &str) -> Fuel {
    let payload = format!(r#"{{"request":{request},"settings":{settings}}}"#);
    meter.measure("validate", payload.as_bytes()).unwrap()
}

/// Notes what costs more than in proportion, if it `grows` so, or more than it may.
fn check(
    name: &str,
    costs: &[Fuel; 3],
    grows: bool,
    harmless: u64,
    most: Most,
    failures: &mut String,
) {
    let [small, middle, large] = costs.each_ref().map(Fuel::total);
    let [_, _, Fuel { memory, .. }] = costs;
    let memory = *memory;
    let times = large / harmless;
    // Twice as many more; the rest is what grows in steps.
    if grows && large - middle > (middle - small) * 5 / 2 {
        writeln!(failures, "{name}: {small}, {middle}, {large} instructions").unwrap();
    }
    if times > most.times {
        writeln!(failures, "{name}: {times} times a harmless request").unwrap();
    }
    if memory > most.memory {
        writeln!(failures, "{name}: {} MiB of memory", memory >> 20).unwrap();
    }
}

fn create(kind: (&str, &str), object: &str) -> String {
    request("CREATE", kind, object, "null")
}

fn update(kind: (&str, &str), object: &str, old: &str) -> String {
    request("UPDATE", kind, object, old)
}

fn request(operation: &str, (group, kind): (&str, &str), object: &str, old: &str) -> String {
    format!(
        r#"{{"kind":{{"group":"{group}","version":"v1","kind":"{kind}"}},"name":"a","namespace":"shop","operation":"{operation}","userInfo":{{"username":"jane"}},"object":{object},"oldObject":{old}}}"#
    )
}

/// A Pod without anything to object to.
fn harmless(size: usize) -> String {
    let variables = list(size / 50, |index| {
        format!(r#"{{"name":"VARIABLE_{index:06}","value":"0123456789abc"}}"#)
    });
    let object = format!(
        r#"{{"metadata":{{"name":"a"}},"spec":{{"containers":[{{"name":"a","image":"ghcr.io/a/a:1","env":[{variables}]}}]}}}}"#
    );
    create(POD, &object)
}

/// So many elements, with commas between them.
fn list(count: usize, element: impl Fn(usize) -> String) -> String {
    let mut list = String::new();
    for index in 0..count {
        if index > 0 {
            list.push(',');
        }
        list += &element(index);
    }
    list
}

fn pod(containers: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"a","labels":{{"a":"b"}}}},"spec":{{"type":"a","containers":[{containers}]}}}}"#
    )
}

fn containers(count: usize) -> String {
    list(count, |index| {
        format!(r#"{{"name":"c{index}","image":"docker.io/library/a{index}:1"}}"#)
    })
}

/// A `JobSet` whose templates have this annotation.
fn job_set(count: usize, value: &str) -> String {
    let jobs = list(count, |_| {
        format!(
            r#"{{"template":{{"spec":{{"template":{{"metadata":{{"annotations":{{"a":"{value}"}}}},"spec":{{"containers":[]}}}}}}}}}}"#
        )
    });
    format!(
        r#"{{"metadata":{{"name":"a","annotations":{{"a":"{value}"}}}},"spec":{{"replicatedJobs":[{jobs}]}}}}"#
    )
}

/// A Service with so many annotations under this prefix.
fn service(count: usize, prefix: &str, value: &str) -> String {
    let annotations = list(count, |index| format!(r#""{prefix}{index}":"{value}""#));
    format!(
        r#"{{"metadata":{{"name":"a","annotations":{{{annotations}}}}},"spec":{{"type":"LoadBalancer"}}}}"#
    )
}

/// A map 120 levels deep, with so many of this in each.
fn deep(count: usize, member: impl Fn(usize) -> String) -> String {
    let mut object = String::from("{}");
    for _ in 0..120 {
        object = format!(r#"{{{},"a":{object}}}"#, list(count, &member));
    }
    object
}

/// The object with itself as its last applied configuration.
fn applied(kind: &str, metadata: &str, spec: &str) -> String {
    let applied = format!(
        r#"{{"apiVersion":"v1","kind":"{kind}","metadata":{{"name":"a"{metadata}}},"spec":{spec}}}"#
    );
    let applied = Value::from(applied).to_string();
    format!(
        r#"{{"metadata":{{"name":"a","annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{applied}}}}},"spec":{}}}"#,
        spec.replace(":1\"", ":2\"")
    )
}

const ALIAS: &str = "service.beta.kubernetes.io/alicloud-loadbalancer-";

fn ack() -> Value {
    let text = include_str!("../../../../bundles/ack/settings.yaml");
    yaml_serde::from_str(text).unwrap()
}

fn growing(name: &'static str, settings: Value, request: fn(usize) -> String) -> Growing {
    Growing {
        name,
        settings,
        request,
        most: MOST,
    }
}

fn mirrors(matching: &Value) -> Value {
    json!({ "mirrors": [
        { "source": "quay.io/a", "mirror": "m.example.com/quay", "match": matching },
        { "source": "docker.io/library", "mirror": "m.example.com/hub", "match": matching },
    ] })
}

fn images(count: usize, prefix: &str) -> String {
    list(count, |index| format!(r#"{{"image":"{prefix}{index}"}}"#))
}

fn deployment(count: usize, prefix: &str) -> String {
    format!(
        r#"{{"spec":{{"template":{{"spec":{{"containers":[{}]}}}}}}}}"#,
        images(count, prefix)
    )
}

fn template(count: usize, value: &str) -> String {
    let annotations = list(count, |index| format!(r#""a{index}":"{value}""#));
    format!(
        r#"{{"spec":{{"template":{{"metadata":{{"annotations":{{{annotations}}}}},"spec":{{"containers":[]}}}}}}}}"#
    )
}

fn changing_labels(count: usize) -> String {
    let object = |value: &str| service(count, "a", value).replace("annotations", "labels");
    update(SERVICE, &object("b"), &object("c"))
}

fn settings() -> Vec<GrowingSettings> {
    vec![
        GrowingSettings {
            name: "mirrors",
            settings: |count| {
                let mirrors: Vec<_> = (0..count)
                    .map(|index| json!({ "source": format!("docker.io/library/a{index}"), "mirror": format!("m.example.com/a{index}") }))
                    .collect();
                json!({ "mirrors": mirrors })
            },
            request: || create(POD, &pod(&containers(7))),
            count: 1600,
            is_product: false,
        },
        GrowingSettings {
            name: "names with defaults, and requirements on globs",
            settings: |count| {
                let values: serde_json::Map<_, _> = (0..count)
                    .map(|index| (format!("v{index}"), json!({ "default": "a" })))
                    .collect();
                let requires: Vec<_> = (0..count)
                    .map(|index| json!({ "when": { format!("w{index}*"): "*" }, "then": { "a": "b" } }))
                    .collect();
                json!({ "annotations": [{ "values": values, "requires": requires }] })
            },
            request: || create(SERVICE, &service(3, "a", "b")),
            // 32 KiB.
            count: 400,
            is_product: true,
        },
    ]
}
