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

use super::{Objection, one_of};

pub(super) fn check(
    image: &Reference<'_>,
    list: &AllowReject<RegistryPattern<'_>>,
    object: &mut impl FnMut(Objection),
) {
    let rejecting = list
        .reject
        .iter()
        .find(|entry| entry.matches(image, Sense::Reject));
    let is_allowed = || {
        list.allow
            .iter()
            .any(|entry| entry.matches(image, Sense::Allow))
    };
    if let Some(entry) = rejecting {
        let instead = if list.allow.is_empty() || is_allowed() {
            "use another registry".to_owned()
        } else {
            format!(
                "use {}",
                one_of(
                    &list
                        .allow
                        .iter()
                        .map(RegistryPattern::text)
                        .collect::<Vec<_>>()
                )
            )
        };
        object(Objection {
            code: Code::RegistryRejected,
            action: list.action,
            problem: format!(
                "{} is rejected by `{}`, {instead}",
                named(image, entry.has_path()),
                Shown(entry.text())
            ),
        });
    } else if !list.allow.is_empty() && !is_allowed() {
        object(Objection {
            code: Code::RegistryNotAllowed,
            action: list.action,
            problem: format!(
                "{} is not allowed, use {}",
                named(image, list.allow.iter().any(RegistryPattern::has_path)),
                one_of(
                    &list
                        .allow
                        .iter()
                        .map(RegistryPattern::text)
                        .collect::<Vec<_>>()
                )
            ),
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
