//! `mirrors`: reads [`Mirror`]s, and holds them against each other.

use super::{DigestRule, Mirror, Mirrored, OnCheckError, Target};
use crate::glob;
use crate::image::Reference;
use crate::pattern::SourcePattern;
use crate::shown::Shown;

use crate::schema::Entry;
use crate::schema::SettingsErrors;
use crate::selector::{self, Purpose, Selector};

const KEYS: [&str; 7] = [
    "source",
    "mirror",
    "digest",
    "pullSecrets",
    "checkExists",
    "onCheckError",
    "match",
];

const DIGEST: [(&str, DigestRule); 3] = [
    ("keep", DigestRule::Keep),
    ("drop", DigestRule::Drop),
    ("skip", DigestRule::Skip),
];

const ON_CHECK_ERROR: [(&str, OnCheckError); 3] = [
    ("keep", OnCheckError::Keep),
    ("rewrite", OnCheckError::Rewrite),
    ("reject", OnCheckError::Reject),
];

pub(crate) fn read<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Vec<Mirror<'n>> {
    let mut mirrors = Vec::new();
    entry.list(errors, &mut |_, entry, errors| {
        mirrors.extend(mirror(entry, errors));
    });
    mirrors
}

fn mirror<'n>(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Option<Mirror<'n>> {
    let before = errors.len();
    let (mut source, mut target) = (None, None);
    let (mut digest, mut on_check_error) = (DigestRule::default(), OnCheckError::default());
    let (mut pull_secrets, mut check_exists) = (Vec::new(), false);
    let mut selector = Selector::default();
    entry.map(&KEYS, errors, &mut |key, entry, errors| match key {
        "source" => source = entry.parsed(errors, SourcePattern::parse),
        "mirror" => target = entry.parsed(errors, Target::parse),
        "digest" => digest = entry.keyword(&DIGEST, errors).unwrap_or_default(),
        "pullSecrets" => pull_secrets = entry.texts(errors, secret),
        "checkExists" => check_exists = entry.boolean(errors).unwrap_or_default(),
        "onCheckError" => {
            on_check_error = entry.keyword(&ON_CHECK_ERROR, errors).unwrap_or_default();
        }
        _ => selector = selector::read(entry, errors, Purpose::Apply),
    });
    match (source, target) {
        (Some(source), Some(target)) => {
            if let Some(problem) = mismatch(&source, &target) {
                entry.error(errors, problem);
            }
            Some(Mirror {
                source,
                target,
                digest,
                pull_secrets,
                check_exists,
                on_check_error,
                selector,
            })
        }
        (source, _) => {
            if errors.len() == before {
                let missing = if source.is_none() { "source" } else { "mirror" };
                entry.error(errors, format!("`{missing}` is missing"));
            }
            None
        }
    }
}

/// Why a mirror cannot stand in for its source, whatever the image.
fn mismatch(source: &SourcePattern<'_>, target: &Target<'_>) -> Option<String> {
    if target.is_template() {
        return None;
    }
    if !source.is_plain() {
        return Some(format!(
            "the source `{}` has a wildcard, and what it stands for is lost in `{}`: use a template, such as `{}/{{registry}}/{{repository}}`",
            Shown(source.text()),
            Shown(target.text()),
            Shown(target.without_tag())
        ));
    }
    if target.has_tag() && source.tag().is_none() {
        return Some(format!(
            "the mirror `{}` has a tag but the source `{}` has none, so every tag would become this one: remove the tag, or write `{{tag}}`",
            Shown(target.text()),
            Shown(source.text())
        ));
    }
    None
}

/// A name of a Secret, as Kubernetes has them: a DNS label (RFC 1123), or several with dots.
fn secret(text: &str) -> Result<&str, String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text)
    } else {
        Err("is no name of a secret: use lower-case letters, digits and `-`".to_owned())
    }
}

