//! What the settings make of the request of a case.

use std::cell::RefCell;

use rollout_guard::image::Reference;
use rollout_guard::json::{self, Location, Step};
use rollout_guard::policy::Policy;
use rollout_guard::registry::{Existence, Registry};
use rollout_guard::request::Request;
use rollout_guard::settings::Settings;
use rollout_guard::verdict::Verdict;
use rollout_guard::violation::Violation;
use rollout_guard::workload::Found;
use serde_json::Value;

use super::suite::{Case, Expected, ExpectedViolation};
use crate::clock;
use crate::judge::image_places;
use crate::policy_file::{Asked, Source};

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Whether any policy was asked.
    pub(super) is_asked: bool,
    pub(super) violations: Vec<Violation>,
    pub(super) warnings: Vec<Violation>,
    pub(super) exempted: Vec<String>,
    /// The object as it would be stored.
    pub(super) object: Value,
    /// All images of it, in its order.
    pub(super) images: Vec<String>,
    /// Why policy-server refuses it, besides the policy.
    pub(super) refusal: Option<&'static str>,
    /// The request as each policy gets it, by the position of the policy.
    pub(super) requests: Vec<(usize, Value)>,
}

impl Outcome {
    pub(super) const fn accepted(&self) -> bool {
        self.violations.is_empty() && self.refusal.is_none()
    }
}

/// A registry that has every image but those that a case names.
pub(super) struct Declared<'c> {
    missing: &'c [String],
    /// The images that were asked for, and whether they are there.
    pub(super) asked: RefCell<Vec<(String, bool)>>,
}

impl<'c> Declared<'c> {
    pub(super) const fn new(case: &'c Case) -> Self {
        Self {
            missing: case.missing.as_slice(),
            asked: RefCell::new(Vec::new()),
        }
    }
}

impl Registry for Declared<'_> {
    fn has(&self, image: &str) -> Existence {
        let is_missing = self.missing.iter().any(|missing| is_same(missing, image));
        self.asked
            .borrow_mut()
            .push((image.to_owned(), !is_missing));
        if is_missing {
            Existence::Missing
        } else {
            Existence::There
        }
    }
}

fn is_same(one: &str, other: &str) -> bool {
    let normal = |text: &str| Reference::parse(text).map(|reference| reference.to_string());
    one == other || matches!((normal(one), normal(other)), (Ok(one), Ok(other)) if one == other)
}

