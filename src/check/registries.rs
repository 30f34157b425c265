//! `registries`: where images may come from.
//!
//! ```yaml
//! registries: { allow: ["*.azurecr.io"] }
//! ```
//!
//! Accepted: `example.azurecr.io/app:1`. Rejected: `redis`, which is on `docker.io`.

use crate::image::Reference;
use crate::pattern::{PatternError, RegistryPattern, Sense};
use crate::shown::Shown;
use crate::violation::{Code, Fate, Reason, Verb};

use super::{AllowReject, Objection, Pattern, Seen, Sink, version};

impl<'n> Pattern<'n> for RegistryPattern<'n> {
    fn parse(text: &'n str, sense: Sense) -> Result<Self, PatternError> {
        Self::parse(text, sense)
    }
}

pub(super) fn check(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    object: Sink<'_>,
) {
    let image = seen.mirrored.unwrap_or(seen.written);
    let mut refuse = |code, entry, reason: &dyn Fn(Fate) -> Reason| {
        object(Objection {
            code,
            action: list.action,
            is_mirror: seen.mirrored.is_some(),
            entry,
            reason,
        });
    };
    let mut entries = list.reject.iter().enumerate();
    if let Some((index, entry)) = entries.find(|(_, entry)| entry.matches(image, Sense::Reject)) {
        refuse(Code::RegistryRejected, Some(index), &|fate| {
            rejected(seen, list, entry, image, fate)
        });
    } else if !list.allow.is_empty() && !is_allowed(list, image) {
        refuse(Code::RegistryNotAllowed, None, &|fate| {
            not_allowed(seen, list, image, fate)
        });
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
    fate: Fate,
) -> Reason {
    let (name, verb) = (named(image, entry.has_path()), Verb::REJECTED.of(fate));
    let problem = format!("{name} {verb} by `{}`", Shown(entry.text()));
    match seen.instead {
        None if list.allow.is_empty() || is_allowed(list, image) => {
            Reason::new(problem, &seen.another("registry"))
        }
        _ => allowed(seen, list, Code::RegistryRejected, problem),
    }
}

#[cold]
fn not_allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    image: &Reference<'_>,
    fate: Fate,
) -> Reason {
    let name = named(image, list.allow.iter().any(RegistryPattern::has_path));
    let problem = format!("{name} {}", Verb::NOT_ALLOWED.of(fate));
    allowed(seen, list, Code::RegistryNotAllowed, problem)
}

/// A problem with what else to write: the same image on another registry, below a path by its name.
fn allowed(
    seen: &Seen<'_, '_>,
    list: &AllowReject<RegistryPattern<'_>>,
    code: Code,
    problem: String,
) -> Reason {
    let texts: Vec<_> = list.allow.iter().map(RegistryPattern::text).collect();
    seen.allowed(problem, &texts, code, &|registry| {
        image_there(registry, seen.written)
    })
}

/// The image by its name on another registry, or below a path by the end of its name.
pub(super) fn image_there(registry: &str, image: &Reference<'_>) -> String {
    let mut name = image.path();
    if registry.bytes().any(|byte| byte == b'/')
        && let Some((_, last)) = name.rsplit_once('/')
    {
        name = last;
    }
    [registry, "/", name, &version(image)].concat()
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
