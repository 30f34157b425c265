//! How a change is told: what differs, who changes it with what, and what to do instead.

use crate::change::{ChangeRule, Difference};
use crate::json::Location;
use crate::request::{Request, User};
use crate::shown::Shown;
use crate::violation::Code;

use super::finding::Finding;

/// Who makes a change that a rule is against.
pub(super) struct Told<'p> {
    pub(super) rule: &'p ChangeRule<'p>,
    pub(super) user: &'p User<'p>,
    pub(super) manager: Option<&'p str>,
}

impl Told<'_> {
    /// The user is not among those whom the rule names.
    pub(super) fn excluded(&self, difference: &Difference) -> Finding {
        let rule = Shown(&self.rule.name);
        let who = self.who();
        let how = how(difference);
        let problem = if self.rule.who.is_nobody() {
            let instead = self.instead("leave it as it is");
            format!("`{rule}` lets nobody {how}, {who} neither, {instead}")
        } else {
            let instead = self.instead("change it in Git");
            format!("`{rule}` does not let {who} {how}, {instead}")
        };
        self.finding(difference, Code::ChangeNotAllowed, problem)
    }

    /// The rule denies the field manager.
    pub(super) fn denied(&self, difference: &Difference) -> Finding {
        let problem = format!(
            "`{}` does not let {} {} with this field manager, {}",
            Shown(&self.rule.name),
            self.who(),
            how(difference),
            self.instead("change it in Git")
        );
        self.finding(difference, Code::FieldManagerDenied, problem)
    }

    /// The request does not set an annotation that the rule wants with the change.
    pub(super) fn unexplained(&self, difference: &Difference, annotation: &str) -> Finding {
        let problem = format!(
            "`{}` lets {} {} only with a new value of the annotation `{}`, {}",
            Shown(&self.rule.name),
            self.who(),
            how(difference),
            Shown(annotation),
            self.instead("set it in the same request")
        );
        self.finding(difference, Code::ChangeAnnotationMissing, problem)
    }

    /// The rule guards the object itself.
    pub(super) fn deletion(&self, request: &Request<'_>) -> Finding {
        let name = request.name.as_deref().unwrap_or_default();
        let problem = format!(
            "`{}` does not let {} delete it, {}",
            Shown(&self.rule.name),
            self.who(),
            self.instead("remove it from Git")
        );
        Finding::at(
            "object".to_owned(),
            Location::default(),
            Some(format!(
                "{} `{}`",
                Shown(&request.kind.to_string()),
                Shown(name)
            )),
            Code::DeleteNotAllowed,
            self.rule.action,
            problem,
        )
    }

    fn who(&self) -> String {
        let name = Shown(&self.user.name);
        match self.manager {
            Some(manager) => format!("`{name}` (field manager `{}`)", Shown(manager)),
            None => format!("`{name}`"),
        }
    }

    fn instead(&self, otherwise: &str) -> String {
        self.rule.message.map_or_else(
            || otherwise.to_owned(),
            |message| Shown(message).to_string(),
        )
    }

    fn finding(&self, difference: &Difference, code: Code, problem: String) -> Finding {
        let value = difference.is.as_ref().or(difference.was.as_ref());
        let value = value.map(|value| format!("{} `{}`", difference.noun, Shown(value)));
        Finding::at(
            difference.place(),
            difference.path.clone(),
            value,
            code,
            self.rule.action,
            problem,
        )
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
pub(super) fn old_object_missing(rule: &ChangeRule<'_>, request: &Request<'_>) -> Finding {
    let problem = format!(
        "missing, so nobody can say whether `{}` lets this {} pass, send the object as it was",
        Shown(&rule.name),
        request.operation.as_str()
    );
    Finding::at(
        "request.oldObject".to_owned(),
        Location::default(),
        None,
        Code::OldObjectMissing,
        rule.action,
        problem,
    )
}
