//! Holds an object against the configuration that was last applied to it.

use crate::change::{Difference, Differences, Guard, compare_images, entries_between};
use crate::drift;
use crate::exemption::Check;
use crate::glob;
use crate::json::{Document, Location, Step};
use crate::request::Request;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::violation::{Action, Code};
use crate::workload::{ImageField, Object};

use super::Judged;
use super::exempted::Exempted;
use super::finding::Finding;
use super::running::{Old, Unasked, as_it_will_run, as_written, mirrored};

/// What to do about drift.
const INSTEAD: &str = "change it in Git, or the next apply changes it back";

/// Every image and guarded annotation that is not as it was last applied.
pub(super) fn judge(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    exempted: &mut Exempted<'_, '_, '_>,
    judged: &mut Judged,
) {
    let (Some(action), Some(metadata)) = (settings.drift, object.metadata) else {
        return;
    };
    let document = match drift::last_applied(metadata) {
        Ok(None) => return,
        Ok(Some(text)) => Document::of(text).map_err(|_| "it is not JSON"),
        Err(problem) => Err(problem),
    };
    let applied = document
        .as_ref()
        .map_err(|problem| *problem)
        .and_then(|document| drift::read(document, &request.kind, object));
    let mut findings = Vec::new();
    match applied {
        Err(problem) => findings.push(unreadable(problem)),
        Ok(applied) => {
            let action = match action {
                _ if drift::is_history(metadata) => Action::Warn,
                // The audit scanner, which reports nothing but refusals.
                Action::Warn if request.user.is_none() => Action::Reject,
                action => action,
            };
            let mut drifted = Differences::default();
            let old = Old::default();
            compare_images(
                &applied,
                object,
                &|image| as_it_will_run(settings, request, object, image, &old, Unasked::There),
                &mut drifted,
            );
            if request.kind.is_pod() {
                // A Pod runs what was applied, or its mirror.
                keep_what_is_neither(settings, request, &applied, object, &mut drifted);
            }
            let globs = guarded_annotations(settings, request, object);
            if !globs.is_empty() {
                annotations(&applied, object, &globs, &mut drifted);
            }
            // What the object has besides is no drift: injectors add containers.
            drifted.found.retain(|difference| difference.was.is_some());
            findings.extend(drifted.found.iter().map(|drifted| finding(drifted, action)));
        }
    }
    if !findings.is_empty() && !exempted.cover(Check::Drift, None) {
        judged.findings.append(&mut findings);
    }
}

/// Leaves out the images of a Pod that are as they were applied, or the mirror of that.
fn keep_what_is_neither(
    settings: &Settings<'_>,
    request: &Request<'_>,
    applied: &Object<'_>,
    live: &Object<'_>,
    drifted: &mut Differences,
) {
    let mut written = Differences::default();
    compare_images(applied, live, &as_written, &mut written);
    let mut pulled = Differences::default();
    let as_pulled = |image: &ImageField<'_>| {
        if live.value.holds(image.raw) {
            return as_written(image);
        }
        mirrored(settings, request, live, image).unwrap_or_else(|| as_written(image))
    };
    compare_images(applied, live, &as_pulled, &mut pulled);
    drifted.found = written.found;
    drifted.found.retain(|difference| {
        let mut others = pulled.found.iter();
        others.any(|other| other.path == difference.path)
    });
}

/// What the guards over annotations match, of rules that are about this object.
fn guarded_annotations<'s>(
    settings: &Settings<'s>,
    request: &Request<'_>,
    object: &Object<'_>,
) -> Vec<&'s str> {
    let mut globs = Vec::new();
    for rule in &settings.changes {
        for guard in &rule.guards {
            if let Guard::Annotations(glob) = guard
                && rule.selector.matches(request, object)
            {
                globs.push(*glob);
            }
        }
    }
    globs
}

/// Compares the annotations of the object and of its pod templates.
fn annotations(applied: &Object<'_>, live: &Object<'_>, globs: &[&str], drifted: &mut Differences) {
    // What was applied does not name itself.
    let wanted =
        |key: &str| key != drift::LAST_APPLIED && globs.iter().any(|glob| glob::matches(glob, key));
    for place in std::iter::once(&Location::default()).chain(&applied.templates) {
        let mut way = place.steps().to_vec();
        way.extend([Step::key("metadata"), Step::key("annotations")]);
        entries_between(applied.value, live.value, &way, &wanted, drifted);
    }
}

fn finding(drifted: &Difference, action: Action) -> Finding {
    let was = Shown(drifted.was.as_deref().unwrap_or_default());
    let code = if drifted.noun == "image" {
        Code::ImageDrifted
    } else {
        Code::AnnotationDrifted
    };
    let (value, problem) = match &drifted.is {
        Some(is) => (Shown(is), format!("`{was}` was applied last, {INSTEAD}")),
        None => (was, format!("it was applied last and is gone, {INSTEAD}")),
    };
    let mut finding = Finding::at(
        drifted.place(),
        drifted.path.clone(),
        Some(format!("{} `{value}`", drifted.noun)),
        Check::Drift,
        code,
        action,
        problem,
    );
    // Values are shown shortened; what is paired is whole.
    let paired = drifted.paired_by.clone();
    finding.key = [
        code.as_str(),
        &paired.unwrap_or_else(|| format!("{:#}", drifted.path)),
        drifted.is.as_deref().unwrap_or_default(),
        drifted.was.as_deref().unwrap_or_default(),
    ]
    .join(" ");
    finding
}

fn unreadable(problem: &str) -> Finding {
    let path = [
        Step::key("metadata"),
        Step::key("annotations"),
        Step::key(drift::LAST_APPLIED),
    ];
    let path = Location(path.to_vec());
    Finding::at(
        path.to_string(),
        path,
        None,
        Check::Drift,
        Code::LastAppliedUnreadable,
        Action::Warn,
        format!("{problem}, so nobody can say what was applied last, apply the object again"),
    )
}
