//! Holds the annotations of an object and of its pod templates against the rules, and removes those
//! that a rule says to remove.

mod matching;

use std::collections::BTreeMap;

use crate::annotation::{
    Annotation, AnnotationRule, Annotations, Objection, RuleAction, Target, at, of_object,
    of_templates_in,
};
use crate::change::controllers;
use crate::exemption::Check;
use crate::json::{Location, Position, Step, Value, lookup};
use crate::request::{Operation, Request, RequestError};
use crate::settings::{self, AnnotationItem, Settings, SettingsErrors, There};
use crate::shown::{OneLine, Shown};
use crate::splice::{self, Edit};
use crate::violation::{Action, Violation};
use crate::workload::Object;

use super::exempted::Exempted;
use super::finding::{Finding, sort};

use matching::{Known, Matching};

/// Why a request cannot be judged.
pub(super) enum Unjudged {
    /// It cannot be read.
    Request(RequestError),
    /// A rule that applies to it cannot be.
    Settings(SettingsErrors),
}

impl From<RequestError> for Unjudged {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

/// Everything wrong with the annotations of an object that no exemption covers.
///
/// Where `is_new`, also what may not change; else, only what is.
pub(super) fn judge(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    is_new: bool,
    exempted: &mut Exempted<'_, '_, '_>,
    findings: &mut Vec<Finding>,
) -> Result<(), Unjudged> {
    // `ephemeralcontainers` leaves metadata as it was.
    let is_metadata_written = request.sub_resource.is_none() || request.is_through_status();
    if settings.annotations.is_empty() || !is_metadata_written {
        return Ok(());
    }
    let first = findings.len();
    let mut judge = Judge {
        request,
        object,
        compares: is_new && request.operation == Operation::Update,
        old: None,
        places: [None, None],
        known: Known::default(),
        malformed: BTreeMap::new(),
    };
    let (mut there, mut there_with_templates) = (None, None);
    for (index, item) in settings.annotations.iter().enumerate() {
        match item {
            AnnotationItem::Read(rule) => {
                let matching = judge.matching(&rule.selector);
                judge.rule(index, rule, matching, exempted, findings);
            }
            AnnotationItem::Unread(item) => {
                let matching = judge.matching_unread(index, *item)?;
                if matching == Matching::No {
                    continue;
                }
                let with_templates = settings::has_target(*item);
                let there = if with_templates {
                    &mut there_with_templates
                } else {
                    &mut there
                };
                let there = there.get_or_insert_with(|| judge.there(with_templates));
                if let Some(relevant) = there.relevant(*item) {
                    let rule =
                        settings::rule(index, *item, &relevant).map_err(Unjudged::Settings)?;
                    judge.rule(index, &rule, matching, exempted, findings);
                }
            }
        }
    }
    if findings.len() > first {
        sort(findings);
    }
    Ok(())
}

/// What has been looked at for the rules so far.
struct Judge<'p, 'r> {
    request: &'p Request<'r>,
    object: &'p Object<'r>,
    /// Whether there is an object as it was to compare with.
    compares: bool,
    /// The object as it was.
    old: Option<Object<'r>>,
    /// The annotations of the object, and those of its pod templates.
    places: [Option<Vec<Annotations<'r>>>; 2],
    known: Known<'p>,
    /// The findings of what has the wrong JSON type, by place.
    malformed: BTreeMap<String, usize>,
}

impl<'p, 'r> Judge<'p, 'r> {
    /// The object as it was. A missing one means that everything is new.
    fn old(&mut self) -> &Object<'r> {
        let request = self.request;
        self.old.get_or_insert_with(|| {
            let value = request.old_object.unwrap_or(Value::NULL);
            Object::read(value, &request.kind).unwrap_or(Object::NONE)
        })
    }

    /// The annotations of the object, or those of its pod templates.
    fn places(&mut self, of_templates: bool) -> &[Annotations<'r>] {
        let (request, object) = (self.request, self.object);
        let [of_it, of_its_templates] = &mut self.places;
        let slot = if of_templates {
            of_its_templates
        } else {
            of_it
        };
        slot.get_or_insert_with(|| {
            if of_templates {
                of_templates_in(object)
            } else {
                let mut places = of_object(object, &request.kind);
                if request.is_through_status() {
                    // Not those in `spec`, that a CronJob gives to its Jobs.
                    places.truncate(1);
                }
                places
            }
        })
    }

