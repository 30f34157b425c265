//! How a change is told: what differs, who changes it with what, and what to do instead.

use crate::change::{ChangeRule, Difference};
use crate::json::Location;
use crate::request::{Request, User};
use crate::shown::{OneLine, Shown};
use crate::violation::{Code, Violation};

/// Who makes a change that a rule is against.
pub(super) struct Told<'p> {
    pub(super) rule: &'p ChangeRule<'p>,
    pub(super) user: &'p User<'p>,
    pub(super) manager: Option<&'p str>,
}

impl Told<'_> {
    /// The user is not among those whom the rule names.
    pub(super) fn excluded(&self, difference: &Difference) -> Violation {
        let (lets, otherwise) = if self.rule.who.is_nobody() {
            ("names nobody and does not let", "leave it as it is")
        } else {
            ("does not let", "change it in Git")
        };
        let problem = self.problem(lets, &how(difference), "", otherwise);
        violation(difference, Code::ChangeNotAllowed, problem)
    }

    /// The rule denies the field manager.
    pub(super) fn denied(&self, difference: &Difference) -> Violation {
        let only = " with this field manager";
        let problem = self.problem("does not let", &how(difference), only, "change it in Git");
        violation(difference, Code::FieldManagerDenied, problem)
    }

    /// The request does not set an annotation that the rule wants with the change.
    pub(super) fn unexplained(&self, difference: &Difference, annotation: &str) -> Violation {
        let only = format!(
            " only with a new value of the annotation `{}`",
            Shown(annotation)
        );
        let problem = self.problem(
            "lets",
            &how(difference),
            &only,
            "set it in the same request",
        );
        violation(difference, Code::ChangeAnnotationMissing, problem)
    }

    /// The rule guards the object itself.
    pub(super) fn deletion(&self, request: &Request<'_>) -> Violation {
        let name = request.name.as_deref().unwrap_or_default();
        let object = format!("{} `{}`", Shown(&request.kind.to_string()), Shown(name));
        let problem = self.problem("does not let", "delete it", "", "remove it from Git");
        Violation {
            code: Code::DeleteNotAllowed,
            place: "object".to_owned(),
            path: Location::default(),
            value: Some(object),
            kept: None,
            problem,
        }
    }

    /// What the rule is against, who does it, and what to do instead.
    fn problem(&self, lets: &str, how: &str, only: &str, otherwise: &str) -> String {
        let rule = Shown(&self.rule.name);
        let instead = OneLine(self.rule.message.unwrap_or(otherwise));
        format!("`{rule}` {lets} {} {how}{only}, {instead}", self.who())
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
    let value = difference.is.as_ref().or(difference.was.as_ref());
    let value = value.map(|value| format!("{} `{}`", difference.noun, Shown(value)));
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
        (Some(was), Some(_)) => format!("change it from `{}`", Shown(was)),
        (None, _) => "add it".to_owned(),
        (Some(_), None) => "remove it".to_owned(),
    }
}

/// The request does not say what the object was.
pub(super) fn old_object_missing(rule: &ChangeRule<'_>, request: &Request<'_>) -> Violation {
    let problem = format!(
        "missing, so nobody can say whether `{}` lets this {} pass, send the object as it was",
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
