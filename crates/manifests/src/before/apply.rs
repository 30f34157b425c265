//! What `kubectl apply` makes of a live object: its three-way merge.
//!
//! What the manifest says counts. What was last applied and is not in the manifest any more goes. Everything
//! else in the cluster stays: what controllers wrote, defaults of the API server, injected containers.
//!
//! Source: `apply` in `k8s.io/kubectl`, and "How apply calculates differences and merges changes" in the
//! documentation of Kubernetes.

use serde_json::{Map, Value as Json};

use crate::object::Object;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Groups of Kubernetes' own kinds, whose lists are merged by a key. Of custom kinds a list is replaced.
const BUILT_IN: [&str; 19] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Lists whose elements are merged, and the keys that an element may be known by (`patchMergeKey` in the types
/// of `k8s.io/api`).
const MERGED: [(&str, &[&str]); 12] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "port"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey"]),
    ("ownerReferences", &["uid"]),
];

/// The object that the cluster will have, as JSON; none where it cannot be known, and the manifest has to do.
///
/// `base` is what the manifest was, for objects that were not applied by kubectl.
pub(super) fn applied(object: &Object<'_>, live: &str, base: Option<&str>) -> Option<String> {
    if object.value.has_repeated_keys() {
        // Each of the values has to be judged.
        return None;
    }
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    let manifest = read(object.value.json())?;
    let live = read(live)?;
    let record = live
        .pointer("/metadata/annotations")
        .and_then(|annotations| {
            let record = annotations.get(LAST_APPLIED)?;
            record.as_str().map(str::to_owned)
        });
    let last = match &record {
        Some(record) => read(record),
        None => base.and_then(read),
    };
    let merge = Merge {
        is_built_in: BUILT_IN.contains(&object.group.as_ref()),
    };
    let mut merged = merge.value("", &live, last.as_ref(), &manifest);
    if record.is_some() {
        // kubectl writes down what it applies.
        let annotations = merged.pointer_mut("/metadata/annotations")?;
        let record = Json::from(manifest.to_string());
        annotations
            .as_object_mut()?
            .insert(LAST_APPLIED.to_owned(), record);
    }
    Some(merged.to_string())
}

struct Merge {
    is_built_in: bool,
}

impl Merge {
    fn value(&self, key: &str, live: &Json, last: Option<&Json>, new: &Json) -> Json {
        match (live, new) {
            (Json::Object(live), Json::Object(new)) => {
                let last = last.and_then(Json::as_object);
                Json::Object(self.map(live, last, new))
            }
            (Json::Array(live), Json::Array(new)) => {
                let last = last.and_then(Json::as_array);
                Json::Array(self.list(key, live, last, new))
            }
            _ => new.clone(),
        }
    }

    fn map(
        &self,
        live: &Map<String, Json>,
        last: Option<&Map<String, Json>>,
        new: &Map<String, Json>,
    ) -> Map<String, Json> {
        let mut merged = Map::new();
        for (key, value) in new {
            let value = match live.get(key) {
                // A null removes.
                _ if value.is_null() => continue,
                Some(live) => self.value(key, live, last.and_then(|last| last.get(key)), value),
                None => value.clone(),
            };
            merged.insert(key.clone(), value);
        }
        for (key, value) in live {
            let is_said = new.contains_key(key);
            let was_said = last.is_some_and(|last| last.contains_key(key));
            if !is_said && !was_said {
                merged.insert(key.clone(), value.clone());
            }
        }
        merged
    }

    fn list(&self, key: &str, live: &[Json], last: Option<&Vec<Json>>, new: &[Json]) -> Vec<Json> {
        let Some(by) = self.merge_key(key, live, new) else {
            return new.to_vec();
        };
        let id = |element: &Json| element.get(by).cloned();
        let with = |elements: &[Json], wanted: &Option<Json>| {
            let mut elements = elements.iter();
            elements.find(|element| id(element) == *wanted).cloned()
        };
        let last = last.map(Vec::as_slice).unwrap_or_default();
        let mut merged: Vec<_> = new
            .iter()
            .map(|element| {
                let wanted = id(element);
                match with(live, &wanted) {
                    Some(live) => {
                        let last = with(last, &wanted);
                        self.value("", &live, last.as_ref(), element)
                    }
                    None => element.clone(),
                }
            })
            .collect();
        for element in live {
            let wanted = id(element);
            if with(new, &wanted).is_none() && with(last, &wanted).is_none() {
                merged.push(element.clone());
            }
        }
        merged
    }

