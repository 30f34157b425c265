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
use crate::schema::{SettingsErrors, nearest};
use crate::shown::{Shown, listed, quoted};
use crate::violation::{Code, Fate, Verb};

use super::{AnnotationRule, Annotations, Name, Objection, Sink, texts, tools};

pub(super) fn check<'o>(
    rule: &'o AnnotationRule<'_>,
    annotations: &'o Annotations<'o>,
    sink: Sink<'_, 'o>,
) {
    for annotation in &annotations.all {
        if !rule.admits(annotation.key) {
            let problem = |fate| {
                let hint = match rule.meant(annotation.key) {
                    Some(meant) => ["did you mean ", &quoted(&[&meant], ""), "? "].concat(),
                    None => String::new(),
                };
                not_allowed_but(&texts(&rule.keys(&rule.allowed)), &hint, fate)
            };
            sink(
                Objection::found(Code::AnnotationNotAllowed, annotation, problem)
                    .advising("remove it"),
            );
        }
    }
}

/// Among more names than these nobody looks for the one that is meant.
const MOST_NAMES: usize = 256;

/// No name of an annotation is longer.
const LONGEST_NAME: usize = 63;

impl AnnotationRule<'_> {
    /// The name that a key under the prefix is most like.
    fn meant(&self, key: &str) -> Option<String> {
        let (_, rest) = self.names.rests(key).next()?;
        let is_small = self.allowed.len() <= MOST_NAMES && rest.len() <= LONGEST_NAME;
        if self.names.prefix.is_empty() || !is_small {
            return None;
        }
        let names = self
            .allowed
            .iter()
            .filter(|name| name.is_relative() && !name.is_glob());
        let names: Vec<_> = names.map(Name::text).collect();
        let meant = nearest(&rest.to_ascii_lowercase(), &names)?;
        Some([self.names.prefix, meant].concat())
    }

    /// Whether `allowed` lets a key be there.
    pub(crate) fn admits(&self, key: &str) -> bool {
        self.allowed.is_empty()
            || !self.names.covers(key)
            || self.allowed.has(&self.names, key)
            || tools::write(key)
    }

    /// Whether `allowed` lets a key be there, or may let one that a glob over keys matches.
    pub(crate) fn may_admit(&self, key: &str) -> bool {
        let meets = |name: &Name<'_>| name.is_glob() || glob::matches(key, &self.names.key(*name));
        self.admits(key) || (glob::has_wildcard(key) && self.allowed.iter().any(meets))
    }
}

/// What is wrong with an annotation that is not in the list.
pub(super) fn not_allowed(allowed: &[&str], fate: Fate) -> String {
    not_allowed_but(allowed, "", fate)
}

/// As [`not_allowed`], with what may have been meant.
fn not_allowed_but(allowed: &[&str], hint: &str, fate: Fate) -> String {
    let (verb, allowed) = (Verb::NOT_ALLOWED.of(fate), listed(allowed));
    ["it ", verb, " (", hint, "allowed: ", &allowed, ")"].concat()
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
