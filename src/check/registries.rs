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
    let found = Shown(image.host());
    if let Some(entry) = list
        .reject
        .iter()
        .find(|entry| entry.matches(image, Sense::Reject))
    {
        let instead = match list.allow.as_slice() {
            [] => "use another registry".to_owned(),
            allow => format!("use {}", one_of(allow.iter().map(RegistryPattern::text))),
        };
        object(Objection {
            code: Code::RegistryRejected,
            action: list.action,
            problem: format!(
                "registry `{found}` is rejected by `{}`, {instead}",
                Shown(entry.text())
            ),
        });
    } else if !list.allow.is_empty()
        && !list
            .allow
            .iter()
            .any(|entry| entry.matches(image, Sense::Allow))
    {
        object(Objection {
            code: Code::RegistryNotAllowed,
            action: list.action,
            problem: format!(
                "registry `{found}` is not allowed, use {}",
                one_of(list.allow.iter().map(RegistryPattern::text))
            ),
        });
    }
}
