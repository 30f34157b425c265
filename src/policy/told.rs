//! How a change is told: what differs, who changes it with what, and what to do instead.

use crate::change::{ChangeRule, Difference, Shows};
use crate::json::{Location, Step, text_at};
use crate::kind::GroupKind;
use crate::request::{Request, User};
use crate::shown::{OneLine, Shown};
use crate::violation::{Action, Code, Violation};
use crate::workload::Object;

/// Who makes a change that a rule is against.
pub(super) struct Told<'p> {
    pub(super) rule: &'p ChangeRule<'p>,
    pub(super) user: &'p User<'p>,
    pub(super) manager: Option<&'p str>,
}

impl Told<'_> {
    /// The user is not among those whom the rule names.
    pub(super) fn excluded(&self, difference: &Difference) -> Violation {
        let advice = if self.rule.who.is_nobody() {
            "leave it as it is"
        } else {
            "change it in Git"
        };
        let problem = self.problem(&self.may_not(&how(difference)), advice);
        violation(difference, Code::ChangeNotAllowed, problem)
    }

    /// The rule denies the field manager.
    pub(super) fn denied(&self, difference: &Difference) -> Violation {
        let what = format!("{} with this field manager", self.may_not(&how(difference)));
        let problem = self.problem(&what, "change it in Git");
        violation(difference, Code::FieldManagerDenied, problem)
    }

    /// The request does not set an annotation that the rule wants with the change.
    pub(super) fn unexplained(&self, difference: &Difference, annotation: &str) -> Violation {
        let verb = match self.rule.action {
            Action::Reject => "may",
            Action::Warn => "should",
        };
        let what = format!(
            "{} {verb} {} only with a new value of the annotation `{}`",
            self.who(),
            how(difference),
            Shown(annotation)
        );
        let problem = self.problem(&what, "set it in the same request");
        violation(difference, Code::ChangeAnnotationMissing, problem)
    }

    /// The rule guards the object itself.
    pub(super) fn deletion(&self, request: &Request<'_>, object: &Object<'_>) -> Violation {
        // Who deletes a collection names none of its objects.
        let asked = request.name.as_deref().filter(|name| !name.is_empty());
        let way = [Step::key("metadata"), Step::key("name")];
        self.end(
            &request.kind,
            asked.or_else(|| text_at(object.value, &way)),
            "delete it",
            "remove it from Git",
        )
    }

    /// The rule guards the Pod itself.
    pub(super) fn eviction(&self, pod: &Request<'_>) -> Violation {
        let instead = if self.rule.who.is_nobody() {
            "leave it as it is"
        } else {
            "leave that to the users whom the rule allows"
        };
        self.end(&pod.kind, pod.name.as_deref(), "evict it", instead)
    }

    /// The object goes.
    fn end(
        &self,
        kind: &GroupKind<'_>,
        name: Option<&str>,
        how: &str,
        otherwise: &str,
    ) -> Violation {
        let kind = kind.to_string();
        let object = match name {
            Some(name) => format!("{} `{}`", Shown(&kind), Shown(name)),
            None => Shown(&kind).to_string(),
        };
        let problem = self.problem(&self.may_not(how), otherwise);
        Violation {
            code: Code::DeleteNotAllowed,
            place: "object".to_owned(),
            path: Location::default(),
            value: Some(object),
            kept: None,
            problem,
        }
    }

    /// What is wrong, with the rule and what to do instead.
    fn problem(&self, what: &str, advice: &str) -> String {
        let rule = Shown(&self.rule.name);
        match self.rule.message {
            Some(message) => format!("rule `{rule}`: {what}: {}", OneLine(message)),
            None => format!("rule `{rule}`: {what}, {advice}"),
        }
    }

    /// That the user may not do something. A rule that only warns forbids nothing.
    fn may_not(&self, how: &str) -> String {
        match (self.rule.action, self.rule.who.is_nobody()) {
            (Action::Reject, true) => format!("nobody may {how}"),
            (Action::Reject, false) => format!("{} may not {how}", self.who()),
            (Action::Warn, true) => format!("nobody should {how}"),
            (Action::Warn, false) => format!("{} should not {how}", self.who()),
        }
    }

    fn who(&self) -> String {
        let name = Shown(&self.user.name);
        match self.manager {
            Some(manager) => format!("`{name}` (field manager `{}`)", Shown(manager)),
            None => format!("`{name}`"),
        }
    }
}

fn violation(difference: &Difference, code: Code, problem: String) -> Violation {
    let value = match (difference.shows, &difference.was, &difference.is) {
        (Shows::Values, was, is) => is
            .as_ref()
            .or(was.as_ref())
            .map(|value| format!("{} `{}`", difference.noun, Shown(value))),
        (Shows::Order, ..) => Some("the order differs".to_owned()),
        (Shows::Change, None, _) => Some("added".to_owned()),
        (Shows::Change, _, None) => Some("removed".to_owned()),
        (Shows::Change, ..) => Some("changed".to_owned()),
    };
    Violation {
        code,
        place: difference.place(),
        path: difference.path.clone(),
        value,
        kept: None,
        problem,
    }
}

/// What happens to a value.
fn how(difference: &Difference) -> String {
    match (&difference.was, &difference.is) {
        (Some(was), Some(_)) if difference.shows == Shows::Values => {
            format!("change it from `{}`", Shown(was))
        }
        (Some(_), Some(_)) => "change it".to_owned(),
        (None, _) => "add it".to_owned(),
        (Some(_), None) => "remove it".to_owned(),
    }
}

/// The request does not say what the object was.
pub(super) fn old_object_missing(rule: &ChangeRule<'_>, request: &Request<'_>) -> Violation {
    let problem = format!(
        "rule `{}`: it is missing, so this {} cannot be judged, send the object as it was",
        Shown(&rule.name),
        request.operation.as_str()
    );
    Violation {
        code: Code::OldObjectMissing,
        place: "request.oldObject".to_owned(),
        path: Location::default(),
        value: None,
        kept: None,
        problem,
    }
}
