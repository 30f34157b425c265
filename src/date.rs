//! Dates in the settings, and the clock that they are held against.
//!
//! A date is a day in UTC or a time as RFC 3339 writes it: `2026-12-31`, `2026-12-31T18:00:00+01:00`.
//! Fractions of a second are dropped. A leap second is the second after it.

use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;
use crate::violation::Action;

const DAY: i64 = 24 * 60 * 60;

/// No host is older than this module: a clock that says so is none.
const EARLIEST: Time = Time(56 * 365 * DAY + 14 * DAY);

/// So long before its end an exemption warns.
const NOTICE: i64 = 14 * DAY;

/// A second, by those that have passed since 1970 began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

/// Whoever knows what time it is.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// Nobody: what has an end is over, and what has a beginning has begun.
    #[default]
    None,
    /// It is always this time.
    At(Time),
    /// The host, asked only where settings hold a date.
    Host(fn() -> Option<Time>),
}

/// A date as the settings write it, and the second at which it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date<'a> {
    /// As it is written.
    pub text: &'a str,
    /// The first second that is not before it; of an end, the first that is behind it.
    pub at: Time,
}

impl Time {
    /// A time by the seconds since 1970 began.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads a date: the first second of a day.
    pub fn parse(text: &str) -> Option<Self> {
        seconds(text).map(|(seconds, _)| Self(seconds))
    }
}

impl Clock {
    fn now(self) -> Option<Time> {
        match self {
            Self::None => None,
            Self::At(time) => Some(time),
            Self::Host(ask) => ask().filter(|time| *time >= EARLIEST),
        }
    }
}

impl<'n> Date<'n> {
    /// Reads the date on which something begins.
    pub(crate) fn beginning(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Option<Self> {
        Self::read(entry, 0, errors)
    }

    /// Reads the date with which something ends: a day ends with its last second.
    pub(crate) fn end(entry: Entry<'_, 'n>, errors: &mut SettingsErrors) -> Option<Self> {
        Self::read(entry, DAY, errors)
    }

    fn read(entry: Entry<'_, 'n>, of_a_day: i64, errors: &mut SettingsErrors) -> Option<Self> {
        let text = entry.text(errors)?;
        let Some((seconds, is_day)) = seconds(text) else {
            entry.error(
                errors,
                format!(
                    "`{}` is no date, write `2026-12-31` or `2026-12-31T18:00:00Z`",
                    Shown(text)
                ),
            );
            return None;
        };
        let at = Time(if is_day { seconds + of_a_day } else { seconds });
        Some(Self { text, at })
    }

    /// Whether it has come; without a clock it has.
    pub fn has_come(&self, clock: Clock) -> bool {
        clock.now().is_none_or(|now| now >= self.at)
    }

    /// Whether it comes soon.
    pub fn is_near(&self, clock: Clock) -> bool {
        let now = clock.now();
        now.is_none_or(|now| now.0 >= self.at.0 - NOTICE)
    }

    /// What is said of a date where nobody knows whether it has come.
    pub(crate) fn doubt(clock: Clock) -> &'static str {
        match clock.now() {
            None => ", and this host has no clock",
            Some(_) => "",
        }
    }
}

/// What happens to a request that breaks a rule: until the rule begins it only warns.
pub(crate) fn action(action: Action, from: Option<&Date<'_>>, clock: Clock) -> Action {
    match from {
        Some(from) if !from.has_come(clock) => Action::Warn,
        _ => action,
    }
}

