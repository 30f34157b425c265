//! `digests`: which images must be pinned, and which must not be.
//!
//! ```yaml
//! digests: { require: ["ghcr.io/*"], forbid: ["registry.cn-hangzhou.aliyuncs.com/*"] }
//! ```
//!
//! Accepted: `ghcr.io/org/app:1@sha256:…`. Rejected: `ghcr.io/org/app:1`. A mirror that copies
//! images under new digests cannot serve a pinned one, hence `forbid`.

use crate::image::Reference;
use crate::pattern::Sense;
use crate::settings::Digests;
use crate::shown::Shown;
use crate::violation::Code;

use super::Objection;

pub(super) fn check(image: &Reference<'_>, list: &Digests<'_>, object: &mut impl FnMut(Objection)) {
    let required = || {
        list.require
            .iter()
            .find(|entry| entry.matches(image, Sense::Reject))
    };
    let forbidden = || {
        list.forbid
            .iter()
            .find(|entry| entry.matches(image, Sense::Reject))
    };
    match image.digest() {
        None => {
            if let Some(entry) = required() {
                object(Objection {
                    code: Code::DigestRequired,
                    action: list.action,
                    problem: format!(
                        "a digest is required by `{}`, use `{}@sha256:…`",
                        Shown(entry.text()),
                        Shown(&image.to_string())
                    ),
                });
            }
        }
        Some(_) => {
            if let Some(entry) = forbidden() {
                let instead = match image.without_digest() {
                    Some(unpinned) => format!("use `{}`", Shown(&unpinned.to_string())),
                    None => "name a tag".to_owned(),
                };
                object(Objection {
                    code: Code::DigestForbidden,
                    action: list.action,
                    problem: format!(
                        "a digest is forbidden by `{}`, {instead}",
                        Shown(entry.text())
                    ),
                });
            }
        }
    }
}
