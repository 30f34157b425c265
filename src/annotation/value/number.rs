//! `min`, `max` and `count`: integers and their bounds.

use crate::json::Kind;
use crate::schema::{Entry, SettingsErrors};
use crate::shown::Shown;

/// The least and the most that a number may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: Option<i64>,
    /// The most.
    pub max: Option<i64>,
}

/// An integer has at most this many digits, so that all readers of 64 bits can hold it.
const MOST_DIGITS: usize = 18;

/// The integer that a text is: in decimal, in its one spelling.
///
/// What reads numbers differs in all else: `010` is eight or ten, `1e1` and `+1` a number or none, and what
/// is too large for one reader is another number to it.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_spelled_so = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !is_spelled_so || digits.len() > MOST_DIGITS {
        return None;
    }
    let add = |number: i64, digit: u8| number * 10 + i64::from(digit - b'0');
    let number = digits.bytes().fold(0, add);
    Some(if digits.len() < text.len() {
        -number
    } else {
        number
    })
}

/// Reads a bound.
pub(super) fn read(entry: Entry<'_, '_>, errors: &mut SettingsErrors) -> Option<i64> {
    if entry.value.kind() != Kind::Number {
        entry.mismatch(errors, "an integer");
        return None;
    }
    let number = decimal(entry.value.text());
    if number.is_none() {
        let problem = format!(
            "`{}` is no integer of at most 18 digits",
            Shown(entry.value.text())
        );
        entry.error(errors, problem);
    }
    number
}

impl Range {
    /// Reads how many elements there may be.
    pub(super) fn of_count(
        entry: Entry<'_, '_>,
        is_new: bool,
        errors: &mut SettingsErrors,
    ) -> Self {
        let before = errors.len();
        let mut range = Self::default();
        entry.map(&["min", "max"], errors, &mut |key, entry, errors| {
            let number = read(entry, errors);
            if is_new && number.is_some_and(|number| number < 1) {
                entry.error(errors, "must be at least 1");
            }
            match key {
                "min" => range.min = number,
                _ => range.max = number,
            }
        });
        if is_new && errors.len() == before {
            if range == Self::default() {
                entry.error(errors, "says nothing: give it `min` or `max`");
            }
            range.check(entry, errors);
        }
        range
    }

    /// Notes bounds that nothing is within.
    pub(super) fn check(self, entry: Entry<'_, '_>, errors: &mut SettingsErrors) {
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            entry.error(errors, format!("`min` ({min}) is above `max` ({max})"));
        }
    }

    pub(super) fn holds(self, number: i64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }

    /// The bounds in words, as they follow a noun.
    pub(super) fn words(self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("of at least {min}"),
            (None, Some(max)) => format!("of at most {max}"),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_one_spelling() {
        for (text, number) in [
            ("0", 0),
            ("7", 7),
            ("-12", -12),
            ("999999999999999999", 999_999_999_999_999_999),
            ("-999999999999999999", -999_999_999_999_999_999),
        ] {
            assert_eq!(decimal(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "00",
            "-01",
            " 1",
            "1 ",
            "1\n",
            "1e1",
            "1.0",
            "0x1",
            "1_0",
            "١",
            "1000000000000000000",
            "-1000000000000000000",
            "99999999999999999999999999",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
