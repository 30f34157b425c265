//! Holds the annotations of an object and of its pod templates against the rules, and removes those
//! that a rule says to remove.

use crate::annotation::{
    AnnotationRule, Annotations, Objection, RuleAction, Target, annotations, at,
};
use crate::exemption::Check;
use crate::json::{Location, Step, find, position};
use crate::request::{Request, RequestError};
use crate::selector::Selector;
use crate::settings::Settings;
use crate::shown::Shown;
use crate::splice::{self, Edit};
use crate::violation::{Action, Violation};
use crate::workload::Object;

use super::exempted::Exempted;
use super::finding::{Finding, sort};

/// Everything wrong with the annotations of an object that no exemption covers.
///
/// With `old`, the object as it was, also what may not change; without, only what is.
pub(super) fn judge(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    old: Option<&Object<'_>>,
    exempted: &mut Exempted<'_, '_, '_>,
    findings: &mut Vec<Finding>,
) -> Result<(), RequestError> {
    if request.sub_resource.is_some() {
        // The one that is judged, `ephemeralcontainers`, leaves metadata as it was.
        return Ok(());
    }
    let first = findings.len();
    let mut matching = Matching::default();
    let mut malformed: Vec<(Location<'_>, Finding)> = Vec::new();
    for (index, rule) in settings.annotations.iter().enumerate() {
        let applies = matching.matches(&rule.selector, request, object);
        // Whoever takes the label away in the same update is not rid of the rule.
        let compares = rule.compares()
            && old.is_some_and(|old| {
                applies
                    || (rule.selector.has_labels(old)
                        && rule.selector.matches_but_for_labels(request, object))
            });
        if !applies && !compares {
            continue;
        }
        let places = annotations(rule.target, object, &request.kind).map_err(unreadable)?;
        for place in &places {
            let mut put = |objection| {
                if !exempted.cover(Check::Annotations, None) {
                    let finding = finding((index, rule), request, object, place, objection);
                    findings.push(finding);
                }
            };
            if applies {
                rule.check(place, &mut put);
            }
            if compares && let Some(before) = before(place, old)? {
                rule.compare(place, &before, &mut put);
            }
            for misfit in &place.malformed {
                let action = rule.action.otherwise();
                match malformed
                    .iter_mut()
                    .find(|(place, _)| *place == misfit.place)
                {
                    Some((_, known)) if action == Action::Reject => known.action = action,
                    Some(_) => {}
                    None if exempted.cover(Check::Annotations, None) => {}
                    None => malformed.push((
                        misfit.place.clone(),
                        Finding::malformed(Check::Annotations, misfit, action),
                    )),
                }
            }
        }
    }
    findings.extend(malformed.into_iter().map(|(_, finding)| finding));
    if findings.len() > first {
        sort(findings);
    }
    Ok(())
}

/// Removes what the findings say to remove: the changes, and the object with them.
///
/// `None` where nothing is to be removed that is new, or the changes cannot be made.
pub(super) fn remove(
    request: &Request<'_>,
    object: &Object<'_>,
    findings: &[Finding],
) -> Option<(Vec<Edit>, String)> {
    let mut removed: Vec<usize> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_removal()) {
        for position in &finding.removes {
            if let Err(at) = removed.binary_search(position) {
                removed.insert(at, *position);
            }
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    for place in annotations(Target::Both, object, &request.kind).ok()? {
        for map in &place.maps {
            edits.extend(splice::remove_members(
                object.text,
                map,
                &place.place(),
                &removed,
            )?);
        }
    }
    let text = splice::apply(object.text, &edits)?;
    Some((edits, text))
}

/// Where something that stands at `position` in an object without the removed members stands in the
/// object that they were removed from.
pub(super) fn position_before(
    position_after: usize,
    after: &str,
    before: &str,
    edits: &[Edit],
) -> usize {
    let mut offset = position_after.saturating_sub(position(after));
    for edit in edits {
        if edit.span.start <= offset {
            offset += edit.span.len();
        }
    }
    position(before) + offset
}

/// The annotations that were there before; none where the pod template is new.
fn before<'a>(
    place: &Annotations<'a>,
    old: Option<&Object<'a>>,
) -> Result<Option<Annotations<'a>>, RequestError> {
    let Some(old) = old else {
        return Ok(None);
    };
    if let Some(template) = &place.template
        && find(old.text, template.steps())
            .map_err(unreadable)?
            .is_empty()
    {
        return Ok(None);
    }
    at(old, place.owner.clone()).map(Some).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> RequestError {
    RequestError::unreadable("request.object", &error)
}

/// A `ReplicaSet` that a Deployment made: changing it would have the Deployment make another.
fn is_owned_replica_set(request: &Request<'_>, object: &Object<'_>) -> bool {
    request.kind.is_replica_set()
        && object.metadata.is_some_and(|metadata| {
            find(metadata, &[Step::key("ownerReferences"), Step::Each])
                .is_ok_and(|owners| !owners.is_empty())
        })
}

fn finding(
    (index, rule): (usize, &AnnotationRule<'_>),
    request: &Request<'_>,
    object: &Object<'_>,
    place: &Annotations<'_>,
    objection: Objection<'_>,
) -> Finding {
    let mut action = rule.action.otherwise();
    let mut removes = Vec::new();
    if rule.action == RuleAction::Remove && !objection.removable.is_empty() {
        if is_owned_replica_set(request, object) {
            // Its Pods are what counts, and from these the annotation is removed.
            action = Action::Warn;
        } else if request.user.is_some() {
            removes = objection.removable;
        }
        // The audit scanner changes nothing: what is there is reported.
    }
    let mut at = place.place();
    if let Some(key) = &objection.key {
        at.0.push(Step::Key(key.clone()));
    }
    let value = objection.found.and_then(|annotation| annotation.value());
    let value = value.as_deref();
    let message = match &rule.message {
        Some(message) => format!(": {message}"),
        None => String::new(),
    };
    let (code, facts) = (objection.code, objection.facts);
    Finding {
        check: Check::Annotations,
        position: match objection.found {
            Some(annotation) => annotation.position(),
            None => place.position(object),
        },
        action,
        key: format!(
            "{code} {index} {at:#} {} {facts}",
            value.unwrap_or_default()
        ),
        template: place.template.as_ref().map(Location::detached),
        removes,
        violation: Violation {
            code,
            place: at.to_string(),
            path: match objection.found {
                Some(_) => at.detached(),
                None => nearest(place, object).detached(),
            },
            value: value.map(|value| format!("value `{}`", Shown(value))),
            kept: None,
            problem: format!(
                "rule `{}`: {}{message}",
                Shown(&rule.name),
                objection.problem
            ),
        },
    }
}

/// The map of annotations, or what is there of the way to it.
fn nearest<'a>(place: &Annotations<'a>, object: &Object<'a>) -> Location<'a> {
    let mut way = place.place();
    while !way.0.is_empty() && find(object.text, way.steps()).is_ok_and(|found| found.is_empty()) {
        way.0.pop();
    }
    way
}

/// Which selectors match: rules that share one ask only once.
#[derive(Default)]
struct Matching<'s> {
    known: Vec<(&'s Selector<'s>, bool)>,
}

impl<'s> Matching<'s> {
    fn matches(
        &mut self,
        selector: &'s Selector<'s>,
        request: &Request<'_>,
        object: &Object<'_>,
    ) -> bool {
        if let Some((_, matches)) = self.known.iter().find(|(known, _)| *known == selector) {
            return *matches;
        }
        let matches = selector.matches(request, object);
        self.known.push((selector, matches));
        matches
    }
}
