//! `denied`: what must not be there, whatever its value.
//!
//! ```yaml
//! denied: ["nginx.ingress.kubernetes.io/*-snippet"]
//! ```
//!
//! Accepted: `nginx.ingress.kubernetes.io/rewrite-target: /`. Rejected:
//! `nginx.ingress.kubernetes.io/server-snippet: ""`.

use crate::glob;
use crate::shown::quoted;
use crate::violation::{Code, Verb};

use super::{AnnotationRule, Annotations, Name, Objection, Sink};

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
    /// The first entry of `denied` that a key is, or that matches it; that matches all of a glob.
    pub(crate) fn denying(&self, key: &str) -> Option<String> {
        let is_glob = glob::has_wildcard(key);
        let denies = |entry: &&Name<'_>| {
            if is_glob {
                return glob::covers(&self.names.key(**entry), key);
            }
            self.names.matches(**entry, key)
        };
        let entry = self.denied.iter().find(denies)?;
        Some(self.names.key(*entry))
    }
}
