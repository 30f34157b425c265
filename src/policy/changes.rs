//! Asks of every change to what a rule guards whether this user may make it.

use std::cell::OnceCell;

use crate::change::{
    ChangeRule, Compared, Difference, Differences, Forbidden, controllers, field_manager,
    old_object_missing,
};
use crate::exemption::Check;
use crate::json::{Kind, Step, Value, text_at};
use crate::request::{Operation, Request, RequestError, User};
use crate::selector::Selector;
use crate::settings::Settings;
use crate::violation::Violation;
use crate::workload::Object;

use super::context::Context;
use super::dated::Dated;
use super::exempted::Exempted;
use super::finding::Findings;
use super::pull::Pulls;

/// Everything that a rule has against an UPDATE. Silent on CREATE, and without a user.
pub(super) fn judge_update(
    context: &Context<'_, '_, '_>,
    object: &Object<'_>,
    used: &mut [bool],
    findings: &mut Findings<'_>,
) -> Result<(), RequestError> {
    let (settings, request) = (context.settings, context.request);
    let Some(who) = asking(settings, request, Operation::Update) else {
        return Ok(());
    };
    let is_through_status = request.is_through_status();
    let is_asked = |rule: &ChangeRule<'_>| !is_through_status || rule.guards_metadata();
    let Some(old_value) = request.old_object else {
        missing(settings, request, object, findings, is_asked);
        return Ok(());
    };
    if controllers::may(who, &request.kind, request.operation) {
        return Ok(());
    }
    is_object(old_value)?;
    let mut compared = None;
    let (pulls, old_pulls) = (OnceCell::new(), OnceCell::new());
    let manager = OnceCell::new();
    let manager = || *manager.get_or_init(|| field_manager(request, object.metadata));
    for rule in settings.changes.iter().filter(|rule| is_asked(rule)) {
        let is_excluded = rule.who.excludes(who);
        let is_denied = !rule.who.denied_managers.is_empty() && rule.who.denies(manager());
        if !is_excluded && !is_denied && rule.who.annotations.is_empty() {
            continue;
        }
        let is_about_it = rule.selector.matches(request, object);
        if !is_about_it && !reads_the_object(&rule.selector) {
            continue;
        }
        let Some(old) = context.old()? else {
            continue;
        };
        let compared = compared.get_or_insert_with(|| {
            let has_image_paths = settings.image_places.reach_metadata(&request.kind);
            Compared::new(request, object, old, has_image_paths)
        });
        // Who moves a label in the same request must not escape the rule.
        if !is_about_it && !rule.selector.matches(request, old) {
            continue;
        }
        let differences = compared.differences(rule, context.most, &|was, is| {
            let pulls = pulls.get_or_init(|| Pulls::new(context, object, false));
            let old_pulls = old_pulls.get_or_init(|| Pulls::new(context, old, true));
            old_pulls.pulls_the_same(was, pulls, is)
        });
        if differences.found.is_empty() || (rule.allow_restart && differences.are_restarts) {
            continue;
        }
        let is_missing = |key: &&&str| !is_set_anew(key, object.metadata, old_value);
        let missing: Vec<_> = rule.who.annotations.iter().filter(is_missing).collect();
        if !is_excluded && !is_denied && missing.is_empty() {
            continue;
        }
        if Exempted::new(settings, request, object, used)
            .and(old)
            .lifts(Check::Changes, None, rule.from.as_ref(), findings)
        {
            continue;
        }
        let forbidden = Forbidden {
            rule,
            user: who,
            manager: manager(),
        };
        let wrong = |difference: &Difference| {
            let mut wrong = Vec::new();
            wrong.extend(is_excluded.then(|| forbidden.user(difference)));
            wrong.extend(is_denied.then(|| forbidden.manager(difference)));
            let missing = missing.iter();
            wrong.extend(missing.map(|key| forbidden.unexplained(difference, key)));
            wrong
        };
        add(rule, &differences, &wrong, findings);
    }
    Ok(())
}

/// Adds what is wrong with each difference, and as much for each that is only counted.
fn add(
    rule: &ChangeRule<'_>,
    differences: &Differences,
    wrong: &dyn Fn(&Difference) -> Vec<Violation>,
    findings: &mut Findings<'_>,
) {
    let mut codes = Vec::new();
    for difference in &differences.found {
        let violations = wrong(difference);
        for violation in &violations {
            findings.add_violation(rule.action, violation);
        }
        codes = violations.iter().map(|violation| violation.code).collect();
    }
    for code in codes {
        findings.add_untold(rule.action, code, differences.more);
    }
}

