//! Holds an object against the configuration that was last applied to it.

use crate::change::Guard;
use crate::drift::{self, Image};
use crate::exemption::Check;
use crate::glob;
use crate::json::{Location, Step};
use crate::request::Request;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::violation::{Action, Code};
use crate::workload::Object;

use super::Judged;
use super::exempted::Exempted;
use super::finding::Finding;
use super::running::as_it_will_run;

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
    let text = match drift::last_applied(metadata) {
        Ok(None) => return,
        Ok(Some(text)) => Ok(text),
        Err(problem) => Err(problem),
    };
    let applied = text
        .as_ref()
        .map_err(|problem| *problem)
        .and_then(|text| drift::read(text, &request.kind, object));
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
            let images = drift::images(&applied, object);
            findings.extend(images.iter().filter_map(|drifted| image(drifted, action)));
            let globs = guarded_annotations(settings, request, object);
            if !globs.is_empty() {
                let wanted = |key: &str| globs.iter().any(|glob| glob::matches(glob, key));
                let annotations = drift::annotations(&applied, object, &wanted);
                findings.extend(
                    annotations
                        .iter()
                        .map(|drifted| annotation(drifted, action)),
                );
            }
        }
    }
    if !findings.is_empty() && !exempted.cover(Check::Drift, None) {
        judged.findings.append(&mut findings);
    }
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

fn image(drifted: &Image<'_, '_, '_>, action: Action) -> Option<Finding> {
    let applied = drifted.applied;
    let was = Shown(&applied.text);
    let Some(live) = drifted.live else {
        let mut place = applied.list().to_string();
        if let Some(name) = &applied.name {
            place = format!("{place} \"{}\"", Shown(name));
        }
        return Some(Finding::at(
            place,
            applied.list().detached(),
            Some(format!("image `{was}`")),
            Code::ImageDrifted,
            action,
            format!("it was applied last and is gone, {INSTEAD}"),
        ));
    };
    if live.text == applied.text || as_it_will_run(live) == as_it_will_run(applied) {
        return None;
    }
    let mut finding = Finding::image(
        live,
        &format!("{} {}", live.text, applied.text),
        Code::ImageDrifted,
        action,
        format!("`{was}` was applied last, {INSTEAD}"),
    );
    // New Pods are not held against what was applied.
    finding.template = None;
    Some(finding)
}

fn annotation(drifted: &drift::Annotation, action: Action) -> Finding {
    let was = Shown(&drifted.applied);
    let value = drifted.live.as_ref().map_or_else(
        || "absent".to_owned(),
        |live| format!("value `{}`", Shown(live)),
    );
    Finding::at(
        drifted.path.to_string(),
        drifted.path.clone(),
        Some(value),
        Code::AnnotationDrifted,
        action,
        format!("`{was}` was applied last, {INSTEAD}"),
    )
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
        Code::LastAppliedUnreadable,
        Action::Warn,
        format!("{problem}, so nobody can say what was applied last, apply the object again"),
    )
}
