//! Holds an object against the configuration that was last applied to it.

use std::hash::{Hash, Hasher};

use crate::change::{Difference, Differences, Guard, Shows, compare_images, entries_between};
use crate::drift::{self, Drifted};
use crate::exemption::Check;
use crate::glob;
use crate::hashing::Seen;
use crate::json::{Document, Place, Step, lookup};
use crate::request::Request;
use crate::settings::Settings;
use crate::violation::{Action, Code, Violation};
use crate::workload::{ImageField, Object};

use super::exempted::Exempted;
use super::finding::{About, Findings, LAST};
use super::pull::{Pulls, as_written};

/// Every image and guarded annotation that is not as it was last applied.
pub(super) fn judge(
    pulls: &Pulls<'_, '_, '_, '_>,
    exempted: &mut Exempted<'_, '_, '_>,
    findings: &mut Findings<'_>,
) {
    let (context, object) = (pulls.context, pulls.object);
    let (settings, request) = (context.settings, context.request);
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
    let mut is_exempt =
        |findings: &mut Findings<'_>| exempted.lifts(Check::Drift, None, None, findings);
    let applied = match applied {
        Err(problem) => {
            if !is_exempt(findings) {
                findings.add_violation(Action::Warn, &drift::unreadable(problem));
            }
            return;
        }
        Ok(applied) => applied,
    };
    let action = match action {
        _ if drift::is_history(metadata) => Action::Warn,
        // The audit scanner, which reports nothing but refusals.
        Action::Warn if request.user.is_none() => Action::Reject,
        action => action,
    };
    let comes_to_the_same = |was: &ImageField<'_>, is: &ImageField<'_>| {
        let (mut was_text, mut is_text) = (String::new(), String::new());
        let applied = pulls.in_pods(was, &mut was_text);
        if !request.kind.is_pod() {
            return applied == pulls.in_pods(is, &mut is_text);
        }
        // A Pod runs what was applied, or its mirror.
        let is = as_written(is);
        as_written(was) == is || applied == is
    };
    compare_images(&applied, object, &comes_to_the_same, &mut |was, is| {
        // What the object has besides is no drift: injectors add containers.
        if let Some(was) = was
            && !is_exempt(findings)
        {
            add_image(was, is, action, findings);
        }
    });
    let globs = guarded_annotations(settings, request, object);
    if !globs.is_empty() {
        for drifted in annotations(&applied, object, &globs).found {
            if drifted.was.is_some() && !is_exempt(findings) {
                add_annotation(&drifted, action, findings);
            }
        }
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

/// Compares the annotations of the object and of its pod templates.
fn annotations(applied: &Object<'_>, live: &Object<'_>, globs: &[&str]) -> Differences {
    // What was applied does not name itself.
    let wanted =
        |key: &str| key != drift::LAST_APPLIED && globs.iter().any(|glob| glob::matches(glob, key));
    let mut drifted = Differences::all();
    let metadata = Step::key("metadata");
    entries_between(
        &lookup(applied.value, std::slice::from_ref(&metadata)),
        &lookup(live.value, std::slice::from_ref(&metadata)),
        &Place::default().below(metadata.clone()),
        &wanted,
        &mut drifted,
    );
    let mut seen = Seen::default();
    for template in &applied.templates {
        if seen.insert(template) {
            let place = template.below(metadata.clone());
            let (was, is) = (applied.marked(&place), live.marked(&place));
            entries_between(&was, &is, &place, &wanted, &mut drifted);
        }
    }
    drifted
}

fn add_image(
    was: &ImageField<'_>,
    is: Option<&ImageField<'_>>,
    action: Action,
    findings: &mut Findings<'_>,
) {
    let image = is.unwrap_or(was);
    let now = is.map(|image| image.text.as_ref());
    let about = About::new(Code::ImageDrifted, action, LAST);
    let identity = |mut hasher: &mut dyn Hasher| {
        (about.code, image.pairing(), now, &was.text).hash(&mut hasher);
    };
    findings.add(about, None, &[], &[], &identity, &|_| {
        let drifted = Drifted {
            noun: "image",
            is_shown: !image.is_private(),
            was: &was.text,
            now,
        };
        Violation {
            path: image.exact_place().detached(),
            ..drifted.violation(about.code, image.told_place())
        }
    });
}

fn add_annotation(drifted: &Difference, action: Action, findings: &mut Findings<'_>) {
    let about = About::new(Code::AnnotationDrifted, action, LAST);
    let identity = |mut hasher: &mut dyn Hasher| {
        (about.code, &drifted.path, &drifted.is, &drifted.was).hash(&mut hasher);
    };
    findings.add(about, None, &[], &[], &identity, &|_| {
        let said = Drifted {
            noun: drifted.noun,
            is_shown: drifted.shows == Shows::Values,
            was: drifted.was.as_deref().unwrap_or_default(),
            now: drifted.is.as_deref(),
        };
        Violation {
            path: drifted.path.clone(),
            ..said.violation(about.code, drifted.place())
        }
    });
}
