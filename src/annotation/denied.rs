//! `denied`: what must not be there, whatever its value.
//!
//! ```yaml
//! denied: ["nginx.ingress.kubernetes.io/*-snippet"]
//! ```
//!
//! Accepted: `nginx.ingress.kubernetes.io/rewrite-target: /`. Rejected:
//! `nginx.ingress.kubernetes.io/server-snippet: ""`.

use crate::shown::quoted;
use crate::violation::{Code, Outcome};

use super::{AnnotationRule, Annotations, Objection, Sink};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    if rule.denied.is_empty() {
        return;
    }
    for annotation in &annotations.all {
        let denied = rule
            .denied
            .iter()
            .find(|name| rule.names.matching(**name, &annotation.key).is_some());
        if let Some(name) = denied {
            let problem = |fate| {
                let key = rule.names.key(*name);
                let by = if key == annotation.key {
                    String::new()
                } else {
                    [" by ", &quoted(&[&key], "")].concat()
                };
                ["it ", Outcome::DENIED.words(fate), &by].concat()
            };
            let mut objection =
                Objection::found(Code::AnnotationDenied, annotation, problem).advising("remove it");
            objection.removable.push(annotation.position());
            sink(objection);
        }
    }
}
