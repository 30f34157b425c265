//! The secrets that a Pod needs to pull from its mirrors.

use std::borrow::Cow;

use crate::json::scan::{elements, lookup};
use crate::json::{Kind, Place, Step, kind_of, position, text_at};
use crate::splice::{self, Change, Edit};
use crate::violation::Action;
use crate::workload::{Malformed, Object};

use super::Judged;

const SPEC: Step<'static> = Step::key("spec");
const LIST: Step<'static> = Step::key("imagePullSecrets");

/// Appends these secrets to the `imagePullSecrets` of a Pod, those left out that it has.
pub(super) fn add(secrets: &[&str], pod: &Object<'_>, judged: &mut Judged<'_>) {
    if secrets.is_empty() {
        return;
    }
    let (specs, lists) = (lookup(pod.text, &[SPEC]), lookup(pod.text, &[SPEC, LIST]));
    // A `spec` that is none is refused elsewhere, or has no images.
    let Some(spec) = specs.last().filter(|spec| kind_of(spec) == Kind::Map) else {
        return;
    };
    let start = |text: &str| position(text).saturating_sub(position(pod.text));
    // Of a repeated key Kubernetes reads the last value.
    let at = start(lists.last().unwrap_or(spec));
    let (span, before, after, has) = match lists.last() {
        None => {
            let inside = at + 1;
            let is_empty = spec.trim_start_matches('{').trim_start() == "}";
            let after = if is_empty { "]" } else { "]," };
            (inside..inside, "\"imagePullSecrets\":[", after, Vec::new())
        }
        Some(list) => match kind_of(list) {
            Kind::Null => (at..at + list.len(), "[", "]", Vec::new()),
            Kind::List => {
                let end = at + list.len() - 1;
                let names = names(list);
                let is_empty = list.trim_start_matches('[').trim_start() == "]";
                (end..end, if is_empty { "" } else { "," }, "", names)
            }
            found => {
                let malformed = Malformed {
                    raw: list,
                    place: Place::default().below(SPEC).below(LIST),
                    expected: Kind::List,
                    found,
                };
                judged.findings.add_malformed(&malformed, Action::Reject);
                return;
            }
        },
    };
    let mut missing = String::new();
    for secret in secrets {
        if !has.iter().any(|name| name == *secret) {
            let comma = if missing.is_empty() { "" } else { "," };
            missing += &[comma, "{\"name\":\"", secret, "\"}"].concat();
        }
    }
    if !missing.is_empty() {
        let edit = Edit {
            at,
            change: Change::PullSecrets([before, &missing, after].concat()),
            span,
        };
        splice::add(&mut judged.edits, edit);
    }
}

/// The names in a list of secrets.
fn names(list: &str) -> Vec<String> {
    let names = elements(list)
        .into_iter()
        .filter_map(|secret| text_at(secret, &[Step::key("name")]));
    names.map(Cow::into_owned).collect()
}
