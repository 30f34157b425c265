//! Holds the annotations of an object and of its pod templates against the rules, and removes those
//! that a rule says to remove.

use std::hash::{Hash, Hasher};

use crate::annotation::{
    Annotation, AnnotationItem, AnnotationRule, Annotations, FieldRule, FieldValue, Fields, Name,
    Names, Objection, RuleAction, Target, at, of_object, of_templates_in,
};
use crate::change::controllers;
use crate::exemption::Check;
use crate::hashing::{Seen, hash_of};
use crate::json::{Location, Position, Step, Value, lookup};
use crate::request::{Operation, Request};
use crate::schema::SettingsErrors;
use crate::splice::{self, Edit};
use crate::violation::{Action, Advice, Code, NamedValue, Violation};
use crate::workload::Object;

use super::context::{Context, Subject};
use super::dated::Dated;
use super::exempted::Exempted;
use super::finding::{About, Findings};

/// Everything wrong with the annotations of an object that no exemption covers.
///
/// Of the object of the request, also what may not change.
///
/// # Errors
///
/// Where a rule that applies cannot be read.
pub(super) fn judge(
    context: &Context<'_, '_, '_>,
    object: &Object<'_>,
    subject: Subject<'_>,
    exempted: &mut Exempted<'_, '_, '_>,
    findings: &mut Findings<'_>,
) -> Result<(), SettingsErrors> {
    let (settings, request) = (context.settings, context.request);
    // `ephemeralcontainers` leaves metadata as it was.
    let is_metadata_written = request.sub_resource.is_none() || request.is_through_status();
    if settings.annotations.is_empty() || !is_metadata_written {
        return Ok(());
    }
    let fields = Fields::of(request, object);
    let mut judge = Judge {
        context,
        request,
        object,
        fields: &fields,
        compares: matches!(subject, Subject::New(_)) && request.operation == Operation::Update,
        places: [None, None],
        before: [None, None],
        matchings: Vec::new(),
        is_owned_replica_set: None,
    };
    for (index, item) in settings.annotations.iter().enumerate() {
        let matching = judge.matching(item)?;
        if matching == Matching::No {
            continue;
        }
        judge.places(false);
        judge.places(true);
        let rule = item.rule_for(&|names, name| judge.has(names, name))?;
        judge.rule(index, &rule, matching, exempted, findings);
    }
    findings.dated = Dated::default();
    for place in judge.places.iter().flatten().flatten() {
        if let Some(action) = place.strictest.get() {
            place.each_malformed(&mut |malformed| findings.add_malformed(malformed, action));
        }
    }
    Ok(())
}

/// Whether a rule is about a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matching {
    /// It is not.
    No,
    /// It would be, had the labels not been taken away: what compares with the old object applies.
    Before,
    /// It is.
    Yes,
}

/// What becomes of the annotations that a rule says to remove.
#[derive(Clone, Copy)]
enum Removal {
    /// They are removed.
    Goes,
    /// They stay, and what is said of others is said of them.
    Stays,
    /// They stay, with a warning.
    Outcome,
}