    /// What is there that a rule may name, in pod templates too if asked for.
    fn there(&mut self, with_templates: bool) -> There<'r, 'p> {
        self.places(false);
        if with_templates {
            self.places(true);
        }
        let [of_it, of_its_templates] = &self.places;
        let of_its_templates = of_its_templates.as_ref().filter(|_| with_templates);
        There::new(
            of_it.iter().chain(of_its_templates).flatten(),
            self.compares,
        )
    }

    /// Puts everything that a rule has against the object among the findings.
    fn rule(
        &mut self,
        index: usize,
        rule: &AnnotationRule<'_>,
        matching: Matching,
        exempted: &mut Exempted<'_, '_, '_>,
        findings: &mut Vec<Finding>,
    ) {
        let compares = self.compares && rule.compares();
        if matching == Matching::No || (matching == Matching::Before && !compares) {
            return;
        }
        let (request, object) = (self.request, self.object);
        let is_pod = request.kind.is_pod();
        let targets = [
            rule.target != Target::PodTemplate || is_pod,
            rule.target != Target::Object && !is_pod,
        ];
        for (slot, is_meant) in targets.into_iter().enumerate() {
            if !is_meant {
                continue;
            }
            self.places(slot == 1);
            let Some(places) = self.places.get_mut(slot).and_then(Option::take) else {
                continue;
            };
            for place in &places {
                let mut put = |objection| {
                    if !exempted.cover(Check::Annotations, None) {
                        let rule = (index, rule);
                        findings.push(finding(rule, request, object, place, objection));
                    }
                };
                if matching == Matching::Yes {
                    rule.check(place, &mut put);
                }
                if compares && let Some(before) = before(place, self.old()) {
                    rule.compare(place, &before, &mut put);
                }
                self.malformed(place, rule.action.otherwise(), exempted, findings);
            }
            if let Some(slot) = self.places.get_mut(slot) {
                *slot = Some(places);
            }
        }
    }

    /// Puts what has the wrong JSON type among the findings, once, as strictly as the strictest rule.
    fn malformed(
        &mut self,
        place: &Annotations<'_>,
        action: Action,
        exempted: &mut Exempted<'_, '_, '_>,
        findings: &mut Vec<Finding>,
    ) {
        for misfit in &place.malformed {
            let place = format!("{:#} {}", misfit.place, misfit.raw.position().byte());
            if let Some(known) = self.malformed.get(&place) {
                if action == Action::Reject
                    && let Some(known) = findings.get_mut(*known)
                {
                    known.action = action;
                }
            } else if !exempted.cover(Check::Annotations, None) {
                self.malformed.insert(place, findings.len());
                findings.push(Finding::malformed(Check::Annotations, misfit, action));
            }
        }
    }
}

/// Removes what the findings say to remove: the changes, and the object with them.
///
/// `None` where nothing is to be removed that is new, or the changes cannot be made.
pub(super) fn remove(
    request: &Request<'_>,
    object: &Object<'_>,
    findings: &[Finding],
) -> Option<(Vec<Edit>, String)> {
    let mut removed: Vec<Position> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_removal()) {
        for position in &finding.removes {
            if let Err(at) = removed.binary_search(position) {
                removed.insert(at, *position);
            }
        }
    }
    let mut edits: Vec<Edit> = Vec::new();
    let mut places = of_object(object, &request.kind);
    places.extend(of_templates_in(object));
    for place in places {
        for map in &place.maps {
            for edit in splice::remove_members(object.value, *map, &place.place(), &removed) {
                // A template may stand before the object's own metadata.
                splice::add(&mut edits, edit);
            }
        }
    }
    let text = splice::apply(object.value.text(), &edits)?;
    Some((edits, text))
}

