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
use crate::violation::{Code, Fate, Outcome};

use super::{Objection, Seen, Sink, version};

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
    // The same image there; below a path, by its name.
    let image_there = |registry: &str| {
        let path = seen.written.path();
        let name = if registry.contains('/') {
            path.rsplit('/').next().unwrap_or(path)
        } else {
            path
        };
        [registry, "/", name, &version(seen.written)].concat()
    };
    let allowed = |code| {
        let texts: Vec<_> = list.allow.iter().map(RegistryPattern::text).collect();
        seen.allowed(&texts, code, &image_there)
    };
    let mut refuse = |code, problem: &dyn Fn(Fate) -> String| {
        object(Objection {
            code,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            problem,
        });
    };
    if let Some(entry) = rejecting(image) {
        let code = Code::RegistryRejected;
        refuse(code, &|fate| {
            let instead = match seen.instead {
                None if list.allow.is_empty() || is_allowed(image) => seen.another("registry"),
                _ => allowed(code),
            };
            format!(
                "{} {} by `{}`{instead}",
                named(image, entry.has_path()),
                Outcome::REJECTED.words(fate),
                Shown(entry.text()),
            )
        });
    } else if !list.allow.is_empty() && !is_allowed(image) {
        let code = Code::RegistryNotAllowed;
        refuse(code, &|fate| {
            format!(
                "{} {}{}",
                named(image, list.allow.iter().any(RegistryPattern::has_path)),
                Outcome::NOT_ALLOWED.words(fate),
                allowed(code)
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