/// Puts a case to policies in the order of a cluster: first those that may mutate, each with the object
/// as the ones before left it; the first that refuses ends it.
pub(super) fn evaluate(
    sources: &[&Source<'_>],
    policies: &[Option<Policy<'_>>],
    case: &Case,
) -> Outcome {
    let mut request = case.request.clone();
    let mut outcome = Outcome::default();
    let asked = Asked {
        operation: &case.asked.operation,
        group: &case.asked.group,
        version: &case.asked.version,
        resource: &case.asked.resource,
        sub_resource: case.asked.sub_resource.as_deref(),
        namespace: case.asked.namespace.as_deref(),
    };
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|position| {
        sources
            .get(*position)
            .is_some_and(|source| source.is_mutating == Some(false))
    });
    for position in order {
        let Some(source) = sources.get(position) else {
            continue;
        };
        if !source.is_asked(&asked) {
            continue;
        }
        outcome.is_asked = true;
        outcome.requests.push((position, request.clone()));
        let Some(policy) = policies.get(position).copied().flatten() else {
            continue;
        };
        let text = request.to_string();
        let json = json::Document::of(&text);
        let verdict = match Request::of(&json) {
            Err(error) => Verdict::unreadable(None, &error),
            Ok(request) => policy.evaluate_with(request, &Declared::new(case)),
        };
        let mutated = verdict.mutated_object.as_deref();
        let mutated = mutated.and_then(|object| serde_json::from_str(object).ok());
        outcome.violations.extend(verdict.violations);
        outcome.warnings.extend(verdict.warnings);
        outcome.exempted.extend(verdict.exempted);
        if let Some(mutated) = mutated {
            if source.is_mutating == Some(false) {
                outcome.refusal = Some(
                    "policy-server refuses it: the policy changes the object, and `mutating` is false",
                );
            } else if let Some(object) = request.get_mut("object") {
                *object = mutated;
            }
        }
        if !outcome.accepted() {
            break;
        }
    }
    let policies = policies.iter().flatten();
    let places = image_places(policies.map(|policy| policy.settings()));
    let text = request.to_string();
    let json = json::Document::of(&text);
    if let Ok(read) = Request::of(&json)
        && let Some(mut object) = read.object
    {
        places.add_images(&mut object, &read.kind);
        let images = object.found.iter().filter_map(|found| match found {
            Found::Image(image) => Some(image.text.to_string()),
            Found::Malformed(_) => None,
        });
        outcome.images = images.collect();
    }
    let object = request.get_mut("object").map(Value::take);
    outcome.object = object.unwrap_or_default();
    outcome
}

/// Settings from their JSON, handed to `work` ready to judge; none if they are not valid.
pub(super) fn with_policy<T>(json: &str, work: impl FnOnce(Policy<'_>) -> T) -> Option<T> {
    let document = json::Document::of(json).ok()?;
    let settings = Settings::validate(document.root())
        .ok()?
        .with_clock(clock::get());
    Some(work(Policy::new(&settings)))
}

/// What is not as expected, a line each.
pub(super) fn differences(expected: &Expected, outcome: &Outcome) -> Vec<String> {
    if !outcome.is_asked || !expected.asked {
        return match (outcome.is_asked, expected.asked) {
            (false, true) => vec![
                "no rule of the policies asks about this request: write `asked: false` if that is meant"
                    .to_owned(),
            ],
            (true, false) => vec!["a rule of the policies asks about this request".to_owned()],
            _ => Vec::new(),
        };
    }
    let mut found = Vec::new();
    if expected.accepted && !outcome.accepted() {
        found.push("expected to be accepted, but it is refused:".to_owned());
        found.extend(outcome.violations.iter().map(|line| format!("  {line}")));
        found.extend(outcome.refusal.map(|why| format!("  {why}")));
    } else if !expected.accepted && outcome.accepted() {
        found.push("expected to be refused, but it is accepted".to_owned());
    }
    // What refuses where nothing should is told above.
    if let Some(expected_violations) = &expected.violations
        && (!expected.accepted || outcome.accepted())
    {
        compare(
            "violation",
            expected_violations,
            &outcome.violations,
            &mut found,
        );
    }
    if let Some(warnings) = &expected.warnings {
        compare("warning", warnings, &outcome.warnings, &mut found);
    }
    if let Some(images) = &expected.images
        && *images != outcome.images
    {
        found.push(format!(
            "images: expected {}, got {}",
            list(images),
            list(&outcome.images)
        ));
    }
    for (name, wanted) in &expected.annotations {
        let place = Location(["metadata", "annotations", name].map(Step::key).to_vec());
        let got = super::path::get(&outcome.object, &place);
        let wanted = wanted.as_deref().map_or(Value::Null, Value::from);
        different(&format!("annotation `{name}`"), &wanted, got, &mut found);
    }
    for (path, wanted) in &expected.fields {
        if let Ok(place) = super::path::parse(path) {
            let got = super::path::get(&outcome.object, &place);
            different(&format!("`{path}`"), wanted, got, &mut found);
        }
    }
    if let Some(exempted) = &expected.exempted
        && *exempted != outcome.exempted
    {
        found.push(format!(
            "exemptions: expected {}, got {}",
            list(exempted),
            list(&outcome.exempted)
        ));
    }
    found
}

fn different(what: &str, wanted: &Value, got: Option<&Value>, found: &mut Vec<String>) {
    let got = got.unwrap_or(&Value::Null);
    if got == wanted {
        return;
    }
    let told = |value: &Value| match value {
        Value::Null => "absent".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    found.push(format!(
        "{what}: expected {}, got {}",
        told(wanted),
        told(got)
    ));
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() {
        "none".to_owned()
    } else {
        format!("`{}`", texts.join("`, `"))
    }
}

/// Holds what is expected against what was found: every one must have its own.
fn compare(
    what: &str,
    expected: &[ExpectedViolation],
    actual: &[Violation],
    found: &mut Vec<String>,
) {
    let mut left: Vec<_> = actual.iter().collect();
    // What says more is served first.
    let mut expected: Vec<_> = expected.iter().collect();
    expected.sort_by_key(|one| usize::from(one.at.is_none()) + usize::from(one.message.is_none()));
    for one in expected {
        let known = left.iter().position(|violation| one.is(violation));
        match known {
            Some(position) => {
                left.remove(position);
            }
            None => found.push(format!("expected {what}: {one}")),
        }
    }
    found.extend(left.iter().map(|line| format!("unexpected {what}: {line}")));
}

impl ExpectedViolation {
    fn is(&self, violation: &Violation) -> bool {
        self.code == violation.code
            && self
                .at
                .as_ref()
                .is_none_or(|at| *at == violation.place || *at == violation.path.to_string())
            && self
                .message
                .as_ref()
                .is_none_or(|part| violation.to_string().contains(part.as_str()))
    }
}

impl std::fmt::Display for ExpectedViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(at) = &self.at {
            write!(f, " at `{at}`")?;
        }
        if let Some(message) = &self.message {
            write!(f, " with `{message}`")?;
        }
        Ok(())
    }
}
