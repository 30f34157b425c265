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

use super::{Objection, Seen, Sink, one_of};

pub(super) fn check(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    object: Sink<'_>,
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
    let mut refuse = |code, problem: &dyn Fn() -> String| {
        object(Objection {
            code,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            problem,
        });
    };
    if let Some(entry) = rejecting(image) {
        refuse(Code::RegistryRejected, &|| {
            format!(
                "{} is rejected by `{}`, use {}",
                named(image, entry.has_path()),
                Shown(entry.text()),
                instead()
            )
        });
    } else if !list.allow.is_empty() && !is_allowed(image) {
        refuse(Code::RegistryNotAllowed, &|| {
            format!(
                "{} is not allowed, use {}",
                named(image, list.allow.iter().any(RegistryPattern::has_path)),
                instead()
            )
        });
    }
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
