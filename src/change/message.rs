//! What is said of a change that a rule forbids: what differs, who changes it with what, and what to do instead.

use crate::json::{Step, text_at};
use crate::kind::GroupKind;
use crate::request::{Request, User};
use crate::shown::Shown;
use crate::violation::{Action, Advice, Code, NamedValue, Violation};
use crate::workload::Object;

use super::{ChangeRule, Difference, Shows};

/// A change that a rule forbids, and who makes it.
pub(crate) struct Forbidden<'p> {
    pub(crate) rule: &'p ChangeRule<'p>,
    pub(crate) user: &'p User<'p>,
    pub(crate) manager: Option<&'p str>,
}

impl Forbidden<'_> {
    /// The user is not among those whom the rule names.
    pub(crate) fn user(&self, difference: &Difference) -> Violation {
        let advice = if self.rule.who.is_nobody() {
            "leave it as it is"
        } else {
            "change it in Git"
        };
        let problem = self.may_not(&how(difference));
        self.change(difference, Code::ChangeNotAllowed, problem, advice)
    }

    /// The rule denies the field manager.
    pub(crate) fn manager(&self, difference: &Difference) -> Violation {
        let problem = self.may_not(&how(difference)) + " with this field manager";
        let code = Code::FieldManagerDenied;
        self.change(difference, code, problem, "change it in Git")
    }

    /// The request does not set an annotation that the rule wants with the change.
    pub(crate) fn unexplained(&self, difference: &Difference, annotation: &str) -> Violation {
        let verb = match self.rule.action {
            Action::Reject => "may",
            Action::Warn => "should",
        };
        let problem = format!(
            "{} {verb} {} only with a new value of the annotation `{}`",
            self.who(),
            how(difference),
            Shown(annotation)
        );
        let code = Code::ChangeAnnotationMissing;
        self.change(difference, code, problem, "set it in the same request")
    }

    fn change(
        &self,
        difference: &Difference,
        code: Code,
        problem: String,
        advice: &str,
    ) -> Violation {
        Violation {
            place: difference.place(),
            path: difference.path.clone(),
            value: value(difference),
            ..violation(self.rule, code, problem, advice)
        }
    }

    /// The object is deleted.
    pub(crate) fn deletion(&self, request: &Request<'_>, object: &Object<'_>) -> Violation {
        // Who deletes a collection names none of its objects.
        let asked = request.name.as_deref().filter(|name| !name.is_empty());
        let way = [Step::key("metadata"), Step::key("name")];
        let name = asked.or_else(|| text_at(object.value, &way));
        self.end(&request.kind, name, "delete it", "remove it from Git")
    }

    /// The Pod is evicted.
    pub(crate) fn eviction(&self, pod: &Request<'_>) -> Violation {
        let advice = if self.rule.who.is_nobody() {
            "leave it as it is"
        } else {
            "leave that to the users whom the rule allows"
        };
        self.end(&pod.kind, pod.name.as_deref(), "evict it", advice)
    }

    fn end(&self, kind: &GroupKind<'_>, name: Option<&str>, how: &str, advice: &str) -> Violation {
        let code = Code::DeleteNotAllowed;
        let kind = Shown(&kind.to_string()).to_string();
        let value = NamedValue {
            text: name.map(str::to_owned),
            ..NamedValue::hidden(&kind)
        };
        Violation {
            value: Some(value),
            ..violation(self.rule, code, self.may_not(how), advice)
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

/// The request does not say what the object was.
pub(crate) fn old_object_missing(rule: &ChangeRule<'_>, request: &Request<'_>) -> Violation {
    let operation = request.operation.as_str();
    let problem = format!("it is missing, so this {operation} cannot be judged");
    let advice = "send the object as it was";
    Violation {
        place: "request.oldObject".to_owned(),
        advice: Some(Advice::Instead(advice.to_owned())),
        ..violation(rule, Code::OldObjectMissing, problem, advice)
    }
}

/// A violation about the object as a whole. The rule's own message stands in place of our advice.
fn violation(rule: &ChangeRule<'_>, code: Code, problem: String, advice: &str) -> Violation {
    Violation {
        rule: Some(rule.name.to_string()),
        advice: Some(match rule.message {
            Some(message) => Advice::Message(message.to_owned()),
            None => Advice::Instead(advice.to_owned()),
        }),
        ..Violation::new(code, "object".to_owned(), problem)
    }
}

fn value(difference: &Difference) -> Option<NamedValue> {
    let now = difference.is.as_ref();
    match difference.shows {
        Shows::Values => {
            let text = now.or(difference.was.as_ref())?;
            Some(NamedValue::shown(difference.noun, text))
        }
        Shows::Order => Some(NamedValue::hidden("the order differs")),
        Shows::Change => Some(NamedValue::hidden(match (&difference.was, now) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        })),
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