/// The seconds from 1970 to a date, and whether it is a whole day.
fn seconds(text: &str) -> Option<(i64, bool)> {
    let mut rest = text.as_bytes();
    let rest = &mut rest;
    let year = number(rest, 4)?;
    skip(rest, b"-")?;
    let month = number(rest, 2)?;
    skip(rest, b"-")?;
    let day = number(rest, 2)?;
    let is_day = (1..=12).contains(&month) && day >= 1;
    if !is_day || day > days(year, month + 1) - days(year, month) {
        return None;
    }
    let midnight = (days(year, month) + day - 1) * DAY;
    if rest.is_empty() {
        return Some((midnight, true));
    }
    skip(rest, b"Tt")?;
    let hour = number(rest, 2)?;
    skip(rest, b":")?;
    let minute = number(rest, 2)?;
    skip(rest, b":")?;
    let second = number(rest, 2)?;
    if skip(rest, b".").is_some() {
        number(rest, 1)?;
        while number(rest, 1).is_some() {}
    }
    let offset = match skip(rest, b"Zz+-")? {
        sign @ (b'+' | b'-') => {
            let hours = number(rest, 2)?;
            skip(rest, b":")?;
            let minutes = number(rest, 2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if sign == b'-' { -offset } else { offset }
        }
        _ => 0,
    };
    let is_time = hour <= 23 && minute <= 59 && second <= 60 && rest.is_empty();
    let seconds = midnight + hour * 3600 + minute * 60 + second - offset;
    // Leap seconds end a month, in UTC.
    let ends_month = || {
        let mut months = (year * 12 - 1)..=(year * 12 + 13);
        months.any(|month| days(0, month + 1) * DAY == seconds)
    };
    (is_time && (second < 60 || ends_month())).then_some((seconds, false))
}

/// The days from 1970 to the first of a month; those behind December are of the next year.
fn days(year: i64, month: i64) -> i64 {
    // Years that begin in March end with the day that not every year has.
    let months = year * 12 + month - 3;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (month * 153 + 2) / 5 - 719_468
}

/// Takes a number of so many digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let mut number = 0;
    for _ in 0..digits {
        let (first, behind) = rest.split_first()?;
        number = number * 10 + i64::from(first.is_ascii_digit().then(|| first - b'0')?);
        *rest = behind;
    }
    Some(number)
}

/// Takes one of some characters.
fn skip(rest: &mut &[u8], of: &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    let found = of.contains(first).then_some(*first)?;
    *rest = behind;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        seconds(text).map(|(seconds, _)| seconds)
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let known = [
            ("1970-01-01", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2026-01-01", EARLIEST.0),
            ("2026-11-28T00:00:00Z", 1_795_824_000),
            ("2026-12-31T18:00:00+01:00", 1_798_736_400),
            ("2026-12-31t18:00:00.999z", 1_798_740_000),
            ("2026-12-31T18:00:00-00:30", 1_798_741_800),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("2017-01-01T05:29:60+05:30", 1_483_228_800),
            ("2016-12-31T15:59:60.5-08:00", 1_483_228_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ];
        for (text, expected) in known {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let wrong = [
            "",
            "2026",
            "2026-12",
            "2026-1-31",
            "26-12-31",
            "2026-00-10",
            "2026-13-01",
            "2026-12-00",
            "2026-12-32",
            "2026-02-29",
            "2100-02-29",
            "2026-12-31 ",
            "2026-12-31T",
            "2026-12-31 18:00:00Z",
            "2026-12-31T18:00Z",
            "2026-12-31T18:00:00",
            "2026-12-31T24:00:00Z",
            "2026-12-31T18:60:00Z",
            "2026-12-31T18:00:61Z",
            "2026-12-31T18:00:60Z",
            "2026-12-30T23:59:60Z",
            "2026-12-31T23:59:60+01:00",
            "2026-12-31T18:00:00.Z",
            "2026-12-31T18:00:00,5Z",
            "2026-12-31T18:00:00+0100",
            "2026-12-31T18:00:00+24:00",
            "2026-12-31T18:00:00+01:60",
            "2026-12-31T18:00:00ZZ",
            "+2026-12-31",
            "２026-12-31",
            "2026-W53-4",
        ];
        for text in wrong {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = days(1899, 12) + 30;
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(seconds) = read(&format!("{year}-{month:02}-{day:02}")) else {
                        continue;
                    };
                    assert_eq!(seconds, (before + 1) * DAY, "{year}-{month}-{day}");
                    before += 1;
                }
            }
        }
    }

    #[test]
    fn without_a_clock_everything_has_come() {
        let date = Date {
            text: "2026-12-31",
            at: Time(1_798_675_200),
        };
        assert!(date.has_come(Clock::None));
        assert!(date.has_come(Clock::Host(|| None)));
        // As a host without a clock may say it.
        assert!(date.has_come(Clock::Host(|| Some(Time(0)))));
        assert!(!date.has_come(Clock::At(Time(0))));
        assert!(!date.has_come(Clock::At(Time(1_798_675_199))));
        assert!(date.has_come(Clock::At(Time(1_798_675_200))));
    }
}
