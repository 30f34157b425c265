//! `denied`: what must not be there, whatever its value.
//!
//! ```yaml
//! denied: ["nginx.ingress.kubernetes.io/*-snippet"]
//! ```
//!
//! Accepted: `nginx.ingress.kubernetes.io/rewrite-target: /`. Rejected:
//! `nginx.ingress.kubernetes.io/server-snippet: ""`.

use crate::shown::quoted;
use crate::violation::{Code, Verb};

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
        if rule.denied.has(&rule.names, annotation.key) {
            let problem = |fate| {
                let by = match rule.denying(annotation.key) {
                    Some(key) if key != annotation.key => [" by ", &quoted(&[&key], "")].concat(),
                    _ => String::new(),
                };
                ["it ", Verb::DENIED.of(fate), &by].concat()
            };
            let mut objection =
                Objection::found(Code::AnnotationDenied, annotation, problem).advising("remove it");
            objection.removable.push(annotation.position());
            sink(objection);
        }
    }
}

impl AnnotationRule<'_> {
    /// The first entry of `denied` that a key is, or that matches it.
    pub(crate) fn denying(&self, key: &str) -> Option<String> {
        let mut entries = self.denied.iter();
        let entry = entries.find(|entry| self.names.matching(**entry, key).is_some())?;
        Some(self.names.key(*entry))
    }
}
