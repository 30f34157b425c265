//! Whether two values say the same.

use crate::hashing::{ByHash, hash_of};

use super::{DEEPEST, Kind, Value};

/// Whether two values are equal: by their bytes, else by what they say.
///
/// Key order and white space do not count, nor does the spelling of a number (`1` and `1.0`). A map that
/// holds a key twice does not equal another order of keys; what is nested deeper than [`DEEPEST`] equals nothing.
pub(crate) fn same(left: Value<'_>, right: Value<'_>) -> bool {
    left.is_written_as(right) || same_but_for(left, right, &[])
}

/// Says which members of a map are left out, by their keys.
pub(crate) type LeftOut<'f> = &'f dyn Fn(&str) -> bool;

/// As [`same`], but for some members: those in the maps that these keys lead to. A map of which nothing is
/// left is as good as absent.
pub(crate) fn same_but_for(
    left: Value<'_>,
    right: Value<'_>,
    left_out: &[(&[&str], LeftOut<'_>)],
) -> bool {
    let way = Vec::new();
    Comparison { left_out, way }.equal(left, right, DEEPEST)
}

#[derive(Default)]
struct Comparison<'c, 'a> {
    left_out: &'c [(&'c [&'c str], LeftOut<'c>)],
    /// The keys on the way to what is compared; none of what is in lists.
    way: Vec<&'a str>,
}

impl<'a> Comparison<'_, 'a> {
    fn equal(&mut self, left: Value<'a>, right: Value<'a>, deeper: usize) -> bool {
        match (left.kind(), right.kind()) {
            (Kind::Map, Kind::Map) => deeper > 0 && self.maps(left, right, deeper - 1),
            (Kind::List, Kind::List) => {
                let (left, right) = (left.elements(), right.elements());
                let mut all = Comparison::default();
                deeper > 0
                    && left.clone().count() == right.clone().count()
                    && left
                        .zip(right)
                        .all(|(left, right)| all.equal(left, right, deeper - 1))
            }
            (Kind::Text, Kind::Text) => left.string() == right.string(),
            (Kind::Number, Kind::Number) => is_same_number(left.text(), right.text()),
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
        let mut others = ByHash::default();
        if !is_in_order {
            let positions = right.iter().enumerate();
            others.extend(positions.map(|(position, (key, _))| (hash_of(key), position)));
            if others.len() < right.len() {
                return false;
            }
        }
        left.iter().enumerate().all(|(position, (key, value))| {
            let other = if is_in_order {
                Some(position)
            } else {
                others.remove(&hash_of(key))
            };
            let other = other.and_then(|other| right.get(other));
            let Some((_, other)) = other.filter(|(known, _)| known == key) else {
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
                ways.any(|(way, is_left_out)| *way == self.way && is_left_out(key));
            self.way.push(key);
            let mut ways = self.left_out.iter();
            if !is_left_out && ways.any(|(way, _)| way.starts_with(&self.way)) {
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

/// Whether two numbers count the same.
fn is_same_number(left: &str, right: &str) -> bool {
    // Whole numbers without an exponent have one spelling, but for `-0`.
    let is_whole = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    let is_plain = |number: &str| number != "-0" && number.bytes().all(is_whole);
    let are_plain = is_plain(left) && is_plain(right);
    left == right || (!are_plain && number(left) == number(right))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::Document;
    use super::*;

    fn is_same(left: &str, right: &str) -> bool {
        let (left, right) = (Document::of(left).unwrap(), Document::of(right).unwrap());
        same(left.root(), right.root())
    }

    #[test]
    fn order_space_and_spelling_do_not_count() {
        for (left, right) in [
            (r#"{"a":1,"b":[1e2]}"#, r#"{ "b": [100.0], "a": 1.0 }"#),
            ("-1", "-1.0"),
            ("1", "10e-1"),
            ("-0.0", "0"),
            ("1.50", "150e-2"),
            ("0.001", "1E-3"),
            ("12300", "1.23e+4"),
            (r#""\u0061""#, r#""a""#),
            (r#"{"a":1,"a":2}"#, r#"{"a":1, "a":2}"#),
        ] {
            assert!(is_same(left, right), "{left} {right}");
        }
        for (left, right) in [
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            ("[1]", "[1,1]"),
            ("[1]", r#"{"0":1}"#),
            ("true", "false"),
            ("null", "[]"),
            ("1", "-1"),
            ("1", "10"),
            ("18446744073709551615", "18446744073709551614"),
            ("0.1", "0.01"),
            ("1e99999999999999999999", "1"),
            // A repeated key in another order.
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":1,"b":2,"a":1}"#, r#"{"a":1,"a":1,"b":2}"#),
            (r#"{"a":1,"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1,"b":1}"#, r#"{"a":1,"a":1}"#),
        ] {
            assert!(!is_same(left, right), "{left} {right}");
        }
        let deep = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(is_same(
            &deep(128),
            &format!(" {} ", deep(128).replace('1', "1.0"))
        ));
        assert!(!is_same(&deep(129), &deep(129).replace('1', "1.0")));
    }

    #[test]
    fn members_can_be_left_out_where_they_are_named() {
        let before = r#"{"metadata":{"name":"a","finalizers":["x"]},"spec":1}"#;
        let after = r#"{"spec":1,"metadata":{"name":"a"}}"#;
        let same = |left, right, way: &[&str], left_out: &str| {
            let (left, right) = (Document::of(left).unwrap(), Document::of(right).unwrap());
            same_but_for(left.root(), right.root(), &[(way, &|key| key == left_out)])
        };
        assert!(same(before, after, &["metadata"], "finalizers"));
        assert!(!same(before, after, &["metadata"], "managedFields"));
        assert!(!same(before, after, &["spec"], "finalizers"));
        assert!(!same(before, after, &[], "finalizers"));
        assert!(same(r#"{"a":{"b":{"c":1}}}"#, "{}", &["a", "b"], "c"));
        let more = r#"{"a":{"b":{"c":1,"d":2}}}"#;
        assert!(!same(more, "{}", &["a", "b"], "c"));
    }

    /// Some JSON without white space, and the same in another spelling and order.
    fn spelled_twice() -> impl Strategy<Value = (String, String)> {
        let leaf = select(vec![
            ("0", "-0.0"),
            ("17", "1.7e1"),
            ("-0.0025", "-25E-4"),
            ("true", "true"),
            ("null", "null"),
            ("[]", "[ ]"),
            ("{}", "{\n}"),
            (r#""a""#, r#""\u0061""#),
            (r#""é/""#, r#""\u00e9\/""#),
        ]);
        let leaf = leaf.prop_map(|(one, other)| (one.to_owned(), other.to_owned()));
        leaf.prop_recursive(5, 60, 6, |inner| {
            let all = proptest::collection::vec(inner, 0..6);
            let list = all.clone().prop_map(|all| {
                let (one, other): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                (
                    format!("[{}]", one.join(",")),
                    format!("[ {}\t]", other.join(" ,")),
                )
            });
            let map = all.prop_map(|all| {
                let member = |(at, (one, other)): (usize, (String, String))| {
                    (
                        format!("\"{at}\":{one}"),
                        format!("\"\\u003{at}\" : {other}"),
                    )
                };
                let members = all.into_iter().enumerate().map(member);
                let (one, mut other): (Vec<_>, Vec<_>) = members.unzip();
                other.reverse();
                (
                    format!("{{{}}}", one.join(",")),
                    format!("{{{}}}", other.join(",\n")),
                )
            });
            prop_oneof![list, map]
        })
    }

    proptest! {
        #[test]
        fn is_the_same_however_it_is_written((one, other) in spelled_twice()) {
            prop_assert!(is_same(&one, &other), "{one} {other}");
            prop_assert!(!is_same(&format!("[{one}]"), &other), "{one} {other}");
        }
    }
}
