//! Whether two values say the same.

use std::collections::BTreeMap;

use super::bytes::is_same;
use super::value::{Kind, Value};

/// How deep values are compared: what is nested deeper equals nothing.
const DEEPEST: usize = 128;

/// Whether two values are equal: by their bytes, else by what they say.
///
/// Key order and white space do not count, nor does the spelling of a number (`1` and `1.0`). A map that
/// holds a key twice does not equal another order of keys.
pub fn same(left: Value<'_>, right: Value<'_>) -> bool {
    is_same(left.text(), right.text()) || same_but_for(left, right, &[])
}

/// Says which members of a map are left out, by their keys.
pub type LeftOut<'f> = &'f dyn Fn(&str) -> bool;

/// As [`same`], but for some members: those in the maps that these keys lead to. A map of which nothing is
/// left is as good as absent.
pub fn same_but_for(
    left: Value<'_>,
    right: Value<'_>,
    left_out: &[(&[&str], LeftOut<'_>)],
) -> bool {
    let way = &mut Vec::new();
    Comparison { left_out, way }.equal(left, right, DEEPEST)
}

struct Comparison<'c, 'a> {
    left_out: &'c [(&'c [&'c str], LeftOut<'c>)],
    /// The keys on the way to what is compared; none of what is in lists.
    way: &'c mut Vec<&'a str>,
}

impl<'a> Comparison<'_, 'a> {
    fn equal(&mut self, left: Value<'a>, right: Value<'a>, deeper: usize) -> bool {
        match (left.kind(), right.kind()) {
            (Kind::Map, Kind::Map) => deeper > 0 && self.maps(left, right, deeper - 1),
            (Kind::List, Kind::List) => {
                let (left, right) = (left.elements(), right.elements());
                let mut all = Comparison {
                    left_out: &[],
                    way: &mut Vec::new(),
                };
                deeper > 0
                    && left.clone().count() == right.clone().count()
                    && left
                        .zip(right)
                        .all(|(left, right)| all.equal(left, right, deeper - 1))
            }
            (Kind::Text, Kind::Text) => left.string() == right.string(),
            (Kind::Number, Kind::Number) => number(left.text()) == number(right.text()),
            _ => left.text() == right.text(),
        }
    }

    fn maps(&mut self, left: Value<'a>, right: Value<'a>, deeper: usize) -> bool {
        let (left, right) = (self.members(left), self.members(right));
        if left.len() != right.len() {
            return false;
        }
        let mut pairs = left.iter().zip(&right);
        let is_in_order = pairs.all(|(left, right)| left.0 == right.0);
        // The other value of a key is taken out once; a sort would be much code in the module.
        let mut others = BTreeMap::new();
        if !is_in_order {
            let positions = right.iter().enumerate();
            others.extend(positions.map(|(position, (key, _))| (*key, position)));
            if others.len() < right.len() {
                return false;
            }
        }
        left.iter().enumerate().all(|(position, (key, value))| {
            let other = if is_in_order {
                Some(position)
            } else {
                others.remove(key)
            };
            let Some((_, other)) = other.and_then(|other| right.get(other)) else {
                return false;
            };
            self.way.push(key);
            let is_equal = self.equal(*value, *other, deeper);
            self.way.pop();
            is_equal
        })
    }

    /// The members of a map that count.
    fn members(&mut self, map: Value<'a>) -> Vec<(&'a str, Value<'a>)> {
        let mut members = Vec::new();
        for (key, value) in map.members() {
            let key = key.text();
            let mut ways = self.left_out.iter();
            let mut is_left_out =
                ways.any(|(way, is_left_out)| *way == *self.way && is_left_out(key));
            self.way.push(key);
            let mut ways = self.left_out.iter();
            if !is_left_out && ways.any(|(way, _)| way.starts_with(self.way)) {
                let is_map = value.kind() == Kind::Map;
                is_left_out = value.is_empty() || (is_map && self.members(value).is_empty());
            }
            self.way.pop();
            if !is_left_out {
                members.push((key, value));
            }
        }
        members
    }
}

/// What a number counts: whether it is negative, its digits without zeros around them, and the power of
/// ten that the last of these counts.
fn number(text: &str) -> (bool, String, i64) {
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let is_negative = mantissa.starts_with('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole.trim_start_matches('-'), fraction].concat();
    let all = digits.trim_start_matches('0');
    let digits = all.trim_end_matches('0');
    if digits.is_empty() {
        return (false, String::new(), 0);
    }
    // A power that is too large for an integer is like no other.
    let power = power.parse::<i64>().unwrap_or(i64::MAX / 2);
    let count = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX / 4);
    let power = power + count(all) - count(digits) - count(fraction);
    (is_negative, digits.to_owned(), power)
}
