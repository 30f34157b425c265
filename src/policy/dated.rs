//! What a date makes of a finding: that of the rule, or that of an exemption that has ended.

use crate::date::{Clock, Date};
use crate::exemption::Exemption;
use crate::shown::Shown;

/// What a date makes of a finding.
#[derive(Default)]
pub(super) struct Dated {
    /// It only warns.
    pub(super) warns: bool,
    /// What is said of that behind the problem.
    pub(super) note: String,
}

impl Dated {
    /// What comes of the date on which a rule begins.
    pub(super) fn of_rule(from: Option<&Date<'_>>, clock: Clock) -> Self {
        let Some(from) = from else {
            return Self::default();
        };
        let (text, doubt) = (from.text, Date::doubt(clock));
        let warns = !from.has_come(clock);
        let note = if warns {
            format!(" (refused from {text})")
        } else if doubt.is_empty() {
            String::new()
        } else {
            format!(" (from {text}{doubt})")
        };
        Self { warns, note }
    }

    /// What comes of an exemption that has ended.
    #[cold]
    pub(super) fn of_ended(exemption: &Exemption<'_>, clock: Clock) -> Self {
        let (name, doubt) = (Shown(&exemption.name), Date::doubt(clock));
        let until = exemption.until.map_or("", |until| until.text);
        Self {
            warns: exemption.warns_after_end,
            note: format!(" (exempted until {until} by `{name}`{doubt})"),
        }
    }
}
