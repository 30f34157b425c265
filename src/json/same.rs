//! Whether two JSON texts say the same.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::node::Node;

/// Whether two values are equal: by their bytes, else by what they say.
///
/// Key order and white space do not count, nor does the spelling of a number (`1` and `1.0`).
/// What cannot be read equals nothing.
pub(crate) fn same(left: &RawValue, right: &RawValue) -> bool {
    same_texts(left.get(), right.get())
}

/// As [`same`], for the texts of two values.
pub(crate) fn same_texts(left: &str, right: &str) -> bool {
    left == right
        || matches!((parse(left), parse(right)), (Some(left), Some(right)) if left == right)
}

/// Whether two objects are equal when these members of their `metadata` are left out.
pub(crate) fn same_but_for(left: &str, right: &str, metadata: &[&str]) -> bool {
    let without = |text| {
        let mut node = parse(text)?;
        if let Node::Map(members) = &mut node {
            for (_, value) in members.iter_mut().filter(|(key, _)| key == "metadata") {
                if let Node::Map(members) = value {
                    members.retain(|(key, _)| !metadata.contains(&key.as_ref()));
                }
            }
        }
        Some(node)
    };
    matches!((without(left), without(right)), (Some(left), Some(right)) if left == right)
}

/// The value that a text begins with, each map in the order of its keys.
fn parse(text: &str) -> Option<Node<'_>> {
    let mut node = Node::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
    sort(&mut node);
    Some(node)
}

fn sort(node: &mut Node<'_>) {
    match node {
        Node::Map(members) => {
            members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
            for (_, value) in members {
                sort(value);
            }
        }
        Node::List(elements) => elements.iter_mut().for_each(sort),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn order_space_and_spelling_do_not_count() {
        assert!(same(
            raw(r#"{"a":1,"b":[1e2]}"#),
            raw(r#"{ "b": [100.0], "a": 1.0 }"#)
        ));
        assert!(!same(raw(r#"{"a":[1,2]}"#), raw(r#"{"a":[2,1]}"#)));
        assert!(!same(raw(r#"{"a":1}"#), raw(r#"{"a":1,"b":null}"#)));
        assert!(!same(
            raw("18446744073709551615"),
            raw("18446744073709551614")
        ));
        assert!(same(raw("-1"), raw("-1.0")));
    }

    #[test]
    fn leaves_out_the_named_metadata() {
        let before = r#"{"metadata":{"name":"a","finalizers":["x"]},"spec":1}"#;
        let after = r#"{"spec":1,"metadata":{"name":"a"}} ,"#;
        assert!(same_but_for(before, after, &["finalizers"]));
        assert!(!same_but_for(before, after, &["managedFields"]));
    }
}
