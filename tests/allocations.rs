//! How often the engine allocates: policy-server makes a new instance for every request, whose
//! memory must grow before the first answer.
//!
//! A rise is a decision. In a binary of its own, since the counter takes the place of the allocator.

use allocation_counter::measure;
use rollout_guard::wire;
use serde_json::{Value, json};

/// Asserts the number of allocations, twice over, and that nothing is kept.
#[track_caller]
fn allocations(payload: &Value) -> (bool, String) {
    let payload = payload.to_string();
    let mut accepted = false;
    let mut count = || {
        let info = measure(|| {
            let answer = wire::validate(payload.as_bytes());
            accepted = answer.starts_with(br#"{"accepted":true"#);
        });
        assert_eq!(info.count_current, 0, "memory is kept");
        info.count_total
    };
    let first = count();
    assert_eq!(count(), first, "the count changes from call to call");
    (accepted, format!("{first} allocations"))
}

fn payload(kind: (&str, &str), object: &Value, settings: &Value) -> Value {
    json!({
        "request": {
            "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
            "kind": { "group": kind.0, "version": "v1", "kind": kind.1 },
            "resource": { "group": kind.0, "version": "v1", "resource": "any" },
            "name": "web",
            "namespace": "prod-eu",
            "operation": "CREATE",
            "userInfo": {
                "username": "system:serviceaccount:argocd:argocd-application-controller",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:argocd", "system:authenticated"],
            },
            "object": object,
            "oldObject": null,
            "dryRun": false,
        },
        "settings": settings,
    })
}

fn container(name: &str, image: &str) -> Value {
    json!({
        "name": name,
        "image": image,
        "ports": [{ "containerPort": 8080, "protocol": "TCP" }],
        "env": [{ "name": "LEVEL", "value": "info" }],
        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
        "imagePullPolicy": "IfNotPresent",
    })
}

fn metadata() -> Value {
    json!({
        "name": "web",
        "namespace": "prod-eu",
        "labels": { "app.kubernetes.io/name": "web", "team": "shop" },
        "annotations": { "example.com/owner": "shop@example.com" },
    })
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(),
        "spec": {
            "containers": [container("app", image), container("proxy", "ghcr.io/acme/proxy:1.2.3")],
            "volumes": [{ "name": "tmp", "emptyDir": {} }],
            "serviceAccountName": "web",
        },
        "status": {},
    })
}

/// A Deployment with two images that come first and five that stay.
fn deployment() -> Value {
    let images = |range: std::ops::Range<usize>| -> Vec<_> {
        range
            .map(|index| {
                let image = format!("registry.example.com/shop/service-{index}:1.{index}.0");
                container(&format!("service-{index}"), &image)
            })
            .collect()
    };
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(),
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app.kubernetes.io/name": "web" } },
            "template": {
                "metadata": metadata(),
                "spec": { "initContainers": images(0..2), "containers": images(2..7) },
            },
        },
    })
}

/// Twenty entries, of which the images match the last ones.
fn twenty_entries() -> Value {
    let entries: Vec<_> = (0..20)
        .rev()
        .map(|index| format!("registry.example.com/shop/service-{index}:*"))
        .collect();
    json!({ "images": { "allow": entries } })
}

#[test]
fn a_pod_that_is_accepted() {
    let settings = json!({
        "registries": { "allow": ["ghcr.io", "*.azurecr.io"] },
        "tags": { "reject": ["latest"] },
    });
    let payload = payload(("", "Pod"), &pod("ghcr.io/acme/app:1.2.3"), &settings);
    let (accepted, count) = allocations(&payload);
    assert!(accepted);
    insta::assert_snapshot!(count, @"21 allocations");
}

#[test]
fn a_pod_that_is_refused() {
    let settings = json!({
        "registries": { "allow": ["ghcr.io", "*.azurecr.io"] },
        "tags": { "reject": ["latest"] },
    });
    let payload = payload(("", "Pod"), &pod("redis:7.2-alpine"), &settings);
    let (accepted, count) = allocations(&payload);
    assert!(!accepted);
    insta::assert_snapshot!(count, @"65 allocations");
}

#[test]
fn a_deployment_of_seven_images_with_twenty_entries() {
    let payload = payload(("apps", "Deployment"), &deployment(), &twenty_entries());
    let (accepted, count) = allocations(&payload);
    assert!(accepted);
    insta::assert_snapshot!(count, @"47 allocations");
}
