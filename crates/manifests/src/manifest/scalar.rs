//! What a YAML scalar means to kubectl.
//!
//! kubectl reads YAML with `sigs.k8s.io/yaml`, which resolves plain scalars by YAML 1.1 as
//! `gopkg.in/yaml.v2` does (`resolve.go`): an unquoted `on` is a boolean and `010` is eight.

use std::fmt::Write as _;

use rollout_guard::json::write_string;

/// A value that JSON has no words for.
const NOT_FINITE: &str = "a number that is not finite, which JSON cannot hold";

/// Writes the JSON value of a plain scalar.
///
/// # Errors
///
/// Where JSON has no such value.
pub(super) fn write_plain(text: &str, json: &mut String) -> Result<(), &'static str> {
    match resolve(text) {
        Plain::Text => write_string(json, text),
        Plain::Null => json.push_str("null"),
        Plain::Bool(true) => json.push_str("true"),
        Plain::Bool(false) => json.push_str("false"),
        Plain::Integer(number) => {
            // Writing to a string cannot fail.
            let _ = write!(json, "{number}");
        }
        Plain::Float(number) if number.is_finite() => write_float(number, json),
        Plain::Float(_) => return Err(NOT_FINITE),
    }
    Ok(())
}

/// Writes the JSON key that a plain scalar stands for.
///
/// # Errors
///
/// Where it stands for none.
pub(super) fn write_plain_key(text: &str, json: &mut String) -> Result<(), &'static str> {
    match resolve(text) {
        Plain::Text => write_string(json, text),
        Plain::Null => return Err("a key must not be null, put it in quotes"),
        Plain::Float(number) if !number.is_finite() => return Err(NOT_FINITE),
        _ => {
            json.push('"');
            write_plain(text, json)?;
            json.push('"');
        }
    }
    Ok(())
}

/// The name of the tag that a plain scalar has without being given one.
pub(super) fn kind_of(plain: &str) -> &'static str {
    match resolve(plain) {
        Plain::Text => "str",
        Plain::Null => "null",
        Plain::Bool(_) => "bool",
        Plain::Integer(_) => "int",
        Plain::Float(_) => "float",
    }
}

/// Whether a text may stand without quotes, in brackets too. Not whenever YAML would allow it, but
/// whenever it is an image or alike.
pub fn is_bare(text: &str) -> bool {
    matches!(resolve(text), Plain::Text)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !text.ends_with(':')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@+".contains(&byte))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Plain {
    Text,
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
}

fn resolve(text: &str) -> Plain {
    let Some(first) = text.bytes().next() else {
        return Plain::Null;
    };
    match first {
        b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'.' => match special_float(text) {
            Some(number) => Plain::Float(number),
            None => float(text).map_or(Plain::Text, Plain::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Plain::Text,
    }
}

fn word(text: &str) -> Plain {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Plain::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Plain::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Plain::Null,
        _ => Plain::Text,
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn number(text: &str) -> Plain {
    if let Some(number) = special_float(text) {
        return Plain::Float(number);
    }
    let digits;
    let plain = if text.contains('_') {
        digits = text.replace('_', "");
        digits.as_str()
    } else {
        text
    };
    integer(plain)
        .map(Plain::Integer)
        .or_else(|| float(plain).map(Plain::Float))
        .unwrap_or(Plain::Text)
}

/// Go's `strconv.ParseInt(text, 0, 64)`, else its `ParseUint`.
fn integer(text: &str) -> Option<i128> {
    let (sign, unsigned) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => (1, text),
    };
    let prefix = unsigned.get(..2).unwrap_or_default();
    let (radix, digits) = match prefix {
        "0x" | "0X" => (16, unsigned.get(2..)?),
        "0o" | "0O" => (8, unsigned.get(2..)?),
        "0b" | "0B" => (2, unsigned.get(2..)?),
        _ if unsigned.len() > 1 && unsigned.starts_with('0') => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    // `from_str_radix` would take a second sign.
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let number = sign * i128::from_str_radix(digits, radix).ok()?;
    let is_signed = i64::try_from(number).is_ok();
    let is_unsigned = u64::try_from(number).is_ok() && !text.starts_with('+');
    (is_signed || is_unsigned).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, where it fits a double.
fn float(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_number = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let is_exponent =
        exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text)));
    (is_number && is_exponent)
        .then(|| text.parse::<f64>().ok())
        .flatten()
        .filter(|number| number.is_finite())
}

/// A number as Go's `encoding/json` writes it.
fn write_float(number: f64, json: &mut String) {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                let _ = write!(json, "{mantissa}e+{exponent}");
            }
            _ => json.push_str(&text),
        }
    } else {
        let _ = write!(json, "{number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut json = String::new();
        match write_plain(text, &mut json) {
            Ok(()) => json,
            Err(problem) => problem.to_owned(),
        }
    }

    #[test]
    fn resolves_as_kubectl_does() {
        for (text, json) in [
            ("on", "true"),
            ("Off", "false"),
            ("y", "true"),
            ("yEs", r#""yEs""#),
            ("TRUE", "true"),
            ("tRUE", r#""tRUE""#),
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("1.10", "1.1"),
            ("1", "1"),
            ("+1", "1"),
            ("-12", "-12"),
            ("010", "8"),
            ("08", "8"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "18446744073709552000"),
            ("1e3", "1000"),
            ("1e21", "1e+21"),
            ("0.0000001", "1e-7"),
            (".5", "0.5"),
            ("1.", "1"),
            ("1e400", r#""1e400""#),
            ("1.2.3", r#""1.2.3""#),
            ("2001-12-14", r#""2001-12-14""#),
            ("12:30:45", r#""12:30:45""#),
            ("0x", r#""0x""#),
            ("--1", r#""--1""#),
            ("-", r#""-""#),
            ("redis:7.2", r#""redis:7.2""#),
            (".nan", NOT_FINITE),
            ("-.inf", NOT_FINITE),
            ("<<", r#""<<""#),
        ] {
            assert_eq!(plain(text), json, "{text}");
        }
    }

    #[test]
    fn a_key_is_a_string() {
        let key = |text| {
            let mut json = String::new();
            write_plain_key(text, &mut json).map(|()| json)
        };
        assert_eq!(key("on").unwrap(), r#""true""#);
        assert_eq!(key("1.10").unwrap(), r#""1.1""#);
        assert_eq!(key("a").unwrap(), r#""a""#);
        assert!(key("~").is_err());
    }
}
