//! `allowed`: what may be there, besides what Kubernetes and its tools write themselves.
//!
//! ```yaml
//! allowed: [team, "cert-manager.io/*"]
//! ```
//!
//! Accepted: `team: shop`, `deployment.kubernetes.io/revision: "3"`. Rejected: `owner: jane`.
//!
//! With a `prefix`, only what is under it is judged.

use crate::shown::Shown;
use crate::violation::Code;

use super::{AnnotationRule, Annotations, Objection, Sink, tools};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for annotation in &annotations.all {
        if !rule.admits(&annotation.key) {
            let keys: Vec<_> = rule
                .allowed
                .iter()
                .map(|name| rule.names.key(*name))
                .collect();
            let named: Vec<_> = keys.iter().map(String::as_str).collect();
            let problem = format!("it is not allowed, use {} or remove it", one_of(&named));
            sink(Objection::found(
                Code::AnnotationNotAllowed,
                annotation,
                problem,
            ));
        }
    }
}

impl AnnotationRule<'_> {
    /// Whether `allowed` lets a key be there.
    pub(crate) fn admits(&self, key: &str) -> bool {
        self.allowed.is_empty()
            || !self.names.covers(key)
            || self
                .allowed
                .iter()
                .any(|name| self.names.matching(*name, key).is_some())
            || tools::write(key)
    }
}

/// The first few entries of an allow list.
pub(super) fn one_of(entries: &[&str]) -> String {
    const NAMED: usize = 8;
    let mut text = if entries.len() == 1 {
        String::new()
    } else {
        "one of ".to_owned()
    };
    for (index, entry) in entries.iter().take(NAMED).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        text += &format!("{comma}`{}`", Shown(entry));
    }
    if entries.len() > NAMED {
        text += &format!(" and {} more", entries.len() - NAMED);
    }
    text
}
