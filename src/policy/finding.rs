//! Something wrong with an object, before it is known whether that is new.

use crate::exemption::Check;
use crate::json::{Location, Position};
use crate::shown::Shown;
use crate::violation::{Action, Code, Outcome, Violation};
use crate::workload::{ImageField, Malformed};

/// What is told of an image among an object's data.
const NOT_SHOWN: &str = "what the rule says of it is not shown, since it stands in data";

/// Something wrong with an object, and what tells it from the same thing elsewhere.
pub(super) struct Finding {
    /// The part of the policy that found it.
    pub(super) check: Check,
    /// Where in the input it stands.
    pub(super) position: Position,
    pub(super) action: Action,
    pub(super) violation: Violation,
    /// What makes a violation of the old object and one of the new object the same: code, place and
    /// value, with containers and volumes by name where they have one.
    pub(super) key: String,
    /// What else the old object must have had, in whichever of its findings.
    pub(super) members: Vec<String>,
    /// The pod template around it.
    pub(super) template: Option<Location<'static>>,
    /// Words of the problem that are due only where the request is refused, and where they may begin.
    pub(super) outcome: Option<(Outcome, usize)>,
    /// What to do instead, where the problem does not say so; may be empty.
    pub(super) advice: String,
    /// The annotations that are removed instead of refusing the request, by their position.
    pub(super) removes: Vec<Position>,
}

impl Finding {
    /// A member of the wrong JSON type.
    pub(super) fn malformed(check: Check, malformed: &Malformed<'_>, action: Action) -> Self {
        let place = match malformed.place.steps() {
            [] => "object".to_owned(),
            _ => malformed.place.to_string(),
        };
        let problem = format!("expected {}, got {}", malformed.expected, malformed.found);
        Self {
            check,
            position: malformed.raw.position(),
            members: Vec::new(),
            removes: Vec::new(),
            outcome: None,
            advice: String::new(),
            action,
            key: format!("{} {:#} {problem}", Code::ObjectMalformed, malformed.place),
            violation: Violation {
                code: Code::ObjectMalformed,
                place,
                path: malformed.place.detached(),
                value: None,
                kept: None,
                problem,
            },
            template: None,
        }
    }

    /// Something wrong at a place, not only with an image.
    pub(super) fn at(
        place: String,
        path: Location<'static>,
        value: Option<String>,
        check: Check,
        code: Code,
        action: Action,
        problem: String,
    ) -> Self {
        Self {
            check,
            // Behind what is told of the document's own places.
            position: Position::END,
            members: Vec::new(),
            removes: Vec::new(),
            outcome: None,
            advice: String::new(),
            action,
            key: format!("{code} {path:#} {problem}"),
            violation: Violation {
                code,
                place,
                path,
                value,
                kept: None,
                problem,
            },
            template: None,
        }
    }

    /// Something wrong with an image that runs as `value`, which is shown if it is its mirror.
    pub(super) fn image(
        image: &ImageField<'_>,
        value: &str,
        is_mirror: bool,
        code: Code,
        action: Action,
        problem: String,
    ) -> Self {
        let place = image.told_place();
        let is_private = image.is_private();
        // Names are shown shortened; what is paired is whole.
        let paired = image.pairing();
        Self {
            check: Check::Images,
            position: image.raw.position(),
            members: Vec::new(),
            removes: Vec::new(),
            outcome: None,
            advice: String::new(),
            action,
            key: format!("{code} {paired} {value}"),
            violation: Violation {
                code,
                place,
                path: image.exact_place().detached(),
                value: Some(if is_private {
                    "image".to_owned()
                } else if is_mirror {
                    format!("image `{}` as `{}`", Shown(&image.text), Shown(value))
                } else {
                    format!("image `{}`", Shown(&image.text))
                }),
                kept: None,
                problem: if is_private {
                    NOT_SHOWN.to_owned()
                } else {
                    problem
                },
            },
            // Of a note nobody asks what its Pods will be refused for.
            template: image
                .pod_template()
                .filter(|_| !code.is_note())
                .map(|steps| Location(steps.to_vec()).detached()),
        }
    }
}

impl Finding {
    /// Whether annotations are removed because of it: not for what the object had before.
    pub(super) fn is_removal(&self) -> bool {
        !self.removes.is_empty() && self.violation.kept.is_none()
    }
}

/// Brings findings into the order of the document.
///
/// By insertion: a sort of the standard library would be six kilobytes of the module.
pub(super) fn sort(findings: &mut Vec<Finding>) {
    let mut order: Vec<(Position, usize)> = Vec::with_capacity(findings.len());
    for (index, finding) in findings.iter().enumerate() {
        let at = order.partition_point(|(position, _)| *position <= finding.position);
        order.insert(at, (finding.position, index));
    }
    let mut all: Vec<_> = findings.drain(..).map(Some).collect();
    findings.extend(
        order
            .iter()
            .filter_map(|(_, index)| all.get_mut(*index)?.take()),
    );
}

/// Lets the findings from `first` on pass with a warning.
pub(super) fn only_warn(findings: &mut [Finding], first: usize) {
    for finding in findings.iter_mut().skip(first) {
        finding.action = Action::Warn;
        finding.removes.clear();
    }
}
