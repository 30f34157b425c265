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
use crate::violation::{Code, Outcome};

use super::{Objection, Seen, version};

pub(super) fn check(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    object: &mut dyn FnMut(Objection),
) {
    let image = seen.mirrored.unwrap_or(seen.written);
    let mut entries = list.reject.iter();
    if let Some(entry) = entries.find(|entry| entry.matches(image, Sense::Reject)) {
        object(rejected(seen, list, entry, image));
    } else if !list.allow.is_empty() && !is_allowed(list, image) {
        object(not_allowed(seen, list, image));
    }
}

fn is_allowed(list: &AllowReject<RegistryPattern<'_>>, image: &Reference<'_>) -> bool {
    let mut entries = list.allow.iter();
    entries.any(|entry| entry.matches(image, Sense::Allow))
}

#[cold]
fn rejected(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    entry: &RegistryPattern<'_>,
    image: &Reference<'_>,
) -> Objection {
    let code = Code::RegistryRejected;
    let instead = match seen.instead {
        None if list.allow.is_empty() || is_allowed(list, image) => seen.another("registry"),
        _ => allowed(seen, list, code),
    };
    Objection {
        code,
        action: list.action,
        is_mirror: seen.mirrored.is_some(),
        problem: format!(
            "{} is rejected by `{}`{instead}",
            named(image, entry.has_path()),
            Shown(entry.text()),
        ),
        outcome: Some(Outcome::REJECTED),
    }
}

#[cold]
fn not_allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    image: &Reference<'_>,
) -> Objection {
    let code = Code::RegistryNotAllowed;
    Objection {
        code,
        action: list.action,
        is_mirror: seen.mirrored.is_some(),
        problem: format!(
            "{} is not allowed{}",
            named(image, list.allow.iter().any(RegistryPattern::has_path)),
            allowed(seen, list, code)
        ),
        outcome: Some(Outcome::NOT_ALLOWED),
    }
}

/// What else to write: the same image on another registry, below a path by its name.
fn allowed(seen: &Seen<'_, '_>, list: &AllowReject<RegistryPattern<'_>>, code: Code) -> String {
    let texts: Vec<_> = list.allow.iter().map(RegistryPattern::text).collect();
    let image_there = |registry: &str| {
        let mut name = seen.written.path();
        if registry.bytes().any(|byte| byte == b'/')
            && let Some((_, last)) = name.rsplit_once('/')
        {
            name = last;
        }
        [registry, "/", name, &version(seen.written)].concat()
    };
    seen.allowed(&texts, code, &image_there)
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
