//! `registries`: where images may come from.
//!
//! ```yaml
//! registries: { allow: ["*.azurecr.io"] }
//! ```
//!
//! Accepted: `example.azurecr.io/app:1`. Rejected: `redis`, which is on `docker.io`.

use crate::image::Reference;
use crate::pattern::{RegistryPattern, Sense};
use crate::settings::AllowReject;
use crate::shown::Shown;
use crate::violation::Code;

use super::{Objection, Seen, one_of};

pub(super) fn check(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    object: &mut dyn FnMut(Objection),
) {
    let rejecting = |image: &Reference<'_>| {
        let mut entries = list.reject.iter();
        entries.find(|entry| entry.matches(image, Sense::Reject))
    };
    let is_allowed = |image: &Reference<'_>| {
        let mut entries = list.allow.iter();
        entries.any(|entry| entry.matches(image, Sense::Allow))
    };
    let image = seen.mirrored.unwrap_or(seen.written);
    let instead = || match seen.instead {
        Some(mirror) => format!("`{}`", Shown(&mirror.to_string())),
        None if list.allow.is_empty() || is_allowed(image) => "another registry".to_owned(),
        None => one_of(
            &list
                .allow
                .iter()
                .map(RegistryPattern::text)
                .collect::<Vec<_>>(),
        ),
    };
    let (code, problem) = if let Some(entry) = rejecting(image) {
        let problem = format!(
            "{} is rejected by `{}`, use {}",
            named(image, entry.has_path()),
            Shown(entry.text()),
            instead()
        );
        (Code::RegistryRejected, problem)
    } else if !list.allow.is_empty() && !is_allowed(image) {
        let problem = format!(
            "{} is not allowed, use {}",
            named(image, list.allow.iter().any(RegistryPattern::has_path)),
            instead()
        );
        (Code::RegistryNotAllowed, problem)
    } else {
        return;
    };
    object(Objection {
        code,
        action: list.action,
        is_mirror: seen.mirrored.is_some(),
        problem,
    });
}

/// The registry of an image, with the path where that is what entries look at.
fn named(image: &Reference<'_>, with_path: bool) -> String {
    if with_path {
        format!(
            "repository `{}`",
            Shown(&format!("{}/{}", image.host(), image.path()))
        )
    } else {
        format!("registry `{}`", Shown(image.host()))
    }
}
