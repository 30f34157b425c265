//! The secrets that a Pod needs to pull from its mirrors.

use crate::json::{Kind, Place, Step, Value, lookup};
use crate::splice::{self, Change, Edit};
use crate::violation::Action;
use crate::workload::{Malformed, Object};

use super::Judged;
use super::dated::Dated;

const SPEC: Step<'static> = Step::key("spec");
const LIST: Step<'static> = Step::key("imagePullSecrets");

/// Appends these secrets to the `imagePullSecrets` of a Pod, those left out that it has.
pub(super) fn add(secrets: &[&str], pod: &Object<'_>, judged: &mut Judged<'_>) {
    if secrets.is_empty() {
        return;
    }
    // A `spec` that is none is refused elsewhere, or has no images.
    let spec = pod.value.get("spec");
    let Some(spec) = spec.filter(|spec| spec.kind() == Kind::Map) else {
        return;
    };
    // Of a repeated key Kubernetes reads the last value.
    let list = lookup(pod.value, &[SPEC, LIST]).pop();
    let (object, changed) = (pod.value.span(), list.unwrap_or(spec).span());
    let (start, end) = (changed.start - object.start, changed.end - object.start);
    let (span, before, after, has) = match list {
        None => {
            let inside = start + 1;
            let after = if spec.is_empty() { "]" } else { "]," };
            (inside..inside, "\"imagePullSecrets\":[", after, Vec::new())
        }
        Some(list) => match list.kind() {
            Kind::Null => (start..end, "[", "]", Vec::new()),
            Kind::List => {
                let comma = if list.is_empty() { "" } else { "," };
                (end - 1..end - 1, comma, "", names(list))
            }
            found => {
                let malformed = Malformed {
                    raw: list,
                    place: Place::default().below(SPEC).below(LIST),
                    expected: Kind::List,
                    found,
                };
                judged.findings.dated = Dated::default();
                judged.findings.add_malformed(&malformed, Action::Reject);
                return;
            }
        },
    };
    let mut missing = String::new();
    for secret in secrets {
        if !has.contains(secret) {
            let comma = if missing.is_empty() { "" } else { "," };
            missing += &[comma, "{\"name\":\"", secret, "\"}"].concat();
        }
    }
    if !missing.is_empty() {
        let edit = Edit {
            at: start,
            change: Change::PullSecrets([before, &missing, after].concat()),
            span,
        };
        splice::add(&mut judged.edits, edit);
    }
}

/// The names in a list of secrets.
fn names(list: Value<'_>) -> Vec<&str> {
    let names = list.elements().filter_map(|secret| secret.get("name"));
    names.filter_map(Value::string).collect()
}