    /// What the elements of a list are known by, where each has one of its own.
    fn merge_key(&self, key: &str, live: &[Json], new: &[Json]) -> Option<&'static str> {
        if !self.is_built_in {
            return None;
        }
        let (_, keys) = MERGED.iter().find(|(list, _)| *list == key)?;
        let are_known_by = |by: &str| {
            let all_have = |list: &[Json]| {
                let mut seen = Vec::new();
                list.iter().all(|element| {
                    let id = element.get(by);
                    let is_new = id.is_some() && !seen.contains(&id);
                    seen.push(id);
                    is_new
                })
            };
            all_have(live) && all_have(new)
        };
        keys.iter().copied().find(|by| are_known_by(by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::object::objects;

    fn apply(manifest: &Json, live: &Json, base: Option<&Json>) -> Json {
        let text = manifest.to_string();
        let documents = manifest::readable(&text);
        let objects = objects(&documents[0].tree).unwrap();
        let base = base.map(Json::to_string);
        let merged = applied(&objects[0], &live.to_string(), base.as_deref()).unwrap();
        serde_json::from_str(&merged).unwrap()
    }

    /// The example of Kubernetes' documentation: the image is updated, `minReadySeconds` goes, the replicas of
    /// `kubectl scale` and the defaults stay.
    #[test]
    fn the_example_of_the_documentation() {
        let deployment = |spec: Json| {
            serde_json::json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": { "name": "nginx-deployment" }, "spec": spec,
            })
        };
        let containers = |image: &str| {
            serde_json::json!({ "spec": { "containers": [
                { "name": "nginx", "image": image, "ports": [{ "containerPort": 80 }] },
            ] } })
        };
        let last = deployment(serde_json::json!({
            "minReadySeconds": 5, "template": containers("nginx:1.14.2"),
        }));
        let mut live = deployment(serde_json::json!({
            "replicas": 2, "minReadySeconds": 5, "strategy": { "type": "RollingUpdate" },
            "template": { "spec": { "restartPolicy": "Always", "containers": [
                {
                    "name": "nginx", "image": "nginx:1.14.2", "imagePullPolicy": "IfNotPresent",
                    "ports": [{ "containerPort": 80, "protocol": "TCP" }],
                },
                { "name": "injected", "image": "sidecar:1" },
            ] } },
        }));
        live["metadata"]["annotations"] = serde_json::json!({
            "deployment.kubernetes.io/revision": "1", LAST_APPLIED: last.to_string(),
        });
        live["status"] = serde_json::json!({ "replicas": 2 });
        let manifest = deployment(serde_json::json!({ "template": containers("nginx:1.16.1") }));
        let merged = apply(&manifest, &live, None);
        let mut wanted = live.clone();
        wanted["spec"]
            .as_object_mut()
            .unwrap()
            .remove("minReadySeconds");
        wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.16.1".into();
        wanted["metadata"]["annotations"][LAST_APPLIED] = manifest.to_string().into();
        assert_eq!(merged, wanted);
    }

    #[test]
    fn what_was_applied_and_is_gone_goes_and_what_others_wrote_stays() {
        let service = |annotations: Json| {
            serde_json::json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": { "name": "web", "annotations": annotations },
                "spec": { "ports": [{ "port": 80 }] },
            })
        };
        let last = service(serde_json::json!({ "ours": "1", "gone": "1", "null": "1" }));
        let live = service(serde_json::json!({
            "ours": "0", "gone": "1", "null": "1", "controllers": "1", LAST_APPLIED: last.to_string(),
        }));
        let manifest = service(serde_json::json!({ "ours": "2", "null": null }));
        let merged = apply(&manifest, &live, None);
        assert_eq!(
            merged["metadata"]["annotations"],
            serde_json::json!({ "ours": "2", "controllers": "1", LAST_APPLIED: manifest.to_string() })
        );
        // Without a record of kubectl the base says what was applied.
        let mut live = live;
        live["metadata"]["annotations"]
            .as_object_mut()
            .unwrap()
            .remove(LAST_APPLIED);
        let merged = apply(&manifest, &live, Some(&last));
        assert_eq!(
            merged["metadata"]["annotations"],
            serde_json::json!({ "ours": "2", "controllers": "1" })
        );
        let merged = apply(&manifest, &live, None);
        assert_eq!(
            merged["metadata"]["annotations"],
            serde_json::json!({ "ours": "2", "gone": "1", "controllers": "1" })
        );
    }

    #[test]
    fn lists_of_custom_kinds_and_lists_without_keys_are_replaced() {
        let object = |api: &str, images: &[&str]| {
            let containers: Vec<_> = images
                .iter()
                .map(|image| serde_json::json!({ "name": image, "image": image }))
                .collect();
            serde_json::json!({
                "apiVersion": api, "kind": "Thing", "metadata": { "name": "x" },
                "spec": { "containers": containers, "args": images },
            })
        };
        for (api, containers) in [("apps/v1", 2), ("example.com/v1", 1)] {
            let merged = apply(&object(api, &["a"]), &object(api, &["b"]), None);
            let merged = &merged["spec"];
            assert_eq!(
                merged["containers"].as_array().unwrap().len(),
                containers,
                "{api}"
            );
            assert_eq!(merged["args"], serde_json::json!(["a"]));
        }
    }
}
