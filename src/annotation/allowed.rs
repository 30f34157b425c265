//! `allowed`: what may be there, besides what Kubernetes and its tools write themselves.
//!
//! ```yaml
//! allowed: [team, "cert-manager.io/*"]
//! ```
//!
//! Accepted: `team: shop`, `deployment.kubernetes.io/revision: "3"`. Rejected: `owner: jane`.
//!
//! With a `prefix`, only what is under it is judged.

use crate::glob;
use crate::schema::SettingsErrors;
use crate::shown::{Shown, listed};
use crate::violation::{Code, Fate, Verb};

use super::{AnnotationRule, Annotations, Objection, Sink, texts, tools};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for annotation in &annotations.all {
        if !rule.admits(annotation.key) {
            let problem = |fate| not_allowed(&texts(&rule.keys(&rule.allowed)), fate);
            sink(
                Objection::found(Code::AnnotationNotAllowed, annotation, problem)
                    .advising("remove it"),
            );
        }
    }
}

impl AnnotationRule<'_> {
    /// Whether `allowed` lets a key be there.
    pub(crate) fn admits(&self, key: &str) -> bool {
        self.allowed.is_empty()
            || !self.names.covers(key)
            || self.allowed.has(&self.names, key)
            || tools::write(key)
    }
}

/// What is wrong with an annotation that is not in the list.
pub(super) fn not_allowed(allowed: &[&str], fate: Fate) -> String {
    let words = Verb::NOT_ALLOWED.of(fate);
    ["it ", words, " (allowed: ", &listed(allowed), ")"].concat()
}

/// Notes entries of which `denied` leaves nothing.
pub(super) fn find_contradictions(
    rule: &AnnotationRule<'_>,
    path: &str,
    errors: &mut SettingsErrors,
) {
    for (at, allowed) in rule.allowed.iter().enumerate() {
        let key = rule.names.key(*allowed);
        let mut denied = rule.denied.iter().map(|denied| rule.names.key(*denied));
        if let Some(denied) = denied.find(|denied| glob::covers(denied, &key)) {
            errors.contradiction(
                format!("{path}.allowed[{at}]"),
                &format!(
                    "`{}` allows nothing: `denied` has `{}`",
                    Shown(&key),
                    Shown(&denied)
                ),
            );
        }
    }
}
