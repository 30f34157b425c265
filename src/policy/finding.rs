//! Something wrong with an object, before it is known whether that is new.

use crate::json::Location;
use crate::shown::Shown;
use crate::violation::{Action, Code, Violation};
use crate::workload::{ImageField, Malformed};

/// Something wrong with an object, and what tells it from the same thing elsewhere.
pub(super) struct Finding {
    pub(super) action: Action,
    pub(super) violation: Violation,
    /// What makes a violation of the old object and one of the new object the same: code, place and
    /// value, with containers and volumes by name where they have one.
    pub(super) key: String,
    /// The pod template around it.
    pub(super) template: Option<Location<'static>>,
}

impl Finding {
    /// A member of the wrong JSON type.
    pub(super) fn malformed(malformed: &Malformed<'_>, action: Action) -> Self {
        let place = match malformed.place.steps() {
            [] => "object".to_owned(),
            _ => malformed.place.to_string(),
        };
        let problem = format!("expected {}, got {}", malformed.expected, malformed.found);
        Self {
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
        code: Code,
        action: Action,
        problem: String,
    ) -> Self {
        Self {
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

    /// Something wrong with an image that comes to `value`.
    pub(super) fn image(
        image: &ImageField<'_>,
        value: &str,
        code: Code,
        action: Action,
        problem: String,
    ) -> Self {
        let place = image.told_place();
        let mut paired = format!("{:#}", image.place);
        if let Some(name) = &image.name {
            // Names are shown shortened; what is paired is whole.
            paired = format!("{:#} {} {name}", image.list(), name.len());
        }
        Self {
            action,
            key: format!("{code} {paired} {value}"),
            violation: Violation {
                code,
                place,
                path: image.exact_place().detached(),
                value: Some(format!("image `{}`", Shown(&image.text))),
                kept: None,
                problem,
            },
            template: image
                .pod_template()
                .map(|steps| Location(steps.to_vec()).detached()),
        }
    }
}

/// Lets the findings from `first` on pass with a warning.
pub(super) fn only_warn(findings: &mut [Finding], first: usize) {
    for finding in findings.iter_mut().skip(first) {
        finding.action = Action::Warn;
    }
}