/// What has been looked at for the rules so far.
struct Judge<'p, 'c, 'r> {
    context: &'p Context<'p, 'p, 'c>,
    request: &'p Request<'c>,
    object: &'p Object<'r>,
    /// What the object has at the paths that values are compared with.
    fields: &'p Fields<'p>,
    /// Whether there is an object as it was to compare with.
    compares: bool,
    /// The annotations of the object, and those of its pod templates.
    places: [Option<Vec<Annotations<'r>>>; 2],
    /// What each of these was before, for rules that compare.
    before: [Option<Vec<Option<Annotations<'p>>>>; 2],
    /// Whether a `match`, which many rules share, is about the request.
    matchings: Vec<(Value<'p>, Matching)>,
    is_owned_replica_set: Option<bool>,
}

impl<'p, 'r> Judge<'p, '_, 'r> {
    /// The object as it was, if there is one that can be read: else everything is new.
    fn old(&self) -> Option<&'p Object<'p>> {
        self.context.old().ok().flatten()
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

    /// Whether an annotation spells a name, in whichever place.
    fn has(&self, names: &Names<'_>, name: Name<'_>) -> bool {
        let mut places = self.places.iter().flatten().flatten();
        if name.is_glob() {
            let is_name = |found: &Annotation<'_>| names.matches(name, found.key);
            return places.any(|place| place.all.iter().any(is_name));
        }
        places.any(|place| !place.spelled(names, name).is_empty())
    }

    /// Whether a rule is about the request.
    fn matching(&mut self, item: &AnnotationItem<'p>) -> Result<Matching, SettingsErrors> {
        let written = item.unread_match();
        let mut known = self.matchings.iter();
        if let Some(written) = written
            && let Some((_, matching)) = known.find(|(known, _)| known.is_written_as(written))
        {
            return Ok(*matching);
        }
        let selector = item.selector_for(self.request, self.object)?;
        let none = Object::none();
        let matching = match selector {
            Some(selector) if selector.matches(self.request, self.object) => Matching::Yes,
            Some(selector)
                if self.compares
                    && selector.matches_by_labels_of(
                        self.request,
                        self.object,
                        self.old().unwrap_or(&none),
                    ) =>
            {
                Matching::Before
            }
            _ => Matching::No,
        };
        self.matchings
            .extend(written.map(|written| (written, matching)));
        Ok(matching)
    }

    /// Puts everything that a rule has against the object among the findings.
    fn rule(
        &mut self,
        index: usize,
        rule: &AnnotationRule<'_>,
        matching: Matching,
        exempted: &mut Exempted<'_, '_, '_>,
        findings: &mut Findings<'_>,
    ) {
        let compares = self.compares && rule.compares();
        if matching == Matching::Before && !compares {
            return;
        }
        let (object, fields) = (self.object, self.fields);
        let removal = self.removal(rule);
        if matching == Matching::Yes && !self.request.is_through_status() {
            for field in &rule.fields {
                let put = &mut |found: FieldValue<'_>| {
                    if !exempted.lifts(Check::Annotations, None, rule.from.as_ref(), findings) {
                        add_field((index, rule, field), &found, fields, findings);
                    }
                };
                field.each_mismatch(object, fields, put);
            }
        }
        let is_pod = self.request.kind.is_pod();
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
            if compares {
                self.read_before(slot, &places);
            }
            let was = self.before.get(slot).and_then(Option::as_ref);
            for (at, place) in places.iter().enumerate() {
                let mut put = |objection: Objection<'_>| {
                    if !exempted.lifts(Check::Annotations, None, rule.from.as_ref(), findings) {
                        let rule = (index, rule, removal);
                        add(rule, object, place, &objection, findings);
                    }
                };
                if matching == Matching::Yes {
                    rule.check(place, fields, &mut put);
                }
                let was = was.and_then(|was| was.get(at)).and_then(Option::as_ref);
                if compares && let Some(was) = was {
                    rule.compare(place, was, &mut put);
                }
                if place.malformed > 0
                    && place.strictest.get() != Some(Action::Reject)
                    && !exempted.lifts(Check::Annotations, None, rule.from.as_ref(), findings)
                {
                    place.strictest.set(Some(findings.action(rule.strictest())));
                }
            }
            if let Some(slot) = self.places.get_mut(slot) {
                *slot = Some(places);
            }
        }
    }

    /// Reads what was at these places before, if no rule has asked for it yet.
    fn read_before(&mut self, slot: usize, places: &[Annotations<'r>]) {
        if !matches!(self.before.get(slot), Some(None)) {
            return;
        }
        let none = Object::none();
        let old = self.old().unwrap_or(&none);
        let read = places.iter().map(|place| before(place, old)).collect();
        if let Some(slot) = self.before.get_mut(slot) {
            *slot = Some(read);
        }
    }

    /// What becomes of what a rule says to remove.
    fn removal(&mut self, rule: &AnnotationRule<'_>) -> Removal {
        let (request, object) = (self.request, self.object);
        if rule.action != RuleAction::Remove {
            return Removal::Stays;
        }
        let is_owned = || is_owned_replica_set(request, object);
        let is_owned = *self.is_owned_replica_set.get_or_insert_with(is_owned);
        let clock = self.context.settings.clock;
        if rule.from.is_some_and(|from| !from.has_come(clock)) {
            // Not yet.
            Removal::Outcome
        } else if is_owned && controllers::is_deployment_controller(request.user.as_ref()) {
            // Its Pods are what counts, and from these the annotation is removed.
            Removal::Outcome
        } else if is_owned || request.user.is_none() || request.is_through_status() {
            // The audit scanner changes nothing: what is there is reported. Nor is what goes through
            // `status` changed on its way.
            Removal::Stays
        } else {
            Removal::Goes
        }
    }
}

/// Removes the annotations at these positions: the changes, and the object with them.
///
/// `None` where the changes cannot be made.
pub(super) fn remove(
    request: &Request<'_>,
    object: &Object<'_>,
    removed: &Seen,
) -> Option<(Vec<Edit>, String)> {
    let mut lists = Vec::new();
    let mut places = of_object(object, &request.kind);
    places.extend(of_templates_in(object));
    for map in places.iter().flat_map(|place| &place.maps) {
        lists.push(splice::remove_members(object.value, *map, removed));
    }
    let edits = splice::merge_all(lists);
    let text = splice::apply(object.value.text(), &edits)?;
    Some((edits, text))
}

/// Where something that stands at `after` in an object without the removed members, which is a document of
/// its own, stands in the object that they were removed from.
pub(super) fn position_before(after: Position, before: Value<'_>, edits: &[Edit]) -> Position {
    let mut offset = after.0;
    for edit in edits {
        if edit.span.start <= offset {
            offset += edit.span.len();
        }
    }
    Position(before.position().0 + offset)
}