/// Notes rules that can never rewrite an image, or that rewrite what another one has rewritten.
///
/// Compares each pair: for settings that are validated once, not for each request.
pub(crate) fn find_contradictions(mirrors: &[Mirror<'_>], errors: &mut SettingsErrors) {
    let sources: Vec<_> = mirrors.iter().map(|mirror| mirror.source.globs()).collect();
    for (index, mirror) in mirrors.iter().enumerate() {
        let path = || format!("mirrors[{index}]");
        if mirror.target.is_everything() {
            errors.contradiction(
                format!("{}.mirror", path()),
                &format!(
                    "`{}` is where every image is already: name another registry",
                    Shown(mirror.target.text())
                ),
            );
            continue;
        }
        let mut before = mirrors.iter().enumerate().take(index);
        let earlier = before.find(|(_, earlier)| shadows(earlier, mirror));
        if let Some((earlier_index, earlier)) = earlier {
            let problem = if earlier.source == mirror.source {
                "has the same source".to_owned()
            } else {
                format!(
                    "(`{}`) takes all of `{}`, put the narrower rule first",
                    Shown(earlier.source.text()),
                    Shown(mirror.source.text())
                )
            };
            errors.contradiction(
                path(),
                &format!("never used: `mirrors[{earlier_index}]` {problem}"),
            );
        }
        let target = mirror.target.globs(&mirror.source);
        for (other_index, (other, source)) in mirrors.iter().zip(&sources).enumerate() {
            // `*` means what is under no mirror yet.
            if !other.source.is_everything() && meets(&target, source) {
                errors.contradiction(
                    format!("{}.mirror", path()),
                    &format!(
                        "`{}` is itself under the source `{}` of `mirrors[{other_index}]`: an image would be rewritten twice, narrow the source or choose another mirror",
                        Shown(mirror.target.text()),
                        Shown(other.source.text())
                    ),
                );
            }
        }
        if let Some(problem) = never_valid(mirror).or_else(|| loses_the_name(mirror)) {
            errors.contradiction(format!("{}.mirror", path()), &problem);
        }
    }
}

/// Whether a rule takes each image that a later one could.
fn shadows(earlier: &Mirror<'_>, later: &Mirror<'_>) -> bool {
    let takes_pinned = earlier.source.tag().is_none()
        || earlier.digest == DigestRule::Drop
        || later.digest != DigestRule::Drop;
    takes_pinned
        && earlier.source.covers(&later.source)
        && (earlier.selector == Selector::default() || earlier.selector == later.selector)
}

/// Host, paths and tag of images, as globs.
type Globs<'g> = (&'g str, Vec<String>, &'g str);

/// Whether what a rule makes of an image may be under the source of another.
fn meets((host, paths, tag): &Globs<'_>, (other_host, other_paths, other_tag): &Globs<'_>) -> bool {
    glob::may_meet(host, (other_host, ""))
        && glob::may_meet(tag, (other_tag, ""))
        && paths.iter().any(|path| {
            let mut others = other_paths.iter();
            others.any(|other| glob::may_meet(path, (other, "")))
        })
}

/// Why a rule makes no image of any that it covers.
fn never_valid(mirror: &Mirror<'_>) -> Option<String> {
    let mut problem = None;
    for sample in mirror.source.samples() {
        let Ok(image) = Reference::parse(&sample) else {
            continue;
        };
        match mirror.mirrored(&image) {
            Mirrored::Invalid(text, why) => {
                problem.get_or_insert_with(|| {
                    format!(
                        "`{}` is valid for no image: `{}` becomes `{}`, which {why}",
                        Shown(mirror.target.text()),
                        Shown(&sample),
                        Shown(&text)
                    )
                });
            }
            _ => return None,
        }
    }
    problem
}

/// Why a mirror that is only a host cannot take the image that the source itself names: of its path nothing
/// is left to be a repository there.
fn loses_the_name(mirror: &Mirror<'_>) -> Option<String> {
    let sample = mirror.source.samples().into_iter().next()?;
    if mirror.target.is_template() || !mirror.source.may_be_at() {
        return None;
    }
    let image = Reference::parse(&sample).ok()?;
    let name = image.path().rsplit('/').next().unwrap_or_default();
    match mirror.mirrored(&image) {
        Mirrored::Invalid(text, why) => Some(format!(
            "`{0}` is only a host, and has no repository for `{1}`: `{2}` becomes `{3}`, which {why}, write `{0}/{name}`",
            Shown(mirror.target.text()),
            Shown(mirror.source.text()),
            Shown(&sample),
            Shown(&text),
        )),
        _ => None,
    }
}
