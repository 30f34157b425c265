//! The secrets that a Pod needs to pull from its mirrors.

use crate::exemption::Check;
use crate::json::{Kind, Location, Node, Step, find, kind_of, position};
use crate::splice::{self, Change, Edit};
use crate::violation::Action;
use crate::workload::{Malformed, Object};

use super::Judged;
use super::finding::Finding;

const SPEC: Step<'static> = Step::key("spec");
const LIST: Step<'static> = Step::key("imagePullSecrets");

/// Appends these secrets to the `imagePullSecrets` of a Pod, those left out that it has.
pub(super) fn add(secrets: &[&str], pod: &Object<'_>, judged: &mut Judged) {
    if secrets.is_empty() {
        return;
    }
    // An object that cannot be read is refused elsewhere.
    let (Ok(specs), Ok(lists)) = (find(pod.text, &[SPEC]), find(pod.text, &[SPEC, LIST])) else {
        return;
    };
    // A `spec` that is none is refused elsewhere, or has no images.
    let Some((_, spec)) = specs.last().filter(|(_, spec)| kind_of(spec) == Kind::Map) else {
        return;
    };
    let start = |text: &str| position(text).saturating_sub(position(pod.text));
    // Of a repeated key Kubernetes reads the last value.
    let (span, before, after, has) = match lists.last() {
        None => {
            let at = start(spec.get()) + 1;
            let is_empty = spec.get().trim_start_matches('{').trim_start() == "}";
            let after = if is_empty { "]" } else { "]," };
            (at..at, "\"imagePullSecrets\":[", after, Vec::new())
        }
        Some((place, list)) => {
            let at = start(list.get());
            match kind_of(list) {
                Kind::Null => (at..at + list.get().len(), "[", "]", Vec::new()),
                Kind::List => {
                    let end = at + list.get().len() - 1;
                    let names = names(list.get());
                    let is_empty = list.get().trim_start_matches('[').trim_start() == "]";
                    (end..end, if is_empty { "" } else { "," }, "", names)
                }
                found => {
                    let malformed = Malformed {
                        position: position(list.get()),
                        place: place.clone(),
                        expected: Kind::List,
                        found,
                    };
                    judged.findings.push(Finding::malformed(
                        Check::Mirrors,
                        &malformed,
                        Action::Reject,
                    ));
                    return;
                }
            }
        }
    };
    let missing: Vec<_> = secrets
        .iter()
        .filter(|secret| !has.iter().any(|name| name == **secret))
        .map(|secret| format!("{{\"name\":\"{secret}\"}}"))
        .collect();
    if !missing.is_empty() {
        let edit = Edit {
            path: Location(vec![SPEC, LIST]),
            change: Change::PullSecrets,
            span,
            text: format!("{before}{}{after}", missing.join(",")),
        };
        splice::add(&mut judged.edits, edit);
    }
}

/// The names in a list of secrets.
fn names(list: &str) -> Vec<String> {
    let name = [Step::Each, Step::key("name")];
    let found = find(list, &name).unwrap_or_default();
    let texts = found
        .into_iter()
        .filter_map(|(_, raw)| match serde_json::from_str(raw.get()) {
            Ok(Node::Text(text)) => Some(text.into_owned()),
            _ => None,
        });
    texts.collect()
}