/// The annotations that were there before; none where the pod template is new.
fn before<'a>(place: &Annotations<'a>, old: &Object<'a>) -> Option<Annotations<'a>> {
    let before = at(old, &place.owner);
    let is_new = place.is_template && !before.has_metadata && old.marked(&place.owner).is_empty();
    (!is_new).then_some(before)
}

/// A `ReplicaSet` that says that a Deployment made it, which would make another for one that was changed.
/// Anybody can write an owner, so this is why it is not changed, never why it passes.
fn is_owned_replica_set(request: &Request<'_>, object: &Object<'_>) -> bool {
    request.kind.is_replica_set()
        && object.metadata.is_some_and(|metadata| {
            !lookup(metadata, &[Step::key("ownerReferences"), Step::Each]).is_empty()
        })
}

fn add(
    (index, rule, removal): (usize, &AnnotationRule<'_>, Removal),
    object: &Object<'_>,
    place: &Annotations<'_>,
    objection: &Objection<'_>,
    findings: &mut Findings<'_>,
) {
    let own_action = rule.action_of(objection.part);
    let is_removable = rule.action == RuleAction::Remove
        && own_action.is_none()
        && !objection.removable.is_empty();
    let mut action = own_action.unwrap_or(rule.action.otherwise());
    let mut removes = &[][..];
    if is_removable {
        match removal {
            Removal::Goes => removes = objection.removable.as_slice(),
            Removal::Stays => {}
            Removal::Outcome => action = Action::Warn,
        }
    }
    let position = match objection.found {
        Some(annotation) => annotation.position(),
        None => place.position(object),
    };
    let about = About::new(objection.code, action, position);
    let value = objection.found.and_then(Annotation::value);
    // The rule's own message stands in place of our advice: the two could contradict each other.
    let advice = || match rule.message_of(objection.part) {
        Some(message) => Some(Advice::Message(message.to_string())),
        // What is removed needs no advice.
        None if objection.advice.is_empty() || !removes.is_empty() => None,
        None => Some(Advice::Instead(objection.advice.to_owned())),
    };
    let identity = |mut hasher: &mut dyn Hasher| {
        (objection.code, index, &place.owner).hash(&mut hasher);
        // An empty value is not the same as none.
        (&objection.key, objection.found.is_some(), value).hash(&mut hasher);
        objection.facts.hash(&mut hasher);
    };
    let at_place = |member: &u64| hash_of(&(index, &place.owner, member));
    let members: Vec<_> = objection.members.iter().map(at_place).collect();
    // New Pods lose what is removed: they are not refused for it.
    let template = (place.is_template && !is_removable).then_some(&place.owner);
    findings.add(about, template, removes, &members, &identity, &|fate| {
        let mut at = place.place();
        if let Some(key) = &objection.key {
            at.0.push(Step::Key(key.clone()));
        }
        let shown = objection.found.and_then(Annotation::shown);
        Violation {
            path: match objection.found {
                Some(_) => at.detached(),
                None => nearest(place, object).detached(),
            },
            value: shown.map(|value| NamedValue::shown("value", value)),
            rule: Some(rule.name.to_string()),
            advice: advice(),
            ..Violation::new(objection.code, at.to_string(), (objection.problem)(fate))
        }
    });
}

/// Adds a value that a rule about fields does not admit. Elements of a list are told apart by their values, so
/// that another order is nothing new.
fn add_field(
    (index, rule, field): (usize, &AnnotationRule<'_>, &FieldRule<'_>),
    found: &FieldValue<'_>,
    fields: &Fields<'_>,
    findings: &mut Findings<'_>,
) {
    let code = Code::FieldValueNotAllowed;
    let action = rule.action_of("fields").unwrap_or(rule.action.otherwise());
    let about = About::new(code, action, found.value.position());
    let identity = |mut hasher: &mut dyn Hasher| {
        (code, index, field.text, found.value.kind(), found.text).hash(&mut hasher);
    };
    findings.add(about, None, &[], &[], &identity, &|fate| {
        let shown = found.text.filter(|_| found.is_shown);
        let message = rule.message_of("fields");
        Violation {
            path: found.at.detached(),
            value: shown.map(|value| NamedValue::shown("value", value)),
            rule: Some(rule.name.to_string()),
            advice: message.map(|message| Advice::Message(message.to_owned())),
            ..Violation::new(
                code,
                found.at.to_string(),
                field.problem(found, fields, fate),
            )
        }
    });
}

/// The map of annotations, or what is there of the way to it.
fn nearest<'a>(place: &Annotations<'a>, object: &Object<'a>) -> Location<'a> {
    let mut way = place.place();
    if place.has_map {
        return way;
    }
    way.0.pop();
    if place.has_metadata {
        return way;
    }
    way.0.pop();
    // A pod template is there.
    while !place.is_template && !way.0.is_empty() && lookup(object.value, way.steps()).is_empty() {
        way.0.pop();
    }
    way
}
