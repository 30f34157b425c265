//! Whether two JSON texts say the same.

use std::collections::BTreeMap;

use super::node::Node;
use super::scan;

/// Whether two values are equal: by their bytes, else by what they say.
///
/// Key order and white space do not count, nor does the spelling of a number (`1` and `1.0`).
/// What cannot be read equals nothing, nor does what holds a key twice equal another order of keys.
pub(crate) fn same(left: &str, right: &str) -> bool {
    scan::is_same(left, right)
        || matches!((Node::read(left), Node::read(right)), (Ok(left), Ok(right)) if equal(&left, &right))
}

/// Whether two objects are equal when these members of their `metadata` are left out.
pub(crate) fn same_but_for(left: &str, right: &str, metadata: &[&str]) -> bool {
    let without = |text| {
        let mut node = Node::read(text).ok()?;
        if let Node::Map(members) = &mut node {
            for (_, value) in members.iter_mut().filter(|(key, _)| key == "metadata") {
                if let Node::Map(members) = value {
                    members.retain(|(key, _)| !metadata.contains(&key.as_ref()));
                }
            }
        }
        Some(node)
    };
    matches!((without(left), without(right)), (Some(left), Some(right)) if equal(&left, &right))
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
            let mut others = BTreeMap::new();
            for (position, (key, _)) in right.iter().enumerate() {
                others.insert(key.to_string(), position);
            }
            others.len() == right.len()
                && left.iter().all(|(key, value)| {
                    let other = others.get_mut(&key.to_string());
                    other
                        .and_then(|other| right.get(std::mem::replace(other, usize::MAX)))
                        .is_some_and(|(_, other)| equal(value, other))
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
    fn leaves_out_the_named_metadata() {
        let before = r#"{"metadata":{"name":"a","finalizers":["x"]},"spec":1}"#;
        let after = r#"{"spec":1,"metadata":{"name":"a"}}"#;
        assert!(same_but_for(before, after, &["finalizers"]));
        assert!(!same_but_for(before, after, &["managedFields"]));
    }
}