/// Where something that stands at `after` in an object without the removed members, which is a document of
/// its own, stands in the object that they were removed from.
pub(super) fn position_before(after: Position, before: Value<'_>, edits: &[Edit]) -> Position {
    let mut offset = after.byte();
    for edit in edits {
        if edit.span.start <= offset {
            offset += edit.span.len();
        }
    }
    Position::at(before.position().byte() + offset)
}

/// The annotations that were there before; none where the pod template is new.
fn before<'a>(place: &Annotations<'a>, old: &Object<'a>) -> Option<Annotations<'a>> {
    let template = place.template.as_ref();
    if template.is_some_and(|template| lookup(old.value, template.steps()).is_empty()) {
        return None;
    }
    Some(at(old, place.owner.clone()))
}

/// A `ReplicaSet` that says that a Deployment made it, which would make another for one that was changed.
/// Anybody can write an owner, so this is why it is not changed, never why it passes.
fn is_owned_replica_set(request: &Request<'_>, object: &Object<'_>) -> bool {
    request.kind.is_replica_set()
        && object.metadata.is_some_and(|metadata| {
            !lookup(metadata, &[Step::key("ownerReferences"), Step::Each]).is_empty()
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
    let is_removable = rule.action == RuleAction::Remove && !objection.removable.is_empty();
    if is_removable {
        let is_owned = is_owned_replica_set(request, object);
        if is_owned && controllers::is_deployment_controller(request.user.as_ref()) {
            // Its Pods are what counts, and from these the annotation is removed.
            action = Action::Warn;
        } else if !is_owned && request.user.is_some() && !request.is_through_status() {
            removes = objection.removable;
        }
        // The audit scanner changes nothing: what is there is reported. Nor is what goes through `status`
        // changed on its way.
    }
    let mut at = place.place();
    if let Some(key) = &objection.key {
        at.0.push(Step::Key(key.clone()));
    }
    let value = objection.found.and_then(Annotation::value);
    let shown = objection.found.and_then(Annotation::shown);
    // What the rule says itself stands instead of the advice: the two could contradict each other.
    let advice = match &rule.message {
        Some(message) => format!(": {}", OneLine(message)),
        // What is removed needs no advice.
        None if objection.advice.is_empty() || !removes.is_empty() => String::new(),
        None => format!(", {}", objection.advice),
    };
    let rule_name = format!("rule `{}`: ", Shown(&rule.name));
    let (code, facts) = (objection.code, objection.facts);
    Finding {
        check: Check::Annotations,
        position: match objection.found {
            Some(annotation) => annotation.position(),
            None => place.position(object),
        },
        action,
        key: match (&objection.found, value) {
            // An empty value is not the same as none.
            (None, _) => format!("{code} {index} {at:#} {facts}"),
            (Some(_), value) => {
                format!(
                    "{code} {index} {at:#} = {} {facts}",
                    value.unwrap_or_default()
                )
            }
        },
        members: members_at(index, place, objection.members),
        // New Pods lose what is removed: they are not refused for it.
        template: place
            .template
            .as_ref()
            .filter(|_| !is_removable)
            .map(Location::detached),
        removes,
        outcome: objection
            .outcome
            .map(|(outcome, at)| (outcome, rule_name.len() + at)),
        advice,
        violation: Violation {
            code,
            place: at.to_string(),
            path: match objection.found {
                Some(_) => at.detached(),
                None => nearest(place, object).detached(),
            },
            value: shown.map(|value| format!("value `{}`", Shown(value))),
            kept: None,
            problem: rule_name + &objection.problem,
        },
    }
}

/// Members of a group that conflict, with the rule and the place.
fn members_at(index: usize, place: &Annotations<'_>, members: Vec<String>) -> Vec<String> {
    let at = |member: String| format!("{index} {:#} {member}", place.place());
    members.into_iter().map(at).collect()
}

/// The map of annotations, or what is there of the way to it.
fn nearest<'a>(place: &Annotations<'a>, object: &Object<'a>) -> Location<'a> {
    let mut way = place.place();
    while !way.0.is_empty() && lookup(object.value, way.steps()).is_empty() {
        way.0.pop();
    }
    way
}
