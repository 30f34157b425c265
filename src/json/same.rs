//! Whether two JSON texts say the same.

use crate::hashing::{ByHash, hash_of};

use super::node::{Kind, Node, Number};
use super::scan::{self, kind_of};

/// Whether two values are equal: by their bytes, else by what they say.
///
/// Key order and white space do not count, nor does the spelling of a number (`1` and `1.0`).
/// What cannot be read equals nothing, nor does what holds a key twice equal another order of keys.
pub(crate) fn same(left: &str, right: &str) -> bool {
    let kind = kind_of(left);
    scan::is_same(left, right)
        || kind == kind_of(right)
            && match kind {
                Kind::Number => Number(left) == Number(right),
                Kind::Text => {
                    scan::string(left).is_some_and(|text| Some(text) == scan::string(right))
                }
                Kind::Null | Kind::Bool => false,
                Kind::List | Kind::Map => {
                    matches!((Node::read(left), Node::read(right)), (Ok(left), Ok(right)) if equal(&left, &right))
                }
            }
}

/// Whether two objects are equal when some members are left out: those in the maps that these keys lead
/// to. A map of which nothing is left is as good as absent.
pub(crate) fn same_but_for(left: &str, right: &str, left_out: &[(&[&str], LeftOut<'_>)]) -> bool {
    let without = |text| {
        let mut node = Node::read(text).ok()?;
        for (way, is_left_out) in left_out {
            leave_out(&mut node, way, *is_left_out);
        }
        Some(node)
    };
    matches!((without(left), without(right)), (Some(left), Some(right)) if equal(&left, &right))
}

/// Says which members of a map are left out, by their keys.
pub(crate) type LeftOut<'f> = &'f dyn Fn(&str) -> bool;

fn leave_out(node: &mut Node<'_>, way: &[&str], is_left_out: LeftOut<'_>) {
    let Node::Map(members) = node else {
        return;
    };
    let Some((first, rest)) = way.split_first() else {
        members.retain(|(key, _)| !is_left_out(key));
        return;
    };
    members.retain_mut(|(key, value)| {
        if key == first {
            leave_out(value, rest, is_left_out);
        }
        key != first || !value.is_empty()
    });
}

fn equal(left: &Node<'_>, right: &Node<'_>) -> bool {
    match (left, right) {
        (Node::Map(left), Node::Map(right)) => {
            if left.len() != right.len() {
                return false;
            }
            let mut pairs = left.iter().zip(right);
            if pairs.clone().all(|(left, right)| left.0 == right.0) {
                return pairs.all(|(left, right)| equal(&left.1, &right.1));
            }
            // The other value of a key is taken out once; a sort would be much code in the module.
            let mut others = ByHash::default();
            for (position, (key, _)) in right.iter().enumerate() {
                others.insert(hash_of(key), position);
            }
            others.len() == right.len()
                && left.iter().all(|(key, value)| {
                    let other = others.get_mut(&hash_of(key));
                    other
                        .and_then(|other| right.get(std::mem::replace(other, usize::MAX)))
                        .is_some_and(|(known, other)| known == key && equal(value, other))
                })
        }
        (Node::List(left), Node::List(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len() && pairs.all(|(left, right)| equal(left, right))
        }
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_space_and_spelling_do_not_count() {
        assert!(same(
            r#"{"a":1,"b":[1e2]}"#,
            r#"{ "b": [100.0], "a": 1.0 }"#
        ));
        assert!(!same(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
        assert!(!same("18446744073709551615", "18446744073709551614"));
        assert!(same("-1", "-1.0"));
        assert!(!same("[1]", r#"{"0":1}"#));
    }

    #[test]
    fn a_repeated_key_in_another_order_equals_nothing() {
        assert!(same(r#"{"a":1,"a":2}"#, r#"{"a":1, "a":2}"#));
        for (left, right) in [
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":1,"b":2,"a":1}"#, r#"{"a":1,"a":1,"b":2}"#),
            (r#"{"a":1,"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1,"b":1}"#, r#"{"a":1,"a":1}"#),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn leaves_out_what_is_named_where_it_is_named() {
        let before = r#"{"metadata":{"name":"a","finalizers":["x"]},"spec":1}"#;
        let after = r#"{"spec":1,"metadata":{"name":"a"}}"#;
        let same = |left, right, way: &[&str], left_out: &str| {
            same_but_for(left, right, &[(way, &|key| key == left_out)])
        };
        assert!(same(before, after, &["metadata"], "finalizers"));
        assert!(!same(before, after, &["metadata"], "managedFields"));
        assert!(!same(before, after, &["spec"], "finalizers"));
        assert!(!same(before, after, &[], "finalizers"));
        assert!(same(r#"{"a":{"b":{"c":1}}}"#, "{}", &["a", "b"], "c"));
        assert!(!same(
            r#"{"a":{"b":{"c":1,"d":2}}}"#,
            "{}",
            &["a", "b"],
            "c"
        ));
    }
}