/// Everything that a rule has against a DELETE; the object is what it was.
pub(super) fn judge_delete(
    settings: &Settings<'_>,
    request: &Request<'_>,
    used: &mut [bool],
    findings: &mut Findings<'_>,
) -> Result<(), RequestError> {
    if !settings.changes.iter().any(|rule| rule.guard_delete) {
        return Ok(());
    }
    let Some(who) = asking(settings, request, Operation::Delete) else {
        return Ok(());
    };
    let Some(old_value) = request.old_object else {
        missing(settings, request, &Object::none(), findings, |rule| {
            rule.guard_delete
        });
        return Ok(());
    };
    if controllers::may(who, &request.kind, request.operation) {
        return Ok(());
    }
    is_object(old_value)?;
    let object = Object::read(old_value, &request.kind)
        .map_err(|error| RequestError::new("request.oldObject", error))?;
    for rule in settings.changes.iter().filter(|rule| rule.guard_delete) {
        // A DELETE can set no annotation, so nobody is asked for one.
        if !(rule.who.excludes(who) || rule.who.denies(request.field_manager.as_deref()))
            || !rule.selector.matches(request, &object)
            || Exempted::new(settings, request, &object, used).lifts(
                Check::Changes,
                None,
                rule.from.as_ref(),
                findings,
            )
        {
            continue;
        }
        let forbidden = Forbidden {
            rule,
            user: who,
            manager: request.field_manager.as_deref(),
        };
        findings.add_violation(rule.action, &forbidden.deletion(request, &object));
    }
    Ok(())
}

/// Everything that a rule has against an eviction, which deletes a Pod.
///
/// The request names the Pod and does not show it. Rules that would have to see it say nothing: a refusal
/// would stop every drain of a node.
///
/// `pod` is the request as one about the Pod, and `eviction` its object.
pub(super) fn judge_eviction(
    settings: &Settings<'_>,
    pod: &Request<'_>,
    eviction: Option<Object<'_>>,
    used: &mut [bool],
    findings: &mut Findings<'_>,
) {
    let Some(who) = asking(settings, pod, Operation::Create) else {
        return;
    };
    if controllers::may(who, &pod.kind, Operation::Delete) {
        return;
    }
    // The name is that of the request, and the body has to agree with it.
    let named = eviction.filter(|_| pod.name.is_none());
    let object = &named.unwrap_or(Object::none());
    for rule in settings.changes.iter().filter(|rule| rule.guard_delete) {
        let is_denied = rule.who.excludes(who) || rule.who.denies(pod.field_manager.as_deref());
        if !is_denied
            || !rule.selector.needs_no_object()
            || !rule.selector.may_match(pod, object)
            || Exempted::new(settings, pod, object, used).unseen().lifts(
                Check::Changes,
                None,
                rule.from.as_ref(),
                findings,
            )
        {
            continue;
        }
        let forbidden = Forbidden {
            rule,
            user: who,
            manager: pod.field_manager.as_deref(),
        };
        findings.add_violation(rule.action, &forbidden.eviction(pod));
    }
}

/// No rule could be about what is no object.
fn is_object(old: Value<'_>) -> Result<(), RequestError> {
    if old.kind() == Kind::Map {
        return Ok(());
    }
    Err(RequestError::new("request.oldObject", "expected an object"))
}

/// Who asks, if it is a request that rules are about.
fn asking<'r>(
    settings: &Settings<'_>,
    request: &'r Request<'_>,
    operation: Operation,
) -> Option<&'r User<'r>> {
    if settings.changes.is_empty() || request.operation != operation {
        return None;
    }
    request.user.as_ref()
}

/// Refuses a request that does not say what the object was, for each rule that may be about it.
fn missing(
    settings: &Settings<'_>,
    request: &Request<'_>,
    object: &Object<'_>,
    findings: &mut Findings<'_>,
    is_asked: impl Fn(&ChangeRule<'_>) -> bool,
) {
    for rule in settings.changes.iter().filter(|rule| is_asked(rule)) {
        // What the object was might have had the labels and fields.
        if rule.selector.may_match(request, object) {
            findings.dated = Dated::of_rule(rule.from.as_ref(), settings.clock);
            findings.add_violation(rule.action, &old_object_missing(rule, request));
        }
    }
}

/// Whether what the object says decides if a rule is about it.
fn reads_the_object(selector: &Selector<'_>) -> bool {
    let reads =
        |selector: &Selector<'_>| !(selector.labels.is_empty() && selector.fields.is_empty());
    reads(selector) || selector.except.as_deref().is_some_and(reads)
}

/// Whether the request gives the object's annotation a text that it did not have.
fn is_set_anew(key: &str, metadata: Option<Value<'_>>, old: Value<'_>) -> bool {
    let way = [
        Step::key("metadata"),
        Step::key("annotations"),
        Step::key(key),
    ];
    let (_, below) = way.split_at(1);
    let is = metadata.and_then(|metadata| text_at(metadata, below));
    is.is_some_and(|is| !is.is_empty()) && is != text_at(old, &way)
}
